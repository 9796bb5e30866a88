package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Switch is the faceplate of one device with the list of its ports.
type Switch struct {
	id    string
	sheet      // of port names; sort is a place in switchSorts
	face  bool // the caret moves over the faceplate
	memo  *switchMemo
}

type switchMemo struct {
	rowMemo[int]
	want map[string]intentEnd
}

// switchSorts are the columns ports can be sorted by; the first is the order
// of the device.
var switchSorts = [...]int{0, 1, 8, 6, 7}

// sortKey is what a port is sorted by, the largest first.
func sortKey(p *fleet.Port, column int) float64 {
	n := fleet.Num{}
	switch column {
	case 1:
		return [...]float64{widget.PortErr: 4, widget.PortDown: 3, widget.PortShut: 2, widget.PortUp: 1, widget.PortNone: 0}[markOf(p)]
	case 6:
		n = p.Rates.InBps
	case 7:
		n = p.Rates.OutBps
	case 8:
		n = p.Rates.Errors
	}
	if !n.Known {
		return -1
	}
	return n.Float()
}

// NewSwitch returns the ports of a device.
func NewSwitch(id string) View { return Switch{id: id, face: true, memo: &switchMemo{}} }

// ID implements View.
func (v Switch) ID() string { return "switch" }

// Crumbs implements View.
func (v Switch) Crumbs(f Frame) []string {
	if d := f.Snap.Devices.Get(v.id); d != nil && d.Spec.Rack != "" {
		return []string{"network", d.Spec.Region, d.Spec.Rack, v.id}
	}
	return []string{"network", v.id}
}

// Needs implements View.
func (v Switch) Needs(Frame) []fleet.Query { return nil }

// shown returns the places of the ports that the filter lets through, sorted.
func (v Switch) shown(f Frame) []int {
	d, m := f.Snap.Devices.Get(v.id), v.memo
	if d == nil {
		return nil
	}
	return m.of(f, v.sheet, func(to []int, flt *filter) []int {
		m.want = intended(f, v.id)
		for i := range d.Ports {
			if flt.match(portRecord{d, &d.Ports[i], m.want}) {
				to = append(to, i)
			}
		}
		if column := switchSorts[v.sort]; column > 0 {
			slices.SortStableFunc(to, func(a, b int) int {
				return cmp.Compare(sortKey(&d.Ports[b], column), sortKey(&d.Ports[a], column))
			})
		}
		if v.desc {
			slices.Reverse(to)
		}
		return to
	})
}

// portRecord lets a filter ask a port.
type portRecord struct {
	d    *fleet.Device
	p    *fleet.Port
	want map[string]intentEnd
}

func (r portRecord) field(name string) (string, bool) {
	switch name {
	case "state", "oper":
		switch markOf(r.p) {
		case widget.PortErr:
			return "err", true
		case widget.PortShut:
			return "shut", true
		case widget.PortNone:
			return "none", true
		}
		return r.p.Oper, true
	case "vlan":
		return strconv.Itoa(r.p.VLAN), true
	case "peer", "neighbor":
		return r.p.Neighbor + " " + r.want[r.p.Name].device, true
	case "speed":
		return strings.ToLower(bits(r.p.SpeedBps)), true
	case "mac":
		return r.p.MAC, true
	case "name", "port":
		return r.p.Name, true
	case "alias":
		return r.p.Alias, true
	}
	return "", false
}

func (r portRecord) amount(name string) (float64, bool) {
	switch name {
	case "rx", "in":
		return r.p.Rates.InBps.Float(), r.p.Rates.InBps.Known
	case "tx", "out":
		return r.p.Rates.OutBps.Float(), r.p.Rates.OutBps.Known
	case "err", "errors":
		return r.p.Rates.Errors.Float(), r.p.Rates.Errors.Known
	case "vlan":
		return float64(r.p.VLAN), true
	}
	return 0, false
}

func (r portRecord) word(w string) bool {
	return holds(r.p.Name, w) || holds(r.p.Alias, w) || holds(r.p.Neighbor, w) || holds(r.want[r.p.Name].device, w)
}

func (v Switch) rows(f Frame) rows {
	d, r := f.Snap.Devices.Get(v.id), v.shown(f)
	return rows{len(r), func(i int) string { return d.Ports[r[i]].Name }}
}

// Selected implements View.
func (v Switch) Selected(f Frame) (kind, id string) {
	if name := v.list.selected(v.rows(f)); name != "" {
		return KindPort, v.id + "/" + name
	}
	return KindDevice, v.id
}

