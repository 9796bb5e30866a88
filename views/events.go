package views

import (
	"strings"
	"time"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Events is what happened, newest first, under one axis of time.
type Events struct {
	target string // "" for all
	sheet         // newest first; turned around, oldest first
}

// NewEvents returns the events of a target, or of all where it is "".
func NewEvents(target string) View { return Events{target: target} }

// ID implements View.
func (v Events) ID() string { return "events" }

// Crumbs implements View.
func (v Events) Crumbs(Frame) []string {
	if v.target != "" {
		return []string{"events", v.target}
	}
	return []string{"events"}
}

func (v Events) query() fleet.Query {
	return fleet.Query{Kind: fleet.QueryEvents, Target: v.target, Span: 24 * time.Hour, Limit: 2000}
}

// Needs implements View.
func (v Events) Needs(Frame) []fleet.Query { return []fleet.Query{v.query()} }

// all returns the events before the filter, and what is not complete of them.
func (v Events) all(f Frame) (events []fleet.Event, note string) {
	if f.Answers != nil {
		a, ok := f.Answers.Get(v.query())
		switch {
		case ok && a.Err != nil:
			note = "history: " + a.Err.Error()
		case ok && a.Lost != nil:
			return a.Events, "not all can be read: " + a.Lost.Error()
		case ok && a.Seam:
			return a.Events, "older ones are not kept"
		case ok:
			return a.Events, ""
		}
	}
	if note == "" {
		note = "loading; these are the newest alerts"
	}
	for _, e := range f.Snap.Recent {
		if v.target == "" || e.Target == v.target {
			events = append(events, e)
		}
	}
	return events, note
}

type eventRecord struct {
	f *Frame
	e *fleet.Event
}

func (r eventRecord) field(name string) (string, bool) {
	switch name {
	case "state", "severity":
		return r.e.Severity.String(), true
	case "source", "kind":
		return r.e.Source, true
	case "target", "device":
		return r.e.Target, true
	case "type":
		return r.e.Type, true
	case "sensor":
		return r.e.Sensor, true
	}
	head, _, _ := strings.Cut(r.e.Target, "/")
	if d := r.f.Snap.Devices.Get(head); d != nil {
		return deviceField(*r.f, d, name)
	}
	return "", false
}

func (r eventRecord) amount(name string) (float64, bool) {
	if name == "age" {
		return seconds(*r.f, r.e.At)
	}
	return 0, false
}

func (r eventRecord) word(w string) bool {
	return holds(r.e.Target, w) || holds(r.e.Text, w) || holds(r.e.Sensor, w) || holds(r.e.Type, w)
}

func (v Events) shown(f Frame) ([]fleet.Event, int, string) {
	all, note := v.all(f)
	flt := parseFilter(v.text)
	if len(flt.terms) == 0 && !v.desc {
		return all, len(all), note
	}
	out := make([]fleet.Event, 0, len(all))
	for i := range all {
		e := &all[i]
		if v.desc {
			e = &all[len(all)-1-i]
		}
		if flt.match(eventRecord{&f, e}) {
			out = append(out, *e)
		}
	}
	return out, len(all), note
}

func eventRows(e []fleet.Event) rows {
	return rows{len(e), func(i int) string { return e[i].Target + "\x00" + e[i].ID }}
}

// Selected implements View.
func (v Events) Selected(f Frame) (kind, id string) {
	e, _, _ := v.shown(f)
	if i := v.list.index(eventRows(e)); i >= 0 {
		return KindEvent, e[i].Target
	}
	return "", ""
}

// Handle implements View.
func (v Events) Handle(f Frame, c keys.Command) (next View, in Intent) {
	if c.ID == "sort" { // there is but one order, and its reverse
		v.desc = !v.desc
		return v, nil
	}
	switch {
	case v.target != "":
	case c.ID == "pane.next":
		return NewSilences(), nil
	case c.ID == "pane.back":
		return NewAlerts(), nil
	}
	e, _, _ := v.shown(f)
	v.sheet, in = v.handle(f, c, eventRows(e), 1)
	return v, in
}

var eventColumns = []widget.Column{
	{Title: "time", Min: 8, Max: 11}, {Title: "ago", Min: 5, Rank: 3, Right: true}, {Title: "", Min: 1}, {Title: "target", Min: 14, Max: 28},
	{Title: "from", Min: 5, Max: 6, Rank: 4}, {Title: "sensor", Min: 10, Max: 18, Rank: 3}, {Title: "what", Min: 20, Max: 110}, {Title: "type", Min: 10, Max: 18, Rank: 5},
}

// narrowEvents are the columns where room is short: what happened matters most,
// and the sensor stands in front of it.
var narrowEvents = []widget.Column{
	{Title: "time", Min: 8}, {Title: "ago", Min: 5, Rank: 3, Right: true}, {Title: "", Min: 1}, {Title: "target", Min: 14, Max: 18}, {Title: "what", Min: 30, Max: 110},
}

// Draw implements View.
func (v Events) Draw(f Frame, on widget.Canvas) {
	e, total, note := v.shown(f)
	if on.H >= 14 {
		drawDensity(f, on.Sub(0, 0, on.W, 5), e, v.query().Span)
		on = on.Sub(0, 5, on.W, on.H-5)
	}
	title := "events, newest first"
	if v.desc {
		title = "events, oldest first"
	}
	if total == 0 {
		in := widget.Box(on, f.Theme, title, note, true)
		drawEmpty(f, in, "nothing happened", "no event of the last 24 hours is known")
		return
	}
	columns := eventColumns
	if on.W < 110 {
		columns = narrowEvents
	}
	v.draw(f, on, look{title: title, before: note, noun: "event", columns: columns, total: total, plain: true}, eventRows(e),
		func(on widget.Canvas, row, col int) {
			eventCell(f, on, &e[row], columns[col].Title, len(columns) < len(eventColumns))
		})
}

func eventCell(f Frame, on widget.Canvas, e *fleet.Event, column string, narrow bool) {
	switch column {
	case "time":
		on.Cut(f.Theme, 0, 0, on.W, clock(f, e.At), widget.Dim)
	case "ago":
		on.CutRight(f.Theme, 0, 0, on.W, since(f, e.At), widget.Dim)
	case "":
		on.Text(0, 0, f.Theme.Glyphs.Severity(e.Severity), widget.SeverityStyle(e.Severity))
	case "target":
		on.Cut(f.Theme, 0, 0, on.W, e.Target, widget.Link)
	case "from":
		on.Cut(f.Theme, 0, 0, on.W, e.Source, widget.Dim)
	case "sensor":
		on.Cut(f.Theme, 0, 0, on.W, e.Sensor, widget.Plain)
	case "what":
		text := e.Text
		if narrow {
			text = happening(e)
		}
		if !e.Asserted && e.Source == "sel" {
			text = "cleared: " + text
		}
		on.Cut(f.Theme, 0, 0, on.W, text, widget.Plain)
	case "type":
		on.Cut(f.Theme, 0, 0, on.W, e.Type, widget.Dim)
	}
}

// drawDensity draws how many events fell into each moment, in a box of five
// rows: crit above, all below, and the axis.
func drawDensity(f Frame, on widget.Canvas, events []fleet.Event, back time.Duration) {
	from := f.At.Add(-back)
	in := widget.Box(on, f.Theme, "last "+span(back), clock(f, from)+" "+f.Theme.Glyphs.Dash+" "+f.At.UTC().Format("15:04"), false)
	w := min(in.W-8, 320)
	if w < 8 || in.H < 2 {
		return
	}
	var buf [320]float64
	for y, row := range [...]struct {
		label string
		least fleet.Severity
		st    widget.Style
	}{{"crit", fleet.SeverityCrit, widget.Crit}, {"all", fleet.SeverityInfo, widget.Fill}} {
		widget.Density(buf[:w], from, f.At, events, row.least)
		top := 1.0
		for _, n := range buf[:w] {
			top = max(top, n)
		}
		in.Text(1, y, row.label, widget.Dim)
		widget.Levels(in, f.Theme, 7, y, buf[:w], max(top, 4), row.st)
	}
	for i := range 6 {
		in.Text(7+i*w/6, 2, from.Add(back*time.Duration(i)/6).UTC().Format("15:04"), widget.Dim)
	}
}
