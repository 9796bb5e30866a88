package views

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/trace"
	"plumb/keys"
	"plumb/views/widget"
)

// Trace is one part with what it stands on, up to the utility and the edge of
// its region, and what it carries, down to the services: as a tree, with what
// is left of each redundancy and with the cause where it is down.
type Trace struct {
	id    string
	way   way
	turns map[string]bool // rows that are folded, or opened, by hand; not written
	list  list
	memo  *traceMemo
}

// way is which half of a trace is shown.
type way uint8

const (
	wayBoth way = iota
	wayUp
	wayDown
	numWays
)

var wayWords = [numWays]string{"up and down", "what it stands on", "what it carries"}

// NewTrace returns the trace of a part, by the id that [trace.Graph.Find] knows.
func NewTrace(id string) View { return Trace{id: id, memo: &traceMemo{}} }

// traced bounds the nodes of one half of a trace: a feed carries thousands, and
// nobody reads them all.
const traced = 2000

// traceMemo keeps what a trace shows for one snapshot.
type traceMemo struct {
	snap     *fleet.Snapshot
	part     trace.Part
	found    bool
	up, down *twig
	omitted  int
	now      *trace.Now
	blast    trace.Blast
	lines    []blastLine
	why      *Causes     // that took is made of
	took     []blastLine // what the part explains

	of   traceShape
	rows []traceRow
}

// traceShape is what the rows follow from beside the snapshot.
type traceShape struct {
	way   way
	turns string
	page  int
}

// of returns what a snapshot makes of the part, from memory where it is the
// same one.
func (v Trace) of(f Frame) *traceMemo {
	m := v.memo
	if m == nil {
		m = &traceMemo{}
	}
	if m.snap != f.Snap {
		*m = traceMemo{snap: f.Snap}
		v.follow(f, m)
	}
	return m
}

func (v Trace) follow(f Frame, m *traceMemo) {
	g := graphOf(f)
	if m.part, m.found = g.Find(f.Snap, v.id); !m.found {
		return
	}
	up, down := g.Trace(f.Snap, m.part, trace.Walk{Up: true, Limit: traced}), g.Trace(f.Snap, m.part, trace.Walk{Down: true, Limit: traced})
	m.up, m.down, m.omitted = grow(up.Lines()), grow(down.Lines()), up.Omitted+down.Omitted
	m.now, m.blast = g.Now(f.Snap), g.Blast(f.Snap, m.part)
	m.lines = blastLines(f, &m.blast)
}

// rows returns the rows of the tree as it is folded now.
func (v Trace) rows(f Frame) []traceRow {
	m := v.of(f)
	if of := (traceShape{v.way, strings.Join(slices.Sorted(maps.Keys(v.turns)), "\n"), page(f)}); m.rows == nil || m.of != of {
		m.of, m.rows = of, v.lay(f, m)
	}
	return m.rows
}

func traceRows(r []traceRow) rows { return rows{len(r), func(i int) string { return r[i].key }} }

// ID implements View.
func (v Trace) ID() string { return "trace" }

// Crumbs implements View.
func (v Trace) Crumbs(Frame) []string { return []string{"trace", v.id} }

// Needs implements View.
func (v Trace) Needs(Frame) []fleet.Query { return []fleet.Query{derivedQuery(derivedCauses)} }

// at returns the row of the caret; nil: there is none.
func (v Trace) at(f Frame) *traceRow {
	r := v.rows(f)
	if i := v.list.index(traceRows(r)); i >= 0 {
		return &r[i]
	}
	return nil
}

// Selected implements View: the part of the caret's row.
func (v Trace) Selected(f Frame) (kind, id string) {
	if r := v.at(f); r != nil && r.node != nil {
		return kindOfPart(r.node.Kind), r.node.ID
	}
	m := v.of(f)
	if !m.found {
		return "", ""
	}
	return kindOfPart(m.part.Kind), v.id
}

// kindOfPart is what other views call a part of a kind.
func kindOfPart(k trace.Kind) string {
	switch k {
	case trace.Server, trace.Switch, trace.Router, trace.PDU, trace.UPS, trace.Other:
		return KindDevice
	case trace.Utility:
		return KindFeed
	}
	return string(k)
}

// Handle implements View.
func (v Trace) Handle(f Frame, c keys.Command) (View, Intent) {
	r := v.rows(f)
	switch c.ID {
	case "trace.way":
		v.way = (v.way + 1) % numWays
		return v, nil
	case "trace.fold":
		if x := v.at(f); x != nil && x.folds != "" {
			v = v.turn(x.folds)
		}
		return v, nil
	case "enter":
		switch x := v.at(f); {
		case x == nil:
			return v, nil
		case x.more > 0:
			return v.turn(x.folds), nil
		case x.node != nil && x.node.ID != v.id:
			return v, Open{View: NewTrace(x.node.ID)}
		}
		return v, Toast{Text: "this is where it begins; o opens its page"}
	case "export":
		return v, Copy{Text: v.markdown(f), What: "the trace of " + v.id + " as Markdown"}
	}
	v.list, _ = v.list.move(c, traceRows(r), page(f))
	return v, nil
}

