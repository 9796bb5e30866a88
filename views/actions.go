package views

import (
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Actions is the menu of what can be done to a thing, or to all that is
// marked. What cannot be done says why.
type Actions struct {
	kind, id string
	list     list
}

// NewActions returns the menu for a thing.
func NewActions(kind, id string) View { return Actions{kind: kind, id: id} }

// ID implements View.
func (v Actions) ID() string { return "actions" }

// Crumbs implements View.
func (v Actions) Crumbs(Frame) []string { return []string{v.id, "act"} }

// Needs implements View.
func (v Actions) Needs(f Frame) []fleet.Query { return cardNeeds(f, hostOf(v.id)) }

func (v Actions) shown(f Frame) []keys.Command {
	var out []keys.Command
	if f.Keys == nil {
		return nil
	}
	for _, c := range f.Keys.All() {
		if kind, ok := c.Action(); ok && isPortAction(kind) == (v.kind == KindPort) {
			out = append(out, c)
		}
	}
	return out
}

func isPortAction(k fleet.ActionKind) bool { return strings.HasPrefix(string(k), "port-") }

func (v Actions) rows(f Frame) rows {
	c := v.shown(f)
	return rows{len(c), func(i int) string { return c[i].ID }}
}

// Selected implements View: actions mean what the menu was opened on.
func (v Actions) Selected(Frame) (kind, id string) { return v.kind, v.id }

// Handle implements View.
func (v Actions) Handle(f Frame, c keys.Command) (View, Intent) {
	if c.ID != "enter" {
		v.list, _ = v.list.move(c, v.rows(f), page(f))
		return v, nil
	}
	i := v.list.index(v.rows(f))
	if i < 0 {
		return v, nil
	}
	run := v.shown(f)[i]
	if why := run.Why(Scene(f, v)); why != "" {
		return v, Toast{Text: run.Title + ": " + why}
	}
	kind, _ := run.Action()
	return v, confirm(f, v, kind, run)
}

// Draw implements View.
func (v Actions) Draw(f Frame, on widget.Canvas) {
	scene := Scene(f, v)
	targets := targetsOf(f, v.kind, v.id)
	what := v.id
	if len(targets) > 1 {
		what = strconv.Itoa(len(targets)) + " marked"
	}
	shown := v.shown(f)
	h := min(on.H, len(shown)+8)
	in := widget.Box(on.Sub(0, 0, on.W, h), f.Theme, "act on "+what, f.User+" ("+f.Role.String()+")", true)
	at := v.list.index(v.rows(f))
	for y, c := range shown {
		why := c.Why(scene)
		row := in.Sub(2, y, in.W-3, 1)
		drawCommand(f, row.Sub(0, 0, row.W-10, 1), c, why)
		row.Right(row.W, 0, "danger "+strconv.Itoa(int(c.Danger)), dangerStyle(c.Danger, why))
		if y == at {
			in.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			in.Select(0, y, in.W)
		}
	}
	if len(shown) == 0 {
		in.Text(2, 0, "nothing can be done to it from here", widget.Dim)
	}
	in.Cut(f.Theme, 2, len(shown)+1, in.W-3, "nothing happens yet: the next screen says what hangs on it, and asks why", widget.Dim)
	if n := booksFor(f, v.id); n > 0 {
		in.Cut(f.Theme, 2, len(shown)+3, in.W-3, "B: "+count(n, "runbook")+" of use for it now", widget.Warn)
	}
	in.Cut(f.Theme, 2, len(shown)+2, in.W-3, "danger 1 asks, 2 shows the blast radius first, 3 needs a second person", widget.Dim)
	if d := f.Snap.Devices.Get(hostOf(v.id)); d != nil && on.H-h > 6 {
		drawDeviceCard(f, on.Sub(0, h, on.W, on.H-h), d, false)
	}
}

func dangerStyle(d fleet.Danger, why string) widget.Style {
	switch {
	case why != "":
		return widget.Off
	case d >= 2:
		return widget.Crit
	}
	return widget.Warn
}

func hostOf(id string) string {
	head, _, _ := strings.Cut(id, "/")
	return head
}

// targetsOf is what an action means: everything that is marked and of that
// kind, else the one thing.
func targetsOf(f Frame, kind, id string) []string {
	var out []string
	for m := range f.Marks {
		if (strings.Contains(m, "/")) == (kind == KindPort) {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return []string{id}
	}
	slices.Sort(out)
	return out
}

// confirm opens the screen that asks whether an action is meant.
func confirm(f Frame, v View, kind fleet.ActionKind, c keys.Command) Intent {
	what, id := v.Selected(f)
	if c.Arg(0) != "" {
		what, id = KindDevice, c.Arg(0)
		if isPortAction(kind) {
			what = KindPort
		}
	}
	if id == "" {
		return Toast{Text: "nothing is selected"}
	}
	ask := Confirm{action: kind, targets: targetsOf(f, what, id), version: f.Snap.Version, memo: &planMemo{}}
	return Open{View: ask.since(f),
		Ask: &Ask{Label: "reason", Command: "confirm.reason"}}
}
