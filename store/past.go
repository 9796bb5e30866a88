package store

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// At returns what was true at t, in the form in which Memory returns what is:
// the rows that were the newest then, the readings that had come in by then,
// the events before it, and the jobs of the day before, as they stood then. The
// engine makes the same snapshot from it that it makes at a start.
//
// The rows are exact for as far back as changes are kept. Readings are given
// for targets that were polled in the window of t or the one before it. Damaged
// ones are left out, and noted in Stats: the fleet does not go dark for them.
func (s *Store) At(ctx context.Context, t time.Time) (fleet.Memory, error) {
	m := fleet.Memory{At: t}
	var open [][]*row // a row that goes into a block meanwhile is in neither, unless it is held
	var newest Place
	err := s.bothWith(ctx, func() { open, newest = s.targets.allOpen(), s.targets.place() }, func(state, series *bbolt.Tx) error {
		read := make(chan error, 1) // beside the rows: they lie in two files
		go func() {
			read <- guard(func() (err error) {
				m.Readings, err = s.readingsAt(ctx, series, open, toMs(t))
				return err
			})
		}()
		err := guard(func() (err error) {
			mark, err := readMark(state)
			if err != nil {
				return err
			}
			m.Version = max(mark.seq, newest.Seq)
			if m.Tables, err = tablesAt(ctx, state, unixNano(t), len(open)); err != nil {
				return err
			}
			if m.Jobs, err = jobsAt(ctx, state, t); err != nil {
				return err
			}
			m.Recent, err = s.readEvents(ctx, state, eventQuery{until: t, limit: fleet.MaxRecent, least: fleet.SeverityWarn})
			return s.skipDamage(err)
		})
		return cmp.Or(err, <-read)
	})
	return m, err
}

// readingsAt returns the newest row of each target that is not after at. The
// targets are shared out among the processors; open are the rows of each that are
// in no block that tx sees.
func (s *Store) readingsAt(ctx context.Context, tx *bbolt.Tx, open [][]*row, at int64) ([]fleet.Readings, error) {
	targets := s.targets.all()[:len(open)]
	workers := runtime.GOMAXPROCS(0)
	parts, errs := make([][]fleet.Readings, workers), make([]error, workers)
	var all sync.WaitGroup
	for w := range workers {
		r := pastReader{store: s, blocks: tx.Bucket(bucketBlocks).Cursor(), tiers: tiersIn(tx), at: at}
		from, to := len(targets)*w/workers, len(targets)*(w+1)/workers
		all.Go(func() {
			errs[w] = guard(func() (err error) {
				parts[w], err = r.rows(ctx, targets[from:to], open[from:to])
				return err
			})
		})
	}
	all.Wait()
	return slices.Concat(parts...), errors.Join(errs...)
}

// pastReader reads rows as of a time; it belongs to one goroutine.
type pastReader struct {
	store  *Store
	blocks *bbolt.Cursor
	tiers  tierBuckets
	at     int64 // Unix milliseconds
	times  []int64

	walk  tierWalk
	found longBlock // the best of those it came to
}

func (r *pastReader) rows(ctx context.Context, targets []*target, open [][]*row) ([]fleet.Readings, error) {
	out := make([]fleet.Readings, 0, len(targets))
	for i, t := range targets {
		row, err := r.row(t, open[i])
		if err != nil {
			if err = r.store.skipDamage(err); err != nil {
				return nil, err
			}
		} else if row.Keys != nil {
			row.Target = t.name
			out = append(out, row)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, nil
}

// row returns a target's newest row that is not after the time, without Keys
// where there is none in the window of that time or the one before it, nor a
// step of a tier.
func (r *pastReader) row(t *target, open []*row) (out fleet.Readings, err error) {
	var best *row
	// Rows and blocks are looked for from the same time on: an older row that
	// came late and is still open must not hide a newer one in a block.
	found, since := int64(-1), t.windowOf(r.at)-windowMs
	for _, x := range open {
		if x.at <= r.at && x.at >= since && (found < 0 || x.at >= found) {
			best, found = x, x.at
		}
	}
	var block stored
	place := -1
	first := windowKey(t.id, since)
	for k, raw := r.blocks.Seek(first); hasPrefix(k, first[:4]); k, raw = r.blocks.Next() {
		key, err := readBlockKey(k)
		if err == nil && key.window > r.at {
			break
		}
		if err == nil && key.window+windowMs <= found {
			continue // all of it lies before what is found
		}
		var b stored
		if err == nil {
			b, err = openStored(k, raw)
		}
		if err == nil {
			r.times, err = b.appendTimes(r.times[:0])
		}
		if err != nil {
			if err = r.store.skipDamage(err); err != nil {
				return out, err
			}
			continue
		}
		i, exact := slices.BinarySearch(r.times, r.at)
		if !exact {
			i--
		}
		// Of one time the last that was polled, as in Series.
		if i >= 0 && (r.times[i] > found || r.times[i] == found && place >= 0 && !key.imported) {
			found, block, place = r.times[i], b, i
		}
	}
	switch {
	case found < 0:
		return r.tierRow(t)
	case place >= 0:
		return r.store.blockRow(&block, place, found)
	}
	out = fleet.Readings{At: fromMs(best.at), Keys: best.layout.keys, Values: make([]fleet.Num, len(best.layout.keys))}
	if err = readBody(best.body, out.Values); err != nil {
		if err = r.store.skipDamage(err); err != nil {
			return fleet.Readings{}, err
		}
		return r.row(t, slices.DeleteFunc(slices.Clone(open), func(x *row) bool { return x == best }))
	}
	return out, nil
}

// blockRow reads one row across the columns of a block.
func (s *Store) blockRow(b *stored, place int, at int64) (fleet.Readings, error) {
	l := s.layouts.get(b.key.layout)
	if l == nil || len(l.keys) != b.columns {
		return fleet.Readings{}, damaged("a block of an unknown layout")
	}
	r := fleet.Readings{At: fromMs(at), Keys: l.keys, Values: make([]fleet.Num, b.columns)}
	lengths, data := b.lengths, b.data
	for c := range b.columns {
		n, rest, err := readUvarint(lengths)
		if err != nil || n > uint64(len(data)) {
			return r, damaged("column %d", c)
		}
		if r.Values[c], err = pick(data[:n], b.rows, place); err != nil {
			return r, err
		}
		lengths, data = rest, data[n:]
	}
	return r, nil
}
