package views

import (
	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Help is the list of commands for the screen it was opened from; enter runs
// the one under the caret there. What is disabled says why.
type Help struct {
	from keys.Scene
	list list
}

// NewHelp returns the help for a scene.
func NewHelp(from keys.Scene) View { return Help{from: from} }

// ID implements View.
func (v Help) ID() string { return "help" }

// Crumbs implements View.
func (v Help) Crumbs(Frame) []string { return []string{"help", v.from.View} }

// Needs implements View.
func (v Help) Needs(Frame) []fleet.Query { return nil }

// shown lists what belongs to the screen behind, then what works everywhere;
// what belongs to other screens is left out.
func (v Help) shown(f Frame) []keys.Command {
	if f.Keys == nil {
		return nil
	}
	var here, rest []keys.Command
	for _, c := range f.Keys.All() {
		switch {
		case !c.Works(v.from.View) || c.ID == "filter.set":
		case len(c.In) > 0:
			here = append(here, c)
		default:
			rest = append(rest, c)
		}
	}
	return append(here, rest...)
}

func (v Help) rows(f Frame) rows {
	c := v.shown(f)
	return rows{len(c), func(i int) string { return c[i].ID }}
}

// Selected implements View.
func (v Help) Selected(f Frame) (kind, id string) { return "command", v.list.selected(v.rows(f)) }

// Handle implements View.
func (v Help) Handle(f Frame, c keys.Command) (View, Intent) {
	if c.ID == "enter" {
		i := v.list.index(v.rows(f))
		if i < 0 {
			return v, nil
		}
		run := v.shown(f)[i]
		if why := run.Why(v.from); why != "" {
			return v, Toast{Text: run.Title + ": " + why}
		}
		return v, Run{Command: run}
	}
	if c.ID == "help" {
		return v, Back{}
	}
	v.list, _ = v.list.move(c, v.rows(f), page(f))
	return v, nil
}

// Draw implements View.
func (v Help) Draw(f Frame, on widget.Canvas) {
	shown := v.shown(f)
	in := widget.Box(on, f.Theme, "help for "+or(v.from.View), "enter runs it, esc goes back", true)
	at := v.list.index(v.rows(f))
	legend := 0
	if in.H > 12 {
		legend = 2
	}
	body := in.Sub(0, 0, in.W, in.H-legend)
	top := widget.Window(len(shown), at, body.H)
	group := ""
	for y := 0; y < body.H && top+y < len(shown); y++ {
		c := shown[top+y]
		g := f.Keys.Group(c.ID)
		if len(c.In) > 0 {
			g = "Here"
		}
		if g != group {
			group = g
			body.Cut(f.Theme, 2, y, 9, g, widget.Title)
		}
		drawCommand(f, body.Sub(11, y, body.W-12, 1), c, c.Why(v.from))
		if top+y == at {
			body.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			body.Select(0, y, body.W)
		}
	}
	widget.Scroll(body, f.Theme, len(shown), at)
	if legend > 0 {
		drawLegend(f, in.Sub(0, in.H-1, in.W, 1))
	}
}

// drawCommand draws a command with its key and help, or why it is disabled.
func drawCommand(f Frame, on widget.Canvas, c keys.Command, why string) {
	st, key := widget.Plain, widget.Key
	if why != "" {
		st, key = widget.Off, widget.Off
	}
	press := c.Keys.Help().Key
	if press == "" {
		press = ":"
	}
	on.CutRight(f.Theme, 0, 0, 10, press, key)
	on.Cut(f.Theme, 12, 0, 14, c.Title, st)
	if why == "" {
		on.Cut(f.Theme, 27, 0, on.W-27, c.Help, widget.Dim)
		return
	}
	on.Cut(f.Theme, 27, 0, on.W-27, why, widget.Off)
}

func drawLegend(f Frame, on widget.Canvas) {
	g, x := f.Theme.Glyphs, 2
	for _, l := range [...]struct {
		glyph, word string
		st          widget.Style
	}{{g.Delta, "differs from now", widget.Bold}, {g.OK, "ok", widget.OK}, {g.Warn, "warn", widget.Warn}, {g.Crit, "crit", widget.Crit}, {g.Unknown, "unknown", widget.Unknown},
		{g.Off, "off", widget.Off}, {g.Drift, "drift", widget.Drift}, {g.Maintenance, "maintenance", widget.Maintenance}, {g.Empty, "empty", widget.Rest}} {
		if l.glyph == g.Delta && f.Deltas == nil {
			continue
		}
		x = on.Text(x, 0, l.glyph, l.st) + 1
		x = on.Text(x, 0, l.word, widget.Dim) + 2
	}
}
