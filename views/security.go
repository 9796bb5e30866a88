package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/lifecycle"
	"plumb/fleet/performance"
	"plumb/fleet/security"
	"plumb/keys"
	"plumb/views/widget"
)

// Security is every check of doors with what it found, passed and could not
// see. It is the second page of the drift's tab: what a check finds is a finding
// like any other, with the same last word of people, and enter leads to it.
type Security struct {
	of string // the name of its derivation: "" is that of doors
	sheet
	memo *securityMemo
}

type securityMemo struct {
	of    *tally // the first: a list is known by it
	as    asked
	rows  []tally
	total int
}

// NewSecurity returns the checks, the worst first.
func NewSecurity() View { return Security{memo: &securityMemo{}} }

// NewPerformance returns the checks of what works, and works worse than it did.
func NewPerformance() View { return Security{of: derivedPerformance, memo: &securityMemo{}} }

// NewLifecycle returns the checks of what is not broken and will cost, and of
// what stands on too little, the same way.
func NewLifecycle() View { return Security{of: derivedLifecycle, memo: &securityMemo{}} }

// tally is a check of any of them: that of doors has all there is to say, but
// for what is learned still.
type tally struct {
	security.Tally
	learning int
	word     string // what it says
}

func securityTallies(s *fleet.Snapshot) []tally {
	list := security.Coverage(s)
	out := make([]tally, len(list))
	for i := range list {
		out[i] = tally{Tally: list[i], word: list[i].Says()}
	}
	return out
}

func lifecycleTallies(s *fleet.Snapshot, now time.Time) []tally {
	list := lifecycle.Coverage(s, now)
	out := make([]tally, len(list))
	for i := range list {
		out[i] = tally{Tally: security.Tally{Checked: list[i]}, word: list[i].Says()}
	}
	return out
}

func performanceTallies(s *fleet.Snapshot) []tally {
	list := performance.Coverage(s)
	out := make([]tally, len(list))
	for i := range list {
		out[i] = tally{Tally: security.Tally{Checked: list[i].Checked}, learning: list[i].Learning, word: list[i].Says()}
	}
	return out
}

// ID implements View.
func (v Security) ID() string { return "security" }

func (v Security) title() string {
	switch v.of {
	case derivedLifecycle:
		return "lifecycle checks"
	case derivedPerformance:
		return "performance checks"
	}
	return "security checks"
}

// Crumbs implements View.
func (v Security) Crumbs(Frame) []string { return []string{"drift", v.title()} }

// Needs implements View.
func (v Security) Needs(Frame) []fleet.Query { return []fleet.Query{v.query()} }

func (v Security) query() fleet.Query { return derivedQuery(cmp.Or(v.of, derivedSecurity)) }

func (v Security) shown(f Frame) (*securityMemo, bool) {
	list, ok := derived[[]tally](f, v.query().Target)
	if !ok || len(list) == 0 {
		return &securityMemo{}, ok
	}
	m := v.memo
	if m.of == &list[0] && m.as == v.asked() {
		return m, true
	}
	*m = securityMemo{of: &list[0], as: v.asked(), total: len(list)}
	flt := parseFilter(v.text)
	for i := range list {
		if flt.match(tallyRecord{&f, &list[i]}) {
			m.rows = append(m.rows, list[i])
		}
	}
	column := v.columns()[v.sort].Title
	slices.SortStableFunc(m.rows, func(a, b tally) int { return v.sign() * compareTallies(&a, &b, column) })
	return m, true
}

// compareTallies orders checks by a column; by the first what was found comes
// first, by severity, then what cannot be seen, then what passed.
func compareTallies(a, b *tally, column string) int {
	switch column {
	case "check":
		return strings.Compare(a.ID, b.ID)
	case "severity":
		return cmp.Compare(b.Severity, a.Severity)
	case "found":
		return b.Found - a.Found
	case "decided":
		return b.Decided - a.Decided
	case "unseen":
		return b.NotVisible - a.NotVisible
	case "passed":
		return b.Passed - a.Passed
	case "learning":
		return b.learning - a.learning
	case "oldest":
		at := func(t *tally) time.Time {
			if t.Oldest == nil {
				return time.Unix(1<<40, 0)
			}
			return *t.Oldest
		}
		return at(a).Compare(at(b))
	case "read":
		age := func(t *tally) int64 {
			if t.AnswersAgeS == nil {
				return -1
			}
			return *t.AnswersAgeS
		}
		return cmp.Compare(age(b), age(a))
	case "what":
		return strings.Compare(a.Title, b.Title)
	case "how it was tried":
		return strings.Compare(a.How, b.How)
	}
	return cmp.Or(tallyRank(a)-tallyRank(b), cmp.Compare(b.Severity, a.Severity), b.Found-a.Found)
}

