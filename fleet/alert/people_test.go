package alert

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// TestAMaintenanceCoversAPlaceAndAllInIt: a silence at a rack covers what stands
// there and nothing else, and one of a device its parts too.
func TestAMaintenanceCoversAPlaceAndAllInIt(t *testing.T) {
	h := newHouse(t, paged(hot()))
	h.silences = []fleet.Silence{{ID: "S1", At: "ams1/r01", Start: h.now, End: h.now.Add(time.Hour), By: "anna", Comment: "new rails"}}
	h.temp("s01", 81)
	h.temp("s05", 81)
	h.step(30 * time.Second)
	if a, b := h.alert("hot:s01/t1"), h.alert("hot:s05/t1"); a.Silenced != "S1" || b.Silenced != "" {
		t.Fatalf("in the rack %q, beside it %q", a.Silenced, b.Silenced)
	}
	if w := h.out.Book.Waiting; w != [3]int{0, 1, 0} || h.out.Book.Counts != [3]int{0, 2, 0} {
		t.Errorf("waiting %v of %v", w, h.out.Book.Counts)
	}
	if n := h.out.Book.Newest[fleet.SeverityWarn]; n == nil || n.Target != "s05" {
		t.Errorf("the newest that waits is %+v", n)
	}
	h.temp("s01", 81)
	h.temp("s05", 81)
	h.step(time.Hour)
	h.temp("s01", 81)
	h.step(time.Second)
	h.step(time.Second)
	if a := h.alert("hot:s01/t1"); a.Silenced != "" || h.out.Book.Waiting != [3]int{0, 2, 0} {
		t.Errorf("after its end: %q, waiting %v", a.Silenced, h.out.Book.Waiting)
	}
	if !Within(h.snap, &fleet.Alert{Target: "s01/psu1"}, "s01") || Within(h.snap, &fleet.Alert{Target: "s011/psu1"}, "s01") || !Within(h.snap, &fleet.Alert{Target: "pa"}, "ams1-A") {
		t.Error("what is in a place is judged wrongly")
	}
}

// TestAnAckStopsWaiting: and one that is taken back waits again.
func TestAnAckStopsWaiting(t *testing.T) {
	h := newHouse(t, paged(hot()))
	h.temp("s01", 81)
	h.step(time.Second)
	ack := func(by string) {
		h.acks = []fleet.Acknowledgement{{Alert: "hot:s01/t1", Ack: fleet.Ack{By: by, At: h.now}}}
		h.temp("s01", 81)
		h.step(time.Second)
	}
	ack("anna")
	if h.out.Book.Waiting != [3]int{} || h.out.Book.Newest != [3]*fleet.Alert{} {
		t.Errorf("acknowledged, and %v wait", h.out.Book.Waiting)
	}
	ack("")
	if h.out.Book.Waiting != [3]int{0, 1, 0} {
		t.Errorf("taken back, and %v wait", h.out.Book.Waiting)
	}
}

// TestAPartThatIsGoneIsOver: a complete table without the sensor ends its alert
// and says so; a partial one, or that of a machine that is off, does not.
func TestAPartThatIsGoneIsOver(t *testing.T) {
	for name, c := range map[string]struct {
		is    fleet.Completeness
		power fleet.Power
		want  string
	}{"complete": {fleet.Complete, fleet.PowerOn, "resolved"}, "partial": {fleet.Partial, fleet.PowerOn, "firing"}, "off": {fleet.Complete, fleet.PowerOff, "firing"}} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, paged(hot()))
			h.temp("s01", 81)
			h.step(time.Minute)
			h.poll("s01")
			h.device("s01", func(d *fleet.Device) {
				d.Sensors, d.Power = nil, c.power
				d.Tables[fleet.TableSensors].Is = c.is
			})
			h.step(time.Second)
			h.want("hot:s01/t1", c.want)
			if a := h.alert("hot:s01/t1"); c.want == "resolved" && a.Evidence != "the sensor is not there any more" {
				t.Errorf("it says %q", a.Evidence)
			}
		})
	}
}

