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
// whether they were imported, and the tiers of that window.
func (s *Store) merge(tx *bbolt.Tx, t *target, window int64) error {
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
		if err := s.mergeParts(blocks, parts[:n]); err != nil {
			return err
		}
		parts = parts[n:]
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

func (s *Store) mergeParts(blocks *bbolt.Bucket, parts []stored) error {
	rows := 0
	for _, p := range parts {
		rows += p.rows
		if p.columns != parts[0].columns {
			return damaged("parts of one layout have %d and %d columns", p.columns, parts[0].columns)
		}
	}
	if len(parts) == 1 && parts[0].key.part == 0 || rows > maxInts {
		return nil
	}
	var times []int64
	var err error
	for _, p := range parts {
		if times, err = p.appendTimes(times); err != nil {
			return err
		}
	}
	readers := make([]columnReader, len(parts))
	for i := range parts {
		readers[i] = parts[i].reader()
	}
	key := parts[0].key
	key.part = 0
	fresh := &s.writer.tiers.fresh
	keep := fresh.begin(key, times, parts[0].columns)
	value, err := s.writer.enc.block(times, parts[0].columns, func(_ int, dst *cells) error {
		for i := range readers {
			if err := readers[i].next(dst); err != nil {
				return err
			}
		}
		if keep {
			s.writer.enc.settle(dst)
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
