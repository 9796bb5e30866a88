package trace

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumb/fleet"
)

// ids are the ids of what was lost, guests left out unless asked for.
func ids(list []Loss, kinds ...Kind) string {
	var out []string
	for _, l := range list {
		if len(kinds) == 0 && l.Kind != Instance || slices.Contains(kinds, l.Kind) {
			out = append(out, l.ID)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func parts(t testing.TB, g *Graph, s *fleet.Snapshot, list string) (out []Part) {
	t.Helper()
	for _, id := range strings.Fields(list) {
		p, ok := g.Find(s, id)
		if !ok || g.ID(s, p) != id {
			t.Fatalf("%s: found %v, %v", id, p, ok)
		}
		out = append(out, p)
	}
	return out
}

func TestBlast(t *testing.T) {
	off := func(outlet string) func(*fleet.Device) {
		return func(d *fleet.Device) {
			for i := range d.Outlets {
				if fmt.Sprintf("%s/%d", d.Spec.ID, d.Outlets[i].Index) == outlet {
					d.Outlets[i].State = "off"
				}
			}
		}
	}
	down := func(port string) func(*fleet.Device) {
		return func(d *fleet.Device) {
			for i := range d.Ports {
				if d.Spec.ID+"/"+d.Ports[i].Name == port {
					d.Ports[i].PortDef.Oper = "down"
				}
			}
		}
	}
	none := func(*fleet.Device) {}
	for _, c := range []struct {
		name, fail     string
		live           func(*fleet.Device)
		lost, degraded string
		match          string // replicas of match before > after
	}{
		{"nothing", "", none, "", "", ""},
		{"a supply of two", "r01-s01/psu1", none, "", "r01-s01", ""},
		{"the only supply", "r01-s04/psu1", none, "r01-s04", "", "4 > 3"},
		{"the outlet of the only supply", "r01-pa/4", none, "r01-s04", "", "4 > 3"},
		{"a PDU", "r01-pa", none, "r01-s04", "r01-s01 r01-s02 r01-s03 r01-swa r01-swb sp1 sp2", "4 > 3"},
		{"a PDU whose partner's outlet is off", "r01-pa", off("r01-pb/1"), "r01-s01 r01-s04", "r01-s02 r01-s03 r01-swa r01-swb sp1 sp2", "4 > 2"},
		{"a feed", "A", none, "r01-pa r01-s04", "r01-s01 r01-s02 r01-s03 r01-swa r01-swb sp1 sp2", "4 > 3"},
		{"a UPS", "ups-a", none, "A r01-pa r01-s04", "r01-s01 r01-s02 r01-s03 r01-swa r01-swb sp1 sp2", "4 > 3"},
		{"the utility", "grid", none, "A B r01-pa r01-pb r01-s01 r01-s02 r01-s03 r01-s04 r01-swa r01-swb sp1 sp2 ups-a ups-b", "", "4 > 0"},
		{"both feeds", "A B", none, "r01-pa r01-pb r01-s01 r01-s02 r01-s03 r01-s04 r01-swa r01-swb sp1 sp2", "", "4 > 0"},
		{"a switch", "r01-swa", none, "r01-s03", "r01-s01 r01-s02 r01-s04", "4 > 3"},
		{"a switch whose partner's port is dark", "r01-swa", down("r01-swb/E1"), "r01-s01 r01-s03", "r01-s02 r01-s04", "4 > 2"},
		{"a server's port", "r01-swa/E3", none, "r01-s03", "", "4 > 3"},
		{"a NIC", "r01-s01/eth2", none, "", "r01-s01", ""},
		{"a cable that is dark already", "r01-swb/E1", down("r01-swb/E1"), "", "", ""},
		{"a BMC's port", "r01-swa/M1", none, "", "", ""},
		{"a spine", "sp1", none, "", "r01-swa r01-swb", ""},
		{"both spines", "sp1 sp2", none, "r01-s01 r01-s02 r01-s03 r01-s04 r01-swa r01-swb", "", "4 > 0"},
		{"an uplink of the last spine", "sp2 r01-swa/E49", none, "r01-s03 r01-swa", "r01-s01 r01-s02 r01-s04 r01-swb", "4 > 3"},
		{"a server", "r01-s01", none, "", "", "4 > 3"},
		{"an instance", "vm-1-1", none, "", "", "4 > 3"},
		{"a rack", "ams1/r01", none, "r01-pa r01-pb r01-s01 r01-s02 r01-s03 r01-s04 r01-swa r01-swb sp1 sp2", "", "4 > 0"},
		{"a feed and a switch", "B r01-swb", none, "r01-pb", "r01-s01 r01-s02 r01-s03 r01-swa sp1 sp2 r01-s01 r01-s02 r01-s04", "4 > 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := hall(1).snap(c.live)
			g := Build(s)
			b := g.Blast(s, parts(t, g, s, c.fail)...)
			want := strings.Fields(c.degraded)
			slices.Sort(want)
			if ids(b.Lost) != c.lost || ids(b.Degraded) != strings.Join(want, " ") {
				t.Errorf("lost %q\nwant %q\ndegraded %q\nwant     %q", ids(b.Lost), c.lost, ids(b.Degraded), strings.Join(want, " "))
			}
			got := ""
			for _, h := range b.Services {
				got += fmt.Sprintf("%d > %d", h.Before, h.After)
			}
			if c.match == "4 > 4" {
				c.match = ""
			}
			if got != c.match {
				t.Errorf("match %q, want %q", got, c.match)
			}
		})
	}
}

func TestBlastOfTheDeadIsNothing(t *testing.T) {
	s := hall(1).snap(func(d *fleet.Device) {
		if d.Spec.ID == "r01-pa" {
			d.State, d.About, d.Reasons = fleet.StateCrit, []string{"power", "sight"}, []string{"no output", "not seen"}
		}
	})
	g := Build(s)
	if b := g.Blast(s, parts(t, g, s, "A")...); len(b.Lost) != 0 {
		t.Errorf("feed A carries nothing any more, and its loss takes %s", ids(b.Lost))
	}
	if b := g.Blast(s, parts(t, g, s, "B")...); ids(b.Lost) != "r01-pb r01-s01 r01-s02 r01-s03 r01-swa r01-swb sp1 sp2" {
		t.Errorf("all that lives hangs on B: %s", ids(b.Lost))
	}
}

func TestBlastBlindsWhatGoesOn(t *testing.T) {
	s := hall(1).snap()
	g := Build(s)
	b := g.Blast(s, parts(t, g, s, "r01-swa/M1")...)
	if len(b.Unseen) != 1 || b.Unseen[0].ID != "r01-s01" {
		t.Errorf("%+v", b.Unseen)
	}
}

func TestBlastMovesPower(t *testing.T) {
	// SEMANTICS 6: two 30 A 208 V feeds; what is on A moves to B, up to 80 % of its breaker.
	h := hall(1)
	s := h.snap(only("r01-pb", func(d *fleet.Device) { d.PowerW = fleet.Int(800) }))
	g := Build(s)
	b := g.Blast(s, parts(t, g, s, "A")...)
	if want := []Shift{{"r01-pb", fleet.Int(800), fleet.Int(800 + 700)}}; !slices.Equal(b.PDUs, want) {
		t.Errorf("PDUs: %+v, want %+v", b.PDUs, want)
	}
	got := map[string]Moved{}
	for _, m := range b.Power {
		got[m.Feed] = m
	}
	// Seven of the eight things on A have a cord on B and take 100 W a cord.
	if m := got["B"]; m.AfterW != fleet.Int(1000+700) || m.LimitW != fleet.Int(4992) || m.Over {
		t.Errorf("B: %+v", m)
	}
	if m := got["A"]; m.AfterW != fleet.Int(0) {
		t.Errorf("A: %+v", m)
	}
	if m := got["grid"]; m.AfterW != fleet.Int(1000-100) {
		t.Errorf("grid loses what s04 drew: %+v", m)
	}
}

// TestTheLastOfSeveralIsNotTheOnlyOne: a machine that lost one cord and one cable
// before is told from one that never had two.
func TestTheLastOfSeveralIsNotTheOnlyOne(t *testing.T) {
	s := hall(1).snap(losePDU("r01", "b"), only("r01-swb", func(d *fleet.Device) {
		for i := range d.Ports {
			d.Ports[i].Oper = "down"
		}
	}))
	g := Build(s)
	for failed, want := range map[string]string{"r01-pa": "no power: the last of its cords is dead", "r01-swa/E1": "cut off: the last of its cables is dead"} {
		why := ""
		for _, l := range g.Blast(s, parts(t, g, s, failed)...).Lost {
			if l.ID == "r01-s01" {
				why = l.Why
			}
		}
		if why != want {
			t.Errorf("without %s: %q, want %q", failed, why, want)
		}
	}
}

func TestAnAggregateFailsWithItsMembers(t *testing.T) {
	h := hall(1)
	s := h.snap(func(d *fleet.Device) {
		if d.Spec.ID == "r01-swa" {
			for i := range d.Ports {
				if strings.HasPrefix(d.Ports[i].Name, "E4") || d.Ports[i].Name == "E50" {
					d.Ports[i].PortDef.LAG = "Po1"
				}
			}
			d.Ports = append(d.Ports, fleet.Port{PortDef: &fleet.PortDef{Name: "Po1", Oper: "up"}})
		}
	})
	g := Build(s)
	if b := g.Blast(s, parts(t, g, s, "r01-swa/Po1")...); !strings.Contains(ids(b.Lost), "r01-swa") {
		t.Errorf("lost %q", ids(b.Lost))
	}
}

func TestRegionTakesGuestsOfUnknownPlace(t *testing.T) {
	h := hall(1)
	h.guests = append(h.guests, fleet.InstanceState{Instance: fleet.Instance{ID: "far", Cloud: "os-ams", State: fleet.StateOK}, Device: -1})
	s := h.snap()
	g := Build(s)
	if b := g.Blast(s, parts(t, g, s, "ams")...); !strings.Contains(ids(b.Lost, Instance), "far") {
		t.Errorf("lost %q", ids(b.Lost, Instance))
	}
}

// TestRandomHouses holds what must be so of every fleet: a failure of nothing
// changes nothing, more failures lose no less, and a cord or a cable more
// loses no more.
func TestRandomHouses(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 7))
		h := randomHouse(r)
		s := h.snap()
		g := Build(s)
		if b := g.Blast(s); len(b.Lost)+len(b.Degraded)+len(b.Unseen)+len(b.Services)+len(b.Power) != 0 {
			t.Fatalf("seed %d: nothing failed: %+v", seed, b)
		}
		var fail []Part
		for range 1 + r.IntN(3) {
			fail = append(fail, g.deviceAt(s, r.IntN(s.Devices.Len())))
		}
		one, all := g.Blast(s, fail[0]), g.Blast(s, fail...)
		for _, l := range one.Lost {
			if !slices.Contains(strings.Fields(ids(all.Lost, l.Kind)), l.ID) && !slices.Contains(all.Failed, l.ID) {
				t.Fatalf("seed %d: %s is lost with %v and not with %v", seed, l.ID, one.Failed, all.Failed)
			}
		}
		was := dead2(g, s, fail)
		h.add(r)
		s2 := h.snap()
		g2 := Build(s2)
		for n := range dead2(g2, s2, fail) {
			if !was[n] {
				t.Fatalf("seed %d: %s fails with %v only since it has more cords or cables", seed, s2.Devices.ID(n), all.Failed)
			}
		}
	}
}