// TestTheTimelineIsReadBack: what the engine writes of alerts can be read.
func TestTheTimelineIsReadBack(t *testing.T) {
	h := newHouse(t, paged(hot()))
	var heard []Heard
	hear := func() {
		for _, s := range h.out.Said {
			x, ok := Hear(&fleet.Event{Target: s.Target, Text: s.Text, Source: "plumb", Type: "alert", At: h.now})
			if !ok {
				t.Errorf("not read: %q", s.Text)
			}
			heard = append(heard, x)
		}
	}
	h.temp("s01", 81)
	h.step(time.Minute)
	hear()
	h.temp("s01", 60)
	h.step(time.Second)
	hear()
	if len(heard) != 2 || heard[0].Turn != TurnFired || heard[0].Severity != fleet.SeverityWarn || heard[0].Rule != "hot" || heard[0].Text != "CPU Temp of s01 81 C" || heard[1].Turn != TurnOver || heard[1].Lasted != time.Minute {
		t.Errorf("%+v", heard)
	}
	for _, c := range []struct {
		text string
		turn Turn
		rest string
	}{{"alert hot is held by cause:pa", TurnHeld, "cause:pa"}, {"alert hot flaps: a (b): c", TurnFlaps, "a (b): c"}, {"alert hot flaps no more", TurnSteady, ""}, {"alert hot is let go: it outlives cause:pa", TurnLetGo, "cause:pa"}} {
		if x, ok := Hear(&fleet.Event{Text: c.text, Source: "plumb", Type: "alert"}); !ok || x.Turn != c.turn || x.Text != c.rest || x.Rule != "hot" {
			t.Errorf("%q: %+v %v", c.text, x, ok)
		}
	}
	for _, e := range []fleet.Event{{Text: "alert hot (warn): x", Source: "trap", Type: "alert"}, {Text: "alert hot", Source: "plumb", Type: "alert"}, {Text: "silence S1 of anna", Source: "plumb", Type: "alert"}, {Text: "alert hot over after long: x", Source: "plumb", Type: "alert"}, {Text: "alert hot (odd): x", Source: "plumb", Type: "alert"}} {
		if x, ok := Hear(&e); ok {
			t.Errorf("%q is read as %+v", e.Text, x)
		}
	}
}

// TestTheTimelineTellsTheEndOfASilence: that somebody ended it, or that its time
// was over, once, and no new silence.
func TestTheTimelineTellsTheEndOfASilence(t *testing.T) {
	h := newHouse(t, paged(hot()))
	said := func() (out []string) {
		for _, x := range h.out.Said {
			if strings.HasPrefix(x.Text, "silence ") {
				out = append(out, x.Text)
			}
		}
		return out
	}
	want := func(text string) {
		t.Helper()
		if got := said(); len(got) != min(len(text), 1) || len(got) == 1 && !strings.HasPrefix(got[0], text) {
			t.Errorf("said %q, want %q", got, text)
		}
	}
	s := fleet.Silence{ID: "S1", Matchers: []fleet.Matcher{{Label: "target", Op: "=", Value: "s01"}}, Start: h.now, End: h.now.Add(time.Hour), By: "anna", Comment: "rails"}
	h.silences = []fleet.Silence{s}
	h.step(time.Second)
	want("silence S1 of anna: target=s01, until ")
	h.step(time.Minute)
	want("")
	s.End = h.now
	h.silences = []fleet.Silence{s}
	h.step(time.Second)
	want("silence S1 of anna was ended: target=s01: rails")
	s.ID, s.End = "S2", h.now.Add(time.Minute)
	h.silences = []fleet.Silence{s}
	h.step(time.Minute) // and then a minute goes by
	want("silence S2 of anna: ")
	h.step(time.Minute)
	want("silence S2 of anna is over: target=s01: rails")
	h.step(time.Minute)
	want("")
}

