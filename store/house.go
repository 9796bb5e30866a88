package store

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// Housekeeping rides on the batches that series.db commits. For each batch since
// the last one it looks at a few targets in turn and stops when it has spent its
// time, so that no batch waits for it.
const (
	houseTargets = 64                   // looked at per batch, or as many as were polled
	houseTime    = 4 * time.Millisecond // per batch; soft: one target's work is not cut in two
	partBytes    = 512 << 10            // of rows in memory that make a part
	expireMost   = 16                   // blocks deleted per batch
)

// Rows stay in memory, and in the journal, until their window has passed: then they
// become a block. Where that would be too many rows, or too much journal, some of
// them become parts before, which the block is made of later.

// pace says when rows become parts and windows blocks. Tests make it quick.
type pace struct {
	wal    int           // bytes of rows that a write-ahead value holds, or one row, see walBytes
	rows   int           // rows that make a part
	spread int           // and up to so many more, so that not all are due at once
	age    time.Duration // how long rows of a window that has passed wait for more of them
	fresh  time.Duration // a target whose newest row is younger has that one in memory only
	grace  time.Duration // after the end of a window, before it is merged
	retry  time.Duration // after a commit that the disk did not take, before the next try

	house   int   // batches that the journal takes between two commits of series.db
	journal int64 // bytes of one of its files
	least   int64 // bytes of all of them, up to which no row becomes a part for it
	most    int64 // and beyond which rows do
}

var usualPace = pace{
	wal: walBytes, rows: 160, spread: 32, age: 20 * time.Minute, fresh: 10 * time.Minute, grace: 2 * time.Minute, retry: 2 * time.Second,
	house: 31, journal: journalSize, least: 16 * journalSize, most: 64 * journalSize,
}

// room is how many bytes the journal may have, for so many of rows in memory. Of a
// large fleet it has two to three times as many, since its files go when all of their
// rows have gone; that of a small one, whose batches do not fill their pages, has
// more, and what it is spared that way is little.
func (p pace) room(rows int64) int64 { return max(p.least, min(3*rows, p.most)) }

// housework is what housekeeping did in a transaction, to be done in memory
// once that has committed.
type housework struct {
	flushed []flushed
	merged  []mergedWindow
	kept    []*target // whose newest row was kept
	trimmed int       // batches whose write-ahead values were deleted
	thinned []thinnedTarget
	journal journalRange
}

type thinnedTarget struct {
	target *target
	thin   thinned
}

type flushed struct {
	target  *target
	rows    []*row
	windows []int64
	stays   bool // the newest row is not among them
}

type mergedWindow struct {
	target *target
	window int64
	joined joined
}

// housekeep merges windows that have passed, makes parts of rows that are too many,
// and deletes what is too old.
func (s *Store) housekeep(tx *bbolt.Tx, seq uint64, now time.Time) (housework, error) {
	w := &s.writer
	var done housework
	for done.trimmed < len(w.wal) && w.wal[done.trimmed].live == 0 && w.wal[done.trimmed].seq <= w.mark.seq {
		for i := range w.wal[done.trimmed].values { // none of a batch in the journal
			if err := tx.Bucket(bucketWAL).Delete(walKey(w.wal[done.trimmed].seq, i)); err != nil {
				return done, err
			}
		}
		done.trimmed++
	}
	if err := s.trimJournal(tx, seq, &done); err != nil {
		return done, err
	}
	began, ms := time.Now(), toMs(now)
	all := s.targets.all()
	batches, floor := w.unhoused+1, s.journal.beyond(s.pace.room(s.targets.bytes))
	looks := min(max(houseTargets*batches, w.polls), len(all)) // as often as they are polled
	for i := 0; i < looks && time.Since(began) < houseTime*time.Duration(batches); i++ {
		t := all[w.round.next(len(all), seq)]
		much := len(t.rows) > 0 && (t.seq < floor || t.bytes >= partBytes)
		if window, ok := t.mergeDue(ms); ok && !much {
			if err := s.closeWindow(tx, t, window, seq, &done); err != nil {
				return done, err
			}
		} else if much || t.partDue(s.pace, ms) {
			f, err := s.flush(tx, t, seq, t.due(s.pace, ms))
			if err != nil {
				return done, err
			}
			done.flushed = append(done.flushed, f)
		} else if !t.kept && len(t.rows) > 0 && ms-t.last.came >= durMs(s.pace.fresh) {
			if err := s.putLast(tx, t); err != nil {
				return done, err
			}
			done.kept = append(done.kept, t)
		}
		if !t.kept && t.last.layout != nil {
			w.round.saw(t.last.seq)
		}
	}
	by := toMs(w.time.retention())
	for range min(batches, len(all)) {
		w.expireTurn++
		t := all[w.expireTurn%len(all)]
		if err := s.expireTiers(tx, t, by); err != nil {
			return done, err
		}
		if err := s.expire(tx, t, by); err != nil {
			return done, err
		}
		thin, err := s.thinOut(tx, t, by)
		if err != nil {
			return done, err
		}
		done.thinned = append(done.thinned, thinnedTarget{t, thin})
	}
	return done, nil
}

