package views

import (
	"math"
	"strconv"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views/widget"
)

// Draw implements View.
func (v Racks) Draw(f Frame, on widget.Canvas) {
	r := v.at(f)
	if r == nil {
		drawEmpty(f, on, "no racks", "the inventory has none; add regions, sites and racks to the configuration")
		return
	}
	switch {
	case on.W >= 220:
		const planW, faceW = 34, 70
		v.drawPlan(f, on.Sub(0, 0, planW, on.H), r)
		h := on.H
		if left := h - v.rows(f).n - 2; left >= 10 {
			h -= left // what a tall screen has to spare tells of the rack as a whole
			v.drawRackCard(f, on.Sub(planW, h, faceW, left))
			drawRackNews(f, on.Sub(planW+faceW, h, faceW, left), r.Spec.ID)
		}
		v.drawElevation(f, on.Sub(planW, 0, faceW, h), r, true)
		other := v
		other.rear, other.memo = !v.rear, &racksMemo{}
		other.drawElevation(f, on.Sub(planW+faceW, 0, faceW, h), r, false)
		v.drawCard(f, on.Sub(planW+2*faceW, 0, on.W-planW-2*faceW, on.H))
	case on.W >= 160:
		planW, cardW := 34, max(60, on.W-34-76)
		v.drawPlan(f, on.Sub(0, 0, planW, on.H), r)
		v.drawElevation(f, on.Sub(planW, 0, on.W-planW-cardW, on.H), r, true)
		v.drawCard(f, on.Sub(on.W-cardW, 0, cardW, on.H))
	case on.W >= 100:
		left := on.W * 11 / 20
		v.drawElevation(f, on.Sub(0, 0, left, on.H), r, true)
		v.drawCard(f, on.Sub(left, 0, on.W-left, on.H))
	default:
		v.drawElevation(f, on, r, true)
	}
}

func (v Racks) drawCard(f Frame, on widget.Canvas) {
	kind, id := v.Selected(f)
	if d := f.Snap.Devices.Get(id); kind == KindDevice && d != nil {
		drawDeviceCard(f, on, d, false)
		return
	}
	v.drawRackCard(f, on)
}

// drawPlan draws every row of the region, then the other regions.
func (v Racks) drawPlan(f Frame, on widget.Canvas, r *fleet.Rack) {
	in := widget.Box(on, f.Theme, "floor", v.paint.String(), v.plan)
	y := 0
	for id, region := range f.Snap.Regions.All() {
		if y+2 >= in.H {
			break
		}
		in.Glyph(f.Theme, 1, y, region.State)
		drawDelta(f, in, 0, y, KindRegion, id)
		in.Cut(f.Theme, 3, y, in.W-12, id, widget.Bold)
		in.Right(in.W-1, y, watts(region.PowerW), widget.Dim)
		y = v.memo.grid.draw(f, in.Sub(1, 0, in.W-2, in.H), y+1, id, r.Spec.ID, v.paint, v.plan) + 1
	}
	if in.H-y > 6 {
		in.Text(1, y, r.Spec.Region+", two units a row", widget.Dim)
		drawStrips(f, in.Sub(0, y+1, in.W, in.H-y-1), r.Spec.Region, r.Spec.ID, v.paint)
	}
	widget.Foot(on, f.Theme, v.paint.legend(), widget.Dim)
}

// elevationRoom is the lines an elevation has on the frame, for folding.
func elevationRoom(f Frame) int {
	chrome := 5
	if f.Height >= 22 {
		chrome = 6
	}
	return max(3, f.Height-chrome)
}

// drawElevation draws one side of a rack; only the main one has the caret.
func (v Racks) drawElevation(f Frame, on widget.Canvas, r *fleet.Rack, main bool) {
	side := "front"
	if v.rear {
		side = "rear"
	}
	scale := v.scale.In(r.Spec.Units, elevationRoom(f)-len(v.beside(f)))
	title := r.Spec.Name + " " + side + " " + f.Theme.Glyphs.Empty + " " + scale.String() + " " + f.Theme.Glyphs.Empty + " " + v.paint.String()
	note := strconv.Itoa(r.Spec.Units) + "U  " + strconv.Itoa(r.FreeUnits) + " free  " + watts(r.PowerW)
	note = f.Theme.Glyphs.State(r.State) + " " + note
	in := widget.Box(on, f.Theme, title, note, !v.plan && main)
	failover(f, on, r)
	side2 := v.beside(f)
	slots := v.slots(f, elevationRoom(f)-len(side2))
	foot := len(side2)
	body := in.Sub(0, 0, in.W, max(3, in.H-foot))
	at := -1
	if main {
		at = v.caret(f).index(v.rows(f))
	}
	top := widget.Window(len(slots), at, body.H)
	full := v.hottest(f, slots)
	if len(slots) == 0 {
		body.Text(1, 0, "no units", widget.Dim)
	}
	for y := 0; y < body.H && top+y < len(slots); y++ {
		i := top + y
		v.drawSlot(f, body.Sub(0, y, body.W, 1), slots[i], full)
		if i == at || at >= 0 && at < len(slots) && !slots[at].Free() && slots[i].Item == slots[at].Item {
			if i == at {
				body.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			}
			if !v.plan {
				body.Select(0, y, body.W)
			}
		}
	}
	widget.Scroll(body, f.Theme, len(slots), at)
	v.drawPower(f, in.Sub(0, min(in.H-foot, len(slots)), in.W, foot), side2, at-len(slots))
}

