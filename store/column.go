package store

import (
	"plumb/fleet"
)

// A column holds the values of one series over the rows of one block.
//
//	kind byte   empty: no row has a value
//	            dense: scale byte, integers
//	            gappy: scale byte, a bit per row (set: known), integers of the known
//	            mixed: scales differ and do not meet in one; a run body (see row.go)
const (
	columnEmpty byte = 0
	columnDense byte = 1
	columnGappy byte = 2
	columnMixed byte = 3
)

// encoder makes blocks. It keeps scratch space and belongs to one goroutine.
type encoder struct {
	ints  []int64
	words []uint64
	nums  []fleet.Num
}

func (e *encoder) appendColumn(b []byte, v []fleet.Num) []byte {
	scale, known, ok := commonScale(v)
	if known == 0 {
		return append(b, columnEmpty)
	}
	if !ok {
		return appendBody(append(b, columnMixed), v)
	}
	e.ints = e.ints[:0]
	for _, n := range v {
		if n.Known {
			e.ints = append(e.ints, n.Rescale(scale).N)
		}
	}
	if known == len(v) {
		b = append(b, columnDense, byte(scale))
	} else {
		b = append(b, columnGappy, byte(scale))
		b = appendBitmap(b, v)
	}
	return appendInts(b, e.ints, &e.words)
}

// commonScale returns the finest scale of the known values, how many are
// known, and whether all of them can be written at that scale exactly.
func commonScale(v []fleet.Num) (scale int8, known int, ok bool) {
	same := true
	for _, n := range v {
		switch {
		case !n.Known:
			continue
		case known == 0:
			scale = n.Scale
		case n.Scale != scale:
			same, scale = false, min(scale, n.Scale)
		}
		known++
	}
	if same {
		return scale, known, true
	}
	for _, n := range v {
		if n.Known && !n.Rescale(scale).Known {
			return scale, known, false
		}
	}
	return scale, known, true
}

func appendBitmap(b []byte, v []fleet.Num) []byte {
	start := len(b)
	b = append(b, make([]byte, (len(v)+7)/8)...)
	for i, n := range v {
		if n.Known {
			b[start+i/8] |= 1 << (i % 8)
		}
	}
	return b
}

// readColumn appends the n values of a column to dst.
func readColumn(dst []fleet.Num, b []byte, n int) ([]fleet.Num, error) {
	if len(b) == 0 || n < 1 || n > maxInts {
		return dst, damaged("a column of %d rows in %d bytes", n, len(b))
	}
	kind, b := b[0], b[1:]
	switch kind {
	case columnEmpty:
		return append(dst, make([]fleet.Num, n)...), nil
	case columnMixed:
		start := len(dst)
		dst = append(dst, make([]fleet.Num, n)...)
		return dst, readBody(b, dst[start:])
	case columnDense, columnGappy:
	default:
		return dst, damaged("column kind %d is not known", kind)
	}
	if len(b) == 0 || !scaleOK(int8(b[0])) {
		return dst, damaged("a column has no proper scale")
	}
	scale, b := int8(b[0]), b[1:]
	var bitmap []byte
	known := n
	if kind == columnGappy {
		size := (n + 7) / 8
		if len(b) < size {
			return dst, damaged("a column ends inside its bitmap")
		}
		bitmap, b = b[:size], b[size:]
		known = countBits(bitmap, n)
	}
	var room [256]int64
	ints, _, err := readInts(room[:0], b, known)
	if err != nil {
		return dst, err
	}
	next := 0
	for i := range n {
		if bitmap != nil && bitmap[i/8]&(1<<(i%8)) == 0 {
			dst = append(dst, fleet.Num{})
			continue
		}
		dst = append(dst, fleet.Num{N: ints[next], Scale: scale, Known: true})
		next++
	}
	return dst, nil
}

func countBits(bitmap []byte, n int) int {
	c := 0
	for i := range n {
		if bitmap[i/8]&(1<<(i%8)) != 0 {
			c++
		}
	}
	return c
}

func scaleOK(s int8) bool { return s >= -18 && s <= 18 }
