package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
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

// blockKey names a block: target, window, whether it was imported, layout, and
// the batch that wrote it; 0 is the merged one.
type blockKey struct {
	target   uint32
	window   int64 // start, Unix milliseconds
	imported bool
	layout   uint32
	part     uint64
}

const (
	windowKeyLen = 4 + 8
	blockKeyLen  = windowKeyLen + 1 + 4 + 8
)

func (k blockKey) encode() []byte {
	b := windowKey(k.target, k.window)
	if k.imported {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = binary.BigEndian.AppendUint32(b, k.layout)
	return binary.BigEndian.AppendUint64(b, k.part)
}

func readBlockKey(b []byte) (blockKey, error) {
	if len(b) != blockKeyLen || b[12] > 1 {
		return blockKey{}, damaged("block key %x", b)
	}
	return blockKey{
		target: binary.BigEndian.Uint32(b), window: readMs(b[4:]), imported: b[12] == 1,
		layout: binary.BigEndian.Uint32(b[13:]), part: binary.BigEndian.Uint64(b[17:]),
	}, nil
}

func windowKey(target uint32, window int64) []byte {
	b := make([]byte, 0, blockKeyLen)
	b = binary.BigEndian.AppendUint32(b, target)
	return binary.BigEndian.AppendUint64(b, uint64(window)^1<<63)
}

func readMs(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ 1<<63) }

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
			if err := put(tx.Bucket(bucketLast), idKey(t.id), encodeLast(t.last)); err != nil {
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

// closeWindow merges a window that has passed: what parts it has, and the rows of
// it that are in memory. Those that no block takes become parts.
func (s *Store) closeWindow(tx *bbolt.Tx, t *target, window int64, seq uint64, done *housework) error {
	f := flushed{target: t, rows: t.rows[:t.openIn(window)]}
	groups := t.regroup(f.rows)
	// What is damaged stays as it is, for verify to find and for people to
	// save; it must not stop the writer. The next start tries again.
	err := s.merge(tx, t, window, groups)
	if errors.Is(err, ErrDamaged) && s.siftGroups(&groups) {
		err = s.merge(tx, t, window, groups)
	}
	if errors.Is(err, ErrDamaged) {
		s.stats.broken.Add(1)
		err = awaitMerge(tx, t, window)
	}
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.merged {
			continue
		}
		if err := s.putPart(tx, t, seq, g, &f); err != nil {
			return err
		}
	}
	if err := s.keepLast(tx, t, &f); err != nil {
		return err
	}
	joined, err := s.joinTiers(tx, t, window)
	if err != nil {
		return err
	}
	done.flushed = append(done.flushed, f)
	done.merged = append(done.merged, mergedWindow{t, window, joined})
	return nil
}

// intact counts what was found damaged, and passes on other errors.
func (s *Store) intact(err error) error {
	if errors.Is(err, ErrDamaged) {
		s.stats.broken.Add(1)
		return nil
	}
	return err
}

// partDue reports whether rows are to become parts: they are too many, or too old,
// since a clock was ahead of itself.
func (t *target) partDue(p pace, now int64) bool {
	return len(t.rows) > 0 && (len(t.rows) >= p.rows+int(t.id*7)%p.spread || now-t.came >= windowMs+durMs(p.grace+p.age))
}

func (t *target) mergeDue(now int64) (int64, bool) {
	if t.mergeAt <= now {
		for _, w := range t.pending {
			if w.due <= now {
				return w.window, true
			}
		}
	}
	return 0, false
}

// group is the rows of one window and layout.
type group struct {
	window        int64
	layout        *layout
	rows          []*row
	tried, merged bool // into a block
}

// regroup sorts rows into groups, in the order in which they first appear.
// Mostly there is one, and it is all of them.
func (t *target) regroup(rows []*row) (groups []group) {
	if len(rows) == 0 {
		return nil
	}
	n := 1
	first := group{window: t.windowOf(rows[0].at), layout: rows[0].layout}
	for n < len(rows) && rows[n].layout == first.layout && t.windowOf(rows[n].at) == first.window {
		n++
	}
	first.rows = rows[:n:n]
	groups = append(groups, first)
	for _, r := range rows[n:] {
		window := t.windowOf(r.at)
		i := slices.IndexFunc(groups, func(g group) bool { return g.window == window && g.layout == r.layout })
		if i < 0 {
			i, groups = len(groups), append(groups, group{window: window, layout: r.layout})
		}
		groups[i].rows = append(groups[i].rows, r)
	}
	return groups
}