// hottest is the largest power of a device in the rack, the full bar of PaintPower.
func (v Racks) hottest(f Frame, slots []widget.Slot) float64 {
	full := math.NaN()
	for _, s := range slots {
		if s.Free() {
			continue
		}
		if w := f.Snap.Devices.At(s.Item).PowerW.Float(); !math.IsNaN(w) && !(w <= full) {
			full = w
		}
	}
	return full
}

// drawSlot draws one line of the elevation.
func (v Racks) drawSlot(f Frame, on widget.Canvas, s widget.Slot, full float64) {
	on.CutRight(f.Theme, 1, 0, 5, s.Units(), widget.Dim)
	if s.Free() {
		if n := v.offer.at(v.rack, s.High); n > 0 {
			on.Text(8, 0, f.Theme.Glyphs.Mark, widget.Key)
			on.Text(10, 0, "place "+strconv.Itoa(n)+" of "+strconv.Itoa(len(v.offer.lows)), widget.Key)
			return
		}
		on.Text(8, 0, f.Theme.Glyphs.Empty, widget.Rest)
		if s.Line == 0 {
			text := "free"
			if n := s.High - s.Low + 1; n > 1 {
				text += " " + strconv.Itoa(n) + "U"
			}
			on.Text(10, 0, text, widget.Off)
		}
		return
	}
	s.Bracket(on, f.Theme, 7, 0)
	if s.Line > 0 {
		return
	}
	d := f.Snap.Devices.At(s.Item)
	glyph, st := mark(f.Theme, d)
	on.Text(8, 0, glyph, st)
	drawDelta(f, on, 6, 0, KindDevice, d.Spec.ID)
	if f.Marks[d.Spec.ID] {
		on.Text(6, 0, f.Theme.Glyphs.Mark, widget.Key)
	}
	name := d.Spec.Name
	if s.Count > 1 {
		name = strconv.Itoa(s.Count) + "x " + name + ".." + tail(name, f.Snap.Devices.At(s.Last).Spec.Name)
	}
	nameW := min(max(16, on.W/4), 24)
	if s.Count > 1 {
		nameW += 12
	}
	nst := widget.Plain
	if d.State == fleet.StateCrit {
		nst = widget.Bold
	}
	on.Cut(f.Theme, 10, 0, nameW, name, nst)
	x := 11 + nameW
	if on.W >= 70 && s.Count == 1 {
		model, _ := deviceField(f, d, "model")
		on.Cut(f.Theme, x, 0, 12, model, widget.Dim)
		x += 13
	}
	if s.Count > 1 {
		on.Cut(f.Theme, x, 0, on.W-x-1, "in order  "+v.folded(f, s), widget.Dim)
		return
	}
	if v.rear && v.paint == PaintState && len(d.Spec.Power) > 0 {
		v.drawCords(f, on.Sub(x, 0, on.W-x-1, 1), d)
		return
	}
	v.drawReading(f, on.Sub(x, 0, on.W-x-1, 1), d, full)
}

// folded sums up the devices that one line stands for.
func (v Racks) folded(f Frame, s widget.Slot) string {
	sum, hot := 0.0, math.NaN()
	for _, p := range v.memo.places {
		if p.Low/2 < s.Low || p.Low/2 > s.High {
			continue
		}
		d := f.Snap.Devices.At(p.Item)
		if d.PowerW.Known {
			sum += d.PowerW.Float()
		}
		if t := d.InletC.Float(); d.InletC.Known && !(t <= hot) {
			hot = t
		}
	}
	text := watts(fleet.Int(int64(sum)))
	if !math.IsNaN(hot) {
		text += "  " + strconv.Itoa(int(math.Round(hot))) + f.Theme.Glyphs.Degree + "C"
	}
	return text
}

