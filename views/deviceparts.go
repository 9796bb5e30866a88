package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/views/widget"
)

// end is one cord or cable of a device with what is at the far end.
type end struct {
	id       string // "psu:1", "nic:eth0", "outlet:3", "port:Ethernet3"
	near     string
	kind, to string // what enter follows
	state    fleet.State
	text     string
	wrong    bool // observed is not what is intended
}

// endWidths returns the columns for the near and the far names of a list of
// ends, so that both stand in columns of their own.
func endWidths(ends []end, w int) (near, to int) {
	for i := range ends {
		near = max(near, widget.Width(ends[i].near))
		to = max(to, widget.Width(ends[i].to))
	}
	return min(near, 12), max(1, min(to, 30, w/2))
}

// draw draws the end in one row, its names in the given columns.
func (e end) draw(f Frame, on widget.Canvas, near, to int) {
	on.Glyph(f.Theme, 0, 0, e.state)
	on.Cut(f.Theme, 2, 0, near, e.near, widget.Plain)
	x := 3 + near
	on.Cut(f.Theme, x, 0, to, or(e.to), widget.Link)
	st := widget.Dim
	if e.wrong {
		st = widget.Drift
	}
	x += to + 1
	on.Cut(f.Theme, x, 0, on.W-x, e.text, st)
}

// deviceEnds lists the cords and cables of a device, or the outlets of a PDU.
func deviceEnds(f Frame, d *fleet.Device, to []end) []end {
	for _, c := range d.Spec.Power {
		to = append(to, cordEnd(f, c))
	}
	for _, c := range d.Spec.Links {
		to = append(to, cableEnd(f, d, c))
	}
	if len(d.Outlets) > 0 {
		to = outletEnds(f, d, to)
	}
	if len(d.Spec.Links) == 0 {
		for i := range d.Neighbors {
			to = append(to, neighborEnd(f, d, &d.Neighbors[i]))
		}
	}
	return to
}

// cordEnd is a PSU's cord as the outlet at its other end tells it.
func cordEnd(f Frame, c fleet.PowerCord) end {
	e := end{id: "psu:" + strconv.Itoa(c.PSU), near: "PSU" + strconv.Itoa(c.PSU), kind: KindOutlet, to: c.Outlet}
	pdu, n, _ := strings.Cut(c.Outlet, "/")
	p := f.Snap.Devices.Get(pdu)
	if p == nil {
		e.text = "the PDU is not in the inventory"
		return e
	}
	for i := range p.Outlets {
		o := &p.Outlets[i]
		if strconv.Itoa(o.Index) != n {
			continue
		}
		e.state, e.text = outletState(f, p, o)
		if idle(o) {
			e.text, e.wrong = "on  0A, no load", true
		}
		return e
	}
	e.text = "outlet not seen"
	if p.Blind() {
		e.text = "PDU blind " + since(f, p.BlindSince)
	}
	return e
}

// idle reports whether an outlet is on and measured to carry no load: the cord
// that is meant to be in it is out, or its PSU is dead.
func idle(o *fleet.Outlet) bool {
	return o.State == "on" && o.CurrentA.Known && o.CurrentA.N == 0
}

func outletState(f Frame, p *fleet.Device, o *fleet.Outlet) (fleet.State, string) {
	text := or(o.State)
	if o.CurrentA.Known {
		text += "  " + number(o.CurrentA, 2) + "A"
	}
	if o.PowerW.Known {
		text += "  " + watts(o.PowerW)
	}
	switch {
	case p.Blind():
		return fleet.StateUnknown, text + ", " + since(f, p.SeenAt) + " old"
	case o.State == "off":
		return fleet.StateOff, text
	case o.State == "on":
		return fleet.StateOK, text
	}
	return fleet.StateUnknown, text
}

// cableEnd is a NIC's cable: the port it is meant for, and what LLDP or the
// forwarding table says of it.
func cableEnd(f Frame, d *fleet.Device, c fleet.Cable) end {
	e := end{id: "nic:" + c.NIC, near: c.NIC, kind: KindPort, to: c.To}
	sw, name, _ := strings.Cut(c.To, "/")
	s := f.Snap.Devices.Get(sw)
	if s == nil {
		e.text = "the switch is not in the inventory"
		return e
	}
	p := s.Port(name)
	if p == nil {
		e.text = "port not seen"
		return e
	}
	e.state = portState(s, p)
	e.text = p.Oper + "  " + bits(p.SpeedBps)
	switch at := portOfMAC(s, c.MAC); {
	case p.Neighbor != "" && !strings.HasPrefix(p.Neighbor, d.Spec.Name):
		e.text, e.wrong = e.text+"  LLDP says "+p.Neighbor, true
	case p.Neighbor != "":
		e.text += "  LLDP ok"
	case at != "" && at != name:
		e.text, e.wrong = e.text+"  its MAC is on "+at, true
	case at == name:
		e.text += "  MAC ok"
	}
	return e
}

// portOfMAC finds where a switch learned a MAC.
func portOfMAC(s *fleet.Device, mac string) string {
	for i := range s.FDB {
		if mac != "" && s.FDB[i].MAC == mac {
			return s.FDB[i].Port
		}
	}
	return ""
}

// outletEnds lists a PDU's outlets with what the inventory says hangs on them.
func outletEnds(f Frame, d *fleet.Device, to []end) []end {
	on := map[string][2]string{}
	for id, x := range f.Snap.Devices.All() {
		for _, c := range x.Spec.Power {
			if pdu, n, _ := strings.Cut(c.Outlet, "/"); pdu == d.Spec.ID {
				on[n] = [2]string{id, "PSU" + strconv.Itoa(c.PSU)}
			}
		}
	}
	for i := range d.Outlets {
		o := &d.Outlets[i]
		n := strconv.Itoa(o.Index)
		e := end{id: "outlet:" + n, near: n, kind: KindDevice, to: on[n][0]}
		e.state, e.text = outletState(f, d, o)
		if on[n][1] != "" {
			e.text = on[n][1] + "  " + e.text
			if idle(o) {
				e.text, e.wrong = on[n][1]+"  on  0A, no load", true
			}
		}
		to = append(to, e)
	}
	return to
}

func neighborEnd(f Frame, d *fleet.Device, n *fleet.Neighbor) end {
	e := end{id: "port:" + n.LocalPort, near: n.LocalPort, kind: KindDevice, to: n.RemoteName, text: strings.ToUpper(n.Protocol) + "  " + n.RemotePort}
	if p := d.Port(n.LocalPort); p != nil {
		e.state = portState(d, p)
	}
	return e
}

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
	}
	widget.Scroll(in, f.Theme, r.n, at)
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
					text = or(s.Text)
				}
				on.CutRight(f.Theme, 0, 0, on.W, text, st)
			case 3:
				if s.Class == fleet.ClassState {
					on.Cut(f.Theme, 0, 0, on.W, or(s.Text), st)
				}
				v.drawTrend(f, on, s)
			case 4:
				on.CutRight(f.Theme, 0, 0, on.W, limitText(s.Limits), widget.Dim)
			}
		})
	widget.Scroll(in.Sub(0, 1, in.W, in.H-1), f.Theme, len(m.sensors), at)
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
