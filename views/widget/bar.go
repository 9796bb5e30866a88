package widget

import "math"

// Bar draws a share of w columns: full eighths in st, the rest dotted. A share
// that is not known (NaN) is an empty scale of dots, never zero.
func Bar(c Canvas, th *Theme, x, y, w int, share float64, st Style) {
	g := th.Glyphs
	if math.IsNaN(share) {
		c.Rune(x, y, w, g.Dots, Rest)
		return
	}
	eighths := int(math.Round(max(0, min(share, 1)) * float64(w) * 8))
	if share > 0 {
		eighths = max(eighths, 1)
	}
	full := eighths / 8
	c.Rune(x, y, full, g.Blocks[8], st)
	if part := eighths % 8; part > 0 && full < w {
		c.Rune(x+full, y, 1, g.Parts[part], st)
		full++
	}
	c.Rune(x+full, y, w-full, g.Rest, Rest)
}

// Room draws how w columns of room are taken: used in st, a mark where mark is,
// and at the far end what is free and yet lost to everybody. All are shares of
// one; what is not known (NaN) is not drawn, and without used the scale is empty.
func Room(c Canvas, th *Theme, x, y, w int, used, mark, lost float64, st Style) {
	Bar(c, th, x, y, w, used, st)
	if math.IsNaN(used) {
		return
	}
	if n := int(math.Round(max(0, min(lost, 1-used)) * float64(w))); n > 0 {
		c.Rune(x+w-n, y, n, th.Glyphs.Heat[1], Dim)
	}
	if i := int(mark * float64(w)); !math.IsNaN(mark) && i >= 0 && i < w {
		c.Rune(x+i, y, 1, th.Glyphs.V, Limit)
	}
}

// LoadStyle is the style of a bar by its share of a limit: calm below warn.
func LoadStyle(share, warn, crit float64) Style {
	switch {
	case share >= crit:
		return Crit
	case share >= warn:
		return Warn
	}
	return Fill
}

// Heat draws n columns of the shade for a share of 1, in four levels.
func Heat(c Canvas, th *Theme, x, y, n int, share float64) {
	if math.IsNaN(share) {
		c.Text(x, y, th.Glyphs.Empty, Rest)
		return
	}
	c.Rune(x, y, n, th.Glyphs.Heat[HeatLevel(share)], Fill)
}

// HeatLevel quantises a share into 0 to 3, at 40, 60 and 80 percent.
func HeatLevel(share float64) int {
	switch {
	case share >= 0.8:
		return 3
	case share >= 0.6:
		return 2
	case share >= 0.4:
		return 1
	}
	return 0
}
