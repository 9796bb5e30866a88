package store

import (
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// samplesOf returns the values of a series as they are read, by seconds after day0.
func (o *opened) samplesOf(t *testing.T, name string) map[int]int64 {
	t.Helper()
	points, err := o.Series(t.Context(), name, gauge, day0, maxTime, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int]int64{}
	for _, p := range points {
		out[int(p.At().Sub(day0)/time.Second)] = p.Mean.N
	}
	return out
}

// A batch that state.db refused leaves parts behind, of rows that are no longer in
// memory. When it is tried again, with the same number, they stay.
func TestPartsOfARefusedBatchStay(t *testing.T) {
	o := paced(t, pace{wal: walBytes, rows: 1 << 20, spread: 1, age: 100 * time.Hour})
	say := func(n int) {
		t.Helper()
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(n)*time.Second), fleet.Int(int64(n)))}})
	}
	for n := range 4 {
		say(n)
	}
	s1 := o.targets.get("s1")
	for range 2 { // the first two rows, and once more, the next two: both of batch 100
		err := o.series.Update(func(tx *bbolt.Tx) error {
			f, err := o.flush(tx, s1, 100, 2)
			if err == nil {
				o.finish(housework{flushed: []flushed{f}, journal: o.journal.known})
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := o.samplesOf(t, "s1"); len(got) != 4 || len(s1.rows) != 0 {
		t.Errorf("samples %v, and %d rows in memory", got, len(s1.rows))
	}
}

// Where a block beside a window is damaged the tiers of that window cannot be made.
// The next start makes them.
func TestTiersThatCouldNotBeMadeAreMadeLater(t *testing.T) {
	o := paced(t, pace{wal: walBytes, rows: 1 << 20, spread: 1, grace: 100 * time.Hour, age: 100 * time.Hour})
	s1 := func() *target { return o.targets.get("s1") }
	o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0, fleet.Int(1))}})
	first := s1().windowOf(toMs(day0))
	o.apply(t, payload{Readings: []fleet.Readings{reading("s1", fromMs(first+windowMs+1000), fleet.Int(2))}})
	closed := func(window int64) {
		t.Helper()
		err := o.series.Update(func(tx *bbolt.Tx) error {
			done := housework{journal: o.journal.known}
			err := o.closeWindow(tx, s1(), window, 100, &done)
			if err == nil {
				o.finish(done)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	closed(first)
	key := blockKey{target: s1().id, window: first, layout: s1().last.layout.id}.encode()
	var whole []byte
	put := func(v []byte) {
		t.Helper()
		err := o.series.Update(func(tx *bbolt.Tx) error {
			whole = slices.Clone(tx.Bucket(bucketBlocks).Get(key))
			return tx.Bucket(bucketBlocks).Put(key, v)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put([]byte("damaged"))
	closed(first + windowMs)
	put(whole)
	err := o.viewSeries(t.Context(), func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketPending).Get(windowKey(s1().id, first+windowMs)) == nil {
			t.Error("nobody is to make the tiers")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Of two values for one time the later stays, also where the batch of the earlier is
// still in the journal when the later has become a block.
func TestWhatIsInABlockIsNotReadFromTheJournalAgain(t *testing.T) {
	o := paced(t, pace{wal: walBytes, rows: 1 << 20, spread: 1, age: time.Hour, grace: 100 * time.Hour, house: 100, journal: journalSize, least: 1 << 30})
	say := func(name string, value int) {
		t.Helper()
		o.apply(t, payload{Readings: []fleet.Readings{reading(name, day0, fleet.Int(int64(value)))}})
	}
	for n := range 3 {
		say("s1", n)
	}
	o.apply(t, payload{Changes: []fleet.Change{facts}}) // state.db has come as far
	s1 := o.targets.get("s1")
	err := o.series.Update(func(tx *bbolt.Tx) error {
		done := housework{journal: o.journal.known}
		err := o.closeWindow(tx, s1, s1.windowOf(toMs(day0)), o.writer.seq+1, &done)
		if err == nil {
			o.finish(done)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	say("other", 1) // its name is new: series.db is committed to
	again, err := Open(t.Context(), testConfig(o.died(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := (&opened{Store: again}).samplesOf(t, "s1"); got[0] != 2 {
		t.Errorf("samples %v", got)
	}
	if n := len(again.targets.get("s1").rows); n != 0 {
		t.Errorf("%d rows that are in a block are read from the journal", n)
	}
}

// A batch that was refused does not come back, neither after a stop nor in a backup.
func TestRefusedReadingsDoNotComeBack(t *testing.T) {
	o := paced(t, pace{wal: walBytes, rows: 1 << 20, spread: 1, age: time.Hour, grace: time.Hour, house: 100, journal: journalSize, least: 1 << 30})
	for n := range 5 {
		o.apply(t, pollOf(n))
	}
	refused := pollOf(6)
	refused.Changes = []fleet.Change{facts}
	o.commit.Lock()
	_, err := o.commitSeries(walShared, o.writer.seq+1, refused.Readings, nil, time.Now())
	o.commit.Unlock()
	if err != nil || o.writer.staleFrom == 0 || o.journal.current().last.seq != o.writer.staleFrom {
		t.Fatalf("%v, stale from %d", err, o.writer.staleFrom)
	}
	copied := backedUp(t, o)
	o.stop()
	for name, dir := range map[string]string{"after a stop": o.dir, "in a backup": copied} {
		for range 2 {
			again := start(t, dir, testStep)
			again.apply(t, pollOf(8))
			again.apply(t, pollOf(9))
			if got := again.samplesOf(t, "s1"); len(got) != 7 || got[6] != 0 {
				t.Errorf("%s: samples %v", name, got)
			}
			again.stop()
		}
	}
}

// TestARowThatCannotBeReadStopsNothing: nobody writes one but a fault of memory.
// The rows beside it become a block, or a part, as if it were not there.
func TestARowThatCannotBeReadStopsNothing(t *testing.T) {
	for name, spoil := range map[string]func(*row){
		"shorter": func(r *row) { r.body = r.body[:len(r.body)-1] },
		"longer":  func(r *row) { r.body = append(slices.Clone(r.body), 0) },
		"no run":  func(r *row) { r.body = []byte{0} },
		"nothing": func(r *row) { r.body = nil },
	} {
		for _, way := range []string{"block", "part"} {
			t.Run(name+" in a "+way, func(t *testing.T) {
				o := paced(t, pace{wal: walBytes, rows: 100, spread: 1, grace: 100 * time.Hour})
				for n := range 6 {
					o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(n)*time.Second), fleet.Int(int64(300+n)))}})
				}
				s1 := o.targets.get("s1")
				spoil(s1.rows[2])
				err := o.series.Update(func(tx *bbolt.Tx) error {
					var done housework
					var err error
					if way == "block" {
						err = o.closeWindow(tx, s1, s1.windowOf(toMs(day0)), 100, &done)
					} else {
						var f flushed
						f, err = o.flush(tx, s1, 100, len(s1.rows))
						done.flushed = append(done.flushed, f)
					}
					if err == nil {
						o.finish(done)
					}
					return err
				})
				if err != nil || o.Stats().Unreadable != 1 {
					t.Fatalf("%v, %d unreadable", err, o.Stats().Unreadable)
				}
				if keys := o.blocksOf(t, "s1"); len(keys) != 1 || (keys[0].part == 0) != (way == "block") {
					t.Errorf("blocks %+v", keys)
				}
				got, err := o.Series(t.Context(), "s1", gauge, day0, maxTime, 0)
				if err != nil || len(got) != 5 || len(s1.rows) != 0 {
					t.Errorf("%d samples, %v, %d rows in memory", len(got), err, len(s1.rows))
				}
			})
		}
	}
}

// TestRowsOfWhichNoneCanBeReadLeaveNothing, not a window that waits for parts.
func TestRowsOfWhichNoneCanBeReadLeaveNothing(t *testing.T) {
	o := paced(t, pace{wal: walBytes, rows: 100, spread: 1, grace: 100 * time.Hour})
	o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0, fleet.Int(1))}})
	s1 := o.targets.get("s1")
	s1.rows[0].body = nil
	err := o.series.Update(func(tx *bbolt.Tx) error {
		f, err := o.flush(tx, s1, 100, 1)
		if err == nil {
			o.finish(housework{flushed: []flushed{f}})
		}
		return err
	})
	if keys := o.blocksOf(t, "s1"); err != nil || len(keys) != 0 || len(s1.rows) != 0 || o.Stats().Unreadable != 1 {
		t.Errorf("%v, %v, %d rows in memory", err, keys, len(s1.rows))
	}
}
