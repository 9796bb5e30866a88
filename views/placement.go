package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/keys"
	"plumb/views/widget"
)

// Placement is where servers of one shape find room: the racks that take them in
// the order in which they were chosen, those that would have come next, then
// those that take none, with why.
type Placement struct {
	ask string // as it was typed
	sheet
	memo *placementMemo
}

type placementMemo struct {
	of   *placement
	as   asked
	rows []placedRow
}

// placement is the answer to a question about room.
type placement struct {
	q   capacity.Request
	got capacity.Placement
	err error
}

// placed answers a question as it was typed.
func placed(s *fleet.Snapshot, ask string) *placement {
	words, flags, err := splitAsk(ask)
	if err != nil {
		return &placement{err: err}
	}
	q, err := ParsePlace(s, words, flags)
	if err != nil {
		return &placement{err: err}
	}
	return &placement{q: q, got: capacity.PlaceIn(s, q)}
}

// openPlacement opens the answer, or says what of the question is wrong.
func openPlacement(f Frame, ask string) Intent {
	words, flags, err := splitAsk(ask)
	if err == nil {
		_, err = ParsePlace(f.Snap, words, flags)
	}
	if err != nil {
		return Toast{Text: "place: " + err.Error() + "; as: place 12 --watts 450 --units 1 --ports 2x25G"}
	}
	return Open{View: Placement{ask: ask, memo: &placementMemo{}}}
}

// placedRow is a rack that takes some, that would, or that takes none.
type placedRow struct {
	rank int // in the order of choice, from 1; 0: it takes none
	capacity.Place
}

// spare reports whether it would take some and nothing goes there.
func (r *placedRow) spare() bool { return r.rank > 0 && r.Servers == 0 }

// ID implements View.
func (v Placement) ID() string { return "placement" }

// Crumbs implements View.
func (v Placement) Crumbs(Frame) []string { return []string{"capacity", "place " + v.ask} }

// Needs implements View.
func (v Placement) Needs(Frame) []fleet.Query {
	return []fleet.Query{derivedQuery(derivedPlacement, v.ask)}
}

func (v Placement) shown(f Frame) (*placementMemo, bool) {
	p, ok := derived[*placement](f, derivedPlacement, v.ask)
	if !ok {
		return &placementMemo{}, false
	}
	m := v.memo
	if m.of == p && m.as == v.asked() {
		return m, true
	}
	*m = placementMemo{of: p, as: v.asked()}
	flt := parseFilter(v.text)
	keep := func(r placedRow) {
		if flt.match(placedRecord{&f, &r}) {
			m.rows = append(m.rows, r)
		}
	}
	for i, x := range p.got.Places {
		keep(placedRow{i + 1, x})
	}
	for i, x := range p.got.Spare {
		keep(placedRow{len(p.got.Places) + i + 1, x})
	}
	for _, x := range p.got.Refused {
		keep(placedRow{0, capacity.Place{Rack: x.Rack, Why: x.Why}})
	}
	v.order(m.rows)
	return m, true
}

// order sorts by the chosen column; the first keeps the order of choice.
func (v Placement) order(r []placedRow) {
	slices.SortStableFunc(r, func(a, b placedRow) int {
		switch placementColumns[v.sort].Title {
		case "rack":
			return v.sign() * strings.Compare(a.Rack, b.Rack)
		case "takes":
			return v.sign() * cmp.Compare(b.Servers, a.Servers)
		case "room":
			return v.sign() * cmp.Compare(b.Room, a.Room)
		case "why":
			return v.sign() * strings.Compare(a.Why, b.Why)
		}
		return v.sign() * cmp.Compare(uint(a.rank-1), uint(b.rank-1)) // those that take none last
	})
}

type placedRecord struct {
	f *Frame
	r *placedRow
}

func (r placedRecord) field(name string) (string, bool) {
	x := r.f.Snap.Racks.Get(r.r.Rack)
	switch {
	case name == "rack" || name == "id":
		return r.r.Rack, true
	case name == "why":
		return r.r.Why, true
	case x != nil && name == "region":
		return x.Spec.Region, true
	case x != nil && name == "row":
		return x.Spec.Row, true
	}
	return "", false
}

func (r placedRecord) amount(name string) (float64, bool) {
	return float64(r.r.Room), name == "room"
}

func (r placedRecord) word(w string) bool { return holds(r.r.Rack, w) || holds(r.r.Why, w) }

func placedRows(r []placedRow) rows { return rows{len(r), func(i int) string { return r[i].Rack }} }

// Selected implements View.
func (v Placement) Selected(f Frame) (kind, id string) {
	m, _ := v.shown(f)
	return KindRack, v.list.selected(placedRows(m.rows))
}

// Handle implements View.
func (v Placement) Handle(f Frame, c keys.Command) (next View, in Intent) {
	m, _ := v.shown(f)
	if i := v.list.index(placedRows(m.rows)); c.ID == "enter" && i >= 0 {
		return v, openOffer(f, &m.rows[i], m.of.q)
	}
	v.sheet, in = v.handle(f, c, placedRows(m.rows), len(placementColumns))
	return v, in
}

