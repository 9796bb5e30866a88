package views

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Chrome is what the session adds around a view: prompts, toasts, the palette.
type Chrome struct {
	Prompt    *Prompt
	Toast     string // one line in the alert row, instead of the newest alerts
	Bad       bool   // the toast says that something failed or was refused
	Notice    string // progress and warnings that stay: "filling in history 40%"
	Trouble   string // what is wrong with plumb itself: "no space left on device"
	Palette   []keys.Match
	PaletteAt int  // the row of the palette's caret
	Paused    bool // the person holds the screen still
}

// promptLeast are the columns of a prompt that are kept for what is typed.
const promptLeast = 20

// fitting is the first of several wordings of one thing that has room, or the
// last, which is the shortest.
func fitting(room int, words ...string) string {
	for _, w := range words {
		if widget.Width(w) <= room {
			return w
		}
	}
	return words[len(words)-1]
}

// Prompt is an open prompt in the alert row.
type Prompt struct {
	Label  string // ":", "/", "reason"
	Text   string
	Cursor int // in columns of Text; -1: at its end
}

// Cursor is where the terminal's cursor belongs; Show false hides it.
type Cursor struct {
	X, Y int
	Show bool
}

// least is the smallest screen with frames; below it there is one plain list.
const leastW, leastH = 60, 18

// Compose draws a whole screen: the view v on frame f with the session's
// chrome. The canvas is blank when it comes in; f.Width and f.Height are its
// size.
func Compose(f Frame, v View, ch Chrome, on widget.Canvas) Cursor {
	f = f.whole()
	on.Restrict(f.Theme.Ascii)
	if v.ID() == "wall" {
		v.Draw(f, on)
		return overlay(f, ch, on)
	}
	if on.W < leastW || on.H < leastH {
		return composeSmall(f, v, ch, on)
	}
	bottom := 2
	if on.H >= 22 {
		bottom = 3
		drawStrip(f, on.Sub(0, on.H-3, on.W, 1))
	}
	drawHeader(f, v, ch, on.Sub(0, 0, on.W, 1))
	v.Draw(f, on.Sub(0, 1, on.W, on.H-1-bottom))
	drawFooter(f, v, on.Sub(0, on.H-1, on.W, 1))
	alerts := on.Sub(0, on.H-2, on.W, 1)
	if len(ch.Palette) > 0 {
		drawPalette(f, ch, on.Sub(0, 1, on.W, on.H-3))
	}
	return drawAlerts(f, ch, alerts).under(on.H - 2)
}

func (c Cursor) under(y int) Cursor { c.Y = y; return c }

func composeSmall(f Frame, v View, ch Chrome, on widget.Canvas) Cursor {
	f.Theme = f.Theme.WithoutBoxes()
	drawHeader(f, v, ch, on.Sub(0, 0, on.W, 1))
	v.Draw(f, on.Sub(0, 1, on.W, on.H-2))
	if len(ch.Palette) > 0 {
		drawPalette(f, ch, on.Sub(0, 1, on.W, on.H-2))
	}
	return drawAlerts(f, ch, on.Sub(0, on.H-1, on.W, 1)).under(on.H - 1)
}

// overlay draws prompt, toast and trouble over a view that takes the whole screen.
func overlay(f Frame, ch Chrome, on widget.Canvas) Cursor {
	if ch.Prompt == nil && ch.Toast == "" && ch.Trouble == "" {
		return Cursor{}
	}
	row := on.Sub(0, on.H-1, on.W, 1)
	row.Fill(widget.Plain)
	if len(ch.Palette) > 0 {
		drawPalette(f, ch, on.Sub(0, 1, on.W, on.H-2))
	}
	return drawAlerts(f, ch, row).under(on.H - 1)
}

// StaleAfter is how old a snapshot may be before the screen says so.
func StaleAfter(s *fleet.Snapshot) time.Duration {
	return max(2*s.Intervals[fleet.LaneFast], 5*time.Second)
}

