package capacity

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"plumb/fleet"
)

// twoFeeds is the vector of the specification: two feeds of 30 A and 208 V that
// carry 13 A and 14 A for machines on both.
func twoFeeds() *site {
	b := &site{}
	b.feed("A", "", 30, 208, 1)
	b.feed("B", "", 30, 208, 1)
	r := b.rack("r01", 42)
	b.pdu("pa", r, "A", 30, 24)
	b.pdu("pb", r, "B", 30, 24)
	b.server("s1", r, 1, 0, "pa/1", "pb/1")
	b.draw("pa/1", 13*208)
	b.draw("pb/1", 14*208)
	return b
}

func TestFailoverVector(t *testing.T) {
	rows := Of(twoFeeds().snapshot())
	for _, c := range []struct {
		scope Scope
		id    string
	}{{ScopeFeed, "A"}, {ScopeFeed, "B"}, {ScopeRack, "ams1/r01"}, {ScopeSite, "ams1"}, {ScopeRegion, "ams"}} {
		x := row(t, rows, c.scope, c.id, Failover)
		if x.Used != fleet.Int(5616) || x.Total != fleet.Int(4992) || x.Free != fleet.Int(-624) || !x.Over || !strings.Contains(x.Worst, "over by 624 W") {
			t.Errorf("%s %s: %+v", c.scope, c.id, x)
		}
	}
	if x := row(t, rows, ScopeFeed, "B", Power); x.Used != fleet.Int(2912) || x.Over {
		t.Errorf("B alone is well below its limit: %+v", x)
	}
}

func TestLimits(t *testing.T) {
	three := &fleet.FeedSpec{BreakerA: fleet.Int(125), Volts: 400, Phases: 3}
	if w := FeedLimitW(three); math.Abs(w-69282) > 1 { // 125 * 400 * 1.732 * 0.8
		t.Errorf("three phases carry %g", w)
	}
	for _, f := range []*fleet.FeedSpec{{Volts: 230}, {BreakerA: fleet.Int(32)}} {
		if w := FeedLimitW(f); !math.IsNaN(w) {
			t.Errorf("%+v carries %g", f, w)
		}
	}
	b := &site{}
	b.feed("A", "", 125, 400, 3)
	r := b.rack("r01", 42)
	b.pdu("pa", r, "A", 32, 1)
	s := b.snapshot()
	d := s.Devices.Get("pa")
	if w := PDULimitW(s, d); math.Abs(w-17736) > 1 {
		t.Errorf("a PDU that says nothing of phases is like its feed: %g", w)
	}
	phase := func(n int) fleet.Sensor {
		return fleet.Sensor{SensorDef: &fleet.SensorDef{Key: fmt.Sprintf("rPDU2PhaseStatus:phase %d current", n), Class: fleet.ClassCurrent}}
	}
	d.Sensors = []fleet.Sensor{phase(1)}
	if w := PDULimitW(s, d); math.Abs(w-5912) > 1 { // 32 * 400/1.732 * 0.8
		t.Errorf("a PDU of one phase: %g", w)
	}
	d.Sensors = append(d.Sensors, phase(2), phase(3))
	if w := PDULimitW(s, d); math.Abs(w-17736) > 1 {
		t.Errorf("a PDU of three: %g", w)
	}
}

// TestSingleCords: machines on one cord, and on two cords below one parent, are
// not redundant above it, and are told by name.
func TestSingleCords(t *testing.T) {
	b := &site{}
	b.feed("A", "", 32, 230, 1)
	b.feed("B", "", 32, 230, 1)
	r := b.rack("r01", 42)
	b.pdu("pa", r, "A", 16, 8)
	b.pdu("pa2", r, "A", 16, 8)
	b.pdu("pb", r, "B", 16, 8)
	b.server("lone", r, 1, 150, "pa/1")
	b.server("same", r, 2, 200, "pa/2", "pa2/2")
	b.server("good", r, 3, 300, "pa/3", "pb/3")
	rows := Of(b.snapshot())
	a := row(t, rows, ScopeFeed, "A", Failover)
	if !strings.Contains(a.Worst, "2 on it alone: same (200 W), lone (150 W)") {
		t.Errorf("feed A: %q", a.Worst)
	}
	// B takes what good moves, and nothing of those that die.
	if x := row(t, rows, ScopeFeed, "B", Failover); x.Used != fleet.Int(300) || x.Binds != "A" {
		t.Errorf("feed B: %+v", x)
	}
	// B fails: pa carries lone, half of same and all of good.
	if x := row(t, rows, ScopeRack, "ams1/r01", Failover); !strings.Contains(x.Worst, "1 on one cord: lone (150 W)") || x.Used != fleet.Int(550) || x.Binds != "B" {
		t.Errorf("rack: %+v", x)
	}
}

// TestCommonParent: what is above both cords carries the same when one fails,
// and everything hangs on it.
func TestCommonParent(t *testing.T) {
	b := twoFeeds()
	b.feed("utility", "", 60, 208, 1)
	b.feeds[0].Parent, b.feeds[1].Parent = "utility", "utility"
	x := row(t, Of(b.snapshot()), ScopeFeed, "utility", Failover)
	if x.Used.Known || !strings.HasPrefix(x.Worst, "single: all cords of 1 machine") || !strings.Contains(x.Worst, "5,616 W") {
		t.Errorf("%+v", x)
	}
	if x = row(t, Of(b.snapshot()), ScopeFeed, "utility", Power); x.Used != fleet.Int(5616) {
		t.Errorf("utility carries %+v", x)
	}
}

