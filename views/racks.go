package views

import (
	"math"
	"strconv"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Racks is the floor plan with the elevation of one rack and, where there is
// room, the device under the caret.
type Racks struct {
	region, rack string
	paint        Paint
	scale        widget.Scale
	rear         bool
	plan         bool // the caret is on the floor plan
	list         list // devices, and free space as "free:UNIT"
	memo         *racksMemo
}

type racksMemo struct {
	grid   grid
	slots  []widget.Slot
	places []widget.Place
}

// NewRacks returns the racks of a region with one rack open; empty ids take
// the first.
func NewRacks(region, rack string) View {
	return Racks{region: region, rack: rack, memo: &racksMemo{}}
}

// ID implements View.
func (v Racks) ID() string { return "racks" }

// at returns the open rack, or nil where there is none at all.
func (v Racks) at(f Frame) *fleet.Rack {
	if r := f.Snap.Racks.Get(v.rack); r != nil {
		return r
	}
	if f.Snap.Topology != nil {
		if of := f.Snap.RacksOf[v.region]; len(of) > 0 {
			return f.Snap.Racks.At(of[0])
		}
	}
	return f.Snap.Racks.Get(v.memo.grid.step(f, "", 0, 0))
}

// Crumbs implements View.
func (v Racks) Crumbs(f Frame) []string {
	r := v.at(f)
	if r == nil {
		return []string{"racks"}
	}
	c := []string{"racks", r.Spec.Region, r.Spec.Site}
	if r.Spec.Row != "" {
		c = append(c, "row "+r.Spec.Row)
	}
	return append(c, r.Spec.Name)
}

// Needs implements View.
func (v Racks) Needs(Frame) []fleet.Query { return nil }

// slots lays the open rack out for a height.
func (v Racks) slots(f Frame, room int) []widget.Slot {
	r, m := v.at(f), v.memo
	if r == nil {
		m.slots = m.slots[:0]
		return nil
	}
	m.places = m.places[:0]
	for _, n := range f.Snap.DevicesOf[r.Spec.ID] {
		d := f.Snap.Devices.At(n)
		s := d.Spec
		if s.Unit <= 0 || !v.shows(s) {
			continue
		}
		fold := ""
		if d.State == fleet.StateOK && !d.Maintenance && d.DriftOpen == 0 {
			fold = string(s.Kind) + strconv.Itoa(int(s.Height))
		}
		m.places = append(m.places, widget.Place{Low: int(s.Unit), Height: max(1, int(s.Height)), Item: n, Fold: fold})
	}
	m.slots = widget.Elevation(m.slots, r.Spec.Units, m.places, v.scale, room)
	return m.slots
}

// shows reports whether a device is seen from this side: what is deep shows on
// both, the rest on its own face.
func (v Racks) shows(s *fleet.DeviceSpec) bool {
	rear := s.Face == "rear"
	return rear == v.rear || s.Depth == "full"
}

// beside lists what hangs in the rack without a unit: PDUs, mostly.
func (v Racks) beside(f Frame) []int {
	r := v.at(f)
	if r == nil {
		return nil
	}
	var out []int
	for _, n := range f.Snap.DevicesOf[r.Spec.ID] {
		if f.Snap.Devices.At(n).Spec.Unit <= 0 {
			out = append(out, n)
		}
	}
	return out
}

// rows is what the caret moves over: the slots, then what hangs beside.
func (v Racks) rows(f Frame) rows {
	side := v.beside(f)
	slots := v.slots(f, elevationRoom(f)-len(side))
	return rows{len(slots) + len(side), func(i int) string {
		if i >= len(slots) {
			return f.Snap.Devices.ID(side[i-len(slots)])
		}
		if slots[i].Free() {
			return "free:" + strconv.Itoa(slots[i].High)
		}
		return f.Snap.Devices.ID(slots[i].Item)
	}}
}

// Selected implements View.
func (v Racks) Selected(f Frame) (kind, id string) {
	if r := v.at(f); v.plan && r != nil {
		return KindRack, r.Spec.ID
	}
	id = v.caret(f).selected(v.rows(f))
	if f.Snap.Devices.Get(id) == nil {
		return "", ""
	}
	return KindDevice, id
}

// caret is where the caret stands: before it was moved, on the worst device of
// the rack that a person should look at.
func (v Racks) caret(f Frame) list {
	if v.list != (list{}) {
		return v.list
	}
	r, slots := v.rows(f), v.memo.slots
	best := -1
	for i, s := range slots {
		if s.Free() || !wrong(f.Snap.Devices.At(s.Item)) {
			continue
		}
		if best < 0 || worse(f.Snap.Devices.At(s.Item).State, f.Snap.Devices.At(slots[best].Item).State) < 0 {
			best = i
		}
	}
	if best < 0 {
		return v.list
	}
	return list{}.to(best, r)
}

// rescaled goes to the next scale that looks different.
func (v Racks) rescaled(f Frame) Racks {
	if v.scale != widget.Auto {
		v.scale = (v.scale + 1) % widget.NumScales
		return v
	}
	v.scale = widget.True
	if r := v.at(f); r != nil && widget.Auto.In(r.Spec.Units, elevationRoom(f)-len(v.beside(f))) == widget.True {
		v.scale = widget.Folded
	}
	return v
}

// unfold opens a line that stands for several devices; a single one is left to
// be followed.
func (v Racks) unfold(f Frame) (View, Intent) {
	r := v.rows(f)
	i := v.caret(f).index(r)
	if i < 0 || i >= len(v.memo.slots) || v.memo.slots[i].Count < 2 {
		return v, nil
	}
	id := r.id(i)
	v.scale = widget.True
	v.list = list{id: id}
	return v, Toast{Text: "unfolded; z folds again"}
}

// Handle implements View.
func (v Racks) Handle(f Frame, c keys.Command) (View, Intent) {
	switch c.ID {
	case "scale":
		v = v.rescaled(f)
	case "face":
		v.rear = !v.rear
	case "paint":
		v.paint = (v.paint + 1) % numPaints
	case "pane.next", "pane.back":
		v.plan = !v.plan
	case "enter":
		if v.plan {
			v.plan = false
			return v, Toast{Text: "in the rack; tab goes back to the floor"}
		}
		return v.unfold(f)
	case "move.left", "move.right":
		dx := 1
		if c.ID == "move.left" {
			dx = -1
		}
		v = v.walk(f, dx, 0)
	default:
		if v.plan && (c.ID == "move.up" || c.ID == "move.down") {
			dy := 1
			if c.ID == "move.up" {
				dy = -1
			}
			return v.walk(f, 0, dy), nil
		}
		v.list, _ = v.moved(f, c)
	}
	return v, nil
}

// moved steps over the lines of a device of several units as one.
func (v Racks) moved(f Frame, c keys.Command) (list, bool) {
	r := v.rows(f)
	was := v.caret(f).selected(r)
	l, ok := v.caret(f).move(c, r, page(f))
	for i := l.at; ok && i > 0 && i < r.n-1 && l.selected(r) == was && was != ""; {
		switch c.ID {
		case "move.down":
			i++
		case "move.up":
			i--
		default:
			return l, ok
		}
		l = l.to(i, r)
	}
	return l, ok
}

func (v Racks) walk(f Frame, dx, dy int) Racks {
	if r := v.at(f); r != nil {
		v.rack, v.list = v.memo.grid.step(f, r.Spec.ID, dx, dy), list{}
		if n := f.Snap.Racks.Get(v.rack); n != nil {
			v.region = n.Spec.Region
		}
	}
	return v
}

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
		v.drawElevation(f, on.Sub(planW, 0, faceW, on.H), r, true)
		other := v
		other.rear, other.memo = !v.rear, &racksMemo{}
		other.drawElevation(f, on.Sub(planW+faceW, 0, faceW, on.H), r, false)
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
		on.Cut(f.Theme, x, 0, on.W-x-1, "in order, enter unfolds", widget.Dim)
		return
	}
	v.drawReading(f, on.Sub(x, 0, on.W-x-1, 1), d, full)
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
		nameW := min(max(12, on.W/4), 20)
		row.Cut(f.Theme, 10, 0, nameW, d.Spec.Name, widget.Plain)
		share := pduShare(f, d)
		barW := max(6, on.W-10-nameW-16)
		if text, st := verdict(f, d); text != "" && d.State != fleet.StateOK {
			row.Cut(f.Theme, 11+nameW, 0, on.W-12-nameW, text, st)
		} else {
			widget.Bar(row, f.Theme, 11+nameW, 0, barW, share, widget.LoadStyle(share, 0.7, continuous))
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
	switch {
	case r.Devices == 0:
	case math.IsNaN(share):
		widget.Foot(on, f.Theme, "lose one feed: not known, no PDU rating or no measured power", widget.Dim)
	case share > 1:
		widget.Foot(on, f.Theme, "lose one feed "+g.Into+" "+percent(share)+" of what one PDU may carry  "+g.Crit+" NOT REDUNDANT", widget.Crit)
	default:
		widget.Foot(on, f.Theme, "lose one feed "+g.Into+" "+percent(share)+" of what one PDU may carry  "+g.OK+" holds", widget.Dim)
	}
}

// pduShare is a PDU's power as a share of its rating.
func pduShare(f Frame, d *fleet.Device) float64 {
	volts := 230.0
	if feed := f.Snap.Feeds.Get(d.Spec.Feed); feed != nil && feed.Spec.Volts > 0 {
		volts = float64(feed.Spec.Volts)
		if feed.Spec.Phases == 3 {
			volts *= math.Sqrt(3)
		}
	}
	return d.PowerW.Float() / (d.Spec.RatingA.Float() * volts)
}

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
	line("state", r.State.String())
	line("devices", strconv.Itoa(r.Devices)+", "+strconv.Itoa(r.Blind)+" blind")
	line("units", strconv.Itoa(r.Spec.Units)+", "+strconv.Itoa(r.FreeUnits)+" free")
	line("power", watts(r.PowerW)+" measured, "+percent(rackLoad(f.Snap, r.Spec.ID))+" of what one PDU carries")
	for _, id := range r.Spec.Feeds {
		if feed := f.Snap.Feeds.Get(id); feed != nil {
			line("feed", id+"  "+number(feed.AmpsA, 1)+"A of "+number(feed.Spec.BreakerA, 0)+"A  "+watts(feed.PowerW))
			continue
		}
		line("feed", id)
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
