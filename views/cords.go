package views

import (
	"fmt"

	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/views/widget"
)

// fedText is what hangs on an outlet, as people call it: "fra1-r03-s03 PSU 2";
// "": nothing that is known, or it is no outlet.
func fedText(f Frame, outlet string) string {
	if far, ok := f.Snap.Corded[outlet]; ok && far.Device >= 0 {
		return f.Snap.Devices.At(far.Device).Spec.ID + " " + far.Part
	}
	return ""
}

// cordLine says what an outlet feeds and what is left without it: of two cords
// that look alike one may be all that a server lives by.
func cordLine(f Frame, outlet string) line {
	g := f.Theme.Glyphs
	c, ok := plan.CordOf(f.Snap, outlet)
	if !ok {
		return line{"", g.Unknown, "what hangs on it is not known", widget.Unknown}
	}
	text := fmt.Sprintf("feeds %s PSU %d", c.Device.Spec.ID, c.PSU)
	switch dead := c.State == fleet.StateCrit; {
	case c.Holds == "":
		return line{"", g.Crit, text + ", its only cord", widget.Crit}
	case c.Last():
		return line{"", g.Crit, text + ", its LAST LIVE CORD: " + c.Holds + " is down", widget.Crit}
	case dead && c.Best == fleet.StateCrit:
		return line{"", g.Crit, text + "; none of its cords is live", widget.Crit}
	case c.Best == fleet.StateUnknown:
		return line{"", g.Unknown, text + "; whether " + c.Holds + " holds is not known", widget.Unknown}
	case dead:
		return line{"", g.Warn, text + ", which is down; it runs on " + c.Holds, widget.Warn}
	}
	return line{"", g.OK, text + "; it runs on " + c.Holds + " too", widget.OK}
}

// lastCord marks the row of an outlet that a device lives by alone; "": it does
// not.
func lastCord(f Frame, outlet string) string {
	c, ok := plan.CordOf(f.Snap, outlet)
	switch {
	case !ok || !c.Last():
		return ""
	case c.Holds == "":
		return "  only cord"
	}
	return "  LAST LIVE CORD"
}

// keepsAll reports whether a plan found that what each of its outlets feeds keeps
// running without it.
func keepsAll(p *fleet.Plan) bool {
	n := 0
	for i := range p.Guards {
		if isPartner(&p.Guards[i], p) {
			n++
		}
	}
	return n > 0 && n == len(p.Targets)
}

// isPartner reports whether a guard says that what hangs on an outlet keeps
// running without it.
func isPartner(g *fleet.Guard, p *fleet.Plan) bool {
	spec := p.Action.Spec()
	return g.ID == "partner" && g.Verdict == fleet.VerdictOK && spec != nil && spec.On == fleet.OnOutlet
}
