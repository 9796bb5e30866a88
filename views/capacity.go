package views

import (
	"cmp"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/keys"
	"plumb/views/widget"
)

// Capacity is what is left of what, a row a region, site, rack, feed or cloud,
// what hurts first at the top. Rows take no marks: a mark says what an action
// means, and nothing here can be acted on.
type Capacity struct {
	scope capacity.Scope
	sheet
	memo *capacityMemo
}

// NewCapacity returns the capacity of all racks: it is there that room is
// looked for.
func NewCapacity() View { return newCapacity(capacity.ScopeRack) }

func newCapacity(scope capacity.Scope) View { return Capacity{scope: scope, memo: &capacityMemo{}} }

// ID implements View.
func (v Capacity) ID() string { return "capacity" }

// Crumbs implements View.
func (v Capacity) Crumbs(Frame) []string { return []string{"capacity", string(v.scope) + "s"} }

// Needs implements View.
func (v Capacity) Needs(Frame) []fleet.Query { return capacityNeeds }

var capacityNeeds = []fleet.Query{derivedQuery(derivedCapacity), derivedQuery(derivedForesight)}

// capacityMemo keeps the rows of one survey.
type capacityMemo struct {
	of    capacityAsked
	rows  []capacityRow
	total int
}

// capacityAsked is what the rows follow from.
type capacityAsked struct {
	survey *capacity.Survey
	ahead  *foresight
	scope  capacity.Scope
	as     asked
}

// capacityRow is a subject with what its cells say.
type capacityRow struct {
	*capacity.Subject
	way   *capacity.Row // that has its runway; nil: not known
	alone int           // machines on one cord, or on this feed alone
	leaf  bool          // a feed that PDUs hang on
	fit   *capacity.RackFit
}

// shown returns the rows that the filter lets through in their order; false
// where the survey is not there yet.
func (v Capacity) shown(f Frame) (*capacityMemo, bool) {
	survey, ok := derived[*capacity.Survey](f, derivedCapacity)
	if !ok {
		return &capacityMemo{}, false
	}
	ahead, _ := derived[*foresight](f, derivedForesight)
	of := capacityAsked{survey, ahead, v.scope, v.asked()}
	if v.memo.of != of {
		*v.memo = capacityMemo{of: of}
		v.fill(f, v.memo)
	}
	return v.memo, true
}

func (v Capacity) fill(f Frame, m *capacityMemo) {
	flt := parseFilter(v.text)
	alone, leaves := aloneBy(m.of.survey)
	for i := range m.of.survey.Subjects {
		sub := &m.of.survey.Subjects[i]
		if sub.Scope != v.scope {
			continue
		}
		m.total++
		r := capacityRow{Subject: sub, alone: alone[sub.ID], leaf: leaves[sub.ID]}
		r.way, _ = m.of.ahead.of(sub)
		if fit, ok := m.of.survey.Fits[sub.ID]; ok && v.scope == capacity.ScopeRack {
			r.fit = &fit
		}
		if flt.match(capacityRecord{&f, &r}) {
			m.rows = append(m.rows, r)
		}
	}
	c := capacityColumns(v.scope)[v.sort]
	slices.SortStableFunc(m.rows, func(a, b capacityRow) int { return v.sign() * a.compare(&b, c) })
}

// aloneBy counts the machines on one cord by rack, and those that hang on one
// feed alone by feed; leaves are the feeds that PDUs hang on.
func aloneBy(s *capacity.Survey) (alone map[string]int, leaves map[string]bool) {
	alone, leaves = map[string]int{}, map[string]bool{}
	for i := range s.Losses {
		l := &s.Losses[i]
		if l.Kind == "pdu" {
			alone[l.Rack] += len(l.Alone)
			leaves[l.Up] = true
		} else {
			alone[l.Part] = len(l.Alone)
		}
	}
	return alone, leaves
}

// compare orders rows by a column: names rise, numbers fall, what is not known
// comes last.
func (r *capacityRow) compare(o *capacityRow, c widget.Column) int {
	if c.Name {
		return strings.Compare(r.column(c.Title), o.column(c.Title))
	}
	if c.Title == "lasts" { // what ends first
		return r.ends(o)
	}
	return cmp.Compare(o.number(c.Title), r.number(c.Title))
}

// ends orders by the likely end, then by the earliest one.
func (r *capacityRow) ends(o *capacityRow) int {
	at := func(x *capacityRow) int64 {
		switch {
		case x.way == nil, !x.way.Foreseen():
			return 1<<62 + 1
		case x.way.At != nil:
			return x.way.At.Unix()
		case x.way.Low != nil:
			return x.way.Low.Unix()
		}
		return 1 << 62
	}
	return cmp.Compare(at(r), at(o))
}

func capacityRows(r []capacityRow) rows { return rows{len(r), func(i int) string { return r[i].ID }} }

// at returns the row of the caret; nil: there is none.
func (v Capacity) at(f Frame) *capacityRow {
	m, _ := v.shown(f)
	if i := v.list.index(capacityRows(m.rows)); i >= 0 {
		return &m.rows[i]
	}
	return nil
}

