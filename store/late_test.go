package store

import (
	"slices"
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

// What was polled stands before what was imported for the same time, wherever
// one asks, and however far the two have come on their way into blocks.
func TestAPollStandsBeforeAnImportOfItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.Context(), testConfig(t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		s.pace = pace{rows: 2, spread: 1, age: time.Hour, grace: time.Second}
		o := run(t, s, s.cfg.Dir, testStep)
		at := time.Now().UTC().Add(-30 * time.Minute)
		history := []fleet.Readings{reading("s1", at, fleet.Int(1)), reading("s1", at.Add(-time.Minute), fleet.Int(1))}
		if n, err := o.Backfill(t.Context(), "elsewhere", slices.Values(history)); err != nil || n != 2 {
			t.Fatal(n, err)
		}
		check := func(when string) {
			t.Helper()
			for _, step := range []time.Duration{0, 5 * time.Minute} {
				p := o.read(t, gauge, at.Add(-5*time.Minute), at.Add(5*time.Minute), step)
				if len(p) != 2 || p[1].Max != fleet.Int(2) {
					t.Errorf("%s, by %v: %+v; want the polled 2 last", when, step, p)
				}
			}
			m, err := o.At(t.Context(), at)
			if err != nil || len(m.Readings) != 1 || m.Readings[0].Values[0] != fleet.Int(2) {
				t.Errorf("%s, as of then: %+v, %v; want the polled 2", when, m.Readings, err)
			}
		}
		// And what was polled later before what was polled first.
		for n := range 4 {
			o.apply(t, payload{Readings: []fleet.Readings{reading("s1", at, fleet.Int(4))}})
			o.apply(t, payload{Readings: []fleet.Readings{reading("s1", at.Add(time.Duration(n+5)*time.Minute), fleet.Int(3))}})
		}
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", at, fleet.Int(2))}})
		check("open")
		for n := range 6 {
			o.apply(t, payload{Readings: []fleet.Readings{reading("s1", at.Add(time.Duration(n+1)*10*time.Minute), fleet.Int(3))}})
		}
		if len(o.targets.openRows(o.targets.get("s1"))) > 5 {
			t.Fatal("the row has not become a part")
		}
		check("in a part")
		time.Sleep(3 * time.Hour)
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", time.Now(), fleet.Int(3))}})
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", time.Now(), fleet.Int(3))}})
		check("in a block")
	})
}