// openOffer opens a rack with the units that are meant.
func openOffer(f Frame, r *placedRow, q capacity.Request) Intent {
	x := f.Snap.Racks.Get(r.Rack)
	if x == nil {
		return Toast{Text: "no rack " + r.Rack}
	}
	to := NewRacks(x.Spec.Region, r.Rack).(Racks)
	if len(r.Units) > 0 {
		to.offer = &offer{rack: r.Rack, lows: r.Units, height: max(q.HeightU, 1)}
		to.scale = widget.True
		to.list = list{id: "free:" + strconv.Itoa(to.offer.top())}
	}
	return Open{View: to}
}

// offer are units of a rack in which something is to stand.
type offer struct {
	rack   string
	lows   []fleet.HalfU // the lowest half unit of each
	height fleet.HalfU
}

// top is the highest unit that is offered.
func (o *offer) top() int {
	top := 0
	for _, low := range o.lows {
		top = max(top, int(low+o.height-1)/2)
	}
	return top
}

// at says which one is to stand in a unit of a rack, from 1; 0: none.
func (o *offer) at(rack string, unit int) int {
	if o == nil || o.rack != rack {
		return 0
	}
	for i, low := range o.lows {
		if unit >= int(low)/2 && unit <= int(low+o.height-1)/2 {
			return i + 1
		}
	}
	return 0
}

var placementColumns = []widget.Column{
	{Title: "", Min: 1}, {Title: "rack", Min: 9, Max: 16, Name: true}, {Title: "takes", Min: 5, Right: true}, {Title: "room", Min: 5, Rank: 2, Right: true},
	{Title: "units", Min: 12, Max: 36, Rank: 1, Name: true}, {Title: "why", Min: 30, Max: 120, Rest: true, Name: true},
}

// Draw implements View.
func (v Placement) Draw(f Frame, on widget.Canvas) {
	m, ok := v.shown(f)
	switch {
	case !ok:
		drawUnderived(f, widget.Box(on, f.Theme, "place "+v.ask, "", true), v.Needs(f)[0])
		return
	case m.of.err != nil: // the fleet has changed since it was asked
		drawEmpty(f, widget.Box(on, f.Theme, "place "+v.ask, "", true), "it cannot be answered any more", m.of.err.Error())
		return
	}
	p := m.of
	v.draw(f, on, look{title: "place " + strconv.Itoa(p.q.Servers) + " of " + shapeText(p.q), before: p.summary(), noun: "rack", columns: placementColumns,
		total: len(p.got.Places) + len(p.got.Spare) + len(p.got.Refused), plain: v.sort == 0}, placedRows(m.rows),
		func(on widget.Canvas, row, col int) { placedCell(f, on, &m.rows[row], placementColumns[col].Title) })
	widget.Foot(on, f.Theme, "enter: the rack with its units; "+cordsText(p.q), widget.Dim)
}

// summary says how many find a place.
func (p *placement) summary() string {
	text := strconv.Itoa(p.q.Servers-p.got.Short) + " of " + strconv.Itoa(p.q.Servers) + " placed"
	if p.got.Short > 0 {
		text += ", " + strconv.Itoa(p.got.Short) + " find no room"
	}
	if n := len(p.got.Spare); n > 0 {
		text += ", " + strconv.Itoa(n) + " not needed"
	}
	if n := len(p.got.Refused); n > 0 {
		text += ", " + strconv.Itoa(n) + " none"
	}
	return text + ";"
}

func cordsText(q capacity.Request) string {
	if q.KeepAB {
		return "cords on A and B, either carries all"
	}
	return "on one cord"
}

// shapeText writes what was asked for: 1U 450W 2x25G.
func shapeText(q capacity.Request) string {
	return likeText(capacity.Machine{Height: q.HeightU, Watts: q.Watts, Ports: q.Ports, SpeedBps: q.SpeedBps})
}

func placedCell(f Frame, on widget.Canvas, r *placedRow, column string) {
	g := f.Theme.Glyphs
	switch column {
	case "":
		if r.spare() {
			on.Text(0, 0, g.Empty, widget.Dim)
		} else if r.rank > 0 {
			on.Text(0, 0, g.OK, widget.OK)
		} else {
			on.Text(0, 0, g.Off, widget.Off)
		}
	case "rack":
		on.Cut(f.Theme, 0, 0, on.W, r.Rack, widget.Link)
	case "takes", "room":
		n := r.Servers
		if column == "room" {
			n = r.Room
		}
		st := widget.Plain
		if n == 0 {
			st = widget.Dim
		}
		on.CutRight(f.Theme, 0, 0, on.W, strconv.Itoa(n), st)
	case "units":
		on.Cut(f.Theme, 0, 0, on.W, or(unitsText(r.Units)), widget.Plain)
	case "why":
		why, st := r.Why, widget.Plain
		switch {
		case r.rank == 0:
			why, st = "none: "+why, widget.Dim
		case r.spare():
			why, st = "not needed; binds "+why, widget.Dim
		}
		on.Cut(f.Theme, 0, 0, on.W, why, st)
	}
}

// unitsText writes the lowest units of machines, those that follow each other
// as a run: 1-12 14.
func unitsText(lows []fleet.HalfU) string {
	var parts []string
	for i := 0; i < len(lows); {
		k := i
		for k+1 < len(lows) && lows[k+1]-lows[k] == 2 {
			k++
		}
		text := number(lows[i].Num(), 1)
		if k > i+1 {
			text += "-" + number(lows[k].Num(), 1)
		} else {
			k = i
		}
		parts, i = append(parts, text), k+1
	}
	return strings.Join(parts, " ")
}