// part encodes a group.
func (w *writer) part(g group) ([]byte, error) {
	w.grid.open(g.rows, len(g.layout.keys))
	defer w.grid.close()
	w.enc.brief = true
	defer func() { w.enc.brief = false }()
	return w.enc.block(w.grid.times, len(g.layout.keys), w.grid.column)
}

// due is how many of the rows in memory become a part. The newest stays where it
// is for as long as the target answers: it is what a start shows first.
func (t *target) due(p pace, now int64) int {
	newest := len(t.rows) - 1
	if newest > 0 && t.isLast(t.rows[newest]) && now-t.rows[newest].came < durMs(p.fresh) {
		return newest
	}
	return newest + 1
}

// openIn is how many of the rows in memory must become parts for a window to be
// whole on disk.
func (t *target) openIn(window int64) int {
	n := len(t.rows)
	for n > 0 && t.windowOf(t.rows[n-1].at) != window {
		n--
	}
	return n
}

// flush writes the first n rows of a target in memory as parts. All of them
// belong to batches that happened: the rows of the present batch are not
// yet here.
func (s *Store) flush(tx *bbolt.Tx, t *target, seq uint64, n int) (flushed, error) {
	f := flushed{target: t, rows: t.rows[:n]}
	for _, g := range t.regroup(f.rows) {
		if err := s.putPart(tx, t, seq, g, &f); err != nil {
			return f, err
		}
	}
	return f, s.keepLast(tx, t, &f)
}

// putPart writes a group of rows as a part, or as several where they are too many. A
// batch that state.db refused has left parts of its number: they stay.
func (s *Store) putPart(tx *bbolt.Tx, t *target, seq uint64, g group, f *flushed) error {
	blocks := tx.Bucket(bucketBlocks)
	key, written := blockKey{target: t.id, window: g.window, layout: g.layout.id, part: seq}, false
	for rows := range slices.Chunk(g.rows, maxInts) {
		g.rows = rows
		value, err := s.writer.part(g)
		if errors.Is(err, ErrDamaged) {
			if g.rows = s.readable(rows); len(g.rows) == 0 {
				continue
			}
			value, err = s.writer.part(g)
		}
		if err != nil {
			return err
		}
		for blocks.Get(key.encode()) != nil {
			key.part++
		}
		if err := put(blocks, key.encode(), value); err != nil {
			return err
		}
		written = true
	}
	if !written {
		return nil
	}
	if !slices.Contains(f.windows, g.window) {
		f.windows = append(f.windows, g.window)
	}
	return awaitMerge(tx, t, g.window)
}

// readable returns the rows that can be read, and counts the others: nobody will
// ever read them, and they must stop neither the writer nor the rows beside them.
func (s *Store) readable(rows []*row) []*row {
	return slices.DeleteFunc(slices.Clone(rows), func(r *row) bool {
		err := readBody(r.body, make([]fleet.Num, len(r.layout.keys)))
		if err != nil {
			s.stats.broken.Add(1)
		}
		return err != nil
	})
}

// siftGroups leaves of the groups that no block took yet what can be read, and
// reports whether something could not.
func (s *Store) siftGroups(groups *[]group) bool {
	sifted := false
	*groups = slices.DeleteFunc(*groups, func(g group) bool { return g.merged })
	for i := range *groups {
		g := &(*groups)[i]
		n := len(g.rows)
		g.rows, g.tried = s.readable(g.rows), false
		sifted = sifted || len(g.rows) < n
	}
	*groups = slices.DeleteFunc(*groups, func(g group) bool { return len(g.rows) == 0 })
	return sifted
}

// keepLast writes the newest row of a target down where it is among those that
// leave memory.
func (s *Store) keepLast(tx *bbolt.Tx, t *target, f *flushed) error {
	if f.stays = len(f.rows) == 0 || slices.ContainsFunc(t.rows[len(f.rows):], t.isLast); f.stays {
		return nil
	}
	return put(tx.Bucket(bucketLast), idKey(t.id), encodeLast(t.last))
}

// awaitMerge notes that a window has parts to merge. Mostly that is noted
// already, and its page stays as it is.
func awaitMerge(tx *bbolt.Tx, t *target, window int64) error {
	b, key := tx.Bucket(bucketPending), windowKey(t.id, window)
	if b.Get(key) != nil {
		return nil
	}
	return b.Put(key, nil)
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
