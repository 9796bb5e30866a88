package views

import (
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/trace"
	"plumb/keys"
	"plumb/views/widget"
)

// WhatIf is what would be lost if parts failed together, on the fleet as it is
// shown: nothing is done to anything, and of the past it tells as of then.
type WhatIf struct {
	parts string // ids, a line each, in the order they were put in
	list  list
	memo  *whatIfMemo
}

// NewWhatIf returns the what-if of parts, by the ids that [trace.Graph.Find]
// knows.
func NewWhatIf(ids ...string) View {
	v := WhatIf{memo: &whatIfMemo{}}
	for _, id := range ids {
		v = v.with(id)
	}
	return v
}

type whatIfMemo struct {
	snap  *fleet.Snapshot
	parts string
	blast trace.Blast
	rows  []whatIfRow
}

// whatIfRow is a part that fails, or a line of what that takes.
type whatIfRow struct {
	key string
	blastLine
	in bool // it is one of those that fail
}

func (v WhatIf) ids() []string { return strings.Fields(v.parts) }

// with returns the view with one part more.
func (v WhatIf) with(id string) WhatIf {
	if !slices.Contains(v.ids(), id) {
		v.parts += id + "\n"
	}
	return v
}

// without returns the view with one part less.
func (v WhatIf) without(id string) WhatIf {
	v.parts = strings.Join(slices.DeleteFunc(v.ids(), func(x string) bool { return x == id }), "\n") + "\n"
	return v
}

// of returns what the loss of the parts does, from memory where neither they
// nor the snapshot changed.
func (v WhatIf) of(f Frame) *whatIfMemo {
	m := v.memo
	if m == nil {
		m = &whatIfMemo{}
	}
	if m.snap != f.Snap || m.parts != v.parts {
		*m = whatIfMemo{snap: f.Snap, parts: v.parts}
		v.judge(f, m)
	}
	return m
}

func (v WhatIf) judge(f Frame, m *whatIfMemo) {
	g := graphOf(f)
	var parts []trace.Part
	for _, id := range v.ids() {
		l := blastLine{id: id, what: id, glyph: f.Theme.Glyphs.Unknown, style: widget.Unknown, text: "not in this snapshot"}
		if p, ok := g.Find(f.Snap, id); ok {
			parts = append(parts, p)
			st := g.State(f.Snap, p)
			text, _ := partText(f, p, id)
			l.glyph, l.style, l.text = f.Theme.Glyphs.State(st), widget.StateStyle(st), strings.TrimSpace(string(p.Kind)+"  "+text)
		}
		m.rows = append(m.rows, whatIfRow{key: "in " + id, blastLine: l, in: true})
	}
	m.blast = g.Blast(f.Snap, parts...)
	head := ""
	for _, l := range blastLines(f, &m.blast) {
		if l.id == "" {
			head = l.what
		}
		m.rows = append(m.rows, whatIfRow{key: head + " " + l.id, blastLine: l})
	}
}

func whatIfRows(r []whatIfRow) rows { return rows{len(r), func(i int) string { return r[i].key }} }

// ID implements View.
func (v WhatIf) ID() string { return "whatif" }

// Crumbs implements View.
func (v WhatIf) Crumbs(Frame) []string {
	ids := v.ids()
	if len(ids) > 1 {
		return []string{"what-if", ids[0] + " and " + strconv.Itoa(len(ids)-1) + " more"}
	}
	return append([]string{"what-if"}, ids...)
}

// Needs implements View.
func (v WhatIf) Needs(Frame) []fleet.Query { return nil }

// at returns the row of the caret; nil: there is none.
func (v WhatIf) at(f Frame) *whatIfRow {
	r := v.of(f).rows
	if i := v.list.index(whatIfRows(r)); i >= 0 {
		return &r[i]
	}
	return nil
}

// Selected implements View: the part of the caret's row.
func (v WhatIf) Selected(f Frame) (kind, id string) {
	r := v.at(f)
	if r == nil || r.id == "" {
		return "", ""
	}
	if p, ok := graphOf(f).Find(f.Snap, r.id); ok {
		return kindOfPart(p.Kind), r.id
	}
	return "", r.id
}

