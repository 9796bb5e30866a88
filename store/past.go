package store

import (
	"context"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// At returns what was true at t, in the form in which Memory returns what is:
// the rows that were the newest then, the readings that had come in by then,
// the events before it, and the jobs that had begun and have no end. The
// engine makes the same snapshot from it that it makes at a start.
//
// The rows are exact for as far back as changes are kept. Readings are given
// for targets that were polled in the window of t or the one before it.
func (s *Store) At(ctx context.Context, t time.Time) (fleet.Memory, error) {
	m := fleet.Memory{At: t}
	err := s.both(ctx, func(state, series *bbolt.Tx) error {
		return guard(func() (err error) {
			mark, err := readMark(state)
			if err != nil {
				return err
			}
			m.Version = mark.seq
			if m.Tables, err = tablesAt(ctx, state, unixNano(t)); err != nil {
				return err
			}
			if m.Jobs, err = readJobs(ctx, state, time.Time{}, t, 0, openJob); err != nil {
				return err
			}
			if m.Recent, err = readEvents(ctx, state, eventQuery{until: t, limit: fleet.MaxRecent, least: fleet.SeverityWarn}); err != nil {
				return err
			}
			m.Readings, err = s.readingsAt(ctx, series, toMs(t))
			return err
		})
	})
	return m, err
}

// readingsAt returns the newest row of each target that is not after at.
func (s *Store) readingsAt(ctx context.Context, tx *bbolt.Tx, at int64) ([]fleet.Readings, error) {
	var out []fleet.Readings
	c := tx.Bucket(bucketBlocks).Cursor()
	for _, t := range s.targets.all() {
		r, err := s.rowAt(c, t, at)
		if err != nil {
			return nil, damaged("readings of %s: %w", t.name, err)
		}
		if r.Keys != nil {
			r.Target = t.name
			out = append(out, r)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, nil
}

// rowAt returns a target's newest row that is not after at, without Keys where
// there is none in the window of at or the one before it.
func (s *Store) rowAt(c *bbolt.Cursor, t *target, at int64) (r fleet.Readings, err error) {
	var best row
	found, since := int64(-1), t.windowOf(at)-windowMs
	for _, x := range s.targets.openRows(t) {
		if x.at <= at && x.at >= since && (found < 0 || x.at >= found) {
			best, found = x, x.at
		}
	}
	var block stored
	place := -1
	var times []int64
	first := windowKey(t.id, since)
	for k, raw := c.Seek(first); hasPrefix(k, first[:4]); k, raw = c.Next() {
		key, err := readBlockKey(k)
		if err != nil {
			return r, err
		}
		if key.window > at {
			break
		}
		b, err := openStored(k, raw)
		if err != nil {
			return r, err
		}
		if times, err = b.appendTimes(times[:0]); err != nil {
			return r, err
		}
		i, exact := slices.BinarySearch(times, at)
		if !exact {
			i--
		}
		if i >= 0 && times[i] > found {
			found, block, place = times[i], b, i
		}
	}
	switch {
	case found < 0:
		return r, nil
	case place >= 0:
		return s.blockRow(&block, place, found)
	}
	r = fleet.Readings{At: fromMs(best.at), Keys: best.layout.keys, Values: make([]fleet.Num, len(best.layout.keys))}
	return r, readBody(best.body, r.Values)
}

// blockRow reads one row across the columns of a block.
func (s *Store) blockRow(b *stored, place int, at int64) (fleet.Readings, error) {
	l := s.layouts.get(b.key.layout)
	if l == nil || len(l.keys) != b.columns {
		return fleet.Readings{}, damaged("a block of an unknown layout")
	}
	r := fleet.Readings{At: fromMs(at), Keys: l.keys, Values: make([]fleet.Num, b.columns)}
	var room [256]fleet.Num
	lengths, data := b.lengths, b.data
	for c := range b.columns {
		n, rest, err := readUvarint(lengths)
		if err != nil || n > uint64(len(data)) {
			return r, damaged("column %d", c)
		}
		v, err := readColumn(room[:0], data[:n], b.rows)
		if err != nil {
			return r, err
		}
		r.Values[c], lengths, data = v[place], rest, data[n:]
	}
	return r, nil
}
