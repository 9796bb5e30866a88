package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// pollOf is a batch of one poll and nothing else, the nth.
func pollOf(n int) payload {
	return payload{Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(n)*time.Second), fleet.Int(int64(n)))}}
}

// facts is a row, which state.db keeps.
var facts = fleet.Change{Target: "s1", Row: "n", At: day0, Value: []byte("1")}

// markOf returns the number that state.db has come to.
func (o *opened) markOf(t *testing.T) (seq uint64) {
	t.Helper()
	err := o.state.View(func(tx *bbolt.Tx) error {
		m, err := readMark(tx)
		seq = m.seq
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// died returns a copy of a store as a death of its process leaves it.
func (o *opened) died(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	copyStore(t, o.dir, dir)
	return dir
}

// startAt is start, and tells the number of the last batch that it found.
func startAt(t *testing.T, dir string) (o *opened, seq uint64) {
	t.Helper()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	seq = s.writer.seq
	return run(t, s, dir, testStep), seq
}

// Batches of readings do not touch state.db, but for one in so many, and are
// there after a death, with their number and time.
func TestABatchOfReadingsIsCommittedAlone(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	o.apply(t, payload{Changes: []fleet.Change{facts}})
	before := o.markOf(t)
	for n := range aloneMost {
		o.apply(t, pollOf(n))
	}
	if now := o.markOf(t); now != before {
		t.Errorf("state.db went from batch %d to %d for readings", before, now)
	}
	here := o.Here()
	again, seq := startAt(t, o.died(t))
	if again.Here() != here || seq != here.Seq {
		t.Errorf("a start found %v and batch %d, not %v", again.Here(), seq, here)
	}
	m, err := again.Memory(t.Context())
	if err != nil || m.Version != here.Seq || !m.At.Equal(here.At) {
		t.Errorf("memory is of batch %d at %v, %v", m.Version, m.At, err)
	}
	if p := again.read(t, gauge, day0, maxTime, 0); len(p) != aloneMost {
		t.Errorf("%d of %d polls", len(p), aloneMost)
	}
	if r := verifyClean(t, again.Store); r.Batch < here.Seq || r.Unfinished != 0 {
		t.Errorf("verify: batch %d, %d unfinished", r.Batch, r.Unfinished)
	}
	o.apply(t, pollOf(aloneMost))
	if now := o.markOf(t); now != o.Here().Seq {
		t.Errorf("state.db is at batch %d of %d after %d alone", now, o.Here().Seq, aloneMost)
	}
}

// A batch that state.db should know of and does not never happened; those alone
// before it did, also where their rows are in parts by then.
func TestABatchCutShortAfterOthersAlone(t *testing.T) {
	for name, rows := range map[string]int{"in memory": 48, "in parts": 1} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := Open(t.Context(), testConfig(dir))
			if err != nil {
				t.Fatal(err)
			}
			s.pace = pace{wal: walBytes, rows: rows, spread: 1, age: time.Hour}
			o := run(t, s, dir, testStep)
			o.apply(t, payload{Changes: []fleet.Change{facts}})
			for n := range 4 {
				o.apply(t, pollOf(n))
			}
			here := o.Here()
			if n := len(s.writer.wal); n != 4 {
				t.Errorf("%d of 4 batches that state.db does not know have write-ahead values", n)
			}
			state, err := os.ReadFile(filepath.Join(dir, "state.db"))
			if err != nil {
				t.Fatal(err)
			}
			cut := pollOf(4)
			cut.Changes = []fleet.Change{facts}
			cut.Changes[0].Value = []byte("2")
			o.apply(t, cut)
			died := o.died(t)
			write(t, filepath.Join(died, "state.db"), state)

			r, err := Examine(t.Context(), died)
			if err != nil || !r.OK() || r.Batch != here.Seq || r.Unfinished != 1 {
				t.Errorf("verify: batch %d, %d unfinished, %v, %v", r.Batch, r.Unfinished, r.Problems, err)
			}
			again, seq := startAt(t, died)
			if again.Here() != here || seq != here.Seq {
				t.Errorf("a start found %v and batch %d, not %v", again.Here(), seq, here)
			}
			if p := again.read(t, gauge, day0, maxTime, 0); len(p) != 4 {
				t.Errorf("%d polls, not 4", len(p))
			}
			again.apply(t, pollOf(5))
			if p := again.read(t, gauge, day0, maxTime, 0); len(p) != 5 {
				t.Errorf("%d polls, not 5", len(p))
			}
		})
	}
}