// Selected implements View.
func (v Capacity) Selected(f Frame) (kind, id string) {
	if r := v.at(f); r != nil {
		return string(v.scope), r.ID
	}
	return "", ""
}

// Handle implements View.
func (v Capacity) Handle(f Frame, c keys.Command) (next View, in Intent) {
	switch c.ID {
	case "pane.next":
		return v.to(+1), nil
	case "pane.back":
		return v.to(-1), nil
	case "enter":
		if r := v.at(f); r != nil {
			return v, Open{View: newCapacityPage(r.Scope, r.ID)}
		}
		return v, nil
	case "open.racks":
		if r := v.at(f); r != nil {
			return v, openPlace(f, r.Scope, r.ID)
		}
	}
	m, _ := v.shown(f)
	v.sheet, in = v.handle(f, c, capacityRows(m.rows), len(capacityColumns(v.scope)))
	return v, in
}

// openPlace opens the racks where a rack or a region stands; nil: it is neither.
func openPlace(f Frame, scope capacity.Scope, id string) Intent {
	if scope == capacity.ScopeRack || scope == capacity.ScopeRegion {
		if to, ok := Follow(f, string(scope), id); ok {
			return Open{View: to}
		}
	}
	return nil
}

// to is the list of another scope.
func (v Capacity) to(by int) View {
	n := len(capacity.Scopes)
	i := slices.Index(capacity.Scopes, v.scope)
	return newCapacity(capacity.Scopes[(i+by+n)%n])
}

// Draw implements View.
func (v Capacity) Draw(f Frame, on widget.Canvas) {
	m, ok := v.shown(f)
	left := on
	switch r := v.at(f); {
	case r == nil:
	case on.W >= 160:
		left = on.Sub(0, 0, on.W-max(64, on.W*2/5), on.H)
		drawSubject(f, on.Sub(left.W, 0, on.W-left.W, on.H), m.of.survey, m.of.ahead, r.Subject, subjectLook{})
	case on.H >= 14: // what its column has no room for
		left = on.Sub(0, 0, on.W, on.H-2)
		lasts, _ := lastsText(f, r.way, on.W)
		on.Wrap(2, on.H-2, on.W-4, 2, r.ID+": "+hurtText(r)+"; lasts: "+lasts, widget.Dim)
	}
	if !ok {
		drawUnderived(f, widget.Box(left, f.Theme, "capacity", "", true), capacityNeeds[0])
		return
	}
	columns := capacityColumns(v.scope)
	v.draw(f, left, look{title: v.title(f), noun: string(v.scope), columns: columns, total: m.total}, capacityRows(m.rows),
		func(on widget.Canvas, row, col int) { capacityCell(f, on, &m.rows[row], columns[col].Title) })
	if m.total > 0 {
		widget.Foot(left, f.Theme, capacityLegend(f), widget.Dim)
	}
}

// title names all scopes, so that people find the others.
func (v Capacity) title(f Frame) string {
	words := make([]string, len(capacity.Scopes))
	for i, s := range capacity.Scopes {
		words[i] = string(s)
		if s == v.scope {
			words[i] = "[" + words[i] + "]"
		}
	}
	if f.Width < 100 {
		return "capacity " + strings.Join(words, " ")
	}
	return "capacity, what hurts first: " + strings.Join(words, " ")
}

// capacityLegend says how to read a bar.
func capacityLegend(f Frame) string {
	g := f.Theme.Glyphs
	return string(g.Blocks[8]) + " used " + string(g.V) + " p95 " + string(g.Heat[1]) + " stranded " + string(g.Rest) + " free; tab: other scopes"
}

// capacityRecord lets a filter ask a row.
type capacityRecord struct {
	f *Frame
	r *capacityRow
}

func (r capacityRecord) field(name string) (string, bool) {
	switch name {
	case "state":
		return r.state(), true
	case "region":
		return capacity.RegionOf(r.f.Snap, r.r.Scope, r.r.ID), true
	case "site":
		return capacity.SiteOf(r.f.Snap, r.r.Scope, r.r.ID), true
	case "row":
		if x := r.f.Snap.Racks.Get(r.r.ID); x != nil {
			return x.Spec.Row, true
		}
	case string(r.r.Scope), "id":
		return r.r.ID, true
	case "binds":
		return r.r.column("binds"), true
	}
	return "", false
}

func (r capacityRecord) state() string {
	switch {
	case r.r.Hurt() >= 1:
		return "over"
	case r.r.Tightest() == nil:
		return "unknown"
	}
	return "ok"
}

func (r capacityRecord) amount(name string) (float64, bool) {
	switch name {
	case "free", "u":
		return r.r.number("free U"), true
	case "more", "takes":
		return r.r.number("takes"), true
	case "alone":
		return float64(r.r.alone), true
	}
	return 0, false
}

func (r capacityRecord) word(w string) bool {
	return holds(r.r.ID, w) || holds(r.r.column("binds"), w) || holds(hurtText(r.r), w)
}