// tallyRank puts what was found before what nobody can see, then what was
// decided, what passed, and what is turned off.
func tallyRank(t *tally) int {
	switch {
	case t.Off != "":
		return 4
	case t.Found > 0:
		return 0
	case t.NotVisible > 0:
		return 1
	case t.Decided > 0, t.learning > 0:
		return 2
	}
	return 3
}

// tallyMark tells by glyph and word what a check says.
func tallyMark(f Frame, t *tally) (string, widget.Style, string) {
	g, word := f.Theme.Glyphs, t.word
	switch {
	case t.Off != "":
		return g.Off, widget.Off, word
	case t.Found > 0 && t.Severity == fleet.SeverityCrit:
		return g.Crit, widget.Crit, word
	case t.Found > 0:
		return g.Warn, widget.Warn, word
	case t.NotVisible > 0, t.learning > 0 && t.Passed == 0:
		return g.Unknown, widget.Unknown, word
	case t.Decided > 0:
		return g.Drift, widget.Dim, word
	case t.Passed == 0:
		return g.Empty, widget.Dim, word
	}
	return g.OK, widget.OK, word
}

type tallyRecord struct {
	f *Frame
	t *tally
}

func (r tallyRecord) field(name string) (string, bool) {
	switch name {
	case "check", "id", "facet":
		return r.t.ID, true
	case "severity":
		return r.t.Severity.String(), true
	case "state":
		_, _, word := tallyMark(*r.f, r.t)
		return word, true
	}
	return "", false
}

func (r tallyRecord) amount(name string) (float64, bool) {
	switch name {
	case "found":
		return float64(r.t.Found), true
	case "unseen":
		return float64(r.t.NotVisible), true
	case "learning":
		return float64(r.t.learning), true
	case "age":
		if r.t.Oldest != nil {
			return seconds(*r.f, *r.t.Oldest)
		}
	}
	return 0, false
}

func (r tallyRecord) word(w string) bool {
	return holds(r.t.ID, w) || holds(r.t.Title, w) || holds(r.t.How, w)
}

func tallyRows(t []tally) rows { return rows{len(t), func(i int) string { return t[i].ID }} }

// at returns the check under the caret; nil: there is none.
func (v Security) at(f Frame) *tally {
	m, _ := v.shown(f)
	if i := v.list.index(tallyRows(m.rows)); i >= 0 {
		return &m.rows[i]
	}
	return nil
}

// Selected implements View.
func (v Security) Selected(f Frame) (kind, id string) {
	if t := v.at(f); t != nil {
		return KindCheck, t.ID
	}
	return "", ""
}

// Handle implements View.
func (v Security) Handle(f Frame, c keys.Command) (next View, in Intent) {
	switch c.ID {
	case "pane.next", "pane.back":
		switch v.of {
		case "":
			return v, Open{View: NewLifecycle()}
		case derivedLifecycle:
			return v, Open{View: NewPerformance()}
		}
		return v, Open{View: NewDrift("")}
	case "enter":
		switch t := v.at(f); {
		case t == nil:
			return v, nil
		case t.Found+t.Decided == 0:
			_, _, word := tallyMark(f, t)
			return v, Toast{Text: t.ID + ": " + word + "; nothing was found"}
		}
		return v, nil // what it found is followed
	}
	m, _ := v.shown(f)
	v.sheet, in = v.handle(f, c, tallyRows(m.rows), len(v.columns()))
	return v, in
}

var securityColumns = []widget.Column{
	{Title: "", Min: 1}, {Title: "check", Min: 16, Max: 26, Name: true}, {Title: "says", Min: 13, Name: true}, {Title: "read", Min: 5, Right: true}, {Title: "severity", Min: 8, Rank: 3}, {Title: "found", Min: 5, Right: true}, {Title: "decided", Min: 7, Rank: 2, Right: true},
	{Title: "unseen", Min: 6, Rank: 1, Right: true}, {Title: "passed", Min: 6, Right: true}, {Title: "oldest", Min: 6, Rank: 2, Right: true}, {Title: "what", Min: 20, Max: 60, Rank: 3, Name: true}, {Title: "how it was tried", Min: 24, Max: 60, Rank: 4, Name: true},
}

// lifecycleColumns are those of checks that rest on no single read, and
// performanceColumns those of checks that learn.
var (
	lifecycleColumns   = slices.DeleteFunc(slices.Clone(securityColumns), func(c widget.Column) bool { return c.Title == "read" })
	performanceColumns = slices.Insert(slices.Clone(lifecycleColumns), slices.IndexFunc(lifecycleColumns, func(c widget.Column) bool { return c.Title == "oldest" }), widget.Column{Title: "learning", Min: 8, Rank: 1, Right: true})
)

func (v Security) columns() []widget.Column {
	switch v.of {
	case derivedLifecycle:
		return lifecycleColumns
	case derivedPerformance:
		return performanceColumns
	}
	return securityColumns
}

