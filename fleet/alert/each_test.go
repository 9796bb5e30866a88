package alert

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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

// TestARepeatIsNotForgotten: a group that was kept over a restart is told whole
// again in time, also one of a store that does not say when it was told whole.
func TestARepeatIsNotForgotten(t *testing.T) {
	for _, old := range []bool{false, true} {
		h := eachHouse(t, "am", "am")
		h.heat(50, 50, 50)
		h.step(time.Minute)
		h.heat(50, 50, 50)
		h.step(time.Minute)
		told := h.snap.Alerts.Groups[0]
		if !told.Whole.Equal(told.Sent) || told.Sent.IsZero() {
			t.Fatalf("%+v", told)
		}
		if old {
			told.Whole = time.Time{}
		}
		value, err := json.Marshal(told)
		if err != nil {
			t.Fatal(err)
		}
		h.out.Book.Groups[0] = Recall([]fleet.Rows{{Table: fleet.TableAlerts, RowSet: &fleet.RowSet{Names: []string{rowGroup + told.Key}, Values: [][]byte{value}}}}).Groups[0]
		h.now = h.now.Add(30 * time.Minute)
		h.heat(50, 20, 50)
		h.step(29 * time.Minute)
		h.told(2, "firing", `"id":"hot:s01/t001","status":"resolved"`)
		h.heat(50, 20, 50)
		h.step(time.Minute)
		h.told(3, "firing", `"id":"hot:s01/t000"`, `"id":"hot:s01/t002"`)
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
