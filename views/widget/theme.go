package widget

// Theme is a small table of styles and glyphs, built once per theme and colour
// depth and shared by every session that uses it.
type Theme struct {
	Name   string
	SGR    []string // by Style: the escape sequence that sets it, "" for plain
	Glyphs *Glyphs
}