// Draw implements View.
func (v Security) Draw(f Frame, on widget.Canvas) {
	m, ok := v.shown(f)
	if !ok {
		drawUnderived(f, widget.Box(on, f.Theme, v.title(), "", true), v.query())
		return
	}
	table := on
	if t := v.at(f); t != nil && on.H >= 18 {
		h := min(8, on.H-12)
		drawTally(f, on.Sub(0, on.H-h, on.W, h), t)
		table = on.Sub(0, 0, on.W, on.H-h)
	}
	v.draw(f, table, look{title: v.title(), before: tallySum(m.rows), noun: "check", columns: v.columns(), total: m.total, plain: v.sort == 0}, tallyRows(m.rows),
		func(on widget.Canvas, row, col int) { tallyCell(f, on, &m.rows[row], v.columns()[col].Title) })
	widget.Foot(table, f.Theme, v.foot(f), widget.Dim)
}

// foot says how far the word of a check reaches.
func (v Security) foot(f Frame) string {
	const rest = "what is not visible has not passed; tab: security, lifecycle, performance, drift"
	if often, every := f.Snap.Intervals[fleet.LaneTables], f.Snap.Intervals[fleet.LaneSlow]; v.of == "" && every > 0 {
		return "doors are read every " + span(often) + " (BMC) to " + span(every) + "; " + rest
	}
	if v.of == derivedPerformance {
		return performance.Score(f.Snap).String() + "; " + rest
	}
	return "checks only look; " + rest
}

// tallySum counts the checks by what they say.
func tallySum(list []tally) string {
	found, blind := 0, 0
	for i := range list {
		switch tallyRank(&list[i]) {
		case 0:
			found++
		case 1:
			blind++
		}
	}
	return strconv.Itoa(found) + " found something, " + strconv.Itoa(blind) + " not fully visible;"
}

func tallyCell(f Frame, on widget.Canvas, t *tally, column string) {
	glyph, st, word := tallyMark(f, t)
	n := func(n int, st widget.Style) {
		if n == 0 {
			st = widget.Dim
		}
		on.CutRight(f.Theme, 0, 0, on.W, strconv.Itoa(n), st)
	}
	switch column {
	case "":
		on.Text(0, 0, glyph, st)
	case "check":
		on.Cut(f.Theme, 0, 0, on.W, strings.TrimPrefix(t.ID, "performance."), widget.Link) // all of its page begin so
	case "says":
		on.Cut(f.Theme, 0, 0, on.W, word, st)
	case "severity":
		on.Cut(f.Theme, 0, 0, on.W, t.Severity.String(), widget.Dim)
	case "found":
		n(t.Found, widget.SeverityStyle(t.Severity))
	case "decided":
		n(t.Decided, widget.Plain)
	case "unseen":
		n(t.NotVisible, widget.Unknown)
	case "passed":
		n(t.Passed, widget.Plain)
	case "learning":
		n(t.learning, widget.Unknown)
	case "read":
		on.CutRight(f.Theme, 0, 0, on.W, agoOf(f, t.ReadAt), widget.Dim)
	case "oldest":
		on.CutRight(f.Theme, 0, 0, on.W, agoOf(f, t.Oldest), widget.Dim)
	case "what":
		on.Cut(f.Theme, 0, 0, on.W, t.Title, widget.Plain)
	case "how it was tried":
		on.Cut(f.Theme, 0, 0, on.W, t.How, widget.Dim)
	}
}

func agoOf(f Frame, at *time.Time) string {
	if at == nil {
		return dash
	}
	return since(f, *at)
}

// drawTally draws a check with how it was tried and what to do.
func drawTally(f Frame, on widget.Canvas, t *tally) {
	_, st, word := tallyMark(f, t)
	box := widget.Box(on, f.Theme, t.ID, t.Severity.String(), false)
	in := box.Sub(1, 0, box.W-2, box.H)
	y := in.Wrap(0, 0, in.W, 2, t.Title, st)
	line := func(label, text string) {
		if text != "" && y < in.H {
			in.Text(0, y, label, widget.Dim)
			y += in.Wrap(8, y, in.W-8, min(2, in.H-y), text, widget.Plain)
		}
	}
	if t.ReadAt != nil { // a door that was opened since is not seen yet
		word += ", read " + since(f, *t.ReadAt) + " ago"
	}
	learning := ""
	if t.learning > 0 {
		learning = ", " + strconv.Itoa(t.learning) + " learning still"
	}
	line("says", word+": "+strconv.Itoa(t.Found)+" found, "+strconv.Itoa(t.Decided)+" decided, "+strconv.Itoa(t.NotVisible)+" not visible, "+strconv.Itoa(t.Passed)+" passed"+learning)
	line("off", t.Off)
	line("how", t.How)
	line("fix", t.Fix)
}
