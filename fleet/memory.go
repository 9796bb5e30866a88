package fleet

import (
	"cmp"
	"slices"
	"time"
)

// Memory is what the store remembers at start: the engine makes the first
// snapshot from it and the inventory, so that a restart shows yesterday at
// once, marked with its age.
type Memory struct {
	Version  uint64
	At       time.Time
	Tables   []Rows     // the newest of each row, by target and table
	Readings []Readings // the newest of each target
	Recent   []Event    // newest first, at most MaxRecent
	Jobs     []Job      // open ones, newest first
}

// Rows are the rows of one table of one target as they were at one time.
type Rows struct {
	Target string
	Table  TableID
	Newest time.Time // when the newest of them came
	*RowSet
	Times []int64 // Unix nanoseconds, by row; nil: all came with the newest
}

// RowSet is rows in the order of their names, without whose they are and since
// when. Targets whose tables are the same to the byte share one: the sensors of
// four hundred servers of one model are remembered, and decoded, once. It is
// never written after it was made.
type RowSet struct {
	Names  []string
	Values [][]byte // the JSON of each row's noun
}

// At returns since when row i is what it is.
func (r *Rows) At(i int) time.Time {
	if r.Times == nil {
		return r.Newest
	}
	return time.Unix(0, r.Times[i]).UTC()
}

// Latest lists every row as the change that made it so.
func (m *Memory) Latest() []Change {
	var out []Change
	for i := range m.Tables {
		t := &m.Tables[i]
		for k, name := range t.Names {
			out = append(out, Change{Target: t.Target, Table: t.Table, Row: name, At: t.At(k), Value: t.Values[k]})
		}
	}
	return out
}

// Remember returns what a store would remember of changes: the last said of
// each row, without those that are gone.
func Remember(changes []Change) []Rows {
	type place struct {
		target string
		table  TableID
	}
	tables := map[place]map[string]Change{}
	for _, c := range changes {
		p := place{c.Target, c.Table}
		if tables[p] == nil {
			tables[p] = map[string]Change{}
		}
		tables[p][c.Row] = c
	}
	var out []Rows
	for p, rows := range tables {
		t := Rows{Target: p.target, Table: p.table, RowSet: &RowSet{}}
		for _, c := range rows {
			if c.Value != nil {
				t.Names = append(t.Names, c.Row)
			}
		}
		slices.Sort(t.Names)
		for _, name := range t.Names {
			c := rows[name]
			t.Values, t.Times = append(t.Values, c.Value), append(t.Times, c.At.UnixNano())
			if c.At.After(t.Newest) {
				t.Newest = c.At
			}
		}
		if len(t.Names) > 0 {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Rows) int { return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Table, b.Table)) })
	return out
}
