package views

import (
	"strconv"

	"plumb/fleet"
	"plumb/views/widget"
)

// stops says whether the action takes what runs on the target away.
func (v Confirm) stops() bool {
	switch v.action {
	case fleet.ActPowerOff, fleet.ActSoftOff, fleet.ActPowerCycle, fleet.ActReset:
		return true
	}
	return false
}

// impact is a service with its replicas before and after.
type impact struct {
	id                   string
	before, after, floor int
}

// services lists what the action takes from each service.
func (v Confirm) services(f Frame) []impact {
	if !v.stops() {
		return nil
	}
	hit := map[int]bool{}
	for _, t := range v.targets {
		hit[f.Snap.Devices.Number(t)] = true
	}
	var out []impact
	for id, s := range f.Snap.Services.All() {
		lost := 0
		for _, n := range s.Instances {
			if i := f.Snap.Instances.At(n); hit[i.Device] && i.Device >= 0 && i.State != fleet.StateOff {
				lost++
			}
		}
		for _, n := range s.Devices {
			if hit[n] && f.Snap.Devices.At(n).Power != fleet.PowerOff {
				lost++
			}
		}
		if lost > 0 {
			out = append(out, impact{id, s.Replicas, max(0, s.Replicas-lost), s.Spec.Floor})
		}
	}
	return out
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
		return out
	}
	n := v.instances(f)
	switch {
	case !v.stops():
		add("blast", g.OK, "nothing that runs is touched", widget.Plain)
		return out
	case n == 0 && len(v.services(f)) == 0:
		add("blast", g.OK, "no instance and no service is known to run there", widget.Plain)
	default:
		add("blast", "", count(n, "instance")+" on "+count(len(v.targets), "host")+" stop", widget.Bold)
	}
	for _, s := range v.services(f) {
		glyph, st, text := g.OK, widget.Plain, "above floor "
		switch {
		case s.after < s.floor:
			glyph, st, text = g.Crit, widget.Crit, "BELOW floor "
		case s.after == s.floor:
			glyph, st, text = g.Warn, widget.Warn, "at floor "
		}
		add("", glyph, "service "+s.id+" "+strconv.Itoa(s.before)+" "+g.Into+" "+strconv.Itoa(s.after)+"  "+text+strconv.Itoa(s.floor), st)
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
