package widget

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/rivo/uniseg"
)

// Style is an index into a theme's style table; 0 is plain text.
type Style uint16

// Cell is one column of one row. Eight bytes, compared with ==.
type Cell struct {
	glyph uint32 // a rune, or clusterBit + index into the buffer's clusters; 0: blank
	Style Style
	Wide  uint8 // 1: the first half of a two-column glyph, 2: its second half
	_     uint8
}

const clusterBit = 1 << 31

// Buffer is a screen of cells. It is reused from frame to frame by one
// goroutine; drawing on it does not allocate once its clusters are known.
type Buffer struct {
	w, h     int
	cells    []Cell
	clusters []string
	known    map[string]uint32
	ascii    bool
}

// Restrict says whether what is drawn must be ASCII: a device's own words then
// show a question mark for each column of what is not.
func (c Canvas) Restrict(ascii bool) {
	if c.b != nil {
		c.b.ascii = ascii
	}
}

// NewBuffer returns a blank screen of w columns and h rows.
func NewBuffer(w, h int) *Buffer {
	b := &Buffer{}
	b.Resize(w, h)
	return b
}

// Resize sets the size and blanks the screen.
func (b *Buffer) Resize(w, h int) {
	b.w, b.h = max(w, 0), max(h, 0)
	if n := b.w * b.h; cap(b.cells) < n {
		b.cells = make([]Cell, n)
	} else {
		b.cells = b.cells[:n]
	}
	clear(b.cells)
}

// Size returns columns and rows.
func (b *Buffer) Size() (w, h int) { return b.w, b.h }

// Row returns the cells of row y, for comparing and encoding.
func (b *Buffer) Row(y int) []Cell { return b.cells[y*b.w : (y+1)*b.w] }

// AppendGlyph appends the text of a cell; a blank is a space, the second half
// of a wide glyph is nothing.
func (b *Buffer) AppendGlyph(to []byte, c Cell) []byte {
	switch {
	case c.Wide == 2:
		return to
	case c.glyph == 0:
		return append(to, ' ')
	case c.glyph&clusterBit != 0:
		return append(to, b.clusters[c.glyph&^clusterBit]...)
	}
	return utf8.AppendRune(to, rune(c.glyph))
}

// Same reports whether two cells of two buffers show the same.
func (b *Buffer) Same(c Cell, o *Buffer, d Cell) bool {
	if c.glyph&clusterBit != 0 && d.glyph&clusterBit != 0 {
		return c.Style == d.Style && b.clusters[c.glyph&^clusterBit] == o.clusters[d.glyph&^clusterBit]
	}
	return c == d
}

// Plain returns the screen as text, rows ending in newlines, trailing blanks kept.
func (b *Buffer) Plain() string {
	out := make([]byte, 0, (b.w+1)*b.h*2)
	for y := range b.h {
		for _, c := range b.Row(y) {
			out = b.AppendGlyph(out, c)
		}
		out = append(out, '\n')
	}
	return string(out)
}

// Canvas returns the whole buffer to draw on.
func (b *Buffer) Canvas() Canvas { return Canvas{b: b, W: b.w, H: b.h} }

// Measure returns a canvas of w columns that shows nothing: drawing on it tells
// how many rows a text takes.
func Measure(w int) Canvas { return Canvas{W: max(w, 0)} }

// Canvas is a rectangle of a buffer. Drawing outside of it is clipped, never
// an error, so that a view needs no arithmetic to be safe at any size.
type Canvas struct {
	b    *Buffer
	x, y int
	W, H int // size in columns and rows
}

// Sub returns the part of the canvas at x, y with size w, h, clipped to it.
func (c Canvas) Sub(x, y, w, h int) Canvas {
	x0, y0 := max(x, 0), max(y, 0)
	x1, y1 := min(x+w, c.W), min(y+h, c.H)
	if x1 <= x0 || y1 <= y0 {
		return Canvas{b: c.b}
	}
	return Canvas{b: c.b, x: c.x + x0, y: c.y + y0, W: x1 - x0, H: y1 - y0}
}

