package views

import (
	"cmp"
	"time"

	"plumb/fleet"
	"plumb/views/widget"
)

// healthSpan is how far back the latency of a workload is drawn, in so many cells.
const (
	healthSpan = time.Hour
	sparkWidth = 16
)

// healthState is what a service's workload says, unknown where nobody has asked.
func healthState(s *fleet.Service) fleet.State {
	if s.Health == nil {
		return fleet.StateUnknown
	}
	return s.Health.State
}

// compareHealth puts the worst first and those that nobody asks last.
func compareHealth(x, y *fleet.Service) int {
	switch {
	case x.Spec.Health == nil && y.Spec.Health == nil:
		return 0
	case x.Spec.Health == nil:
		return 1
	case y.Spec.Health == nil:
		return -1
	}
	return cmp.Or(worse(healthState(x), healthState(y)), cmp.Compare(latencyMs(y), latencyMs(x)))
}

func latencyMs(s *fleet.Service) float64 {
	if s.Health == nil || !s.Health.LatencyMs.Known {
		return 0
	}
	return s.Health.LatencyMs.Float()
}

// drawHealthCell draws what a workload says in a cell: its state, and how fast it
// was where all is well.
func drawHealthCell(f Frame, on widget.Canvas, s *fleet.Service) {
	if s.Spec.Health == nil {
		on.Text(0, 0, dash, widget.Dim)
		return
	}
	st := healthState(s)
	on.Glyph(f.Theme, 0, 0, st)
	text, style := st.String(), widget.StateStyle(st)
	if st == fleet.StateOK {
		style = widget.Plain
		if s.Health.LatencyMs.Known {
			text = s.Health.LatencyMs.String() + " ms"
		}
	}
	if s.Health.Soft() {
		text, style = text+" ?", widget.Warn // the last look was not well, and does not count yet
	}
	on.Cut(f.Theme, 2, 0, on.W-2, text, style)
}

// healthQuery asks for the latency of a workload over the last hour.
func healthQuery(service string) fleet.Query {
	return fleet.Query{Kind: fleet.QuerySeries, Target: service, Key: fleet.SeriesKey{Table: fleet.TableSensors, Row: fleet.SensorLatency}, Span: healthSpan, Step: healthSpan / 60}
}

// wordsWidth are the columns of what a workload says that are kept free of what
// stands beside it, and besideWords those of that.
const (
	wordsWidth  = 48
	besideWords = len("  workload   crit for 12m  12.3 ms  heard 4s ago") + sparkWidth
)

// healthRows is how many rows drawHealth takes of so many columns: two where its
// words leave no room for how fast it is and how long ago that was.
func healthRows(s *fleet.Service, w int) int {
	switch {
	case s.Spec.Health == nil:
		return 0
	case s.Health != nil && min(widget.Width(s.Health.Words()), wordsWidth)+besideWords > w:
		return 2
	}
	return 1
}

// drawHealth draws what there is about a service's workload: what it says, since
// when it is not well, how fast it was in the last hour, how long ago that was,
// and what was asked.
func drawHealth(f Frame, on widget.Canvas, s *fleet.Service) {
	h, st := s.Health, healthState(s)
	on.Glyph(f.Theme, 0, 0, st)
	x := on.Text(2, 0, "workload ", widget.Dim)
	style := widget.StateStyle(st)
	if st == fleet.StateOK {
		style = widget.Plain
	}
	words := min(max(wordsWidth, on.W-besideWords-len(s.Spec.Health.Asks())), on.W-x)
	if on.H > 1 {
		words = on.W - x
	}
	x = on.Cut(f.Theme, x, 0, words, h.Words(), style) + 2
	if h == nil {
		on.Cut(f.Theme, x, 0, on.W-x, s.Spec.Health.Asks(), widget.Dim)
		return
	}
	if on.H > 1 {
		on, x = on.Sub(0, 1, on.W, 1), 2
	}
	if st != fleet.StateOK && !h.Since.IsZero() {
		x = on.Cut(f.Theme, x, 0, on.W-x, st.String()+" for "+since(f, h.Since), style) + 2
	}
	if h.Soft() {
		x = on.Cut(f.Theme, x, 0, on.W-x, fleet.Count(h.Bad+h.Unsure, "bad look")+", not counted yet", widget.Warn) + 2
	}
	if h.LatencyMs.Known {
		x = on.Cut(f.Theme, x, 0, on.W-x, h.LatencyMs.String()+" ms", widget.Plain) + 1
	}
	if f.Answers != nil && x+sparkWidth < on.W {
		if a, ok := f.Answers.Get(healthQuery(s.Spec.Name)); ok && a.Err == nil && len(a.Points) > 1 {
			widget.Spark(on, f.Theme, x, 0, sparkWidth, widget.Series{Points: a.Points, From: f.At.Add(-healthSpan), To: f.At}, widget.Fill)
			x += sparkWidth + 1
		}
	}
	x = on.Cut(f.Theme, x, 0, on.W-x, "heard "+since(f, h.SaidAt)+" ago", widget.Dim) + 2
	if !h.BlindSince.IsZero() && h.Err != nil {
		x = on.Cut(f.Theme, x, 0, on.W-x, "cannot be asked: "+h.Err.Kind(), widget.Unknown) + 2
	}
	x = on.Cut(f.Theme, x, 0, on.W-x, s.Spec.Health.Asks(), widget.Dim) + 2
	if end := h.Facts.Get(fleet.FactTLSExpires); end != "" {
		on.Cut(f.Theme, x, 0, on.W-x, "certificate until "+end[:min(10, len(end))], widget.Dim)
	}
}
