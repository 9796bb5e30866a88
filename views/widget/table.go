package widget

// Column is one column of a table.
type Column struct {
	Title string
	Min   int  // least width
	Max   int  // most width when there is room; 0: Min
	Rest  bool // takes what room is left when all have their most
	Rank  int  // columns with higher ranks go first when room is short
	Right bool // numbers
	Name  bool // sorts rising first (names); numbers and states fall
}

// Table is a window on rows: only what is seen is drawn, so ten thousand rows
// cost what thirty do.
type Table struct {
	Columns []Column
	Rows    int
	At      int  // the row of the caret; below 0: none
	Focus   bool // the caret is here
	Sort    int  // the column it is sorted by; below 0: none
	Desc    bool
	Marked  func(row int) bool // nil: none
	Differs func(row int) bool // of a past time, and not so now; nil: none
}

// maxTableColumns bounds the columns of a table.
const maxTableColumns = 24

// gutter is the room for caret and mark before the first column.
const gutter = 2

// Draw draws the head and the rows around the caret; cell draws one cell on a
// canvas of one row.
func (t Table) Draw(c Canvas, th *Theme, cell func(on Canvas, row, col int)) {
	var widths [maxTableColumns]int
	t.fit(c.W-gutter, &widths)
	t.head(c, th, &widths)
	body := c.Sub(0, 1, c.W, c.H-1)
	top := Window(t.Rows, t.At, body.H)
	for y := 0; y < body.H && top+y < t.Rows; y++ {
		row := top + y
		x := gutter
		for col := range t.Columns {
			if w := widths[col]; w > 0 {
				cell(body.Sub(x, y, w, 1), row, col)
				x += w + 1
			}
		}
		switch {
		case t.Marked != nil && t.Marked(row):
			body.Text(1, y, th.Glyphs.Mark, Key)
		case t.Differs != nil && t.Differs(row):
			body.Text(1, y, th.Glyphs.Delta, Bold)
		}
		if row == t.At {
			body.Text(0, y, th.Glyphs.Caret, Bold)
			if t.Focus {
				body.Select(0, y, body.W)
			}
		}
	}
}

func (t Table) head(c Canvas, th *Theme, widths *[maxTableColumns]int) {
	x := gutter
	for col, k := range t.Columns {
		w := widths[col]
		if w == 0 {
			continue
		}
		on, title, st := c.Sub(x, 0, w, 1), k.Title, Dim
		if col == t.Sort {
			arrow := th.Glyphs.Up
			if t.Desc {
				arrow = th.Glyphs.Down
			}
			st = Bold
			if n := Width(title); n < w {
				if k.Right {
					on.Text(w-n-1, 0, arrow, st)
				} else {
					on.Text(n, 0, arrow, st)
				}
			}
		}
		if k.Right {
			on.CutRight(th, 0, 0, w, title, st)
		} else {
			on.Cut(th, 0, 0, w, title, st)
		}
		x += w + 1
	}
}

// fit chooses the columns that have room, dropping the highest rank first,
// then shares what is left among those that can grow.
func (t Table) fit(room int, widths *[maxTableColumns]int) {
	used := -1
	for i, k := range t.Columns[:min(len(t.Columns), maxTableColumns)] {
		widths[i] = k.Min
		used += k.Min + 1
	}
	for used > room {
		drop := -1
		for i, k := range t.Columns {
			if widths[i] > 0 && (drop < 0 || k.Rank >= t.Columns[drop].Rank) {
				drop = i
			}
		}
		if drop < 0 || t.Columns[drop].Rank == 0 {
			break
		}
		used -= widths[drop] + 1
		widths[drop] = 0
	}
	for grown := true; used < room && grown; {
		grown = false
		for i, k := range t.Columns {
			share := 1 + max(0, k.Max-30)/20 // sentences need more of the room than names
			if widths[i] == 0 {
				continue
			}
			if more := min(share, k.Max-widths[i], room-used); more > 0 {
				widths[i], used, grown = widths[i]+more, used+more, true
			}
		}
	}
	for i, k := range t.Columns {
		if k.Rest && widths[i] > 0 && used < room {
			widths[i], used = widths[i]+room-used, room
		}
	}
}

// Window returns the first row to show so that the caret's row is in sight,
// in the middle as long as there are rows on both sides.
func Window(rows, at, height int) int {
	return max(0, min(max(at, 0)-height/2, rows-height))
}

// Scroll draws where the window of a list stands, on the frame at its right.
func Scroll(c Canvas, th *Theme, rows, at int) {
	if rows <= c.H || c.H < 3 || th.Flat || c.x+c.W >= c.b.w {
		return
	}
	c.W++
	top := Window(rows, at, c.H)
	size := max(1, c.H*c.H/rows)
	y := top * (c.H - size) / max(1, rows-c.H)
	for i := range size {
		c.Rune(c.W-1, y+i, 1, th.Glyphs.Thumb, Focus)
	}
}
