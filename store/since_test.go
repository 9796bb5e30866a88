package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"plumb/fleet"
)

// TestReadingsSinceMissesNothing: whatever becomes of rows between two looks
// (parts, blocks, a store that was closed and opened), and whatever the reader
// forgets of how far it was, each row that was committed is seen, each target's
// in the order of their times, and none that was imported.
func TestReadingsSinceMissesNothing(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			const late = 30 * time.Second
			began := time.Now().UTC().Truncate(time.Second)
			var passed atomic.Int64 // on the fake clock, since then
			wall := func() time.Time { return began.Add(time.Duration(passed.Load())) }
			dir := t.TempDir()
			open := func() *opened {
				s, err := Open(t.Context(), testConfig(dir))
				if err != nil {
					t.Fatal(err)
				}
				s.clock = clock{wall: wall, mono: func() time.Duration { return time.Duration(passed.Load()) }}
				s.pace = pace{rows: 3, spread: 1, age: 5 * time.Minute, fresh: time.Minute, grace: time.Minute}
				return run(t, s, dir, testStep)
			}
			o := open()
			want, got := map[string]bool{}, map[string]int{}
			place, saved := o.Here(), o.Here()
			look := func(until time.Time) {
				last := map[string]time.Time{}
				next, err := o.ReadingsSince(t.Context(), Since{From: place, Until: until, Late: late}, func(r fleet.Readings) error {
					if len(r.Keys) != len(r.Values) || !r.At.After(last[r.Target]) {
						t.Errorf("%s: %v after %v", r.Target, r.At, last[r.Target])
					}
					last[r.Target] = r.At
					if r.Values[0] != fleet.Int(r.At.UnixMilli()%1000) {
						t.Errorf("%s at %v: %v", r.Target, r.At, r.Values[0])
					}
					got[r.Target+r.At.String()]++
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				place = next
			}
			for range 200 {
				passed.Add(int64(time.Duration(1+rng.IntN(80_000)) * time.Millisecond))
				for range 1 + rng.IntN(3) {
					target := fmt.Sprintf("s%d", rng.IntN(4))
					at := wall().Add(-time.Duration(rng.IntN(20_000)) * time.Millisecond)
					if want[target+at.String()] {
						continue
					}
					want[target+at.String()] = true
					o.apply(t, payload{Readings: []fleet.Readings{reading(target, at, fleet.Int(at.UnixMilli()%1000))}})
				}
				switch rng.IntN(12) {
				case 0, 1:
					look(time.Time{})
				case 2:
					look(place.At.Add(5 * time.Minute))
				case 3:
					saved = place
				case 4: // the reader was killed
					place = saved
				case 5:
					if _, err := o.Backfill(t.Context(), "test", slices.Values([]fleet.Readings{reading("s9", wall().Add(-time.Minute), fleet.Int(-1))})); err != nil {
						t.Fatal(err)
					}
				case 6:
					if rng.IntN(4) == 0 {
						o.stop()
						o = open()
					}
				}
			}
			look(time.Time{})
			for row := range want {
				if got[row] == 0 {
					t.Errorf("%s was never seen", row)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d rows were seen, %d committed", len(got), len(want))
			}
		})
	}
}

// A reader that keeps up sees no row twice, and one that fails is where it was.
func TestReadingsSinceLive(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	place, seen := o.Here(), 0
	count := func(fleet.Readings) error { seen++; return nil }
	for i := range 100 {
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", time.Now().Add(time.Duration(i)*time.Millisecond), fleet.Int(1))}})
		next, err := o.ReadingsSince(t.Context(), Since{From: place, Late: time.Minute}, count)
		if err != nil || seen != i+1 {
			t.Fatalf("%d rows after %d, %v", seen, i+1, err)
		}
		place = next
	}
	o.apply(t, payload{Readings: []fleet.Readings{reading("s1", time.Now().Add(time.Second), fleet.Int(1))}})
	full := errors.New("full")
	if next, err := o.ReadingsSince(t.Context(), Since{From: place, Late: time.Minute}, func(fleet.Readings) error { return full }); !errors.Is(err, full) || next != place {
		t.Errorf("%v, %v", next, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if next, err := o.ReadingsSince(ctx, Since{From: place, Late: time.Minute}, count); err == nil || next != place {
		t.Errorf("%v, %v", next, err)
	}
}
