package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/keys"
	"plumb/views/widget"
)

// Port is the page of one port: what it is, what flows, what hangs on it as
// intended and as observed.
type Port struct {
	id   string // device/ifName
	span int
	at   int // what enter follows: 0 neighbour, 1 intended, 2 the switch
}

// NewPort returns a port's page; id is device/ifName.
func NewPort(id string) View { return Port{id: id} }

// ID implements View.
func (v Port) ID() string { return "port" }

func (v Port) find(f Frame) (*fleet.Device, *fleet.Port) {
	dev, name, _ := strings.Cut(v.id, "/")
	d := f.Snap.Devices.Get(dev)
	if d == nil {
		return nil, nil
	}
	return d, d.Port(name)
}

// Crumbs implements View.
func (v Port) Crumbs(Frame) []string {
	dev, name, _ := strings.Cut(v.id, "/")
	return []string{"network", dev, name}
}

func (v Port) query(c fleet.CounterID) fleet.Query {
	dev, name, _ := strings.Cut(v.id, "/")
	s := spans[v.span%len(spans)]
	return fleet.Query{Kind: fleet.QuerySeries, Target: dev, Span: s, Step: s / 120,
		Key: fleet.SeriesKey{Table: fleet.TablePorts, Row: name, Field: fleet.FieldCounter + fleet.SeriesField(c)}}
}

// Needs implements View.
func (v Port) Needs(f Frame) []fleet.Query {
	if _, p := v.find(f); p == nil {
		return nil
	}
	return []fleet.Query{v.query(fleet.InOctets), v.query(fleet.OutOctets), v.query(fleet.InErrors), v.query(fleet.OutErrors)}
}

// ends lists what enter can follow from here.
func (v Port) ends(f Frame) (kinds, ids []string) {
	d, p := v.find(f)
	if p == nil {
		return nil, nil
	}
	add := func(kind, id string) {
		if id != "" {
			kinds, ids = append(kinds, kind), append(ids, id)
		}
	}
	head, _, _ := strings.Cut(p.Neighbor, "/")
	add(KindDevice, head)
	if w := intended(f, d.Spec.ID)[p.Name]; w.device != head {
		add(KindDevice, w.device)
	}
	add(KindDevice, d.Spec.ID)
	return kinds, ids
}

// Selected implements View. The port itself is what actions mean; enter
// follows the far end.
func (v Port) Selected(Frame) (kind, id string) { return KindPort, v.id }

// Handle implements View.
func (v Port) Handle(f Frame, c keys.Command) (View, Intent) {
	kinds, ids := v.ends(f)
	switch c.ID {
	case "span":
		v.span = (v.span + 1) % len(spans)
	case "move.down":
		v.at = min(v.at+1, max(0, len(ids)-1))
	case "move.up":
		v.at = max(v.at-1, 0)
	case "move.left", "move.right":
		d, p := v.find(f)
		for i := 0; p != nil && i < len(d.Ports); i++ {
			if j := i + stepX(c.ID); d.Ports[i].Name == p.Name && j >= 0 && j < len(d.Ports) {
				v.id = d.Spec.ID + "/" + d.Ports[j].Name
				return v, nil
			}
		}
	case "enter":
		if v.at < len(ids) {
			if to, ok := Follow(f, kinds[v.at], ids[v.at]); ok {
				return v, Open{View: to}
			}
			return v, Toast{Text: ids[v.at] + " is not in the inventory"}
		}
	}
	return v, nil
}

// Draw implements View.
func (v Port) Draw(f Frame, on widget.Canvas) {
	d, p := v.find(f)
	if p == nil {
		drawEmpty(f, on, "no port "+v.id, "it has not been read, or its switch is not in the inventory; esc goes back")
		return
	}
	w := on.W
	if w >= 100 {
		w = max(52, on.W*2/5)
	}
	headH := on.H
	if on.W < 100 {
		headH = min(on.H, 12)
	}
	in := widget.Box(on.Sub(0, 0, w, headH), f.Theme, p.Name, portWord(markOf(p)), true)
	in = in.Sub(1, 0, in.W-2, in.H)
	y := drawPortFacts(f, in.Sub(2, 0, in.W-2, in.H), d, p, intended(f, d.Spec.ID)[p.Name])
	v.drawCaret(f, in)
	in.Cut(f.Theme, 2, y+1, in.W-2, "enter opens what the caret stands on; left and right step over the ports", widget.Dim)
	charts := on.Sub(w, 0, on.W-w, on.H)
	if on.W < 100 {
		charts = on.Sub(0, headH, on.W, on.H-headH)
	}
	v.drawCharts(f, charts)
}

// drawCaret marks the line of drawPortFacts that enter follows.
func (v Port) drawCaret(f Frame, in widget.Canvas) {
	const observed = 4 // the line of the neighbour; the intended one is below
	_, ids := v.ends(f)
	if len(ids) == 0 {
		return
	}
	_, p := v.find(f)
	y := observed
	if at := min(v.at, len(ids)-1); p.Neighbor == "" || ids[at] != hostOf(p.Neighbor) {
		y++
	}
	if min(v.at, len(ids)-1) == len(ids)-1 {
		y = 0
	}
	in.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
	in.Select(0, y, in.W)
}

