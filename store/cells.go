package store

import (
	"bytes"
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
	for i := range c.scales[from:] {
		c.scales[from+i] = scale
	}
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

// grid holds polls as columns.
type grid struct {
	rows   int
	ints   []int64 // column after column
	scales []byte
}

// size makes room for so many rows and columns.
func (g *grid) size(rows, columns int) {
	g.rows = rows
	g.ints = slices.Grow(g.ints[:0], rows*columns)[:rows*columns]
	g.scales = slices.Grow(g.scales[:0], rows*columns)[:rows*columns]
}

// put reads a body into a row, over all columns.
func (g *grid) put(row int, b []byte) error {
	for i := row; i < len(g.ints); {
		n, scale, rest, err := readRun(b, (len(g.ints)-i+g.rows-1)/g.rows)
		if err != nil {
			return err
		}
		b = rest
		for ; n > 0; n, i = n-1, i+g.rows {
			v, size := int64(0), 0
			switch {
			case scale == noScale:
			case len(b) > 0 && b[0] < 0x80: // most are small
				v, size = unfold(uint64(b[0])), 1
			default:
				var err error
				if v, rest, err = readVarint(b); err != nil {
					return damaged("a poll ends early")
				}
				size = len(b) - len(rest)
			}
			g.ints[i], g.scales[i], b = v, scale, b[size:]
		}
	}
	if len(b) != 0 {
		return damaged("%d bytes follow a poll", len(b))
	}
	return nil
}

func (g *grid) column(c int, dst *cells) error {
	from, to := c*g.rows, (c+1)*g.rows
	dst.ints, dst.scales = append(dst.ints, g.ints[from:to]...), append(dst.scales, g.scales[from:to]...)
	return nil
}
