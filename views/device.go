package views

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Device is the page of one device: what it is, why it is as it is, what it
// measures, where its cords and cables lead, what it carries, what happened.
type Device struct {
	id    string
	pane  section
	lists [numSections]list
	span  int
	zoom  bool   // the chart of the reading has the whole page
	text  string // filters the readings
	memo  *deviceMemo
}

// section is one list of the page.
type section uint8

const (
	secReadings section = iota
	secCables
	secCarries
	secEvents
	secFacts
	numSections
)

var sectionWords = [numSections]string{"readings", "cords and cables", "carries", "events", "facts"}

// word is a section's title for a device: what hangs on a PDU are outlets.
func (s section) word(d *fleet.Device) string {
	switch {
	case s == secCables && d.Spec.Kind == fleet.KindPDU:
		return "outlets"
	case s == secCables && len(d.Spec.Power)+len(d.Spec.Links) == 0 && len(d.Neighbors) > 0:
		return "neighbours"
	}
	return sectionWords[s]
}

// spans are how far back the charts of a page reach.
var spans = [...]time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}

// maxSparks bounds the series a page asks for at once.
const maxSparks = 40

type deviceMemo struct {
	snap    *fleet.Snapshot
	text    string
	sensors []int // places in Device.Sensors, what is not in order first
	ends    []end
	carries []carried
}

// NewDevice returns a device's page.
func NewDevice(id string) View { return Device{id: id, memo: &deviceMemo{}} }

// NewDeviceAt returns a device's page with the caret on "device/part", a
// sensor or an outlet.
func NewDeviceAt(device, part string) View {
	v := Device{id: device, memo: &deviceMemo{}}
	v.lists[secReadings].id = part
	v.lists[secCables].id = part
	return v
}

// ID implements View.
func (v Device) ID() string { return "device" }

// Crumbs implements View.
func (v Device) Crumbs(f Frame) []string {
	d := f.Snap.Devices.Get(v.id)
	if d == nil {
		return []string{"devices", v.id}
	}
	c := []string{d.Spec.Region}
	if d.Spec.Rack != "" {
		c = append(c, d.Spec.Rack)
	}
	if d.Spec.Unit > 0 {
		return append(c, "U"+unit(d.Spec.Unit)+" "+d.Spec.Name)
	}
	return append(c, d.Spec.Name)
}

func (v Device) filterText() string { return v.text }

func (v Device) spanOf() time.Duration { return spans[v.span%len(spans)] }

func (v Device) sensorQuery(key string) fleet.Query {
	return fleet.Query{Kind: fleet.QuerySeries, Target: v.id, Key: fleet.SeriesKey{Table: fleet.TableSensors, Row: key},
		Span: v.spanOf(), Step: v.spanOf() / 120}
}

func (v Device) eventQuery() fleet.Query {
	return fleet.Query{Kind: fleet.QueryEvents, Target: v.id, Span: 30 * 24 * time.Hour, Limit: 200}
}

// Needs implements View.
func (v Device) Needs(f Frame) []fleet.Query {
	d := f.Snap.Devices.Get(v.id)
	if d == nil {
		return nil
	}
	q := []fleet.Query{v.eventQuery()}
	for _, p := range v.plots(f, d, maxPlots) {
		q = append(q, p.query)
	}
	m := v.memo.of(f, d, v.text)
	at := v.lists[secReadings].index(v.rows(f, secReadings))
	top := widget.Window(len(m.sensors), at, maxSparks)
	for _, i := range m.sensors[top:min(top+maxSparks, len(m.sensors))] {
		if s := &d.Sensors[i]; s.Class != fleet.ClassState {
			q = append(q, v.sensorQuery(s.Key))
		}
	}
	return q
}

// of fills the memory for a snapshot.
func (m *deviceMemo) of(f Frame, d *fleet.Device, text string) *deviceMemo {
	if m.snap == f.Snap && m.text == text {
		return m
	}
	m.snap, m.text = f.Snap, text
	m.sensors = m.sensors[:0]
	flt := parseFilter(text)
	for i := range d.Sensors {
		if flt.match(sensorRecord{&d.Sensors[i]}) {
			m.sensors = append(m.sensors, i)
		}
	}
	slices.SortStableFunc(m.sensors, func(a, b int) int {
		return cmp.Compare(urgency(d.Sensors[a].State), urgency(d.Sensors[b].State))
	})
	m.ends = deviceEnds(f, d, m.ends[:0])
	m.carries = deviceCarries(f, d, m.carries[:0])
	return m
}

