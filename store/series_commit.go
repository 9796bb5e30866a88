package store

import (
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// walEntry is one batch and how many of its rows are not yet in a block. At none
// its write-ahead values are deleted with the next commit of series.db.
type walEntry struct {
	seq    uint64
	live   int
	values int // in series.db; 0: it is in the journal
}

// walRow is a row on its way into memory.
type walRow struct {
	target *target
	from   int // which of the readings it is of
	start  int // where its head begins in the batch's record
	body   int
	row    *row
}

// written is what a batch wrote ahead.
type written struct {
	rows   []walRow
	values int // in series.db
}

// walScratch is the space that making write-ahead values needs.
type walScratch struct {
	rows   []walRow
	made   []row
	record []byte
}

// walBytes is what a write-ahead value in series.db holds, or one row: two of them
// fill a page of the file. What is appended to the file's tree makes its last page
// be written again, with as many as five values in it.
const walBytes = 2000

// encodeRows makes the write-ahead value of a batch with room before it for the head
// of a record, and rows that are slices of it. All of it is good until the next batch.
func (s *Store) encodeRows(version byte, seq uint64, readings []fleet.Readings, now time.Time) (record []byte) {
	w := &s.writer
	w.rows = w.rows[:0]
	for i := range readings {
		if t, ok := s.accept(&readings[i]); ok {
			w.rows = append(w.rows, walRow{target: t, from: i})
		} else {
			s.stats.refused.Add(1)
		}
	}
	if len(w.rows) == 0 {
		return nil
	}
	base, samples := toMs(now), 0
	made := slices.Grow(w.made[:0], len(w.rows))[:len(w.rows)]
	record = append(w.record[:0], make([]byte, recordHead)...)
	record = binary.AppendVarint(append(record, version), base)
	record = binary.AppendUvarint(record, uint64(len(w.rows)))
	for i := range w.rows {
		x, r := &w.rows[i], &made[i]
		from := &readings[x.from]
		*r = row{seq: seq, at: toMs(from.At), came: base, layout: s.layoutOf(x.target, from.Keys)}
		x.start, x.row = len(record), r
		record, x.body = appendRow(record, rowHead{target: x.target.id, layout: r.layout.id, at: r.at}, base, s.steadied(x.target, *from))
		samples += len(from.Values)
	}
	w.record, w.made = record, made
	end := len(record)
	for i := range slices.Backward(w.rows) {
		x := &w.rows[i]
		x.row.body, end = record[x.body:end:end], x.start
	}
	s.stats.samples.Add(uint64(samples))
	return record
}

// values makes write-ahead values of a version, each of so many bytes of rows or
// one row, of the record of a batch.
func (w *walScratch) values(version byte, record []byte, now time.Time, most int) (values [][]byte) {
	for from := 0; from < len(w.rows); {
		start := w.rows[from].start
		end, rest := from+1, w.rowEnd(from, record)
		for end < len(w.rows) && w.rowEnd(end, record)-start <= most {
			rest = w.rowEnd(end, record)
			end++
		}
		value := binary.AppendVarint(append(make([]byte, 0, walHeadMost+rest-start+sumLen), version), toMs(now))
		value = binary.AppendUvarint(value, uint64(end-from))
		values = append(values, append(value, record[start:rest]...))
		from = end
	}
	return values
}

// rowEnd is where a row ends in the record.
func (w *walScratch) rowEnd(i int, record []byte) int {
	if i+1 < len(w.rows) {
		return w.rows[i+1].start
	}
	return len(record)
}

// walHeadMost is how long the head of a write-ahead value may be.
const walHeadMost = 1 + 2*binary.MaxVarintLen64

// walKey is the key of value i of a batch.
func walKey(seq uint64, i int) []byte {
	k := binary.BigEndian.AppendUint64(make([]byte, 0, 12), seq)
	if i == 0 {
		return k // the only one, in files of schema 2
	}
	return binary.BigEndian.AppendUint32(k, uint32(i))
}

func readWALKey(k []byte) (seq uint64, i int, err error) {
	switch {
	case len(k) == 8:
		return binary.BigEndian.Uint64(k), 0, nil
	case len(k) == 12:
		if i := binary.BigEndian.Uint32(k[8:]); i > 0 && i <= 1<<30 {
			return binary.BigEndian.Uint64(k), int(i), nil
		}
	}
	return 0, 0, damaged("write-ahead key %x", k)
}

// accept returns the target of readings, and whether they can be kept. Keys
// that are those of the target's last row have been looked at.
func (s *Store) accept(r *fleet.Readings) (*target, bool) {
	if len(r.Keys) == 0 || len(r.Keys) != len(r.Values) || r.At.IsZero() {
		return nil, false
	}
	if t := s.targets.byName[r.Target]; t != nil && t.has(r.Keys) { // only the writer adds to them
		return t, true
	}
	if !nameOK(r.Target) || r.Target == "" || !keysOK(r.Keys) {
		return nil, false
	}
	return s.targets.intern(r.Target), true
}

// housework is due with a batch in so many, or after so long.
const houseWait = 30 * time.Second

// houseDue reports whether a batch is to be committed to series.db, with the
// housekeeping that is due since the last one that was.
func (s *Store) houseDue(now time.Time) bool {
	w := &s.writer
	since := now.Sub(w.housed)
	return w.unhoused >= s.pace.house || since >= houseWait || since < 0 || w.staleFrom != 0 ||
		len(s.targets.unsaved)+len(s.layouts.unsaved) > 0
}

// commitSeries commits the readings and imports of a batch: to the journal, or
// to series.db where there is more to do, and then with a bounded amount of
// housekeeping. It returns what to put in memory once the batch has happened: at
// once where the version of its values is walAlone, else when state.db has
// committed too.
func (s *Store) commitSeries(version byte, seq uint64, readings []fleet.Readings, imports []importBlock, now time.Time) (wrote written, err error) {
	w := &s.writer
	record := s.encodeRows(version, seq, readings, now)
	if record == nil && imports == nil && w.staleFrom == 0 {
		return wrote, nil
	}
	journal := imports == nil && !s.houseDue(now)
	if journal && !s.journal.takes(len(record)-recordHead) {
		// series.db must know of a new file first. Where there is none to be had
		// it takes the batch itself, and says what is wrong with the disk.
		_ = s.journal.grow(len(record)-recordHead, s.pace.journal)
		journal = false
	}
	// From here on the disk may hold what state.db does not, until both have
	// committed.
	stale := w.staleFrom
	if stale == 0 {
		w.staleFrom = seq
	} else if err := s.journal.takeBack(stale); err != nil {
		return wrote, err
	}
	if journal {
		if err := s.journal.append(seq, record); err != nil {
			return wrote, err
		}
		w.unhoused, w.polls = w.unhoused+1, w.polls+len(w.rows)
		return written{rows: w.rows}, nil
	}
	values := w.values(version, record, now, s.pace.wal)
	var done housework
	err = update(s.series, func(tx *bbolt.Tx) error {
		tx.Bucket(bucketWAL).FillPercent = 1 // keys only grow
		if stale != 0 {
			if err := deleteFrom(tx.Bucket(bucketWAL), seqKey(stale), nil); err != nil {
				return err
			}
		}
		if err := s.saveNames(tx); err != nil {
			return err
		}
		for i, value := range values {
			if err := put(tx.Bucket(bucketWAL), walKey(seq, i), value); err != nil {
				return err
			}
		}
		if err := s.putImports(tx, seq, imports); err != nil {
			return err
		}
		var err error
		done, err = s.housekeep(tx, seq, now)
		return err
	})
	if err != nil {
		return wrote, err
	}
	s.namesSaved()
	s.installImports(imports)
	s.finish(done)
	w.housed, w.unhoused, w.polls = now, 0, len(w.rows)
	return written{w.rows, len(values)}, nil
}

// install makes the rows of a committed batch readable.
func (s *Store) install(seq uint64, w written) {
	if len(w.rows) == 0 {
		return
	}
	s.writer.wal = append(s.writer.wal, walEntry{seq: seq, live: len(w.rows), values: w.values})
	s.targets.push(s.pace, w.rows)
}

// deleteFrom deletes what has a prefix, from a key on.
func deleteFrom(b *bbolt.Bucket, from, prefix []byte) error {
	var keys [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(from); k != nil && hasPrefix(k, prefix); k, _ = c.Next() {
		keys = append(keys, slices.Clone(k))
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// saveNames writes the targets and layouts that are new. They are taken off
// the list only when the commit has succeeded.
func (s *Store) saveNames(tx *bbolt.Tx) error {
	for _, t := range s.targets.unsaved {
		if err := put(tx.Bucket(bucketTargets), idKey(t.id), encodeTarget(t)); err != nil {
			return err
		}
	}
	for _, l := range s.layouts.unsaved {
		if err := put(tx.Bucket(bucketLayouts), idKey(l.id), encodeLayout(l.keys)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) namesSaved() { s.targets.unsaved, s.layouts.unsaved = nil, nil }
