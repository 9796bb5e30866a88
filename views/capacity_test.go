package views

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/fleet/security"
	"plumb/views/viewstest"
)

// judged answers what is derived from the snapshot as the console does, and the
// rest as a store would.
type judged struct {
	snap *fleet.Snapshot
	past viewstest.Answers
}

var judgedOnce sync.Map // of judgedKey to fleet.Answer

type judgedKey struct {
	snap *fleet.Snapshot
	q    fleet.Query
}

func (j judged) Get(q fleet.Query) (fleet.Answer, bool) {
	of, ok := DerivationOf(q)
	if !ok || j.past.None || j.past.Err != nil {
		return j.past.Get(q)
	}
	key := judgedKey{j.snap, q}
	if a, has := judgedOnce.Load(key); has {
		return a.(fleet.Answer), true
	}
	a := fleet.Answer{Derived: of.Of(j.snap, viewstest.At, func(q fleet.Query) fleet.Answer { return fleet.Answer{Points: rising(q)} })}
	judgedOnce.Store(key, a)
	return a, true
}

// rising is the load of a feed's PDU that grows over six weeks, in the shape of
// days.
func rising(q fleet.Query) []fleet.Point {
	var out []fleet.Point
	for h := range 42 * 24 {
		at := viewstest.At.Add(time.Duration(h-42*24) * time.Hour)
		v := 2600 + 0.35*float64(h) + float64(h%24)*4
		if strings.HasPrefix(q.Target, "iad") {
			v = 2600 + float64(h%24)*4
		}
		out = append(out, fleet.Point{Ms: at.UnixMilli(), Mean: fleet.FromFloat(v, 0)})
	}
	return out
}

var roomFleet = sync.OnceValue(func() *fleet.Snapshot {
	s := *viewstest.Fleet()
	topo := *s.Topology
	topo.PDUsOf, topo.Corded = map[string][]int{}, map[string]fleet.Attachment{}
	e := s.Devices.Edit()
	for n := range s.Devices.Len() {
		d := s.Devices.At(n)
		for _, c := range d.Spec.Power {
			topo.Corded[c.Outlet] = fleet.Attachment{Device: n, Part: "PSU"}
		}
		if d.Spec.Kind == fleet.KindPDU {
			topo.PDUsOf[d.Spec.Feed] = append(topo.PDUsOf[d.Spec.Feed], n)
		}
	}
	var hours []fleet.Hour
	for h := range int64(21 * 24) {
		hours = append(hours, fleet.Hour{Class: fleet.PastPower, Hour: fleet.HourOf(viewstest.At) - 21*24 + h, Value: 2400 + 1.5*float64(h) + float64(h%24)*4 + float64(h/24*7919%11-5)*9})
	}
	for _, id := range []string{"fra1-r03-pa", "fra1-r03-pb", "fra1-r04-pa", "fra1-r04-pb"} {
		e.Get(id).Past = (*fleet.Past)(nil).With(hours)
	}
	for _, id := range []string{"ams1-r04-pa", "ams1-r04-pb"} { // too few to say anything
		e.Get(id).Past = (*fleet.Past)(nil).With(hours[:30])
	}
	one := *s.Devices.Get("ams1-r02-s03").Spec // a machine on one cord
	one.Power = one.Power[:1]
	e.Get(one.ID).Spec = &one
	for _, id := range []string{"fra1-r03-pa", "fra1-r03-pb"} { // a rack that does not outlive a feed
		d := e.Get(id)
		spec := *d.Spec
		spec.RatingA = fleet.Int(8)
		d.Spec = &spec
	}
	hot := e.Get("fra1-r06-s05")
	hot.Forecasts = []fleet.Forecast{
		{Target: "fra1-r06-s05", What: "heat at 85 C", Limit: 85, Made: viewstest.At.Add(-50 * 24 * time.Hour), Low: viewstest.At.Add(-20 * 24 * time.Hour), At: viewstest.At.Add(-15 * 24 * time.Hour),
			High: viewstest.At.Add(-9 * 24 * time.Hour), Confidence: fleet.ConfidenceMedium, Score: fleet.ScoreHit, Scored: viewstest.At.Add(-14 * 24 * time.Hour)},
		{Target: "fra1-r06-s05", What: "slowest fan at 70 %", Limit: 0.7, Made: viewstest.At.Add(-3 * 24 * time.Hour), Low: viewstest.At.Add(11 * 24 * time.Hour), At: viewstest.At.Add(16 * 24 * time.Hour),
			High: viewstest.At.Add(30 * 24 * time.Hour), Confidence: fleet.ConfidenceHigh},
	}
	s.Devices, s.Topology = e.Done(), &topo
	return &s
})

func roomFrame(w, h int) Frame {
	f := frame(w, h)
	f.Snap = roomFleet()
	f.Answers = judged{snap: f.Snap}
	return f
}

