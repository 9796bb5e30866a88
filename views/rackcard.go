package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views/widget"
)

// drawRackCard draws the rack itself where no device is under the caret.
func (v Racks) drawRackCard(f Frame, on widget.Canvas) {
	r := v.at(f)
	in := widget.Box(on, f.Theme, r.Spec.ID, r.State.String(), false)
	in = in.Sub(1, 0, in.W-2, in.H)
	y := 0
	line := func(label, text string) {
		in.Text(0, y, label, widget.Dim)
		in.Cut(f.Theme, 9, y, in.W-9, text, widget.Plain)
		y++
	}
	state := r.State.String()
	if now := f.now(KindRack, r.Spec.ID); now != "" {
		state += "  " + f.Theme.Glyphs.Delta + " now " + now
	}
	line("state", state)
	line("devices", strconv.Itoa(r.Devices)+", "+strconv.Itoa(r.Blind)+" blind")
	if text := alertsIn(f, r.Spec.ID); text != "" {
		line("alerts", text)
	}
	line("units", strconv.Itoa(r.Spec.Units)+", "+strconv.Itoa(r.FreeUnits)+" free")
	line("power", watts(r.PowerW)+" measured, "+percent(rackLoad(f.Snap, r.Spec.ID))+" of what one PDU carries")
	for _, id := range r.Spec.Feeds {
		if feed := f.Snap.Feeds.Get(id); feed != nil {
			line("feed", id+"  "+number(feed.AmpsA, 1)+"A of "+number(feed.Spec.BreakerA, 0)+"A  "+watts(feed.PowerW))
			continue
		}
		line("feed", id)
	}
	if survey, ok := derived[*capacity.Survey](f, derivedCapacity); ok {
		fit := survey.Fits[r.Spec.ID]
		line("room", subjectFoot(&capacity.Subject{Scope: capacity.ScopeRack}, &fit))
	}
	ahead, _ := derived[*foresight](f, derivedForesight)
	if way, _ := ahead.of(&capacity.Subject{Scope: capacity.ScopeRack, ID: r.Spec.ID}); way != nil {
		text, _ := lastsText(f, way, in.W)
		line("lasts", text)
	}
	if r.Spec.MaxWeightKg.Known {
		line("weight", "at most "+number(r.Spec.MaxWeightKg, 0)+" kg")
	}
	y++
	for _, n := range f.Snap.DevicesOf[r.Spec.ID] {
		if d := f.Snap.Devices.At(n); wrong(d) && y < in.H {
			text, st := verdict(f, d)
			in.Glyph(f.Theme, 0, y, d.State)
			in.Cut(f.Theme, 2, y, 18, d.Spec.Name, widget.Plain)
			in.Cut(f.Theme, 21, y, in.W-21, text, st)
			y++
		}
	}
}

// drawRackNews draws the newest alerts of a rack's devices.
func drawRackNews(f Frame, on widget.Canvas, rack string) {
	var news []fleet.Event
	for _, e := range f.Snap.Recent {
		if d := f.Snap.Devices.Get(hostOf(e.Target)); d != nil && d.Spec.Rack == rack {
			news = append(news, e)
		}
	}
	drawEventLines(f, widget.Box(on, f.Theme, "newest alerts in "+rack, "", false), news)
}

// cordW is the room of one cord in a line of the rear side.
const cordW = 13

// drawCords draws what the rear of a device shows: each cord under the PDU it
// leads to, with the amperes its outlet measures, then how many links are up.
func (v Racks) drawCords(f Frame, on widget.Canvas, d *fleet.Device) {
	pdus := v.beside(f)
	for i, c := range d.Spec.Power {
		x := i * cordW
		for k, n := range pdus {
			if f.Snap.Devices.ID(n) == hostOf(c.Outlet) {
				x = k * cordW
			}
		}
		e := cordEnd(f, c)
		amps, st := dash, widget.Unknown
		if o := outletOf(f, c.Outlet); o != nil && o.CurrentA.Known && e.state != fleet.StateUnknown {
			amps, st = number(o.CurrentA, 2)+"A", widget.Plain
		}
		if e.wrong {
			st = widget.Drift
		}
		on.Cut(f.Theme, x, 0, 6, lastPart(c.Outlet), widget.Link)
		on.Cut(f.Theme, x+7, 0, 5, amps, st)
	}
	x := max(len(pdus), len(d.Spec.Power)) * cordW
	up, of := linksLeft(f, d, "")
	if of == 0 || x+8 > on.W {
		return
	}
	st := widget.Dim
	if up < of {
		st = widget.Warn
	}
	on.Cut(f.Theme, x, 0, on.W-x, "links "+strconv.Itoa(up)+"/"+strconv.Itoa(of), st)
}

// lastPart is what stands behind the last dash of an outlet's PDU: the pa/19
// of fra1-r01-pa/19.
func lastPart(outlet string) string {
	return outlet[strings.LastIndexByte(hostOf(outlet), '-')+1:]
}

// outletOf returns an outlet "pdu/number", or nil.
func outletOf(f Frame, id string) *fleet.Outlet {
	p := f.Snap.Devices.Get(hostOf(id))
	if p == nil {
		return nil
	}
	for i := range p.Outlets {
		if strconv.Itoa(p.Outlets[i].Index) == afterSlash(id) {
			return &p.Outlets[i]
		}
	}
	return nil
}
