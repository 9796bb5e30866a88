package console

import (
	"testing"

	"plumb/views"
	"plumb/views/widget"
)

// TestScreenAllocatesNothing draws frames of which one row changes: finding
// the difference and writing it must not allocate, for it is done by every
// session at every snapshot and every key.
func TestScreenAllocatesNothing(t *testing.T) {
	s := NewScreen(200, 60)
	theme := widget.NewTheme("okabe", widget.TrueColour, false)
	words := [...]string{"0", "1", "2", "3"}
	var buf []byte
	n, written := 0, 0
	frame := func() {
		c := s.Begin()
		for y := range 60 {
			c.Text(0, y, "● game-0411   R6515   ▃▄▄▅  61%  Dell PowerEdge R6515  1U  sn 7XK2P03", widget.Style(y%8))
		}
		n++
		c.Text(100, 7, words[n%len(words)], widget.Bold)
		buf = s.Append(buf[:0], theme, views.Cursor{})
		written += len(buf)
	}
	frame() // the whole screen, and buffers as large as they get
	written = 0
	if got := testing.AllocsPerRun(50, frame); got != 0 {
		t.Errorf("%v allocations a frame", got)
	}
	if written == 0 || written > 60*64 {
		t.Errorf("%d bytes for a cell that changed 51 times", written)
	}
}
