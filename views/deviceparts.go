package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/views/widget"
)

// carried is something that runs on a device.
type carried struct{ kind, id string }

// deviceCarries lists the services and instances a device carries.
func deviceCarries(f Frame, d *fleet.Device, to []carried) []carried {
	n := f.Snap.Devices.Number(d.Spec.ID)
	for id, s := range f.Snap.Services.All() {
		for _, x := range s.Devices {
			if x == n {
				to = append(to, carried{KindService, id})
			}
		}
	}
	for id, i := range f.Snap.Instances.All() {
		if i.Device == n {
			to = append(to, carried{KindInstance, id})
		}
	}
	return to
}

// drawSection draws one section of the page in a box.
func (v Device) drawSection(f Frame, on widget.Canvas, d *fleet.Device, s section) {
	if on.H < 3 {
		return
	}
	r := v.rows(f, s)
	note := strconv.Itoa(r.n)
	if s == secReadings && v.text != "" {
		note += " of " + strconv.Itoa(len(d.Sensors)) + "  / " + v.text
	}
	if s == secReadings && d.Blind() {
		note = since(f, d.SeenAt) + " old"
	}
	in := widget.Box(on, f.Theme, s.word(d), note, v.pane == s)
	if r.n == 0 {
		v.drawNothing(f, in, d, s)
		return
	}
	at := -1
	if v.pane == s || s == secReadings {
		at = v.lists[s].index(r)
	}
	if s == secReadings {
		v.drawReadings(f, in, d, at)
		return
	}
	top := widget.Window(r.n, at, in.H)
	for y := 0; y < in.H && top+y < r.n; y++ {
		row := in.Sub(2, y, in.W-3, 1)
		v.drawSectionRow(f, row, d, s, top+y)
		if top+y == at {
			in.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			in.Select(0, y, in.W)
		}
		if v.marked(f, s, top+y) {
			in.Text(1, y, f.Theme.Glyphs.Mark, widget.Bold)
		}
	}
	widget.Scroll(in, f.Theme, r.n, at)
}

// marked reports whether a line of a section is of something that is marked.
func (v Device) marked(f Frame, s section, i int) bool {
	if len(f.Marks) == 0 || s != secCables && s != secCarries {
		return false
	}
	at := v
	at.pane, at.lists[s] = s, at.lists[s].to(i, v.rows(f, s))
	kind, id := at.Selected(f)
	return kind != KindDevice && f.Marks[id]
}

// drawNothing says honestly why a section is empty.
func (v Device) drawNothing(f Frame, in widget.Canvas, d *fleet.Device, s section) {
	text := ""
	switch s {
	case secReadings:
		text = tableWhy(d, fleet.TableSensors, "sensors")
	case secCables:
		text = "no cord or cable is in the inventory, and none was observed"
		if d.Spec.Kind == fleet.KindPDU {
			text = tableWhy(d, fleet.TableOutlets, "outlets")
		}
	case secCarries:
		text = "no instance and no service is known to run here"
		if d.Spec.Kind != fleet.KindServer {
			text += "; t draws what hangs on it"
		}
	case secFacts:
		text = "nothing has been read"
	case secEvents:
		text = "loading"
		if f.Answers != nil {
			if a, ok := f.Answers.Get(v.eventQuery()); ok {
				text = "none in the last 30 days"
				if a.Err != nil {
					text = "no events: " + a.Err.Error()
				}
			}
		}
	}
	in.Wrap(1, 0, in.W-2, in.H, text, widget.Dim)
}

// tableWhy says why a table has no rows.
func tableWhy(d *fleet.Device, t fleet.TableID, noun string) string {
	switch s := d.Tables[t]; {
	case s.Is == fleet.Absent:
		return "it has no " + noun
	case s.Is == fleet.Failed:
		return noun + " could not be read"
	case s.Is == fleet.NotAsked && len(d.Spec.Endpoints) == 0:
		return "no way to see it is configured"
	case s.Is == fleet.NotAsked:
		return noun + " have not been read yet"
	}
	return "it answers, and lists no " + noun
}

var readingColumns = []widget.Column{
	{Title: "", Min: 1}, {Title: "reading", Min: 14, Max: 26}, {Title: "now", Min: 9, Max: 11, Right: true},
	{Title: "trend", Min: 8, Max: 40, Rank: 2}, {Title: "warn / crit", Min: 11, Max: 20, Rank: 1, Right: true},
}

