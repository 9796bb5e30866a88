package views

import "plumb/fleet"

// likeness is what of a target matters for the question whether to act on it.
// Every poll makes a new snapshot; only when one of these differs has the
// question itself changed.
type likeness struct {
	state       fleet.State
	power       fleet.Power
	blind       bool
	serial      string
	oper, admin string // of a port
}

func likenessOf(f Frame, target string) likeness {
	d := f.Snap.Devices.Get(hostOf(target))
	if d == nil {
		return likeness{}
	}
	l := likeness{state: d.State, power: d.Power, blind: d.Blind(), serial: serialOf(d)}
	if p := d.Port(afterSlash(target)); p != nil {
		l.oper, l.admin = p.Oper, p.Admin
	}
	return l
}

// since returns the question as it stands on a frame, to tell later what has
// changed under it.
func (v Confirm) since(f Frame) Confirm {
	v.was = make([]likeness, len(v.targets))
	for i, t := range v.targets {
		v.was[i] = likenessOf(f, t)
	}
	return v
}

// changes says what of the targets is no longer as it was when the screen was
// opened. Another serial is another machine: that refuses.
func (v Confirm) changes(f Frame) []guard {
	var out []guard
	for i, was := range v.was {
		t, now := v.targets[i], likenessOf(f, v.targets[i])
		add := func(st fleet.State, what, before, after string) {
			if before != after {
				out = append(out, guard{st, t + ": " + what + " was " + or(before) + " when this was asked, now " + or(after)})
			}
		}
		if was.serial != "" {
			add(fleet.StateCrit, "serial", was.serial, now.serial)
		}
		add(fleet.StateWarn, "power", was.power.String(), now.power.String())
		add(fleet.StateWarn, "state", was.state.String(), now.state.String())
		add(fleet.StateWarn, "port", was.oper, now.oper)
		add(fleet.StateWarn, "admin", was.admin, now.admin)
		if was.blind && !now.blind {
			out = append(out, guard{fleet.StateOK, t + " answers again"})
		}
	}
	return out
}
