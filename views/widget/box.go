package widget

// Box draws a frame with a title at the left and a note at the right of its
// upper edge, and returns the inside. A flat theme draws the title line alone.
func Box(c Canvas, th *Theme, title, note string, focus bool) Canvas {
	if th.Flat {
		return flat(c, th, title, note)
	}
	if c.W < 2 || c.H < 2 {
		return c.Sub(0, 0, 0, 0)
	}
	g, st := th.Glyphs, Border
	if focus {
		st = Focus
	}
	c.Rune(1, 0, c.W-2, g.H, st)
	c.Rune(1, c.H-1, c.W-2, g.H, st)
	for y := 1; y < c.H-1; y++ {
		c.Rune(0, y, 1, g.V, st)
		c.Rune(c.W-1, y, 1, g.V, st)
	}
	c.Rune(0, 0, 1, g.TL, st)
	c.Rune(c.W-1, 0, 1, g.TR, st)
	c.Rune(0, c.H-1, 1, g.BL, st)
	c.Rune(c.W-1, c.H-1, 1, g.BR, st)
	room := c.W - 6
	if title != "" && room > 0 {
		c.Rune(2, 0, 1, ' ', st)
		x := c.Cut(th, 3, 0, room, title, Title)
		c.Rune(x, 0, 1, ' ', st)
		room -= x
	}
	if n := Width(note); note != "" && n <= room {
		c.Rune(c.W-4-n, 0, 1, ' ', st)
		c.Text(c.W-3-n, 0, note, Dim)
		c.Rune(c.W-3, 0, 1, ' ', st)
	}
	return c.Sub(1, 1, c.W-2, c.H-2)
}

func flat(c Canvas, th *Theme, title, note string) Canvas {
	x := c.Cut(th, 0, 0, c.W, title, Title)
	c.Cut(th, x+2, 0, c.W-x-2, note, Dim)
	return c.Sub(0, 1, c.W, c.H-1)
}

// Foot writes a note into the lower edge of a box drawn on c.
func Foot(c Canvas, th *Theme, note string, st Style) {
	if th.Flat || note == "" || c.H < 2 || Width(note)+6 > c.W {
		return
	}
	c.Rune(2, c.H-1, 1, ' ', Border)
	x := c.Text(3, c.H-1, note, st)
	c.Rune(x, c.H-1, 1, ' ', Border)
}
