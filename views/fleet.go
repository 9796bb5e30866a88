package views

import (
	"math"
	"slices"
	"strconv"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/keys"
	"plumb/views/widget"
)

// Fleet is the first screen: what is wrong and why, then the regions as cards
// with their racks, then every device that needs a person.
type Fleet struct {
	rack  string // under the caret of the floor plan
	paint Paint
	lower bool // the caret is in the list
	upper bool // the caret is on a cause
	still bool // no caret at all: the wall
	list  list
	cause list
	memo  *fleetMemo
}

type fleetMemo struct {
	troubles troubles
	grid     grid
	facts    regionFacts
}

// NewFleet returns the fleet's screen.
func NewFleet() View { return Fleet{memo: &fleetMemo{}} }

// ID implements View.
func (v Fleet) ID() string { return "fleet" }

// Crumbs implements View.
func (v Fleet) Crumbs(Frame) []string { return []string{"fleet"} }

// Needs implements View.
func (v Fleet) Needs(f Frame) []fleet.Query {
	return append(v.memo.facts.needs(f), derivedQuery(derivedCauses))
}

// at returns the rack of the caret, the first where none was chosen.
func (v Fleet) at(f Frame) string {
	if v.still {
		return ""
	}
	if f.Snap.Racks.Get(v.rack) != nil {
		return v.rack
	}
	return v.memo.grid.step(f, "", 0, 0)
}

func (v Fleet) rows(f Frame) rows {
	t := v.memo.troubles.of(f)
	return rows{len(t.rows), func(i int) string { return t.rows[i].key() }}
}

// causes are what the caret can stand on in the verdict.
func (v Fleet) causes(f Frame) rows {
	l := v.memo.troubles.of(f).lines
	return rows{len(l), func(i int) string { return l[i].key() }}
}

// Selected implements View.
func (v Fleet) Selected(f Frame) (kind, id string) {
	if i := v.cause.index(v.causes(f)); v.upper && i >= 0 {
		return v.memo.troubles.of(f).lines[i].subject(f)
	}
	if i := v.list.index(v.rows(f)); v.lower && i >= 0 {
		return v.memo.troubles.of(f).rows[i].subject(f)
	}
	return KindRack, v.at(f)
}

// Handle implements View.
func (v Fleet) Handle(f Frame, c keys.Command) (View, Intent) {
	switch c.ID {
	case "pane.next", "pane.back":
		return v.turnTo(f, c.ID == "pane.back"), nil
	case "paint":
		v.paint = (v.paint + 1) % numPaints
		return v, nil
	}
	if v.upper && v.causes(f).n > 0 {
		return v.onCause(f, c)
	}
	if v.lower {
		return v.onList(f, c)
	}
	dx, dy := 0, 0
	switch c.ID {
	case "move.up":
		dy = -1
		if line, _ := v.memo.grid.find(f, v.at(f)); line == 0 && v.causes(f).n > 0 {
			v.upper, v.cause = true, v.cause.to(v.causes(f).n-1, v.causes(f))
			return v, nil
		}
	case "move.down":
		dy = 1
		if line, _ := v.memo.grid.find(f, v.at(f)); line == len(v.memo.grid.in(f))-1 && v.rows(f).n > 0 {
			v.lower = true
			return v, nil
		}
	case "move.left":
		dx = -1
	case "move.right":
		dx = 1
	case "move.first":
		dy = -1 << 20
	case "move.last":
		dy = 1 << 20
	default:
		return v, nil
	}
	v.rack = v.memo.grid.step(f, v.at(f), dx, dy)
	return v, nil
}

// turnTo moves the caret to the next pane that has something to stand on: the
// floor plan, the list, the causes.
func (v Fleet) turnTo(f Frame, back bool) Fleet {
	panes := []bool{true, v.rows(f).n > 0, v.causes(f).n > 0}
	at, step := 0, 1
	switch {
	case v.upper:
		at = 2
	case v.lower:
		at = 1
	}
	if back {
		step = 2
	}
	for at = (at + step) % 3; !panes[at]; at = (at + step) % 3 {
	}
	v.lower, v.upper = at == 1, at == 2
	return v
}

