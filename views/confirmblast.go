package views

import (
	"strconv"

	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/views/widget"
)

// confirmMemo keeps what the action takes for one snapshot.
type confirmMemo struct {
	snap *fleet.Snapshot
	hits []plan.Hit
}

// services lists what the action takes from each service.
func (v Confirm) services(f Frame) []plan.Hit {
	m := v.memo
	if m == nil {
		m = &confirmMemo{}
	}
	if m.snap != f.Snap {
		*m = confirmMemo{f.Snap, v.impact(f)}
	}
	return m.hits
}

func (v Confirm) impact(f Frame) []plan.Hit {
	steps := make([]plan.Step, len(v.targets))
	for i, t := range v.targets {
		steps[i] = plan.Step{Action: v.action, Target: t}
	}
	return plan.ImpactOn(graphOf(f), f.Snap, steps)
}

// instances counts what runs on the targets.
func (v Confirm) instances(f Frame) int {
	n := 0
	for _, i := range f.Snap.Instances.All() {
		for _, t := range v.targets {
			if i.Device >= 0 && i.Device == f.Snap.Devices.Number(t) {
				n++
			}
		}
	}
	return n
}

// blast says what hangs on the targets.
func (v Confirm) blast(f Frame) []line {
	var out []line
	hits := v.services(f)
	add := func(label, glyph, text string, st widget.Style) { out = append(out, line{label, glyph, text, st}) }
	g := f.Theme.Glyphs
	if isPortAction(v.action) {
		label := "blast"
		for _, t := range v.targets {
			d := f.Snap.Devices.Get(hostOf(t))
			if d == nil {
				continue
			}
			p, want := d.Port(afterSlash(t)), intended(f, d.Spec.ID)[afterSlash(t)]
			far := want.device
			if p != nil && p.Neighbor != "" {
				far = p.Neighbor
			}
			add(label, "", "at its far end: "+or(far), widget.Plain)
			label = ""
			if h := f.Snap.Devices.Get(hostOf(far)); h != nil && v.action == fleet.ActPortDown {
				left, of := linksLeft(f, h, t)
				st, glyph := widget.Plain, g.OK
				if left == 0 {
					st, glyph = widget.Crit, g.Crit
				}
				add("", glyph, strconv.Itoa(left)+" of "+strconv.Itoa(of)+" other links of "+h.Spec.Name+" are up", st)
			}
		}
		return append(out, losses(f, hits)...)
	}
	n := v.instances(f)
	switch {
	case !plan.Stops(v.action):
		add("blast", g.OK, "nothing that runs is touched", widget.Plain)
		return out
	case n == 0 && len(hits) == 0:
		add("blast", g.OK, "no instance and no service is known to run there", widget.Plain)
	case n == 0:
		add("blast", "", count(len(v.targets), "host")+" of "+count(len(hits), "service")+": what runs on the metal stops", widget.Bold)
	default:
		add("blast", "", count(n, "instance")+" on "+count(len(v.targets), "host")+" stop", widget.Bold)
	}
	return append(out, losses(f, hits)...)
}

// losses says how many replicas each service keeps.
func losses(f Frame, hits []plan.Hit) []line {
	var out []line
	g := f.Theme.Glyphs
	for _, h := range hits {
		glyph, st, text := g.OK, widget.Plain, "above floor "
		switch {
		case h.Below():
			glyph, st, text = g.Crit, widget.Crit, "BELOW floor "
		case h.AtFloor():
			glyph, st, text = g.Crit, widget.Crit, "at floor "
		}
		out = append(out, line{"", glyph, "service " + h.Service + " " + strconv.Itoa(h.Before) + " " + g.Into + " " + strconv.Itoa(h.After) + "  " + text + strconv.Itoa(h.Floor), st})
	}
	return out
}

// linksLeft counts a device's other intended links that are up.
func linksLeft(f Frame, d *fleet.Device, without string) (up, of int) {
	for _, c := range d.Spec.Links {
		if c.To == without {
			continue
		}
		of++
		if s := f.Snap.Devices.Get(hostOf(c.To)); s != nil {
			if p := s.Port(afterSlash(c.To)); p != nil && p.Up() {
				up++
			}
		}
	}
	return up, of
}
