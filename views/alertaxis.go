package views

import (
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/views/widget"
)

// alertEvents is what the axis draws beside the alerts.
func alertEvents() fleet.Query { return Events{}.query() }

// axisSpans are how far back the axis may reach: the shortest on which all that
// fires and is not explained began.
var axisSpans = [...]time.Duration{15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

func axisSpan(f Frame, m *alertMemo) time.Duration {
	back := axisSpans[0]
	for i := range m.rows {
		r := &m.rows[i]
		for k := 0; r.depth == 0 && r.State == fleet.AlertFiring && k < len(axisSpans) && f.At.Sub(r.Since) > back; k++ {
			back = max(back, axisSpans[k])
		}
	}
	return back
}

// axisRows are the alerts that have a bar of their own.
func axisRows(on widget.Canvas, m *alertMemo) int {
	most := 0
	switch {
	case on.H >= 60:
		most = 10
	case on.H >= 40:
		most = 5
	}
	n := 0
	for i := range m.rows {
		if m.rows[i].depth == 0 {
			n++
		}
	}
	return min(most, n)
}

// axisHeight is the rows of the axis with its frame: a bar for all alerts, one
// for each of the first, the events, the times.
func axisHeight(on widget.Canvas, m *alertMemo) int { return 5 + axisRows(on, m) }

// episode is a stretch in which an alert was there.
type episode struct {
	from, till time.Time // till zero: until now
	severity   fleet.Severity
	quiet      bool // somebody knows of it, or something explains it
	pending    bool
}

// drawAxis draws alerts as bars over the time in which they were there, and
// events below them on the same axis.
func drawAxis(f Frame, on widget.Canvas, m *alertMemo) {
	back := axisSpan(f, m)
	from := f.At.Add(-back)
	in := widget.Box(on, f.Theme, "last "+span(back), clock(f, from)+" "+f.Theme.Glyphs.Dash+" "+f.At.UTC().Format("15:04"), false)
	events, _ := Events{}.all(f)
	label := 8
	if in.W >= 120 {
		label = 40
	}
	axis := in.Sub(label, 0, in.W-label-1, in.H)
	if axis.W < 8 || in.H < 3 {
		return
	}
	in.Text(1, 0, "alerts", widget.Dim)
	all := episodes(m, events)
	drawBars(f, axis.Sub(0, 0, axis.W, 1), from, all)
	y := 1
	for i := 0; i < len(m.rows) && y < in.H-2; i++ {
		r := &m.rows[i]
		if r.depth > 0 {
			continue
		}
		x := in.Text(1, y, alertGlyph(f, r.Alert), alertStyle(r.Alert)) + 1
		in.Cut(f.Theme, x, y, label-x-1, r.Rule+" "+alertTarget(r.Alert), widget.Plain)
		drawBars(f, axis.Sub(0, y, axis.W, 1), from, []episode{episodeOf(r.Alert)})
		y++
	}
	in.Text(1, y, "events", widget.Dim)
	widget.Timeline(axis.Sub(0, y, axis.W, 1), f.Theme, from, f.At, events)
	for i := range 6 {
		axis.Text(i*axis.W/6, y+1, from.Add(back*time.Duration(i)/6).UTC().Format("15:04"), widget.Dim)
	}
}

func episodeOf(a *fleet.Alert) episode {
	return episode{from: a.Since, till: a.Ended, severity: a.Severity, quiet: !a.Loud(), pending: a.State == fleet.AlertPending}
}

// episodes are those of the alerts that stand, and those that the events say are
// over. The explained ones stand under what explains them.
func episodes(m *alertMemo, events []fleet.Event) (out []episode) {
	for i := range m.rows {
		if r := &m.rows[i]; r.depth == 0 && r.Held == nil {
			out = append(out, episodeOf(r.Alert))
		}
	}
	for i := range events {
		if h, ok := alert.Hear(&events[i]); ok && h.Turn == alert.TurnOver {
			out = append(out, episode{from: h.At.Add(-h.Lasted), till: h.At, quiet: true})
		}
	}
	return out
}

// drawBars draws episodes in one row, the worst on top: what waits for somebody
// in the colour of its severity, what somebody knows of or is over in grey.
func drawBars(f Frame, on widget.Canvas, from time.Time, list []episode) {
	const most = 640
	var worst [most]int8
	w, back := min(on.W, most), f.At.Sub(from)
	on.Rune(0, 0, w, f.Theme.Glyphs.Dots, widget.Rest)
	if back <= 0 {
		return
	}
	column := func(t time.Time) int { return min(max(int(int64(t.Sub(from))*int64(w)/int64(back)), 0), w-1) }
	for _, e := range list {
		till, rank := e.till, int8(2+e.severity)
		if till.IsZero() || till.After(f.At) {
			till = f.At
		}
		if e.quiet || e.pending {
			rank = 1
		}
		if till.Before(from) || e.from.After(f.At) {
			continue
		}
		for x := column(e.from); x <= column(till); x++ {
			worst[x] = max(worst[x], rank)
		}
	}
	heat := f.Theme.Glyphs.Heat
	for x, rank := range worst[:w] {
		switch {
		case rank == 1:
			on.Rune(x, 0, 1, heat[0], widget.Dim)
		case rank == 2:
			on.Rune(x, 0, 1, heat[1], widget.Fill)
		case rank > 2:
			on.Rune(x, 0, 1, heat[rank-1], widget.SeverityStyle(fleet.Severity(rank-2)))
		}
	}
}