// urgency puts what is wrong first and leaves the rest in the device's order.
func urgency(s fleet.State) int {
	switch s {
	case fleet.StateCrit:
		return 0
	case fleet.StateWarn:
		return 1
	}
	return 2
}

type sensorRecord struct{ s *fleet.Sensor }

func (r sensorRecord) field(name string) (string, bool) {
	switch name {
	case "state":
		return r.s.State.String(), true
	case "class", "kind":
		return string(r.s.Class), true
	case "name":
		return r.s.Name, true
	case "unit":
		return r.s.Unit, true
	}
	return "", false
}

func (r sensorRecord) amount(string) (float64, bool) { return r.s.Value.Float(), r.s.Value.Known }

func (r sensorRecord) word(w string) bool { return holds(r.s.Name, w) || holds(string(r.s.Class), w) }

// rows is what the caret moves over in a section.
func (v Device) rows(f Frame, s section) rows {
	d := f.Snap.Devices.Get(v.id)
	if d == nil {
		return rows{}
	}
	m := v.memo.of(f, d, v.text)
	switch s {
	case secReadings:
		return rows{len(m.sensors), func(i int) string { return v.id + "/" + d.Sensors[m.sensors[i]].Key }}
	case secCables:
		return rows{len(m.ends), func(i int) string { return m.ends[i].id }}
	case secCarries:
		return rows{len(m.carries), func(i int) string { return m.carries[i].id }}
	case secEvents:
		e := v.events(f)
		return rows{len(e), func(i int) string { return e[i].Target + e[i].ID }}
	}
	return rows{len(d.Facts) + len(d.Entities), func(i int) string {
		if i < len(d.Facts) {
			return d.Facts[i].Name
		}
		return d.Entities[i-len(d.Facts)].Name
	}}
}

func (v Device) events(f Frame) []fleet.Event {
	if f.Answers == nil {
		return nil
	}
	a, _ := f.Answers.Get(v.eventQuery())
	return a.Events
}

// Selected implements View.
func (v Device) Selected(f Frame) (kind, id string) {
	r := v.rows(f, v.pane)
	i := v.lists[v.pane].index(r)
	if i < 0 {
		return KindDevice, v.id
	}
	m := v.memo
	switch v.pane {
	case secCables:
		if n, ok := strings.CutPrefix(m.ends[i].id, "outlet:"); ok {
			return KindOutlet, v.id + "/" + n
		}
		return m.ends[i].kind, m.ends[i].to
	case secCarries:
		return m.carries[i].kind, m.carries[i].id
	}
	return KindDevice, v.id
}

// behindOutlet is the page of what hangs on the outlet under the caret.
func (v Device) behindOutlet(f Frame) (View, bool) {
	kind, _ := v.Selected(f)
	if d := f.Snap.Devices.Get(v.id); v.pane != secCables || kind != KindOutlet || d == nil || len(d.Outlets) == 0 {
		return nil, false
	}
	e := &v.memo.ends[v.lists[secCables].index(v.rows(f, secCables))]
	return Follow(f, e.kind, e.to)
}

// Handle implements View.
func (v Device) Handle(f Frame, c keys.Command) (View, Intent) {
	switch c.ID {
	case "pane.next", "move.right":
		v.pane = (v.pane + 1) % numSections
	case "pane.back", "move.left":
		v.pane = (v.pane + numSections - 1) % numSections
	case "span":
		v.span = (v.span + 1) % len(spans)
	case "filter.set":
		v.text = c.Arg(0)
	case "enter":
		if to, ok := v.behindOutlet(f); ok {
			return v, Open{View: to}
		}
		if v.pane == secReadings && v.rows(f, secReadings).n > 0 {
			v.zoom = !v.zoom
			return v, Toast{Text: "r changes how far back it reaches, esc goes back"}
		}
	case "back":
		if v.zoom {
			v.zoom = false
			return v, Toast{Text: "back to the page"}
		}
		if v.text != "" {
			v.text = ""
			return v, Toast{Text: "filter cleared"}
		}
	case "copy":
		return v, Copy{Text: v.copyText(f)}
	default:
		v.lists[v.pane], _ = v.lists[v.pane].move(c, v.rows(f, v.pane), page(f))
	}
	return v, nil
}

// copyText is what y copies: the series' id, the far end's, or the device's.
func (v Device) copyText(f Frame) string {
	if v.pane == secReadings {
		if id := v.lists[secReadings].selected(v.rows(f, secReadings)); id != "" {
			return id
		}
	}
	_, id := v.Selected(f)
	return id
}