// TestDarkFeed: what already moved does not move again, and nothing fails over
// to what is dead.
func TestDarkFeed(t *testing.T) {
	b := twoFeeds()
	s := b.snapshot()
	e := s.Feeds.Edit()
	e.Get("A").State = fleet.StateCrit
	s.Feeds = e.Done()
	rows := Of(s)
	if x := row(t, rows, ScopeFeed, "A", Power); x.Used != fleet.Int(0) {
		t.Errorf("A is dead: %+v", x)
	}
	if x := row(t, rows, ScopeFeed, "A", Failover); !x.Over || !strings.Contains(x.Worst, "gives nothing now") {
		t.Errorf("A is dead: %+v", x)
	}
	if x := row(t, rows, ScopeFeed, "B", Failover); x.Used.Known || !strings.HasPrefix(x.Worst, "single: ") {
		t.Errorf("B has nothing left to take: %+v", x)
	}
	if q := PlaceIn(s, Request{Servers: 1, HeightU: 2, Watts: 100, KeepAB: true}); q.Short != 1 || !strings.Contains(q.Refused[0].Why, "gives nothing now") {
		t.Errorf("placed on a dead feed: %+v", q)
	}
}

// TestPhases: a feed may be half empty and one of its phases too full for what
// comes.
func TestPhases(t *testing.T) {
	b := &site{}
	for _, f := range []string{"A", "B"} {
		ups := b.device(fleet.DeviceSpec{ID: "ups-" + f, Kind: fleet.KindUPS}, 9000)
		for n, w := range []int64{6000, 2000, 1000} {
			ups.Sensors = append(ups.Sensors, fleet.Sensor{SensorDef: &fleet.SensorDef{Name: fmt.Sprintf("phase %d output power", n+1), Class: fleet.ClassPower, Unit: "W"}, Value: fleet.Int(w)})
		}
		b.feed(f, "ups-"+f, 50, 400, 3) // 27,713 W, 9,238 a phase
	}
	r := b.rack("r01", 42)
	b.pdu("pa", r, "A", 60, 24)
	b.pdu("pb", r, "B", 60, 24)
	b.server("s1", r, 1, 18000, "pa/1", "pb/1")
	x := row(t, Of(b.snapshot()), ScopeFeed, "B", Failover)
	if x.Used != fleet.Int(18000) || !x.Over || !strings.Contains(x.Worst, "phase 1 is over by 2,762 W") {
		t.Errorf("%+v", x)
	}
}

// TestWattsAddUp: whatever hangs where, the racks' watts are the site's and the
// region's, the PDUs' the feeds', and no failure makes or loses a watt.
func TestWattsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &site{}
		b.feed("utility", "", 400, 400, 3)
		b.feed("A", "utility", 125, 400, 3)
		b.feed("B", "utility", 125, 400, 3)
		total := 0
		for r := range rapid.IntRange(1, 4).Draw(t, "racks") {
			id := b.rack(fmt.Sprintf("r%02d", r), 42)
			b.pdu(fmt.Sprintf("pa%d", r), id, "A", 32, 12)
			b.pdu(fmt.Sprintf("pb%d", r), id, "B", 32, 12)
			for n := range rapid.IntRange(0, 10).Draw(t, "servers") {
				w := rapid.IntRange(0, 400).Draw(t, "watts") * 2
				cords := []string{fmt.Sprintf("pa%d/%d", r, n+1), fmt.Sprintf("pb%d/%d", r, n+1)}
				b.server(fmt.Sprintf("s%d-%d", r, n), id, n+1, float64(w), cords[:rapid.IntRange(1, 2).Draw(t, "cords")]...)
				total += w
			}
		}
		s := b.snapshot()
		sums := map[Scope]float64{}
		for _, x := range Of(s) {
			if x.Resource == Power && x.Used.Known && x.ID != "utility" {
				sums[x.Scope] += x.Used.Float()
			}
		}
		for _, scope := range []Scope{ScopeRegion, ScopeSite, ScopeRack, ScopeFeed} {
			if sums[scope] != float64(total) {
				t.Fatalf("%ss carry %g of %d", scope, sums[scope], total)
			}
		}
		tree := growTree(s)
		m := &moved{extra: make([]float64, len(tree.nodes))}
		for f := range tree.nodes {
			tree.fail(f, m)
			net, up := 0.0, tree.index["utility"]
			for i := range tree.nodes {
				if tree.nodes[i].pdu {
					net += m.extra[i]
				}
			}
			if math.Abs(net+m.dies) > 1e-6 || f != up && math.Abs(m.extra[up]+m.dies) > 1e-6 {
				t.Fatalf("%s fails: %g more on the PDUs, %g on the utility, %g die", tree.nodes[f].id, net, m.extra[up], m.dies)
			}
		}
	})
}
