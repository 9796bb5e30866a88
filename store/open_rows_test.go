package store

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"plumb/fleet"
)

// blocksOf lists the keys of a target's blocks.
func (o *opened) blocksOf(t *testing.T, name string) (keys []blockKey) {
	t.Helper()
	prefix := idKey(o.targets.get(name).id)
	err := o.viewSeries(t.Context(), func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketBlocks).Cursor()
		for k, _ := c.Seek(prefix); hasPrefix(k, prefix); k, _ = c.Next() {
			key, err := readBlockKey(k)
			if err != nil {
				return err
			}
			keys = append(keys, key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func paced(t *testing.T, p pace) *opened {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.pace = p
	return run(t, s, dir, testStep)
}

// The rows of a window that has passed become one block, without a part between.
func TestAWindowBecomesABlockAtOnce(t *testing.T) {
	o := paced(t, pace{wal: walBytes, rows: 1 << 20, spread: 1, house: 3, journal: journalSize, least: 1 << 30})
	for n := range 30 {
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(n)*time.Second), fleet.Int(int64(n)))}})
	}
	if keys := o.blocksOf(t, "s1"); len(keys) == 0 || slices.ContainsFunc(keys, func(k blockKey) bool { return k.part != 0 }) {
		t.Errorf("blocks %+v", keys)
	}
	got, err := o.Series(t.Context(), "s1", gauge, day0, maxTime, 0)
	if err != nil || len(got) != 30 {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

// Rows of a window that has passed wait for more of them, and are then merged with
// the block that is there.
func TestLateRowsAreMergedTogether(t *testing.T) {
	target := target{phase: 0}
	p := pace{grace: 2 * time.Minute, age: 20 * time.Minute}
	const minute = 60_000
	for _, r := range []row{
		{at: 10 * minute, came: 10 * minute}, {at: 11 * minute, came: 11 * minute},
		{at: windowMs + minute, came: windowMs + minute}, // of the next
		{at: 12 * minute, came: windowMs + 2*minute},     // not too late for the first
	} {
		target.push(p, &r)
	}
	want := []toMerge{{0, windowMs + 2*minute}, {windowMs, 2*windowMs + 2*minute}}
	if !slices.Equal(target.pending, want) {
		t.Errorf("to merge: %v, want %v", target.pending, want)
	}
	target.pending = target.pending[1:]
	target.push(p, &row{at: 13 * minute, came: windowMs + 5*minute})
	target.push(p, &row{at: 14 * minute, came: windowMs + 6*minute})
	if got, want := target.pending[1], (toMerge{0, windowMs + 25*minute}); got != want {
		t.Errorf("late rows are merged %v, want %v", got, want)
	}
}

// More journal than there may be becomes parts, from its oldest file on.
func TestTooMuchJournalBecomesParts(t *testing.T) {
	o := paced(t, pace{wal: walBytes, rows: 1 << 20, spread: 1, age: time.Hour, grace: time.Hour, house: 3, journal: 4 * journalPage, least: 5 * 4 * journalPage})
	for n := range 120 {
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(n)*time.Second), fleet.Int(int64(n)))}})
		if files := len(o.journal.files); files > 9 {
			t.Fatalf("%d files after %d batches", files, n)
		}
	}
	if keys := o.blocksOf(t, "s1"); len(keys) == 0 {
		t.Error("there are no parts")
	}
	got, err := o.Series(t.Context(), "s1", gauge, day0, maxTime, 0)
	if err != nil || len(got) != 120 {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

// Where a part of a window is damaged it stays as it is, and the rows in memory
// become a part beside it.
func TestRowsBesideADamagedPartBecomeAPart(t *testing.T) {
	o := paced(t, pace{wal: walBytes, rows: 4, spread: 1, grace: 100 * time.Hour})
	say := func(n int) {
		t.Helper()
		o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(n)*time.Second), fleet.Int(int64(n)))}})
	}
	for n := range 6 {
		say(n)
	}
	first := o.blocksOf(t, "s1")
	if len(first) != 1 || first[0].part == 0 {
		t.Fatalf("blocks %+v", first)
	}
	var whole []byte
	put := func(v []byte) {
		t.Helper()
		if err := o.series.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucketBlocks)
			whole = slices.Clone(b.Get(first[0].encode()))
			return b.Put(first[0].encode(), v)
		}); err != nil {
			t.Fatal(err)
		}
	}
	put([]byte("damaged"))
	s1 := o.targets.get("s1")
	err := o.series.Update(func(tx *bbolt.Tx) error {
		var done housework
		if err := o.closeWindow(tx, s1, s1.windowOf(toMs(day0)), 100, &done); err != nil {
			return err
		}
		o.finish(done)
		return nil
	})
	if err != nil || o.Stats().Broken != 1 {
		t.Fatalf("%v, %d broken", err, o.Stats().Broken)
	}
	if n := len(s1.rows); n != 0 {
		t.Errorf("%d rows are left in memory", n)
	}
	if keys := o.blocksOf(t, "s1"); len(keys) != 2 || keys[1].part != 100 {
		t.Errorf("blocks %+v", keys)
	}
	put(whole)
	got, err := o.Series(t.Context(), "s1", gauge, day0, maxTime, 0)
	if err != nil || len(got) != 6 {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

// Targets that follow each other have windows that end together; those that were
// imported first, or come from an older store, go by their names. A start knows.
func TestWindowsOfNeighboursEndTogether(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	if _, err := o.Backfill(t.Context(), "elsewhere", slices.Values([]fleet.Readings{reading("imported", day0, fleet.Int(1))})); err != nil {
		t.Fatal(err)
	}
	names := []string{"a", "b", "imported"}
	for _, name := range names {
		o.apply(t, payload{Readings: []fleet.Readings{reading(name, day0.Add(time.Minute), fleet.Int(2))}})
	}
	check := func(when string) {
		t.Helper()
		a, b, imported := o.targets.get("a"), o.targets.get("b"), o.targets.get("imported")
		if a.phase != b.phase || a.phase != phaseOf(a.id) || imported.phase != phaseByName("imported") {
			t.Errorf("%s: phases %d, %d and %d", when, a.phase, b.phase, imported.phase)
		}
		if got, err := o.Series(t.Context(), "imported", gauge, day0, maxTime, 0); err != nil || len(got) != 2 {
			t.Errorf("%s: %v, %v", when, got, err)
		}
	}
	check("at first")
	o.stop()
	o = start(t, o.dir, testStep)
	check("after a start")
	if phaseOf(1) != phaseOf(neighbours) || phaseOf(neighbours) == phaseOf(neighbours+1) {
		t.Error("neighbours are not those that follow each other")
	}
	seen := map[int64]int{} // ten minutes each
	for id := uint32(1); id <= 10_000; id++ {
		seen[phaseOf(id)/600_000]++
	}
	for part, n := range seen {
		if n < 500 || n > 1_200 || len(seen) != 12 {
			t.Errorf("%d of 10,000 windows end in part %d of 12", n, part)
		}
	}
}

// Whatever polls say, and however unlike they are, their columns are read as they
// were said.
func TestGridReadsWhatWasSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		polls, columns := rapid.IntRange(1, 20).Draw(t, "polls"), rapid.IntRange(1, 30).Draw(t, "columns")
		scales := rapid.SliceOfN(rapid.Int8Range(-2, 2), columns, columns).Draw(t, "scales")
		unlike := rapid.Bool().Draw(t, "unlike")
		said := make([][]fleet.Num, polls)
		var rows []*row
		for i := range said {
			for c := range columns {
				n := rapid.SampledFrom([]int64{0, 1, -63, 64, 8000, -8193, 1 << 40, math.MinInt64, math.MaxInt64}).Draw(t, "value")
				v := fleet.Num{N: n, Scale: scales[c], Known: true}
				if scales[c] == 2 || unlike && rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
					v = fleet.Num{}
				}
				said[i] = append(said[i], v)
			}
			rows = append(rows, &row{at: int64(i), body: appendBody(nil, said[i])})
		}
		var g grid
		g.open(rows, columns)
		if !unlike && !g.even {
			t.Error("polls that are alike are read side by side")
		}
		for c := range columns {
			var got cells
			got.add(fleet.Int(7)) // of a part before them
			if err := g.column(c, &got); err != nil {
				t.Fatal(err)
			}
			for i := range said {
				if got.at(i+1) != said[i][c] {
					t.Fatalf("column %d of poll %d is %v, said was %v", c, i, got.at(i+1), said[i][c])
				}
			}
		}
		rows[polls-1].body = append(rows[polls-1].body, 0)
		g.open(rows, columns)
		var err error
		for c := range columns {
			err = errors.Join(err, g.column(c, new(cells)))
		}
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("of a byte too many: %v", err)
		}
	})
}
