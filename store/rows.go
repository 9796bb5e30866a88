package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// Every version of a row is kept once. The newest lies in its table (see
// table.go), or, where the row is gone, among the gone; what it replaced lies
// in the history. So what was true at T is the newest where that is not after
// T, else the newest of its history that is not; and rows that never changed,
// which are nearly all, cost nothing in the past.

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

// pastKey is the key of a row's version in the history: row 0 time.
func pastKey(row []byte, at int64) []byte {
	b := append(make([]byte, 0, len(row)+9), row...)
	return binary.BigEndian.AppendUint64(append(b, 0), uint64(at)^1<<63)
}

func readRowKey(k []byte) (target string, table fleet.TableID, row []byte, err error) {
	target, rest, ok := cut(k)
	if !ok || len(rest) == 0 || rest[0] == 0 || rest[0] > fleet.NumTables {
		return "", 0, nil, damaged("row key %q", k)
	}
	return target, fleet.TableID(rest[0] - 1), rest[1:], nil
}

// readPastKey splits the key of a version into its row's key and its time.
func readPastKey(k []byte) (row []byte, at int64, err error) {
	n := len(k) - 9
	if n < 3 || k[n] != 0 {
		return nil, 0, damaged("history key %q", k)
	}
	return k[:n], int64(binary.BigEndian.Uint64(k[n+1:]) ^ 1<<63), nil
}

// rowBuckets is what a batch of changes writes to.
type rowBuckets struct {
	latest, history, gone *bbolt.Bucket
	tables                *tableReader
	edits                 map[string]*tableEdit
	scratch               []byte
}

func openRows(tx *bbolt.Tx) *rowBuckets {
	w := &rowBuckets{latest: tx.Bucket(bucketLatest), history: tx.Bucket(bucketHistory), gone: tx.Bucket(bucketGone), tables: newTableReader(tx), edits: map[string]*tableEdit{}}
	// Many rows enter at once and then stay: pages split into full ones.
	w.latest.FillPercent, w.history.FillPercent = 0.9, 0.9
	return w
}

// putChanges writes rows in the order in which they were said.
func (s *Store) putChanges(tx *bbolt.Tx, changes []fleet.Change, now time.Time) error {
	if len(changes) == 0 {
		return nil
	}
	w := openRows(tx)
	for _, c := range changes {
		if c.Target == "" || !nameOK(c.Target) || !nameOK(c.Row) || c.Table >= fleet.NumTables || len(c.Value) > maxValue {
			s.stats.refused.Add(1)
			continue
		}
		if c.At.IsZero() {
			c.At = now
		}
		edit, err := w.edit(tableKey(c.Target, c.Table))
		if err != nil {
			return err
		}
		if _, ok := edit.rows[c.Row]; !ok && len(edit.rows) >= maxRows && len(c.Value) > 0 {
			s.stats.refused.Add(1)
			continue
		}
		if err := w.change(edit, c); err != nil {
			return err
		}
	}
	return w.save()
}

func (w *rowBuckets) edit(key []byte) (*tableEdit, error) {
	if e := w.edits[string(key)]; e != nil {
		return e, nil
	}
	e := &tableEdit{key: key, rows: map[string]tableRow{}}
	w.edits[string(key)] = e
	raw := w.latest.Get(key)
	if raw == nil {
		return e, nil
	}
	v, err := unseal(key, raw)
	if err != nil {
		return e, err
	}
	h, err := readTable(v)
	if err != nil {
		return e, err
	}
	e.was = h.name
	return e, w.tables.each(v, func(r tableRow) { e.rows[r.name] = r })
}

// change makes c the newest of its row, and what was the newest history. Of
// two versions with one time the later said stays. One that is older than what
// it replaces comes from a clock that went back: it takes its place just behind
// it, since what was said later is what is true now.
func (w *rowBuckets) change(e *tableEdit, c fleet.Change) error {
	key, at := rowKey(c.Target, c.Table, c.Row), unixNano(c.At)
	was, held := e.rows[c.Row]
	if !held {
		raw := w.gone.Get(key)
		if raw != nil {
			t, err := readGone(key, raw)
			if err != nil {
				return err
			}
			was.at, held = t, true
			if err := w.gone.Delete(key); err != nil {
				return err
			}
		}
	}
	if held && at < was.at {
		at = was.at + 1
	}
	if held && was.at != at {
		if err := put(w.history, pastKey(key, was.at), slices.Clone(was.value)); err != nil {
			return err
		}
	}
	if len(c.Value) > 0 {
		e.rows[c.Row] = tableRow{name: c.Row, at: at, value: c.Value}
		return nil
	}
	delete(e.rows, c.Row)
	return put(w.gone, key, binary.BigEndian.AppendUint64(nil, uint64(at)))
}

// readGone returns since when a row is gone.
func readGone(key, raw []byte) (int64, error) {
	v, err := unseal(key, raw)
	if err == nil && len(v) != 8 {
		err = damaged("gone row %q", key)
	}
	if err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(v)), nil
}

func (w *rowBuckets) save() error {
	for _, key := range slices.Sorted(maps.Keys(w.edits)) {
		if err := w.saveTable(w.edits[key]); err != nil {
			return err
		}
	}
	return nil
}

