package views

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/keys"
	"plumb/views/widget"
)

// CapacityPage is one region, site, rack, feed or cloud: all its resources, what
// each failure moves to where, who hangs on one cord, and how long it lasts.
type CapacityPage struct {
	scope capacity.Scope
	id    string
	list  list
}

func newCapacityPage(scope capacity.Scope, id string) View {
	return CapacityPage{scope: scope, id: id}
}

// ID implements View.
func (v CapacityPage) ID() string { return "room" }

// Crumbs implements View.
func (v CapacityPage) Crumbs(Frame) []string { return []string{"capacity", string(v.scope), v.id} }

// Needs implements View.
func (v CapacityPage) Needs(Frame) []fleet.Query { return capacityNeeds }

// subject returns what the page is about; nil: it is not there, or not yet.
func (v CapacityPage) subject(f Frame) (*capacity.Survey, *capacity.Subject) {
	survey, ok := derived[*capacity.Survey](f, derivedCapacity)
	if !ok {
		return nil, nil
	}
	for i := range survey.Subjects {
		if x := &survey.Subjects[i]; x.Scope == v.scope && x.ID == v.id {
			return survey, x
		}
	}
	return survey, nil
}

// lines returns what the caret moves over.
func (v CapacityPage) lines(f Frame) []roomLine {
	survey, sub := v.subject(f)
	if sub == nil {
		return nil
	}
	return roomLines(f, survey, sub)
}

func roomRows(l []roomLine) rows {
	return rows{len(l), func(i int) string { return l[i].kind + " " + l[i].id }}
}

// Selected implements View: the part or the machine under the caret, else what
// the page is about.
func (v CapacityPage) Selected(f Frame) (kind, id string) {
	l := v.lines(f)
	if i := v.list.index(roomRows(l)); i >= 0 {
		return l[i].kind, l[i].id
	}
	if _, sub := v.subject(f); sub == nil {
		return "", ""
	}
	return string(v.scope), v.id
}

// Handle implements View.
func (v CapacityPage) Handle(f Frame, c keys.Command) (View, Intent) {
	switch c.ID {
	case "enter":
		if len(v.lines(f)) == 0 && v.scope == capacity.ScopeCloud {
			return v, Open{View: NewInstances("cloud:" + v.id)}
		}
		return v, nil // what the caret stands on is followed
	case "open.racks":
		return v, openPlace(f, v.scope, v.id)
	}
	v.list, _ = v.list.move(c, roomRows(v.lines(f)), page(f))
	return v, nil
}

// Draw implements View.
func (v CapacityPage) Draw(f Frame, on widget.Canvas) {
	survey, sub := v.subject(f)
	if sub == nil {
		in := widget.Box(on, f.Theme, v.id, "", true)
		if survey == nil {
			drawUnderived(f, in, capacityNeeds[0])
			return
		}
		drawEmpty(f, in, "no "+string(v.scope)+" "+v.id, "it is not in the inventory at this time; esc leads back")
		return
	}
	ahead, _ := derived[*foresight](f, derivedForesight)
	l := roomLines(f, survey, sub)
	hint := "enter: what the caret stands on"
	if v.scope == capacity.ScopeRack || v.scope == capacity.ScopeRegion {
		hint += "; 2: the racks here"
	}
	drawSubject(f, on, survey, ahead, sub, subjectLook{lines: l, at: v.list.index(roomRows(l)), focus: true, hint: hint})
}

// roomLine is one line of a page that the caret can stand on: what the failure
// of a part does, or a machine on one cord.
type roomLine struct {
	kind, id string
	loss     *capacity.Loss // nil: a machine
	to       []capacity.Carry
	watts    fleet.Num
	on       string // the part it hangs on
	dead     bool   // which gives nothing now
	alone    int
}

// worst is how full the fullest part is that takes over; -1: none does.
func (l *roomLine) worst() float64 {
	if len(l.to) == 0 {
		return -1
	}
	return l.to[0].Share()
}

