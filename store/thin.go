package store

import (
	"slices"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// A class of series that is kept for less time than the others leaves their
// blocks: a block past its horizon is written once more with those columns
// empty. It goes as a whole when it is past the horizon of all.
//
// Whether a block is thin is seen in the block itself, so that thinning it
// twice changes nothing. So that it is not looked at twice, each target
// remembers up to where it has been thinned; after a start that is found again.

// thinMost is how many blocks of a target are looked at per batch.
const thinMost = 8

// levels are the samples and the tiers above them.
const levels = 1 + len(tiers)

// thinned says up to which window a target's blocks have been thinned, by level
// and class. Windows begin after 1970; zero is before all.
type thinned [levels][len(kinds)]int64

// thickened notes that a window has new rows.
func (t *target) thickened(window int64) {
	for level := range t.thin {
		first := window
		if level > 0 {
			first = bucket(bucket(window, tiers[level-1].step), tiers[level-1].window)
		}
		for k := range t.thin[level] {
			t.thin[level][k] = min(t.thin[level][k], first)
		}
	}
}

// thinOut empties the columns of classes whose time has passed, at each level,
// and returns how far the target has been thinned once that has committed.
func (s *Store) thinOut(tx *bbolt.Tx, t *target, now int64) (thinned, error) {
	most, done := s.cfg.Retention.most(), t.thin
	for k, kind := range kinds {
		keep := s.cfg.Retention.of(kind)
		for level := range levels {
			if keep.at(level) == most.at(level) {
				continue
			}
			// What has not been merged is still needed to make the tiers.
			horizon := min(now-keep.at(level), t.firstPending()-windowMs)
			next, err := s.thinLevel(tx, t, level, kind, horizon)
			if err != nil {
				return t.thin, err
			}
			done[level][k] = next
		}
	}
	return done, nil
}

// thinLevel thins the next blocks of one class that end by the horizon, and
// returns the window of the first that is still to be looked at. What is
// damaged stays as it is, for verify to find.
func (s *Store) thinLevel(tx *bbolt.Tx, t *target, level int, kind fleet.SeriesKind, horizon int64) (next int64, err error) {
	next = t.thin[level][slices.Index(kinds[:], kind)]
	l := levelOf(tx, t, level, next)
	var writes []func() error
	for seen := 0; ; {
		b, ok, err := l.next(horizon - l.length + 1)
		if err != nil {
			s.stats.broken.Add(1)
			continue
		}
		if !ok {
			break
		}
		// Never stop between two blocks of one window: one would be missed.
		if b.window > next {
			if next = b.window; seen >= thinMost {
				break
			}
		}
		seen++
		value, err := s.thinBlock(&b, level, kind)
		switch {
		case err != nil:
			s.stats.broken.Add(1)
		case value != nil:
			writes = append(writes, func() error { return b.put(value) })
		}
	}
	for _, write := range writes {
		if err := write(); err != nil {
			return next, err
		}
	}
	return next, nil
}

// level is where the blocks of a target lie at one level.
type level struct {
	length int64 // ms that a block covers
	// next returns the next block that begins before end, with all columns,
	// until it is called again. An error is of damage, which it stands behind.
	next func(end int64) (b levelBlock, ok bool, err error)
}

// levelBlock is a block at any level.
type levelBlock struct {
	window int64
	layout uint32
	block
	put func(value []byte) error // in its place
}

// levelOf stands before the blocks that begin at from, or later.
func levelOf(tx *bbolt.Tx, t *target, i int, from int64) level {
	if i == 0 {
		return level{windowMs, samplesFrom(tx.Bucket(bucketBlocks), t, from)}
	}
	tier, in := tiers[i-1], tiersIn(tx)
	var w tierWalk
	w.begin(in, tier, t.id, from)
	return level{tier.window, func(end int64) (b levelBlock, ok bool, err error) {
		if ok, err = w.next(end); err != nil || !ok {
			return b, false, err
		}
		at := w.at
		err = w.all()
		return levelBlock{at.key.window, at.key.layout, w.block, func(value []byte) error { return in.put(at.key, at.long, value) }}, err == nil, err
	}}
}

// samplesFrom is level.next of the samples.
func samplesFrom(bucket *bbolt.Bucket, t *target, from int64) func(end int64) (levelBlock, bool, error) {
	c, prefix := bucket.Cursor(), idKey(t.id)
	k, v := c.Seek(windowKey(t.id, from))
	return func(end int64) (b levelBlock, ok bool, err error) {
		if !hasPrefix(k, prefix) {
			return b, false, nil
		}
		stored, err := openStored(k, v)
		if err == nil && stored.key.window >= end {
			return b, false, nil
		}
		k, v = c.Next()
		return levelBlock{stored.key.window, stored.key.layout, stored.block, func(value []byte) error { return put(bucket, stored.key.encode(), value) }}, err == nil, err
	}
}

// thickPlaces returns the columns of a class that are not empty, or nil.
func (s *Store) thickPlaces(b *levelBlock, level int, kind fleet.SeriesKind) (places map[int]bool, err error) {
	l := s.layouts.get(b.layout)
	if l == nil {
		return nil, damaged("a block of an unknown layout")
	}
	place := 0
	if level > 0 {
		place = 1
	}
	for _, k := range l.keys {
		width := 1
		if level > 0 {
			width = tierWidth(k)
		}
		for range width {
			if raw := b.column(place); k.Kind() == kind && len(raw) > 0 && raw[0] != columnEmpty {
				if places == nil {
					places = map[int]bool{}
				}
				places[place] = true
			}
			place++
		}
	}
	return places, nil
}

// thinBlock writes a block again with the columns of a class empty; nil stands
// for one that is thin already. It keeps its rows: when a target was polled is
// known for as long as any class is kept. The errors are of damage.
func (s *Store) thinBlock(b *levelBlock, level int, kind fleet.SeriesKind) ([]byte, error) {
	places, err := s.thickPlaces(b, level, kind)
	if err != nil || places == nil {
		return nil, err
	}
	times, err := b.appendTimes(nil)
	if err != nil {
		return nil, err
	}
	return s.writer.enc.block(times, b.columns, func(c int, dst *cells) error {
		if places[c] {
			dst.none(b.rows)
			return nil
		}
		return readCells(dst, b.column(c), b.rows)
	})
}
