package store

import (
	"slices"

	"go.etcd.io/bbolt"
)

// When a window has passed, what its parts hold is written once more: in one
// block, with the smallest codings, and condensed in the tiers.

// stored is a block as it lies in the file.
type stored struct {
	key blockKey
	raw []byte // its key
	block
}

// merge makes one block of all parts of a window that agree in layout and in
// whether they were imported, and of the rows in memory, and the tiers of that
// window. It marks the groups that are in a block.
func (s *Store) merge(tx *bbolt.Tx, t *target, window int64, open []group) error {
	blocks := tx.Bucket(bucketBlocks)
	s.writer.tiers.fresh.rows = 0
	var parts []stored
	prefix := windowKey(t.id, window)
	c := blocks.Cursor()
	for k, raw := c.Seek(prefix); hasPrefix(k, prefix); k, raw = c.Next() {
		p, err := openStored(k, raw)
		if err != nil {
			return err
		}
		p.raw = slices.Clone(k)
		parts = append(parts, p)
	}
	for len(parts) > 0 {
		n := 1
		for n < len(parts) && parts[n].key.layout == parts[0].key.layout && parts[n].key.imported == parts[0].key.imported {
			n++
		}
		var g *group
		if key := parts[0].key; !key.imported {
			g = groupOf(open, window, key.layout)
		}
		if err := s.mergeParts(blocks, parts[0].key, parts[:n], g); err != nil {
			return err
		}
		parts = parts[n:]
	}
	for i := range open {
		if g := &open[i]; g.window == window && !g.tried {
			key := blockKey{target: t.id, window: window, layout: g.layout.id}
			if err := s.mergeParts(blocks, key, nil, g); err != nil {
				return err
			}
		}
	}
	if err := s.makeTiers(tx, t, window); err != nil {
		return err
	}
	return tx.Bucket(bucketPending).Delete(prefix)
}

func hasPrefix(k, prefix []byte) bool {
	return len(k) >= len(prefix) && string(k[:len(prefix)]) == string(prefix)
}

func openStored(k, raw []byte) (stored, error) {
	key, err := readBlockKey(k)
	if err != nil {
		return stored{}, err
	}
	v, err := unseal(k, raw)
	if err != nil {
		return stored{}, err
	}
	b, err := readBlock(v)
	return stored{key: key, block: b}, err
}

// groupOf finds the group of a window and layout.
func groupOf(groups []group, window int64, layout uint32) *group {
	i := slices.IndexFunc(groups, func(g group) bool { return g.window == window && g.layout.id == layout })
	if i < 0 {
		return nil
	}
	return &groups[i]
}

// mergeParts makes one block of parts, and of rows in memory where there are some.
func (s *Store) mergeParts(blocks *bbolt.Bucket, key blockKey, parts []stored, open *group) (err error) {
	columns, rows := 0, 0
	var last []*row
	if open != nil {
		open.tried, last = true, open.rows
		columns, rows = len(open.layout.keys), len(last)
	} else {
		columns = parts[0].columns
	}
	for _, p := range parts {
		rows += p.rows
		if p.columns != columns {
			return damaged("parts of one layout have %d and %d columns", p.columns, columns)
		}
	}
	if rows > maxInts || len(last) == 0 && len(parts) == 1 && parts[0].key.part == 0 {
		return nil
	}
	w := &s.writer
	w.grid.open(last, columns)
	defer w.grid.close()
	var times []int64
	for _, p := range parts {
		if times, err = p.appendTimes(times); err != nil {
			return err
		}
	}
	times = append(times, w.grid.times...)
	readers := make([]columnReader, len(parts))
	for i := range parts {
		readers[i] = parts[i].reader()
	}
	key.part = 0
	fresh := &w.tiers.fresh
	keep := fresh.begin(key, times, columns)
	value, err := w.enc.block(times, columns, func(c int, dst *cells) error {
		for i := range readers {
			if err := readers[i].next(dst); err != nil {
				return err
			}
		}
		if err := w.grid.column(c, dst); err != nil {
			return err
		}
		if keep {
			w.enc.settle(dst)
			fresh.append(dst, 0, len(dst.ints))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := blocks.Delete(p.raw); err != nil {
			return err
		}
	}
	if open != nil {
		open.merged = true
	}
	return put(blocks, key.encode(), value)
}

// fresh are the columns of the block that was merged last. The tiers are made of
// them, and not of what has just been encoded.
type fresh struct {
	key   blockKey
	rows  int // 0: there are none
	cells     // column after column
}

// freshMost bounds the values that are kept.
const freshMost = 1 << 18

// begin makes room for a block, and reports whether it is to be kept.
func (f *fresh) begin(key blockKey, times []int64, columns int) bool {
	f.clear()
	f.key, f.rows = key, 0
	if len(times)*columns <= freshMost && ascending(times) == nil {
		f.rows = len(times)
	}
	return f.rows > 0
}

// column appends a column.
func (f *fresh) column(c int, dst *cells) { dst.append(&f.cells, c*f.rows, (c+1)*f.rows) }