// onList carries out what a command means to the list of what needs a person.
func (v Fleet) onList(f Frame, c keys.Command) (View, Intent) {
	i := v.list.index(v.rows(f))
	switch {
	case c.ID == "move.up" && i == 0:
		v.lower = false
		return v, nil
	case c.ID == "enter" && i >= 0:
		r := &v.memo.troubles.of(f).rows[i]
		if in := openDoor(r.line); in != nil {
			return v, in
		}
		if r.rest > 0 {
			return v, openTrace(f, v, r.line.cause.ID)
		}
		return v, nil
	}
	v.list, _ = v.list.move(c, v.rows(f), page(f))
	return v, nil
}

// onCause carries out what a command means to the causes of the verdict.
func (v Fleet) onCause(f Frame, c keys.Command) (View, Intent) {
	r := v.causes(f)
	switch {
	case c.ID == "enter":
		l := &v.memo.troubles.of(f).lines[v.caret(f)]
		if in := openDoor(l); in != nil {
			return v, in
		}
		if _, id := l.subject(f); id != "" {
			return v, openTrace(f, v, id)
		}
		return v, Toast{Text: "several devices: the list below has each"}
	case c.ID == "move.down" && v.cause.index(r) == r.n-1:
		v.upper = false
		return v, nil
	}
	v.cause, _ = v.cause.move(c, r, page(f))
	return v, nil
}

// caret is the row of the verdict that the caret stands on, -1 where none.
func (v Fleet) caret(f Frame) int {
	if !v.upper {
		return -1
	}
	return v.cause.index(v.causes(f))
}

// Draw implements View.
func (v Fleet) Draw(f Frame, on widget.Canvas) {
	if f.Snap.Regions.Len() == 0 {
		drawEmpty(f, on, "no regions", "the inventory is empty; add regions, sites and racks to the configuration")
		return
	}
	t := v.memo.troubles.of(f)
	top := min(2+min(len(t.lines), max(3, on.H/8)), max(8, on.H/6))
	if f.Theme.Flat || on.H < 16 {
		drawVerdict(f, on.Sub(0, 0, on.W-1, top-1), t, v.caret(f))
		top--
	} else {
		top += 2
		drawVerdict(f, widget.Box(on.Sub(0, 0, on.W, top), f.Theme, "verdict", "racks: "+v.paint.legend(), v.upper).Sub(0, 0, on.W-3, top-2), t, v.caret(f))
	}
	y := top + v.drawCards(f, on.Sub(0, top, on.W, on.H-top))
	y += drawRegionStrips(f, on.Sub(0, y, on.W, on.H-y), v.at(f), v.paint)
	v.drawLower(f, on.Sub(0, y, on.W, on.H-y), t)
}

// cardColumns is how many cards stand side by side.
func cardColumns(f Frame, w int) int {
	return max(1, min(f.Snap.Regions.Len(), w/52))
}

// drawCards draws the regions and returns the rows they took.
func (v Fleet) drawCards(f Frame, on widget.Canvas) int {
	columns := cardColumns(f, on.W)
	if columns == 1 {
		return v.drawStrips(f, on)
	}
	w := on.W / columns
	y, tallest, i := 0, 0, 0
	for id := range f.Snap.Regions.All() {
		h := v.memo.grid.height(f, id, w-4) + 6
		card := on.Sub(i*w, y, w, h)
		if i == columns-1 {
			card = on.Sub(i*w, y, on.W-i*w, h)
		}
		v.drawCard(f, card, id)
		tallest = max(tallest, h)
		if i++; i == columns {
			i, y, tallest = 0, y+tallest, 0
		}
	}
	return min(y+tallest, on.H)
}

func (v Fleet) drawCard(f Frame, on widget.Canvas, id string) {
	r := f.Snap.Regions.Get(id)
	caret := v.at(f)
	here := !v.lower && f.Snap.Racks.Get(caret) != nil && f.Snap.Racks.Get(caret).Spec.Region == id
	note := fleet.Count(r.Racks, "rack") + "  " + fleet.Count(r.Devices, "device")
	title := id + " " + f.Theme.Glyphs.State(r.State)
	if now := f.now(KindRegion, id); now != "" {
		title += " " + f.Theme.Glyphs.Delta + " now " + now
	}
	box := widget.Box(on, f.Theme, title, note, here)
	in := box.Sub(1, 0, box.W-2, box.H)
	plan := in
	if rows := v.memo.grid.height(f, id, in.W/2); on.W >= factsRoom && rows >= 2 && rows == v.memo.grid.height(f, id, in.W) {
		plan = in.Sub(0, 0, in.W/2, in.H)
		v.memo.facts.draw(f, in.Sub(in.W/2, 0, in.W-in.W/2, rows+1), id)
	}
	y := v.memo.grid.draw(f, plan, 0, id, caret, v.paint, !v.lower) + 1
	if len(f.Snap.RacksOf[id]) == 0 {
		in.Text(0, 0, "no racks", widget.Dim)
	}
	drawRegionPower(f, in, 0, y, in.W, id)
	drawRegionSpace(f, in, 0, y+1, in.W, id)
	drawRegionStates(f, in, 0, y+2, r, v.memo.facts.in(f, id).debt)
}