// tail is what of b differs from a, from the last separator on: the s12 of
// r01-s03 and r01-s12.
func tail(a, b string) string {
	cut := 0
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if a[i] == '-' || a[i] == '.' {
			cut = i + 1
		}
	}
	return b[cut:]
}

// drawReading draws what a device is painted by: what is wrong with it first,
// else its value with a bar.
func (v Racks) drawReading(f Frame, on widget.Canvas, d *fleet.Device, full float64) {
	const barW, valueW = 8, 6
	text, st := verdict(f, d)
	if v.paint == PaintState && text != "" {
		on.Cut(f.Theme, 0, 0, on.W, text, st)
		return
	}
	share := deviceShare(f, d, v.paint, full)
	value := watts(d.PowerW)
	style := widget.Fill
	switch v.paint {
	case PaintTemperature:
		value, style = quantity(f.Theme, d.InletC, "C"), tempStyle(d.InletC)
		if style == widget.Plain {
			style = widget.Fill
		}
	case PaintAge:
		value, style = since(f, d.SeenAt), widget.LoadStyle(share, 1, 2)
	case PaintState:
		if on.W >= barW+2*valueW+2 && d.InletC.Known {
			on.CutRight(f.Theme, on.W-valueW, 0, valueW, quantity(f.Theme, d.InletC, "C"), tempStyle(d.InletC))
			on = on.Sub(0, 0, on.W-valueW, 1)
		}
	}
	w := min(max(barW, on.W-valueW-1), 24)
	x := on.W - valueW - 1 - w
	if x < 0 {
		on.CutRight(f.Theme, 0, 0, on.W, value, widget.Plain)
		return
	}
	widget.Bar(on, f.Theme, x, 0, w, share, style)
	on.CutRight(f.Theme, x+w+1, 0, valueW, value, widget.Plain)
}

// drawPower draws the rack's PDUs with their load.
func (v Racks) drawPower(f Frame, on widget.Canvas, beside []int, at int) {
	y := 0
	for i, n := range beside {
		d := f.Snap.Devices.At(n)
		row := on.Sub(0, y, on.W, 1)
		glyph, st := mark(f.Theme, d)
		row.Text(8, 0, glyph, st)
		drawDelta(f, row, 6, 0, KindDevice, d.Spec.ID)
		nameW := min(max(12, on.W/4), 20)
		row.Cut(f.Theme, 10, 0, nameW, d.Spec.Name, widget.Plain)
		share := pduShare(f, d)
		barW := max(6, on.W-10-nameW-16)
		if text, st := verdict(f, d); text != "" && d.State != fleet.StateOK {
			row.Cut(f.Theme, 11+nameW, 0, on.W-12-nameW, text, st)
		} else {
			widget.Bar(row, f.Theme, 11+nameW, 0, barW, share, widget.LoadStyle(share, 0.7, capacity.Continuous))
			row.CutRight(f.Theme, on.W-14, 0, 13, percent(share)+" "+watts(d.PowerW), widget.Plain)
		}
		if i == at {
			row.Text(0, 0, f.Theme.Glyphs.Caret, widget.Bold)
			if !v.plan {
				row.Select(0, 0, row.W)
			}
		}
		y++
	}
}

// failover says in the frame's foot whether the rack outlives a feed: its
// power against 80 % of what one of its PDUs carries.
func failover(f Frame, on widget.Canvas, r *fleet.Rack) {
	share, g := rackLoad(f.Snap, r.Spec.ID), f.Theme.Glyphs
	dead := ""
	for _, n := range f.Snap.DevicesOf[r.Spec.ID] {
		if d := f.Snap.Devices.At(n); d.Spec.Kind == fleet.KindPDU && d.State == fleet.StateCrit && d.Blind() {
			dead = d.Spec.Name
		}
	}
	switch {
	case r.Devices == 0:
	case dead != "":
		widget.Foot(on, f.Theme, g.Crit+" one feed is lost: "+dead, widget.Crit)
	case math.IsNaN(share):
		widget.Foot(on, f.Theme, "lose one feed: not known, no PDU rating or no measured power", widget.Dim)
	case share > 1:
		widget.Foot(on, f.Theme, "lose one feed "+g.Into+" "+percent(share)+" of what one PDU may carry  "+g.Crit+" NOT REDUNDANT", widget.Crit)
	default:
		widget.Foot(on, f.Theme, "lose one feed "+g.Into+" "+percent(share)+" of what one PDU may carry  "+g.OK+" holds", widget.Dim)
	}
}

// pduShare is a PDU's power as a share of its rating, NaN where that is not
// known.
func pduShare(f Frame, d *fleet.Device) float64 {
	return d.PowerW.Float() / capacity.PDULimitW(f.Snap, d) * capacity.Continuous
}
