package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/keys"
	"plumb/views/widget"
)

// Drift is what is not as it should be. Of the whole fleet it shows a row a
// cause, the worst and largest first; of one cause, or of one device, a row a
// finding.
type Drift struct {
	target string // one device; "" for all
	cause  string // one cause, by its key; "" for all
	all    bool   // also what people ruled on and what ended
	sheet
	rule Rule // what a ruling that is being typed is about
	memo *driftMemo
}

// NewDrift returns the drift of a device, or of all where it is "".
func NewDrift(target string) View { return Drift{target: target, memo: &driftMemo{}} }

// driftRow is a cause with its findings; where rows are findings, it has one.
type driftRow struct {
	drift.Group
	key    string
	what   string // the facet of the first, as people read it
	state  fleet.FindingState
	ruling *fleet.Ruling // of the first
}

func (r *driftRow) first() *fleet.Finding { return r.Members[0] }

// ID implements View.
func (v Drift) ID() string { return "drift" }

// Crumbs implements View.
func (v Drift) Crumbs(f Frame) []string {
	switch {
	case v.target != "":
		return []string{"drift", v.target}
	case v.cause != "":
		_, what, _ := strings.Cut(v.cause, " ")
		return []string{"drift", strings.ReplaceAll(what, "\x00", " ")}
	}
	return []string{"drift"}
}

// Needs implements View.
func (v Drift) Needs(Frame) []fleet.Query { return nil }

// causeOf keys a cause by what its findings have in common.
func causeOf(x *fleet.Finding) string {
	return string(x.State) + " " + drift.FacetClass(x.Facet) + "\x00" + x.Observed
}

// driftMemo keeps the rows for one snapshot: a wave over ten thousand devices is
// not grouped again for each key.
type driftMemo struct {
	snap *fleet.Snapshot
	of   driftAsked
	rows []driftRow
	reg  drift.Register
	// total is how many rows there are without the filter.
	total int
}

// driftAsked is what the rows follow from.
type driftAsked struct {
	target, cause string
	all           bool
	as            asked
}

// shown returns the rows that the filter lets through in their order.
func (v Drift) shown(f Frame) *driftMemo {
	m, of := v.memo, driftAsked{v.target, v.cause, v.all, v.asked()}
	if m == nil {
		m = &driftMemo{}
	}
	if m.snap != f.Snap || m.of != of {
		*m = driftMemo{snap: f.Snap, of: of}
		v.fill(f, m)
	}
	return m
}

func (v Drift) fill(f Frame, m *driftMemo) {
	m.reg = drift.Read(f.Snap, v.target)
	flt := parseFilter(v.text)
	all, kept := map[fleet.FindingState][]*fleet.Finding{}, map[fleet.FindingState][]*fleet.Finding{}
	rulings := map[*fleet.Finding]*fleet.Ruling{}
	for _, x := range slices.Concat(m.reg.Standing, m.reg.Gone) {
		if v.target == "" && v.cause == "" && drift.Hides(v.text, x.Finding) || v.cause != "" && causeOf(x.Finding) != v.cause || v.cause == "" && !v.all && !x.Open() {
			continue
		}
		all[x.State] = append(all[x.State], x.Finding)
		if flt.match(findingRecord{&f, x.Finding}) {
			kept[x.State] = append(kept[x.State], x.Finding)
			rulings[x.Finding] = x.Ruling
		}
	}
	for _, state := range [...]fleet.FindingState{fleet.FindingOpen, fleet.FindingWaived, fleet.FindingAccepted, fleet.FindingIgnored, fleet.FindingReverted, fleet.FindingGone} {
		groups := v.rowsOf(kept[state])
		for _, g := range groups {
			m.rows = append(m.rows, driftRow{Group: g, key: v.keyOf(g.Members[0]), what: drift.Named(f.Snap, g.Members[0]), state: state, ruling: rulings[g.Members[0]]})
		}
		if n := len(groups); len(kept[state]) == len(all[state]) {
			m.total += n
		} else {
			m.total += len(v.rowsOf(all[state]))
		}
	}
	v.order(m.rows)
}

// flat reports whether rows are findings and not causes.
func (v Drift) flat() bool { return v.target != "" || v.cause != "" }

func (v Drift) rowsOf(list []*fleet.Finding) []drift.Group {
	if !v.flat() {
		return drift.Groups(list)
	}
	var out []drift.Group
	for _, x := range list {
		out = append(out, drift.Groups([]*fleet.Finding{x})...)
	}
	slices.SortStableFunc(out, func(a, b drift.Group) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), a.Since.Compare(b.Since))
	})
	return out
}

// keyOf names a row: the same cause twice, in two waves, is told apart by its
// first member.
func (v Drift) keyOf(x *fleet.Finding) string { return x.ID() + " " + string(x.State) }