// Handle implements View.
func (v Switch) Handle(f Frame, c keys.Command) (next View, in Intent) {
	r := v.rows(f)
	switch c.ID {
	case "pane.next", "pane.back":
		v.face = !v.face
		return v, nil
	case "move.left", "move.right", "move.up", "move.down":
		if d := f.Snap.Devices.Get(v.id); d != nil && v.face {
			return v.stepped(f, d, r, c.ID), nil
		}
	case "sort", "sort.reverse":
		v.face = false
	}
	v.sheet, in = v.handle(f, c, r, len(switchSorts))
	return v, in
}

// stepped moves the caret over the faceplate; a port that the filter hides is
// stepped over no further than to itself.
func (v Switch) stepped(f Frame, d *fleet.Device, r rows, id string) Switch {
	i := v.list.index(r)
	if i < 0 {
		return v
	}
	to := faceFor(f, d).Step(v.memo.rows[i], stepX(id), stepY(id))
	for j, port := range v.memo.rows {
		if port == to {
			v.list = v.list.to(j, r)
		}
	}
	return v
}

func stepX(id string) int {
	switch id {
	case "move.left":
		return -1
	case "move.right":
		return 1
	}
	return 0
}

func stepY(id string) int {
	switch id {
	case "move.up":
		return -1
	case "move.down":
		return 1
	}
	return 0
}

// Draw implements View.
func (v Switch) Draw(f Frame, on widget.Canvas) {
	d := f.Snap.Devices.Get(v.id)
	switch {
	case d == nil:
		drawEmpty(f, on, "no device "+v.id, "it is not in the inventory of this snapshot; esc goes back")
		return
	case len(d.Ports) == 0:
		drawEmpty(f, on, "no ports", tableWhy(d, fleet.TablePorts, "ports"))
		return
	}
	at := -1
	rs := v.shown(f)
	if i := v.list.index(v.rows(f)); i >= 0 {
		at = rs[i]
	}
	h := min(faceFor(f, d).Height(on.W-4)+3, on.H/2+2)
	drawFaceBox(f, on.Sub(0, 0, on.W, h), d, at, v.face)
	lower := on.Sub(0, h, on.W, on.H-h)
	if on.W >= 160 && at >= 0 {
		right := lower.Sub(lower.W-56, 0, 56, lower.H)
		lower = lower.Sub(0, 0, lower.W-56, lower.H)
		in := widget.Box(right, f.Theme, d.Ports[at].Name, d.Ports[at].Alias, false)
		drawPortFacts(f, in.Sub(1, 0, in.W-2, in.H), d, &d.Ports[at], v.memo.want[d.Ports[at].Name])
	}
	v.drawPorts(f, lower, d, rs)
}

var portColumns = []widget.Column{
	{Title: "port", Min: 10, Max: 18}, {Title: "", Min: 1}, {Title: "speed", Min: 5, Right: true},
	{Title: "peer", Min: 20, Max: 32}, {Title: "", Min: 8, Max: 9, Rank: 3}, {Title: "vlan", Min: 4, Rank: 4, Right: true},
	{Title: "rx", Min: 5, Max: 7, Rank: 1, Right: true}, {Title: "tx", Min: 5, Max: 7, Rank: 1, Right: true},
	{Title: "err/s", Min: 5, Max: 7, Rank: 2, Right: true}, {Title: "drop/s", Min: 6, Max: 7, Rank: 5, Right: true},
	{Title: "alias", Min: 8, Max: 28, Rank: 6}, {Title: "mac", Min: 17, Rank: 8},
}

func (v Switch) drawPorts(f Frame, on widget.Canvas, d *fleet.Device, rs []int) {
	if on.H < 3 {
		return
	}
	look := look{title: "ports", noun: "port", columns: portColumns, total: len(d.Ports), away: v.face,
		marked: func(row int) bool { return f.Marks[v.id+"/"+d.Ports[rs[row]].Name] }}
	shown := v.sheet
	shown.sort, shown.desc = switchSorts[v.sort], v.desc == (v.sort == 0) // the device's order rises
	shown.draw(f, on, look, v.rows(f), func(on widget.Canvas, row, col int) {
		p := &d.Ports[rs[row]]
		portCell(f, on, d, p, v.memo.want[p.Name], col)
	})
}

