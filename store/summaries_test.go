package store

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
)

// told gathers the summaries that a step is told.
type told struct {
	mu   sync.Mutex
	list []fleet.Summary
}

func (h *told) step(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, i := range in {
		if s, ok := i.(fleet.Summary); ok {
			h.list = append(h.list, s)
		}
	}
	return testStep(prev, in, now)
}

// hours are the means of a series that were told, each by the last word on it.
func (h *told) hours(target string, key fleet.SeriesKey) map[time.Time]float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[time.Time]float64{}
	for _, s := range h.list {
		for i := range s.Series {
			if x := &s.Series[i]; s.Target == target && x.Key == key {
				out[x.From] = x.Mean.Float()
			}
		}
	}
	return out
}

// Hours are told when their window was merged, and again after a start; only
// those of the series that are wanted.
func TestSummarise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var first, second told
		wanted := func(target string) []fleet.SeriesKey {
			if target == "s1" {
				return []fleet.SeriesKey{gauge, octets}
			}
			return nil
		}
		o := start(t, dir, first.step)
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			if err := o.Summarise(ctx, 100*time.Hour, wanted); err != nil {
				t.Error(err)
			}
		})
		began := time.Now().UTC().Truncate(time.Hour).Add(time.Hour)
		time.Sleep(time.Until(began))
		for i := range 10 * 60 {
			n := fleet.Int(int64(i / 60))
			for _, target := range []string{"s1", "s2"} {
				o.apply(t, payload{Readings: []fleet.Readings{{Target: target, At: time.Now(), Keys: []fleet.SeriesKey{gauge, health, octets}, Values: []fleet.Num{n, fleet.Int(0), fleet.Int(int64(i) * 120)}}}})
			}
			time.Sleep(time.Minute)
		}
		synctest.Wait()
		check := func(h *told, least int) {
			t.Helper()
			hours := h.hours("s1", gauge)
			if len(hours) < least {
				t.Errorf("%d hours told, want %d", len(hours), least)
			}
			for at, v := range hours {
				if want := at.Sub(began).Hours(); v != want {
					t.Errorf("%s: %g, want %g", at, v, want)
				}
			}
			for at, v := range h.hours("s1", octets) {
				if math.Abs(v-2) > 0.1 {
					t.Errorf("%s: %g a second, want 2", at, v)
				}
			}
			if len(h.hours("s1", octets)) < least-1 {
				t.Errorf("of a counter %d hours were told", len(h.hours("s1", octets)))
			}
			if len(h.hours("s1", health)) > 0 || slices.ContainsFunc(h.list, func(s fleet.Summary) bool { return s.Target != "s1" }) {
				t.Error("something was told that nobody asked for")
			}
		}
		check(&first, 6) // the last window is open, and its grace not over
		stop()
		done.Wait()
		o.stop()

		o = start(t, dir, second.step)
		ctx, stop = context.WithCancel(t.Context())
		done.Go(func() {
			if err := o.Summarise(ctx, 100*time.Hour, wanted); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Second) // of the bubble's clock: a batch waits for company
		synctest.Wait()
		check(&second, 6)
		stop()
		done.Wait()
	})
}

// Whoever summarises before Run has begun waits for it: what is wanted is asked
// of a snapshot.
func TestSummariseWaitsForRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var h told
		o := start(t, dir, h.step)
		for i := range 60 * 6 {
			o.apply(t, payload{Readings: []fleet.Readings{{Target: "s1", At: time.Now(), Keys: []fleet.SeriesKey{gauge}, Values: []fleet.Num{fleet.Int(int64(i))}}}})
			time.Sleep(time.Minute)
		}
		o.stop()

		s, err := Open(t.Context(), testConfig(dir))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			err := s.Summarise(ctx, 100*time.Hour, func(string) []fleet.SeriesKey {
				if s.Snapshot() == nil {
					t.Error("asked before there was a snapshot")
				}
				return []fleet.SeriesKey{gauge}
			})
			if err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		run(t, s, dir, h.step)
		time.Sleep(time.Second)
		synctest.Wait()
		if len(h.hours("s1", gauge)) == 0 {
			t.Error("nothing was told")
		}
		stop()
		done.Wait()
	})
}

// What is owed is held once a target, however often it is noted, and the bell
// never makes the writer wait.
func TestOwed(t *testing.T) {
	o := newOwed()
	for i := range int64(1000) {
		o.note("s1", 5000-i)
	}
	o.note("s1", 9000)
	if list := o.take(); len(list) != 1 || list["s1"] != 4001 {
		t.Errorf("%v", list)
	}
	if list := o.take(); len(list) != 0 {
		t.Errorf("%v is owed twice", list)
	}
}
