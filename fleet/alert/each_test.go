package alert

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// eachHouse tells one receiver of what is hot, a second after it is.
func eachHouse(t *testing.T, receiver string, each ...string) *house {
	return newHouse(t, fleet.Alerting{Receivers: []string{receiver}, Each: each, Route: &fleet.AlertRoute{Receiver: receiver, Wait: time.Second, Interval: time.Minute, Repeat: time.Hour},
		Rules: []fleet.AlertRule{{Name: "hot", On: "sensor", Problem: "sensor.value > 40", Attempts: 1, Severity: fleet.SeverityWarn, Graded: true, Summary: "{sensor.value}"}}})
}

// heat has s01 seen with a temperature in each of its parts.
func (h *house) heat(list ...int64) {
	h.poll("s01")
	h.device("s01", func(d *fleet.Device) {
		d.Sensors = nil
		for i, c := range list {
			def := &fleet.SensorDef{Key: fmt.Sprintf("t%03d", i), Name: fmt.Sprintf("Temp %d", i), Class: fleet.ClassTemperature, Unit: "C"}
			d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: def, Value: fleet.Int(c), State: fleet.StateOK})
		}
	})
}

// TestEveryEndIsToldWhereEachCounts: of 120 alerts of one group an Alertmanager
// hears each begin and end, in notices of bounded size with keys of their own; a
// pager hears the worst 50 and how many more there are.
func TestEveryEndIsToldWhereEachCounts(t *testing.T) {
	const parts = 120
	for receiver, each := range map[string][]string{"am": {"am"}, "pager": nil} {
		h := eachHouse(t, receiver, each...)
		heat := func(c int64) { h.heat(slices.Repeat([]int64{c}, parts)...) }
		heat(50)
		h.step(time.Minute)
		h.step(time.Minute)
		heat(20)
		h.step(time.Minute)
		h.step(time.Minute)
		heard, more, keys := map[string]int{}, 0, map[string]bool{}
		for i, p := range h.notices {
			if len(p.Alerts) > maxPages {
				t.Errorf("%s: %d alerts in one notice", receiver, len(p.Alerts))
			}
			for _, a := range p.Alerts {
				heard[a.ID+" "+a.Status]++
			}
			more += p.More
			keys[h.keys[i]] = true
		}
		if len(keys) != len(h.notices) {
			t.Errorf("%s: %d notices have %d keys", receiver, len(h.notices), len(keys))
		}
		wantHeard, wantMore := 2*parts, 0
		if each == nil {
			wantHeard, wantMore = 2*maxPages, 2*(parts-maxPages)
		}
		if len(heard) != wantHeard || more != wantMore {
			t.Errorf("%s: heard %d begin and end, and of %d more; want %d and %d", receiver, len(heard), more, wantHeard, wantMore)
		}
	}
}

// TestOnlyWhatChangedIsToldAgain: of a group of 120 alerts one changes at every
// interval. Who knows each of them hears of that one, and of all when they are
// repeated, though the group was never quiet; a pager hears of the group each time.
func TestOnlyWhatChangedIsToldAgain(t *testing.T) {
	const parts = 120
	for receiver, each := range map[string][]string{"am": {"am"}, "pager": nil} {
		h := eachHouse(t, receiver, each...)
		list := slices.Repeat([]int64{50}, parts)
		h.heat(list...)
		h.step(time.Minute)
		heard := map[int]int{} // notices of a size
		for i := range 61 {    // the first is told of all
			h.heat(list...)
			list[i] = 20 // seen with the next step
			before := len(h.notices)
			h.step(time.Minute)
			for _, p := range h.notices[before:] {
				heard[len(p.Alerts)]++
				if p.Status != "firing" || len(each) > 0 && p.More > 0 {
					t.Errorf("%s: after %d minutes it is %s, with %d more", receiver, i, p.Status, p.More)
				}
			}
		}
		want := map[int]int{maxPages: 61} // at every interval
		if len(each) > 0 {
			want = map[int]int{maxPages: 2 + 1, 20: 1, 11: 1, 1: 59} // 120; 59 times one that is over; 60 that fire and one that is over
		}
		if !maps.Equal(heard, want) {
			t.Errorf("%s heard %v notices of so many alerts, want %v", receiver, heard, want)
		}
	}
}

// bundle makes the row of a group what older stores have of it: whom it told in
// one, and not when that was all.
func (h *house) bundle() {
	g := h.snap.Alerts.Groups[0]
	g.Whole = time.Time{}
	whom := map[string]string{}
	for id, word := range g.Told {
		whom[id] = word.As
	}
	value, err := json.Marshal(bundledRow{g, whom})
	if err != nil {
		h.t.Fatal(err)
	}
	h.rows = slices.DeleteFunc(h.rows, func(c fleet.Change) bool { return c.Row == rowGroup || strings.HasPrefix(c.Row, rowTold) })
	h.rows = append(h.rows, fleet.Change{Target: self, Table: fleet.TableAlerts, Row: rowBundled + g.Key, At: h.now, Value: value})
}