// trimJournal notes which files of the journal are still needed, from which batch on,
// and from which file on a start looks for newest rows, where that has changed.
func (s *Store) trimJournal(tx *bbolt.Tx, seq uint64, done *housework) error {
	w := &s.writer
	first := seq
	if left := w.wal[done.trimmed:]; len(left) > 0 {
		first = left[0].seq
	}
	done.journal = s.journal.needed(first)
	done.journal.first = first
	done.journal.newest = max(done.journal.from, s.journal.needed(min(w.round.kept, w.mark.seq+1)).from)
	if done.journal == s.journal.known || done.journal.to == 0 {
		return nil
	}
	return put(tx.Bucket(bucketMeta), keyJournal, done.journal.encode())
}

// round goes through the targets, over and over, and finds up to which batch newest
// rows are kept in series.db.
type round struct {
	turn  int
	kept  uint64 // newest rows of batches before this one are
	least uint64 // of this round
}

// next returns the place of the next target of so many.
func (r *round) next(n int, seq uint64) int {
	if r.turn >= n {
		r.turn, r.kept = 0, r.least
	}
	if r.turn == 0 {
		r.least = seq
	}
	r.turn++
	return r.turn - 1
}

// saw is told of a newest row that is not kept.
func (r *round) saw(seq uint64) { r.least = min(r.least, seq) }

// intact counts what housekeeping found damaged, and passes on other errors.
func (s *Store) intact(err error) error {
	if errors.Is(err, ErrDamaged) {
		s.stats.broken.Add(1)
		return nil
	}
	return err
}

// skipDamage notes that a reader met damage, and passes on other errors. How often
// that happens says how often somebody looked, and is not counted.
func (s *Store) skipDamage(err error) error {
	if errors.Is(err, ErrDamaged) {
		s.stats.met.Store(true)
		return nil
	}
	return err
}

// finish does in memory what housekeeping did on disk.
func (s *Store) finish(done housework) {
	w := &s.writer
	w.wal = w.wal[done.trimmed:]
	s.journal.knows(done.journal)
	s.targets.mu.Lock()
	defer s.targets.mu.Unlock()
	for _, t := range done.thinned {
		t.target.thin = t.thin // before parts, which say what is no longer thin
	}
	for _, t := range done.kept {
		t.kept = true
	}
	for _, f := range done.flushed {
		for _, r := range f.rows {
			f.target.parted = max(f.target.parted, r.seq)
			if i, ok := slices.BinarySearchFunc(w.wal, r.seq, func(e walEntry, seq uint64) int { return cmp.Compare(e.seq, seq) }); ok {
				w.wal[i].live--
			}
		}
		s.targets.dropRows(f.target, len(f.rows))
		if !f.stays {
			f.target.kept = true
			f.target.last.body = slices.Clone(f.target.last.body) // let go of the batch it came in
		}
		for _, window := range f.windows {
			f.target.await(window, window+windowMs+durMs(s.pace.grace))
		}
	}
	for _, m := range done.merged {
		m.joined.thicken(m.target)
		m.target.settled(m.window)
		s.owed.note(m.target.name, m.window)
	}
}

// expire deletes blocks of a target that are older than the raw tier is kept.
func (s *Store) expire(tx *bbolt.Tx, t *target, now int64) error {
	blocks := tx.Bucket(bucketBlocks)
	horizon := now - durMs(s.cfg.Retention.most().Raw) - windowMs
	prefix := idKey(t.id)
	var old [][]byte
	c := blocks.Cursor()
	for k, _ := c.Seek(prefix); hasPrefix(k, prefix) && len(old) < expireMost; k, _ = c.Next() {
		key, err := readBlockKey(k)
		if err != nil {
			return err
		}
		if key.window >= horizon {
			break
		}
		old = append(old, slices.Clone(k))
	}
	for _, k := range old {
		if err := blocks.Delete(k); err != nil {
			return err
		}
		window := k[:windowKeyLen]
		if left, _ := blocks.Cursor().Seek(window); !hasPrefix(left, window) { // there is nothing to merge any more
			if err := tx.Bucket(bucketPending).Delete(window); err != nil {
				return err
			}
		}
	}
	return nil
}
