package views

import (
	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Who is who looks at this console now.
type Who struct{ list list }

// NewWho returns the list of people.
func NewWho() View { return Who{} }

// ID implements View.
func (v Who) ID() string { return "who" }

// Crumbs implements View.
func (v Who) Crumbs(Frame) []string { return []string{"who"} }

// Needs implements View.
func (v Who) Needs(Frame) []fleet.Query { return nil }

func (v Who) rows(f Frame) rows { return rows{len(f.Here), func(i int) string { return f.Here[i] }} }

// Selected implements View.
func (v Who) Selected(f Frame) (kind, id string) { return "person", v.list.selected(v.rows(f)) }

// Handle implements View.
func (v Who) Handle(f Frame, c keys.Command) (View, Intent) {
	v.list, _ = v.list.move(c, v.rows(f), page(f))
	return v, nil
}

// Draw implements View.
func (v Who) Draw(f Frame, on widget.Canvas) {
	in := widget.Box(on, f.Theme, "on this console", "", true)
	x := in.Text(2, 0, "you", widget.Dim) + 2
	x = in.Text(x, 0, or(f.User), widget.Bold) + 2
	in.Text(x, 0, "role "+f.Role.String(), widget.Dim)
	if len(f.Here) == 0 {
		in.Text(2, 2, "nobody else is here", widget.Dim)
		return
	}
	body := in.Sub(0, 2, in.W, in.H-2)
	at := v.list.index(v.rows(f))
	top := widget.Window(len(f.Here), at, body.H)
	for y := 0; y < body.H && top+y < len(f.Here); y++ {
		body.Cut(f.Theme, 2, y, body.W-3, f.Here[top+y], widget.Plain)
		if top+y == at {
			body.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			body.Select(0, y, body.W)
		}
	}
}
