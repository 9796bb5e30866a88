package views

import (
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Network is the list of what has ports, with the faceplate of the one under
// the caret where there is room.
type Network struct {
	sheet
	memo *rowMemo[switchRow]
}

// switchRow is a device with its ports counted.
type switchRow struct {
	n       int
	marks   [5]int // by widget.PortMark
	in, out float64
	cables  string // whether LLDP agrees with the inventory
	bad     bool
}

// NewNetwork returns the list of switches and routers.
func NewNetwork() View { return Network{memo: &rowMemo[switchRow]{}} }

var networkColumns = []widget.Column{
	{Title: "", Min: 1},
	{Title: "switch", Min: 14, Max: 26, Name: true},
	{Title: "rack", Min: 8, Max: 12, Rank: 5, Name: true},
	{Title: "model", Min: 8, Max: 18, Rank: 6, Name: true},
	{Title: "up", Min: 4, Rank: 1, Right: true},
	{Title: "down", Min: 4, Rank: 1, Right: true},
	{Title: "err", Min: 4, Rank: 1, Right: true},
	{Title: "shut", Min: 4, Rank: 3, Right: true},
	{Title: "rx", Min: 5, Max: 6, Rank: 2, Right: true},
	{Title: "tx", Min: 5, Max: 6, Rank: 2, Right: true},
	{Title: "cabling", Min: 7, Max: 10, Rank: 4, Right: true},
	{Title: "seen", Min: 5, Rank: 2, Right: true},
	{Title: "why", Min: 12, Max: 50, Rest: true, Rank: 3, Name: true},
}

// isSwitch reports whether a device belongs in the list.
func isSwitch(d *fleet.Device) bool {
	return d.Spec.Kind == fleet.KindSwitch || d.Spec.Kind == fleet.KindRouter
}

// shown returns what has ports and passes the filter, sorted.
func (v Network) shown(f Frame) []switchRow {
	return v.memo.of(f, v.sheet, func(to []switchRow, flt *filter) []switchRow {
		for n := range f.Snap.Devices.Len() {
			if d := f.Snap.Devices.At(n); isSwitch(d) && flt.match(deviceRecord{&f, d}) {
				r := countPorts(f, n, d)
				r.cables, r.bad = cabling(f, d)
				to = append(to, r)
			}
		}
		sortSwitches(f, to, networkColumns[v.sort], v.sign())
		return to
	})
}

func countPorts(f Frame, n int, d *fleet.Device) switchRow {
	r := switchRow{n: n}
	for i := range d.Ports {
		p := &d.Ports[i]
		r.marks[markOf(p)]++
		if p.Rates.InBps.Known {
			r.in += p.Rates.InBps.Float()
		}
		if p.Rates.OutBps.Known {
			r.out += p.Rates.OutBps.Float()
		}
	}
	return r
}

func sortSwitches(f Frame, r []switchRow, c widget.Column, sign int) {
	value := func(x switchRow) float64 {
		switch c.Title {
		case "up":
			return float64(x.marks[widget.PortUp])
		case "down":
			return float64(x.marks[widget.PortDown])
		case "err":
			return float64(x.marks[widget.PortErr])
		case "shut":
			return float64(x.marks[widget.PortShut])
		case "rx":
			return x.in
		case "tx":
			return x.out
		}
		return -float64(f.Snap.Devices.At(x.n).SeenAt.UnixNano())
	}
	slices.SortStableFunc(r, func(a, b switchRow) int {
		x, y := f.Snap.Devices.At(a.n), f.Snap.Devices.At(b.n)
		switch {
		case c.Title == "":
			return sign * worse(x.State, y.State)
		case c.Title == "switch":
			return sign * strings.Compare(x.Spec.Name, y.Spec.Name)
		case c.Name:
			s, _ := deviceField(f, x, c.Title)
			t, _ := deviceField(f, y, c.Title)
			return sign * strings.Compare(s, t)
		}
		if u, w := value(a), value(b); u != w {
			if u > w {
				return -sign
			}
			return sign
		}
		return 0
	})
}

// markOf is the look of a port on a faceplate.
func markOf(p *fleet.Port) widget.PortMark {
	switch {
	case p.Admin == "down":
		return widget.PortShut
	case p.Oper == "up" && p.Rates.Errors.Known && p.Rates.Errors.Float() > 0:
		return widget.PortErr
	case p.Oper == "up":
		return widget.PortUp
	case p.Oper == "notPresent" || p.Oper == "":
		return widget.PortNone
	}
	return widget.PortDown
}

// portState is a port's state for lists of ends: up is ok, shut is off.
func portState(d *fleet.Device, p *fleet.Port) fleet.State {
	if d.Blind() {
		return fleet.StateUnknown
	}
	switch markOf(p) {
	case widget.PortUp:
		return fleet.StateOK
	case widget.PortErr:
		return fleet.StateWarn
	case widget.PortDown:
		return fleet.StateCrit
	case widget.PortShut:
		return fleet.StateOff
	}
	return fleet.StateUnknown
}

// ID implements View.
func (v Network) ID() string { return "network" }

// Crumbs implements View.
func (v Network) Crumbs(Frame) []string { return []string{"network"} }

// Needs implements View.
func (v Network) Needs(Frame) []fleet.Query { return nil }

func (v Network) rows(f Frame) rows {
	r := v.shown(f)
	return rows{len(r), func(i int) string { return f.Snap.Devices.ID(r[i].n) }}
}

// Selected implements View.
func (v Network) Selected(f Frame) (kind, id string) { return KindDevice, v.list.selected(v.rows(f)) }

// Handle implements View.
func (v Network) Handle(f Frame, c keys.Command) (next View, in Intent) {
	if c.ID == "enter" {
		if id := v.list.selected(v.rows(f)); id != "" {
			return v, Open{View: NewSwitch(id)}
		}
		return v, nil
	}
	v.sheet, in = v.handle(f, c, v.rows(f), len(networkColumns))
	if networkColumns[v.sort].Title == "cabling" { // a word, with no order of its own
		v.sort++
	}
	return v, in
}

// Draw implements View.
func (v Network) Draw(f Frame, on widget.Canvas) {
	r, total := v.shown(f), 0
	for n := range f.Snap.Devices.Len() {
		if isSwitch(f.Snap.Devices.At(n)) {
			total++
		}
	}
	upper := on
	if d := f.Snap.Devices.Get(v.list.selected(v.rows(f))); d != nil && on.W >= 100 && on.H >= 20 {
		h := min(on.H/2, faceFor(f, d).Height(on.W-4)+3)
		upper = on.Sub(0, 0, on.W, on.H-h)
		drawFaceBox(f, on.Sub(0, on.H-h, on.W, h), d, -1, false)
	}
	v.draw(f, upper, look{title: "switches", noun: "switch", kind: KindDevice, columns: networkColumns, total: total,
		marked: func(row int) bool { return f.Marks[f.Snap.Devices.ID(r[row].n)] }}, v.rows(f),
		func(on widget.Canvas, row, col int) { switchCell(f, on, r[row], networkColumns[col].Title) })
}

func switchCell(f Frame, on widget.Canvas, r switchRow, column string) {
	mark := widget.PortNone
	switch column {
	case "switch":
		column = "device"
	case "up":
		mark = widget.PortUp
	case "down":
		mark = widget.PortDown
	case "err":
		mark = widget.PortErr
	case "shut":
		mark = widget.PortShut
	case "rx":
		on.CutRight(f.Theme, 0, 0, on.W, scaled(r.in), widget.Plain)
		return
	case "tx":
		on.CutRight(f.Theme, 0, 0, on.W, scaled(r.out), widget.Plain)
		return
	case "cabling":
		st := widget.Dim
		if r.bad {
			st = widget.Drift
		}
		on.CutRight(f.Theme, 0, 0, on.W, r.cables, st)
		return
	}
	if mark == widget.PortNone {
		deviceCell(f, on, r.n, column)
		return
	}
	st := widget.Dim
	if r.marks[mark] > 0 && mark != widget.PortUp {
		st = mark.Style()
	}
	on.CutRight(f.Theme, 0, 0, on.W, strconv.Itoa(r.marks[mark]), st)
}

// cabling counts the ports whose neighbour is not the intended one.
func cabling(f Frame, d *fleet.Device) (text string, bad bool) {
	seen, wrong := 0, 0
	want := intended(f, d.Spec.ID)
	for i := range d.Ports {
		p := &d.Ports[i]
		w, ok := want[p.Name]
		if !ok || p.Neighbor == "" {
			continue
		}
		seen++
		if head, _, _ := strings.Cut(p.Neighbor, "/"); head != w.device {
			wrong++
		}
	}
	switch {
	case wrong > 0:
		return strconv.Itoa(wrong) + " wrong", true
	case seen == 0:
		return "unseen", false
	}
	return "agrees", false
}

// intent is who is meant to hang on a port.
type intentEnd struct{ device, nic, mac string }

// intended maps a switch's ports to what the inventory puts on them: servers,
// and other switches at either end of the cable.
func intended(f Frame, sw string) map[string]intentEnd {
	out := map[string]intentEnd{}
	s := f.Snap.Devices.Get(sw)
	if s == nil {
		return out
	}
	for i := range s.Ports {
		name := s.Ports[i].Name
		at, ok := f.Snap.Cabled[sw+"/"+name]
		if !ok || at.Device < 0 || at.Device >= f.Snap.Devices.Len() {
			continue
		}
		far := f.Snap.Devices.At(at.Device)
		end := intentEnd{device: far.Spec.ID, nic: at.Part}
		for _, c := range far.Spec.Links {
			if c.NIC == at.Part && c.To == sw+"/"+name {
				end.mac = c.MAC
			}
		}
		out[name] = end
	}
	return out
}
