package fleet

import (
	"testing"
	"time"
)

// TestWhatAnIDMeansOfAlerts: an alert, a target, a part of one, a rack; and what
// a cause explains only where there is nothing else.
func TestWhatAnIDMeansOfAlerts(t *testing.T) {
	free := func(rule, target, part string) *Alert {
		return &Alert{Rule: rule, Target: target, Part: part, State: AlertFiring}
	}
	held := free("psu", "s02", "psu1")
	held.Held = &Hold{By: "cause:pa"}
	over := free("fan", "s02", "f1")
	over.State = AlertResolved
	b := &AlertBook{List: []*Alert{free("hot", "ams1/r01", ""), free("hot", "s01", "t/1"), free("psu", "s01", "psu1"), over, held}}
	s := &Snapshot{Topology: &Topology{DevicesOf: map[string][]int{"ams1/r01": {0, 1}}, RacksOf: map[string][]int{"ams": {0}}}, Devices: NewTable([]string{"s01", "s02"}, make([]Device, 2)), Racks: NewTable([]string{"ams1/r01"}, make([]Rack, 1)), Regions: NewTable([]string{"ams"}, make([]Region, 1))}
	for id, want := range map[string]int{"hot:s01/t/1": 1, "hot:ams1/r01": 1, "s01": 2, "s01/psu1": 1, "s01/elsewhere": 2, "s02": 1, "ams1/r01": 3, "ams": 3, "psu:s02/psu1": 1, "s03": 0, "": 0, "hot:s01": 0} {
		if got := b.On(s, id); len(got) != want {
			t.Errorf("%q: %d alerts, want %d", id, len(got), want)
		}
	}
	var none *AlertBook
	if none.On(s, "s01") != nil || none.Find("hot:s01") != nil {
		t.Error("there are alerts where nobody looked")
	}
}

// TestAGroupIsDueAtItsIntervals: a group that was looked at last long ago, as the
// past has it, is due at the next of its intervals.
func TestAGroupIsDueAtItsIntervals(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	g := AlertGroup{Next: at, Interval: 5 * time.Minute}
	for after, want := range map[time.Duration]time.Duration{-time.Hour: 0, 0: 0, 1: 5 * time.Minute, 5 * time.Minute: 5 * time.Minute, 12 * time.Minute: 15 * time.Minute} {
		if got := g.Due(at.Add(after)); !got.Equal(at.Add(want)) {
			t.Errorf("after %s it is due at %s, want %s", after, got.Sub(at), want)
		}
	}
}
