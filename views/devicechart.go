package views

import (
	"strings"

	"plumb/fleet"
	"plumb/views/widget"
)

// drawCharts draws the history of the reading under the caret and, where there
// is room for more, of the device's power, heat and first fan.
func (v Device) drawCharts(f Frame, on widget.Canvas, d *fleet.Device, most int) {
	var which [4]int
	n := 0
	add := func(i int) {
		for _, w := range which[:n] {
			if w == i {
				return
			}
		}
		if n < min(most, len(which)) {
			which[n] = i
			n++
		}
	}
	if i := v.lists[secReadings].index(v.rows(f, secReadings)); i >= 0 {
		add(v.memo.sensors[i])
	}
	for _, class := range [...]fleet.SensorClass{fleet.ClassPower, fleet.ClassTemperature, fleet.ClassFan} {
		for i := range d.Sensors {
			if d.Sensors[i].Class == class {
				add(i)
				break
			}
		}
	}
	for k := range n {
		y0, y1 := on.H*k/n, on.H*(k+1)/n
		v.drawChart(f, on.Sub(0, y0, on.W, y1-y0), &d.Sensors[which[k]])
	}
}

func (v Device) drawChart(f Frame, on widget.Canvas, s *fleet.Sensor) {
	if on.H < 4 {
		return
	}
	in := widget.Box(on, f.Theme, s.Name+"  "+quantity(f.Theme, s.Value, s.Unit), "last "+span(v.spanOf()), false)
	if s.Class == fleet.ClassState {
		in.Text(1, 0, or(s.Text), widget.StateStyle(s.State))
		in.Text(1, 1, "a state; what it was before stands in the events", widget.Dim)
		return
	}
	drawSeries(f, in, v.sensorQuery(s.Key), s.Limits, func(x float64) string {
		return strings.TrimSpace(scaledValue(x))
	}, fillOf(s.State))
}

func fillOf(s fleet.State) widget.Style {
	if s == fleet.StateCrit || s == fleet.StateWarn {
		return widget.StateStyle(s)
	}
	return widget.Fill
}

// drawSeries draws the answer to a query as a chart, or why there is none.
func drawSeries(f Frame, on widget.Canvas, q fleet.Query, limits fleet.Limits, format func(float64) string, st widget.Style) {
	a, ok := fleet.Answer{}, false
	if f.Answers != nil {
		a, ok = f.Answers.Get(q)
	}
	switch {
	case !ok:
		on.Text(1, on.H/2, "loading", widget.Dim)
	case a.Err != nil:
		on.Cut(f.Theme, 1, on.H/2, on.W-2, "no history: "+a.Err.Error(), widget.Unknown)
	default:
		widget.Chart{Series: widget.Series{Points: a.Points, From: f.At.Add(-q.Span), To: f.At},
			Limits: limits, Format: format, Style: st}.Draw(on, f.Theme)
		if a.Seam {
			on.Text(9, 0, "older is not kept", widget.Dim)
		}
	}
}
