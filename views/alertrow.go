package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/views/widget"
)

// alertRow is a line of the list of alerts.
type alertRow struct {
	*fleet.Alert
	depth int
	holds int  // alerts that it explains, however deep
	open  bool // they are listed below it
}

// alertMemo keeps the rows for one book: a storm of fifty thousand is not sorted
// again for each key.
type alertMemo struct {
	book  *fleet.AlertBook
	text  string
	open  string
	rows  []alertRow
	total int // alerts that there are
	held  int // of them, explained by another one
}

// shown returns the rows in their order. Without a filter what one alert
// explains is folded under it; a filter finds what is folded too, and lists all
// it finds.
func (v Alerts) shown(f Frame) *alertMemo {
	m := v.memo
	if m == nil {
		m = &alertMemo{}
	}
	open := strings.Join(v.open, "\x00")
	if m.book != f.Snap.Alerts || m.text != v.text || m.open != open || m.rows == nil {
		*m = alertMemo{book: f.Snap.Alerts, text: v.text, open: open, rows: []alertRow{}}
		if m.book != nil {
			v.fill(f, m)
		}
	}
	return m
}

// listed are the alerts that people know of: one that came and went before it
// fired is none.
func listed(a *fleet.Alert) bool { return a.Active() || !a.Fired.IsZero() }

func (v Alerts) fill(f Frame, m *alertMemo) {
	flt := parseFilter(v.text)
	tree := holdTree{below: map[string][]*fleet.Alert{}, ids: map[*fleet.Alert]string{}, seen: map[*fleet.Alert]bool{}}
	var top []*fleet.Alert
	for _, a := range m.book.List {
		if !listed(a) {
			continue
		}
		m.total++
		held := a.Held != nil && a.Active()
		if held {
			m.held++
		}
		switch {
		case len(flt.terms) > 0:
			if flt.match(alertRecord{&f, a}) {
				top = append(top, a)
			}
		case held:
			tree.below[a.Held.By] = append(tree.below[a.Held.By], a)
		default:
			top = append(top, a)
		}
	}
	for id := range tree.below {
		if a := m.book.Find(id); a != nil {
			tree.ids[a] = id
		}
	}
	slices.SortStableFunc(top, compareAlerts)
	for _, a := range top {
		tree.put(m, v.open, a, 0)
	}
	if len(flt.terms) > 0 || len(tree.seen) == m.total {
		return
	}
	for _, a := range m.book.List { // whose cause is not there, or which hold each other
		if listed(a) && !tree.seen[a] {
			tree.put(m, v.open, a, 0)
		}
	}
}

// compareAlerts has first what fires and waits for somebody, the worst and then
// the newest first; then what somebody knows of, what pends, and what is over.
func compareAlerts(a, b *fleet.Alert) int {
	rank := func(x *fleet.Alert) int {
		switch {
		case x.Loud():
			return 0
		case x.State == fleet.AlertFiring:
			return 1
		case x.State == fleet.AlertPending:
			return 2
		}
		return 3
	}
	if d := cmp.Compare(rank(a), rank(b)); d != 0 {
		return d
	}
	if rank(a) == 3 {
		return b.Ended.Compare(a.Ended)
	}
	return cmp.Or(cmp.Compare(b.Severity, a.Severity), b.Since.Compare(a.Since))
}

// holdTree is which alerts are explained by which.
type holdTree struct {
	below map[string][]*fleet.Alert // by the id of what holds them
	ids   map[*fleet.Alert]string   // of those that hold others
	seen  map[*fleet.Alert]bool
}