func portCell(f Frame, on widget.Canvas, d *fleet.Device, p *fleet.Port, want intentEnd, col int) {
	mark := markOf(p)
	num := func(s string, st widget.Style) { on.CutRight(f.Theme, 0, 0, on.W, s, st) }
	switch col {
	case 0:
		on.Cut(f.Theme, 0, 0, on.W, p.Name, widget.Plain)
	case 1:
		on.Rune(0, 0, 1, f.Theme.Glyphs.Ports[mark], mark.Style())
	case 2:
		if mark == widget.PortUp || mark == widget.PortErr {
			num(bits(p.SpeedBps), widget.Plain)
		} else {
			num(portWord(mark), mark.Style())
		}
	case 3:
		peer := p.Neighbor
		if peer == "" && want.device != "" {
			peer = want.device + "/" + want.nic
		}
		on.Cut(f.Theme, 0, 0, on.W, or(peer), widget.Link)
	case 4:
		text, st := cableVerdict(f.Theme, p, want)
		on.Cut(f.Theme, 0, 0, on.W, text, st)
	case 5:
		if p.VLAN > 0 {
			num(strconv.Itoa(p.VLAN), widget.Plain)
		}
	case 6:
		num(bits(p.Rates.InBps), widget.Plain)
	case 7:
		num(bits(p.Rates.OutBps), widget.Plain)
	case 8:
		st := widget.Dim
		if p.Rates.Errors.Float() > 0 {
			st = widget.Warn
		}
		num(number(p.Rates.Errors, 1), st)
	case 9:
		num(number(p.Rates.Discards, 1), widget.Dim)
	case 10:
		on.Cut(f.Theme, 0, 0, on.W, p.Alias, widget.Dim)
	case 11:
		on.Cut(f.Theme, 0, 0, on.W, p.MAC, widget.Dim)
	}
}

// portWord is a mark in a word.
func portWord(m widget.PortMark) string {
	return [...]string{"none", "up", "down", "err", "shut"}[m]
}

// cableVerdict compares what a port hears with what is intended.
func cableVerdict(th *widget.Theme, p *fleet.Port, want intentEnd) (string, widget.Style) {
	head, _, _ := strings.Cut(p.Neighbor, "/")
	switch {
	case p.Neighbor == "" && want.device == "":
		return "", widget.Dim
	case p.Neighbor == "":
		return "intended", widget.Dim
	case want.device == "":
		return "lldp", widget.Dim
	case head != want.device:
		return th.Glyphs.Drift + " wrong", widget.Drift
	}
	return th.Glyphs.OK + " agrees", widget.Dim
}

// faceFor is the faceplate of a device, its ports in the order of the agent.
func faceFor(f Frame, d *fleet.Device) widget.Face {
	return widget.Face{Ports: len(d.Ports), At: -1,
		Mark: func(i int) widget.PortMark { return markOf(&d.Ports[i]) },
		Name: func(i int) string { return widget.Number(d.Ports[i].Name, i) }}
}

// drawFaceBox draws a faceplate in a box with its legend.
func drawFaceBox(f Frame, on widget.Canvas, d *fleet.Device, at int, focus bool) {
	g := f.Theme.Glyphs
	r := countPorts(f, 0, d)
	note := ""
	for m := range r.marks {
		if r.marks[m] > 0 {
			note += string(g.Ports[m]) + strconv.Itoa(r.marks[m]) + " "
		}
	}
	title := d.Spec.Name
	if d.Spec.Unit > 0 {
		title += " " + g.Empty + " U" + unit(d.Spec.Unit)
	}
	if m, _ := deviceField(f, d, "model"); m != "" && on.W >= 70 {
		title += " " + g.Empty + " " + m
	}
	in := widget.Box(on, f.Theme, title, strings.TrimSpace(note), focus)
	if len(d.Ports) == 0 {
		in.Text(1, 0, tableWhy(d, fleet.TablePorts, "ports"), widget.Dim)
		return
	}
	face := faceFor(f, d)
	face.At = at
	face.Draw(in.Sub(1, 0, in.W-2, in.H), f.Theme)
	x := 1
	y := face.Height(in.W - 2)
	for m := widget.PortUp; m <= widget.PortShut; m++ {
		x = in.Text(x, y, string(g.Ports[m]), m.Style()) + 1
		x = in.Text(x, y, portWord(m), widget.Dim) + 2
	}
	x = in.Text(x, y, string(g.Ports[widget.PortNone])+" none", widget.Dim) + 2
	text, st := verdict(f, d)
	if text == "" {
		text, st = "rx "+scaled(r.in)+"  tx "+scaled(r.out)+"  seen "+since(f, d.SeenAt)+" ago", widget.Dim
	}
	in.Cut(f.Theme, x+1, y, in.W-x-2, text, st)
}
