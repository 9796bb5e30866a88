package store

import (
	"cmp"
	"encoding/binary"
	"slices"

	"plumb/fleet"
)

// The newest rows of one table of one target lie in one value. Rows change
// seldom, and mostly many of a table at once: a key per row cost as much in
// keys, sums and half-filled pages as in rows, and a start read half a million
// of them one by one.
//
//	uvarint rows, 8 bytes earliest time, then for each row
//	uvarint length of its name, uvarint ns after the earliest, uvarint length of its value;
//	all names, all values
//
// Rows stand in the order of their names. Lengths come first, so that a reader
// copies all names and all values at once and cuts them where they lie.

// tableRow is the newest of one row.
type tableRow struct {
	name  string
	at    int64 // Unix nanoseconds
	value []byte
}

// maxRows bounds the rows of one table of one target.
const maxRows = 1 << 17

func encodeTable(rows []tableRow) []byte {
	first, size := rows[0].at, 0
	for _, r := range rows {
		first, size = min(first, r.at), size+len(r.name)+len(r.value)+8
	}
	b := binary.AppendUvarint(make([]byte, 0, size+32), uint64(len(rows)))
	b = binary.BigEndian.AppendUint64(b, uint64(first))
	for _, r := range rows {
		b = binary.AppendUvarint(b, uint64(len(r.name)))
		b = binary.AppendUvarint(b, uint64(r.at)-uint64(first))
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

// tableSize returns how many rows an encoded table has.
func tableSize(b []byte) (int, error) {
	n, rest, err := readUvarint(b)
	if err != nil {
		return 0, err
	}
	if n == 0 || n > maxRows || 3*n+8 > uint64(len(rest)) {
		return 0, damaged("a table of %d rows in %d bytes", n, len(b))
	}
	return int(n), nil
}

// decodeTable calls f with each row. Names and values are copies.
func decodeTable(b []byte, f func(tableRow)) error {
	n, err := tableSize(b)
	if err != nil {
		return err
	}
	_, b, _ = readUvarint(b)
	first := int64(binary.BigEndian.Uint64(b))
	heads := b[8:]
	names, values := uint64(0), uint64(0)
	b = heads
	for range n {
		var h [3]uint64
		for i := range h {
			if h[i], b, err = readUvarint(b); err != nil {
				return err
			}
		}
		if h[0] > maxName || h[2] == 0 || h[2] > maxValue {
			return damaged("a row with a name of %d and a value of %d bytes", h[0], h[2])
		}
		names, values = names+h[0], values+h[2]
	}
	if names+values != uint64(len(b)) {
		return damaged("a table of %d bytes for rows of %d", len(b), names+values)
	}
	text, data := string(b[:names]), slices.Clone(b[names:])
	for range n {
		name, k := binary.Uvarint(heads)
		after, l := binary.Uvarint(heads[k:])
		size, m := binary.Uvarint(heads[k+l:])
		heads = heads[k+l+m:]
		f(tableRow{name: text[:name], at: int64(uint64(first) + after), value: data[:size:size]})
		text, data = text[name:], data[size:]
	}
	return nil
}

// tableEdit is a table that a batch changes.
type tableEdit struct {
	key  []byte
	rows map[string]tableRow
}

func (e *tableEdit) encode() []byte {
	rows := make([]tableRow, 0, len(e.rows))
	for _, r := range e.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b tableRow) int { return cmp.Compare(a.name, b.name) })
	return encodeTable(rows)
}

// tableKey is target 0 table.
func tableKey(target string, table fleet.TableID) []byte { return rowKey(target, table, "") }
