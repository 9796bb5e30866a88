package store

import (
	"encoding/binary"
	"errors"
	"slices"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

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
	broken := errors.Is(err, ErrDamaged)
	if broken {
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
	if broken { // of what can be read; samples go before it can be mended, mostly
		s.writer.tiers.fresh.rows = 0
		if err := s.makeTiers(tx, t, window); err != nil && !errors.Is(err, ErrDamaged) {
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
			s.stats.unreadable.Add(1)
			s.stats.dropped.Add(uint64(len(r.layout.keys)))
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
	return s.putLast(tx, t)
}

// putLast writes the newest row of a target down, where it can be read: the one before
// it is better than none, and than one that nobody can read.
func (s *Store) putLast(tx *bbolt.Tx, t *target) error {
	if readBody(t.last.body, make([]fleet.Num, len(t.last.layout.keys))) != nil {
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