// TestARepeatIsNotForgotten: a group that was kept over a restart tells what is
// over, and all of it again in time; also one of an older store, whose row goes
// with its next word.
func TestARepeatIsNotForgotten(t *testing.T) {
	for _, old := range []bool{false, true} {
		h := eachHouse(t, "am", "am")
		h.heat(50, 50, 50)
		h.step(time.Minute)
		h.heat(50, 50, 50)
		h.step(time.Minute)
		if g := h.snap.Alerts.Groups[0]; !g.Whole.Equal(g.Sent) || g.Sent.IsZero() {
			t.Fatalf("%+v", g)
		}
		if old {
			h.bundle()
		}
		h.restart()
		h.now = h.now.Add(30 * time.Minute)
		h.heat(50, 20, 50)
		h.step(29 * time.Minute)
		h.told(2, "firing", `"id":"hot:s01/t001","status":"resolved"`)
		h.restart()
		if told := h.out.Book.Groups[0].Told; len(told) != 2 {
			t.Errorf("it forgot whom it told: %v", told)
		}
		h.heat(50, 20, 50)
		h.step(time.Minute)
		h.told(3, "firing", `"id":"hot:s01/t000"`, `"id":"hot:s01/t002"`)
		for _, r := range fleet.Remember(h.rows) {
			if r.Target == self {
				t.Errorf("still there: %q", r.Names)
			}
		}
	}
}

// TestWhatALargeGroupToldIsKept: 25,000 alerts of one group end while plumb is
// down, and each end is told. What is kept comes in rows of bounded size, and only
// when something was told.
func TestWhatALargeGroupToldIsKept(t *testing.T) {
	const parts = 25000
	h := eachHouse(t, "am", "am")
	list := slices.Repeat([]int64{50}, parts)
	h.heat(list...)
	h.step(time.Minute)
	h.heat(list...)
	h.step(time.Minute)
	if n := len(h.notices); n != parts/maxPages {
		t.Fatalf("%d notices", n)
	}
	for _, c := range h.rows {
		if len(c.Value) > 1000 {
			t.Fatalf("%s %q has %d bytes", c.Target, c.Row, len(c.Value))
		}
	}
	h.heat(list...)
	h.step(time.Minute)
	if n := len(h.out.Changes); n != 0 {
		t.Errorf("%d rows say that nothing was told", n)
	}
	h.restart()
	h.notices = nil
	h.heat(slices.Repeat([]int64{20}, parts)...)
	h.step(time.Minute)
	ends := map[string]bool{}
	for _, p := range h.notices {
		for _, a := range p.Alerts {
			ends[a.ID+" "+a.Status] = true
		}
	}
	if len(ends) != parts || !ends["hot:s01/t24999 resolved"] {
		t.Errorf("%d ends were told", len(ends))
	}
	h.rows = slices.DeleteFunc(h.rows, func(c fleet.Change) bool { return c.Target == "s01" })
	if left := fleet.Remember(h.rows); len(left) > 0 {
		t.Errorf("%d tables are left, as %q", len(left), left[0].Target)
	}
}

// TestLongNamesAreKept: a text that the store would not take as a name has one
// that it does, and no other text has the same.
func TestLongNamesAreKept(t *testing.T) {
	long := strings.Repeat("x", 2000)
	a, b := keptAs(long+"a"), keptAs(long+"b")
	if a == b || len(a) > 500 || keptAs("short") != "short" {
		t.Errorf("%q\n%q", a, b)
	}
	h := eachHouse(t, "am", "am")
	h.poll("s01")
	h.device("s01", func(d *fleet.Device) {
		for _, end := range []string{"a", "b"} {
			def := &fleet.SensorDef{Key: long + end, Name: "Temp", Class: fleet.ClassTemperature, Unit: "C"}
			d.Sensors = append(d.Sensors, fleet.Sensor{SensorDef: def, Value: fleet.Int(50), State: fleet.StateOK})
		}
	})
	h.step(time.Minute)
	h.step(time.Minute)
	h.restart()
	if told := h.out.Book.Groups[0].Told; len(told) != 2 {
		t.Errorf("it told %v", told)
	}
}

// TestPagesAreMadeOfWhatIsSent: of 5,000 alerts a pager is sent 50. The others
// cost the name that the notice's key is made of, and no page.
func TestPagesAreMadeOfWhatIsSent(t *testing.T) {
	cost := func(n int) float64 {
		list := make([]*fleet.Alert, n)
		for i := range list {
			list[i] = &fleet.Alert{Rule: "hot", Target: "s01", Part: fmt.Sprint(i), State: fleet.AlertFiring, Since: t0}
		}
		w := &work{rules: &Book{}, now: t0}
		g := &fleet.AlertGroup{Key: "pager 0 {}", Receiver: "pager"}
		return testing.AllocsPerRun(5, func() {
			w.out.Notices = nil
			w.notice(g, list, nil, true)
		})
	}
	if each := (cost(5000) - cost(maxPages)) / (5000 - maxPages); each > 1.5 {
		t.Errorf("an alert that is only counted costs %.1f allocations", each)
	}
}

// TestAnAlertsOwnLastWord: of an alert is said when it was last told itself, and
// not when another one of its group was; also after a restart.
func TestAnAlertsOwnLastWord(t *testing.T) {
	h := eachHouse(t, "am", "am")
	h.heat(50, 50)
	h.step(time.Minute)
	first := h.now
	h.heat(50, 50)
	h.step(10 * time.Minute)
	h.heat(50, 20)
	h.step(20 * time.Minute)
	h.heat(50, 20)
	h.told(2, "firing", `"id":"hot:s01/t001","status":"resolved"`)
	says := func(at time.Time) {
		t.Helper()
		g := &h.snap.Alerts.Groups[0]
		if text, want := groupText(h.snap, g.Key, h.alert("hot:s01/t000")), ", last at "+at.Format(time.RFC3339); text != want {
			t.Errorf("%q, want %q", text, want)
		}
	}
	says(first)
	h.restart()
	says(first)
	h.step(30 * time.Minute)
	again := h.now
	h.step(time.Minute)
	h.told(3, "firing", `"id":"hot:s01/t000"`)
	says(again)
}