// drawCharts draws rates in and out and, where there is room, errors.
func (v Port) drawCharts(f Frame, on widget.Canvas) {
	shown := []struct {
		c     fleet.CounterID
		title string
		unit  float64
	}{{fleet.InOctets, "received, bits/s", 8}, {fleet.OutOctets, "sent, bits/s", 8}, {fleet.InErrors, "errors in, per s", 1}}
	n := min(len(shown), on.H/7)
	for i := range n {
		h := on.H / n
		if i == n-1 {
			h = on.H - i*h
		}
		q := v.query(shown[i].c)
		in := widget.Box(on.Sub(0, i*(on.H/n), on.W, h), f.Theme, shown[i].title, "last "+span(q.Span), false)
		drawRate(f, in, q, shown[i].unit)
	}
}

// drawRate draws the differences of a counter as a rate.
func drawRate(f Frame, on widget.Canvas, q fleet.Query, unit float64) {
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
		widget.Chart{Series: widget.Series{Points: rates(a.Points, unit), From: f.At.Add(-q.Span), To: f.At},
			Format: scaledValue, Style: widget.Fill}.Draw(on, f.Theme)
		drawMissing(f, on, a)
	}
}

// rates turns a running total into units per second. A total that falls is a
// gap: the counter was reset or wrapped, and nobody knows which from here.
func rates(p []fleet.Point, unit float64) []fleet.Point {
	out := make([]fleet.Point, 0, len(p))
	for i := 1; i < len(p); i++ {
		dt := float64(p[i].Ms-p[i-1].Ms) / 1000
		a, b := uint64(p[i-1].Max.N), uint64(p[i].Max.N)
		if dt <= 0 || b < a || !p[i].Max.Known || !p[i-1].Max.Known {
			continue
		}
		n := fleet.FromFloat(float64(b-a)*unit/dt, 2)
		out = append(out, fleet.Point{Ms: p[i].Ms, Min: n, Max: n, Mean: n, Count: 1})
	}
	return out
}

// aliasVerdict is how a port is described, and how it should be where that is
// something else.
func aliasVerdict(f Frame, d *fleet.Device, p *fleet.Port) (string, widget.Style) {
	meant := drift.IntentOf(f.Snap, d, p.Name).Alias
	if meant == nil || p.NoAlias || *meant == p.Alias {
		return or(p.Alias), widget.Plain
	}
	return f.Theme.Glyphs.Drift + " " + or(p.Alias) + ", intended " + or(*meant), widget.Drift
}

// drawPortFacts draws what a port is and returns the rows it took.
func drawPortFacts(f Frame, in widget.Canvas, d *fleet.Device, p *fleet.Port, want intentEnd) int {
	y := 0
	line := func(label, text string, st widget.Style) {
		in.Text(0, y, label, widget.Dim)
		in.Cut(f.Theme, 10, y, in.W-10, text, st)
		y++
	}
	m := markOf(p)
	in.Rune(10, y, 1, f.Theme.Glyphs.Ports[m], m.Style())
	in.Text(0, y, "state", widget.Dim)
	x := in.Cut(f.Theme, 12, y, in.W-12, "oper "+or(p.Oper)+"  admin "+or(p.Admin), m.Style())
	in.Cut(f.Theme, x+2, y, in.W-x-2, "on "+d.Spec.Name, widget.Link)
	y++
	speed := bits(p.SpeedBps) + "  mtu " + strconv.Itoa(p.MTU)
	if p.VLAN > 0 {
		speed += "  vlan " + strconv.Itoa(p.VLAN)
	}
	line("speed", speed+"  "+p.Type, widget.Plain)
	line("rates", "rx "+bits(p.Rates.InBps)+"  tx "+bits(p.Rates.OutBps), widget.Plain)
	st := widget.Plain
	if p.Rates.Errors.Float() > 0 {
		st = widget.Warn
	}
	line("errors", number(p.Rates.Errors, 2)+"/s  discards "+number(p.Rates.Discards, 2)+"/s", st)
	hears := p.Neighbor
	if hears == "" {
		hears = "no neighbour heard"
	}
	line("observed", hears, widget.Link)
	meant := "nothing"
	if want.device != "" {
		meant = want.device + "/" + want.nic + "  " + want.mac
	}
	line("intended", meant, widget.Link)
	text, st := cableVerdict(f.Theme, p, want)
	if at := portOfMAC(d, want.mac); text == "intended" && at != "" {
		text, st = "its MAC is learned here", widget.OK
		if at != p.Name {
			text, st = f.Theme.Glyphs.Drift+" its MAC is learned on "+at, widget.Drift
		}
	}
	line("cabling", or(text), st)
	alias, st := aliasVerdict(f, d, p)
	line("alias", alias, st)
	line("mac", or(p.MAC)+"  ifIndex "+strconv.Itoa(p.Index), widget.Dim)
	if d.Blind() {
		line("blind", "the switch has not answered for "+since(f, d.BlindSince), widget.Unknown)
	}
	return y
}
