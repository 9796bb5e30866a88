package store

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// spoil flips a bit in the middle of the values of a bucket whose keys are wanted,
// until the test ends, and returns how many they are.
func (o *opened) spoil(t *testing.T, in *file, bucket []byte, wanted func(k []byte) bool) int {
	t.Helper()
	var keys [][]byte
	flip := func() {
		err := update(in, func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucket)
			for _, k := range keys {
				v := slices.Clone(b.Get(k))
				v[len(v)/2] ^= 0x10
				if err := b.Put(k, v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	err := view(in, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, _ []byte) error {
			if wanted(k) {
				keys = append(keys, slices.Clone(k))
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	flip()
	t.Cleanup(flip) // before the store is checked
	return len(keys)
}

// holed is a store of six hours of two targets, of which one window of the first
// is damaged in the samples and in the tier of five minutes.
func holed(t *testing.T) (o *opened, from, to time.Time) {
	t.Helper()
	o = paced(t, pace{wal: walBytes, rows: 100, spread: 1, grace: time.Millisecond, house: 1 << 30})
	begin := time.Now().UTC().Truncate(time.Hour).Add(-7 * time.Hour)
	for m := range 6 * 60 {
		at := begin.Add(time.Duration(m) * time.Minute)
		o.apply(t, payload{Readings: []fleet.Readings{
			reading("s1", at, fleet.Int(int64(m)), fleet.Int(int64(60*m)), fleet.Int(0)),
			reading("s2", at, fleet.Int(int64(m)), fleet.Int(int64(60*m)), fleet.Int(0)),
		}})
	}
	for _, x := range []string{"s1", "s2"} {
		tg := o.targets.get(x)
		for len(tg.pending) > 0 {
			window := tg.pending[0].window
			if err := o.series.Update(func(tx *bbolt.Tx) error {
				var done housework
				if err := o.closeWindow(tx, tg, window, o.writer.seq, &done); err != nil {
					return err
				}
				o.finish(done)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s1 := o.targets.get("s1")
	window := s1.windowOf(toMs(begin.Add(3 * time.Hour)))
	if n := o.spoil(t, o.series, bucketBlocks, func(k []byte) bool { return hasPrefix(k, windowKey(s1.id, window)) }); n != 1 {
		t.Fatalf("%d blocks of that window", n)
	}
	return o, fromMs(window), fromMs(window + windowMs)
}

// TestADamagedBlockIsAGap: the samples around it are drawn, and the error says
// which are missing. It is so for each kind of series, with samples and steps.
func TestADamagedBlockIsAGap(t *testing.T) {
	o, from, to := holed(t)
	says := "readings of s1 from " + clockTime(from) + " to " + clockTime(to)
	for _, key := range allKeys {
		whole, err := o.Series(t.Context(), "s2", key, time.Time{}, maxTime, 0)
		if err != nil || len(whole) < 350 {
			t.Fatalf("%s: %d points, %v", key, len(whole), err)
		}
		got, err := o.Series(t.Context(), "s1", key, time.Time{}, maxTime, 0)
		if !errors.Is(err, ErrDamaged) || !strings.HasPrefix(err.Error(), says+": ") {
			t.Errorf("%s: %v, want %q", key, err, says)
		}
		missing := 0
		for _, p := range whole {
			if !p.At().Before(from) && p.At().Before(to) {
				missing++
			}
		}
		// A rate stands at the later of its two totals: one more is missing behind the gap.
		if key == octets {
			missing++
		}
		if missing < 100 || len(got) != len(whole)-missing {
			t.Errorf("%s: %d points of %d, of which %d are damaged", key, len(got), len(whole), missing)
		}
		for _, p := range got {
			if p.At().After(from) && p.At().Before(to) {
				t.Errorf("%s: a point at %v, which cannot be read", key, p.At())
			}
		}
	}
	if o.Stats().Broken == 0 {
		t.Error("it is not counted")
	}
	a := o.Answer(t.Context(), fleet.Query{Kind: fleet.QuerySeries, Target: "s1", Key: gauge, Span: 24 * time.Hour}, time.Now())
	if len(a.Points) < 200 || !errors.Is(a.Err, ErrDamaged) {
		t.Errorf("an answer of %d points, %v", len(a.Points), a.Err)
	}
}

// TestADamagedStepIsAGap in a tier too.
func TestADamagedStepIsAGap(t *testing.T) {
	o, _, _ := holed(t)
	s1 := o.targets.get("s1")
	before, err := o.Series(t.Context(), "s1", gauge, time.Time{}, maxTime, 5*time.Minute)
	if err != nil {
		t.Fatal(err) // of the damaged window there are tiers
	}
	seen := 0
	n := o.spoil(t, o.series, bucketTiers, func(k []byte) bool {
		key, _, err := readTierKey(k)
		if err != nil || key.target != s1.id || key.tier != tiers[0].id {
			return false
		}
		seen++
		return seen == 2
	})
	got, err := o.Series(t.Context(), "s1", gauge, time.Time{}, maxTime, 5*time.Minute)
	if n != 1 || len(before) < 70 || len(got) < 40 || len(got) > len(before)-20 || !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "points of 5m0s of s1: ") {
		t.Errorf("%d of %d points, %d blocks damaged: %v", len(got), len(before), n, err)
	}
}

// TestTheFleetIsSeenBesideDamage: as of a time in a block that cannot be read, the
// target has no readings of it, and all others have theirs.
func TestTheFleetIsSeenBesideDamage(t *testing.T) {
	o, from, _ := holed(t)
	m, err := o.At(t.Context(), from.Add(10*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]time.Time{}
	for _, r := range m.Readings {
		at[r.Target] = r.At
	}
	if late := from.Add(10 * time.Minute).Sub(at["s2"]); late < 0 || late > time.Minute {
		t.Errorf("s2 was read at %v", at["s2"])
	}
	if at["s1"].IsZero() || !at["s1"].Before(from) {
		t.Errorf("s1 was read at %v, which lies in what is damaged", at["s1"])
	}
	if o.Stats().Broken == 0 {
		t.Error("it is not counted")
	}
}

// TestADamagedEventIsLeftOut of a list, which says so; and it is no reason not to
// start, or not to show the past.
func TestADamagedEventIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	o := start(t, dir, testStep)
	for i := range 5 {
		o.apply(t, payload{Events: []fleet.Event{{ID: string(rune('a' + i)), At: day0.Add(time.Duration(i) * time.Minute), Target: "s1", Source: "sel", Type: "fan", Text: "x", Severity: fleet.SeverityWarn}}})
	}
	if n := o.spoil(t, o.state, bucketEvents, func(k []byte) bool { return readTime(k).Equal(day0.Add(2 * time.Minute)) }); n != 1 {
		t.Fatalf("%d events", n)
	}
	for _, target := range []string{"", "s1"} {
		events, err := o.Events(t.Context(), target, time.Time{}, time.Time{}, 0)
		if len(events) != 4 || !errors.Is(err, ErrDamaged) || !strings.HasPrefix(err.Error(), "events of "+clockTime(day0.Add(2*time.Minute))) {
			t.Errorf("of %q: %d events, %v", target, len(events), err)
		}
	}
	if m, err := o.At(t.Context(), day0.Add(time.Hour)); err != nil || len(m.Recent) != 4 {
		t.Errorf("as of a time: %d events, %v", len(m.Recent), err)
	}
	if m, err := o.Memory(t.Context()); err != nil || len(m.Recent) != 4 {
		t.Errorf("at a start: %d events, %v", len(m.Recent), err)
	}
}

func TestKeyText(t *testing.T) {
	for key, want := range map[string]string{
		"\x00\x00\x00\x41":   "00000041",
		"\x01\x80":           "0180",
		"fra1-s1\x00\x03psu": "667261312d73310003707375",
		"fra1-s1\x00id":      `"fra1-s1\x00id"`,
		"":                   "",
	} {
		if got := keyText([]byte(key)); got != want {
			t.Errorf("%q is %s, want %s", key, got, want)
		}
	}
}
