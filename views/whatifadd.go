package views

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/keys"
	"plumb/views/widget"
)

// WhatIfAdd is the capacity as it would be with more servers, beside what it is.
// Nothing is done: it only says what would be.
type WhatIfAdd struct {
	ask string // as it was typed, without the word add
	sheet
	memo *changeMemo
}

type changeMemo struct {
	of   *change
	as   asked
	rows []capacity.Delta
}

// change is the answer.
type change struct {
	q    capacity.Request
	rack string
	got  capacity.Change
	err  error
}

// changed answers a question as it was typed.
func changed(s *fleet.Snapshot, ask string) *change {
	words, flags, err := splitAsk(ask)
	if err != nil {
		return &change{err: err}
	}
	c := &change{}
	if c.q, c.rack, c.err = ParseAdd(s, words, flags); c.err == nil {
		c.got, c.err = capacity.AddTo(s, c.q, c.rack)
	}
	return c
}

// openAdd opens what would be with more servers, or says what of the question
// is wrong.
func openAdd(f Frame, ask string) Intent {
	const example = "; as: whatif add 12 --watts 450 --units 1 --in fra1"
	words, flags, err := splitAsk(ask)
	if err == nil {
		_, _, err = ParseAdd(f.Snap, words, flags)
	}
	if err != nil {
		return Toast{Text: "whatif add: " + err.Error() + example}
	}
	return Open{View: WhatIfAdd{ask: ask, memo: &changeMemo{}}}
}

// ID implements View.
func (v WhatIfAdd) ID() string { return "whatif-add" }

// Crumbs implements View.
func (v WhatIfAdd) Crumbs(Frame) []string { return []string{"capacity", "what if: add " + v.ask} }

// Needs implements View.
func (v WhatIfAdd) Needs(Frame) []fleet.Query {
	return []fleet.Query{derivedQuery(derivedChange, v.ask)}
}

func (v WhatIfAdd) shown(f Frame) (*changeMemo, bool) {
	c, ok := derived[*change](f, derivedChange, v.ask)
	if !ok {
		return &changeMemo{}, false
	}
	m := v.memo
	if m.of == c && m.as == v.asked() {
		return m, true
	}
	*m = changeMemo{of: c, as: v.asked()}
	flt := parseFilter(v.text)
	for _, d := range c.got.Deltas {
		if flt.match(deltaRecord{&d}) {
			m.rows = append(m.rows, d)
		}
	}
	v.order(m.rows)
	return m, true
}