// saveTable writes one table, and its set beside it where that is shared.
func (w *rowBuckets) saveTable(e *tableEdit) error {
	_, table, _, err := readRowKey(e.key)
	if err != nil {
		return err
	}
	var is setName
	if len(e.rows) == 0 {
		err = w.latest.Delete(e.key)
	} else {
		rows := e.sorted()
		w.scratch = appendSet(w.scratch[:0], rows)
		value := appendTable(make([]byte, 0, len(w.scratch)+len(is)+40), rows)
		if shares(table) {
			is = nameOfSet(w.scratch)
			value = append(append(value, setShared), is[:]...)
		} else {
			value = append(append(value, setHere), w.scratch...)
		}
		if is != (setName{}) && is != e.was {
			if err := w.tables.sets.join(is, w.scratch); err != nil {
				return err
			}
		}
		err = put(w.latest, e.key, value)
	}
	if err == nil && e.was != (setName{}) && e.was != is {
		err = w.tables.sets.leave(e.was)
	}
	return err
}

// tables calls f with each table of newest rows, in the order of their keys.
func tables(ctx context.Context, tx *bbolt.Tx, f func(target string, table fleet.TableID, value []byte) error) error {
	var name string // shared by the tables of one target
	c := tx.Bucket(bucketLatest).Cursor()
	for k, raw := c.First(); k != nil; k, raw = c.Next() {
		i := bytes.IndexByte(k, 0)
		if i < 0 || len(k) != i+2 || k[i+1] == 0 || k[i+1] > fleet.NumTables {
			return damaged("table key %q", k)
		}
		v, err := unseal(k, raw)
		if err != nil {
			return err
		}
		if string(k[:i]) != name {
			name = string(k[:i])
		}
		if err := f(name, fleet.TableID(k[i+1]-1), v); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// readLatest returns every table, ordered by target and table.
func readLatest(ctx context.Context, tx *bbolt.Tx) (out []fleet.Rows, err error) {
	r := newTableReader(tx)
	err = tables(ctx, tx, func(target string, table fleet.TableID, v []byte) error {
		set, times, newest, err := r.table(v)
		out = append(out, fleet.Rows{Target: target, Table: table, Newest: fromNs(newest), RowSet: set, Times: times})
		return err
	})
	return out, err
}

func (r tableRow) change(target string, table fleet.TableID) fleet.Change {
	return fleet.Change{Target: target, Table: table, Row: r.name, At: fromNs(r.at), Value: r.value}
}

// readHistory returns the changes of a table with since <= at <= until, oldest
// first.
func readHistory(ctx context.Context, tx *bbolt.Tx, target string, table fleet.TableID, since, until time.Time, limit int) ([]fleet.Change, error) {
	var out []fleet.Change
	add := func(c fleet.Change) {
		if !c.At.Before(since) && !c.At.After(until) {
			out = append(out, c)
		}
	}
	prefix := tableKey(target, table)
	c := tx.Bucket(bucketHistory).Cursor()
	for k, raw := c.Seek(prefix); hasPrefix(k, prefix); k, raw = c.Next() {
		row, at, err := readPastKey(k)
		if err != nil {
			return nil, err
		}
		v, err := unseal(k, raw)
		if err != nil {
			return nil, err
		}
		add(tableRow{name: string(row[len(prefix):]), at: at, value: orNil(v)}.change(target, table))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	c = tx.Bucket(bucketGone).Cursor()
	for k, raw := c.Seek(prefix); hasPrefix(k, prefix); k, raw = c.Next() {
		at, err := readGone(k, raw)
		if err != nil {
			return nil, err
		}
		add(tableRow{name: string(k[len(prefix):]), at: at}.change(target, table))
	}
	if raw := tx.Bucket(bucketLatest).Get(prefix); raw != nil {
		v, err := unseal(prefix, raw)
		if err == nil {
			err = newTableReader(tx).each(v, func(r tableRow) { add(r.change(target, table)) })
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b fleet.Change) int { return a.At.Compare(b.At) })
	if limit > 0 && len(out) > limit {
		out = out[len(out)-limit:]
	}
	return out, nil
}

// orNil copies a value; one that is empty says that the row was gone.
func orNil(v []byte) []byte {
	if len(v) == 0 {
		return nil
	}
	return slices.Clone(v)
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

// expireHistory looks at n versions from where it last stopped and deletes
// those before the horizon that a later one before the horizon has replaced:
// what was true at the horizon stays answerable. It returns where to go on.
func expireHistory(tx *bbolt.Tx, from []byte, horizon time.Time, n int) (next []byte, err error) {
	history := tx.Bucket(bucketHistory)
	limit := unixNano(horizon)
	var old [][]byte
	var prev []byte
	c := history.Cursor()
	k, _ := c.Seek(from)
	for ; k != nil && n > 0; k, _ = c.Next() {
		n--
		row, at, err := readPastKey(k)
		if err != nil {
			return nil, err
		}
		if at < limit && len(prev) == len(k) && hasPrefix(prev, row) {
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

// expireGone looks at n rows that are gone and forgets those that were gone
// before the horizon already, with all that they had been.
func expireGone(tx *bbolt.Tx, from []byte, horizon time.Time, n int) (next []byte, err error) {
	gone, history := tx.Bucket(bucketGone), tx.Bucket(bucketHistory)
	limit := unixNano(horizon)
	var rows, past [][]byte
	c := gone.Cursor()
	k, raw := c.Seek(from)
	for ; k != nil && n > 0; k, raw = c.Next() {
		n--
		at, err := readGone(k, raw)
		if err != nil {
			return nil, err
		}
		if at >= limit {
			continue
		}
		rows = append(rows, slices.Clone(k))
		prefix := append(slices.Clone(k), 0)
		h := history.Cursor()
		for p, _ := h.Seek(prefix); hasPrefix(p, prefix); p, _ = h.Next() {
			past = append(past, slices.Clone(p))
		}
	}
	if k != nil {
		next = slices.Clone(k)
	}
	for _, k := range past {
		if err := history.Delete(k); err != nil {
			return nil, err
		}
	}
	for _, k := range rows {
		if err := gone.Delete(k); err != nil {
			return nil, err
		}
	}
	return next, nil
}
