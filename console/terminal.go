package console

import (
	"strings"

	"plumb/views/widget"
)

// terminal is what we believe of the terminal at the other end. It comes from
// a few environment variables; nothing here runs a program or opens a file, as
// a colour library would when a client claims to sit in tmux.
type terminal struct {
	name  string // TERM
	depth widget.Depth
	ascii bool // draw in ASCII
	ask   bool // it may know more colours than it says: ask it, wait for nothing
}

// describe reads TERM, COLORTERM, NO_COLOR (any value but the empty one, as
// no-color.org has it), and the locale's character set. get returns "" for
// what is not set.
func describe(name string, get func(string) string) terminal {
	t := terminal{name: name, depth: depthOf(name, get("COLORTERM")), ascii: poor(name) || !utf8Locale(get)}
	if get("NO_COLOR") != "" {
		t.depth = widget.NoColour
		return t
	}
	t.ask = (t.depth == widget.Colours16 || t.depth == widget.Colours256) && !poor(name) && !strings.HasPrefix(name, "screen")
	return t
}

// environ returns a look-up in a list of name=value; the first one counts.
func environ(list []string) func(string) string {
	return func(name string) string {
		for _, kv := range list {
			if k, v, ok := strings.Cut(kv, "="); ok && k == name {
				return v
			}
		}
		return ""
	}
}

// Terminals that show 24-bit colour and do not always say so.
var trueColour = []string{"direct", "truecolor", "kitty", "ghostty", "alacritty", "wezterm", "foot", "contour", "rio", "iterm"}

func depthOf(name, colorterm string) widget.Depth {
	switch {
	case name == "" || name == "dumb" || strings.HasPrefix(name, "vt"):
		return widget.NoColour
	case strings.EqualFold(colorterm, "truecolor"), strings.EqualFold(colorterm, "24bit"):
		return widget.TrueColour
	}
	for _, s := range trueColour {
		if strings.Contains(name, s) {
			return widget.TrueColour
		}
	}
	if strings.Contains(name, "256") {
		return widget.Colours256
	}
	return widget.Colours16
}

// poor reports whether a terminal lacks the glyphs we draw with.
func poor(name string) bool {
	return name == "" || name == "dumb" || name == "linux" || strings.HasPrefix(name, "vt") || name == "ansi"
}

// utf8Locale reports whether the character set is UTF-8, which it is when
// nothing is said (POSIX XBD 8.2: LC_ALL, then LC_CTYPE, then LANG).
func utf8Locale(get func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := get(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8") || v != "c" && v != "posix" && !strings.Contains(v, ".")
		}
	}
	return true
}

// clampSize makes a window size that a client sent usable: zero means not
// known (RFC 4254 section 6.2), and a million columns are a mistake or worse.
func clampSize(w, h int) (int, int) {
	if w <= 0 {
		w = defCols
	}
	if h <= 0 {
		h = defRows
	}
	return min(w, maxCols), min(h, maxRows)
}
