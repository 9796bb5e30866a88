package store

import (
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// A day of polls lies in short blocks while it lasts and in one when it has
// passed, and a poll that comes late finds the block that its step lies in.
func TestShortBlocksBecomeALongOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := startKeeping(t, 80*time.Hour, testStep)
		s := o.Store
		began := time.Now().UTC() // midnight
		truth := []sample{}
		poll := func(at time.Time) {
			v := fleet.Int(int64(len(truth) % 7))
			truth = append(truth, sample{toMs(at), v})
			o.apply(t, payload{Readings: []fleet.Readings{reading("s1", at, v)}})
		}
		pollUntil := func(d time.Duration) {
			for time.Since(began) < d {
				poll(time.Now().UTC())
				time.Sleep(2 * time.Minute)
			}
		}
		// blocks counts those of a day in the tier of five minutes.
		blocks := func(day int) int {
			return len(blocksOf(t, s, "s1", tiers[0], toMs(began)+int64(day)*tiers[0].window))
		}
		pollUntil(20 * time.Hour)
		if n := blocks(0); n < 6 || n > 12 {
			t.Errorf("a day that is not over lies in %d blocks", n)
		}
		pollUntil(32 * time.Hour)
		if n := blocks(0); n != 1 {
			t.Errorf("a day that is over lies in %d blocks", n)
		}
		poll(began.Add(5*time.Hour + time.Second))
		poll(began.Add(25*time.Hour + time.Second))
		pollUntil(40 * time.Hour)
		if n := blocks(0); n != 1 {
			t.Errorf("a late poll made %d blocks of a day that is over", n)
		}
		if n := blocks(1); n < 4 || n > 9 {
			t.Errorf("with a late poll the second day lies in %d blocks", n)
		}
		compareSteps(t, s, gauge, 5*time.Minute, toMs(began), gaugePoints(inOrder(truth), durMs(5*time.Minute)))
		compareSteps(t, s, gauge, time.Hour, toMs(began), gaugePoints(inOrder(truth), durMs(time.Hour)))
	})
}

// blocksOf lists the blocks of a target in one window of a tier, short and long.
func blocksOf(t *testing.T, s *Store, target string, tier tier, begins int64) (keys []tierKey) {
	t.Helper()
	err := s.viewSeries(t.Context(), func(tx *bbolt.Tx) error {
		var w tierWalk
		w.begin(tiersIn(tx), tier, s.targets.get(target).id, begins)
		for {
			ok, err := w.next(begins + tier.window)
			if err != nil || !ok {
				return err
			}
			keys = append(keys, w.at.key)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