// drawHeader draws where we are, how the fleet is, who is here and the time.
// From the right: what must never be cut comes first.
func drawHeader(f Frame, v View, ch Chrome, on widget.Canvas) {
	x := drawFrozen(f, on, drawClock(f, ch, on))
	if len(f.Here) > 0 && on.W >= 90 {
		x = on.Right(x-2, 0, hereText(f, on.W >= 160), widget.Dim)
	}
	if on.W >= 120 && f.User != "" {
		x = on.Right(x-2, 0, f.User+" ("+f.Role.String()+")", widget.Dim)
	}
	if on.W >= 50 {
		x = drawCounts(f, on, drawDiffer(f, on, x-2))
	}
	if on.W >= 70 {
		x = drawWaiting(f, on, x)
	}
	at := on.Text(1, 0, "plumb", widget.Bold) + 2
	drawCrumbs(f, v, on.Sub(at, 0, x-at-1, 1))
}

// hereText says who else is here: names where there is room, else how many.
func hereText(f Frame, names bool) string {
	n := len(f.Here)
	if !names {
		return strconv.Itoa(n) + " here"
	}
	who := "here: "
	for i, h := range f.Here[:min(n, 4)] {
		name, _, _ := strings.Cut(h, " ")
		if i > 0 {
			who += ", "
		}
		who += name
	}
	if n > 4 {
		who += " and " + strconv.Itoa(n-4) + " more"
	}
	return who
}

func drawClock(f Frame, ch Chrome, on widget.Canvas) int {
	now := f.At.UTC().Format("15:04:05Z")
	switch age := f.At.Sub(f.Snap.At); {
	case !f.Live || !f.Snap.Live:
		layout := "2006-01-02 15:04:05Z"
		if on.W < 70 {
			layout = layout[len("2006-"):] // the counts need the room
		}
		return on.Right(on.W-1, 0, " HIST "+f.Snap.At.UTC().Format(layout)+" ", widget.Inverse)
	case ch.Paused:
		return on.Right(on.W-1, 0, " PAUSED "+now+" ", widget.Inverse)
	case f.Snap.Version == 0:
		return on.Right(on.W-1, 0, " STARTING "+now+" ", widget.Inverse)
	case age > StaleAfter(f.Snap):
		return on.Right(on.W-1, 0, " STALE "+span(age)+" "+now+" ", widget.Alarm)
	}
	x := on.Right(on.W-1, 0, now, widget.Plain)
	return on.Right(x-1, 0, "LIVE", widget.OK)
}

// drawDiffer says how many devices of the past are not so now.
func drawDiffer(f Frame, on widget.Canvas, x int) int {
	if f.Deltas == nil {
		return x
	}
	n := f.Deltas.Devices()
	switch {
	case on.W < 120 && n == 0:
		return x
	case on.W < 120:
		return on.Right(x, 0, f.Theme.Glyphs.Delta+strconv.Itoa(n), widget.Bold) - 1
	case n == 0:
		return on.Right(x, 0, "as now", widget.Dim) - 2
	}
	return on.Right(x, 0, f.Theme.Glyphs.Delta+" "+strconv.Itoa(n)+" differ from now", widget.Bold) - 2
}

// drawCounts draws what is not in order, by glyph: the services, then the
// devices; a healthy fleet shows one.
func drawCounts(f Frame, on widget.Canvas, x int) int {
	c, g := &f.Snap.Counts, f.Theme.Glyphs
	service, device := "svc ", ""
	switch {
	case on.W >= 120:
		service, device = "services ", "devices "
	case on.W >= 80:
		device = "dev "
	}
	if c.Blind > 0 && on.W >= 90 {
		x = on.Right(x, 0, strconv.Itoa(c.Blind)+" blind", widget.Unknown) - 1
	}
	if c.Maintenance > 0 {
		x = on.Right(x, 0, g.Maintenance+strconv.Itoa(c.Maintenance), widget.Maintenance) - 1
	}
	if c.DriftOpen > 0 {
		x = on.Right(x, 0, g.Drift+strconv.Itoa(c.DriftOpen), widget.Drift) - 1
	}
	devices, services := &c.By[fleet.KindOfDevice], &c.By[fleet.KindOfService]
	x = on.Right(drawWrong(f, on, x, devices, fleet.StateOff), 0, g.OK+strconv.Itoa(devices[fleet.StateOK]), widget.OK)
	x = on.Right(x, 0, device, widget.Dim)
	if services[fleet.StateCrit]+services[fleet.StateWarn]+services[fleet.StateUnknown] == 0 {
		return x
	}
	return on.Right(drawWrong(f, on, x-2, services)+1, 0, service, widget.Dim)
}

