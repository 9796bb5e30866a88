package views

import (
	"math"
	"strings"

	"plumb/fleet"
	"plumb/views/widget"
)

// deviceCell draws one cell of a table of devices, by the column's title.
func deviceCell(f Frame, on widget.Canvas, n int, column string) {
	d, th := f.Snap.Devices.At(n), f.Theme
	switch column {
	case "":
		glyph, st := mark(th, d)
		on.Text(0, 0, glyph, st)
	case "device":
		st := widget.Plain
		if d.State == fleet.StateCrit {
			st = widget.Bold
		}
		on.Cut(th, 0, 0, on.W, d.Spec.Name, st)
	case "power":
		st, text := widget.Plain, d.Power.String()
		if d.Power == fleet.PowerOff {
			st = widget.Off
		}
		if d.Power == fleet.PowerUnknown && d.Spec.Kind != fleet.KindServer {
			st, text = widget.Dim, dash // nobody asked: it has no BMC
		}
		on.Cut(th, 0, 0, on.W, text, st)
	case "inlet":
		on.CutRight(th, 0, 0, on.W, quantity(th, d.InletC, "C"), tempStyle(d.InletC))
	case "watts":
		on.CutRight(th, 0, 0, on.W, watts(d.PowerW), widget.Plain)
	case "U":
		on.CutRight(th, 0, 0, on.W, unit(d.Spec.Unit), widget.Dim)
	case "seen":
		st := widget.Dim
		if d.Blind() || f.At.Sub(d.SeenAt) > StaleAfter(f.Snap) {
			st = widget.Unknown
		}
		on.CutRight(th, 0, 0, on.W, since(f, d.SeenAt), st)
	case "why":
		text, st := verdict(f, d)
		on.Cut(th, 0, 0, on.W, text, st)
	default:
		text, _ := deviceField(f, d, column)
		on.Cut(th, 0, 0, on.W, or(text), widget.Dim)
	}
}

// tempStyle marks an inlet above what ASHRAE's A1 class recommends (27 C) and
// allows (32 C).
func tempStyle(c fleet.Num) widget.Style {
	switch t := c.Float(); {
	case t > 32:
		return widget.Crit
	case t > 27:
		return widget.Warn
	case math.IsNaN(t):
		return widget.Dim
	}
	return widget.Plain
}

// deviceField is a device's text by the name that filters and columns use.
func deviceField(f Frame, d *fleet.Device, name string) (string, bool) {
	s := d.Spec
	switch name {
	case "device", "name", "id":
		return s.Name, true
	case "state":
		return d.State.String(), true
	case "kind":
		return string(s.Kind), true
	case "model":
		if s.Model == "" {
			return d.Facts.Get(fleet.FactModel), true
		}
		return s.Model, true
	case "rack":
		return s.Rack, true
	case "site":
		return s.Site, true
	case "region":
		return s.Region, true
	case "owner":
		return s.Owner, true
	case "tenant":
		return s.Tenant, true
	case "env":
		return s.Env, true
	case "serial":
		return serialOf(d), true
	case "firmware":
		return d.Facts.Get(fleet.FactFirmware), true
	case "power":
		return d.Power.String(), true
	case "why", "reason":
		text, _ := verdict(f, d)
		return text, true
	case "blind":
		if d.Blind() {
			return "yes", true
		}
		return "no", true
	case "vlan":
		return deviceVLANs(d), true
	}
	v, ok := s.Tags[name]
	return v, ok
}

func serialOf(d *fleet.Device) string {
	if s := d.Facts.Get(fleet.FactSerial); s != "" {
		return s
	}
	return d.Spec.Serial
}

func deviceVLANs(d *fleet.Device) string {
	var b strings.Builder
	for i := range d.VLANs {
		b.WriteString(number(fleet.Int(int64(d.VLANs[i].ID)), 0))
		b.WriteByte(' ')
	}
	return b.String()
}

// deviceRecord lets a filter ask a device.
type deviceRecord struct {
	f *Frame
	d *fleet.Device
}

func (r deviceRecord) field(name string) (string, bool) { return deviceField(*r.f, r.d, name) }

func (r deviceRecord) amount(name string) (float64, bool) {
	d := r.d
	switch name {
	case "age", "seen":
		return seconds(*r.f, d.SeenAt)
	case "blind":
		return seconds(*r.f, d.BlindSince)
	case "watts", "w":
		return d.PowerW.Float(), d.PowerW.Known
	case "inlet", "c":
		return d.InletC.Float(), d.InletC.Known
	case "unit", "u":
		return d.Spec.Unit.Num().Float(), true
	case "drift":
		return float64(d.DriftOpen), true
	case "vlan":
		return 0, false
	}
	return 0, false
}

func (r deviceRecord) word(w string) bool {
	s := r.d.Spec
	if holds(s.Name, w) || holds(s.Rack, w) || holds(s.Model, w) || holds(s.Owner, w) || holds(string(s.Kind), w) || holds(s.Serial, w) {
		return true
	}
	for _, x := range r.d.Reasons {
		if holds(x, w) {
			return true
		}
	}
	return holds(r.d.Facts.Get(fleet.FactModel), w) || holds(r.d.Facts.Get(fleet.FactSerial), w)
}