// order sorts by the chosen column; the first by what would break, then by how
// full it would be.
func (v WhatIfAdd) order(list []capacity.Delta) {
	column := changeColumns[v.sort].Title
	slices.SortStableFunc(list, func(a, b capacity.Delta) int {
		switch column {
		case "id":
			return v.sign() * strings.Compare(a.After.ID, b.After.ID)
		case "resource":
			return v.sign() * strings.Compare(resourceWord(&a.After), resourceWord(&b.After))
		case "before":
			return v.sign() * cmp.Compare(b.Before.Share(), a.Before.Share())
		}
		return v.sign() * cmp.Or(btoi(b.Breaks())-btoi(a.Breaks()), btoi(b.After.Over)-btoi(a.After.Over), cmp.Compare(b.After.Share(), a.After.Share()))
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

type deltaRecord struct{ d *capacity.Delta }

func (r deltaRecord) field(name string) (string, bool) {
	switch name {
	case "scope":
		return string(r.d.After.Scope), true
	case "resource":
		return resourceWord(&r.d.After), true
	case "id", string(r.d.After.Scope):
		return r.d.After.ID, true
	case "state":
		if r.d.After.Over {
			return "over", true
		}
		return "ok", true
	}
	return "", false
}

func (r deltaRecord) amount(string) (float64, bool) { return 0, false }

func (r deltaRecord) word(w string) bool {
	return holds(r.d.After.ID, w) || holds(resourceWord(&r.d.After), w) || holds(r.d.After.Worst, w)
}

func deltaRows(d []capacity.Delta) rows {
	return rows{len(d), func(i int) string {
		x := &d[i].After
		return string(x.Scope) + " " + x.ID + " " + string(x.Resource) + " " + x.Class
	}}
}

// at returns the row of the caret; nil: there is none.
func (v WhatIfAdd) at(f Frame) *capacity.Delta {
	m, _ := v.shown(f)
	if i := v.list.index(deltaRows(m.rows)); i >= 0 {
		return &m.rows[i]
	}
	return nil
}

// Selected implements View.
func (v WhatIfAdd) Selected(f Frame) (kind, id string) {
	if d := v.at(f); d != nil {
		return string(d.After.Scope), d.After.ID
	}
	return "", ""
}

// Handle implements View.
func (v WhatIfAdd) Handle(f Frame, c keys.Command) (next View, in Intent) {
	if d := v.at(f); c.ID == "enter" && d != nil {
		return v, Open{View: newCapacityPage(d.After.Scope, d.After.ID)}
	}
	m, _ := v.shown(f)
	v.sheet, in = v.handle(f, c, deltaRows(m.rows), len(changeColumns))
	return v, in
}

var changeColumns = []widget.Column{
	{Title: "", Min: 1}, {Title: "id", Min: 10, Max: 16, Name: true}, {Title: "resource", Min: 12, Max: 18, Name: true}, {Title: "before", Min: 9, Max: 22, Rank: 2},
	{Title: "after", Min: 12, Max: 24}, {Title: "change", Min: 9, Rank: 1, Right: true}, {Title: "left", Min: 7, Right: true}, {Title: "then", Min: 16, Max: 100, Rank: 3},
}

// Draw implements View.
func (v WhatIfAdd) Draw(f Frame, on widget.Canvas) {
	m, ok := v.shown(f)
	switch {
	case !ok:
		drawUnderived(f, widget.Box(on, f.Theme, "what if", "", true), v.Needs(f)[0])
		return
	case m.of.err != nil:
		drawEmpty(f, widget.Box(on, f.Theme, "what if", "", true), "it cannot be answered any more", m.of.err.Error())
		return
	}
	c := m.of
	if c.got.Placed == 0 {
		why := "every rack refuses"
		if len(c.got.Refused) > 0 {
			why = c.got.Refused[0].Rack + ": " + c.got.Refused[0].Why
		}
		drawEmpty(f, widget.Box(on, f.Theme, "what if", "", true), "none of them finds a place", why+"; :place "+v.ask+" says why of each rack")
		return
	}
	v.draw(f, on, look{title: "what if: " + strconv.Itoa(c.q.Servers) + " more of " + shapeText(c.q), before: c.verdict(), noun: "row", columns: changeColumns,
		total: len(c.got.Deltas), plain: v.sort == 0}, deltaRows(m.rows),
		func(on widget.Canvas, row, col int) { deltaCell(f, on, &m.rows[row], changeColumns[col].Title) })
	widget.Foot(on, f.Theme, c.where(), widget.Dim)
}

// verdict says what breaks, in a few words.
func (c *change) verdict() string {
	breaks := 0
	for i := range c.got.Deltas {
		breaks += btoi(c.got.Deltas[i].Breaks())
	}
	text := "no limit breaks"
	if breaks > 0 {
		text = fleet.Count(breaks, "limit") + " would break"
	}
	if c.got.Short > 0 {
		text = strconv.Itoa(c.got.Short) + " find no place; " + text
	}
	return text
}

// where says where they would stand.
func (c *change) where() string {
	var parts []string
	for i, a := range c.got.Adds {
		if i == 6 {
			parts = append(parts, "and "+fleet.Count(len(c.got.Adds)-6, "more rack"))
			break
		}
		parts = append(parts, strconv.Itoa(a.Servers)+" in "+a.Rack)
	}
	return strings.Join(parts, ", ") + "; nothing is done"
}

func deltaCell(f Frame, on widget.Canvas, d *capacity.Delta, column string) {
	x := &d.After
	switch column {
	case "":
		glyph, st := f.Theme.Glyphs.OK, widget.OK
		switch {
		case d.Breaks():
			glyph, st = f.Theme.Glyphs.Crit, widget.Crit
		case x.Over:
			glyph, st = f.Theme.Glyphs.Warn, widget.Warn // it is broken today
		case math.IsNaN(x.Share()):
			glyph, st = f.Theme.Glyphs.Unknown, widget.Unknown
		}
		on.Text(0, 0, glyph, st)
	case "id":
		on.Cut(f.Theme, 0, 0, on.W, x.ID, widget.Link)
	case "resource":
		on.Cut(f.Theme, 0, 0, on.W, resourceWord(x), widget.Plain)
	case "before":
		drawRoom(f, on, &d.Before, fleet.Num{})
	case "after":
		drawRoom(f, on, x, fleet.Num{})
	case "change":
		on.CutRight(f.Theme, 0, 0, on.W, f.Theme.Glyphs.Delta+" "+deltaText(d), widget.Bold)
	case "left":
		st := widget.Plain
		if x.Free.Known && x.Free.N < 0 {
			st = widget.Crit
		}
		on.CutRight(f.Theme, 0, 0, on.W, amountOfRow(x.Free, x), st)
	case "then":
		st := widget.Dim
		if x.Over {
			st = widget.Crit
		}
		on.Cut(f.Theme, 0, 0, on.W, strings.TrimSpace(x.Worst), st)
	}
}

// deltaText writes by how much a row changes, of a longest run what it loses.
func deltaText(d *capacity.Delta) string {
	a, b := d.Before.Used, d.After.Used
	if d.After.Resource == capacity.Contiguous {
		a, b = d.Before.Free, d.After.Free
	}
	if !a.Known || !b.Known {
		return dash
	}
	n := fleet.FromFloat(b.Float()-a.Float(), 1)
	text := amountOfRow(n, &d.After)
	if n.N > 0 {
		text = "+" + text
	}
	return text
}
