package store

import (
	"bytes"
	"encoding/binary"
	"slices"

	"plumb/fleet"
)

// cells are the values of one series, a row each, on their way from one coding
// to another. A column nearly always has one scale: then its integers are all
// there is to look at, and nobody makes a fleet.Num of each.
type cells struct {
	ints   []int64 // 0 where there is no value
	scales []byte  // noScale where there is no value
}

func (c *cells) clear() { c.ints, c.scales = c.ints[:0], c.scales[:0] }

func (c *cells) add(n fleet.Num) {
	scale := scaleByte(n)
	if scale == noScale {
		n.N = 0
	}
	c.ints, c.scales = append(c.ints, n.N), append(c.scales, scale)
}

// fill gives values of one scale to the rows that have a number and no scale
// yet.
func (c *cells) fill(scale byte) {
	from := len(c.scales)
	c.scales = slices.Grow(c.scales, len(c.ints)-from)[:len(c.ints)]
	s, eight := c.scales[from:], uint64(scale)*0x0101010101010101
	for ; len(s) >= 8; s = s[8:] {
		binary.NativeEndian.PutUint64(s, eight)
	}
	for i := range s {
		s[i] = scale
	}
}

// append adds rows of other cells.
func (c *cells) append(from *cells, first, end int) {
	c.ints, c.scales = append(c.ints, from.ints[first:end]...), append(c.scales, from.scales[first:end]...)
}

// reset makes room for rows of one scale, in place of what was there.
func (c *cells) reset(rows int, scale byte) {
	c.clear()
	c.ints = slices.Grow(c.ints, rows)[:rows]
	c.fill(scale)
}

// none adds rows without a value.
func (c *cells) none(rows int) {
	from := len(c.ints)
	c.ints = slices.Grow(c.ints, rows)[:from+rows]
	clear(c.ints[from:])
	c.fill(noScale)
}

func (c *cells) at(i int) fleet.Num {
	if c.scales[i] == noScale {
		return fleet.Num{}
	}
	return fleet.Num{N: c.ints[i], Scale: int8(c.scales[i]), Known: true}
}

func (c *cells) set(i int, n fleet.Num) {
	if c.scales[i] = scaleByte(n); c.scales[i] != noScale {
		c.ints[i] = n.N
	} else {
		c.ints[i] = 0
	}
}

// scale returns the scale of all values, noScale where none of the rows has
// one; ok is false where they differ.
func (c *cells) scale() (scale byte, ok bool) {
	if len(c.scales) == 0 {
		return noScale, true
	}
	return c.scales[0], bytes.Count(c.scales, c.scales[:1]) == len(c.scales)
}

// pick keeps the rows of an order, in that order; with is scratch space.
func (c *cells) pick(order []int, with *cells) {
	with.clear()
	for _, i := range order {
		with.ints, with.scales = append(with.ints, c.ints[i]), append(with.scales, c.scales[i])
	}
	*c, *with = *with, *c
}

func (c *cells) appendNums(dst []fleet.Num) []fleet.Num {
	for i := range c.ints {
		dst = append(dst, c.at(i))
	}
	return dst
}

// grid reads the bodies of polls, of one layout, column by column. Mostly all of
// them have the same runs of the same scales: then they are read once, body after
// body, into a table that lies column by column. Others are read side by side.
type grid struct {
	columns int
	times   []int64
	rows    []pollReader
	asked   byte // of no use but that bodies are asked for, see open

	even   bool
	runs   []pollRun // of each body, where they are even
	values []int64   // column after column
}

// pollRun is a run of values of one scale.
type pollRun struct {
	n     int
	scale byte
}

// pollReader is how far a body has been read.
type pollReader struct {
	body  []byte
	at    int  // in the body
	left  int  // values of the run
	scale byte // of the run
}

// open begins with the first column of polls of so many. It asks for all bodies
// at once, so that memory is waited for but once: decoding them is too long for
// the processor to see the next few coming.
func (g *grid) open(rows []*row, columns int) {
	g.columns, g.times, g.rows = columns, g.times[:0], g.rows[:0]
	for i := range rows {
		g.times, g.rows = append(g.times, rows[i].at), append(g.rows, pollReader{body: rows[i].body})
		if b := rows[i].body; len(b) > 0 {
			g.asked += b[0] + b[len(b)-1]
		}
	}
	g.even = len(rows) > 0 && len(rows)*columns <= freshMost && g.readEven()
}

