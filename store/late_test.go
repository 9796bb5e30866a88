package store

import (
	"testing"
	"time"

	"plumb/fleet"
)

// A row that came late, and is still open, is older than one that is in a block
// already. As of a time when both are too old to count, neither is the newest.
func TestLateOpenRowDoesNotHideANewerBlock(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.pace = pace{rows: 2, spread: 1, age: time.Hour, grace: time.Hour}
	o := run(t, s, dir, testStep)
	poll := func(at time.Time) {
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", at, fleet.Int(1))}})
	}
	poll(day0)
	first := fromMs(s.targets.get("s1").windowOf(toMs(day0)))
	poll(first.Add(time.Hour))
	poll(first.Add(30 * time.Minute)) // its batch makes a part of the two before it
	if open := s.targets.openRows(s.targets.get("s1")); len(open) != 1 {
		t.Fatalf("%d open rows, want the late one", len(open))
	}
	for after, want := range map[time.Duration]int{2 * time.Hour: 1, 4 * time.Hour: 0} {
		m, err := s.At(t.Context(), first.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Readings) != want {
			t.Errorf("%v later: %v, want %d readings", after, m.Readings, want)
		}
		for _, r := range m.Readings {
			if r.At.Before(first.Add(time.Hour)) {
				t.Errorf("%v later: readings of %v hide newer ones", after, r.At)
			}
		}
	}
}
