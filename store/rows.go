package store

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// Rows are kept twice: the newest of each, to start from, and all of them with
// their times. A row that is gone has no newest, and an empty value in the past.

// maxValue bounds one row, event or job as JSON.
const maxValue = 1 << 20

// tableByte keeps the table from being the zero that separates.
func tableByte(t fleet.TableID) byte { return byte(t) + 1 }

// rowKey is target 0 table row.
func rowKey(target string, table fleet.TableID, row string) []byte {
	b := make([]byte, 0, len(target)+len(row)+11)
	b = append(b, target...)
	b = append(b, 0, tableByte(table))
	return append(b, row...)
}

func readRowKey(k []byte) (target string, table fleet.TableID, row []byte, err error) {
	target, rest, ok := cut(k)
	if !ok || len(rest) == 0 || rest[0] == 0 || rest[0] > fleet.NumTables {
		return "", 0, nil, damaged("row key %q", k)
	}
	return target, fleet.TableID(rest[0] - 1), rest[1:], nil
}

// putChanges writes rows in the order in which they were said.
func (s *Store) putChanges(tx *bbolt.Tx, changes []fleet.Change, now time.Time) error {
	latest, history := tx.Bucket(bucketLatest), tx.Bucket(bucketHistory)
	for _, c := range changes {
		if c.Target == "" || !nameOK(c.Target) || !nameOK(c.Row) || c.Table >= fleet.NumTables || len(c.Value) > maxValue {
			s.stats.refused.Add(1)
			continue
		}
		if c.At.IsZero() {
			c.At = now
		}
		key := rowKey(c.Target, c.Table, c.Row)
		if len(c.Value) == 0 {
			if err := latest.Delete(key); err != nil {
				return err
			}
		} else if err := put(latest, key, append(appendTime(make([]byte, 0, 12+len(c.Value)), c.At), c.Value...)); err != nil {
			return err
		}
		past := appendTime(append(slices.Clip(key), 0), c.At)
		if err := put(history, past, slices.Clone(c.Value)); err != nil {
			return err
		}
	}
	return nil
}

// readLatest returns every row, ordered by target, table and row.
func readLatest(ctx context.Context, tx *bbolt.Tx) ([]fleet.Change, error) {
	var out []fleet.Change
	var name string // shared by the rows of one target
	var arena []byte
	c := tx.Bucket(bucketLatest).Cursor()
	for k, raw := c.First(); k != nil; k, raw = c.Next() {
		target, table, row, err := readRowKey(k)
		if err != nil {
			return nil, err
		}
		v, err := unseal(k, raw)
		if err != nil {
			return nil, err
		}
		if len(v) < 8 {
			return nil, damaged("row %q has no time", k)
		}
		if target != name {
			name = target
		}
		if len(arena)+len(v) > cap(arena) {
			arena = make([]byte, 0, max(64<<10, len(v)))
		}
		start := len(arena)
		arena = append(arena, v[8:]...)
		out = append(out, fleet.Change{Target: name, Table: table, Row: string(row), At: readTime(v), Value: arena[start:len(arena):len(arena)]})
		if len(out)%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, nil
}

// readHistory returns the changes of a table with since <= at <= until.
func readHistory(ctx context.Context, tx *bbolt.Tx, target string, table fleet.TableID, since, until time.Time, limit int) ([]fleet.Change, error) {
	var out []fleet.Change
	prefix := rowKey(target, table, "")
	c := tx.Bucket(bucketHistory).Cursor()
	for k, raw := c.Seek(prefix); hasPrefix(k, prefix); k, raw = c.Next() {
		n := len(k) - 9
		if n < len(prefix) || k[n] != 0 {
			return nil, damaged("history key %q", k)
		}
		at := readTime(k[n+1:])
		if at.Before(since) || at.After(until) {
			continue
		}
		v, err := unseal(k, raw)
		if err != nil {
			return nil, err
		}
		ch := fleet.Change{Target: target, Table: table, Row: string(k[len(prefix):n]), At: at}
		if len(v) > 0 {
			ch.Value = slices.Clone(v)
		}
		if out = append(out, ch); len(out)%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	slices.SortStableFunc(out, func(a, b fleet.Change) int { return a.At.Compare(b.At) })
	if limit > 0 && len(out) > limit {
		out = out[len(out)-limit:]
	}
	return out, nil
}

// History returns the changes of one table of one target since a time, oldest
// first. A change without a value says that its row was gone.
func (s *Store) History(ctx context.Context, target string, table fleet.TableID, since time.Time) ([]fleet.Change, error) {
	var out []fleet.Change
	err := view(s.state, func(tx *bbolt.Tx) (err error) {
		out, err = readHistory(ctx, tx, target, table, since, maxTime, 0)
		return err
	})
	return out, err
}

// expireHistory looks at n changes from where it last stopped and deletes those
// before the horizon that a later one before the horizon has replaced: what was
// true at the horizon stays answerable. It returns where to go on.
func expireHistory(tx *bbolt.Tx, from []byte, horizon time.Time, n int) (next []byte, err error) {
	history := tx.Bucket(bucketHistory)
	limit := uint64(unixNano(horizon)) ^ 1<<63
	var old [][]byte
	var prev []byte
	c := history.Cursor()
	k, _ := c.Seek(from)
	for ; k != nil && n > 0; k, _ = c.Next() {
		n--
		if len(k) < 9 {
			return nil, damaged("history key %q", k)
		}
		end := len(k) - 8
		if binary.BigEndian.Uint64(k[end:]) < limit && len(prev) == len(k) && string(prev[:end]) == string(k[:end]) {
			old = append(old, slices.Clone(prev))
		}
		prev = k
	}
	if k != nil {
		next = slices.Clone(prev) // look at it again, with what follows it
	}
	for _, k := range old {
		if err := history.Delete(k); err != nil {
			return nil, err
		}
	}
	return next, nil
}