// drawStrips draws the regions without frames, for narrow screens.
func (v Fleet) drawStrips(f Frame, on widget.Canvas) int {
	y, caret := 0, v.at(f)
	for id, r := range f.Snap.Regions.All() {
		if y+2 >= on.H-4 && y > 0 {
			on.Text(1, y, "more regions: 2 Racks shows all", widget.Dim)
			return y + 1
		}
		x := on.Glyph(f.Theme, 1, y, r.State) + 1
		drawDelta(f, on, 0, y, KindRegion, id)
		x = on.Cut(f.Theme, x, y, 14, id, widget.Bold) + 1
		x = max(x, 10)
		drawRegionPower(f, on, x, y, min(36, (on.W-x)/2), id)
		half := x + min(36, (on.W-x)/2) + 2
		drawRegionSpace(f, on, half, y, on.W-half-1, id)
		y++
		racks := on.Sub(3, 0, on.W-4, on.H)
		if v.memo.grid.drawLine(f, racks, y, id, caret, v.paint, !v.lower) {
			y++
			continue
		}
		y = v.memo.grid.draw(f, racks, y, id, caret, v.paint, !v.lower)
	}
	return y
}

// drawRegionPower draws the load of the region against what one feed of each
// of its sites carries alone.
func drawRegionPower(f Frame, on widget.Canvas, x, y, w int, id string) {
	r, limit := f.Snap.Regions.Get(id), math.NaN()
	for site, s := range f.Snap.Sites.All() {
		if s.Spec.Region != id {
			continue
		}
		if l := capacity.SiteLimitW(f.Snap, site); !math.IsNaN(l) {
			if math.IsNaN(limit) {
				limit = 0
			}
			limit += l
		}
	}
	share := r.PowerW.Float() / limit
	text := percent(share) + " " + watts(r.PowerW)
	if math.IsNaN(share) {
		text = watts(r.PowerW)
	}
	gauge(f, on, x, y, w, "power", share, text, widget.LoadStyle(share, 0.85, 1))
}

func drawRegionSpace(f Frame, on widget.Canvas, x, y, w int, id string) {
	units, free := 0, 0
	for _, n := range f.Snap.RacksOf[id] {
		r := f.Snap.Racks.At(n)
		units, free = units+r.Spec.Units, free+r.FreeUnits
	}
	if units == 0 {
		return
	}
	share := float64(units-free) / float64(units)
	gauge(f, on, x, y, w, "space", share, percent(share)+" "+strconv.Itoa(free)+"U", widget.LoadStyle(share, 0.9, 0.98))
}

// gauge draws a label, a bar and a text in w columns.
func gauge(f Frame, on widget.Canvas, x, y, w int, label string, share float64, text string, st widget.Style) {
	on = on.Sub(x, y, w, 1)
	const labelW, textW = 6, 13
	on.Text(0, 0, label, widget.Dim)
	widget.Bar(on, f.Theme, labelW, 0, max(4, w-labelW-textW-1), share, st)
	on.Cut(f.Theme, max(labelW+4, w-textW)+1, 0, textW-1, text, widget.Plain)
}

