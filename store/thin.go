package store

import (
	"math"
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

func (t *target) firstPending() int64 {
	if len(t.pending) == 0 {
		return math.MaxInt64
	}
	return slices.Min(t.pending)
}

// thinLevel thins the next blocks of one class that end by the horizon, and
// returns the window of the first that is still to be looked at. What is
// damaged stays as it is, for verify to find.
func (s *Store) thinLevel(tx *bbolt.Tx, t *target, level int, kind fleet.SeriesKind, horizon int64) (next int64, err error) {
	next = t.thin[level][slices.Index(kinds[:], kind)]
	l := levelOf(tx, t, level, next)
	type write struct{ key, value []byte }
	var writes []write
	c, seen := l.bucket.Cursor(), 0
	for k, v := c.Seek(l.first); hasPrefix(k, l.prefix); k, v = c.Next() {
		b, err := l.open(k, v)
		if err != nil {
			s.stats.broken.Add(1)
			continue
		}
		if b.window+l.length > horizon {
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
			writes = append(writes, write{slices.Clone(k), value})
		}
	}
	for _, w := range writes {
		if err := put(l.bucket, w.key, w.value); err != nil {
			return next, err
		}
	}
	return next, nil
}

// level is where the blocks of a target lie at one level.
type level struct {
	bucket        *bbolt.Bucket
	prefix, first []byte
	length        int64 // ms that a block covers
	open          func(k, v []byte) (levelBlock, error)
}

// levelBlock is a block at any level.
type levelBlock struct {
	window int64
	layout uint32
	block
}

func levelOf(tx *bbolt.Tx, t *target, i int, from int64) level {
	if i == 0 {
		return level{tx.Bucket(bucketBlocks), idKey(t.id), windowKey(t.id, from), windowMs, func(k, v []byte) (levelBlock, error) {
			b, err := openStored(k, v)
			return levelBlock{window: b.key.window, layout: b.key.layout, block: b.block}, err
		}}
	}
	tier := tiers[i-1]
	first := tierKey{tier: tier.id, target: t.id, window: from}
	return level{tx.Bucket(bucketTiers), first.prefix(), first.encode(), tier.window, func(k, v []byte) (levelBlock, error) {
		key, b, err := openTier(k, v)
		return levelBlock{window: key.window, layout: key.layout, block: b}, err
	}}
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
