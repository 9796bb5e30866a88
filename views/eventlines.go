package views

import (
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/views/widget"
)

// together is how close events of one kind must be to be told as one.
const together = 2 * time.Minute

// told is one line about events that say the same of several things.
type told struct {
	*fleet.Event     // the newest
	more         int // others that say the same
}

// who names what the line is about.
func (t told) who() string {
	if t.more == 0 {
		return t.Target
	}
	return t.Target + " +" + strconv.Itoa(t.more)
}

// fold joins events that say the same, digits aside, within a short time: a
// lost feed is one line, not one for each server on it. At most so many lines
// are made.
func fold(events []fleet.Event, most int) []told {
	out := make([]told, 0, min(most, len(events)))
next:
	for i := range events {
		e := &events[i]
		for j := range out {
			o := &out[j]
			if o.Severity == e.Severity && o.Source == e.Source && o.Target != e.Target && o.At.Sub(e.At) < together && sameWords(happening(o.Event), happening(e)) {
				o.more++
				continue next
			}
		}
		if len(out) == most {
			break
		}
		out = append(out, told{Event: e})
	}
	return out
}

// happening is what an event says, without "ok → crit:" in front: its glyph has
// said that.
func happening(e *fleet.Event) string {
	text := e.Text
	if was, why, ok := strings.Cut(text, ": "); ok && strings.Contains(was, " → ") {
		text = why
	}
	return strings.TrimSpace(e.Sensor + " " + text)
}

// sameWords compares texts without their digits.
func sameWords(a, b string) bool {
	for {
		a, b = strings.TrimLeft(a, "0123456789."), strings.TrimLeft(b, "0123456789.")
		if a == "" || b == "" {
			return a == b
		}
		if a[0] != b[0] {
			return false
		}
		a, b = a[1:], b[1:]
	}
}

// drawEventLines draws events a line each, those that say the same as one.
func drawEventLines(f Frame, on widget.Canvas, events []fleet.Event) {
	if len(events) == 0 {
		on.Text(1, 0, "none", widget.Dim)
	}
	for y, e := range fold(events, on.H) {
		x := on.Text(1, y, clock(f, e.At), widget.Dim) + 1
		x = on.Text(x, y, f.Theme.Glyphs.Severity(e.Severity), widget.SeverityStyle(e.Severity)) + 1
		x = max(on.Cut(f.Theme, x, y, max(20, on.W/4), e.who(), widget.Link), min(x+16, on.W/2)) + 1
		on.Cut(f.Theme, x, y, on.W-x-1, happening(e.Event), widget.Plain)
	}
}

// drawNewest draws the alerts that wait for somebody, of each severity the
// newest, behind one another, then what was newest, as many as fit from column x
// on.
func drawNewest(f Frame, on widget.Canvas, x int) {
	x = drawCalls(f, on, x)
	for _, e := range fold(f.Snap.Recent, 8) {
		if on.W-x < 24 {
			return
		}
		st := widget.SeverityStyle(e.Severity)
		x = on.Text(x, 0, f.Theme.Glyphs.Severity(e.Severity), st) + 1
		x = on.Text(x, 0, e.At.UTC().Format("15:04"), widget.Dim) + 1
		x = on.Cut(f.Theme, x, 0, on.W-x-1, e.who()+" "+happening(e.Event), widget.Plain) + 3
	}
	if len(f.Snap.Recent) == 0 && x == 1 {
		on.Text(1, 0, "no alerts", widget.Dim)
	}
}
