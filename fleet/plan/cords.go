package plan

import (
	"fmt"
	"strings"

	"plumb/fleet"
)

// Cord is what an outlet feeds, and how well the best of the device's other
// cords is: whoever switches the outlet should know what is left then.
type Cord struct {
	Device *fleet.Device
	PSU    int
	State  fleet.State // of the cord itself
	Others int         // how many other cords the device has
	Best   fleet.State // of the best of them
	Holds  string      // that one, in words: "PSU 2 (fra1-B)"; "": there is none
}

// CordOf is what the inventory says hangs on an outlet, as it is now; false:
// nothing does.
func CordOf(s *fleet.Snapshot, outlet string) (Cord, bool) {
	far, ok := s.Corded[outlet]
	if !ok || far.Device < 0 {
		return Cord{}, false
	}
	d := s.Devices.At(far.Device)
	c := Cord{Device: d, Others: len(d.Spec.Power) - 1}
	for _, p := range d.Spec.Power {
		if p.Outlet == outlet {
			c.PSU, c.State = p.PSU, cordState(s, nil, d, p)
		}
	}
	best, state := bestCord(s, nil, d, outlet)
	if c.Best = state; best != nil {
		c.Holds = fmt.Sprintf("PSU %d", best.PSU) + feedText(s, best.Outlet)
	}
	return c, true
}

// Last reports whether the device has no other cord that is known to live, and
// lives by this one.
func (c Cord) Last() bool {
	return c.State != fleet.StateCrit && (c.Holds == "" || c.Best == fleet.StateCrit)
}

// bestCord is the cord of a device that is well more than all others but the one
// in an outlet; nil: it has no other. going are outlets that are being taken.
func bestCord(s *fleet.Snapshot, going map[string]bool, d *fleet.Device, without string) (best *fleet.PowerCord, state fleet.State) {
	state = fleet.StateCrit
	for i := range d.Spec.Power {
		c := &d.Spec.Power[i]
		if c.Outlet == without {
			continue
		}
		if is := cordState(s, going, d, *c); best == nil || better(is, state) {
			best, state = c, is
		}
	}
	return best, state
}

// cordState is the state of a cord: what the supply at its end says, else what
// its outlet does. One that is on its way out is none.
func cordState(s *fleet.Snapshot, going map[string]bool, d *fleet.Device, c fleet.PowerCord) fleet.State {
	if going[c.Outlet] {
		return fleet.StateCrit
	}
	for i := range d.Sensors {
		if x := &d.Sensors[i]; x.Supply() == c.PSU && x.State != fleet.StateUnknown && !d.Blind() {
			return x.State
		}
	}
	t, err := find(s, fleet.ActOutletOff.Spec(), nil, c.Outlet)
	switch {
	case err != nil || !t.device.BlindSince.IsZero():
		return fleet.StateUnknown
	case t.outlet.State == "on":
		return fleet.StateOK
	case t.outlet.State == "off":
		return fleet.StateCrit
	}
	return fleet.StateUnknown
}

// feedText is the feed behind an outlet as an aside: " (fra1-A)".
func feedText(s *fleet.Snapshot, outlet string) string {
	pdu, _, _ := strings.Cut(outlet, "/")
	if d := s.Devices.Get(pdu); d != nil && d.Spec.Feed != "" {
		return " (" + d.Spec.Feed + ")"
	}
	return ""
}
