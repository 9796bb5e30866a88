package store

import (
	"cmp"
	"slices"

	"go.etcd.io/bbolt"
)

// A tier's block is long, so that its columns take little. Written again with
// every window that is merged, it would be coded a hundred times before it is
// full. So new steps go into short blocks, which begin with the key of their
// first step, and once a window of the tier has passed its short blocks become
// the long one, which has a bucket of its own, see pieces.go. Until schema 4 it
// had the key of its window among the short ones; such are kept as they are.
//
// Blocks of one layout do not overlap: a step lies in the last block that begins
// by then, if that one reaches so far, and else begins or goes on a short one.
// Readers take blocks in the order of where they begin, and need not know.

// shortSteps is what a block has at most that is soon made part of a longer one.
const shortSteps = 48

// place is where steps of a tier go.
type place struct {
	key   tierKey
	long  bool
	old   *block // what is there, with all columns; nil: nothing
	until int64  // a step from here on goes elsewhere
}

// home returns where a step goes. What is there stands in l.
func (t tier) home(b tierBuckets, l *longBlock, target, layout uint32, step int64) (p place, err error) {
	window := bucket(step, t.window)
	p = place{key: tierKey{t.id, target, window, layout}, until: window + t.window}
	var there []byte
	prefix := p.key.prefix()
	c := b.short.Cursor()
	for k, raw := c.Seek(p.key.encode()); hasPrefix(k, prefix); k, raw = c.Next() {
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
		p.key, there = at, raw
	}
	found := there != nil
	if found {
		err = l.openShort(p.key.encode(), there)
	} else {
		found, err = l.find(b.long, p.key)
		p.long = found
	}
	if err != nil {
		return p, err
	}
	if found {
		times, err := l.appendTimes(nil)
		if err != nil {
			return p, err
		}
		part := bucket(p.key.window, t.part) + t.part
		switch end := times[len(times)-1]; {
		case step <= end:
			p.until = min(p.until, end+1)
		case t.part > 0 && step < part:
			p.until = min(p.until, part)
		default:
			found = false
		}
	}
	if found {
		p.old = &l.block
		return p, l.all()
	}
	p.key.window, p.long = step, false
	if t.part > 0 {
		p.until = min(p.until, bucket(step, t.part)+t.part)
	}
	return p, nil
}

// joined are the windows whose short blocks became long ones, by tier; zero
// where there was nothing to join.
type joined [len(tiers)]int64

// joinTiers joins what lies before the tiers' windows that a merged one began
// in. That is done once in each of those: the next merge finds it done.
func (s *Store) joinTiers(tx *bbolt.Tx, t *target, ms int64) (done joined, err error) {
	for i, tier := range tiers {
		window, ok, err := s.joinTier(tiersIn(tx), t, tier, ms)
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

// joinTier makes long blocks of the short ones of the last window of a tier
// that a target has before ms. It returns where that window begins, and whether
// there was anything to join.
func (s *Store) joinTier(b tierBuckets, t *target, tier tier, ms int64) (window int64, joined bool, err error) {
	blocks, err := shortBlocks(b, t, tier, ms)
	if err != nil || blocks == nil {
		return 0, false, err
	}
	window = bucket(blocks[0].key.window, tier.window)
	slices.SortStableFunc(blocks, func(a, b storedTier) int { return cmp.Compare(a.key.layout, b.key.layout) })
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

// storedTier is a tier's block as it lies in the file, with all columns.
type storedTier struct {
	found
	block
}

// shortBlocks returns all blocks of the last window before ms where some of
// them are short, in the order of where they begin.
func shortBlocks(b tierBuckets, t *target, tier tier, ms int64) (blocks []storedTier, err error) {
	find := tierKey{tier: tier.id, target: t.id, window: bucket(ms, tier.window)}
	c := b.short.Cursor()
	k, _ := c.Seek(find.encode())
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	if !hasPrefix(k, find.prefix()) {
		return nil, nil
	}
	last, _, err := readTierKey(k)
	if err != nil {
		return nil, err
	}
	window := bucket(last.window, tier.window)
	if last.window == window {
		return nil, nil // it is long, of before schema 5, or nothing came after it
	}
	var w tierWalk
	for w.begin(b, tier, t.id, window); ; {
		ok, err := w.next(window + tier.window)
		if err != nil || !ok {
			return blocks, err
		}
		if err := w.all(); err != nil {
			return nil, err
		}
		blocks = append(blocks, storedTier{w.at, w.block})
		w.whole = nil // it is theirs
	}
}

// joinBlocks makes one long block of the blocks of one layout. Everything is
// read before anything is deleted, so that what is damaged stays as it is.
func (s *Store) joinBlocks(b tierBuckets, blocks []storedTier, window int64) error {
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
		if err := b.short.Delete(blocks[i].key.encode()); err != nil { // a long one is not there
			return err
		}
	}
	key := blocks[0].key
	key.window = window
	return putLong(b.long, key, value)
}