// turn returns the view with a row folded that was open, or the other way.
func (v Trace) turn(key string) Trace {
	next := maps.Clone(v.turns)
	if next == nil {
		next = map[string]bool{}
	}
	if next[key] = !next[key]; !next[key] {
		delete(next, key)
	}
	v.turns = next
	return v
}

// sideRoom is how wide a screen must be for what is lost to stand beside.
const sideRoom = 150

// Draw implements View.
func (v Trace) Draw(f Frame, on widget.Canvas) {
	m := v.of(f)
	if !m.found {
		drawEmpty(f, on, "no part "+v.id, "it is not in the inventory of this snapshot; esc goes back")
		return
	}
	if on.W >= sideRoom && m.part.Kind != trace.Cloud {
		w := max(56, on.W*2/5)
		v.drawSide(f, on.Sub(on.W-w, 0, w, on.H), m)
		on = on.Sub(0, 0, on.W-w, on.H)
	}
	note := wayWords[v.way] + ", enter traces, x what-if"
	if m.omitted > 0 {
		note += ", " + fleet.Count(m.omitted, "part") + " more"
	}
	in := widget.Box(on, f.Theme, "trace", note, true)
	y := v.drawHead(f, in, m)
	v.drawTree(f, in.Sub(0, y, in.W, in.H-y))
	if r := v.at(f); r != nil && r.twig != nil { // in full, where the column cut it
		text, st := proofText(f, r.twig.edge())
		widget.Foot(on, f.Theme, text, st)
	}
}

// drawHead draws the part itself: its state, what is left of its ways, the
// cause it is down for, and what goes with it. It returns the lines it took.
func (v Trace) drawHead(f Frame, in widget.Canvas, m *traceMemo) int {
	st := graphOf(f).State(f.Snap, m.part)
	x := in.Glyph(f.Theme, 1, 0, st) + 1
	x = in.Cut(f.Theme, x, 0, in.W/2, v.id, widget.Bold) + 1
	x = in.Text(x, 0, string(m.part.Kind), widget.Dim) + 2
	text, style := partText(f, m.part, v.id)
	in.Cut(f.Theme, x, 0, in.W-x-1, text, style)
	y := 1
	if ways := m.now.Ways(m.part); len(ways) > 0 {
		drawWays(f, in, 3, y, ways)
		y++
	}
	y += v.drawCause(f, in.Sub(1, y, in.W-2, 2), m)
	if m.part.Kind == trace.Service {
		text, style := opacityText(spreadOf(f, v.id))
		in.Cut(f.Theme, 3, y, in.W-4, text, style)
		return min(y+1, in.H)
	}
	if f.Width < sideRoom && cannotFail(m.part.Kind) == "" {
		in.Text(3, y, "if it fails", widget.Dim)
		text, style := blastText(f, &m.blast)
		in.Cut(f.Theme, 16, y, in.W-17, text, style)
		y++
	}
	return min(y, in.H)
}

// drawSide draws what a failure of the part takes, beside what it took already;
// of a service, which does not fail by itself, what its replicas share.
func (v Trace) drawSide(f Frame, on widget.Canvas, m *traceMemo) {
	if m.part.Kind == trace.Service {
		spread := spreadOf(f, v.id)
		in := widget.Box(on, f.Theme, "what its replicas share", fleet.Count(len(spread.Shared), "part"), false)
		for i := 0; i < len(spread.Shared) && i < in.H; i++ {
			drawFate(f, in.Sub(1, i, in.W-2, 1), spread, &spread.Shared[i])
		}
		return
	}
	took, title := v.explained(f, m), "if it fails"
	if len(took) > 0 {
		title = "what it took, and if it fails"
	}
	in := widget.Box(on, f.Theme, title, blastNote(&m.blast), false)
	drawBlast(f, in.Sub(1, 0, in.W-2, in.H), slices.Concat(took, m.lines))
}

// partText is what there is to say of a part in one line.
func partText(f Frame, p trace.Part, id string) (string, widget.Style) {
	switch p.Kind {
	case trace.Feed, trace.Utility:
		x := f.Snap.Feeds.At(p.N)
		if len(x.Reasons) > 0 {
			return x.Reasons[0], widget.StateStyle(x.State)
		}
		if !x.AmpsA.Known && !x.PowerW.Known {
			return "nothing is measured on it", widget.Unknown
		}
		return number(x.AmpsA, 1) + "A  " + watts(x.PowerW), widget.Dim
	case trace.Service:
		x := f.Snap.Services.At(p.N)
		return strings.TrimSpace(replicas(x) + "  " + strings.Join(x.Reasons, "; ")), widget.StateStyle(x.State)
	case trace.Instance:
		x := f.Snap.Instances.At(p.N)
		return strings.TrimSpace(x.Name + "  " + strings.Join(x.Reasons, "; ")), widget.StateStyle(x.State)
	case trace.Rack:
		x := f.Snap.Racks.At(p.N)
		return strings.TrimSpace(watts(x.PowerW) + "  " + strings.Join(x.Reasons, "; ")), widget.Dim
	}
	if d := f.Snap.Devices.Get(hostOf(id)); d != nil && isDevicePart(p.Kind) {
		if d.Spec.ID != id {
			return "of " + d.Spec.ID + ", which is " + d.State.String(), widget.Dim
		}
		return verdict(f, d)
	}
	return "", widget.Dim
}

