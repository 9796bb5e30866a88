package views

import (
	"slices"
	"strconv"

	"plumb/fleet"
	"plumb/views/widget"
)

// calling are the alerts that wait for somebody, of each severity the newest,
// the newest first.
func calling(f Frame) []*fleet.Alert {
	if f.Snap.Alerts == nil {
		return nil
	}
	out := make([]*fleet.Alert, 0, len(f.Snap.Alerts.Newest))
	for _, a := range f.Snap.Alerts.Newest {
		if a != nil {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b *fleet.Alert) int { return b.Fired.Compare(a.Fired) })
	return out
}

// calls reports whether an alert has just begun to wait for somebody, and is
// critical.
func calls(f Frame) bool {
	if f.Snap.Alerts == nil {
		return false
	}
	a := f.Snap.Alerts.Newest[fleet.SeverityCrit]
	return a != nil && f.At.Sub(a.Fired) < fresh
}

// drawCalls draws them from column x on, each with its age, and returns the
// column after them.
func drawCalls(f Frame, on widget.Canvas, x int) int {
	for _, a := range calling(f) {
		if on.W-x < 24 {
			break
		}
		x = on.Text(x, 0, f.Theme.Glyphs.Severity(a.Severity), widget.SeverityStyle(a.Severity)) + 1
		x = on.Text(x, 0, since(f, a.Fired), widget.Dim) + 1
		x = on.Cut(f.Theme, x, 0, on.W-x-1, a.Summary, widget.Plain) + 3
	}
	return x
}

// drawWaiting draws how many alerts wait for somebody, in the colour of the
// worst, left of column x.
func drawWaiting(f Frame, on widget.Canvas, x int) int {
	if f.Snap.Alerts == nil {
		return x
	}
	n, worst := 0, fleet.SeverityInfo
	for sev, k := range f.Snap.Alerts.Waiting {
		if n += k; k > 0 {
			worst = fleet.Severity(sev)
		}
	}
	if n == 0 {
		return x
	}
	return on.Right(x-2, 0, strconv.Itoa(n)+" unacked", widget.SeverityStyle(worst))
}

// drawWall draws the alerts on a screen that nobody touches: the list without a
// caret below the axis.
func (v Alerts) drawWall(f Frame, on widget.Canvas) {
	v.still = true
	v.Draw(f, on)
}