// Handle implements View.
func (v WhatIf) Handle(f Frame, c keys.Command) (View, Intent) {
	switch c.ID {
	case "whatif", "whatif.add":
		return v.change(f, c)
	case "enter":
		if r := v.at(f); r != nil && r.id != "" {
			return v, openTrace(f, v, r.id)
		}
		return v, nil
	case "export":
		return v, Copy{Text: v.markdown(f), What: "the what-if as Markdown"}
	}
	v.list, _ = v.list.move(c, whatIfRows(v.of(f).rows), page(f))
	return v, nil
}

// change puts parts in, or the one under the caret in or out.
func (v WhatIf) change(f Frame, c keys.Command) (View, Intent) {
	if ids := strings.Fields(c.Arg(0)); len(ids) > 0 {
		return v.add(f, ids)
	}
	if c.ID == "whatif.add" {
		return v, Ask{Label: "fails too, id", Command: c.ID}
	}
	switch r := v.at(f); {
	case r == nil || r.id == "":
		return v, Toast{Text: "what-if: nothing is selected"}
	case !r.in:
		return v.add(f, []string{r.id})
	case len(v.ids()) == 1:
		return v, Toast{Text: "it is the only one; + puts another one in, esc leads back"}
	default:
		return v.without(r.id), Toast{Text: r.id + " does not fail"}
	}
}

func (v WhatIf) add(f Frame, ids []string) (View, Intent) {
	next := v
	for _, id := range ids {
		p, ok := partOf(f, id)
		if !ok {
			return v, Toast{Text: "what-if: no part " + id}
		}
		if why := cannotFail(p.Kind); why != "" {
			return v, Toast{Text: "what-if: " + why}
		}
		next = next.with(graphOf(f).ID(f.Snap, p))
	}
	return next, Toast{Text: strings.Join(ids, " ") + " fails too"}
}

// cannotFail says why a part of a kind cannot be asked to fail, "" where it can.
func cannotFail(k trace.Kind) string {
	switch k {
	case trace.Service:
		return "a service fails with what it stands on: t traces it"
	case trace.Cloud:
		return "what a cloud takes with it is what runs in its region: ask for that"
	}
	return ""
}

// Draw implements View.
func (v WhatIf) Draw(f Frame, on widget.Canvas) {
	m := v.of(f)
	r := m.rows
	at := v.list.index(whatIfRows(r))
	head := min(3, on.H)
	sum := widget.Box(on.Sub(0, 0, on.W, head), f.Theme, "if "+v.failing()+" "+v.verb(), "nothing is done to anything", false)
	text, st := blastText(f, &m.blast)
	sum.Cut(f.Theme, 1, 0, sum.W-2, text, st)
	body := on.Sub(0, head, on.W, on.H-head)
	split := slices.IndexFunc(r, func(x whatIfRow) bool { return x.side })
	if on.W < 100 || split < 0 {
		in := widget.Box(body, f.Theme, "what happens", "x in or out, enter traces", true)
		drawWhatIf(f, in, r, at)
		return
	}
	w := on.W / 2
	left := widget.Box(body.Sub(0, 0, w, body.H), f.Theme, "services and power", "x in or out, enter traces", at < split)
	drawWhatIf(f, left, r[:split], at)
	right := widget.Box(body.Sub(w, 0, on.W-w, body.H), f.Theme, "what is lost", blastNote(&m.blast), at >= split)
	drawWhatIf(f, right, r[split:], at-split)
}

func (v WhatIf) failing() string {
	ids := v.ids()
	if len(ids) > 3 {
		return strings.Join(ids[:2], ", ") + " and " + strconv.Itoa(len(ids)-2) + " more"
	}
	return strings.Join(ids, " and ")
}

func (v WhatIf) verb() string {
	if len(v.ids()) == 1 {
		return "fails"
	}
	return "fail together"
}

// drawWhatIf draws rows around the caret, which may stand in another pane.
func drawWhatIf(f Frame, on widget.Canvas, r []whatIfRow, at int) {
	top := widget.Window(len(r), at, on.H)
	for y := 0; y < on.H && top+y < len(r); y++ {
		x := &r[top+y]
		drawBlastLine(f, on.Sub(0, 0, on.W-1, on.H), 2, y, &x.blastLine)
		if top+y == at {
			on.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			on.Select(0, y, on.W)
		}
	}
	widget.Scroll(on, f.Theme, len(r), at)
}