// drawWrong draws how many are not in order, or in one of more states, to the left
// of a column.
func drawWrong(f Frame, on widget.Canvas, x int, by *[fleet.NumStates]int, more ...fleet.State) int {
	for _, s := range append(more, fleet.StateUnknown, fleet.StateWarn, fleet.StateCrit) {
		if by[s] > 0 {
			x = on.Right(x, 0, f.Theme.Glyphs.State(s)+strconv.Itoa(by[s]), widget.StateStyle(s)) - 1
		}
	}
	return x
}

func drawCrumbs(f Frame, v View, on widget.Canvas) {
	crumbs := v.Crumbs(f)
	total := 0
	for _, c := range crumbs {
		total += widget.Width(c) + 3
	}
	for len(crumbs) > 1 && total-3 > on.W { // the innermost matter most
		total -= widget.Width(crumbs[0]) + 3
		crumbs = crumbs[1:]
	}
	x := 0
	for i, c := range crumbs {
		st := widget.Dim
		if i == len(crumbs)-1 {
			st = widget.Bold
		}
		if i > 0 {
			x = on.Text(x+1, 0, f.Theme.Glyphs.Crumb, widget.Dim) + 1
		}
		x = on.Cut(f.Theme, x, 0, on.W-x, c, st)
	}
}

// stripSpan is how far the time strip reaches back.
func stripSpan(f Frame) time.Duration {
	if f.Width >= 160 {
		return 6 * time.Hour
	}
	return 2 * time.Hour
}

func stripQuery(f Frame) fleet.Query {
	return fleet.Query{Kind: fleet.QueryEvents, Span: stripSpan(f), Limit: 1000}
}

// recent returns the events of a stretch: the answer where it is there, else
// what the snapshot remembers.
func recent(f Frame, q fleet.Query) []fleet.Event {
	if f.Answers != nil {
		if a, ok := f.Answers.Get(q); ok && a.Err == nil {
			return a.Events
		}
	}
	return f.Snap.Recent
}

func drawStrip(f Frame, on widget.Canvas) {
	from := f.At.Add(-stripSpan(f))
	x := on.Text(1, 0, from.UTC().Format("15:04"), widget.Dim) + 1
	end := on.Right(on.W-1, 0, "now", widget.Dim)
	if !f.Live {
		end = on.Right(on.W-1, 0, f.At.UTC().Format("15:04"), widget.Dim)
	}
	widget.Timeline(on.Sub(x, 0, end-x-1, 1), f.Theme, from, f.At, recent(f, stripQuery(f)))
}

// drawAlerts draws the row under the strip: a prompt, else a toast, else
// what is wrong with plumb itself, else what stands, then a notice or the newest
// alerts.
func drawAlerts(f Frame, ch Chrome, on widget.Canvas) Cursor {
	switch {
	case ch.Prompt != nil:
		p := ch.Prompt
		x := on.Cut(f.Theme, 1, 0, max(on.W-promptLeast, 1), p.Label, widget.Key) + 1
		if len(p.Label) == 1 {
			x--
		}
		room := on.Sub(x, 0, on.W-x-1, 1)
		at := p.Cursor
		if at < 0 {
			at = widget.Width(p.Text)
		}
		shift := max(0, at-room.W+1)
		room.Text(-shift, 0, p.Text, widget.Plain)
		return Cursor{X: x + at - shift, Show: true}
	case ch.Toast != "":
		st := widget.Bold
		if ch.Bad {
			st = widget.Crit
		}
		on.Cut(f.Theme, 1, 0, on.W-2, ch.Toast, st)
	case ch.Trouble != "":
		on.Cut(f.Theme, 1, 0, on.W-2, f.Theme.Glyphs.State(fleet.StateCrit)+" plumb: "+ch.Trouble, widget.Crit)
	case ch.Notice != "":
		x := drawStanding(f, on, 1)
		on.Cut(f.Theme, x, 0, on.W-x-1, ch.Notice, widget.Dim)
	default:
		drawNewest(f, on, drawStanding(f, on, 1))
	}
	return Cursor{}
}

