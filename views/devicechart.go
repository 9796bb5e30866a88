package views

import (
	"strings"
	"time"

	"plumb/fleet"
	"plumb/views/widget"
)

// plot is one chart of the page.
type plot struct {
	title  string
	query  fleet.Query
	limits fleet.Limits
	state  fleet.State
}

// totalQuery asks for a device's total watts.
func totalQuery(device string, back time.Duration) fleet.Query {
	return fleet.Query{Kind: fleet.QuerySeries, Target: device, Span: back, Step: back / 120,
		Key: fleet.SeriesKey{Table: fleet.TableFacts, Row: "power_w", Field: fleet.FieldPower}}
}

// plots lists what the page charts, so many at most: the reading under the
// caret, the device's total power, then its first temperature and fan. A state
// has no curve; its words stand in the list, and what it was in the events.
func (v Device) plots(f Frame, d *fleet.Device, most int) []plot {
	var out []plot
	add := func(p plot) {
		for i := range out {
			if out[i].query == p.query {
				return
			}
		}
		if len(out) < most {
			out = append(out, p)
		}
	}
	sensor := func(s *fleet.Sensor) {
		add(plot{s.Name + "  " + quantity(f.Theme, s.Value, s.Unit), v.sensorQuery(s.Key), s.Limits, s.State})
	}
	if i := v.lists[secReadings].index(v.rows(f, secReadings)); i >= 0 {
		if s := &d.Sensors[v.memo.sensors[i]]; s.Class != fleet.ClassState {
			sensor(s)
		}
	}
	if d.PowerW.Known && !v.onTotal(f, d) {
		add(plot{title: "total power  " + watts(d.PowerW), query: totalQuery(v.id, v.spanOf()), state: fleet.StateOK})
	}
	for _, class := range [...]fleet.SensorClass{fleet.ClassTemperature, fleet.ClassFan} {
		for i := range d.Sensors {
			if d.Sensors[i].Class == class {
				sensor(&d.Sensors[i])
				break
			}
		}
	}
	return out
}

// onTotal reports whether the caret stands on a reading that is the device's
// total power: a PDU's own sum, mostly.
func (v Device) onTotal(f Frame, d *fleet.Device) bool {
	i := v.lists[secReadings].index(v.rows(f, secReadings))
	return i >= 0 && d.Sensors[v.memo.sensors[i]].Class == fleet.ClassPower && d.Sensors[v.memo.sensors[i]].Value.Cmp(d.PowerW) == 0
}

// maxPlots bounds the charts of a page.
const maxPlots = 4

// drawCharts draws the history of the reading under the caret and, where there
// is room, of what matters most of the device.
func (v Device) drawCharts(f Frame, on widget.Canvas, d *fleet.Device, most int) {
	if on.H < 4 {
		return
	}
	all := v.plots(f, d, min(most, maxPlots))
	for k, p := range all {
		y0, y1 := on.H*k/len(all), on.H*(k+1)/len(all)
		in := widget.Box(on.Sub(0, y0, on.W, y1-y0), f.Theme, p.title, "last "+span(v.spanOf()), false)
		drawSeries(f, in, p.query, p.limits, func(x float64) string { return strings.TrimSpace(scaledValue(x)) }, fillOf(p.state))
	}
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
		drawMissing(f, on, a)
	}
}

// drawMissing says of what is not in a chart why that is.
func drawMissing(f Frame, on widget.Canvas, a fleet.Answer) {
	switch {
	case a.Lost != nil:
		on.Cut(f.Theme, 9, 0, on.W-10, "a gap is damage: plumb verify says which", widget.Unknown) // where is to be seen
	case a.Seam:
		on.Text(9, 0, "older is not kept", widget.Dim)
	}
}
