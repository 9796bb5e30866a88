package store

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// sample is one value of a series.
type sample struct {
	at int64 // Unix milliseconds
	v  fleet.Num
}

// Series returns the points of one series with from <= At < to. With step 0
// they are the samples as stored; else one point per step, which carries the
// extremes and the mean of what lies in it and stands at its beginning, on a
// multiple of step since 1970. Where nothing was read there is no point: a gap
// stays a gap.
//
// Counters come as rates per second in the counter's own unit, with three
// decimals, at the time of the later of two samples: differences modulo 2^64.
// There is no rate over a null, over more than 15 minutes, or over a reset.
// Of a state, Min is the best, Max the worst and Mean the last.
//
// Where two values were said for one time, what was polled stands before what
// was imported, and what came later before what came first.
//
// Steps of 5 minutes, an hour, or a multiple come from the tiers where those
// are made: the step that from lies in is then whole, and a counter's Min and
// Max are those of the tier's steps. Before the samples that are kept there
// are points of 5 minutes, before those of an hour, whatever the step.
//
// Times are kept to the millisecond. An unknown target or key has no points. What
// is damaged is a gap: the points of all the rest come with an error that says what
// it is, and wraps ErrDamaged.
func (s *Store) Series(ctx context.Context, target string, key fleet.SeriesKey, from, to time.Time, step time.Duration) ([]fleet.Point, error) {
	if !from.Before(to) {
		return nil, nil
	}
	t := s.targets.get(target)
	if t == nil {
		return nil, nil
	}
	if _, err := s.blocks(ctx); err != nil { // then all is known that is still to be merged
		return nil, err
	}
	a, b := max(toMs(from), 0), toMs(to)
	parts := s.segments(t, key.Kind(), a, b, durMs(step))
	r := seriesReader{Store: s, t: t, key: key}
	points, err := r.points(ctx, parts, a, durMs(step))
	if err == nil {
		if err = r.holes.err(); err != nil {
			s.stats.met.Store(true)
		}
	}
	return points, err
}

// seriesReader reads one series, and remembers what of it is damaged.
type seriesReader struct {
	*Store
	t     *target
	key   fleet.SeriesKey
	holes holes
}

// points reads the segments of an answer that begins at from.
func (s *seriesReader) points(ctx context.Context, parts []segment, from, step int64) ([]fleet.Point, error) {
	if s.key.Kind() != fleet.Counter {
		return s.readSegments(ctx, parts, step)
	}
	v, gap, err := s.readTotals(ctx, parts)
	if err != nil {
		return nil, err
	}
	return ratePoints(v, from, step, gap), nil
}

