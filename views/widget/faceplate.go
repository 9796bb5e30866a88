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
	pitch int                   // columns a port takes
}

// layout returns the columns of ports per line and their pitch.
func (f *Face) layout(w int) (perLine int) {
	columns := (f.Ports + 1) / 2
	for _, f.pitch = range [...]int{3, 2} {
		if w >= f.width(columns) {
			return columns
		}
	}
	f.pitch = 3
	for perLine = columns; perLine > 4 && f.width(perLine) > w; perLine -= 4 {
	}
	return max(4, perLine/4*4)
}

func (f *Face) width(columns int) int { return columns*f.pitch + (columns-1)/8 }

// Height returns the lines the face takes in w columns.
func (f Face) Height(w int) int {
	if f.Ports == 0 {
		return 0
	}
	per := f.layout(w)
	columns := (f.Ports + 1) / 2
	return (columns + per - 1) / per * f.lineHeight()
}

func (f *Face) lineHeight() int {
	if f.pitch < 3 {
		return 2
	}
	return 4
}

// Draw draws the face.
func (f Face) Draw(c Canvas, th *Theme) {
	per := f.layout(c.W)
	for p := range f.Ports {
		column := p / 2
		line, in := column/per, column%per
		x, y := in*f.pitch+in/8, line*f.lineHeight()
		mark := f.Mark(p)
		at := y + p%2
		if f.pitch == 3 {
			at++
			name := y
			if p%2 == 1 {
				name = y + 3
			}
			c.CutRight(th, x, name, 2, f.Name(p), Dim)
			x++
		}
		c.Rune(x, at, 1, th.Glyphs.Ports[mark], mark.Style())
		if p == f.At {
			if x > 0 {
				c.Text(x-1, at, th.Glyphs.Caret, Bold)
			}
			c.Select(x-1, at, 2)
		}
	}
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
