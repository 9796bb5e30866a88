package store

import (
	"context"
	"errors"
	"os"
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

// closeAll merges all windows of a target.
func (o *opened) closeAll(t *testing.T, name string) {
	t.Helper()
	for tg := o.targets.get(name); len(tg.pending) > 0; {
		err := o.series.Update(func(tx *bbolt.Tx) error {
			done := housework{journal: o.journal.known}
			if err := o.closeWindow(tx, tg, tg.pending[0].window, o.writer.seq, &done); err != nil {
				return err
			}
			o.finish(done)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// sixHours is a store of six hours of two targets, in blocks and tiers.
func sixHours(t *testing.T) (o *opened, begin time.Time) {
	t.Helper()
	o = paced(t, pace{wal: walBytes, rows: 100, spread: 1, grace: time.Millisecond, age: time.Hour, house: 1 << 30})
	begin = time.Now().UTC().Truncate(2 * time.Hour).Add(-8 * time.Hour)
	for m := range 6 * 60 {
		at := begin.Add(time.Duration(m) * time.Minute)
		o.apply(t, payload{Readings: []fleet.Readings{
			reading("s1", at, fleet.Int(int64(m)), fleet.Int(int64(60*m)), fleet.Int(0)),
			reading("s2", at, fleet.Int(int64(m)), fleet.Int(int64(60*m)), fleet.Int(0)),
		}})
	}
	o.closeAll(t, "s1")
	o.closeAll(t, "s2")
	return o, begin
}

// holed is such a store, of which the samples of one window of the first target are
// damaged.
func holed(t *testing.T) (o *opened, from, to time.Time) {
	t.Helper()
	o, begin := sixHours(t)
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
	if !o.Stats().Met {
		t.Error("it is not noted")
	}
	a := o.Answer(t.Context(), fleet.Query{Kind: fleet.QuerySeries, Target: "s1", Key: gauge, Span: 24 * time.Hour}, time.Now())
	if len(a.Points) < 200 || a.Err != nil || !errors.Is(a.Lost, ErrDamaged) {
		t.Errorf("an answer of %d points, without %v, %v", len(a.Points), a.Lost, a.Err)
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
	if !o.Stats().Met {
		t.Error("it is not noted")
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

// TestADamagedPartCostsItself: the windows beside it have all of their points, and
// its own has those of the parts beside it.
func TestADamagedPartCostsItself(t *testing.T) {
	o := paced(t, pace{wal: walBytes, rows: 12, spread: 1, grace: 100 * time.Hour})
	begin := time.Now().UTC().Truncate(2 * time.Hour).Add(-12 * time.Hour)
	for m := range 12 * 60 {
		at := begin.Add(time.Duration(m) * time.Minute)
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", at, fleet.Int(int64(m)))}})
	}
	s1 := o.targets.get("s1")
	window := s1.windowOf(toMs(begin.Add(5 * time.Hour)))
	parts := 0
	if n := o.spoil(t, o.series, bucketBlocks, func(k []byte) bool {
		if hasPrefix(k, windowKey(s1.id, window)) {
			parts++
			return parts == 4
		}
		return false
	}); n != 1 || parts < 6 {
		t.Fatalf("%d damaged of %d parts", n, parts)
	}
	o.closeAll(t, "s1")
	o.pace.grace = 0 // all of those windows have passed
	raw, err := o.Series(t.Context(), "s1", gauge, time.Time{}, maxTime, 0)
	if !errors.Is(err, ErrDamaged) || len(raw) < 12*60-16 || len(raw) > 12*60-8 {
		t.Errorf("%d samples, %v", len(raw), err)
	}
	for step, most := range map[time.Duration]int{5 * time.Minute: 12 * 12, time.Hour: 12} {
		points, err := o.Series(t.Context(), "s1", gauge, time.Time{}, maxTime, step)
		if err != nil || len(points) < most-4 {
			t.Errorf("%d of %d points of %v, %v", len(points), most, step, err)
		}
	}
	err = o.viewSeries(t.Context(), func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketPending).Get(windowKey(s1.id, window)) == nil {
			t.Error("nobody is to try again")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWhatFollowsDamageIsHandedOn to whoever follows readings, of blocks and of rows
// in memory.
func TestWhatFollowsDamageIsHandedOn(t *testing.T) {
	o, from, to := holed(t)
	for _, m := range []int{0, 1, 2, 3} {
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", to.Add(2*time.Hour+time.Duration(m)*time.Second), fleet.Int(int64(m)))}})
	}
	o.targets.get("s1").rows[1].body = nil
	got := map[string]int{}
	last := map[string]time.Time{}
	place, err := o.ReadingsSince(t.Context(), Since{Late: 48 * time.Hour}, func(r fleet.Readings) error {
		if r.Target == "s1" && !r.At.Before(from) && r.At.Before(to) {
			t.Errorf("a reading of %v, which is damaged", r.At)
		}
		if !last[r.Target].Before(r.At) {
			t.Errorf("%s: %v after %v", r.Target, r.At, last[r.Target])
		}
		got[r.Target]++
		last[r.Target] = r.At
		return nil
	})
	if err != nil || got["s2"] != 360 || got["s1"] != 240+3 || place.Seq != o.targets.newest.Seq {
		t.Errorf("%v up to %v of %v, %v", got, place, o.targets.newest, err)
	}
	if !o.Stats().Met {
		t.Error("nobody hears of it")
	}
}

// TestAStartBesideANewestRowThatCannotBeRead: it is not written down, and where it is
// there the others are remembered.
func TestAStartBesideANewestRowThatCannotBeRead(t *testing.T) {
	o := paced(t, pace{wal: walBytes, rows: 100, spread: 1, grace: 100 * time.Hour, fresh: time.Hour})
	for n := range 4 {
		at := day0.Add(time.Duration(n) * time.Second)
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", at, fleet.Int(1)), reading("s2", at, fleet.Int(2))}})
	}
	s1 := o.targets.get("s1")
	good := s1.last.body
	s1.last.body, s1.rows[3].body = nil, nil
	if m, err := o.Memory(t.Context()); err != nil || len(m.Readings) != 1 || m.Readings[0].Target != "s2" {
		t.Errorf("remembered %+v, %v", m.Readings, err)
	}
	err := o.series.Update(func(tx *bbolt.Tx) error {
		f, err := o.flush(tx, s1, 100, len(s1.rows))
		if err == nil {
			o.finish(housework{flushed: []flushed{f}})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = o.viewSeries(t.Context(), func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketLast).Get(idKey(s1.id)) != nil {
			t.Error("it is written down")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s1.last.body = good
}

// TestThePastBesideARowThatCannotBeRead shows the row before it.
func TestThePastBesideARowThatCannotBeRead(t *testing.T) {
	o := paced(t, pace{wal: walBytes, rows: 100, spread: 1, grace: 100 * time.Hour})
	for n := range 4 {
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(n)*time.Second), fleet.Int(int64(n)))}})
	}
	r := o.targets.get("s1").rows[2]
	body := r.body
	r.body = nil
	defer func() { r.body = body }()
	m, err := o.At(t.Context(), day0.Add(2*time.Second))
	if err != nil || len(m.Readings) != 1 || m.Readings[0].Values[0] != fleet.Int(1) {
		t.Errorf("%+v, %v", m.Readings, err)
	}
	points, err := o.Series(t.Context(), "s1", gauge, day0, maxTime, 0)
	if len(points) != 3 || !errors.Is(err, ErrDamaged) || !strings.HasPrefix(err.Error(), "the newest readings of s1: ") {
		t.Errorf("%d points, %v", len(points), err)
	}
}

// TestAnAnswerBesideDamageAtTheBeginning: how far back a series reaches is known
// though its first block, or its first step, cannot be read.
func TestAnAnswerBesideDamageAtTheBeginning(t *testing.T) {
	o, from, _ := holed(t)
	s1 := o.targets.get("s1")
	first := func(bucket []byte, mine func(k []byte) bool) {
		found := false
		if n := o.spoil(t, o.series, bucket, func(k []byte) bool {
			if found || !mine(k) {
				return false
			}
			found = true
			return true
		}); n != 1 {
			t.Fatalf("%d records of %s", n, bucket)
		}
	}
	first(bucketBlocks, func(k []byte) bool { return hasPrefix(k, idKey(s1.id)) })
	first(bucketTiers, func(k []byte) bool {
		key, _, err := readTierKey(k)
		return err == nil && key.target == s1.id
	})
	if ms, ok, err := o.oldest(t.Context(), s1); !ok || err != nil || ms != toMs(from.Add(-2*time.Hour)) {
		t.Errorf("the oldest is of %v, %v, %v", fromMs(ms), ok, err)
	}
	a := o.Answer(t.Context(), fleet.Query{Kind: fleet.QuerySeries, Target: "s1", Key: gauge, Span: 24 * time.Hour}, time.Now())
	if len(a.Points) != 120 || a.Err != nil || a.Lost == nil || !strings.Contains(a.Lost.Error(), "; and 1 more") {
		t.Errorf("%d points, without %v, %v", len(a.Points), a.Lost, a.Err)
	}
}

// TestHoursBesideDamageAreTold.
func TestHoursBesideDamageAreTold(t *testing.T) {
	o, _, _ := holed(t)
	s1 := o.targets.get("s1")
	seen := 0
	if n := o.spoil(t, o.series, bucketTiers, func(k []byte) bool {
		key, _, err := readTierKey(k)
		if err != nil || key.target != s1.id || key.tier != tiers[1].id {
			return false
		}
		seen++
		return seen == 1
	}); n != 1 {
		t.Fatalf("%d records", n)
	}
	whole, err := o.summary(t.Context(), "s2", []fleet.SeriesKey{gauge}, 0)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := o.summary(t.Context(), "s1", []fleet.SeriesKey{gauge}, 0)
	if err != nil || len(whole.Series) < 5 || len(sum.Series) >= len(whole.Series) {
		t.Errorf("%d of %d hours, %v", len(sum.Series), len(whole.Series), err)
	}
}

// TestAListThatWasCutShortIsNone: only damage leaves the rest to stand.
func TestAListThatWasCutShortIsNone(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	for i := range 5 {
		o.apply(t, payload{Events: []fleet.Event{{ID: string(rune('a' + i)), At: day0.Add(time.Duration(i) * time.Minute), Target: "s1", Source: "sel", Type: "fan", Text: "x"}}})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := o.Answer(ctx, fleet.Query{Kind: fleet.QueryEvents, Target: "s1"}, time.Now())
	if len(a.Events) != 0 || a.Err == nil || a.Lost != nil {
		t.Errorf("%d events, without %v, %v", len(a.Events), a.Lost, a.Err)
	}
}

// TestThePastBesideADamagedStep: where samples are gone and a step cannot be read,
// the step before it stands in, or the hour.
func TestThePastBesideADamagedStep(t *testing.T) {
	o, begin := sixHours(t)
	at := begin.Add(5 * time.Hour)
	err := update(o.series, func(tx *bbolt.Tx) error { return deleteFrom(tx.Bucket(bucketBlocks), idKey(1), nil) })
	if err != nil {
		t.Fatal(err)
	}
	o.cfg.Retention.Raw = time.Millisecond
	read := func() map[string]fleet.Readings {
		t.Helper()
		m, err := o.At(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]fleet.Readings{}
		for _, r := range m.Readings {
			out[r.Target] = r
		}
		return out
	}
	before := read()
	if len(before) != 2 {
		t.Fatalf("steps stand for %d of 2 targets", len(before))
	}
	s1 := o.targets.get("s1")
	n := o.spoil(t, o.series, bucketTiers, func(k []byte) bool {
		key, _, err := readTierKey(k)
		return err == nil && key.target == s1.id && key.tier == tiers[0].id
	})
	if now := read(); n == 0 || len(now) != 2 || now["s1"].Values[0] == before["s1"].Values[0] || now["s2"].Values[0] != before["s2"].Values[0] {
		t.Errorf("%d damaged: s1 %v, was %v; s2 %v, was %v", n, now["s1"], before["s1"], now["s2"], before["s2"])
	}
}

// TestAnAnswerOfDamageAloneIsNone.
func TestAnAnswerOfDamageAloneIsNone(t *testing.T) {
	o, _ := sixHours(t)
	s1 := o.targets.get("s1")
	o.spoil(t, o.series, bucketBlocks, func(k []byte) bool { return hasPrefix(k, idKey(s1.id)) })
	a := o.Answer(t.Context(), fleet.Query{Kind: fleet.QuerySeries, Target: "s1", Key: gauge, Span: 24 * time.Hour}, time.Now())
	if len(a.Points) != 0 || a.Lost != nil || !errors.Is(a.Err, ErrDamaged) || !strings.Contains(a.Err.Error(), "; and 2 more") {
		t.Errorf("%d points, without %v, %v", len(a.Points), a.Lost, a.Err)
	}
}

// TestAPageThatCannotBeRead stops nobody who follows readings: what is in memory is
// handed on, and what comes later.
func TestAPageThatCannotBeRead(t *testing.T) {
	o, begin := sixHours(t)
	last := begin.Add(6 * time.Hour)
	for _, name := range []string{"s1", "s2"} {
		o.apply(t, payload{Readings: []fleet.Readings{reading(name, last, fleet.Int(4711))}})
	}
	path := o.path("series.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(4 * int64(os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	place, since := o.ReadingsSince(t.Context(), Since{Late: 48 * time.Hour}, func(r fleet.Readings) error {
		if r.Values[0].Known {
			got[r.Target]++
		}
		return nil
	})
	if err := f.Truncate(int64(len(whole))); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(whole, 0); err != nil {
		t.Fatal(err)
	}
	if since != nil || got["s1"] == 0 || got["s2"] == 0 || place.Seq != o.targets.newest.Seq {
		t.Errorf("handed on %v up to %v, %v", got, place, since)
	}
	if !o.Stats().Met {
		t.Error("nobody hears of it")
	}
}
