package capacity

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"plumb/fleet"
)

func TestSpace(t *testing.T) {
	at := func(unit, height fleet.HalfU, face, depth string) fleet.DeviceSpec {
		return fleet.DeviceSpec{Unit: unit, Height: height, Face: face, Depth: depth}
	}
	for _, c := range []struct {
		name                        string
		devices                     []fleet.DeviceSpec
		used, free, longest, behind fleet.HalfU
		whole                       int
	}{
		{"empty", nil, 0, 20, 20, 0, 10},
		{"one in the middle", []fleet.DeviceSpec{at(10, 2, "front", "full")}, 2, 18, 10, 0, 9},
		{"half a unit", []fleet.DeviceSpec{at(10, 1, "front", "full")}, 1, 19, 11, 0, 9},
		{"beside the rails", []fleet.DeviceSpec{at(0, 0, "rear", "full")}, 0, 20, 20, 0, 10},
		{"front and rear share", []fleet.DeviceSpec{at(4, 2, "front", "half"), at(4, 2, "rear", "half")}, 2, 18, 16, 0, 9},
		{"front only", []fleet.DeviceSpec{at(4, 2, "front", "half")}, 2, 18, 16, 2, 9},
		{"beyond the top", []fleet.DeviceSpec{at(20, 8, "", "full")}, 2, 18, 18, 0, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := SpaceOf(10, func(yield func(*fleet.DeviceSpec) bool) {
				for i := range c.devices {
					if !yield(&c.devices[i]) {
						return
					}
				}
			})
			if s.Used != c.used || s.Free != c.free || s.Longest != c.longest || s.Behind != c.behind || s.FreeUnits != c.whole {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestTake: what fits is exactly what can be taken, on whole units, without
// overlap.
func TestTake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []fleet.DeviceSpec
		for range rapid.IntRange(0, 12).Draw(t, "devices") {
			list = append(list, fleet.DeviceSpec{Unit: fleet.HalfU(rapid.IntRange(2, 43).Draw(t, "unit")), Height: fleet.HalfU(rapid.IntRange(1, 8).Draw(t, "height"))})
		}
		s := SpaceOf(21, func(yield func(*fleet.DeviceSpec) bool) {
			for i := range list {
				if !yield(&list[i]) {
					return
				}
			}
		})
		height := fleet.HalfU(rapid.IntRange(1, 6).Draw(t, "of"))
		n, free := s.fits(height), s.Free
		got := s.take(100, height)
		if len(got) != n || s.Free != free-fleet.HalfU(n)*height {
			t.Fatalf("%d fit, %d were taken, %d of %d left", n, len(got), s.Free, free)
		}
		for i, h := range got {
			if height%2 == 0 && h%2 != 0 || i > 0 && h < got[i-1]+height {
				t.Fatalf("places %v", got)
			}
		}
		if s.fits(height) != 0 {
			t.Fatalf("%d more fit", s.fits(height))
		}
	})
}

// rackOfFour has four free outlets, plenty of room and power, and a switch.
func rackOfFour(b *site, name string) string {
	r := b.rack(name, 42)
	b.pdu(name+"-pa", r, "A", 32, 8)
	b.pdu(name+"-pb", r, "B", 32, 8)
	sw := b.device(fleet.DeviceSpec{ID: name + "-sw", Kind: fleet.KindSwitch, Rack: r, Unit: 84, Height: 2}, -1)
	for n := range 8 {
		sw.Ports = append(sw.Ports, fleet.Port{PortDef: &fleet.PortDef{Name: fmt.Sprintf("Ethernet%d", n+1), Type: "ethernetCsmacd", SpeedBps: fleet.Int(25e9), Oper: "notPresent"}})
	}
	sw.Ports = append(sw.Ports, fleet.Port{PortDef: &fleet.PortDef{Name: "Vlan7", Type: "l3ipvlan", Oper: "up"}})
	for n := range 4 {
		d := b.server(fmt.Sprintf("%s-s%d", name, n+1), r, n+1, 200, fmt.Sprintf("%s-pa/%d", name, n+1), fmt.Sprintf("%s-pb/%d", name, n+1))
		d.Spec.Links = []fleet.Cable{{NIC: "eth0", To: fmt.Sprintf("%s-sw/Ethernet%d", name, n+1)}}
	}
	return r
}

func smallFleet(racks int) *site {
	b := &site{}
	b.feed("A", "", 125, 230, 1)
	b.feed("B", "", 125, 230, 1)
	for n := range racks {
		rackOfFour(b, fmt.Sprintf("r%02d", n+1))
	}
	return b
}

// TestBinds: outlets run out first, and what is free above them is stranded.
func TestBinds(t *testing.T) {
	rows := Of(smallFleet(1).snapshot())
	for _, c := range []struct {
		res            Resource
		free, stranded fleet.Num
	}{
		{Units, fleet.Int(37), fleet.Int(33)},     // 42 - 4 - 1, four more go in
		{Outlets, fleet.Int(8), fleet.Int(0)},     // it binds
		{Power, fleet.Int(5088), fleet.Int(4288)}, // 5888 - 800, four of 200
		{Failover, fleet.Int(5088), fleet.Int(4288)},
		{Ports, fleet.Int(4), fleet.Int(0)},
	} {
		x := row(t, rows, ScopeRack, "ams1/r01", c.res)
		if x.Free.Cmp(c.free) != 0 || x.Stranded.Cmp(c.stranded) != 0 {
			t.Errorf("%s: free %s, stranded %s, want %s and %s", c.res, x.Free, x.Stranded, c.free, c.stranded)
		}
	}
	if x := row(t, rows, ScopeRack, "ams1/r01", Units); x.Binds != "outlets" || !strings.Contains(x.Do, "takes 4 more of its kind, then outlets binds") {
		t.Errorf("units: %+v", x)
	}
	if x := row(t, rows, ScopeRegion, "ams", Units); x.Binds != "outlets" || x.Stranded.Cmp(fleet.Int(33)) != 0 {
		t.Errorf("region: %+v", x)
	}
	if x := row(t, rows, ScopeRack, "ams1/r01", Ports); x.Class != "25G" || x.Used != fleet.Int(4) || x.Total != fleet.Int(8) {
		t.Errorf("a VLAN interface is no port, a cable that is meant takes one: %+v", x)
	}
}

// TestNull: what is not known is null, never 0.
func TestNull(t *testing.T) {
	b := &site{}
	b.feeds = append(b.feeds, fleet.FeedSpec{Name: "A", Site: "ams1"})
	r := b.rack("r01", 42)
	b.racks[0].MaxWeightKg = fleet.Int(1000)
	b.device(fleet.DeviceSpec{ID: "pa", Kind: fleet.KindPDU, Rack: r, Feed: "A"}, -1)
	rows := Of(b.snapshot())
	if x := row(t, rows, ScopeRack, r, Power); x.Total.Known || x.Free.Known {
		t.Errorf("a PDU without rating: %+v", x)
	}
	if x := row(t, rows, ScopeFeed, "A", Power); x.Total.Known || x.Free.Known {
		t.Errorf("a feed without breaker: %+v", x)
	}
	if x := row(t, rows, ScopeRack, r, Weight); x.Used.Known || x.Free.Known || x.Total != fleet.Int(1000) || x.Worst == "" {
		t.Errorf("nobody weighed it: %+v", x)
	}
	if q := PlaceIn(b.snapshot(), Request{Servers: 1, HeightU: 2, Watts: 100}); q.Short != 1 || !strings.Contains(q.Refused[0].Why, "not known") {
		t.Errorf("placed on a PDU that nobody knows: %+v", q)
	}
}

func TestPlace(t *testing.T) {
	s := smallFleet(3).snapshot()
	q := Request{Servers: 6, HeightU: 2, Watts: 450, Ports: 1, SpeedBps: 25e9, KeepAB: true}
	p := PlaceIn(s, q)
	if p.Short != 0 || len(p.Places) != 2 || p.Places[0].Servers != 4 || p.Places[1].Servers != 2 || !strings.HasPrefix(p.Places[0].Why, "outlets: ") {
		t.Errorf("as few racks as may be: %+v", p)
	}
	if len(p.Places) > 0 && !slices.Equal(p.Places[0].Units, []fleet.HalfU{10, 12, 14, 16}) {
		t.Errorf("units %v", p.Places[0].Units)
	}
	q.RackSpread = 3
	if p = PlaceIn(s, q); p.Short != 0 || len(p.Places) != 3 || p.Places[2].Servers != 2 {
		t.Errorf("over three racks: %+v", p)
	}
	q.RackSpread, q.Servers = 0, 100
	// Of every rack it is said what comes of it: here the third is not needed.
	if p = PlaceIn(s, Request{Servers: 6, HeightU: 2, Watts: 100, KeepAB: true}); len(p.Places)+len(p.Spare)+len(p.Refused) != s.Racks.Len() || p.Short == 0 && len(p.Spare) == 0 {
		t.Errorf("of %d racks: %+v", s.Racks.Len(), p)
	}
	for _, x := range p.Spare {
		if x.Room < 1 || x.Servers != 0 || x.Why == "" {
			t.Errorf("a rack that is not needed: %+v", x)
		}
	}
	if p = PlaceIn(s, q); p.Short != 88 {
		t.Errorf("four in each of three: %+v", p)
	}
	q.SpeedBps = 100e9
	if p = PlaceIn(s, q); p.Short != 100 || len(p.Refused) != 3 || p.Refused[0].Why != "no port of 100G" {
		t.Errorf("no such port: %+v", p)
	}
	q = Request{Servers: 9, HeightU: 2, Watts: 4000, KeepAB: true}
	if p = PlaceIn(s, q); p.Short != 6 { // one of 4 kW a rack of 5,888 W with 800 on it
		t.Errorf("heavy ones: %+v", p)
	}
	q.Region = "fra"
	if p = PlaceIn(s, q); p.Short != 9 || len(p.Places)+len(p.Refused) != 0 {
		t.Errorf("elsewhere: %+v", p)
	}
}

// TestPlaceMindsTheFeed: three racks have the outlets, their feed has not the
// watts.
func TestPlaceMindsTheFeed(t *testing.T) {
	b := smallFleet(3)
	for i := range b.feeds {
		b.feeds[i].BreakerA = fleet.Int(25) // 4,600 W, of which 2,400 are used in the worst case
	}
	p := PlaceIn(b.snapshot(), Request{Servers: 12, HeightU: 2, Watts: 500, KeepAB: true})
	placed := 0
	for _, x := range p.Places {
		placed += x.Servers
	}
	if placed != 4 || p.Short != 8 {
		t.Errorf("%d placed, %+v", placed, p)
	}
}

// TestWith: what is placed fits, and what is added shows in every row.
func TestWith(t *testing.T) {
	s := smallFleet(2).snapshot()
	p := PlaceIn(s, Request{Servers: 8, HeightU: 2, Watts: 450, Ports: 1, SpeedBps: 25e9, KeepAB: true})
	var adds []Add
	for _, x := range p.Places {
		adds = append(adds, Add{x.Rack, x.Servers, 2, 450, 1, 25e9})
	}
	rows, err := With(s, adds...)
	if err != nil || p.Short != 0 {
		t.Fatal(p, err)
	}
	for _, x := range rows {
		if x.Over || x.Free.Known && x.Free.Float() < 0 {
			t.Errorf("was placed and does not fit: %+v", x)
		}
	}
	if x := row(t, rows, ScopeFeed, "A", Failover); x.Used != fleet.Int(2*4*200+8*450) {
		t.Errorf("A in the worst case: %+v", x)
	}
	if x := row(t, rows, ScopeRack, "ams1/r01", Outlets); x.Free != fleet.Int(0) {
		t.Errorf("outlets: %+v", x)
	}
	rows, err = With(s, Add{Rack: "ams1/r01", Servers: 60, HeightU: 2, Watts: 450})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []Resource{Units, Power, Failover, Outlets} {
		if x := row(t, rows, ScopeRack, "ams1/r01", r); !x.Over || x.Free.Float() >= 0 {
			t.Errorf("sixty do not fit: %+v", x)
		}
	}
	if before := row(t, Of(s), ScopeRack, "ams1/r01", Units); before.Used != fleet.Int(5) && before.Used.Cmp(fleet.Int(5)) != 0 {
		t.Errorf("the snapshot was written: %+v", before)
	}
	if _, err = With(s, Add{Rack: "ams1/r99"}); !errors.Is(err, ErrRack) {
		t.Errorf("no such rack: %v", err)
	}
}

func TestForesee(t *testing.T) {
	s := smallFleet(1).snapshot()
	rows, asks := Of(s), Asks(s, "ams1/r01")
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	if len(asks) != 4 || len(asks[0].Queries) != 2 || len(asks[1].Queries) != 1 || asks[3].Scope != ScopeSite || len(asks[3].Queries) != 2 {
		t.Fatalf("%+v", asks)
	}
	grows := func(q fleet.Query) ([]fleet.Point, bool) {
		var out []fleet.Point
		for at := now.Add(-20 * 24 * time.Hour); at.Before(now); at = at.Add(time.Hour) {
			out = append(out, fleet.Point{Ms: at.UnixMilli(), Mean: fleet.FromFloat(2000-now.Sub(at).Hours()*2, 1)}) // 48 W a day
		}
		return out, q.Target != "r01-pb" || q.Key == powerKey
	}
	lines := Foresee(rows, asks, now, grows)
	if len(lines) != 4 || lines[0].ID != "ams1/r01" || len(lines[0].Samples) != 480 || !lines[0].Line.Trend() {
		t.Errorf("%d lines: %+v", len(lines), lines[0].Line)
	}
	x := row(t, rows, ScopeRack, "ams1/r01", Power) // 4000 W now, 5888 at the end, 96 W a day
	if x.At == nil || x.At.Sub(now.Add(1888*24*time.Hour/96)).Abs() > 3*time.Hour || x.Low == nil || x.High == nil || x.Confidence == nil {
		t.Errorf("%+v", x)
	}
	if !x.P95.Known || x.P95.Float() < 3800 || x.P95.Float() > 4000 {
		t.Errorf("p95 %s", x.P95)
	}
	for _, scope := range []Scope{ScopeSite, ScopeRegion} { // the sum of its feeds against what one of them carries
		id := map[Scope]string{ScopeSite: "ams1", ScopeRegion: "ams"}[scope]
		if y := row(t, rows, scope, id, Power); !y.Foreseen() || y.Confidence == nil || scope == ScopeRegion && !strings.HasPrefix(y.Runway, "ams1: ") {
			t.Errorf("%s: %+v", scope, y)
		}
	}
	rows = Of(s)
	Foresee(rows, asks, now, func(q fleet.Query) ([]fleet.Point, bool) { p, _ := grows(q); return p, q.Target != "r01-pb" })
	if x = row(t, rows, ScopeRack, "ams1/r01", Power); x.P95.Known || x.At != nil {
		t.Errorf("half a sum is no load: %+v", x)
	}
	few := Of(s)
	Foresee(few, asks, now, func(q fleet.Query) ([]fleet.Point, bool) { p, _ := grows(q); return p[:12], true })
	if x = row(t, few, ScopeRegion, "ams", Power); x.Foreseen() || !strings.Contains(x.Runway, "no trend") {
		t.Errorf("twelve hours say nothing: %+v", x)
	}
	n := 0
	for _, a := range Asks(smallFleet(100).snapshot()) {
		n += len(a.Queries)
	}
	if n > 2*maxQueries { // each counts once, and may be part of a site
		t.Errorf("%d series are asked for", n)
	}
}

// TestASiteIsNotCountedTwice: the utility above both feeds, with the UPSes that
// hang on it, is no third feed.
func TestASiteIsNotCountedTwice(t *testing.T) {
	b := &site{}
	b.feed("utility", "", 400, 400, 3)
	for _, side := range []string{"A", "B"} {
		b.device(fleet.DeviceSpec{ID: "ups-" + side, Kind: fleet.KindUPS, Feed: "utility"}, 1000)
		b.feed(side, "ups-"+side, 63, 400, 3)
	}
	r := b.rack("r01", 42)
	b.pdu("pa", r, "A", 32, 8)
	b.pdu("pb", r, "B", 32, 8)
	for _, a := range Asks(b.snapshot()) {
		if a.Scope != ScopeSite {
			continue
		}
		var of []string
		for _, q := range a.Queries {
			of = append(of, q.Target)
		}
		if strings.Join(of, " ") != "ups-A ups-B" {
			t.Errorf("the site is the sum of %v", of)
		}
		return
	}
	t.Error("the site is not asked for")
}

// TestForeseeRacksFromMemory: racks that nobody named last as their hours say,
// and a rack of which one PDU has none is not half a rack.
func TestForeseeRacksFromMemory(t *testing.T) {
	s := smallFleet(2).snapshot()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	var hours []fleet.Hour
	for h := range int64(20 * 24) {
		hours = append(hours, fleet.Hour{Class: fleet.PastPower, Hour: fleet.HourOf(now) - 20*24 + h, Value: 2000 + 2*float64(h)})
	}
	e := s.Devices.Edit()
	for _, id := range []string{"r01-pa", "r01-pb", "r02-pa"} {
		e.Get(id).Past = (*fleet.Past)(nil).With(hours)
	}
	s.Devices = e.Done()
	rows := Of(s)
	Foresee(rows, Asks(s), now, func(fleet.Query) ([]fleet.Point, bool) { return nil, false })
	x := row(t, rows, ScopeRack, "ams1/r01", Power) // 5,916 W at the end, 5,888 are its limit
	if !x.Foreseen() || x.At == nil || !x.P95.Known {
		t.Errorf("%+v", x)
	}
	if x = row(t, rows, ScopeRack, "ams1/r02", Power); x.Runway != "" || x.P95.Known {
		t.Errorf("of one PDU nothing is known: %+v", x)
	}
}