// put adds an alert and, where it is open, what it explains. All of it counts as
// seen, also what is folded.
func (t *holdTree) put(m *alertMemo, open []string, a *fleet.Alert, depth int) {
	if t.seen[a] {
		return
	}
	t.seen[a] = true
	at := len(m.rows)
	m.rows = append(m.rows, alertRow{Alert: a, depth: depth})
	id, holds := t.ids[a]
	if !holds {
		return
	}
	before, isOpen := len(t.seen), slices.Contains(open, id)
	if isOpen {
		slices.SortStableFunc(t.below[id], compareAlerts)
		for _, b := range t.below[id] {
			t.put(m, open, b, depth+1)
		}
	} else {
		t.fold(a)
	}
	m.rows[at].holds, m.rows[at].open = len(t.seen)-before, isOpen
}

// fold counts what an alert explains as seen.
func (t *holdTree) fold(a *fleet.Alert) {
	for _, b := range t.below[t.ids[a]] {
		if !t.seen[b] {
			t.seen[b] = true
			t.fold(b)
		}
	}
}

type alertRecord struct {
	f *Frame
	a *fleet.Alert
}

func (r alertRecord) field(name string) (string, bool) {
	a := r.a
	switch name {
	case "state":
		return string(a.State) + " " + a.Severity.String(), true
	case "severity":
		return a.Severity.String(), true
	case "rule":
		return a.Rule, true
	case "target", "device":
		return a.Target, true
	case "part":
		return a.Part, true
	case "held":
		if a.Held == nil {
			return "", true
		}
		return a.Held.By, true
	case "acked":
		if !a.Ack.Stands(r.f.At) {
			return "", true
		}
		return a.Ack.By, true
	case "silenced":
		return a.Silenced, true
	case "is":
		return strings.Join(alertWords(*r.f, a), ", "), true
	}
	v, ok := a.Labels[name]
	return v, ok
}

func (r alertRecord) amount(name string) (float64, bool) {
	if name == "age" || name == "for" {
		return seconds(*r.f, r.a.Since)
	}
	return 0, false
}

func (r alertRecord) word(w string) bool {
	return holds(r.a.Rule, w) || holds(r.a.Target, w) || holds(r.a.Part, w) || holds(r.a.Summary, w)
}

// alertWords say how an alert stands, beside firing.
func alertWords(f Frame, a *fleet.Alert) (out []string) {
	switch {
	case a.State == fleet.AlertResolved:
		out = append(out, "over "+since(f, a.Ended)+" ago, lasted "+span(a.Ended.Sub(a.Since)))
	case a.State == fleet.AlertPending:
		out = append(out, "pending")
	case !a.Quiet.IsZero():
		out = append(out, "problem over "+since(f, a.Quiet)+", kept")
	}
	if !a.Stale.IsZero() && a.Active() {
		out = append(out, "stale "+since(f, a.Stale)+": not seen")
	}
	if a.Flapping {
		out = append(out, "flapping")
	}
	if h := a.Held; h != nil {
		text := "held by " + h.By + ", seen " + since(f, seenAt(f, a)) + " ago"
		if !h.Over.IsZero() {
			text = "held by " + h.By + ", which is over; let go after a poll"
		}
		out = append(out, text)
	}
	if a.Ack.Stands(f.At) {
		text := "acked by " + a.Ack.By
		if !a.Ack.Until.IsZero() {
			text += " until " + clock(f, a.Ack.Until)
		}
		out = append(out, text)
	}
	if a.Silenced != "" {
		out = append(out, silencedText(f, a.Silenced))
	}
	return out
}

// seenAt is when the target of an alert was last seen.
func seenAt(f Frame, a *fleet.Alert) time.Time {
	if d := f.Snap.Devices.Get(hostOf(a.Target)); d != nil && d.SeenAt.After(a.Looked) {
		return d.SeenAt
	}
	return a.Looked
}

// silencedText says until when and by whom an alert is silenced.
func silencedText(f Frame, id string) string {
	for i := range f.Snap.Alerts.Silences {
		x := &f.Snap.Alerts.Silences[i]
		if x.ID != id {
			continue
		}
		word := "silenced until "
		if x.At != "" {
			word = "maintenance until "
		}
		return word + clock(f, x.End) + " by " + x.By
	}
	return strings.Replace("silenced by "+id, "silenced by maintenance", "maintenance", 1)
}

