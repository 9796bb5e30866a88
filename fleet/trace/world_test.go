package trace

import (
	"slices"
	"testing"
	"time"

	"plumb/fleet"
)

// TestWhatIsShownDeadIsNoRedundancy: nobody has ever heard the PDUs of feed A,
// and the supplies on them have no input. Switches say nothing of their
// supplies; they live on B alone all the same.
func TestWhatIsShownDeadIsNoRedundancy(t *testing.T) {
	never := func(d *fleet.Device) {
		d.SeenAt, d.State = time.Time{}, fleet.StateUnknown
		say(d, fleet.StateUnknown, "sight", "never seen: unreachable")
	}
	h := hall(3)
	h.feeds[1].State = fleet.StateUnknown
	s := h.snap(func(d *fleet.Device) {
		switch id := d.Spec.ID; {
		case d.Spec.Feed == "A":
			never(d)
		case d.Spec.Kind == fleet.KindServer:
			starve(d, id[:3]+"-pa")
		}
	})
	g := Build(s)
	if got := g.Now(s).Ways(parts(t, g, s, "r01-swb")[0]); len(got) == 0 || got[0] != (Ways{"cord", 1, 2}) {
		t.Errorf("the ways of a switch are %+v, want one of two cords", got)
	}
	if b := g.Blast(s, parts(t, g, s, "A")...); !slices.Equal(b.Already, []string{"A"}) || len(b.Lost) > 0 {
		t.Errorf("A is dead as it is: %+v", b)
	}
	lost := ids(g.Blast(s, parts(t, g, s, "B")...).Lost, Switch)
	if lost != "r01-swa r01-swb r02-swa r02-swb r03-swa r03-swb sp1 sp2" {
		t.Errorf("without B as well these switches are lost: %q", lost)
	}
}