// roomLines lists the failures of all parts of a subject, the worst first, then
// the machines that hang on one of them alone, the heaviest first.
func roomLines(f Frame, survey *capacity.Survey, sub *capacity.Subject) []roomLine {
	t := treeOf(survey)
	var out []roomLine
	lone := map[string]roomLine{}
	for i := range survey.Losses {
		l := &survey.Losses[i]
		if !t.concerns(f, sub, l) {
			continue
		}
		line := roomLine{kind: KindDevice, id: l.Part, loss: l, to: takers(f, sub, l)}
		if l.Kind == "feed" {
			line.kind = KindFeed
		}
		for _, x := range l.Alone {
			if d := f.Snap.Devices.Get(x.Device); sub.Scope == capacity.ScopeRack && (d == nil || d.Spec.Rack != sub.ID) {
				continue // it stands in another rack
			}
			line.alone++
			if t.above[l.Part] && l.Part != sub.ID {
				continue // that all cords lie below it is how it is built
			}
			if _, has := lone[x.Device]; !has || l.Kind == "pdu" { // the nearest part
				lone[x.Device] = roomLine{kind: KindDevice, id: x.Device, watts: x.Watts, on: l.Part, dead: l.Dark}
			}
		}
		out = append(out, line)
	}
	slices.SortStableFunc(out, func(a, b roomLine) int {
		return cmp.Or(btoi(b.loss.Dark)-btoi(a.loss.Dark), cmp.Compare(b.worst(), a.worst()))
	})
	single := slices.SortedFunc(maps.Values(lone), func(a, b roomLine) int {
		return cmp.Or(b.watts.Cmp(a.watts), cmp.Compare(a.id, b.id))
	})
	return append(out, single...)
}

// powerTree says how the parts of a survey hang together.
type powerTree struct {
	up    map[string]string // the part above each
	above map[string]bool   // parts with feeds or UPSes below them
	racks map[string]string // the racks of PDUs
}

func treeOf(survey *capacity.Survey) powerTree {
	t := powerTree{map[string]string{}, map[string]bool{}, map[string]string{}}
	for i := range survey.Losses {
		l := &survey.Losses[i]
		t.up[l.Part] = l.Up
		if l.Kind == "pdu" {
			t.racks[l.Part] = l.Rack
		} else {
			t.above[l.Up] = true
		}
	}
	return t
}

// below reports whether a part is another one or hangs below it.
func (t *powerTree) below(part, of string) bool {
	for range len(t.up) { // a loop in the parents was cut, but nobody promises it here
		if part == of {
			return true
		}
		if part = t.up[part]; part == "" {
			return false
		}
	}
	return false
}

// concerns reports whether a part is one of a subject: of a rack its PDUs and
// the feeds they hang on, of a feed itself and all below it.
func (t *powerTree) concerns(f Frame, sub *capacity.Subject, l *capacity.Loss) bool {
	switch sub.Scope {
	case capacity.ScopeSite:
		return l.Site == sub.ID
	case capacity.ScopeRegion:
		x := f.Snap.Sites.Get(l.Site)
		return x != nil && x.Spec.Region == sub.ID
	case capacity.ScopeRack:
		return l.Rack == sub.ID || l.Kind == "feed" && t.carriesIn(f, l.Part, sub.ID)
	case capacity.ScopeFeed:
		return t.below(l.Part, sub.ID)
	}
	return false
}

// carriesIn reports whether a PDU of a rack hangs on a feed itself.
func (t *powerTree) carriesIn(f Frame, feed, rack string) bool {
	return slices.ContainsFunc(f.Snap.DevicesOf[rack], func(n int) bool {
		id := f.Snap.Devices.ID(n)
		return t.racks[id] == rack && t.up[id] == feed
	})
}

// takers are the parts that take over, of a rack only its own: what moves in
// other racks and above them is theirs.
func takers(f Frame, sub *capacity.Subject, l *capacity.Loss) []capacity.Carry {
	if sub.Scope != capacity.ScopeRack {
		return l.To
	}
	var out []capacity.Carry
	for _, c := range l.To {
		if d := f.Snap.Devices.Get(c.Part); d != nil && d.Spec.Rack == sub.ID {
			out = append(out, c)
		}
	}
	return out
}

// subjectLook is how a subject is drawn: with a caret on its lines, or without.
type subjectLook struct {
	lines []roomLine
	at    int
	focus bool
	hint  string // which keys lead on
}

// drawSubject draws a subject from its resources down to what is ahead, as far
// as there is room.
func drawSubject(f Frame, on widget.Canvas, survey *capacity.Survey, ahead *foresight, sub *capacity.Subject, l subjectLook) {
	if l.lines == nil {
		l.lines, l.at = roomLines(f, survey, sub), -1
	}
	way, line := ahead.of(sub)
	h := min(len(sub.Rows)+3, max(on.H*3/5, 5))
	drawResources(f, on.Sub(0, 0, on.W, h), survey, sub, way)
	rest := on.Sub(0, h, on.W, on.H-h)
	foretold := foretoldOf(f, sub)
	if n := min(len(foretold)+2, 8); len(foretold) > 0 && rest.H >= 30 {
		drawForetold(f, rest.Sub(0, rest.H-n, rest.W, n), foretold)
		rest = rest.Sub(0, 0, rest.W, rest.H-n)
	}
	if rest.H >= 16 && line != nil {
		chart := min(max(8, rest.H-len(l.lines)-4), rest.H*3/5)
		drawAheadChart(f, rest.Sub(0, rest.H-chart, rest.W, chart), sub, way, line)
		rest = rest.Sub(0, 0, rest.W, rest.H-chart)
	}
	if rest.H >= 3 && sub.Scope != capacity.ScopeCloud {
		drawFailures(f, rest, l)
	}
}

