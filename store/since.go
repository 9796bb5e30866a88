package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// Whoever tells readings to another system follows the batches. What it has not
// seen yet mostly lies in memory, with the number of its batch: that is exact. A
// reader that was away finds rows of then in blocks, which no longer say which
// batch they came in; those are found by time, and a little too many of them
// rather than one too few.

// Place is how far a reader has come in all readings.
type Place struct {
	Seq uint64    // of the last batch of which it has all
	At  time.Time // when that was committed
}

// Since says which readings a reader wants.
type Since struct {
	From Place
	// Until ends a slice of the way, so that a reader who was away long can note
	// how far it is; zero: everything that is committed.
	Until time.Time
	// Late is how much older than its commit a row may be at most: the longest
	// poll. Rows that are this much older than From may come once more.
	Late time.Duration
}

// newest is the place of the last batch that brought readings.
func (ts *targets) place() Place {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.newest
}

// Here returns the place up to which there are readings.
func (s *Store) Here() Place { return s.targets.place() }

// ReadingsSince yields the rows that were committed after a place, but for what
// was imported: target by target, and each target's in the order of their times.
// It returns the place that the reader has come to, which is From where yield or
// reading failed. Rows may come twice, see Since; none is left out that is still
// kept, but what is damaged is counted and left out. Keys and Values are good until yield returns.
func (s *Store) ReadingsSince(ctx context.Context, q Since, yield func(fleet.Readings) error) (Place, error) {
	here := s.targets.place()
	if here.Seq <= q.From.Seq { // no batch since brought readings
		return q.From, nil
	}
	to := here
	if !q.Until.IsZero() && q.Until.Before(here.At) {
		to = Place{q.From.Seq, q.Until}
	}
	from := q.From.At
	if now := s.clock.wall(); from.After(now) { // it went back
		from = now
	}
	r := sinceReader{store: s, after: q.From.Seq, upTo: here.Seq, from: toMs(from.Add(-q.Late)), until: toMs(to.At), sliced: to != here}
	for _, t := range s.targets.all() {
		if err := ctx.Err(); err != nil {
			return q.From, err
		}
		if err := r.read(ctx, t); err != nil {
			return q.From, err
		}
		for _, row := range r.rows {
			if err := yield(row); err != nil {
				return q.From, err
			}
		}
	}
	return to, nil
}

// sinceReader reads the rows of one target after the other.
type sinceReader struct {
	store       *Store
	after, upTo uint64 // batches
	from, until int64  // Unix milliseconds: from is left out, until is in
	sliced      bool

	rows   []fleet.Readings
	whole  int // of those from blocks, how many have their values
	times  []int64
	ints   []int64
	values []fleet.Num
}

// read takes the rows of a target, without those that are damaged.
func (r *sinceReader) read(ctx context.Context, t *target) error {
	r.rows, r.values, r.whole = r.rows[:0], r.values[:0], 0
	if _, err := r.store.blocks(ctx); err != nil {
		return err
	}
	open, parted := r.store.targets.openParted(t)
	if parted > r.after {
		err := r.store.viewSeries(ctx, func(tx *bbolt.Tx) error { return r.blocks(tx, t) })
		r.rows = r.rows[:r.whole] // a page that cannot be read ends blocks where it stands
		if err = r.store.skipDamage(err); err != nil {
			return err
		}
	}
	inBlocks := len(r.rows)
	first := len(open)
	for first > 0 && open[first-1].seq > r.after { // mostly there is one
		first--
	}
	for _, x := range open[first:] {
		if x.seq > r.upTo || x.at <= r.from || r.sliced && x.at > r.until {
			continue
		}
		row := fleet.Readings{Target: t.name, At: fromMs(x.at), Keys: x.layout.keys, Values: r.room(len(x.layout.keys))}
		if err := readBody(x.body, row.Values); err == nil {
			r.rows = append(r.rows, row)
		} else if err = r.store.skipDamage(err); err != nil {
			return err
		}
	}
	slices.SortStableFunc(r.rows, func(a, b fleet.Readings) int { return cmp.Compare(a.At.UnixMilli(), b.At.UnixMilli()) })
	if inBlocks > 0 { // a row that went into a block meanwhile is in both
		r.rows = slices.CompactFunc(r.rows, func(a, b fleet.Readings) bool { return a.At.Equal(b.At) })
	}
	return nil
}

// room returns space for the values of a row. Rows that have theirs keep it.
func (r *sinceReader) room(n int) []fleet.Num {
	if len(r.values)+n > cap(r.values) {
		r.values = make([]fleet.Num, 0, max(2*cap(r.values), n, 1024))
	}
	at := len(r.values)
	r.values = r.values[:at+n]
	return r.values[at : at+n : at+n]
}

// blocks takes the rows of a target out of its blocks by their times.
func (r *sinceReader) blocks(tx *bbolt.Tx, t *target) error {
	prefix := idKey(t.id)
	c := tx.Bucket(bucketBlocks).Cursor()
	for k, raw := c.Seek(windowKey(t.id, t.windowOf(r.from))); hasPrefix(k, prefix); k, raw = c.Next() {
		key, err := readBlockKey(k)
		if err == nil && key.window > r.until {
			break
		}
		if err == nil && key.imported {
			continue
		}
		var b stored
		if err == nil {
			b, err = openStored(k, raw)
		}
		if err == nil {
			err = r.block(t, &b)
		}
		if err == nil {
			r.whole = len(r.rows)
		}
		r.rows = r.rows[:r.whole]
		if err = r.store.skipDamage(err); err != nil {
			return err
		}
	}
	return nil
}

// block takes the rows of a block. Where it fails some of them are without values.
func (r *sinceReader) block(t *target, b *stored) (err error) {
	if r.times, err = b.appendTimes(r.times[:0]); err != nil {
		return err
	}
	first, _ := slices.BinarySearch(r.times, r.from+1)
	end, _ := slices.BinarySearch(r.times, r.until+1)
	if first >= end {
		return nil
	}
	l := r.store.layouts.get(b.key.layout)
	if l == nil || len(l.keys) != b.columns {
		return damaged("a block of an unknown layout")
	}
	begin := len(r.rows)
	for _, at := range r.times[first:end] {
		r.rows = append(r.rows, fleet.Readings{Target: t.name, At: fromMs(at), Keys: l.keys, Values: r.room(b.columns)})
	}
	lengths, data := b.lengths, b.data
	for place := range b.columns {
		n, rest, err := readUvarint(lengths)
		if err != nil || n > uint64(len(data)) {
			return damaged("column %d", place)
		}
		c, err := openColumn(data[:n], b.rows, r.ints)
		if err != nil {
			return err
		}
		next := 0
		for i := range end {
			if v := c.at(i, &next); i >= first {
				r.rows[begin+i-first].Values[place] = v
			}
		}
		if c.ints != nil {
			r.ints = c.ints
		}
		lengths, data = rest, data[n:]
	}
	return nil
}