// drawRegionStates writes what of the region is not in order.
func drawRegionStates(f Frame, on widget.Canvas, x, y int, r *fleet.Region, debt float64) {
	for _, s := range [...]fleet.State{fleet.StateCrit, fleet.StateWarn, fleet.StateUnknown, fleet.StateOff, fleet.StateOK} {
		if r.By[s] == 0 {
			continue
		}
		x = on.Text(x, y, f.Theme.Glyphs.State(s), widget.StateStyle(s))
		x = on.Text(x, y, strconv.Itoa(r.By[s]), widget.Plain) + 2
	}
	if r.Blind > 0 {
		x = on.Text(x, y, strconv.Itoa(r.Blind)+" blind", widget.Unknown) + 2
	}
	if r.DriftOpen > 0 {
		x = on.Text(x, y, f.Theme.Glyphs.Drift+strconv.Itoa(r.DriftOpen), widget.Drift)
		if debt >= 0.05 { // what rounds to nothing is none
			on.Text(x, y, " debt "+strconv.FormatFloat(debt, 'f', 1, 64)+" d", widget.Dim)
		}
	}
}

// drawLower draws the list of devices that need a person and, where there is
// room, the newest events.
func (v Fleet) drawLower(f Frame, on widget.Canvas, t *troubles) {
	if on.H < 2 {
		return
	}
	left := on
	if on.W >= 140 {
		left = on.Sub(0, 0, on.W*3/5, on.H)
		right := on.Sub(left.W, 0, on.W-left.W, on.H)
		in := widget.Box(right, f.Theme, "newest alerts", "8 shows all", false)
		drawEventLines(f, in, f.Snap.Recent)
	}
	if spare := left.H - max(len(t.rows), 4) - 3; left.W >= 80 && spare >= 10 {
		h := min(spare, max(f.Snap.Services.Len()+f.Snap.Clouds.Len(), f.Snap.Feeds.Len())+3)
		below := left.Sub(0, left.H-h, left.W, h)
		left = left.Sub(0, 0, left.W, left.H-h)
		drawServiceLines(f, below.Sub(0, 0, below.W*3/5, h))
		feeds := widget.Box(below.Sub(below.W*3/5, 0, below.W-below.W*3/5, h), f.Theme, "feeds", "of their breakers", false)
		drawFeeds(f, feeds.Sub(1, 0, feeds.W-2, feeds.H))
	}
	note := fleet.Count(len(t.lines), "finding")
	if t.wrong > 0 {
		note += ", " + fleet.Count(t.wrong, "device")
	}
	in := left
	if on.H >= 5 {
		in = widget.Box(left, f.Theme, "needs attention", note, v.lower)
	}
	if len(t.rows) == 0 {
		in.Text(1, 0, "every device that is watched answers and is in order", widget.Dim)
		return
	}
	at := v.list.index(v.rows(f))
	if !v.lower {
		at = -1
	}
	differs := func(row int) bool {
		r := &t.rows[row]
		return r.dev >= 0 && f.now(KindDevice, f.Snap.Devices.ID(r.dev)) != ""
	}
	columns := troubleColumns
	if !slices.ContainsFunc(t.rows, func(r attention) bool { return r.dev >= 0 }) {
		columns = placelessColumns
	}
	widget.Table{Columns: columns, Rows: len(t.rows), At: at, Focus: true, Sort: -1, Differs: differs}.Draw(in, f.Theme,
		func(on widget.Canvas, row, col int) { attentionCell(f, on, t, row, columns[col].Title) })
}

var troubleColumns = []widget.Column{
	{Title: "", Min: 1}, {Title: "device", Min: 16, Max: 26}, {Title: "rack", Min: 9, Max: 12, Rank: 3}, {Title: "U", Min: 4, Right: true, Rank: 5},
	{Title: "model", Min: 10, Max: 18, Rank: 6}, {Title: "why", Min: 40, Max: 110, Rest: true}, {Title: "owner", Min: 8, Max: 12, Rank: 7}, {Title: "seen", Min: 5, Right: true, Rank: 2},
}

// placelessColumns are those of them that say something of what is no device.
var placelessColumns = []widget.Column{troubleColumns[0], {Title: "what", Min: 16, Max: 26}, troubleColumns[2], troubleColumns[5]}

// drawEmpty says what is missing and what to do about it.
func drawEmpty(f Frame, on widget.Canvas, what, hint string) {
	y := max(0, on.H/3)
	x := max(1, (on.W-max(widget.Width(what), widget.Width(hint)))/2)
	on.Cut(f.Theme, x, y, on.W-x-1, what, widget.Bold)
	on.Wrap(x, y+1, on.W-x-1, 4, hint, widget.Dim)
}
