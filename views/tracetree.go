package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/trace"
	"plumb/views/widget"
)

// twig is a node of a trace with what hangs on it. Pieces that lead to one
// other part alone stand before that part on one line: the cord is one thing
// to a person, though it has a supply at one end and an outlet at the other.
type twig struct {
	before []*trace.Line // the pieces
	line   *trace.Line
	kids   []*twig
	size   int         // of parts below it
	worst  fleet.State // of it and of what is below
}

// grow makes twigs of the lines of a tree.
func grow(lines []trace.Line) *twig {
	if len(lines) == 0 {
		return nil
	}
	i := 0
	return sprout(lines, &i)
}

// sprout takes a line with all below it.
func sprout(lines []trace.Line, i *int) *twig {
	t := &twig{line: &lines[*i]}
	t.worst = t.line.Node.State
	depth := t.line.Depth
	for *i++; *i < len(lines) && lines[*i].Depth > depth; {
		kid := sprout(lines, i)
		if depth > 0 && kid.line.Node.Kind == trace.Rack && kid.line.Edge.Back {
			continue // where the part itself stands is enough
		}
		t.kids = append(t.kids, kid)
		t.size += 1 + kid.size
		t.worst = fleet.Worst(t.worst, kid.worst)
	}
	if depth > 0 && isPiece(t.line.Node.Kind) && len(t.kids) == 1 {
		kid := t.kids[0]
		kid.before = append([]*trace.Line{t.line}, kid.before...)
		kid.worst = t.worst
		return kid
	}
	return t
}

// edge is the one on a twig's line that says most: what is contradicted, else
// what leads from one device to another, else the last.
func (t *twig) edge() *trace.Edge {
	var best *trace.Edge
	for _, l := range append(slices.Clone(t.before), t.line) {
		switch e := l.Edge; {
		case e == nil:
		case e.Contradict != "":
			return e
		case best == nil || hostOf(e.From) != hostOf(e.To) || hostOf(best.From) == hostOf(best.To):
			best = e
		}
	}
	return best
}

// pathTo is the way from a tree's root to a part in words, "" where it does not
// lead there.
func pathTo(t *twig, id, arrow string) string {
	var names []string
	var walk func(t *twig) bool
	walk = func(t *twig) bool {
		mark := len(names)
		for _, l := range append(slices.Clone(t.before), t.line) {
			names = append(names, l.Node.ID)
			if l.Node.ID == id {
				return true
			}
		}
		for _, k := range t.kids {
			if walk(k) {
				return true
			}
		}
		names = names[:mark]
		return false
	}
	if t == nil || !walk(t) {
		return ""
	}
	return strings.Join(names, " "+arrow+" ")
}

// traceRow is one row of the tree.
type traceRow struct {
	key   string
	twig  *twig
	node  *trace.Node // what the caret stands on; nil: a heading or the rest of a list
	depth int
	rails uint64 // depths at which more follows below
	up    bool
	head  string               // a heading
	more  int                  // so many twigs are folded into this row
	by    [fleet.NumStates]int // their states
	folds string               // what is turned to fold or to open it; "": nothing to fold
	shut  bool
}

// layer lays twigs out as rows.
type layer struct {
	v    Trace
	up   bool
	deep int // twigs from here on are shut unless they were turned
	rows []traceRow
}

// most is how many twigs of one are shown before the rest is folded.
const most = 8

// lay lays the tree out: as deep as fits the screen a few times over, because a
// feed carries thousands and a person looks at what is wrong first.
func (v Trace) lay(f Frame, m *traceMemo) []traceRow {
	var rows []traceRow
	for deep := 8; deep >= 1; deep-- {
		rows = rows[:0]
		if v.way != wayDown {
			rows = v.half(rows, m.up, "stands on", true, deep)
		}
		if v.way != wayUp {
			rows = v.half(rows, m.down, carries(m.part.Kind), false, deep)
		}
		if len(rows) <= 2*page(f) {
			break
		}
	}
	rail(rows)
	return rows
}

// carries is the heading of what hangs on a part.
func carries(k trace.Kind) string {
	if k == trace.Cloud {
		return "runs on hosts that stand for themselves, and carries"
	}
	return "carries"
}