func (v Device) drawReadings(f Frame, in widget.Canvas, d *fleet.Device, at int) {
	m, trend := v.memo, in.W >= 49 // narrower, the table has no curves
	widget.Table{Columns: readingColumns, Rows: len(m.sensors), At: at, Focus: v.pane == secReadings, Sort: -1}.Draw(in, f.Theme,
		func(on widget.Canvas, row, col int) {
			s := &d.Sensors[m.sensors[row]]
			st := widget.StateStyle(s.State)
			if s.State == fleet.StateOK {
				st = widget.Plain
			}
			state := s.State
			if d.Blind() {
				state, st = fleet.StateUnknown, widget.Dim // what it was, not what it is
			}
			switch col {
			case 0:
				on.Glyph(f.Theme, 0, 0, state)
			case 1:
				on.Cut(f.Theme, 0, 0, on.W, s.Name, st)
			case 2:
				if s.Class == fleet.ClassState && trend {
					break // its words take the room of a curve
				}
				text := quantity(f.Theme, s.Value, s.Unit)
				if s.Class == fleet.ClassState {
					text = sensorWord(s)
				}
				on.CutRight(f.Theme, 0, 0, on.W, text, st)
			case 3:
				if s.Class == fleet.ClassState {
					on.Cut(f.Theme, 0, 0, on.W, sensorWord(s), st)
				}
				v.drawTrend(f, on, s)
			case 4:
				on.CutRight(f.Theme, 0, 0, on.W, limitText(s.Limits), widget.Dim)
			}
		})
	widget.Scroll(in.Sub(0, 1, in.W, in.H-1), f.Theme, len(m.sensors), at)
}

// sensorWord is what a sensor of states says: its words, else the state, which
// is all that is kept of the past.
func sensorWord(s *fleet.Sensor) string {
	if s.Text == "" && s.State != fleet.StateOK {
		return s.State.String()
	}
	return or(s.Text)
}

func (v Device) drawTrend(f Frame, on widget.Canvas, s *fleet.Sensor) {
	if s.Class == fleet.ClassState || f.Answers == nil {
		return
	}
	if a, ok := f.Answers.Get(v.sensorQuery(s.Key)); ok && a.Err == nil {
		widget.Spark(on, f.Theme, 0, 0, on.W, widget.Series{Points: a.Points, From: f.At.Add(-v.spanOf()), To: f.At}, fillOf(s.State))
	}
}

func (v Device) drawSectionRow(f Frame, on widget.Canvas, d *fleet.Device, s section, i int) {
	switch s {
	case secCables:
		near, to := endWidths(v.memo.ends, on.W)
		v.memo.ends[i].draw(f, on, near, to)
	case secCarries:
		drawCarried(f, on, v.memo.carries[i])
	case secEvents:
		e := v.events(f)[i]
		x := on.Text(0, 0, clock(f, e.At), widget.Dim) + 1
		x = on.Text(x, 0, f.Theme.Glyphs.Severity(e.Severity), widget.SeverityStyle(e.Severity)) + 1
		on.Cut(f.Theme, x, 0, on.W-x, strings.TrimSpace(e.Sensor+" "+e.Text), widget.Plain)
	case secFacts:
		drawFact(f, on, d, i)
	}
}

func drawCarried(f Frame, on widget.Canvas, c carried) {
	if c.kind == KindService {
		s := f.Snap.Services.Get(c.id)
		on.Glyph(f.Theme, 0, 0, s.State)
		x := on.Cut(f.Theme, 2, 0, 24, "service "+c.id, widget.Bold) + 2
		on.Cut(f.Theme, x, 0, on.W-x, replicas(s), widget.Dim)
		return
	}
	i := f.Snap.Instances.Get(c.id)
	on.Glyph(f.Theme, 0, 0, i.State)
	x := on.Cut(f.Theme, 2, 0, min(24, on.W/2), i.Name, widget.Plain) + 2
	on.Cut(f.Theme, x, 0, on.W-x, strings.TrimSpace(i.Type+"  "+i.RunState+"  "+i.Service), widget.Dim)
}

func drawFact(f Frame, on widget.Canvas, d *fleet.Device, i int) {
	nameW := min(22, on.W/2)
	if i < len(d.Facts) {
		on.Cut(f.Theme, 0, 0, nameW, d.Facts[i].Name, widget.Dim)
		value := d.Facts[i].Value
		if d.Facts[i].Name == fleet.FactUptime {
			value = quantity(f.Theme, d.Facts.Num(fleet.FactUptime), "s")
		}
		on.Cut(f.Theme, nameW+1, 0, on.W-nameW-1, value, widget.Plain)
		return
	}
	e := d.Entities[i-len(d.Facts)]
	on.Cut(f.Theme, 0, 0, nameW, e.Class+" "+e.Name, widget.Dim)
	on.Cut(f.Theme, nameW+1, 0, on.W-nameW-1, strings.TrimSpace(e.Model+"  "+e.Serial+"  "+e.Firmware), widget.Plain)
}

// scaledValue writes an axis value with as many digits as it needs.
func scaledValue(x float64) string {
	if x < 0 {
		return "-" + scaledValue(-x)
	}
	switch {
	case x >= 10000:
		return scaled(x)
	case x >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case x >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}