func roomScreens() []screen {
	ask := func(command string) func(testing.TB, Frame) View {
		return func(t testing.TB, f Frame) View { return press(t, f, NewFleet(), command) }
	}
	return []screen{
		{"capacity", func(testing.TB, Frame) View { return NewCapacity() }},
		{"capacity-feeds", func(t testing.TB, f Frame) View { return press(t, f, NewCapacity(), "pane.next") }},
		{"capacity-regions", func(t testing.TB, f Frame) View {
			return press(t, f, NewCapacity(), "pane.next", "pane.next", "pane.next")
		}},
		{"room-rack", func(t testing.TB, f Frame) View { return press(t, f, NewCapacity(), "enter") }},
		{"room-ahead", func(testing.TB, Frame) View { return newCapacityPage(capacity.ScopeRack, "fra1/r04") }},
		{"room-feed", func(testing.TB, Frame) View { return newCapacityPage(capacity.ScopeFeed, "ams1-A") }},
		{"room-region", func(t testing.TB, f Frame) View {
			return press(t, f, newCapacityPage(capacity.ScopeRegion, "fra"), "move.down")
		}},
		{"room-gone", func(testing.TB, Frame) View { return newCapacityPage(capacity.ScopeRack, "fra1/r99") }},
		{"placement", ask("go.place 30 --watts 450 --units 2 --ports 2x25G --spread 4")},
		{"placement-rack", func(t testing.TB, f Frame) View {
			return press(t, f, NewFleet(), "go.place 5 --watts 300 --units 2 --region iad", "enter")
		}},
		{"whatif-add", ask("go.whatif add 8 --watts 450 --units 1 --in fra1/r03")},
		{"device-foretold", func(testing.TB, Frame) View { return NewDevice("fra1-r06-s05") }},
		{"security", func(testing.TB, Frame) View { return NewSecurity() }},
		{"lifecycle", func(testing.TB, Frame) View { return NewLifecycle() }},
		{"performance", func(testing.TB, Frame) View { return NewPerformance() }},
		{"report-ops", func(testing.TB, Frame) View { return NewReport("ops") }},
		{"report-design", func(t testing.TB, f Frame) View { return press(t, f, NewReport("design"), "move.page-down") }},
	}
}

// everyScreen is every screen there is, for what must hold of all of them.
func everyScreen() []screen { return append(screens(), roomScreens()...) }

func TestRoomGoldens(t *testing.T) { goldens(t, roomScreens(), roomFrame) }

// TestCapacityOrderFilterAndScopes: what hurts comes first, a filter asks what
// people plan by, and tab goes round the scopes.
func TestCapacityOrderFilterAndScopes(t *testing.T) {
	f := roomFrame(160, 50)
	ids := func(v View) (out []string) {
		m, ok := v.(Capacity).shown(f)
		if !ok {
			t.Fatal("no rows")
		}
		for _, r := range m.rows {
			out = append(out, r.ID)
		}
		return out
	}
	v := View(NewCapacity())
	if got := ids(v); len(got) != 24 || got[0] != "fra1/r03" {
		t.Fatalf("%v", got)
	}
	for _, c := range []struct{ filter, want string }{
		{"state:over", "fra1/r03"}, {"alone>0", "ams1/r02"}, {"takes>40", ""}, {"region:iad takes<1", "iad1/r08"}, {"binds:power", "fra1/r03"}, {"r08 site:ams1", "ams1/r08"},
	} {
		if got := strings.Join(ids(press(t, f, v, "filter.set "+c.filter)), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.filter, got, c.want)
		}
	}
	if got := ids(press(t, f, v, "sort.reverse")); got[len(got)-1] != "fra1/r03" {
		t.Errorf("turned around: %v", got)
	}
	lasts := v
	for capacityColumns(capacity.ScopeRack)[lasts.(Capacity).sort].Title != "lasts" {
		lasts = press(t, f, lasts, "sort")
	}
	if got := ids(lasts); got[0] != "fra1/r03" || got[1] != "fra1/r04" {
		t.Errorf("by what ends first: %v", got)
	}
	for range capacity.Scopes {
		v = press(t, f, v, "pane.next")
	}
	if v.(Capacity).scope != capacity.ScopeRack {
		t.Errorf("five tabs lead to %s", v.(Capacity).scope)
	}
}

// TestPlacementLeadsToTheUnits: the rack that is opened shows where each of the
// servers is meant to stand, and nothing in any other rack.
func TestPlacementLeadsToTheUnits(t *testing.T) {
	f := roomFrame(160, 67)
	v := press(t, f, NewFleet(), "go.place 5 --watts 300 --units 2 --region iad", "enter")
	text := compose(t, f, v, Chrome{})
	for n := 1; n <= 5; n++ {
		if want := fmt.Sprintf("place %d of 5", n); strings.Count(text, want) != 2 { // two units each
			t.Errorf("%q stands %d times", want, strings.Count(text, want))
		}
	}
	if other := compose(t, f, press(t, f, v, "move.right"), Chrome{}); strings.Contains(other, "of 5") {
		t.Error("the next rack shows them too")
	}
}

