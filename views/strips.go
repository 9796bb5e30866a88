package views

import (
	"math"

	"plumb/fleet"
	"plumb/views/widget"
)

// unitsPerRow is how many rack units one row of a strip stands for.
const unitsPerRow = 2

// stripHeight is the rows of a rack drawn as a strip.
func stripHeight(units int) int { return (units + unitsPerRow - 1) / unitsPerRow }

// drawStrips draws the racks of a region side by side as small elevations of
// two units a row, each with its name above, and returns the rows it took.
func drawStrips(f Frame, on widget.Canvas, region, caret string, p Paint) int {
	racks := f.Snap.RacksOf[region]
	if len(racks) == 0 || on.W < 4 {
		return 0
	}
	per := max(1, min(len(racks), on.W/4))
	pitch := min(on.W/per, 9)
	y, tallest := 0, 0
	for i, n := range racks {
		if i > 0 && i%per == 0 {
			y, tallest = y+tallest+2, 0
		}
		r := f.Snap.Racks.At(n)
		h := stripHeight(r.Spec.Units)
		if y+h+1 > on.H {
			return y
		}
		tallest = max(tallest, h)
		drawStripRack(f, on.Sub(i%per*pitch, y, pitch-1, h+1), r, f.Snap.Racks.ID(n) == caret, p)
	}
	return y + tallest + 1
}

// drawRegionStrips draws every rack as a strip under its region's card, where
// the screen is wide enough for all regions and tall enough to leave room for
// what stands below. It returns the rows it took.
func drawRegionStrips(f Frame, on widget.Canvas, caret string, p Paint) int {
	columns := cardColumns(f, on.W)
	tallest := 0
	for _, r := range f.Snap.Racks.All() {
		tallest = max(tallest, stripHeight(r.Spec.Units))
	}
	if columns < 2 || columns < f.Snap.Regions.Len() || on.H < tallest+3+14 || tallest == 0 {
		return 0
	}
	w, i := on.W/columns, 0
	for id := range f.Snap.Regions.All() {
		box := on.Sub(i*w, 0, w, tallest+3)
		if i == columns-1 {
			box = on.Sub(i*w, 0, on.W-i*w, tallest+3)
		}
		in := widget.Box(box, f.Theme, id+" racks", "two units a row", false)
		drawStrips(f, in.Sub(1, 0, in.W-2, in.H), id, caret, p)
		i++
	}
	return tallest + 3
}

func drawStripRack(f Frame, on widget.Canvas, r *fleet.Rack, here bool, p Paint) {
	st := widget.StateStyle(r.State)
	if r.State == fleet.StateOK {
		st = widget.Dim
	}
	if here {
		st = widget.Bold
	}
	on.Cut(f.Theme, 0, 0, on.W, r.Spec.Name, st)
	var rows [64]int // dense device number + 1 of the worst in the row
	h := min(stripHeight(r.Spec.Units), len(rows))
	full := math.NaN()
	for _, n := range f.Snap.DevicesOf[r.Spec.ID] {
		d := f.Snap.Devices.At(n)
		if d.Spec.Unit <= 0 {
			continue
		}
		if w := d.PowerW.Float(); !math.IsNaN(w) && !(w <= full) {
			full = w
		}
		low, high := int(d.Spec.Unit)/2, int(d.Spec.Unit+max(1, d.Spec.Height)+1)/2-1
		for u := low; u <= high; u++ {
			y := (r.Spec.Units - u) / unitsPerRow
			if y < 0 || y >= h {
				continue
			}
			if o := rows[y]; o == 0 || d.State.Worse(f.Snap.Devices.At(o-1).State) {
				rows[y] = n + 1
			}
		}
	}
	for y, n := range rows[:h] {
		drawStripCell(f, on, y+1, n-1, p, full)
	}
}

// drawStripCell draws a row of a strip: the glyph of what is not in order, else
// a shade of the device's value, else empty.
func drawStripCell(f Frame, on widget.Canvas, y, n int, p Paint, full float64) {
	if n < 0 {
		on.Text(0, y, f.Theme.Glyphs.Empty, widget.Rest)
		return
	}
	d := f.Snap.Devices.At(n)
	if p == PaintState && (d.State != fleet.StateOK || d.Maintenance) {
		glyph, st := mark(f.Theme, d)
		for x := range on.W {
			on.Text(x, y, glyph, st)
		}
		return
	}
	share := deviceShare(f, d, p, full)
	if p == PaintState { // what is in order stays quiet, so that the rest stands out
		share = min(share, 0.5)
	}
	widget.Heat(on, f.Theme, 0, y, on.W, share)
	if share >= 1 && p != PaintState && p != PaintPower {
		on.Restyle(0, y, on.W, widget.Warn)
	}
}