func (v Trace) half(rows []traceRow, root *twig, word string, up bool, deep int) []traceRow {
	if root == nil {
		return rows
	}
	if len(root.kids) == 0 {
		word += " nothing that is known"
	}
	rows = append(rows, traceRow{key: word, head: word})
	l := &layer{v: v, up: up, deep: deep, rows: rows}
	l.kids(root, 1)
	return l.rows
}

func (l *layer) side() string {
	if l.up {
		return "u "
	}
	return "d "
}

func (l *layer) add(t *twig, depth int) {
	id := t.line.Node.ID
	r := traceRow{key: l.side() + t.line.Edge.Near() + " " + id, twig: t, node: t.line.Node, depth: depth, up: l.up}
	if len(t.kids) > 0 {
		r.folds = l.side() + id
		r.shut = (depth >= l.deep) != l.v.turns[r.folds]
	}
	l.rows = append(l.rows, r)
	if !r.shut {
		l.kids(t, depth+1)
	}
}

// kids adds what hangs on a twig, of what it carries what is wrong first; the
// rest of many is one row.
func (l *layer) kids(t *twig, depth int) {
	kids := slices.Clone(t.kids)
	state := func(t *twig) fleet.State {
		if own := t.line.Node.State; l.up || own != fleet.StateOK { // what is above a part may be ill without harm to it
			return own
		}
		return t.worst
	}
	if !l.up || len(kids) > most { // what a machine needs keeps its order: cords, cables, place
		slices.SortStableFunc(kids, func(a, b *twig) int { return cmp.Or(worse(state(a), state(b)), worse(a.worst, b.worst)) })
	}
	key := l.side() + "more " + t.line.Node.ID
	show := len(kids)
	if show > most && !l.v.turns[key] {
		show = most - 1
	}
	for _, k := range kids[:show] {
		l.add(k, depth)
	}
	if show == len(kids) {
		return
	}
	r := traceRow{key: key, depth: depth, up: l.up, folds: key, more: len(kids) - show}
	for _, k := range kids[show:] {
		r.by[state(k)]++
	}
	l.rows = append(l.rows, r)
}

// rail notes for each row at which depths more follows below it.
func rail(rows []traceRow) {
	open := uint64(0)
	for i := len(rows) - 1; i >= 0; i-- {
		d := min(rows[i].depth, 62)
		open &= 1<<(d+1) - 1
		rows[i].rails = open
		open |= 1 << d
		if d == 0 {
			open = 0
		}
	}
}

// drawTree draws the rows around the caret.
func (v Trace) drawTree(f Frame, on widget.Canvas) {
	r := v.rows(f)
	at := v.list.index(traceRows(r))
	top := widget.Window(len(r), at, on.H)
	proof := min(40, max(16, on.W/4))
	cause := ""
	if c := v.cause(f); c != nil && c.ID != v.id {
		cause = c.ID
	}
	for y := 0; y < on.H && top+y < len(r); y++ {
		x := &r[top+y]
		drawRails(f, on, y, x)
		v.drawRow(f, on, y, x, on.W-proof-2, cause)
		if x.twig != nil {
			text, st := proofText(f, x.twig.edge())
			on.Cut(f.Theme, on.W-proof-1, y, proof, text, st)
		}
		if x.node != nil && f.Marks[x.node.ID] {
			on.Text(1, y, f.Theme.Glyphs.Mark, widget.Bold)
		}
		if top+y == at {
			on.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			on.Select(0, y, on.W)
		}
	}
	widget.Scroll(on, f.Theme, len(r), at)
}

// drawRails draws the tree's lines before a row.
func drawRails(f Frame, on widget.Canvas, y int, r *traceRow) {
	for d := 1; d <= r.depth; d++ {
		more, x := r.rails>>d&1 == 1, 2*d
		switch {
		case d < r.depth && more:
			on.Rune(x, y, 1, f.Theme.Glyphs.V, widget.Border)
		case d < r.depth:
		case more:
			on.Text(x, y, f.Theme.Glyphs.Tee, widget.Border)
		default:
			on.Text(x, y, f.Theme.Glyphs.Elbow, widget.Border)
		}
	}
}