func TestQuestionsInThePaletteAreChecked(t *testing.T) {
	f := roomFrame(80, 24)
	for _, c := range []struct{ command, want string }{
		{"go.place", "needs how many servers"}, {"go.place 5", "--watts of one server is needed"}, {"go.place 5 --watts 1 --colour red", "--colour: no such flag"},
		{"go.place 5 --watts", "--watts: needs a value"}, {"go.place 5 --watts 300 --units 1.3", "steps of a half"}, {"go.whatif 5 --watts 300", "no part 5"},
		{"go.whatif add 5 --watts 300 --in fra9", "no such rack, site or region"}, {"go.place 5 --watts=300 --u 1 --single-cord", ""}, {"go.whatif add 5 --watts 300", ""},
	} {
		name, arg, _ := strings.Cut(c.command, " ")
		command, _ := f.Keys.Get(name)
		_, in := Dispatch(f, NewFleet(), command.With(arg))
		toast, refused := in.(Toast)
		if refused != (c.want != "") || !strings.Contains(toast.Text, c.want) {
			t.Errorf("%s: %+v, want %q", c.command, in, c.want)
		}
	}
}

// TestCapacityLeadsOn: from a row to its page, from there to the part under the
// caret, and with 2 to the rack itself.
func TestCapacityLeadsOn(t *testing.T) {
	f := roomFrame(160, 50)
	at := func(v View) string { return v.ID() + " " + strings.Join(v.Crumbs(f), " ") }
	page := press(t, f, NewCapacity(), "enter")
	for _, c := range []struct {
		from View
		keys string
		want string
	}{
		{NewCapacity(), "enter", "room capacity rack fra1/r03"}, {page, "enter", "room capacity feed fra1-A"}, {page, "move.down enter", "device fra fra1/r03 fra1-r03-pa"},
		{page, "open.racks", "racks racks fra fra1 row A r03"}, {NewCapacity(), "open.racks", "racks racks fra fra1 row A r03"},
		{newCapacityPage(capacity.ScopeSite, "fra1"), "open.racks", at(NewRacks("", ""))}, {NewSecurity(), "pane.next", "security drift lifecycle checks"}, {NewLifecycle(), "pane.next", "security drift performance checks"}, {NewPerformance(), "pane.next", "drift drift"}, {NewReport("ops"), "pane.next", "report report design"}, {NewReport("handover"), "pane.next", "report report ops"}, {NewDrift(""), "pane.next", "security drift security checks"},
	} {
		if got := at(press(t, f, c.from, strings.Fields(c.keys)...)); got != c.want {
			t.Errorf("%s, %s leads to %q, want %q", at(c.from), c.keys, got, c.want)
		}
	}
}

// TestChecksAreToldApart: by glyph and by word, and in the order in which a
// person should look.
func TestChecksAreToldApart(t *testing.T) {
	f := roomFrame(160, 50)
	list := []tally{}
	for _, t := range []security.Tally{
		{Checked: fleet.Checked{ID: "off", Passed: 3}, Off: "nobody cares"}, {Checked: fleet.Checked{ID: "passed", Passed: 3}}, {Checked: fleet.Checked{ID: "nothing"}},
		{Checked: fleet.Checked{ID: "decided", Decided: 1, Passed: 2}}, {Checked: fleet.Checked{ID: "partly", NotVisible: 1, Passed: 2}}, {Checked: fleet.Checked{ID: "blind", NotVisible: 3}},
		{Checked: fleet.Checked{ID: "warn", Found: 1, Severity: fleet.SeverityWarn}}, {Checked: fleet.Checked{ID: "crit", Found: 1, NotVisible: 1, Severity: fleet.SeverityCrit}},
	} {
		list = append(list, tally{Tally: t, word: t.Says()})
	}
	glyphs := map[string]string{}
	words := map[string]string{"off": "off", "passed": "passed", "nothing": "about nothing", "decided": "decided", "partly": "partly seen", "blind": "not visible", "warn": "found", "crit": "found"}
	for i := range list {
		glyph, _, word := tallyMark(f, &list[i])
		if glyphs[list[i].ID] = glyph; word != words[list[i].ID] {
			t.Errorf("%s says %q", list[i].ID, word)
		}
	}
	if glyphs["passed"] == glyphs["partly"] || glyphs["passed"] == glyphs["decided"] || glyphs["passed"] == glyphs["blind"] || glyphs["passed"] == glyphs["nothing"] {
		t.Errorf("%v", glyphs)
	}
	slices.SortStableFunc(list, func(a, b tally) int { return compareTallies(&a, &b, "") })
	var order []string
	for _, x := range list {
		order = append(order, x.ID)
	}
	if got := strings.Join(order, " "); got != "crit warn partly blind decided passed nothing off" {
		t.Error(got)
	}
}

func TestUnitsText(t *testing.T) {
	for want, lows := range map[string][]fleet.HalfU{"": nil, "1-4 7": {2, 4, 6, 8, 14}, "1 2 5.5": {2, 4, 11}, "20": {40}} {
		if got := unitsText(lows); got != want {
			t.Errorf("%v: %q, want %q", lows, got, want)
		}
	}
}