// dead2 are the devices that do not run or are not reached after a failure.
func dead2(g *Graph, s *fleet.Snapshot, fail []Part) map[int]bool {
	w, out := g.world(s, newInquiry(g, s, s.At), fail), map[int]bool{}
	for n := range g.devices {
		net := carries(s.Devices.At(n).Spec.Kind)
		w.walk()
		if !w.powered(n) || net && !w.linked[n] || !net && len(g.devices[n].cables) > 0 && w.paths(n) == 0 {
			out[n] = true
		}
	}
	return out
}

func randomHouse(r *rand.Rand) *house {
	h := &house{}
	h.place("ams")
	h.feed("ams1", "A", "")
	h.feed("ams1", "B", "")
	for k := range 4 {
		h.device(fmt.Sprintf("p%d", k), fleet.KindPDU, "ams1/r1", []string{"A", "B"}[r.IntN(2)], nil, nil)
	}
	h.device("top", fleet.KindRouter, "ams1/r1", "", nil, nil)
	for k := range 5 {
		up := []string{"up0=top/x" + fmt.Sprint(k)}
		if k > 0 {
			up = []string{fmt.Sprintf("up0=w%d/y%d", r.IntN(k), k)}
		}
		h.device(fmt.Sprintf("w%d", k), fleet.KindSwitch, "ams1/r1", "", up, []string{fmt.Sprintf("p%d/%d", r.IntN(4), 20+k)})
	}
	for k := range 12 {
		h.device(fmt.Sprintf("s%d", k), fleet.KindServer, "ams1/r1", "", []string{fmt.Sprintf("w%d/e%d", r.IntN(5), k)}, []string{fmt.Sprintf("p%d/%d", r.IntN(4), k+1)})
		h.guest(fmt.Sprintf("vm%d", k), fmt.Sprintf("s%d", k), "match")
	}
	h.service("match", 6)
	return h
}

// add plugs a cord and a cable more into random devices.
func (h *house) add(r *rand.Rand) {
	for k := range 6 {
		d := &h.devices[5+r.IntN(len(h.devices)-5)]
		d.Spec.Power = append(d.Spec.Power, fleet.PowerCord{PSU: 9 + k, Outlet: fmt.Sprintf("p%d/%d", r.IntN(4), 40+k)})
		to := fmt.Sprintf("w%d/z%d", r.IntN(5), k)
		if name, _, _ := strings.Cut(to, "/"); name != d.Spec.ID {
			d.Spec.Links = append(d.Spec.Links, fleet.Cable{NIC: fmt.Sprintf("n%d", k), To: to})
		}
	}
}
