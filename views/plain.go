package views

import (
	"strings"

	"plumb/views/widget"
)

// Plain returns a view as lines of text, without boxes, for --plain, screen
// readers and logs. Its width is the frame's; rows end without blanks, and
// empty rows at the end are left out.
func Plain(f Frame, v View) string {
	f = f.whole()
	f.Theme = f.Theme.WithoutBoxes()
	b := widget.NewBuffer(max(f.Width, 1), max(f.Height, 1))
	on := b.Canvas()
	on.Restrict(f.Theme.Ascii)
	drawHeader(f, v, Chrome{}, on.Sub(0, 0, on.W, 1))
	v.Draw(f, on.Sub(0, 1, on.W, on.H-1))
	lines := strings.Split(b.Plain(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}
