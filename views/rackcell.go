package views

import (
	"math"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views/widget"
)

// Paint says what a rack or a device is coloured by.
type Paint uint8

// Paints.
const (
	PaintState Paint = iota
	PaintPower
	PaintTemperature
	PaintAge
	numPaints
)

func (p Paint) String() string { return [...]string{"state", "power", "temperature", "age"}[p] }

// legend says how to read the cells of a paint.
func (p Paint) legend() string {
	switch p {
	case PaintPower:
		return "power of one feed's limit"
	case PaintTemperature:
		return "hottest inlet, 18 to 34 C"
	case PaintAge:
		return "oldest reading, of two polls"
	}
	return "worst device, else power"
}

// rackLoad is the rack's power as a share of its limit.
func rackLoad(s *fleet.Snapshot, rack string) float64 {
	r := s.Racks.Get(rack)
	if r == nil || !r.PowerW.Known {
		return math.NaN()
	}
	return r.PowerW.Float() / capacity.RackLimitW(s, rack)
}

// rackCell draws a rack in n columns.
func rackCell(f Frame, on widget.Canvas, x, y, n int, rack int, p Paint) {
	r := f.Snap.Racks.At(rack)
	if p == PaintState && r.DriftOpen > 0 && n > 1 { // beside its state
		n--
		on.Text(x+n, y, f.Theme.Glyphs.Drift, widget.Drift)
	}
	if p == PaintState && r.State != fleet.StateOK {
		glyph := f.Theme.Glyphs.State(r.State)
		st := widget.StateStyle(r.State)
		if r.Devices == 0 {
			glyph, st = f.Theme.Glyphs.Empty, widget.Rest
		}
		for i := range n {
			on.Text(x+i, y, glyph, st)
		}
		return
	}
	share := rackShare(f, r, p)
	if math.IsNaN(share) && r.Devices > 0 && p == PaintState {
		share = 0
	}
	widget.Heat(on, f.Theme, x, y, n, share)
	if share >= 1 && p != PaintState {
		on.Restyle(x, y, n, widget.Warn)
	}
}

// rackShare is the rack's value of a paint as a share of its limit.
func rackShare(f Frame, r *fleet.Rack, p Paint) float64 {
	worst := math.NaN()
	if p == PaintState || p == PaintPower {
		return rackLoad(f.Snap, r.Spec.ID)
	}
	for _, n := range f.Snap.DevicesOf[r.Spec.ID] {
		if v := deviceShare(f, f.Snap.Devices.At(n), p, math.NaN()); math.IsNaN(worst) || v > worst {
			worst = v
		}
	}
	return worst
}

// deviceShare is a device's value of a paint; power is against the given watts.
func deviceShare(f Frame, d *fleet.Device, p Paint, fullW float64) float64 {
	switch p {
	case PaintTemperature:
		return (d.InletC.Float() - 18) / 16
	case PaintAge:
		if d.SeenAt.IsZero() {
			return math.NaN()
		}
		return float64(f.At.Sub(d.SeenAt)) / float64(max(2*f.Snap.Intervals[fleet.LaneFast], time.Second))
	}
	return d.PowerW.Float() / fullW
}

// gridLine is a row of racks of one region as they stand on the floor.
type gridLine struct {
	region, row string
	racks       []int
}

// grid is the floor plan; it changes only with the inventory.
type grid struct {
	of    *fleet.Topology
	lines []gridLine
}

func (g *grid) in(f Frame) []gridLine {
	if g.of == f.Snap.Topology && g.of != nil {
		return g.lines
	}
	*g = grid{of: f.Snap.Topology}
	if g.of == nil {
		return nil
	}
	for region := range f.Snap.Regions.All() {
		start := len(g.lines)
		for _, n := range f.Snap.RacksOf[region] {
			row := f.Snap.Racks.At(n).Spec.Row
			at := -1
			for i := start; i < len(g.lines); i++ {
				if g.lines[i].row == row {
					at = i
				}
			}
			if at < 0 {
				at = len(g.lines)
				g.lines = append(g.lines, gridLine{region: region, row: row})
			}
			g.lines[at].racks = append(g.lines[at].racks, n)
		}
	}
	return g.lines
}

// step moves from a rack by columns and rows over the floor plan and returns
// the rack's id, or "" where there is no rack.
func (g *grid) step(f Frame, rack string, dx, dy int) string {
	lines := g.in(f)
	if len(lines) == 0 {
		return ""
	}
	line, col := g.find(f, rack)
	line = min(max(line+dy, 0), len(lines)-1)
	col += dx
	switch {
	case col < 0 && line > 0:
		line--
		col = len(lines[line].racks) - 1
	case dx > 0 && col >= len(lines[line].racks) && line+1 < len(lines):
		line, col = line+1, 0
	}
	racks := lines[line].racks
	return f.Snap.Racks.ID(racks[min(max(col, 0), len(racks)-1)])
}

func (g *grid) find(f Frame, rack string) (line, col int) {
	for i, l := range g.in(f) {
		for j, n := range l.racks {
			if f.Snap.Racks.ID(n) == rack {
				return i, j
			}
		}
	}
	return 0, 0
}

// draw draws the lines of one region (all where it is "") from row y on and
// returns the row after. Each rack takes two columns and a blank.
func (g *grid) draw(f Frame, on widget.Canvas, y int, region, caret string, p Paint, focus bool) int {
	for _, l := range g.in(f) {
		if region != "" && l.region != region {
			continue
		}
		x := 3
		on.Cut(f.Theme, 0, y, 2, l.row, widget.Dim)
		for _, n := range l.racks {
			if x+2 > on.W {
				x, y = 3, y+1
			}
			g.drawRack(f, on, x, y, n, caret, p, focus)
			x += 3
		}
		y++
	}
	return y
}

// drawLine draws all rows of a region behind one another and reports whether
// they fit in one line.
func (g *grid) drawLine(f Frame, on widget.Canvas, y int, region, caret string, p Paint, focus bool) bool {
	need := 0
	for _, l := range g.in(f) {
		if l.region == region {
			need += 3*len(l.racks) + 4 + widget.Width(l.row)
		}
	}
	if need > on.W {
		return false
	}
	x := 0
	for _, l := range g.in(f) {
		if l.region != region {
			continue
		}
		x = on.Text(x, y, l.row, widget.Dim) + 2
		for _, n := range l.racks {
			g.drawRack(f, on, x, y, n, caret, p, focus)
			x += 3
		}
		x += 2
	}
	return true
}

func (g *grid) drawRack(f Frame, on widget.Canvas, x, y, n int, caret string, p Paint, focus bool) {
	rackCell(f, on, x, y, 2, n, p)
	drawDelta(f, on, x+2, y, KindRack, f.Snap.Racks.ID(n))
	if f.Snap.Racks.ID(n) != caret {
		return
	}
	on.Text(x-1, y, f.Theme.Glyphs.Caret, widget.Bold)
	if focus {
		on.Select(x-1, y, 3)
	}
}

// height is how many rows draw takes for a region in w columns.
func (g *grid) height(f Frame, region string, w int) int {
	per, h := max(1, (w-2)/3), 0
	for _, l := range g.in(f) {
		if l.region == region {
			h += (len(l.racks) + per - 1) / per
		}
	}
	return h
}
