package store

import (
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"
)

// In schema 2 each table held its rows itself:
//
//	uvarint rows, 8 bytes earliest time, then for each row
//	uvarint length of its name, uvarint ns after the earliest, uvarint length of its value;
//	all names, all values

// shareSets brings schema 2 to 3: tables of one content share it.
func shareSets(tx *bbolt.Tx) error {
	w := openRows(tx)
	c := w.latest.Cursor()
	for k, raw := c.First(); k != nil; k, raw = c.Next() {
		v, err := unseal(k, raw)
		if err != nil {
			return err
		}
		e := &tableEdit{key: slices.Clone(k), rows: map[string]tableRow{}}
		if err := decodePacked(v, func(r tableRow) { e.rows[r.name] = r }); err != nil {
			return err
		}
		w.edits[string(k)] = e
	}
	return w.save()
}

func encodePacked(rows []tableRow) []byte {
	first := rows[0].at
	for _, r := range rows {
		first = min(first, r.at)
	}
	b := binary.AppendUvarint(nil, uint64(len(rows)))
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

func decodePacked(b []byte, f func(tableRow)) error {
	n, b, err := readUvarint(b)
	if err != nil {
		return err
	}
	if n == 0 || n > maxRows || 3*n+8 > uint64(len(b)) {
		return damaged("a table of %d rows in %d bytes", n, len(b))
	}
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
