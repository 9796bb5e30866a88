package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/views/widget"
)

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
	if spec := v.action.Spec(); spec != nil && spec.On == fleet.OnPort {
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
		return append(out, v.losses(f)...)
	}
	n := v.instances(f)
	if spec := v.action.Spec(); spec != nil && spec.On != fleet.OnServer && spec.Takes {
		out = append(out, v.hanging(f, spec.On)...)
		return append(out, v.losses(f)...)
	}
	switch {
	case !takes(v.action):
		add("blast", g.OK, "nothing that runs is touched", widget.Plain)
		for _, t := range v.targets[:min(len(v.targets), maxTargetLines)] {
			if fed := fedText(f, t); fed != "" {
				add("", "", t+" feeds "+fed, widget.Plain)
			}
		}
		return out
	case n == 0 && len(v.plan(f).Services) == 0:
		add("blast", g.OK, "no instance and no service is known to run there", widget.Plain)
	case n == 0:
		add("blast", "", fleet.Count(len(v.targets), "host")+" of "+fleet.Count(len(v.plan(f).Services), "service")+": what runs on the metal stops", widget.Bold)
	default:
		add("blast", "", fleet.Count(n, "instance")+" on "+fleet.Count(len(v.targets), "host")+" stop", widget.Bold)
	}
	return append(out, v.losses(f)...)
}

// hanging says what hangs on outlets, or what instances are for.
func (v Confirm) hanging(f Frame, on fleet.TargetKind) []line {
	var out []line
	for _, t := range v.targets[:min(len(v.targets), maxTargetLines)] {
		if on == fleet.OnOutlet {
			out = append(out, v.fed(f, t)...)
		} else if x := f.Snap.Instances.Get(t); x != nil {
			text := x.Name + " stops"
			if x.Service != "" {
				text += ": a replica of " + x.Service
			}
			out = append(out, line{"", "", text, widget.Plain})
		}
	}
	if len(out) > 0 {
		out[0].label = "blast"
	}
	return out
}

// fed says what an outlet feeds, and on what that keeps running where the plan
// found that it does; of one of many only that it does.
func (v Confirm) fed(f Frame, outlet string) []line {
	text := outlet + ": what hangs on it is not known"
	if fed := fedText(f, outlet); fed != "" {
		text = outlet + " feeds " + fed
	}
	p := v.plan(f)
	for i := range p.Guards {
		g := &p.Guards[i]
		switch {
		case g.Target != outlet || !isPartner(g, p):
		case len(v.targets) > 1:
			return []line{{"", f.Theme.Glyphs.OK, text + "; it keeps running", widget.OK}}
		default:
			return []line{{"", "", text, widget.Plain}, {"", f.Theme.Glyphs.OK, g.Text, widget.OK}}
		}
	}
	return []line{{"", "", text, widget.Plain}}
}

func takes(k fleet.ActionKind) bool {
	spec := k.Spec()
	return spec != nil && spec.Takes
}

// losses says what else dies or loses its redundancy, and how many replicas
// each service keeps.
func (v Confirm) losses(f Frame) []line {
	var out []line
	g, p := f.Theme.Glyphs, v.plan(f)
	var lost []string
	for _, id := range p.Lost {
		if f.Snap.Instances.Get(id) == nil { // they are counted
			lost = append(lost, id)
		}
	}
	if n := len(lost); n > 0 {
		out = append(out, line{"", g.Crit, fleet.Count(n, "more part") + " would be lost: " + named(lost), widget.Crit})
	}
	if n := len(p.Weaker); n > 0 {
		out = append(out, line{"", g.Warn, fleet.Count(n, "part") + " would lose redundancy: " + named(p.Weaker), widget.Warn})
	}
	for _, h := range v.plan(f).Services {
		glyph, st, text := g.OK, widget.Plain, "above floor "
		switch {
		case h.Floor > 0 && h.After < h.Floor:
			glyph, st, text = g.Crit, widget.Crit, "BELOW floor "
		case h.Floor > 0 && h.After == h.Floor:
			glyph, st, text = g.Warn, widget.Warn, "at floor "
		}
		out = append(out, line{"", glyph, "service " + h.Service + " " + strconv.Itoa(h.Before) + " " + g.Into + " " + strconv.Itoa(h.After) + "  " + text + strconv.Itoa(h.Floor), st})
	}
	return out
}

// named lists the first few of many.
func named(ids []string) string {
	const most = 4
	if len(ids) > most {
		return strings.Join(ids[:most], " ") + " and " + strconv.Itoa(len(ids)-most) + " more"
	}
	return strings.Join(ids, " ")
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
