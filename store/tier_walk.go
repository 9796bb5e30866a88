package store

import (
	"errors"
	"math"

	"go.etcd.io/bbolt"
)

// tierBuckets are where the blocks of tiers lie: short ones, with the long ones
// that an older plumb wrote, and the pieces of long ones.
type tierBuckets struct{ short, long *bbolt.Bucket }

func tiersIn(tx *bbolt.Tx) tierBuckets {
	return tierBuckets{tx.Bucket(bucketTiers), tx.Bucket(bucketLong)}
}

// put writes a block in the place of the one that was there.
func (b tierBuckets) put(k tierKey, long bool, value []byte) error {
	if long {
		return putLong(b.long, k, value)
	}
	return put(b.short, k.encode(), value)
}

// tierWalk goes over the blocks that a target has in a tier, in the order of
// where they begin. It holds the present one, short or long.
type tierWalk struct {
	longBlock
	at          found
	tier        tier
	target      uint32
	short, long source
}

// source is a bucket that a walk goes over.
type source struct {
	c     *bbolt.Cursor
	from  tierKey // where it is to be looked for
	begun bool    // the cursor stands where something was found
	ended bool
	next  found
}

// found is a block, or the first piece of one, in its bucket.
type found struct {
	key    tierKey
	long   bool
	k, raw []byte // k is nil where there is none
}

// begin stands before the first block that begins at from, or later. Space is
// used again.
func (w *tierWalk) begin(b tierBuckets, tier tier, target uint32, from int64) {
	w.tier, w.target, w.at = tier, target, found{}
	first := tierKey{tier: tier.id, target: target, window: from}
	w.short, w.long = source{c: b.short.Cursor(), from: first}, source{c: b.long.Cursor(), from: first}
}

// next goes to the next block that begins before end, and reads its times; the
// columns of a long one are read when they are needed. It reports whether there
// is one. An error is of damage, which it stands behind.
func (w *tierWalk) next(end int64) (ok bool, err error) {
	if err := w.nextShort(); err != nil {
		return false, err
	}
	w.nextLong()
	from := &w.long
	if from.next.k == nil || w.short.next.k != nil && w.short.next.key.window < from.next.key.window {
		from = &w.short
	}
	if from.next.k == nil || from.next.key.window >= end {
		return false, nil
	}
	w.at, from.next = from.next, found{}
	if w.at.long {
		err = w.open(from.c, w.at.k, w.at.raw)
	} else {
		err = w.openShort(w.at.k, w.at.raw)
	}
	return err == nil, err
}

// firstTimes returns the times of the first block that can be read.
func (w *tierWalk) firstTimes() (times []int64, err error) {
	for {
		ok, err := w.next(math.MaxInt64)
		if err == nil && ok {
			times, err = w.appendTimes(nil)
		}
		if err == nil || !errors.Is(err, ErrDamaged) {
			return times, err
		}
	}
}

// nextShort finds the next block in the bucket of short ones.
func (w *tierWalk) nextShort() (err error) {
	s := &w.short
	if s.next.k != nil || s.ended {
		return nil
	}
	var f found
	if s.begun {
		f.k, f.raw = s.c.Next()
	} else {
		s.begun = true
		f.k, f.raw = s.c.Seek(s.from.encode())
	}
	if s.ended = !hasPrefix(f.k, s.from.prefix()); s.ended {
		return nil
	}
	if f.key, _, err = readTierKey(f.k); err == nil {
		s.next = f
	}
	return err
}

// nextLong finds the next long block: there is one window after the other, and
// the target in some of them. A key that cannot be read may be anybody's, and
// stands in nobody's way.
func (w *tierWalk) nextLong() {
	s := &w.long
	for s.next.k == nil && !s.ended {
		var key tierKey
		k, raw := s.c.Seek(s.from.piece(0))
		for err := error(nil); hasPrefix(k, []byte{w.tier.id}); k, raw = s.c.Next() {
			if key, _, err = readPieceKey(k); err == nil {
				break
			}
		}
		if s.ended = !hasPrefix(k, []byte{w.tier.id}); s.ended {
			return
		}
		later := tierKey{tier: key.tier, target: w.target, window: key.window}
		if key.target == w.target {
			s.next, later.layout = found{key, true, k, raw}, key.layout+1
		}
		if key.target > w.target || later.layout == 0 && key.target == w.target {
			later.window = bucket(key.window, w.tier.window) + w.tier.window
		}
		s.from = later
	}
}
