package console

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/charmbracelet/x/vt"

	"plumb/views"
	"plumb/views/widget"
)

// glyphs of the random frames: narrow, wide, blank. The emulator is not sure
// about combining marks, so they have a test of their own.
var testGlyphs = []string{"a", "Z", "●", "▁", "█", "│", "é", "日", "本", "語", " ", " ", " ", "0"}

func scribble(r *rand.Rand, c widget.Canvas, styles int) {
	for range 1 + r.IntN(12) {
		var b strings.Builder
		for range 1 + r.IntN(20) {
			b.WriteString(testGlyphs[r.IntN(len(testGlyphs))])
		}
		c.Text(r.IntN(c.W+4)-2, r.IntN(c.H), b.String(), widget.Style(r.IntN(styles)))
	}
	if r.IntN(4) == 0 {
		c.Sub(r.IntN(c.W), r.IntN(c.H), r.IntN(c.W), r.IntN(c.H)).Fill(widget.Style(r.IntN(styles)))
	}
}

// TestScreenEqualsBuffer holds the renderer to what a terminal really shows,
// over random frames, sizes, themes and repaints.
func TestScreenEqualsBuffer(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		w, h := 10+r.IntN(70), 4+r.IntN(20)
		s, e := NewScreen(w, h), vt.NewEmulator(w, h)
		_, _ = e.WriteString(enterScreen)
		theme := widget.NewTheme("okabe", widget.TrueColour, false)
		for frame := range 40 {
			switch r.IntN(12) {
			case 0:
				w, h = 10+r.IntN(70), 4+r.IntN(20)
				s.Resize(w, h)
				e.Resize(w, h)
			case 1:
				s.Repaint()
			case 2:
				theme = widget.NewTheme(widget.ThemeNames()[r.IntN(5)], widget.Depth(r.IntN(4)), false)
			}
			c := s.Begin()
			if r.IntN(3) > 0 { // often a small change of the frame before
				copyCells(c, s.shown)
			}
			scribble(r, c, len(theme.SGR))
			cursor := views.Cursor{X: r.IntN(w), Y: r.IntN(h), Show: r.IntN(3) == 0}
			_, _ = e.Write(s.Append(nil, theme, cursor))
			if got, want := cellsOf(e), s.shown.Plain(); got != want {
				t.Fatalf("seed %d frame %d %dx%d: the terminal shows\n%s\nthe buffer holds\n%s", seed, frame, w, h, got, want)
			}
			checkStyles(t, e, s, theme)
			if p := e.CursorPosition(); cursor.Show && (p.X != cursor.X || p.Y != cursor.Y) {
				t.Fatalf("seed %d frame %d: cursor at %v, want %v", seed, frame, p, cursor)
			}
		}
		_ = e.Close()
	}
}

// copyCells draws what a buffer holds.
func copyCells(c widget.Canvas, from *widget.Buffer) {
	w, h := from.Size()
	for y := range min(h, c.H) {
		for x := range w {
			cell := from.Row(y)[x]
			if cell != (widget.Cell{}) && cell.Wide != 2 {
				c.Text(x, y, string(from.AppendGlyph(nil, cell)), cell.Style)
			}
		}
	}
}

// checkStyles compares each cell's look with a reference emulator that was
// told every cell of the buffer with its style, without any differences.
func checkStyles(t *testing.T, e *vt.Emulator, s *Screen, theme *widget.Theme) {
	t.Helper()
	w, h := s.shown.Size()
	ref := vt.NewEmulator(w, h)
	defer ref.Close()
	whole := NewScreen(w, h)
	for y := range h {
		copy(whole.next.Row(y), s.shown.Row(y))
	}
	p := pen{of: s.shown, theme: theme, x: -1, y: -1}
	for y := range h {
		p.x = -1
		p.move(0, y)
		for _, c := range s.shown.Row(y) {
			if c.Wide != 2 {
				p.style(c.Style)
				p.to = s.shown.AppendGlyph(p.to, c)
			}
		}
	}
	_, _ = ref.WriteString("\x1b[?7l")
	_, _ = ref.Write(p.to)
	for y := range h {
		for x := range w {
			a, b := e.CellAt(x, y), ref.CellAt(x, y)
			if a == nil || b == nil || s.shown.Row(y)[x].Wide == 2 {
				continue
			}
			if !a.Style.Equal(&b.Style) {
				t.Fatalf("cell %d,%d %q: style %v, want %v", x, y, a.Content, a.Style, b.Style)
			}
		}
	}
}