var alertColumns = []widget.Column{
	{Title: "", Min: 1}, {Title: "for", Min: 5, Right: true}, {Title: "rule", Min: 8, Max: 16, Rank: 4}, {Title: "target", Min: 13, Max: 26},
	{Title: "what", Min: 34, Max: 90}, {Title: "state", Min: 14, Max: 60, Rank: 2}, {Title: "at risk", Min: 12, Max: 44, Rank: 5},
}

func alertCell(f Frame, on widget.Canvas, r *alertRow, column string) {
	st := alertStyle(r.Alert)
	switch column {
	case "":
		on.Text(0, 0, alertGlyph(f, r.Alert), st)
	case "for":
		on.CutRight(f.Theme, 0, 0, on.W, since(f, r.Since), widget.Dim)
	case "rule":
		on.Cut(f.Theme, 0, 0, on.W, r.Rule, widget.Plain)
	case "target":
		on.Cut(f.Theme, 0, 0, on.W, alertTarget(r.Alert), widget.Link)
	case "what":
		x := on.Text(0, 0, branch(f, r), widget.Dim)
		if r.Loud() {
			st = widget.Plain
		} else {
			st = widget.Dim
		}
		on.Cut(f.Theme, x, 0, on.W-x, saying(r.Alert), st)
	case "state":
		words := alertWords(f, r.Alert)
		if r.holds > 0 {
			words = append([]string{strconv.Itoa(r.holds) + " held"}, words...)
		}
		on.Cut(f.Theme, 0, 0, on.W, strings.Join(words, ", "), widget.Dim)
	case "at risk":
		on.Cut(f.Theme, 0, 0, on.W, atRisk(r.Alert), widget.Plain)
	}
}

// saying is an alert's summary without the name of its target in front, which
// stands beside it.
func saying(a *fleet.Alert) string {
	if rest, ok := strings.CutPrefix(a.Summary, a.Target); ok && rest != "" && strings.ContainsAny(rest[:1], ": ") {
		return strings.TrimLeft(rest, ": ")
	}
	return a.Summary
}

// branch draws where a line hangs, and whether more hangs on it.
func branch(f Frame, r *alertRow) string {
	g := f.Theme.Glyphs
	out := strings.Repeat("  ", max(0, r.depth-1))
	if r.depth > 0 {
		out += g.Elbow
	}
	switch {
	case r.holds > 0 && r.open:
		out += g.Down + " "
	case r.holds > 0:
		out += g.Into + " "
	}
	return out
}

func alertTarget(a *fleet.Alert) string {
	if a.Part == "" {
		return a.Target
	}
	return a.Target + "/" + a.Part
}

// atRisk is what stands to be lost with an alert: its services where it names
// them, else all that it says.
func atRisk(a *fleet.Alert) string {
	if _, services, ok := strings.Cut(a.Blast, "services at risk: "); ok {
		return services
	}
	return a.Blast
}

// alertGlyph is the severity's glyph of what fires; what does not yet or no more
// has a hollow one.
func alertGlyph(f Frame, a *fleet.Alert) string {
	switch {
	case a.State == fleet.AlertResolved:
		return f.Theme.Glyphs.OK
	case a.State == fleet.AlertPending || !a.Stale.IsZero():
		return f.Theme.Glyphs.Unknown
	}
	return f.Theme.Glyphs.Severity(a.Severity)
}

func alertStyle(a *fleet.Alert) widget.Style {
	switch {
	case a.State == fleet.AlertResolved:
		return widget.OK
	case a.State == fleet.AlertPending || !a.Stale.IsZero():
		return widget.Unknown
	case !a.Loud():
		return widget.Dim
	}
	return widget.SeverityStyle(a.Severity)
}