// TestAWeeklyMaintenance: it opens and closes by the clock alone, over midnight,
// week after week, and says when it will next.
func TestAWeeklyMaintenance(t *testing.T) {
	a := paged(hot())
	a.Maintenance = []fleet.Maintenance{{Name: "patch", At: "ams1", Days: []time.Weekday{t0.Weekday()}, Start: 22 * time.Hour, End: 26 * time.Hour}}
	h := newHouse(t, a)
	day := time.Date(t0.Year(), t0.Month(), t0.Day(), 0, 0, 0, 0, time.UTC)
	h.now = day.Add(21 * time.Hour)
	h.temp("s01", 81)
	h.step(0)
	if !h.out.Wake.Equal(day.Add(21*time.Hour+30*time.Second)) && h.out.Wake.After(day.Add(22*time.Hour)) {
		t.Errorf("it wakes at %s", h.out.Wake)
	}
	for _, c := range []struct {
		at   time.Duration
		want string
	}{{21*time.Hour + 59*time.Minute, ""}, {22 * time.Hour, "maintenance patch"}, {25 * time.Hour, "maintenance patch"}, {26 * time.Hour, ""}, {46 * time.Hour, ""}, {(7*24 + 23) * time.Hour, "maintenance patch"}, {(7*24 + 26) * time.Hour, ""}} {
		h.now = day.Add(c.at)
		h.temp("s01", 81)
		h.step(0)
		if got := h.alert("hot:s01/t1").Silenced; got != c.want {
			t.Errorf("after %s: %q, want %q", c.at, got, c.want)
		}
	}
	m := &a.Maintenance[0]
	for _, c := range []struct{ at, want time.Duration }{{0, 22 * time.Hour}, {22 * time.Hour, 26 * time.Hour}, {25 * time.Hour, 26 * time.Hour}, {26 * time.Hour, (7*24 + 22) * time.Hour}} {
		if got := m.Edge(day.Add(c.at)); !got.Equal(day.Add(c.want)) {
			t.Errorf("after %s the next edge is %s", c.at, got.Sub(day))
		}
	}
}

// TestWhatIsHeldSaysSoWhenItIsFirstTold: one that was explained while it was soft
// stands in the timeline as explained when it fires.
func TestWhatIsHeldSaysSoWhenItIsFirstTold(t *testing.T) {
	cause := &fleet.Hold{By: "cause:pa"}
	soft := &fleet.Alert{Rule: "hot", Target: "s01", State: fleet.AlertPending, Bad: 1, Held: cause}
	fires := &fleet.Alert{Rule: "hot", Target: "s01", State: fleet.AlertFiring, Hard: true, Held: cause}
	hard := &fleet.Alert{Rule: "hot", Target: "s01", State: fleet.AlertPending, Hard: true, Held: cause}
	said := func(was, a *fleet.Alert) (n int) {
		w := &work{Case: &Case{Now: t0}, now: t0}
		w.record(was, a)
		for _, s := range w.out.Said {
			if x, ok := Hear(&fleet.Event{Target: s.Target, Text: s.Text, Source: "plumb", Type: "alert"}); ok && x.Turn == TurnHeld {
				n++
			}
		}
		return n
	}
	if said(nil, soft) != 0 || said(soft, fires) != 1 || said(hard, fires) != 0 || said(nil, hard) != 1 {
		t.Errorf("%d %d %d %d", said(nil, soft), said(soft, fires), said(hard, fires), said(nil, hard))
	}
}

// TestTheEndOfALongSilenceKeepsItsWords: what was told, silenced, and over for
// longer than it would be kept, is told to be over by the labels and the words by
// which its receiver knows it.
func TestTheEndOfALongSilenceKeepsItsWords(t *testing.T) {
	h := newHouse(t, paged(hot()))
	h.temp("s01", 81)
	h.step(30 * time.Second)
	h.step(time.Second)
	h.told(1, "firing", "CPU Temp of s01 81 C")
	h.silences = []fleet.Silence{{ID: "S1", Matchers: []fleet.Matcher{{Label: "target", Op: "=", Value: "s01"}}, Start: h.now, End: h.now.Add(time.Hour), By: "anna"}}
	for range 60 {
		h.temp("s01", 60)
		h.step(time.Minute)
	}
	h.told(1, "firing")
	for range 5 {
		h.temp("s01", 60)
		h.step(time.Minute)
	}
	h.told(2, "resolved", "CPU Temp of s01 81 C", `"target":"s01"`, `"rack":"ams1/r01"`)
	for range 30 {
		h.step(time.Minute)
	}
	h.want("hot:s01/t1", "inactive") // nobody waits for it any more
	h.told(2, "resolved")
}

