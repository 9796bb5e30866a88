package widget

import "strconv"

// PortMark is the look of a port.
type PortMark uint8

// Marks of ports.
const (
	PortNone PortMark = iota // not seen, or nothing there
	PortUp
	PortDown // meant to be up, is not
	PortErr  // up, with errors
	PortShut // administratively down
)

var portStyles = [...]Style{PortNone: Dim, PortUp: OK, PortDown: Crit, PortErr: Warn, PortShut: Off}

// Style returns the style of the mark.
func (m PortMark) Style() Style { return portStyles[m] }

// Face is a front with ports in two rows, odd above even, in groups of eight
// columns, as they sit on the metal.
type Face struct {
	Ports int
	At    int // the port of the caret; below 0: none
	Mark  func(port int) PortMark
	Name  func(port int) string // the short name written beside it: "1", "49"
}

// shape is how a face is laid out in a width.
type shape struct {
	main  int // ports that stand in the grid
	per   int // columns of the grid per line
	pitch int // columns a port takes
	tail  int // tail ports per line, written "49#"; 0: no tail
}

// tailPitch is the room of a port in the tail, with its number.
const tailPitch = 5

// layout chooses the widest form that fits: all ports with their numbers, a
// block of 48 with the uplinks below, all ports without numbers, or a grid
// broken into lines.
func (f *Face) layout(w int) shape {
	columns := (f.Ports + 1) / 2
	switch {
	case w >= gridWidth(columns, 3):
		return shape{main: f.Ports, per: columns, pitch: 3}
	case f.Ports > 48 && f.Ports <= 64 && w >= gridWidth(24, 3):
		return shape{main: 48, per: 24, pitch: 3, tail: w / tailPitch}
	case w >= gridWidth(columns, 2):
		return shape{main: f.Ports, per: columns, pitch: 2}
	}
	per := columns
	for per > 8 && gridWidth(per, 2) > w {
		per--
	}
	return shape{main: f.Ports, per: max(8, per/8*8), pitch: 2}
}

func gridWidth(columns, pitch int) int { return columns*pitch + (columns-1)/8 }

func (s shape) lineHeight() int {
	if s.pitch < 3 {
		return 2
	}
	return 4
}

// gridHeight is the lines of the grid alone.
func (s shape) gridHeight() int {
	return ((s.main+1)/2 + s.per - 1) / s.per * s.lineHeight()
}

// Height returns the lines the face takes in w columns.
func (f Face) Height(w int) int {
	if f.Ports == 0 {
		return 0
	}
	s := f.layout(w)
	h := s.gridHeight()
	if s.tail > 0 {
		h += (f.Ports - s.main + s.tail - 1) / s.tail
	}
	return h
}

// Draw draws the face.
func (f Face) Draw(c Canvas, th *Theme) {
	s := f.layout(c.W)
	for p := range f.Ports {
		if p >= s.main {
			f.drawTail(c, th, s, p)
			continue
		}
		column := p / 2
		line, in := column/s.per, column%s.per
		x, y := in*s.pitch+in/8, line*s.lineHeight()
		at := y + p%2
		if s.pitch == 3 {
			at++
			name := y
			if p%2 == 1 {
				name = y + 3
			}
			c.CutRight(th, x, name, 2, f.Name(p), Dim)
			x++
		}
		f.drawPort(c, th, x, at, p)
	}
}

// drawTail draws a port of the tail with its number before it.
func (f Face) drawTail(c Canvas, th *Theme, s shape, p int) {
	i := p - s.main
	x, y := i%s.tail*tailPitch, s.gridHeight()+i/s.tail
	c.CutRight(th, x, y, 2, f.Name(p), Dim)
	f.drawPort(c, th, x+3, y, p)
}

func (f Face) drawPort(c Canvas, th *Theme, x, y, p int) {
	mark := f.Mark(p)
	c.Rune(x, y, 1, th.Glyphs.Ports[mark], mark.Style())
	if p != f.At {
		return
	}
	if x > 0 {
		c.Text(x-1, y, th.Glyphs.Caret, Bold)
	}
	c.Select(x-1, y, 2)
}

// Step returns the port in a direction from one: dx over the columns, dy
// between the rows.
func (f Face) Step(from, dx, dy int) int {
	to := from + 2*dx
	if dy != 0 {
		if (dy < 0) == (from%2 == 0) {
			return from
		}
		to = from + dy
	}
	if to < 0 || to >= f.Ports {
		return from
	}
	return to
}

// Number returns the trailing number of a port's name, or its place.
func Number(name string, place int) string {
	i := len(name)
	for i > 0 && name[i-1] >= '0' && name[i-1] <= '9' {
		i--
	}
	if i == len(name) {
		return strconv.Itoa(place + 1)
	}
	return name[i:]
}
