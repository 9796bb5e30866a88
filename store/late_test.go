package store

import (
	"testing"
	"testing/synctest"
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

// What comes so late that the samples of its window are gone, of one class or
// of all, adds to the points that were made of them and does not replace them.
func TestLateRowKeepsThePointsOfSamplesThatAreGone(t *testing.T) {
	for _, c := range []struct {
		name string
		keep Retention
	}{
		{"of a class", Retention{Raw: 40 * time.Hour, FiveMin: 40 * time.Hour, Hour: 100 * time.Hour, Counters: Tiers{Raw: 4 * time.Hour}}},
		{"of all", Retention{Raw: 4 * time.Hour, FiveMin: 40 * time.Hour, Hour: 100 * time.Hour}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const every = time.Minute
				cfg := testConfig(t.TempDir())
				cfg.Retention = c.keep
				s, err := Open(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				o := run(t, s, cfg.Dir, testStep)
				began := time.Now().UTC()
				poll := func(at time.Time) {
					n := int64(at.Sub(began) / time.Second)
					o.apply(t, payload{Readings: []fleet.Readings{reading("s1", at, fleet.Int(n/3600), fleet.Int(5*n), fleet.Int(int64(fleet.StateOK)))}})
				}
				pollFor := func(d time.Duration) {
					for range d / every {
						poll(time.Now().UTC())
						time.Sleep(every)
					}
				}
				pollFor(16 * time.Hour)
				// One window has its samples, and those of the one before it,
				// which it shares a step with, are gone.
				begins := func() time.Time {
					return fromMs(s.targets.get("s1").windowOf(toMs(time.Now().Add(-270 * time.Minute))))
				}
				for time.Since(begins()) > 272*time.Minute {
					pollFor(every)
				}
				points := func(key fleet.SeriesKey, step time.Duration) []fleet.Point {
					return o.read(t, key, began.Add(time.Hour), began.Add(15*time.Hour), step)
				}
				was := map[string][]fleet.Point{}
				for _, step := range []time.Duration{5 * time.Minute, time.Hour} {
					for _, key := range allKeys {
						was[key.Row+step.String()] = points(key, step)
					}
				}
				poll(begins().Add(time.Second))
				for late := range 10 {
					poll(began.Add(time.Duration(90+20*late)*time.Minute + time.Second))
				}
				pollFor(3 * time.Hour)
				for _, step := range []time.Duration{5 * time.Minute, time.Hour} {
					for _, key := range allKeys {
						is, was := points(key, step), was[key.Row+step.String()]
						if len(is) != len(was) || len(was) == 0 {
							t.Errorf("%s by %v: %d points, were %d", key.Row, step, len(is), len(was))
							continue
						}
						for i, p := range is {
							if p.Count < was[i].Count || p.Min != was[i].Min || p.Max != was[i].Max {
								t.Errorf("%s by %v: point %+v was %+v", key.Row, step, p, was[i])
							}
						}
					}
				}
			})
		})
	}
}
