package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// sheet is what every screen made of one table has in common: a filter, the
// column it is sorted by, and a caret that stays on its row. Views embed it;
// what the rows are and how a cell is drawn stays theirs.
type sheet struct {
	text string // the filter
	sort int    // place of the column
	desc bool   // the column's natural order turned around
	list list
}

func (s sheet) filterText() string { return s.text }

// asked is what the rows of a sheet and their order follow from.
type asked struct {
	text string
	sort int
	desc bool
}

func (s sheet) asked() asked { return asked{s.text, s.sort, s.desc} }

// sign turns a comparison around where the order is turned around.
func (s sheet) sign() int {
	if s.desc {
		return -1
	}
	return 1
}

// handle carries out what a command means to a table that can be sorted by so
// many columns; the rows are those before the command.
func (s sheet) handle(f Frame, c keys.Command, r rows, columns int) (sheet, Intent) {
	switch c.ID {
	case "sort":
		s.list = s.list.to(s.list.index(r), r)
		s.sort, s.desc = (s.sort+1)%columns, false
	case "sort.reverse":
		s.desc = !s.desc
	case "filter.set":
		s.text = c.Arg(0)
	case "back":
		if s.text != "" {
			s.text = ""
			return s, Toast{Text: "filter cleared"}
		}
	default:
		s.list, _ = s.list.move(c, r, page(f))
	}
	return s, nil
}

// look is how a sheet looks: everything of it but its cells.
type look struct {
	title, noun string // "devices", "device"
	before      string // stands before the count
	after       string // stands after it
	columns     []widget.Column
	total       int  // rows before the filter
	still       bool // no caret: it stands beside a list that has it
	away        bool // the caret is in another pane
	plain       bool // not sorted by a column
	marked      func(row int) bool
	kind        string // of its rows, where they can differ from now
	marks       int
}

// draw draws the rows in a box, or why there are none.
func (s sheet) draw(f Frame, on widget.Canvas, l look, r rows, cell func(on widget.Canvas, row, col int)) {
	note := strings.TrimSpace(l.before + "  " + tableNote(r.n, l.total, s.text, l.marks) + "  " + l.after)
	in := widget.Box(on, f.Theme, l.title, note, !l.still && !l.away)
	if r.n == 0 {
		drawNoRows(f, in, l.total, s.text, l.noun)
		return
	}
	t := widget.Table{Columns: l.columns, Rows: r.n, At: s.list.index(r), Focus: !l.away, Sort: s.sort, Desc: s.desc, Marked: l.marked}
	if l.kind != "" && f.Deltas != nil {
		t.Differs = func(row int) bool { return f.now(l.kind, r.id(row)) != "" }
	}
	if l.still {
		t.At = -1
	}
	if l.plain {
		t.Sort = -1
	}
	t.Draw(in, f.Theme, cell)
	widget.Scroll(in.Sub(0, 1, in.W, in.H-1), f.Theme, r.n, t.At)
}

// rowMemo keeps the rows that a filter let through, in their order, for one
// snapshot: ten thousand devices are not sorted again for each key.
type rowMemo[T any] struct {
	snap *fleet.Snapshot
	as   asked
	rows []T
}

// of returns the rows of a sheet, from memory where nothing has changed; fill
// appends them to what it is given.
func (m *rowMemo[T]) of(f Frame, s sheet, fill func(to []T, flt *filter) []T) []T {
	if m.snap == f.Snap && m.as == s.asked() {
		return m.rows
	}
	m.snap, m.as = f.Snap, s.asked()
	flt := parseFilter(s.text)
	m.rows = fill(m.rows[:0], &flt)
	return m.rows
}

// tableNote says how many rows are shown of how many, and why.
func tableNote(n, total int, filter string, marks int) string {
	s := strconv.Itoa(n)
	if n != total {
		s += " of " + strconv.Itoa(total)
	}
	if filter != "" {
		s += "  / " + filter
	}
	if marks > 0 {
		s += "  " + strconv.Itoa(marks) + " marked"
	}
	return s
}

// drawNoRows says why a table is empty.
func drawNoRows(f Frame, on widget.Canvas, total int, filter, noun string) {
	if total > 0 && filter != "" {
		drawEmpty(f, on, "no "+noun+" matches / "+filter, "esc clears the filter")
		return
	}
	drawEmpty(f, on, "no "+noun+" is known", "none in the inventory and none has been seen yet")
}