// readEven reads all bodies into the table, unless one is unlike the first or
// cannot be read.
func (g *grid) readEven() bool {
	g.runs = g.runs[:0]
	for b, left := g.rows[0].body, g.columns; left > 0; {
		n, scale, rest, err := readRun(b, left)
		if err != nil {
			return false
		}
		g.runs, left, b = append(g.runs, pollRun{n, scale}), left-n, rest
		for ; n > 0 && scale != noScale; n-- {
			if b = skipVarint(b); b == nil {
				return false
			}
		}
	}
	g.values = slices.Grow(g.values[:0], len(g.rows)*g.columns)[:len(g.rows)*g.columns]
	for i := range g.rows {
		if !g.readRow(g.rows[i].body, g.values[i:]) {
			return false
		}
	}
	return true
}

// readRow reads a body into every so manyth of the values, as many as there are rows.
func (g *grid) readRow(b []byte, values []int64) bool {
	at := 0
	for _, run := range g.runs {
		n, scale, rest, err := readRun(b, g.columns)
		if b = rest; err != nil || n != run.n || scale != run.scale {
			return false
		}
		if scale == noScale {
			at += n * len(g.rows)
			continue
		}
		for ; n > 0; n-- {
			u, size := uint64(0), 1
			switch {
			case len(b) > 0 && b[0] < 0x80: // most are small
				u = uint64(b[0])
			case len(b) > 1 && b[1] < 0x80:
				u, size = uint64(b[0]&0x7f)|uint64(b[1])<<7, 2
			default:
				if u, size = binary.Uvarint(b); size <= 0 {
					return false
				}
			}
			values[at] = unfold(u)
			at += len(g.rows)
			b = b[size:]
		}
	}
	return len(b) == 0
}

// evenColumn reads a column of the table.
func (g *grid) evenColumn(c int, dst *cells) {
	first := 0
	for _, run := range g.runs {
		if first += run.n; c >= first {
			continue
		}
		if run.scale == noScale {
			dst.none(len(g.rows))
			return
		}
		dst.ints = append(dst.ints, g.values[c*len(g.rows):(c+1)*len(g.rows)]...)
		dst.fill(run.scale)
		return
	}
}

// close lets go of the bodies.
func (g *grid) close() { clear(g.rows) }

// column reads the next column, which is column c.
func (g *grid) column(c int, dst *cells) error {
	if g.even {
		g.evenColumn(c, dst)
		return nil
	}
	from := len(dst.ints)
	dst.ints = slices.Grow(dst.ints, len(g.rows))[:from+len(g.rows)]
	dst.scales = slices.Grow(dst.scales, len(g.rows))[:from+len(g.rows)]
	ints, scales := dst.ints[from:], dst.scales[from:]
	for i := range g.rows {
		r := &g.rows[i]
		if r.left == 0 {
			if err := r.run(g.columns - c); err != nil {
				return err
			}
		}
		r.left--
		scales[i] = r.scale
		switch b := r.body[r.at:]; {
		case r.scale == noScale:
			ints[i] = 0
		case len(b) > 0 && b[0] < 0x80: // most are small
			ints[i] = unfold(uint64(b[0]))
			r.at++
		case len(b) > 1 && b[1] < 0x80:
			ints[i] = unfold(uint64(b[0]&0x7f) | uint64(b[1])<<7)
			r.at += 2
		default:
			v, size := binary.Varint(b)
			if size <= 0 {
				return damaged("a poll ends early")
			}
			ints[i] = v
			r.at += size
		}
	}
	if c+1 == g.columns {
		return g.end()
	}
	return nil
}

// run reads the head of the next run.
func (r *pollReader) run(most int) error {
	n, scale, rest, err := readRun(r.body[r.at:], most)
	r.left, r.scale, r.at = n, scale, len(r.body)-len(rest)
	return err
}

// end finds that nothing follows the last column.
func (g *grid) end() error {
	for i := range g.rows {
		if r := &g.rows[i]; r.at < len(r.body) {
			return damaged("%d bytes follow a poll", len(r.body)-r.at)
		}
	}
	return nil
}
