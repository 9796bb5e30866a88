package store

import (
	"cmp"
	"context"
	"slices"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// pastTable is a table that is put together row by row, because some of its
// rows changed since.
type pastTable struct {
	target string
	table  fleet.TableID
	rows   []tableRow
}

func (p *pastTable) done() fleet.Rows {
	slices.SortFunc(p.rows, func(a, b tableRow) int { return cmp.Compare(a.name, b.name) })
	r := fleet.Rows{Target: p.target, Table: p.table, RowSet: &fleet.RowSet{}}
	newest := p.rows[0].at
	for _, x := range p.rows {
		r.Names, r.Values, r.Times = append(r.Names, x.name), append(r.Values, x.value), append(r.Times, x.at)
		newest = max(newest, x.at)
	}
	r.Newest = fromNs(newest)
	return r
}

// pastTables reads tables as of a time.
type pastTables struct {
	at      int64 // Unix nanoseconds
	history *bbolt.Cursor
	tables  *tableReader
	whole   []fleet.Rows
	pieced  map[string]*pastTable // by the table's key
}

// tablesAt returns the rows as of a time, ordered by target and table. Of a
// target that is polled there are about four tables.
func tablesAt(ctx context.Context, tx *bbolt.Tx, at int64, targets int) ([]fleet.Rows, error) {
	p := pastTables{at: at, whole: make([]fleet.Rows, 0, 4*targets), history: tx.Bucket(bucketHistory).Cursor(), tables: newTableReader(tx), pieced: map[string]*pastTable{}}
	if err := tables(ctx, tx, p.table); err != nil {
		return nil, err
	}
	if err := p.gone(ctx, tx); err != nil {
		return nil, err
	}
	if len(p.pieced) == 0 {
		return p.whole, nil
	}
	for _, t := range p.pieced {
		if len(t.rows) > 0 {
			p.whole = append(p.whole, t.done())
		}
	}
	slices.SortFunc(p.whole, func(a, b fleet.Rows) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Table, b.Table))
	})
	return p.whole, nil
}

func (p *pastTables) piece(target string, table fleet.TableID) *pastTable {
	key := string(tableKey(target, table))
	t := p.pieced[key]
	if t == nil {
		t = &pastTable{target: target, table: table}
		p.pieced[key] = t
	}
	return t
}

// table takes one of the newest tables back to the time. Nearly all have not
// changed since and are taken whole, with the set they share.
func (p *pastTables) table(target string, table fleet.TableID, v []byte) error {
	h, err := readTable(v)
	if err != nil {
		return err
	}
	times, newest, err := h.times()
	if err != nil {
		return err
	}
	if newest <= p.at {
		set, err := p.tables.rows(h)
		p.whole = append(p.whole, fleet.Rows{Target: target, Table: table, Newest: fromNs(newest), RowSet: set, Times: times})
		return err
	}
	prefix := tableKey(target, table)
	if k, _ := p.history.Seek(prefix); !hasPrefix(k, prefix) && times == nil {
		return nil // no row of it is older
	}
	set, err := p.tables.rows(h)
	if err != nil {
		return err
	}
	t := p.piece(target, table)
	for i, name := range set.Names {
		at := newest
		if times != nil {
			at = times[i]
		}
		if at <= p.at {
			t.rows = append(t.rows, tableRow{name, at, set.Values[i]})
		} else if r, ok, err := versionAt(p.history, rowKey(target, table, name), p.at); err != nil {
			return err
		} else if ok {
			t.rows = append(t.rows, r)
		}
	}
	return nil
}

// gone takes the rows that were still there.
func (p *pastTables) gone(ctx context.Context, tx *bbolt.Tx) error {
	c := tx.Bucket(bucketGone).Cursor()
	for k, raw := c.First(); k != nil; k, raw = c.Next() {
		since, err := readGone(k, raw)
		if err != nil {
			return err
		}
		if since <= p.at {
			continue
		}
		r, ok, err := versionAt(p.history, k, p.at)
		if err != nil {
			return err
		}
		if ok {
			target, table, _, err := readRowKey(k)
			if err != nil {
				return err
			}
			t := p.open(target, table)
			t.rows = append(t.rows, r)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// open returns a table to add rows to, taking apart one that was taken whole.
func (p *pastTables) open(target string, table fleet.TableID) *pastTable {
	if t := p.pieced[string(tableKey(target, table))]; t != nil {
		return t
	}
	t := p.piece(target, table)
	i, found := slices.BinarySearchFunc(p.whole, t, func(r fleet.Rows, t *pastTable) int {
		return cmp.Or(cmp.Compare(r.Target, t.target), cmp.Compare(r.Table, t.table))
	})
	if found {
		r := p.whole[i]
		for k, name := range r.Names {
			t.rows = append(t.rows, tableRow{name, unixNano(r.At(k)), r.Values[k]})
		}
		p.whole = slices.Delete(p.whole, i, i+1)
	}
	return t
}

// versionAt returns the newest version in the history of a row that is not
// after at; ok is false where the row was gone or not yet there.
func versionAt(history *bbolt.Cursor, row []byte, at int64) (r tableRow, ok bool, err error) {
	limit := pastKey(row, at)
	k, raw := history.Seek(limit)
	if k == nil {
		k, raw = history.Last()
	} else if string(k) != string(limit) {
		k, raw = history.Prev()
	}
	if len(k) != len(limit) || !hasPrefix(k, limit[:len(row)+1]) {
		return r, false, nil
	}
	v, err := unseal(k, raw)
	if err != nil || len(v) == 0 {
		return r, false, err
	}
	_, _, name, err := readRowKey(row)
	if err != nil {
		return r, false, err
	}
	_, was, err := readPastKey(k)
	return tableRow{name: string(name), at: was, value: slices.Clone(v)}, err == nil, err
}
