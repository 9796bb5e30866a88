package store

import (
	"cmp"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// What was written ahead, in the journal and in series.db, is read in two parts: the
// newest rows before the first snapshot stands, the rest beside it.

// writtenAhead returns the write-ahead values of series.db, and of the journal from
// where the newest rows are, in order of their batches, checked against their sums.
func (s *Store) writtenAhead(tx *bbolt.Tx, records []walRecord) ([]walValue, error) {
	var values []walValue
	for _, x := range records {
		v, err := unseal(x.key, x.raw)
		if err != nil {
			return nil, err
		}
		seq, _, err := readWALKey(x.key)
		if err != nil {
			return nil, err
		}
		values = append(values, walValue{seq: seq, b: v})
	}
	known, err := journalOf(tx)
	if err != nil {
		return nil, err
	}
	s.journal, err = s.journalValues(known, known.newest, known.to, &values)
	slices.SortStableFunc(values, func(a, b walValue) int { return cmp.Compare(a.seq, b.seq) })
	return values, err
}

// journalValues reads files of the journal, and appends the values of their records.
func (s *Store) journalValues(known journalRange, from, to uint64, values *[]walValue) (*journal, error) {
	return readJournal(s.cfg.Dir, storeID(s.state), known, from, to, func(r journalRecord) {
		if r.value != nil && r.seq >= known.first {
			*values = append(*values, walValue{seq: r.seq, b: slices.Clone(r.value), journal: true})
		}
	})
}

// loadOlder reads the rows of the journal that a start could do without.
func (s *Store) loadOlder() error {
	known := s.journal.known
	if known.from == known.newest {
		return nil
	}
	l := walLoad{targets: s.targets.all(), layouts: s.layouts.all()}
	rows, keepers := make([][]*row, len(l.targets)), make([]keeper, len(l.targets))
	came := toMs(time.Now())
	var broken error
	older, err := readJournal(s.cfg.Dir, storeID(s.state), known, known.from, known.newest-1, func(r journalRecord) {
		if r.value == nil || r.seq < known.first || broken != nil {
			return
		}
		live, err := l.rows(r.seq, r.value, came, func(t *target, r *row) {
			rows[t.id-1] = append(rows[t.id-1], keepers[t.id-1].keep(*r))
		})
		if err != nil {
			broken = err
		}
		s.writer.noteWAL(walValue{seq: r.seq, journal: true}, live)
	})
	if err == nil {
		err = broken
	}
	if err == nil {
		err = s.journal.behind(older)
	}
	if err != nil {
		return err
	}
	s.writer.round.kept = older.prev() + 1
	slices.SortStableFunc(s.writer.wal, func(a, b walEntry) int { return cmp.Compare(a.seq, b.seq) })
	s.targets.mu.Lock()
	defer s.targets.mu.Unlock()
	for i, t := range l.targets {
		s.targets.putBefore(s.pace, t, rows[i])
	}
	return nil
}

// journalOf returns the files of the journal that series.db knows of.
func journalOf(tx *bbolt.Tx) (r journalRange, err error) {
	raw := tx.Bucket(bucketMeta).Get(keyJournal)
	if raw == nil {
		return r, nil
	}
	v, err := unseal(keyJournal, raw)
	if err != nil {
		return r, err
	}
	return decodeJournalRange(v)
}

// dropBeyond deletes write-ahead values of batches that never happened: the
// process died between its two commits, and nobody was told of them.
func (s *Store) dropBeyond(db *file, seq uint64) error {
	if err := s.journal.takeBack(seq + 1); err != nil {
		return err
	}
	var drop [][]byte
	err := view(db, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketWAL).Cursor()
		for k, raw := c.Seek(seqKey(seq + 1)); k != nil; k, raw = c.Next() {
			if _, err := unseal(k, raw); err != nil {
				return err // not a batch that never happened, but one whose number is damaged
			}
			drop = append(drop, append([]byte(nil), k...))
		}
		return nil
	})
	if err != nil || drop == nil {
		return err
	}
	return update(db, func(tx *bbolt.Tx) error {
		for _, k := range drop {
			if err := tx.Bucket(bucketWAL).Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// openRecords is what series.db says of rows that are not yet in a merged block,
// in the order of its keys and in memory of its own. No sum was checked yet.
type openRecords struct {
	wal     []walRecord
	pending [][]byte // keys
	room    []byte   // in which those keys stand
}

// walRecord is a write-ahead value as it lies in series.db.
type walRecord struct{ key, raw []byte }

// walValue is a write-ahead value of a batch.
type walValue struct {
	seq     uint64
	b       []byte
	journal bool
}

// take takes a record along, if it is of those.
func (o *openRecords) take(bucket string, k, raw []byte) {
	switch bucket {
	case string(bucketWAL):
		o.wal = append(o.wal, walRecord{slices.Clone(k), slices.Clone(raw)})
	case string(bucketPending):
		from := len(o.room)
		o.room = append(o.room, k...)
		o.pending = append(o.pending, o.room[from:])
	}
}

// recordsIn takes them from an open file.
func recordsIn(tx *bbolt.Tx) *openRecords {
	var o openRecords
	for _, name := range [][]byte{bucketWAL, bucketPending} {
		c := tx.Bucket(name).Cursor()
		for k, raw := c.First(); k != nil; k, raw = c.Next() {
			o.take(string(name), k, raw)
		}
	}
	return &o
}

// loadWAL puts rows that are not yet in a block into memory. Room for their list is
// made in one piece, as much for each target as it has on average; who has more gets
// more.
func (s *Store) loadWAL(values []walValue) error {
	l := walLoad{targets: s.targets.all(), layouts: s.layouts.all(), happened: happened{last: s.writer.mark.seq}}
	if len(l.targets) == 0 {
		return nil
	}
	l.makeRoom(values)
	came := toMs(time.Now())
	newest := s.targets.newest
	for _, x := range values {
		r, err := readWAL(x.b)
		if err != nil {
			return err
		}
		if !l.happened.has(x.seq, r.alone) {
			continue // see dropBeyond
		}
		if x.seq > newest.Seq {
			newest = Place{x.seq, fromMs(r.base)}
		}
		// They are few, and a start is not to wait for copies of them.
		made := make([]row, 0, min(r.left, uint64(len(x.b)/leastRow)))
		live, err := l.rows(x.seq, x.b, came, func(t *target, r *row) {
			made = append(made, *r)
			s.targets.hold(s.pace, t, &made[len(made)-1])
		})
		if err != nil {
			return err
		}
		s.writer.noteWAL(x, live)
	}
	s.writer.seq, s.targets.newest, s.targets.opened = newest.Seq, newest, newest.Seq
	return nil
}

// happened tells by their write-ahead values, in the order of their keys, which
// batches happened: those up to state.db's number, and after them those that
// series.db alone holds. One that state.db should know of and does not was cut
// short, and was the last.
type happened struct {
	last uint64
	cut  bool
}

// has is asked of each value in turn.
func (h *happened) has(seq uint64, alone bool) bool {
	if seq <= h.last {
		return true
	}
	if h.cut = h.cut || !alone; !h.cut {
		h.last = seq
	}
	return !h.cut
}

// noteWAL counts one more value of a batch.
func (w *writer) noteWAL(v walValue, live int) {
	if n := len(w.wal); n == 0 || w.wal[n-1].seq != v.seq {
		w.wal = append(w.wal, walEntry{seq: v.seq})
	}
	e := &w.wal[len(w.wal)-1]
	if e.live += live; !v.journal {
		e.values++
	}
}

// walLoad reads the write-ahead values of batches that happened.
type walLoad struct {
	targets  []*target
	layouts  []*layout
	happened happened
}

// leastRow is what a row takes in a value at least.
const leastRow = 6 // bytes

// makeRoom asks each value how many rows it has. Nothing of it is checked yet:
// a wrong answer costs room, and no more than the values themselves take.
func (l *walLoad) makeRoom(values []walValue) {
	total := 0
	for _, v := range values {
		if r, err := readWAL(v.b); err == nil {
			total += int(min(r.left, uint64(len(v.b)/leastRow)))
		}
	}
	each := (total + len(l.targets) - 1) / len(l.targets)
	room := make([]*row, each*len(l.targets))
	for i, t := range l.targets {
		t.rows = room[i*each : i*each : (i+1)*each]
	}
}

// rows calls f with each row of a value, whose bodies are slices of it, and returns
// how many there are. The row is good until f returns.
func (l *walLoad) rows(seq uint64, value []byte, came int64, f func(t *target, r *row)) (n int, err error) {
	r, err := readWAL(value)
	if err != nil {
		return 0, err
	}
	for x := new(row); ; n++ {
		h, body, ok, err := r.next()
		if err != nil || !ok {
			return n, err
		}
		t, y := h.target-1, h.layout-1 // 0 is none
		if t >= uint32(len(l.targets)) || y >= uint32(len(l.layouts)) {
			return 0, damaged("batch %d has a row of an unknown target or layout", seq)
		}
		*x = row{seq: seq, at: h.at, came: came, layout: l.layouts[y], body: body}
		f(l.targets[t], x)
	}
}