// TestAGroupThatSpeaksSeldomKeepsItsWords: what is over for longer than it would
// be kept is told, whenever its group speaks, in the words of its firing.
func TestAGroupThatSpeaksSeldomKeepsItsWords(t *testing.T) {
	a := paged(hot())
	a.Route.Interval = 2 * time.Hour
	h := newHouse(t, a)
	h.temp("s01", 81)
	h.step(30 * time.Second)
	h.step(time.Second)
	for range 25 {
		h.temp("s01", 60)
		h.step(5 * time.Second)
	}
	for range 20 {
		h.step(5 * time.Minute)
	}
	h.temp("s01", 60)
	for range 10 {
		h.step(5 * time.Minute)
	}
	h.told(2, "resolved", "CPU Temp of s01 81 C", `"rack":"ams1/r01"`)
}

// TestAnAckIsOfWhatItWas: one that arrives with what makes its alert worse does
// not keep that quiet, unless it is to stand until it is over.
func TestAnAckIsOfWhatItWas(t *testing.T) {
	for _, sticky := range []bool{false, true} {
		h := newHouse(t, paged(fleet.AlertRule{Name: "fan", On: "sensor", Problem: `sensor.state in ["warn", "crit"]`, Attempts: 1}))
		say := func(st fleet.State) {
			h.poll("s01")
			h.device("s01", func(d *fleet.Device) {
				d.Sensors = []fleet.Sensor{{SensorDef: &fleet.SensorDef{Key: "f1", Name: "FAN1", Class: fleet.ClassFan}, State: st}}
			})
			h.step(time.Second)
		}
		say(fleet.StateWarn)
		h.acks = []fleet.Acknowledgement{{Alert: "fan:s01/f1", Ack: fleet.Ack{By: "anna", At: h.now, Sticky: sticky}}}
		say(fleet.StateCrit)
		if a := h.alert("fan:s01/f1"); (a.Ack != nil) != sticky {
			t.Errorf("sticky %v: %+v", sticky, a.Ack)
		}
	}
}

// TestAFlexibleMaintenanceBeginsUnderASilence: with the first bad state, whoever
// keeps that quiet; and what is over by then is kept quiet with the rest.
func TestAFlexibleMaintenanceBeginsUnderASilence(t *testing.T) {
	a := paged(hot())
	a.Maintenance = []fleet.Maintenance{{Name: "rails", At: "ams1/r01", From: t0.Add(10 * time.Minute), Until: t0.Add(2 * time.Hour), Lasts: 30 * time.Minute}}
	h := newHouse(t, a)
	h.temp("s01", 81)
	h.step(time.Second)
	h.temp("s01", 60)
	h.now = t0.Add(11 * time.Minute)
	h.step(0)
	h.silences = []fleet.Silence{{ID: "S1", Matchers: []fleet.Matcher{{Label: "target", Op: "=", Value: "s02"}}, Start: h.now, End: h.now.Add(20 * time.Minute), By: "anna"}}
	h.temp("s02", 81)
	h.step(0)
	if one, two := h.alert("hot:s01/t1").Silenced, h.alert("hot:s02/t1").Silenced; one != "maintenance rails" || two != "S1" {
		t.Errorf("%q and %q", one, two)
	}
	h.now = t0.Add(31 * time.Minute)
	h.step(0)
	if two := h.alert("hot:s02/t1").Silenced; two != "maintenance rails" || !h.out.Wake.Equal(t0.Add(41*time.Minute)) {
		t.Errorf("%q, and it wakes at %s", two, h.out.Wake)
	}
	h.now = t0.Add(41 * time.Minute)
	h.step(0)
	if two := h.alert("hot:s02/t1").Silenced; two != "" {
		t.Errorf("%q after its time", two)
	}
}
