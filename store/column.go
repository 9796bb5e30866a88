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
	intCoder
	ints          []int64
	nums          []fleet.Num
	cells, spare  cells
	lengths, data []byte
}

func (e *encoder) appendCells(b []byte, c *cells) []byte {
	switch scale, ok := c.scale(); {
	case !ok:
		e.nums = c.appendNums(e.nums[:0])
		return e.appendColumn(b, e.nums)
	case scale == noScale:
		return append(b, columnEmpty)
	default:
		return e.appendInts(append(b, columnDense, scale), c.ints)
	}
}

// settle gives values of several scales the one that their column will have,
// where there is one. What is settled reads back as it is.
func (e *encoder) settle(c *cells) {
	if _, ok := c.scale(); ok {
		return
	}
	e.nums = c.appendNums(e.nums[:0])
	scale, _, ok := commonScale(e.nums)
	if !ok {
		return
	}
	for i, n := range e.nums {
		c.set(i, n.Rescale(scale))
	}
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
	return e.appendInts(b, e.ints)
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

// column is a column that was read: its known values, and which rows have one.
type column struct {
	scale  int8
	bitmap []byte // a bit per row (set: known), or nil: all or none are
	ints   []int64
	nums   []fleet.Num // of a column whose scales are mixed, instead of all that
}

// readColumn appends the n values of a column to dst.
func readColumn(dst []fleet.Num, b []byte, n int) ([]fleet.Num, error) {
	var room [256]int64
	c, err := openColumn(b, n, room[:0])
	if err != nil {
		return dst, err
	}
	next := 0
	for i := range n {
		dst = append(dst, c.at(i, &next))
	}
	return dst, nil
}

// readCells appends the n values of a column to dst.
func readCells(dst *cells, b []byte, n int) error {
	if len(b) > 2 && b[0] == columnDense && scaleOK(int8(b[1])) && n <= maxInts { // nearly all are
		ints, _, err := readInts(dst.ints, b[2:], n)
		if err != nil {
			return err
		}
		dst.ints = ints
		dst.fill(b[1])
		return nil
	}
	c, err := openColumn(b, n, dst.ints[len(dst.ints):])
	switch {
	case err != nil:
		return err
	case c.nums == nil && c.ints == nil:
		dst.none(n)
	case c.nums == nil && c.bitmap == nil:
		dst.ints = append(dst.ints, c.ints...) // onto itself, where there was room
		dst.fill(byte(c.scale))
	default:
		var room [256]int64
		if c.nums == nil { // its integers lie where its cells are to be
			c.ints = append(room[:0], c.ints...)
		}
		next := 0
		for i := range n {
			dst.add(c.at(i, &next))
		}
	}
	return nil
}

// at returns the value of row i. Rows are asked for one after the other; next
// counts the known ones.
func (c *column) at(i int, next *int) fleet.Num {
	switch {
	case c.nums != nil:
		return c.nums[i]
	case *next == len(c.ints) || c.bitmap != nil && c.bitmap[i/8]&(1<<(i%8)) == 0:
		return fleet.Num{}
	}
	*next++
	return fleet.Num{N: c.ints[*next-1], Scale: c.scale, Known: true}
}

// openColumn reads a column of n rows into ints, which it grows where it must.
func openColumn(b []byte, n int, ints []int64) (c column, err error) {
	if len(b) == 0 || n < 1 || n > maxInts {
		return c, damaged("a column of %d rows in %d bytes", n, len(b))
	}
	kind, b := b[0], b[1:]
	switch kind {
	case columnEmpty:
		return c, nil
	case columnMixed:
		c.nums = make([]fleet.Num, n)
		return c, readBody(b, c.nums)
	case columnDense, columnGappy:
	default:
		return c, damaged("column kind %d is not known", kind)
	}
	if len(b) == 0 || !scaleOK(int8(b[0])) {
		return c, damaged("a column has no proper scale")
	}
	c.scale, b = int8(b[0]), b[1:]
	known := n
	if kind == columnGappy {
		size := (n + 7) / 8
		if len(b) < size {
			return c, damaged("a column ends inside its bitmap")
		}
		c.bitmap, b = b[:size], b[size:]
		known = countBits(c.bitmap, n)
	}
	c.ints, _, err = readInts(ints[:0], b, known)
	return c, err
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
