package widget

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"plumb/fleet"
)

// Width returns how many columns a text takes.
func Width(s string) int {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return ansi.StringWidth(s)
		}
	}
	return len(s)
}

// Cut draws s at x, y in at most w columns, with an ellipsis where it does not
// fit, and returns the column after it.
func (c Canvas) Cut(th *Theme, x, y, w int, s string, st Style) int {
	if w <= 0 {
		return x
	}
	if Width(s) <= w {
		return c.Text(x, y, s, st)
	}
	end := c.Sub(x, y, w-1, 1)
	end.Text(0, 0, s, st)
	return c.Text(x+w-1, y, th.Glyphs.Ellipsis, st)
}

// Right draws s so that it ends before column x, and returns where it starts.
func (c Canvas) Right(x, y int, s string, st Style) int {
	x -= Width(s)
	c.Text(x, y, s, st)
	return x
}

// CutRight is Cut with the text at the right end of its w columns.
func (c Canvas) CutRight(th *Theme, x, y, w int, s string, st Style) {
	if n := Width(s); n < w {
		x, w = x+w-n, n
	}
	c.Cut(th, x, y, w, s, st)
}

// Glyph draws the glyph of a state in its style.
func (c Canvas) Glyph(th *Theme, x, y int, s fleet.State) int {
	return c.Text(x, y, th.Glyphs.State(s), StateStyle(s))
}

// Wrap draws s in lines of at most w columns, broken at blanks, and returns
// how many lines it took; lines past max are not drawn.
func (c Canvas) Wrap(x, y, w, most int, s string, st Style) int {
	line, at := 0, 0
	for s != "" && line < most {
		word, rest := s, ""
		for i := range len(s) {
			if s[i] == ' ' {
				word, rest = s[:i], s[i+1:]
				break
			}
		}
		n := Width(word)
		if at > 0 && at+1+n > w {
			line, at = line+1, 0
			continue
		}
		if at > 0 {
			at++
		}
		if line < most {
			c.Sub(x, y+line, w, 1).Text(at, 0, word, st)
		}
		at, s = at+n, rest
	}
	return min(line+1, most)
}

// Break returns as much of s as w columns hold, up to a blank where there is one,
// and the rest without the blanks it begins with.
func Break(s string, w int) (head, rest string) {
	if Width(s) <= w {
		return s, ""
	}
	at := 0
	for at < len(s) {
		_, n := utf8.DecodeRuneInString(s[at:])
		if at > 0 && Width(s[:at+n]) > w { // one rune at least
			break
		}
		at += n
	}
	if blank := strings.LastIndexByte(s[:min(at+1, len(s))], ' '); blank > 0 {
		at = blank
	}
	return strings.TrimRight(s[:at], " "), strings.TrimLeft(s[at:], " ")
}

// narrow reports whether a rune is one column wide for certain and joins with
// nothing: the glyphs we draw ourselves, which need no cluster search.
func narrow(r rune) bool {
	switch {
	case r < 0x20 || r >= 0x7f && r < 0xa1 || r == 0xad:
		return false
	case r < 0x300, r >= 0x2500 && r <= 0x25fc:
		return true
	}
	return r == '›' || r == '…' || r == '✖' || r == '↑' || r == '↓'
}

// quick decodes a rune that can be stored without looking for a cluster: it is
// narrow, and what follows is narrow too and so cannot join it.
func quick(s string) (r rune, n int, ok bool) {
	r, n = utf8.DecodeRuneInString(s)
	if r == utf8.RuneError || !narrow(r) || n == len(s) {
		return r, n, r != utf8.RuneError && narrow(r)
	}
	next, _ := utf8.DecodeRuneInString(s[n:])
	return r, n, narrow(next)
}
