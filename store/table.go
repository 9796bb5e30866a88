package store

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"plumb/fleet"
)

// The newest rows of one table of one target lie in one value. Rows change
// seldom, and mostly many of a table at once: a key per row cost as much in
// keys, sums and half-filled pages as in rows, and a start read half a million
// of them one by one.
//
//	8 bytes earliest time, uvarint rows,
//	times   0: every row came at the earliest
//	        1: for each row uvarint ns after it
//	where   0: the set follows
//	        1: 16 bytes, the name of a set that other tables share (see sets.go)
//
// A set is the rows without their times, in the order of their names:
//
//	for each row uvarint length of its name, uvarint length of its value;
//	all names, all values
//
// Lengths come first, so that a reader copies all names and all values at once
// and cuts them where they lie.

// tableRow is the newest of one row.
type tableRow struct {
	name  string
	at    int64 // Unix nanoseconds
	value []byte
}

// maxRows bounds the rows of one table of one target.
const maxRows = 1 << 17

// How a table keeps its times and its set.
const (
	timesSame byte = 0
	timesEach byte = 1
	setHere   byte = 0
	setShared byte = 1
)

// tableHead is a table's value without its set.
type tableHead struct {
	first int64 // Unix nanoseconds
	rows  int
	after []byte  // uvarints; nil: all rows came at first
	name  setName // of a shared set
	set   []byte  // where the set is not shared
}

// appendTable writes the head of a table: rows are in the order of their names.
func appendTable(b []byte, rows []tableRow) []byte {
	first, same := rows[0].at, true
	for _, r := range rows {
		first, same = min(first, r.at), same && r.at == rows[0].at
	}
	b = binary.BigEndian.AppendUint64(b, uint64(first))
	b = binary.AppendUvarint(b, uint64(len(rows)))
	if same {
		return append(b, timesSame)
	}
	b = append(b, timesEach)
	for _, r := range rows {
		b = binary.AppendUvarint(b, uint64(r.at)-uint64(first))
	}
	return b
}

// appendSet writes the set of rows that are in the order of their names.
func appendSet(b []byte, rows []tableRow) []byte {
	for _, r := range rows {
		b = binary.AppendUvarint(b, uint64(len(r.name)))
		b = binary.AppendUvarint(b, uint64(len(r.value)))
	}
	for _, r := range rows {
		b = append(b, r.name...)
	}
	for _, r := range rows {
		b = append(b, r.value...)
	}
	return b
}

func readTable(b []byte) (h tableHead, err error) {
	if len(b) < 8 {
		return h, damaged("a table of %d bytes", len(b))
	}
	h.first = int64(binary.BigEndian.Uint64(b))
	n, b, err := readUvarint(b[8:])
	if err != nil {
		return h, err
	}
	if n == 0 || n > maxRows || len(b) < 2 {
		return h, damaged("a table of %d rows", n)
	}
	h.rows = int(n)
	times, b := b[0], b[1:]
	if times == timesEach {
		h.after = b
		for range n {
			if b = skipVarint(b); b == nil {
				return h, damaged("a table ends inside its times")
			}
		}
		h.after = h.after[:len(h.after)-len(b)]
	} else if times != timesSame {
		return h, damaged("times of kind %d", times)
	}
	switch {
	case len(b) > 0 && b[0] == setHere:
		h.set = b[1:]
	case len(b) == 1+len(h.name) && b[0] == setShared:
		copy(h.name[:], b[1:])
	default:
		return h, damaged("a table of %d rows has no set", n)
	}
	return h, nil
}

// times returns since when each row is what it is, nil where all came at the
// first, and the newest.
func (h *tableHead) times() (times []int64, newest int64, err error) {
	if h.after == nil {
		return nil, h.first, nil
	}
	times, newest = make([]int64, h.rows), h.first
	b := h.after
	for i := range times {
		var after uint64
		if after, b, err = readUvarint(b); err != nil {
			return nil, 0, err
		}
		times[i] = int64(uint64(h.first) + after)
		newest = max(newest, times[i])
	}
	return times, newest, nil
}

// readSet cuts a set of n rows. Names and values are copies.
func readSet(b []byte, n int) (*fleet.RowSet, error) {
	heads := b
	names, values := uint64(0), uint64(0)
	for range n {
		var name, value uint64
		var err error
		if name, b, err = readUvarint(b); err != nil {
			return nil, err
		}
		if value, b, err = readUvarint(b); err != nil {
			return nil, err
		}
		if name > maxName || value == 0 || value > maxValue {
			return nil, damaged("a row with a name of %d and a value of %d bytes", name, value)
		}
		names, values = names+name, values+value
	}
	if names+values != uint64(len(b)) {
		return nil, damaged("a set of %d bytes for rows of %d", len(b), names+values)
	}
	set := &fleet.RowSet{Names: make([]string, n), Values: make([][]byte, n)}
	text, data := string(b[:names]), slices.Clone(b[names:])
	for i := range n {
		name, k := binary.Uvarint(heads)
		size, l := binary.Uvarint(heads[k:])
		heads = heads[k+l:]
		set.Names[i], set.Values[i] = text[:name], data[:size:size]
		text, data = text[name:], data[size:]
	}
	return set, nil
}

// tableEdit is a table that a batch changes.
type tableEdit struct {
	key  []byte
	rows map[string]tableRow
	was  setName // of the shared set it had
}

// sorted returns the rows in the order of their names.
func (e *tableEdit) sorted() []tableRow {
	rows := make([]tableRow, 0, len(e.rows))
	for _, r := range e.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b tableRow) int { return cmp.Compare(a.name, b.name) })
	return rows
}

// tableKey is target 0 table.
func tableKey(target string, table fleet.TableID) []byte { return rowKey(target, table, "") }

func fromNs(ns int64) time.Time { return time.Unix(0, ns).UTC() }
