package store

import (
	"encoding/binary"
	"slices"

	"plumb/fleet"
)

// A body holds the values of one poll in the order of its layout: runs of
// values that share a scale, or of nulls.
//
//	uvarint length, scale byte (noScale: nulls), that many varints
const noScale = 0x7f

func appendBody(b []byte, v []fleet.Num) []byte {
	for len(v) > 0 {
		scale, n := scaleByte(v[0]), 1
		for n < len(v) && scaleByte(v[n]) == scale {
			n++
		}
		b = append(binary.AppendUvarint(b, uint64(n)), scale)
		if scale != noScale {
			b = appendVarints(b, v[:n])
		}
		v = v[n:]
	}
	return b
}

func appendVarints(b []byte, v []fleet.Num) []byte {
	at := len(b)
	b = slices.Grow(b, len(v)*binary.MaxVarintLen64)
	b = b[:cap(b)]
	for i := range v {
		u := fold(v[i].N)
		for ; u >= 0x80; u >>= 7 {
			b[at] = byte(u) | 0x80
			at++
		}
		b[at] = byte(u)
		at++
	}
	return b[:at]
}

func scaleByte(n fleet.Num) byte {
	if !n.Known || !scaleOK(n.Scale) {
		return noScale
	}
	return byte(n.Scale)
}

// readBody fills v, which has the length of the layout.
func readBody(b []byte, v []fleet.Num) error {
	i := 0
	for i < len(v) {
		n, scale, rest, err := readRun(b, len(v)-i)
		if err != nil {
			return err
		}
		b = rest
		for ; n > 0; n, i = n-1, i+1 {
			if scale == noScale {
				v[i] = fleet.Num{}
				continue
			}
			x, size := binary.Varint(b)
			if size <= 0 {
				return damaged("a poll ends early")
			}
			v[i], b = fleet.Num{N: x, Scale: int8(scale), Known: true}, b[size:]
		}
	}
	if len(b) != 0 {
		return damaged("%d bytes follow a poll", len(b))
	}
	return nil
}

// bodyAt returns the value in one column of a body without the others.
func bodyAt(b []byte, column int) (fleet.Num, error) {
	for i := 0; ; {
		n, scale, rest, err := readRun(b, maxColumns)
		if err != nil {
			return fleet.Num{}, err
		}
		b = rest
		if scale == noScale {
			if i += n; column < i {
				return fleet.Num{}, nil
			}
			continue
		}
		for ; n > 0; n, i = n-1, i+1 {
			if i == column {
				x, _, err := readVarint(b)
				return fleet.Num{N: x, Scale: int8(scale), Known: err == nil}, err
			}
			if b = skipVarint(b); b == nil {
				return fleet.Num{}, damaged("a poll ends early")
			}
		}
	}
}

func readRun(b []byte, most int) (n int, scale byte, rest []byte, err error) {
	u, b, err := readUvarint(b)
	if err != nil {
		return 0, 0, nil, err
	}
	if u == 0 || u > uint64(most) || len(b) == 0 || b[0] != noScale && !scaleOK(int8(b[0])) {
		return 0, 0, nil, damaged("a run of %d values", u)
	}
	return int(u), b[0], b[1:], nil
}

func skipVarint(b []byte) []byte {
	for i, c := range b {
		if c < 0x80 {
			return b[i+1:]
		}
	}
	return nil
}

// rowHead stands before each body in a write-ahead value.
type rowHead struct {
	target, layout uint32
	at             int64 // Unix milliseconds
}

// The version of a write-ahead value says what makes its batch one that
// happened: that state.db has come to its number, or the value itself.
const (
	walShared byte = 1
	walAlone  byte = 2 // the batch has nothing for state.db
)

// walReader reads the rows of one write-ahead value:
//
//	version byte, varint base time, uvarint rows, then for each
//	uvarint target, uvarint layout, varint time - base, uvarint length, body
type walReader struct {
	b     []byte
	alone bool
	base  int64 // Unix milliseconds
	left  uint64
}

func readWAL(b []byte) (walReader, error) {
	if len(b) == 0 || b[0] != walShared && b[0] != walAlone {
		return walReader{}, damaged("write-ahead value of an unknown version")
	}
	alone := b[0] == walAlone
	base, b, err := readVarint(b[1:])
	if err != nil {
		return walReader{}, err
	}
	n, b, err := readUvarint(b)
	return walReader{b: b, alone: alone, base: base, left: n}, err
}

// next returns the next row; ok is false after the last one. The body is a
// slice of the value that was read.
func (r *walReader) next() (h rowHead, body []byte, ok bool, err error) {
	if r.left == 0 {
		if len(r.b) != 0 {
			return h, nil, false, damaged("%d bytes follow the last row", len(r.b))
		}
		return h, nil, false, nil
	}
	var target, layout, size uint64
	var at int64
	if target, r.b, err = readUvarint(r.b); err != nil {
		return h, nil, false, err
	}
	if layout, r.b, err = readUvarint(r.b); err != nil {
		return h, nil, false, err
	}
	if at, r.b, err = readVarint(r.b); err != nil {
		return h, nil, false, err
	}
	if size, r.b, err = readUvarint(r.b); err != nil {
		return h, nil, false, err
	}
	if target > 1<<31 || layout > 1<<31 || size > uint64(len(r.b)) {
		return h, nil, false, damaged("a row of target %d, layout %d, %d bytes", target, layout, size)
	}
	h = rowHead{target: uint32(target), layout: uint32(layout), at: r.base + at}
	body, r.b = r.b[:size:size], r.b[size:]
	r.left--
	return h, body, true, nil
}

// appendRow writes a row, and returns where in b its body begins. The length of
// the body stands before it in two bytes, which nearly all fit, so that it can be
// written in its place.
func appendRow(b []byte, h rowHead, base int64, values []fleet.Num) (_ []byte, body int) {
	b = binary.AppendUvarint(b, uint64(h.target))
	b = binary.AppendUvarint(b, uint64(h.layout))
	b = binary.AppendVarint(b, h.at-base)
	body = len(b) + 2
	b = appendBody(append(b, 0, 0), values)
	size := len(b) - body
	if size >= 1<<14 {
		length := binary.AppendUvarint(nil, uint64(size))
		b = slices.Insert(b, body, length[2:]...)
		copy(b[body-2:], length)
		return b, body + len(length) - 2
	}
	b[body-2], b[body-1] = byte(size)|0x80, byte(size>>7)
	return b, body
}
