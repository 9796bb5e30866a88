package console

import (
	"strconv"

	"plumb/views"
	"plumb/views/widget"
)

// Screen is the renderer: two buffers of eight-byte cells, the one a terminal
// shows and the one being drawn. It writes what differs and nothing else: a
// frame that changed nothing is no bytes, a ticking clock is about thirty.
// It belongs to one goroutine.
type Screen struct {
	shown, next *widget.Buffer
	theme       *widget.Theme // of shown
	cursor      views.Cursor
	whole       bool // the next frame repaints everything
}

// Sequences of ECMA-48 and of xterm's private modes: 1049 the alternate
// screen, 25 the cursor, 7 automatic wrap, 2004 bracketed paste, 2026
// synchronised output (ignored by terminals that do not know it).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h"
	leaveScreen = "\x1b[m\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l"
	syncBegin   = "\x1b[?2026h"
	syncEnd     = "\x1b[?2026l"
	wipe        = "\x1b[m\x1b[2J"
	plainStyle  = "\x1b[m"
	// syncFrom is the length from which a frame is worth the 16 bytes that
	// keep a terminal from showing half of it.
	syncFrom = 256
)

// NewScreen returns a renderer whose first frame paints everything.
func NewScreen(w, h int) *Screen {
	return &Screen{shown: widget.NewBuffer(w, h), next: widget.NewBuffer(w, h), whole: true}
}

// Size returns columns and rows.
func (s *Screen) Size() (w, h int) { return s.next.Size() }

// Resize sets the size; the next frame paints everything.
func (s *Screen) Resize(w, h int) {
	s.next.Resize(w, h)
	s.whole = true
}

// Repaint makes the next frame paint everything, whatever garbled the screen.
func (s *Screen) Repaint() { s.whole = true }

// Begin returns a blank canvas for the next frame.
func (s *Screen) Begin() widget.Canvas {
	s.next.Resize(s.next.Size())
	return s.next.Canvas()
}

// Plain returns the frame that is shown as text.
func (s *Screen) Plain() string { return s.shown.Plain() }

// Append appends the bytes that turn what is shown into what was drawn since
// Begin, with the cursor where it belongs, and takes that as shown.
func (s *Screen) Append(to []byte, theme *widget.Theme, cursor views.Cursor) []byte {
	start := len(to)
	if theme != s.theme {
		s.theme, s.whole = theme, true
	}
	if s.whole {
		to = append(to, wipe...)
		s.shown.Resize(s.next.Size())
		s.whole = false
	}
	p := pen{to: to, x: -1, y: -1, theme: theme, of: s.next}
	_, h := s.next.Size()
	for y := range h {
		s.row(&p, y)
	}
	p.style(widget.Plain)
	s.place(&p, cursor, len(p.to) > start)
	s.shown, s.next = s.next, s.shown
	w, h := s.shown.Size()
	s.next.Resize(w, h)
	if len(p.to)-start < syncFrom {
		return p.to
	}
	return synchronise(p.to, start)
}

// place puts the cursor where a prompt has it, or hides it.
func (s *Screen) place(p *pen, c views.Cursor, moved bool) {
	switch was := s.cursor; {
	case c.Show && (moved || c != was):
		p.x = -1
		p.move(c.X, c.Y)
		p.to = append(p.to, "\x1b[?25h"...)
	case !c.Show && was.Show:
		p.to = append(p.to, "\x1b[?25l"...)
	}
	s.cursor = c
}

// synchronise puts the frame that begins at start between the marks that make
// a terminal show it at once.
func synchronise(to []byte, start int) []byte {
	to = append(to, syncBegin...)
	copy(to[start+len(syncBegin):], to[start:len(to)-len(syncBegin)])
	copy(to[start:], syncBegin)
	return append(to, syncEnd...)
}

// row writes the runs of cells of row y that differ.
func (s *Screen) row(p *pen, y int) {
	now, was := s.next.Row(y), s.shown.Row(y)
	tail := blankTail(now)
	for x := 0; x < len(now); x++ {
		if s.next.Same(now[x], s.shown, was[x]) {
			continue
		}
		if now[x].Wide == 2 && x > 0 {
			x-- // a wide glyph is written from its first half
		}
		if x >= tail && len(now)-x > 4 {
			p.move(x, y)
			p.eraseLine()
			return
		}
		p.move(x, y)
		p.glyph(now[x])
		if now[x].Wide == 1 {
			x++
		}
	}
}

// blankTail returns the column from which on the row is plain and blank.
func blankTail(row []widget.Cell) int {
	n := len(row)
	for n > 0 && row[n-1] == (widget.Cell{}) {
		n--
	}
	return n
}

// pen writes cells at a place and remembers where the terminal's cursor
// stands and which style is set, so that neither is said twice.
type pen struct {
	to    []byte
	x, y  int // where the cursor stands; -1: not known
	set   widget.Style
	theme *widget.Theme
	of    *widget.Buffer
}

// move brings the cursor to x, y (from 0).
func (p *pen) move(x, y int) {
	switch {
	case p.x == x && p.y == y:
		return
	case p.y == y && p.x >= 0 && x > p.x && p.bridge(x): // the cells between are as short
	case p.y == y && p.x >= 0 && x > p.x: // CUF
		p.to = append(p.to, "\x1b["...)
		if n := x - p.x; n > 1 {
			p.to = strconv.AppendInt(p.to, int64(n), 10)
		}
		p.to = append(p.to, 'C')
	default: // CUP
		p.to = append(p.to, "\x1b["...)
		p.to = strconv.AppendInt(p.to, int64(y+1), 10)
		p.to = append(p.to, ';')
		p.to = strconv.AppendInt(p.to, int64(x+1), 10)
		p.to = append(p.to, 'H')
	}
	p.x, p.y = x, y
}

// bridge writes the cells up to x again when that is no longer than moving
// over them.
func (p *pen) bridge(x int) bool {
	at := len(p.to)
	if x-p.x > 4 {
		return false
	}
	for _, c := range p.of.Row(p.y)[p.x:x] {
		if c.Style != p.set || c.Wide != 0 {
			p.to = p.to[:at]
			return false
		}
		p.text(c)
	}
	if len(p.to)-at > len("\x1b[9C") {
		p.to = p.to[:at]
		return false
	}
	return true
}

func (p *pen) style(st widget.Style) {
	if st == p.set {
		return
	}
	seq := ""
	if int(st) < len(p.theme.SGR) {
		seq = p.theme.SGR[st]
	}
	if seq == "" {
		seq = plainStyle
	}
	p.to = append(p.to, seq...)
	p.set = st
}

// text writes a cell's glyph. A control character can only be there because
// something forgot to clean its text: it does not reach a terminal.
func (p *pen) text(c widget.Cell) {
	at := len(p.to)
	p.to = p.of.AppendGlyph(p.to, c)
	if g := p.to[at:]; len(g) == 0 || g[0] < 0x20 || g[0] == 0x7f || g[0] == 0xc2 && len(g) > 1 && g[1] < 0xa0 {
		p.to = append(p.to[:at], '?')
	}
}

// glyph writes one cell and moves on.
func (p *pen) glyph(c widget.Cell) {
	p.style(c.Style)
	p.text(c)
	p.x++
	if c.Wide == 1 {
		p.x++
	}
	if w, _ := p.of.Size(); p.x >= w {
		p.x = -1 // the cursor waits at the edge, terminals disagree where
	}
}

// eraseLine blanks the rest of the line (EL).
func (p *pen) eraseLine() {
	p.style(widget.Plain)
	p.to = append(p.to, "\x1b[K"...)
}