var resourceColumns = []widget.Column{
	{Title: "resource", Min: 15, Max: 20, Name: true}, {Title: "taken", Min: 14, Max: 30}, {Title: "used", Min: 7, Right: true}, {Title: "p95", Min: 7, Rank: 3, Right: true}, {Title: "of", Min: 7, Right: true},
	{Title: "free", Min: 7, Rank: 1, Right: true}, {Title: "strand", Min: 7, Rank: 2, Right: true}, {Title: "takes", Min: 5, Rank: 2, Right: true}, {Title: "why", Min: 20, Max: 110, Rest: true, Rank: 4},
}

// drawResources draws every resource with what of it is stranded, and below
// them what binds.
func drawResources(f Frame, on widget.Canvas, survey *capacity.Survey, sub *capacity.Subject, way *capacity.Row) {
	lasts, _ := lastsText(f, way, on.W/4)
	in := widget.Box(on, f.Theme, string(sub.Scope)+" "+sub.ID, "lasts: "+lasts, false)
	fit, hasFit := survey.Fits[sub.ID]
	t := widget.Table{Columns: resourceColumns, Rows: len(sub.Rows), At: -1, Sort: -1}
	t.Draw(in, f.Theme, func(on widget.Canvas, row, col int) {
		x := &sub.Rows[row]
		takes, why := dash, x.Worst
		if hasFit && sub.Scope == capacity.ScopeRack {
			if y, ok := fitOf(&fit, x); ok {
				takes = strconv.Itoa(y.Takes)
				why = strings.Trim(y.Why+"; "+why, "; ")
			}
		}
		resourceCell(f, on, x, way, resourceColumns[col].Title, takes, why)
	})
	widget.Foot(on, f.Theme, subjectFoot(sub, &fit), widget.Bold)
}

// fitOf is how many machines of its kind a row takes.
func fitOf(fit *capacity.RackFit, x *capacity.Row) (capacity.Fit, bool) {
	if x.Resource == capacity.Ports && x.Class != capacity.Speed(fit.Like.SpeedBps) {
		return capacity.Fit{}, false
	}
	for _, y := range fit.Fits {
		if y.Resource == x.Resource {
			return y, true
		}
	}
	return capacity.Fit{}, false
}

// subjectFoot says what binds, and for what kind of machine.
func subjectFoot(sub *capacity.Subject, fit *capacity.RackFit) string {
	if sub.Scope == capacity.ScopeRack {
		if !fit.Known || fit.Binds == "" {
			return fitRefusal(fit)
		}
		return "takes " + strconv.Itoa(fit.Takes) + " more of " + likeText(fit.Like) + ": " + strings.ReplaceAll(string(fit.Binds), "_", " ") + " binds"
	}
	for i := range sub.Rows {
		if x := &sub.Rows[i]; x.Over && x.Do != "" {
			return x.Do
		}
	}
	return ""
}

// likeText writes a machine's shape: 1U 225W 2x25G.
func likeText(m capacity.Machine) string {
	text := number(m.Height.Num(), 1)
	if m.Height%2 == 0 {
		text = strconv.Itoa(int(m.Height / 2))
	}
	text += "U"
	if m.Watts > 0 {
		text += " " + strconv.Itoa(int(m.Watts+0.5)) + "W"
	}
	if m.Ports > 0 && m.SpeedBps > 0 {
		text += " " + strconv.Itoa(m.Ports) + "x" + capacity.Speed(m.SpeedBps)
	}
	return text
}

func resourceCell(f Frame, on widget.Canvas, x, way *capacity.Row, column, takes, why string) {
	p95 := x.P95
	if way != nil && way.Resource == x.Resource && way.Class == x.Class {
		p95 = way.P95
	}
	num := func(n fleet.Num) {
		st := widget.Plain
		if !n.Known {
			st = widget.Unknown
		}
		on.CutRight(f.Theme, 0, 0, on.W, amountOfRow(n, x), st)
	}
	switch column {
	case "resource":
		on.Cut(f.Theme, 0, 0, on.W, resourceWord(x), widget.Plain)
	case "taken":
		drawRoom(f, on, x, p95)
	case "used":
		num(x.Used)
	case "p95":
		num(p95)
	case "of":
		num(x.Total)
	case "free":
		num(x.Free)
	case "strand":
		num(x.Stranded)
	case "takes":
		on.CutRight(f.Theme, 0, 0, on.W, takes, widget.Plain)
	case "why":
		st := widget.Dim
		if x.Over {
			st = widget.Crit
		}
		on.Cut(f.Theme, 0, 0, on.W, why, st)
	}
}