func TestCombiningMarksStayWithTheirLetter(t *testing.T) {
	s := NewScreen(10, 1)
	s.Begin().Text(0, 0, "xe\u0301y", widget.Plain)
	theme := widget.NewTheme("mono", widget.NoColour, false)
	if out := string(s.Append(nil, theme, views.Cursor{})); !strings.Contains(out, "xe\u0301y") {
		t.Errorf("%q", out)
	}
	s.Begin().Text(0, 0, "xe\u0301z", widget.Plain)
	if out := string(s.Append(nil, theme, views.Cursor{})); out != "\x1b[1;3Hz" {
		t.Errorf("only the z changed: %q", out)
	}
}

func TestFrameWithoutChangeWritesNothing(t *testing.T) {
	s := NewScreen(80, 24)
	theme := widget.NewTheme("okabe", widget.TrueColour, false)
	draw := func(clock string) []byte {
		c := s.Begin()
		c.Text(3, 3, "rack r01", widget.Bold)
		c.Text(70, 0, clock, widget.Plain)
		return s.Append(nil, theme, views.Cursor{})
	}
	if n := len(draw("14:02:31Z")); n == 0 {
		t.Fatal("the first frame is empty")
	}
	if b := draw("14:02:31Z"); len(b) != 0 {
		t.Errorf("nothing changed, and %q was written", b)
	}
	if b := draw("14:02:32Z"); len(b) > 12 {
		t.Errorf("one digit changed, and %d bytes were written: %q", len(b), b)
	}
}

// TestPlainTextFromDevicesReachesNoTerminal: what a device says can carry
// escape codes. Where it enters it is cleaned; should that ever be forgotten,
// the renderer is the last door.
func TestPlainTextFromDevicesReachesNoTerminal(t *testing.T) {
	s := NewScreen(60, 3)
	c := s.Begin()
	c.Text(0, 0, "sw1\x1b]0;owned\x07\x1b[2J\u009b31m\x9c\x7f ok", widget.Plain)
	for x, r := range "\x1b]0;owned\x07\x1b[2J\u009b31m\x7f" { // past the canvas's own care
		c.Rune(x, 1, 1, r, widget.Plain)
	}
	out := string(s.Append(nil, widget.NewTheme("mono", widget.NoColour, false), views.Cursor{}))
	body := strings.TrimPrefix(out, wipe)
	for _, bad := range []string{"\x1b]", "\x07", "\x1b[2J", "\u009b", "\x7f"} {
		if strings.Contains(body, bad) {
			t.Errorf("%q reached the terminal: %q", bad, out)
		}
	}
}

func FuzzScreenText(f *testing.F) {
	f.Add("sw1\x1b[31m日本", 3)
	f.Fuzz(func(t *testing.T, text string, x int) {
		s := NewScreen(20, 2)
		c := s.Begin()
		c.Text(x%40, 0, text, widget.Plain)
		out := s.Append(nil, widget.NewTheme("mono", widget.NoColour, false), views.Cursor{})
		e := vt.NewEmulator(20, 2)
		defer e.Close()
		_, _ = e.WriteString("\x1b[?7l\x1b[2;1H#\x1b[H")
		_, _ = e.Write(out)
		for _, b := range out[len(wipe):] {
			if b < 0x20 && b != 0x1b || b == 0x7f {
				t.Fatalf("control %#x in %q from %q", b, out, text)
			}
		}
	})
}

func BenchmarkFrameOneRowChanged(b *testing.B) {
	s := NewScreen(200, 60)
	theme := widget.NewTheme("okabe", widget.TrueColour, false)
	var buf []byte
	n := 0
	for b.Loop() {
		c := s.Begin()
		for y := range 60 {
			c.Text(0, y, "● game-0411   R6515               ▃▄▄▅  61%  Dell PowerEdge R6515  1U  sn 7XK2P03", widget.Style(y%8))
		}
		n++
		c.Text(100, 7, "row "+string(rune('0'+n%10)), widget.Bold)
		buf = s.Append(buf[:0], theme, views.Cursor{})
	}
	b.ReportMetric(float64(len(buf)), "bytes/frame")
}
