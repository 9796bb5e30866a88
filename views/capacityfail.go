package views

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views/widget"
)

// drawFailures draws what each failure does and who hangs on one cord, with the
// caret where the page has one.
func drawFailures(f Frame, on widget.Canvas, l subjectLook) {
	failures := 0
	for failures < len(l.lines) && l.lines[failures].loss != nil {
		failures++
	}
	in := widget.Box(on, f.Theme, "when it fails", failuresNote(l.lines[:failures], len(l.lines)-failures), l.focus)
	if l.focus {
		widget.Foot(on, f.Theme, l.hint, widget.Dim)
	}
	if len(l.lines) == 0 {
		in.Text(1, 0, "no feed, UPS or PDU of it is known", widget.Unknown)
		return
	}
	head := "on one part alone, the heaviest first"
	n := len(l.lines)
	if failures < n {
		n++ // the heading
	}
	at := l.at
	if at >= failures {
		at++
	}
	top := widget.Window(n, at, in.H)
	for y := 0; y < in.H && top+y < n; y++ {
		i := top + y
		if i == failures {
			in.Text(2, y, head, widget.Dim)
			continue
		}
		if i > failures {
			i--
		}
		drawRoomLine(f, in.Sub(0, y, in.W, 1), &l.lines[i])
		if i == l.at {
			in.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			in.Select(0, y, in.W)
		}
	}
	widget.Scroll(in, f.Theme, n, at)
}

// failuresNote says in a few words what the failures would do.
func failuresNote(list []roomLine, alone int) string {
	over, blind := 0, map[string]bool{}
	for i := range list {
		over += btoi(slices.ContainsFunc(list[i].to, func(c capacity.Carry) bool { return c.Over() }))
		for _, c := range list[i].to {
			if !c.LimitW.Known {
				blind[c.Part] = true
			}
		}
	}
	var parts []string
	if over > 0 {
		parts = append(parts, fleet.Count(over, "failure")+" would break a limit")
	}
	if alone > 0 {
		parts = append(parts, fleet.Count(alone, "machine")+" on one part alone")
	}
	for part := range blind {
		if len(blind) > 1 {
			part = strconv.Itoa(len(blind)) + " parts"
		}
		parts = append(parts, "limit of "+part+" not known")
		break
	}
	if len(parts) == 0 && len(list) > 0 {
		return "every one is carried"
	}
	return strings.Join(parts, ", ")
}

// drawRoomLine draws one line: a part that fails with where its load goes, or a
// machine on one cord.
func drawRoomLine(f Frame, on widget.Canvas, l *roomLine) {
	if l.loss == nil {
		on.Cut(f.Theme, 4, 0, 20, l.id, widget.Link)
		on.CutRight(f.Theme, 25, 0, 7, watts(l.watts), widget.Plain)
		text, st := "hangs on "+l.on+" alone", widget.Dim
		if l.dead {
			text, st = "hung on "+l.on+" alone: it has no power now", widget.Crit
		}
		on.Cut(f.Theme, 34, 0, on.W-34, text, st)
		return
	}
	glyph, st := lossMark(f, l)
	on.Text(2, 0, glyph, st)
	on.Cut(f.Theme, 4, 0, 14, l.id, widget.Link)
	on.CutRight(f.Theme, 19, 0, 7, watts(l.loss.LoadW), widget.Plain)
	text, st := lossText(f, l)
	on.Cut(f.Theme, 28, 0, on.W-28, text, st)
}

// lossMark is the glyph of a failure: what it would break, or that it holds.
func lossMark(f Frame, l *roomLine) (string, widget.Style) {
	g := f.Theme.Glyphs
	switch {
	case l.loss.Dark:
		return g.Crit, widget.Crit
	case len(l.to) == 0 && l.alone > 0:
		return g.Warn, widget.Warn
	case len(l.to) == 0:
		return g.Empty, widget.Dim
	case !l.to[0].LimitW.Known:
		return g.Unknown, widget.Unknown
	case l.to[0].Over():
		return g.Crit, widget.Crit
	case l.alone > 0:
		return g.Warn, widget.Warn
	}
	return g.OK, widget.OK
}