// tabOf says which numbered view a screen belongs to.
var tabOf = map[string]string{"device": "open.devices", "switch": "open.network", "port": "open.network",
	"service": "open.services", "instance": "open.services", "instances": "open.services", "finding": "open.drift",
	"security": "open.drift", "alert": "open.alerts", "silences": "open.alerts", "events": "open.alerts", "hush": "open.alerts", "job": "open.jobs", "room": "open.capacity", "placement": "open.capacity", "whatif-add": "open.capacity"}

// drawFooter draws the numbered views and the hints of this one, by rank.
func drawFooter(f Frame, v View, on widget.Canvas) {
	if f.Keys == nil {
		return
	}
	x := drawTabs(f, v, on)
	on = on.Sub(x, 0, on.W-x, 1)
	hints := make([]widget.Hint, 0, 24)
	ranks := make([]int, 0, 24)
	scene := Scene(f, v)
	for _, c := range f.Keys.All() {
		rank := c.Rank
		if past := c.RankPast; past > 0 && !f.Live {
			rank = past
		}
		if rank < 20 || len(c.Keys.Keys()) == 0 || !c.Hears(c.Keys.Keys()[0], v.ID()) || c.Why(scene) != "" {
			continue
		}
		i, _ := slices.BinarySearch(ranks, rank+1)
		ranks = slices.Insert(ranks, i, rank)
		hints = slices.Insert(hints, i, widget.Hint{Key: c.Keys.Help().Key, Word: c.Title})
	}
	widget.Hints(on, 0, hints)
}

// tabWord shortens a view's word for a narrow screen.
func tabWord(title string, w int) string {
	if w >= 100 {
		return title
	}
	switch title {
	case "Racks":
		return "Rack"
	case "Devices":
		return "Dev"
	case "Services":
		return "Svc"
	case "Capacity":
		return "Cap"
	case "Alerts":
		return "Alrt"
	case "Jobs":
		return "Job"
	}
	return title
}

// drawTabs draws the numbered views. Where room is short the first screen, on
// which people learn them, names them all; the others leave the room to the keys
// of what stands there.
func drawTabs(f Frame, v View, on widget.Canvas) int {
	here := tabOf[v.ID()]
	if here == "" {
		here = "open." + v.ID()
	}
	named := on.W >= 100 || on.W >= 80 && v.ID() == "fleet"
	x := 1
	for _, c := range f.Keys.All() {
		if c.Rank < 10 || c.Rank >= 20 || len(c.Keys.Keys()) == 0 || !c.Hears(c.Keys.Keys()[0], v.ID()) {
			continue
		}
		st := widget.Dim
		if c.ID == here {
			st = widget.Bold
		}
		x = on.Text(x, 0, c.Keys.Help().Key, widget.Key)
		if named || c.ID == here {
			x = on.Text(x, 0, tabWord(c.Title, on.W), st)
		}
		x++
	}
	return x
}

// drawPalette draws the matches above the prompt.
func drawPalette(f Frame, ch Chrome, on widget.Canvas) {
	h := min(len(ch.Palette), max(3, on.H/2))
	box := on.Sub(0, on.H-h-2, on.W, h+2)
	box.Fill(widget.Plain)
	in := widget.Box(box, f.Theme, "command", "up down choose, tab completes, enter runs", true)
	top := widget.Window(len(ch.Palette), ch.PaletteAt, in.H)
	for y := 0; y < in.H && top+y < len(ch.Palette); y++ {
		m := &ch.Palette[top+y]
		st, note := widget.Plain, m.Command.Help
		if m.Why != "" {
			st, note = widget.Off, m.Why
		}
		if top+y == ch.PaletteAt {
			in.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
		}
		x := max(in.Cut(f.Theme, 2, y, in.W/2, m.Text, st), 26)
		if len(m.Command.Params) > 0 && len(m.Command.Args) == 0 && m.Why == "" {
			x = in.Text(in.Text(2, y, m.Text, st)+1, y, strings.ToUpper(m.Command.Params[0]), widget.Link)
			x = max(x, 26)
		}
		end := in.Right(in.W-1, y, m.Command.Keys.Help().Key, widget.Key)
		in.Cut(f.Theme, x+1, y, end-x-2, note, widget.Dim)
		if top+y == ch.PaletteAt {
			in.Select(0, y, in.W)
		}
	}
}