// order sorts by the chosen column; the first keeps the order of causes.
func (v Drift) order(rows []driftRow) {
	column := driftColumns[v.sort].Title
	if v.sort == 0 && !v.desc {
		return
	}
	if v.sort == 0 {
		slices.Reverse(rows)
		return
	}
	slices.SortStableFunc(rows, func(a, b driftRow) int {
		switch column {
		case "on":
			if n := cmp.Compare(len(b.Members), len(a.Members)); n != 0 {
				return v.sign() * n
			}
		case "for":
			return v.sign() * a.Since.Compare(b.Since)
		case "sure":
			return v.sign() * cmp.Compare(b.first().Confidence, a.first().Confidence)
		}
		return v.sign() * strings.Compare(a.column(column), b.column(column))
	})
}

// column is a row's text by its column.
func (r *driftRow) column(title string) string {
	x := r.first()
	switch title {
	case "what":
		if len(r.Members) > 1 {
			return drift.FacetClass(x.Facet)
		}
		return r.what
	case "is":
		return or(x.Observed)
	case "expected":
		return expectedText(x.Baselines)
	case "on":
		if len(r.Members) > 1 {
			return strconv.Itoa(len(r.Members)) + " on " + strings.Join(r.targets(), " ")
		}
		return x.Target
	case "state":
		return string(r.state)
	case "sure":
		return x.Confidence.String()
	case "kind":
		return string(x.Kind)
	case "who and why":
		if r.ruling != nil {
			return r.ruling.By + ": " + r.ruling.Reason
		}
		return strings.TrimSpace(x.Who + " " + x.Cause)
	}
	return ""
}

// targetsShown is how many devices of a cause are named in its row.
const targetsShown = 6

// targets are the first devices of a cause, each once.
func (r *driftRow) targets() []string {
	var out []string
	for _, m := range r.Members[:min(len(r.Members), targetsShown)] {
		if !slices.Contains(out, m.Target) {
			out = append(out, m.Target)
		}
	}
	return out
}

func driftRows(r []driftRow) rows { return rows{len(r), func(i int) string { return r[i].key }} }

// at returns the row of the caret; nil: there is none.
func (v Drift) at(f Frame) *driftRow {
	r := v.shown(f).rows
	if i := v.list.index(driftRows(r)); i >= 0 {
		return &r[i]
	}
	return nil
}

// Selected implements View: the device of the finding.
func (v Drift) Selected(f Frame) (kind, id string) {
	if r := v.at(f); r != nil {
		return subjectOf(f.Snap, r.first())
	}
	return "", ""
}

func (v Drift) acts(f Frame) Actions {
	if r := v.at(f); r != nil {
		return actsOnFinding(f, r.Members)
	}
	return Actions{}
}

// subjectOf is what a finding is about, as other views know it: a device, or an
// instance or a security group of the cloud that it stands against.
func subjectOf(s *fleet.Snapshot, x *fleet.Finding) (kind, id string) {
	switch kind, rest, _ := strings.Cut(x.Facet, " "); kind {
	case "group", "cloud.open-group":
		group, _, _ := strings.Cut(rest, " ")
		return KindGroup, x.Target + "/" + group
	}
	if rest, ok := strings.CutPrefix(x.Facet, "instance "); ok {
		if id, _, _ := strings.Cut(rest, " "); s.Instances.Get(id) != nil {
			return KindInstance, id
		}
	}
	if s.Devices.Get(x.Target) != nil {
		return KindDevice, x.Target
	}
	return "", ""
}

// Handle implements View.
func (v Drift) Handle(f Frame, c keys.Command) (next View, in Intent) {
	r := v.shown(f).rows
	switch c.ID {
	case "enter":
		i := v.list.index(driftRows(r))
		switch {
		case i < 0:
			return v, nil
		case len(r[i].Members) > 1:
			return v, Open{View: Drift{cause: causeOf(r[i].first()), all: true, memo: &driftMemo{}}}
		}
		return v, Open{View: NewFinding(r[i].first().Target, r[i].first().Facet)}
	case "drift.revert":
		if x := v.at(f); x != nil {
			return v, putBack(f, x.Members)
		}
	case "copy":
		if x := v.at(f); x != nil {
			return v, Copy{Text: x.first().ID()}
		}
	case "drift.all":
		v.all = !v.all
		return v, nil
	case "pane.next", "pane.back":
		if !v.flat() {
			return v, Open{View: NewSecurity()}
		}
	case "drift":
		if x := v.at(f); x != nil && x.first().Target == v.target {
			return v, Toast{Text: "this is where it led"}
		}
	}
	if verdict, ok := verdictOf[c.ID]; ok {
		if x := v.at(f); x != nil {
			v.rule, in = ruleOn(v.rule, x.Members, verdict, c)
		}
		return v, in
	}
	v.sheet, in = v.handle(f, c, driftRows(r), len(driftColumns))
	return v, in
}