// lossText says where the load of a part goes, and what that breaks.
func lossText(f Frame, l *roomLine) (string, widget.Style) {
	alone := ""
	if l.alone > 0 {
		alone = "; " + fleet.Count(l.alone, "machine") + " lost"
	}
	switch {
	case l.loss.Dark:
		return "gives nothing now: what hung on it runs on its other cord", widget.Crit
	case len(l.to) == 0 && l.alone > 0:
		return "nothing takes over: all cords of " + fleet.Count(l.alone, "machine") + " lie below it", widget.Warn
	case len(l.to) == 0:
		return "nothing is known to hang on it", widget.Dim
	}
	c := &l.to[0]
	text := f.Theme.Glyphs.Into + " " + c.Part + " "
	if !c.LimitW.Known {
		return text + watts(c.AfterW) + ", its limit is not known" + alone, widget.Unknown
	}
	text += percent(c.Share()) + ": " + watts(c.AfterW) + " of " + watts(c.LimitW)
	switch {
	case c.Phase > 0:
		return text + ", phase " + strconv.Itoa(c.Phase) + " over by " + watts(fleet.FromFloat(c.OverW.Float()/3, 0)) + alone, widget.Crit
	case c.Over():
		return text + ", over by " + watts(c.OverW) + alone, widget.Crit
	}
	text += alone
	if n := len(l.to) - 1; n > 0 {
		text += "; the fullest of " + strconv.Itoa(n+1)
	}
	if l.alone > 0 {
		return text, widget.Warn
	}
	return text, widget.Plain
}

// Bounds of the chart of what is ahead.
const (
	aheadBack  = 60 * 24 * time.Hour
	aheadLeast = 24 * time.Hour
)

// drawAheadChart draws the history of a subject's load against its limit, and
// the fan of where it may go.
func drawAheadChart(f Frame, on widget.Canvas, sub *capacity.Subject, way *capacity.Row, line *capacity.Forecast) {
	note := "no history is kept"
	if way != nil {
		note = way.Runway
		if way.Foreseen() {
			note += "; confidence " + way.Confidence.String()
		}
	}
	x := sub.Row(line.Resource)
	if x == nil {
		return
	}
	in := widget.Box(on, f.Theme, "ahead: "+string(line.Resource)+" of "+line.ID+", by the hour, against "+amountOfRow(line.Limit, x), "", false)
	widget.Foot(on, f.Theme, note, widget.Bold)
	if len(line.Samples) == 0 {
		in.Text(1, 0, "no history is kept", widget.Unknown)
		return
	}
	points := make([]fleet.Point, len(line.Samples))
	for i, s := range line.Samples {
		points[i] = fleet.Point{Ms: s.At.UnixMilli(), Mean: fleet.FromFloat(s.V, 0)}
	}
	back := min(max(f.At.Sub(line.Samples[0].At), aheadLeast), aheadBack)
	ch := widget.Chart{Series: widget.Series{Points: points, From: f.At.Add(-back), To: f.At}, Limits: fleet.Limits{HighCrit: line.Limit},
		Format: func(v float64) string { return amountOfRow(fleet.FromFloat(v, 0), x) }, Style: widget.Fill, Whole: true}
	if line.Line.Trend() {
		ch.To = f.At.Add(aheadTo(f, way, back))
		ch.Ahead = &widget.Ahead{At: line.Line.Last, Level: line.Line.Peak, Slope: line.Line.Slope, Low: line.Line.Low, High: line.Line.High}
	}
	ch.Draw(in, f.Theme)
}

// aheadTo is how far ahead the chart reaches: a little beyond the latest end,
// within reason.
func aheadTo(f Frame, way *capacity.Row, back time.Duration) time.Duration {
	to := back
	for _, t := range []*time.Time{way.At, way.High} {
		if t != nil {
			to = max(to, t.Sub(f.At)*5/4)
		}
	}
	return min(to, 180*24*time.Hour)
}
