package store

import (
	"slices"

	"go.etcd.io/bbolt"
)

// A tier's block is long, so that its columns take little. Written again with
// every window that is merged, it would be coded a hundred times before it is
// full. So new steps go into short blocks, which begin with the key of their
// first step, and once a window of the tier has passed its short blocks become
// the long one, whose key is that of the window.
//
// Blocks of one layout do not overlap: a step lies in the last block that begins
// by then, if that one reaches so far, and else begins or goes on a short one.
// Readers take blocks in the order of their keys, and need not know.

// shortSteps is what a block has at most that is soon made part of a longer one.
const shortSteps = 48

// place is where steps of a tier go.
type place struct {
	key, raw []byte // of the block they go into; raw is nil where it is new
	until    int64  // a step from here on goes elsewhere
}

// home returns where a step goes.
func (t tier) home(b *bbolt.Bucket, target, layout uint32, step int64) (p place, err error) {
	window := bucket(step, t.window)
	key := tierKey{t.id, target, window, layout}
	last := key
	p.until = window + t.window
	prefix := key.prefix()
	c := b.Cursor()
	for k, raw := c.Seek(key.encode()); hasPrefix(k, prefix); k, raw = c.Next() {
		at, _, err := readTierKey(k)
		if err != nil {
			return p, err
		}
		if at.window >= p.until {
			break
		}
		if at.layout != layout {
			continue
		}
		if at.window > step {
			p.until = at.window
			break
		}
		last, p.raw = at, raw
	}
	if p.raw != nil {
		p.key = last.encode()
		end, err := endOf(p.key, p.raw)
		if err != nil {
			return p, err
		}
		if step <= end {
			p.until = min(p.until, end+1)
			return p, nil
		}
		if part := bucket(last.window, t.part); t.part > 0 && step < part+t.part {
			p.until = min(p.until, part+t.part)
			return p, nil
		}
	}
	key.window = step
	if t.part > 0 {
		p.until = min(p.until, bucket(step, t.part)+t.part)
	}
	return place{key.encode(), nil, p.until}, nil
}

// endOf returns the last step of a block.
func endOf(k, raw []byte) (int64, error) {
	_, b, err := openTier(k, raw)
	if err != nil {
		return 0, err
	}
	times, err := b.appendTimes(nil)
	if err != nil {
		return 0, err
	}
	return times[len(times)-1], nil
}

// joined are the windows whose short blocks became long ones, by tier; zero
// where there was nothing to join.
type joined [len(tiers)]int64

// joinTiers joins what lies before the tiers' windows that a merged one began
// in. That is done once in each of those: the next merge finds it done.
func (s *Store) joinTiers(tx *bbolt.Tx, t *target, ms int64) (done joined, err error) {
	for i, tier := range tiers {
		window, ok, err := s.joinTier(tx.Bucket(bucketTiers), t, tier, ms)
		if err = s.intact(err); err != nil {
			return done, err
		}
		if ok {
			done[i] = window
		}
	}
	return done, nil
}

// thicken notes that a long block may hold what was a short one that nobody
// has thinned yet.
func (j joined) thicken(t *target) {
	for i, window := range j {
		if window == 0 {
			continue
		}
		for k := range t.thin[1+i] {
			t.thin[1+i][k] = min(t.thin[1+i][k], window)
		}
	}
}

// storedTier is a tier's block as it lies in the file.
type storedTier struct {
	raw []byte // its key
	key tierKey
	block
}

// joinTier makes long blocks of the short ones of the last window of a tier
// that a target has before ms. It returns where that window begins, and whether
// there was anything to join.
func (s *Store) joinTier(b *bbolt.Bucket, t *target, tier tier, ms int64) (window int64, joined bool, err error) {
	blocks, err := shortBlocks(b, t, tier, ms)
	if err != nil || blocks == nil {
		return 0, false, err
	}
	window = bucket(blocks[0].key.window, tier.window)
	slices.SortStableFunc(blocks, func(a, b storedTier) int { return int(a.key.layout) - int(b.key.layout) })
	for len(blocks) > 0 {
		n := 1
		for n < len(blocks) && blocks[n].key.layout == blocks[0].key.layout {
			n++
		}
		if err := s.joinBlocks(b, blocks[:n], window); err != nil {
			return window, true, err
		}
		blocks = blocks[n:]
	}
	return window, true, nil
}

// shortBlocks returns all blocks of the last window before ms where some of
// them are short, in the order of their keys.
func shortBlocks(b *bbolt.Bucket, t *target, tier tier, ms int64) (blocks []storedTier, err error) {
	find := tierKey{tier: tier.id, target: t.id, window: bucket(ms, tier.window)}
	prefix, end := find.prefix(), find.encode()
	c := b.Cursor()
	k, _ := c.Seek(end)
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	if !hasPrefix(k, prefix) {
		return nil, nil
	}
	last, _, err := readTierKey(k)
	if err != nil {
		return nil, err
	}
	find.window = bucket(last.window, tier.window)
	if last.window == find.window {
		return nil, nil // it is long, and so are all others
	}
	for k, raw := c.Seek(find.encode()); hasPrefix(k, prefix) && string(k) < string(end); k, raw = c.Next() {
		key, block, err := openTier(k, raw)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, storedTier{slices.Clone(k), key, block})
	}
	return blocks, nil
}

// joinBlocks makes one long block of the blocks of one layout. Everything is
// read before anything is deleted, so that what is damaged stays as it is.
func (s *Store) joinBlocks(b *bbolt.Bucket, blocks []storedTier, window int64) error {
	var times []int64
	var err error
	for i := range blocks {
		if blocks[i].columns != blocks[0].columns {
			return damaged("tiers of one layout have %d and %d columns", blocks[i].columns, blocks[0].columns)
		}
		if times, err = blocks[i].appendTimes(times); err != nil {
			return err
		}
	}
	readers := make([]columnReader, len(blocks))
	for i := range blocks {
		readers[i] = blocks[i].reader()
	}
	value, err := s.writer.enc.block(times, blocks[0].columns, func(_ int, dst *cells) error {
		for i := range readers {
			if err := readers[i].next(dst); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range blocks {
		if err := b.Delete(blocks[i].raw); err != nil {
			return err
		}
	}
	key := blocks[0].key
	key.window = window
	return put(b, key.encode(), value)
}