// Draw implements View.
func (v Device) Draw(f Frame, on widget.Canvas) {
	d := f.Snap.Devices.Get(v.id)
	if d == nil {
		drawEmpty(f, on, "no device "+v.id, "it is not in the inventory of this snapshot; esc goes back")
		return
	}
	v.memo.of(f, d, v.text)
	switch {
	case v.zoom:
		head := min(headHeight(f, d, on.W), 7)
		drawDeviceHead(f, on.Sub(1, 0, on.W-2, head), d)
		v.drawCharts(f, on.Sub(0, head, on.W, on.H-head), d, 1)
	case on.W >= 160:
		v.drawWide(f, on, d)
	case on.W >= 100:
		v.drawTwo(f, on, d)
	default:
		v.drawOne(f, on, d)
	}
}

// drawWide draws three columns: what it is and what hangs on it, its readings
// with a chart, and what happened.
func (v Device) drawWide(f Frame, on widget.Canvas, d *fleet.Device) {
	leftW, rightW := max(52, on.W*30/100), max(44, on.W*28/100)
	left, right := on.Sub(0, 0, leftW, on.H), on.Sub(on.W-rightW, 0, rightW, on.H)
	mid := on.Sub(leftW, 0, on.W-leftW-rightW, on.H)
	head := headHeight(f, d, leftW) + 2
	drawDeviceCard(f, left.Sub(0, 0, left.W, head), d, true)
	rest := left.H - head
	cablesH := min(len(v.memo.ends)+2, rest*3/5)
	v.drawSection(f, left.Sub(0, head, left.W, max(cablesH, 4)), d, secCables)
	v.drawSection(f, left.Sub(0, head+max(cablesH, 4), left.W, rest-max(cablesH, 4)), d, secCarries)
	chartH := min(16, on.H/3)
	readings := min(on.H-chartH, len(v.memo.sensors)+3)
	v.drawSection(f, mid.Sub(0, 0, mid.W, readings), d, secReadings)
	v.drawCharts(f, mid.Sub(0, readings, mid.W, mid.H-readings), d, max(1, (mid.H-readings)/9))
	events := right.H * 3 / 5
	v.drawSection(f, right.Sub(0, 0, right.W, events), d, secEvents)
	v.drawSection(f, right.Sub(0, events, right.W, right.H-events), d, secFacts)
}

// drawTwo draws readings and chart at the left, the rest at the right.
func (v Device) drawTwo(f Frame, on widget.Canvas, d *fleet.Device) {
	leftW := on.W * 54 / 100
	left, right := on.Sub(0, 0, leftW, on.H), on.Sub(leftW, 0, on.W-leftW, on.H)
	chartH := min(12, on.H/3)
	v.drawSection(f, left.Sub(0, 0, leftW, on.H-chartH), d, secReadings)
	v.drawCharts(f, left.Sub(0, on.H-chartH, leftW, chartH), d, 1)
	head := min(headHeight(f, d, right.W)+2, on.H/2)
	drawDeviceCard(f, right.Sub(0, 0, right.W, head), d, true)
	rest := on.H - head
	if v.pane == secReadings || v.pane == secCables {
		cables := min(rest, max(rest*3/5, 4))
		v.drawSection(f, right.Sub(0, head, right.W, cables), d, secCables)
		v.drawSection(f, right.Sub(0, head+cables, right.W, rest-cables), d, secEvents)
		return
	}
	v.drawSection(f, right.Sub(0, head, right.W, rest), d, v.pane)
}

// drawOne draws the head, then the section of the caret; with room, the chart.
func (v Device) drawOne(f Frame, on widget.Canvas, d *fleet.Device) {
	head := min(headHeight(f, d, on.W), 7)
	drawDeviceHead(f, on.Sub(1, 0, on.W-2, head), d)
	y := head
	x := 1
	for s := range numSections {
		st := widget.Dim
		if s == v.pane {
			x = on.Text(x, y, f.Theme.Glyphs.Caret, widget.Bold)
			st = widget.Bold
		}
		x = on.Text(x, y, s.word(d), st) + 2
	}
	y++
	chartH := 0
	if v.pane == secReadings && on.H-y >= 20 {
		chartH = (on.H - y) * 2 / 5
	}
	v.drawSection(f, on.Sub(0, y, on.W, on.H-y-chartH), d, v.pane)
	if chartH > 0 {
		v.drawCharts(f, on.Sub(0, on.H-chartH, on.W, chartH), d, 1)
	}
}