var driftColumns = []widget.Column{
	{Title: "", Min: 1}, {Title: "what", Min: 15, Max: 30, Name: true}, {Title: "is", Min: 9, Max: 24, Name: true}, {Title: "expected", Min: 16, Max: 44, Rank: 1, Name: true},
	{Title: "on", Min: 14, Max: 40, Name: true}, {Title: "for", Min: 5, Right: true}, {Title: "state", Min: 8, Rank: 4, Name: true}, {Title: "sure", Min: 6, Rank: 3, Name: true},
	{Title: "kind", Min: 8, Max: 9, Rank: 5, Name: true}, {Title: "who and why", Min: 14, Max: 50, Rank: 6, Name: true},
}

// Draw implements View.
func (v Drift) Draw(f Frame, on widget.Canvas) {
	m := v.shown(f)
	r, reg := m.rows, m.reg
	table := on
	if x := v.at(f); x != nil && on.H >= 30 {
		h := max(8, min(len(r)+3, on.H-22))
		drawFinding(f, on.Sub(0, h, on.W, on.H-h), x.first(), len(x.Members))
		table = on.Sub(0, 0, on.W, h)
	}
	if m.total == 0 {
		in := widget.Box(table, f.Theme, "drift", "", true)
		drawEmpty(f, in, v.nothing(reg), reg.Coverage()+"; space shows also what was ruled on and what ended")
		return
	}
	noun := "cause"
	if v.flat() {
		noun = "finding"
	}
	v.draw(f, table, look{title: "drift", noun: noun, columns: driftColumns, total: m.total, after: v.debt(f, reg), plain: v.sort == 0}, driftRows(r),
		func(on widget.Canvas, row, col int) { driftCell(f, on, &r[row], driftColumns[col].Title) })
	widget.Foot(table, f.Theme, reg.Coverage(), widget.Dim)
}

func (v Drift) nothing(reg drift.Register) string {
	if reg.Looked == 0 {
		return "nothing is known to have drifted"
	}
	if v.target != "" {
		return v.target + " is as it should be"
	}
	return "nothing has drifted"
}

func (v Drift) debt(f Frame, reg drift.Register) string {
	var open []*fleet.Finding
	for _, x := range reg.Standing {
		open = append(open, x.Finding)
	}
	return "debt " + strconv.FormatFloat(drift.Debt(open, f.At), 'f', 1, 64) + " d"
}

func driftCell(f Frame, on widget.Canvas, r *driftRow, column string) {
	x := r.first()
	text, st := r.column(column), widget.Plain
	switch column {
	case "":
		on.Text(0, 0, driftGlyph(f, r.state, r.Severity), driftStyle(r.state, r.Severity))
		return
	case "for":
		age := since(f, r.Since)
		if !x.Ended.IsZero() {
			age = span(x.Ended.Sub(x.Since))
		}
		on.CutRight(f.Theme, 0, 0, on.W, age, widget.Dim)
		return
	case "what":
		if len(r.Members) == 1 {
			text = strings.TrimPrefix(text, "port ") // the port's name says it, and room is short
		}
	case "is":
		st = driftStyle(r.state, r.Severity)
		if !x.Stale.IsZero() {
			text, st = "was "+text, widget.Unknown
		}
	case "on":
		st = widget.Link
	case "state", "sure", "kind", "who and why":
		st = widget.Dim
	}
	on.Cut(f.Theme, 0, 0, on.W, text, st)
}

// driftGlyph marks what is critical as such; the rest of what is open is drift.
func driftGlyph(f Frame, state fleet.FindingState, s fleet.Severity) string {
	switch {
	case state != fleet.FindingOpen:
		return f.Theme.Glyphs.Empty
	case s == fleet.SeverityCrit:
		return f.Theme.Glyphs.Crit
	}
	return f.Theme.Glyphs.Drift
}

func driftStyle(state fleet.FindingState, s fleet.Severity) widget.Style {
	switch {
	case state != fleet.FindingOpen:
		return widget.Dim
	case s == fleet.SeverityInfo:
		return widget.Drift
	}
	return widget.SeverityStyle(s)
}

// expectedText names the baselines that disagree: "2.19 intended, cohort".
func expectedText(list []fleet.Baseline) string {
	var parts []string
	for i, b := range list {
		if slices.ContainsFunc(list[:i], func(x fleet.Baseline) bool { return x.Expected == b.Expected }) {
			continue
		}
		value := b.Expected
		if value == "" {
			value = "none"
		}
		var by []string
		for _, x := range list[i:] {
			if x.Expected == b.Expected {
				by = append(by, baselineWord[x.Name])
			}
		}
		parts = append(parts, value+" "+strings.Join(by, ", "))
	}
	return strings.Join(parts, "; ")
}

var baselineWord = map[fleet.BaselineName]string{
	fleet.BaseIntended: "intended", fleet.BaseAccepted: "accepted", fleet.BaseLastWeek: "last week", fleet.BaseCohort: "its like",
}
