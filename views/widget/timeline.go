package widget

import (
	"time"

	"plumb/fleet"
)

// Timeline draws one row of time from `from` to `to` with a mark for the worst
// event of each column; events may stand in any order.
func Timeline(c Canvas, th *Theme, from, to time.Time, events []fleet.Event) {
	span := to.Sub(from)
	if c.W <= 0 || span <= 0 {
		return
	}
	c.Rune(0, 0, c.W, th.Glyphs.Dots, Rest)
	var worst [maxColumns]fleet.Severity
	var seen [maxColumns]bool
	w := min(c.W, maxColumns)
	for i := range events {
		e := &events[i]
		if e.At.Before(from) || e.At.After(to) {
			continue
		}
		x := min(int(int64(e.At.Sub(from))*int64(w)/int64(span)), w-1)
		if !seen[x] || e.Severity > worst[x] {
			seen[x], worst[x] = true, e.Severity
		}
	}
	for x := range w {
		if seen[x] {
			c.Text(x, 0, th.Glyphs.Severity(worst[x]), SeverityStyle(worst[x]))
		}
	}
}

// Density counts events of at least one severity per column, for a histogram
// over time.
func Density(out []float64, from, to time.Time, events []fleet.Event, least fleet.Severity) {
	clear(out)
	span := to.Sub(from)
	for i := range events {
		e := &events[i]
		if e.Severity < least || span <= 0 || e.At.Before(from) || e.At.After(to) {
			continue
		}
		out[min(int(int64(e.At.Sub(from))*int64(len(out))/int64(span)), len(out)-1)]++
	}
}