func (v Trace) drawRow(f Frame, on widget.Canvas, y int, r *traceRow, w int, cause string) {
	x := 2 + 2*r.depth
	switch {
	case r.head != "":
		on.Cut(f.Theme, x, y, w-x, r.head, widget.Dim)
		return
	case r.more > 0:
		drawRest(f, on.Sub(x, y, w-x, 1), r)
		return
	}
	arrow := f.Theme.Glyphs.Into
	if r.up {
		arrow = f.Theme.Glyphs.From
	}
	on = on.Sub(0, 0, w, on.H)
	for _, l := range r.twig.before {
		x = on.Glyph(f.Theme, x, y, l.Node.State) + 1
		x = on.Cut(f.Theme, x, y, w-x, pieceName(l.Node), widget.Plain) + 1
		x = on.Text(x, y, arrow, widget.Dim) + 1
	}
	n := r.node
	x = on.Glyph(f.Theme, x, y, n.State) + 1
	x = on.Cut(f.Theme, x, y, w-x, nodeName(f, n), widget.Link) + 1
	x = v.drawNode(f, on, x, y, r)
	if as := r.twig.line.As; as != "" {
		x = on.Cut(f.Theme, x, y, w-x, "as "+as, widget.Dim) + 1
	}
	if r.shut {
		x = on.Cut(f.Theme, x, y, w-x, "+"+strconv.Itoa(r.twig.size), widget.Key) + 1
	}
	if n.ID == cause {
		on.Cut(f.Theme, x, y, w-x, "the cause", widget.Crit)
	}
}

// drawNode adds what tells a node from its like: what it is, and the ways it
// lost.
func (v Trace) drawNode(f Frame, on widget.Canvas, x, y int, r *traceRow) int {
	n := r.node
	if kindOfPart(n.Kind) == KindDevice && n.Kind != trace.Server {
		x = on.Cut(f.Theme, x, y, on.W-x, string(n.Kind), widget.Dim) + 1
	}
	if kindOfPart(n.Kind) != KindDevice {
		return x
	}
	m := v.of(f)
	p, ok := graphOf(f).Find(f.Snap, n.ID)
	if !ok {
		return x
	}
	for _, w := range m.now.Ways(p) {
		if w.Left < w.All {
			text, st := wayText(w)
			x = on.Cut(f.Theme, x, y, on.W-x, text, st) + 2
		}
	}
	return x
}

// drawRest draws the row that many twigs are folded into.
func drawRest(f Frame, on widget.Canvas, r *traceRow) {
	x := on.Text(0, 0, strconv.Itoa(r.more)+" more", widget.Key) + 1
	for _, s := range [...]fleet.State{fleet.StateCrit, fleet.StateUnknown, fleet.StateWarn, fleet.StateOff, fleet.StateOK} {
		if r.by[s] > 0 {
			x = on.Glyph(f.Theme, x, 0, s)
			x = on.Text(x, 0, strconv.Itoa(r.by[s]), widget.Dim) + 1
		}
	}
}

// pieceName is a piece beside the device it is on.
func pieceName(n *trace.Node) string {
	name := afterSlash(n.ID)
	if n.Kind == trace.Outlet {
		return "outlet " + name
	}
	return name
}

// nodeName is a node as people read it: an instance by its name, what is no
// device with what it is.
func nodeName(f Frame, n *trace.Node) string {
	switch {
	case n.Kind == trace.Instance:
		if x := f.Snap.Instances.Get(n.ID); x != nil && x.Name != "" {
			return x.Name
		}
	case isDevicePart(n.Kind):
		return n.ID
	}
	return string(n.Kind) + " " + n.ID
}

// proofText says who vouches for an edge.
func proofText(f Frame, e *trace.Edge) (string, widget.Style) {
	if e == nil {
		return "", widget.Dim
	}
	seen := strings.TrimPrefix(strings.TrimPrefix(e.Evidence, "inventory"), "+")
	if e.At != nil && !e.At.IsZero() {
		seen += " " + since(f, *e.At)
	}
	switch {
	case e.Contradict != "":
		return f.Theme.Glyphs.Drift + " not so: " + e.Contradict, widget.Drift
	case e.Intended && e.Observed:
		return "both: " + seen, widget.Dim
	case e.Observed:
		return "observed: " + seen, widget.Dim
	case seen != "":
		return "intended: " + seen, widget.Dim
	}
	return "intended", widget.Dim
}
