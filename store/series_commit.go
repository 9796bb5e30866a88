package store

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// walEntry is one batch and how many of its rows are not yet in a part. At none
// its write-ahead values are deleted with the next commit of series.db.
type walEntry struct {
	seq    uint64
	live   int
	values int // in series.db; 0: it is in the journal
}

// walRow is a row on its way into memory.
type walRow struct {
	target *target
	row    row
}

// written is what a batch wrote ahead.
type written struct {
	rows   []walRow
	values int // in series.db
}

// walScratch is the space that making a write-ahead value needs.
type walScratch struct {
	body, rest []byte
	ends       []int
	rows       []walRow
}

// walBytes is what a write-ahead value in series.db holds, or one row: two of them
// fill a page of the file. What is appended to the file's tree makes its last page
// be written again, with as many as five values in it.
const walBytes = 2000

// encodeRows writes the readings of one batch side by side into the writer's
// space, where they are good until the next batch.
func (s *Store) encodeRows(seq uint64, readings []fleet.Readings, now time.Time) {
	base := toMs(now)
	w := &s.writer
	body, rest, ends := w.body[:0], w.rest[:0], w.ends[:0]
	rows := w.rows[:0]
	for _, r := range readings {
		t, ok := s.accept(r)
		if !ok {
			s.stats.refused.Add(1)
			continue
		}
		l := s.layoutOf(t, r.Keys)
		at := toMs(r.At)
		body = appendBody(body[:0], s.steadied(t, r))
		rest = appendRowHead(rest, rowHead{target: t.id, layout: l.id, at: at}, base, len(body))
		rest = append(rest, body...)
		ends = append(ends, len(rest))
		rows = append(rows, walRow{t, row{seq: seq, at: at, came: base, layout: l, body: rest[len(rest)-len(body):]}})
		s.stats.samples.Add(uint64(len(r.Values)))
	}
	w.body, w.rest, w.ends, w.rows = body, rest, ends, rows
}

// values makes write-ahead values of a version, each of so many bytes of rows or
// one row. The rows become slices of them: memory holds what the disk holds.
func (w *walScratch) values(version byte, now time.Time, most int) (values [][]byte) {
	for from, start := 0, 0; from < len(w.rows); {
		end := from + 1
		for end < len(w.rows) && w.ends[end]-start <= most {
			end++
		}
		values = append(values, walValueOf(version, w.rest[start:w.ends[end-1]], toMs(now), w.rows[from:end], w.ends[from:end], start))
		from, start = end, w.ends[end-1]
	}
	return values
}

// walHeadMost is how long the head of a write-ahead value may be.
const walHeadMost = 1 + 2*binary.MaxVarintLen64

// walValueOf makes a value of rows, whose ends count from before it, and points
// their bodies to it.
func walValueOf(version byte, rest []byte, base int64, rows []walRow, ends []int, start int) []byte {
	value := make([]byte, 0, 24+len(rest)+sumLen)
	value = binary.AppendVarint(append(value, version), base)
	value = binary.AppendUvarint(value, uint64(len(rows)))
	head := len(value) - start
	value = append(value, rest...)
	for i := range rows {
		end := head + ends[i]
		rows[i].row.body = value[end-len(rows[i].row.body) : end : end]
	}
	return value
}

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
func (s *Store) accept(r fleet.Readings) (*target, bool) {
	if len(r.Keys) == 0 || len(r.Keys) != len(r.Values) || r.At.IsZero() {
		return nil, false
	}
	if t := s.targets.get(r.Target); t != nil && t.has(r.Keys) {
		return t, true
	}
	if !nameOK(r.Target) || r.Target == "" || !keysOK(r.Keys) {
		return nil, false
	}
	return s.targets.intern(r.Target), true
}

// housework is due with a batch in so many, or after so long.
const houseWait = 10 * time.Second

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
	s.encodeRows(seq, readings, now)
	if len(w.rows) == 0 && imports == nil && w.staleFrom == 0 {
		return wrote, nil
	}
	journal := imports == nil && !s.houseDue(now)
	if size := len(w.rest) + walHeadMost; journal && !s.journal.takes(size) {
		// series.db must know of a new file first. Where there is none to be had
		// it takes the batch itself, and says what is wrong with the disk.
		_ = s.journal.grow(size, s.pace.journal)
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
		if err := s.journal.append(seq, w.values(version, now, math.MaxInt)[0]); err != nil {
			return wrote, err
		}
		w.unhoused++
		return written{rows: w.rows}, nil
	}
	values := w.values(version, now, s.pace.wal)
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
	w.housed, w.unhoused = now, 0
	return written{w.rows, len(values)}, nil
}

// install makes the rows of a committed batch readable.
func (s *Store) install(seq uint64, w written) {
	if len(w.rows) == 0 {
		return
	}
	s.writer.wal = append(s.writer.wal, walEntry{seq: seq, live: len(w.rows), values: w.values})
	s.targets.mu.Lock()
	defer s.targets.mu.Unlock()
	for _, r := range w.rows {
		r.target.push(r.row)
	}
	s.targets.newest = Place{seq, fromMs(w.rows[0].row.came)}
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
		if err := put(tx.Bucket(bucketTargets), idKey(t.id), []byte(t.name)); err != nil {
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