// scratch is the space that reading one series needs. It is kept between reads,
// because a chart is read again with every frame and what it leaves behind
// should be the points alone.
type scratch struct {
	times, ints []int64
	out         []sample
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// samples reads the samples of one series with from <= at < to, nulls too, in
// order of time, each time once. They lie in scratch space, and are good until that
// is used again.
func (s *seriesReader) samples(ctx context.Context, sc *scratch, from, to int64) ([]sample, error) {
	// The open rows first: a row that goes into a block between the two reads is
	// then seen twice, which does no harm, and never not at all.
	rows, err := s.openRows(ctx, s.t)
	if err != nil {
		return nil, err
	}
	sc.out = sc.out[:0]
	err = s.viewSeries(ctx, func(tx *bbolt.Tx) error { return s.blockSamples(ctx, tx, sc, from, to) })
	if err != nil {
		return nil, err
	}
	out := sc.out
	var l *layout
	column := -1
	for _, r := range rows {
		if r.layout != l {
			l, column = r.layout, r.layout.column(s.key)
		}
		if column < 0 || r.at < from || r.at >= to {
			continue
		}
		v, err := bodyAt(r.body, column)
		if err == nil {
			out = append(out, sample{r.at, v})
		} else if err = s.holes.pass(err, func() string { return "the newest readings of " + shown(s.t.name) }); err != nil {
			return nil, err
		}
	}
	sc.out = out
	return inOrder(out), nil
}

func (s *seriesReader) blockSamples(ctx context.Context, tx *bbolt.Tx, sc *scratch, from, to int64) error {
	x := blockColumn{seriesReader: s, place: -1, window: -1}
	prefix := idKey(s.t.id)
	c := tx.Bucket(bucketBlocks).Cursor()
	for k, raw := c.Seek(windowKey(s.t.id, s.t.windowOf(from))); hasPrefix(k, prefix); k, raw = c.Next() {
		bk, err := readBlockKey(k)
		if err == nil && bk.window >= to {
			break
		}
		if err == nil {
			err = x.add(sc, bk, k, raw, from, to)
		}
		err = s.holes.pass(err, func() string {
			return describe(string(bucketBlocks), k, k, func(uint32) string { return s.t.name })
		})
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// blockColumn reads one series from block after block.
type blockColumn struct {
	*seriesReader
	l      *layout
	place  int   // in the layout; -1: it is not there
	window int64 // of the block before
	before int   // of the samples of that window, those from here on were polled
}

// add appends the samples of a block.
func (x *blockColumn) add(sc *scratch, key blockKey, k, raw []byte, from, to int64) error {
	if key.window != x.window {
		x.window, x.before = key.window, len(sc.out)
	}
	if x.l == nil || x.l.id != key.layout {
		if x.l = x.layouts.get(key.layout); x.l == nil {
			return damaged("block %x of an unknown layout", k)
		}
		x.place = x.l.column(x.key)
	}
	if x.place < 0 {
		return nil
	}
	b, err := openStored(k, raw)
	if err != nil {
		return err
	}
	polled := len(sc.out)
	if err := sc.add(&b.block, x.place, from, to); err != nil {
		return err
	}
	if n := len(sc.out) - polled; key.imported { // of one time the last stays
		sc.out = slices.Insert(sc.out[:polled], x.before, slices.Clone(sc.out[polled:])...)
		x.before += n
	}
	return nil
}

// add appends the samples of one column of a block.
func (sc *scratch) add(b *block, place int, from, to int64) (err error) {
	if sc.times, err = b.appendTimes(sc.times[:0]); err != nil {
		return err
	}
	c, err := openColumn(b.column(place), b.rows, sc.ints)
	if err != nil {
		return err
	}
	next := 0
	for i, at := range sc.times {
		if v := c.at(i, &next); at >= from && at < to {
			sc.out = append(sc.out, sample{at, v})
		}
	}
	if c.ints != nil {
		sc.ints = c.ints
	}
	return nil
}

// inOrder sorts samples by time; of those with one time the last stays.
func inOrder(v []sample) []sample {
	sorted := true
	for i := 1; i < len(v) && sorted; i++ {
		sorted = v[i-1].at < v[i].at
	}
	if sorted {
		return v
	}
	slices.SortStableFunc(v, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
	out := v[:1]
	for _, x := range v[1:] {
		if last := &out[len(out)-1]; x.at == last.at {
			*last = x
		} else {
			out = append(out, x)
		}
	}
	return out
}

// oldest returns the time of the earliest window or row kept of a target, in
// Unix milliseconds.
func (s *Store) oldest(ctx context.Context, t *target) (ms int64, ok bool, err error) {
	rows, err := s.openRows(ctx, t)
	if err != nil {
		return 0, false, err
	}
	err = s.viewSeries(ctx, func(tx *bbolt.Tx) error {
		// Parts of the first window may begin in any order.
		first, prefix := int64(0), idKey(t.id)
		c := tx.Bucket(bucketBlocks).Cursor()
		for k, raw := c.Seek(prefix); hasPrefix(k, prefix); k, raw = c.Next() {
			key, err := readBlockKey(k)
			if err != nil {
				continue // whose time nobody knows
			}
			if ok && key.window != first {
				break
			}
			if begins := blockBegin(key, k, raw); !ok || begins < ms {
				first, ms, ok = key.window, begins, true
			}
		}
		return nil
	})
	for _, r := range rows {
		if !ok || r.at < ms {
			ms, ok = r.at, true
		}
	}
	return ms, ok, err
}

// blockBegin returns the time of the first row of a block; of one that cannot be
// read the beginning of its window.
func blockBegin(key blockKey, k, raw []byte) (ms int64) {
	b, err := openStored(k, raw)
	if err != nil {
		return key.window
	}
	times, err := b.appendTimes(nil)
	if err != nil {
		return key.window
	}
	return times[0]
}