// isDevicePart reports whether parts of a kind are devices or pieces of them.
func isDevicePart(k trace.Kind) bool {
	return kindOfPart(k) == KindDevice || isPiece(k)
}

func isPiece(k trace.Kind) bool {
	switch k {
	case trace.Outlet, trace.PSU, trace.NIC, trace.BMC, trace.Port:
		return true
	}
	return false
}

// drawWays draws how many ways are left of how many: "1 of 2 cords left".
func drawWays(f Frame, on widget.Canvas, x, y int, ways []trace.Ways) int {
	for _, w := range ways {
		text, st := wayText(w)
		x = on.Cut(f.Theme, x, y, on.W-x, text, st) + 2
	}
	return x
}

func wayText(w trace.Ways) (string, widget.Style) {
	switch {
	case w.Left == 0:
		return fleet.Count(w.All, w.Kind) + ", none left", widget.Crit
	case w.Left < w.All:
		return number(fleet.Int(int64(w.Left)), 0) + " of " + fleet.Count(w.All, w.Kind) + " left", widget.Warn
	case w.All == 1:
		return "only 1 " + w.Kind, widget.Dim
	}
	return "all " + fleet.Count(w.All, w.Kind), widget.Dim
}

// cause is the cause that the part is, or that it is down for; nil: none.
func (v Trace) cause(f Frame) *trace.Cause {
	why, _ := derived[*Causes](f, derivedCauses)
	c := why.of(v.id)
	if p := v.of(f).part; c != nil && c.ID != v.id && isPiece(p.Kind) && graphOf(f).State(f.Snap, p) == fleet.StateOK {
		return nil // its device is ill, and not for it
	}
	return c
}

// drawCause draws what the part is down for and the way from there to it, or
// what it explains where it is a cause itself. It returns the lines it took.
func (v Trace) drawCause(f Frame, on widget.Canvas, m *traceMemo) int {
	why, _ := derived[*Causes](f, derivedCauses)
	c := v.cause(f)
	if c == nil || on.H == 0 {
		return 0
	}
	g := f.Theme.Glyphs
	on.Text(0, 0, g.Crit, widget.Crit)
	if c.ID == v.id {
		text := "explains " + why.share(c) + sinceText(f, c) + ": " + strings.Join(c.Evidence, "; ")
		on.Cut(f.Theme, 2, 0, on.W-2, text, widget.Plain)
		return 1
	}
	x := on.Text(2, 0, "because of ", widget.Dim)
	x = on.Cut(f.Theme, x, 0, on.W-x, string(c.Kind)+" "+c.ID, widget.Link)
	on.Cut(f.Theme, x, 0, on.W-x, sinceText(f, c)+", "+c.Confidence.String()+" confidence: "+strings.Join(c.Evidence, "; "), widget.Plain)
	path := cmp.Or(pathTo(m.up, c.ID, g.From), pathTo(m.down, c.ID, g.Into))
	if path == "" {
		return 1
	}
	on.Cut(f.Theme, 2, 1, on.W-2, path, widget.Dim)
	return 2
}

// explained lists what the part is the cause of: what it took already is not
// lost again if it fails.
func (v Trace) explained(f Frame, m *traceMemo) []blastLine {
	why, _ := derived[*Causes](f, derivedCauses)
	c := v.cause(f)
	if c == nil || c.ID != v.id {
		return nil
	}
	if m.why == why && m.took != nil {
		return m.took
	}
	g := graphOf(f)
	var list []trace.Loss
	m.took = nil
	for _, id := range c.Explains {
		if p, ok := g.Find(f.Snap, id); ok {
			st := g.State(f.Snap, p)
			text, _ := partText(f, p, id)
			list = append(list, trace.Loss{ID: id, Kind: p.Kind, Why: text})
			m.took = append(m.took, blastLine{id: id, glyph: f.Theme.Glyphs.State(st), what: id, text: text, style: widget.StateStyle(st)})
		}
	}
	m.why, m.took = why, append([]blastLine{{what: "explains " + trace.ByKind(list)}}, m.took...)
	return m.took
}

func sinceText(f Frame, c *trace.Cause) string {
	if c.Since.IsZero() {
		return ""
	}
	return " since " + since(f, c.Since)
}