// Text draws s at x, y and returns the column after it. What does not fit is
// cut; a wide glyph that fits only by half becomes a blank.
func (c Canvas) Text(x, y int, s string, st Style) int {
	if y < 0 || y >= c.H || c.b == nil {
		return x + ansi.StringWidth(s)
	}
	for len(s) > 0 {
		if s[0] < utf8.RuneSelf && (len(s) == 1 || s[1] < utf8.RuneSelf) {
			b := s[0]
			if b < 0x20 || b == 0x7f { // never a control, whatever got past the wires
				b = '?'
			}
			c.put(x, y, uint32(b), st, 1)
			x, s = x+1, s[1:]
			continue
		}
		if r, n, ok := quick(s); ok && !c.b.ascii {
			c.put(x, y, uint32(r), st, 1)
			x, s = x+1, s[n:]
			continue
		}
		cluster, rest, _, _ := uniseg.FirstGraphemeClusterInString(s, -1)
		w := min(ansi.StringWidth(cluster), 2)
		if w > 0 && !standsAlone(cluster, w) {
			cluster, w = "\uFFFD", 1
		}
		switch {
		case w > 0 && c.b.ascii:
			c.Rune(x, y, w, inASCII(cluster), st)
		case w > 0 && cluster[0] >= 0x20:
			c.put(x, y, c.b.intern(cluster), st, w)
		}
		x, s = x+w, rest
	}
	return x
}

// inASCII is what stands for a cluster where only ASCII may be drawn.
func inASCII(cluster string) rune {
	switch {
	case len(cluster) == 1 && cluster[0] >= 0x20 && cluster[0] < 0x7f:
		return rune(cluster[0]) // in front of something that is not ASCII
	case cluster == "→":
		return '>'
	}
	return '?'
}

// standsAlone reports whether a cluster keeps its width beside any neighbour.
// Conjoining jamo, single regional indicators and the like join what stands in
// the next cell, and the row would come out narrower than its cells.
func standsAlone(cluster string, w int) bool {
	if !utf8.ValidString(cluster) {
		return false
	}
	var twice [64]byte
	if 2*len(cluster)+1 > len(twice) {
		return false // a pile of marks: nobody can read it
	}
	s := append(append(append(twice[:0], 'x'), cluster...), cluster...)
	return ansi.StringWidth(string(s)) == 1+2*w
}

// Rune fills n columns from x, y with one narrow rune.
func (c Canvas) Rune(x, y, n int, r rune, st Style) {
	for i := range n {
		c.put(x+i, y, uint32(r), st, 1)
	}
}

// Fill blanks the canvas with a style, for backgrounds and selections.
func (c Canvas) Fill(st Style) {
	for y := range c.H {
		c.Rune(0, y, c.W, ' ', st)
	}
}

// Restyle changes the style of n columns and keeps their glyphs.
func (c Canvas) Restyle(x, y, n int, st Style) {
	for i := max(x, 0); i < min(x+n, c.W); i++ {
		if y >= 0 && y < c.H {
			c.b.cells[(c.y+y)*c.b.w+c.x+i].Style = st
		}
	}
}

// put stores one glyph of width w (1 or 2) and mends wide glyphs it cuts.
func (c Canvas) put(x, y int, glyph uint32, st Style, w int) {
	if x < 0 || y < 0 || x >= c.W || y >= c.H {
		return
	}
	row := c.b.cells[(c.y+y)*c.b.w : (c.y+y+1)*c.b.w]
	at := c.x + x
	if row[at].Wide == 2 && at > 0 {
		row[at-1] = Cell{Style: row[at-1].Style}
	}
	last := at
	if w == 2 && x+1 < c.W {
		last = at + 1
	}
	if row[last].Wide == 1 && last+1 < len(row) {
		row[last+1] = Cell{Style: row[last+1].Style}
	}
	switch {
	case w == 1:
		row[at] = Cell{glyph: glyph, Style: st}
	case last == at: // half a wide glyph
		row[at] = Cell{glyph: ' ', Style: st}
	default:
		row[at], row[last] = Cell{glyph: glyph, Style: st, Wide: 1}, Cell{Style: st, Wide: 2}
	}
}

// maxClusters bounds the interned clusters of a buffer; past it they show as
// a replacement, so that hostile text cannot grow a session without end.
const maxClusters = 1 << 14

func (b *Buffer) intern(cluster string) uint32 {
	if r, n := utf8.DecodeRuneInString(cluster); n == len(cluster) {
		return uint32(r)
	}
	if i, ok := b.known[cluster]; ok {
		return i
	}
	if len(b.clusters) >= maxClusters {
		return uint32(utf8.RuneError)
	}
	if b.known == nil {
		b.known = make(map[string]uint32)
	}
	i := uint32(len(b.clusters)) | clusterBit
	cluster = strings.Clone(cluster)
	b.clusters, b.known[cluster] = append(b.clusters, cluster), i
	return i
}
