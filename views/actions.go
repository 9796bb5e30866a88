package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/keys"
	"plumb/views/widget"
)

// Actions is the menu of what can be done to a thing, or to all that is
// marked. What cannot be done says why.
type Actions struct {
	kind, id string
	revert   *plan.Ask // what puts the finding right that it was opened on; nil: none
	mends    string    // that finding
	list     list
}

// NewActions returns the menu for a thing.
func NewActions(kind, id string) View { return Actions{kind: kind, id: id} }

// ID implements View: each kind of target has a menu with letters of its own.
func (v Actions) ID() string {
	switch v.kind {
	case KindPort:
		return keys.Menu(fleet.OnPort)
	case KindOutlet:
		return keys.Menu(fleet.OnOutlet)
	case KindInstance:
		return keys.Menu(fleet.OnInstance)
	case KindGroup:
		return keys.Menu(fleet.OnGroup)
	}
	return keys.Menu(fleet.OnServer)
}

// Crumbs implements View.
func (v Actions) Crumbs(f Frame) []string { return []string{targetName(f, v.id), "act"} }

// Needs implements View.
func (v Actions) Needs(f Frame) []fleet.Query { return cardNeeds(f, hostOf(v.id)) }

// shown are the actions for the kind of target, what would put the finding
// right first.
func (v Actions) shown(f Frame) []keys.Command {
	var out []keys.Command
	if f.Keys == nil {
		return nil
	}
	if c, ok := f.Keys.Get("drift.revert"); ok && v.revert != nil {
		out = append(out, c)
	}
	on, ok := keys.TargetOf(f.Snap, v.kind, v.id)
	for _, c := range f.Keys.All() {
		if kind, is := c.Action(); is && ok && keys.Offers(on, kind.Spec().On) {
			out = append(out, c)
		}
	}
	return out
}

func (v Actions) rows(f Frame) rows {
	c := v.shown(f)
	return rows{len(c), func(i int) string { return c[i].ID }}
}

func (v Actions) acts(Frame) Actions { return v }

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
	if why := v.why(f, run); why != "" {
		return v, Toast{Text: run.Title + ": " + why}
	}
	if run.ID == "drift.revert" {
		return v, asks(f, *v.revert, v.mends)
	}
	kind, _ := run.Action()
	return v, confirm(f, v, kind, run)
}

// why says why a line of the menu cannot be chosen, or "".
func (v Actions) why(f Frame, c keys.Command) string {
	s := Scene(f, v)
	if c.ID == "drift.revert" { // it works where findings are, and here
		s.View = "finding"
	}
	s.Marks = nil
	if len(v.targets(f)) > 1 {
		s.Marks = v.targets(f)
	}
	return c.Why(s)
}

func (v Actions) targets(f Frame) []string { return targetsOf(f, v.kind, v.id) }

// Draw implements View.
func (v Actions) Draw(f Frame, on widget.Canvas) {
	what := targetName(f, v.id)
	if fed := fedText(f, v.id); fed != "" {
		what += " (" + fed + ")"
	}
	if n := len(v.targets(f)); n > 1 {
		what = strconv.Itoa(n) + " marked"
	}
	shown := v.shown(f)
	h := min(on.H, len(shown)+8)
	in := widget.Box(on.Sub(0, 0, on.W, h), f.Theme, "act on "+what, f.User+" ("+f.Role.String()+")", true)
	in = v.drawCord(f, in)
	at := v.list.index(v.rows(f))
	top := widget.Window(len(shown), at, max(1, in.H))
	for y := 0; y < in.H && top+y < len(shown); y++ {
		v.drawRow(f, in.Sub(0, y, in.W, 1), shown[top+y], top+y == at)
	}
	widget.Scroll(in, f.Theme, len(shown), at)
	if len(shown) == 0 {
		in.Cut(f.Theme, 2, 0, in.W-3, nothingToDo(f, v.kind, v.id), widget.Dim)
	} else {
		in.Cut(f.Theme, 2, len(shown)+1, in.W-3, "nothing happens yet: the next screen says what hangs on it, and asks why", widget.Dim)
		in.Cut(f.Theme, 2, len(shown)+2, in.W-3, "danger 1 asks, 2 shows the blast radius first, 3 needs a second person", widget.Dim)
	}
	if n := booksFor(f, v.id); n > 0 {
		in.Cut(f.Theme, 2, len(shown)+3, in.W-3, "B: "+fleet.Count(n, "runbook")+" of use for it now", widget.Warn)
	}
	if d := f.Snap.Devices.Get(hostOf(v.id)); d != nil && on.H-h > 6 {
		drawDeviceCard(f, on.Sub(0, h, on.W, on.H-h), d, false)
	}
}

// drawCord says above the actions on an outlet what hangs on it, and returns the
// room that is left.
func (v Actions) drawCord(f Frame, in widget.Canvas) widget.Canvas {
	if v.kind != KindOutlet || len(v.targets(f)) > 1 {
		return in
	}
	l := cordLine(f, v.id)
	in.Cut(f.Theme, in.Text(2, 0, l.glyph, l.style)+1, 0, in.W-5, l.text, l.style)
	return in.Sub(0, 1, in.W, in.H-1)
}

// drawRow draws an action with its danger, or why it is not possible.
func (v Actions) drawRow(f Frame, on widget.Canvas, c keys.Command, here bool) {
	why, danger := v.why(f, c), c.Danger
	if c.ID == "drift.revert" {
		c.Help, danger = string(v.revert.Action)+argsText(v.revert.Args)+": "+v.mends, v.revert.Action.Danger()
	}
	row := on.Sub(2, 0, on.W-3, 1)
	drawCommand(f, row.Sub(0, 0, row.W-10, 1), c, why)
	row.Right(row.W, 0, "danger "+strconv.Itoa(int(danger)), dangerStyle(danger, why))
	if here {
		on.Text(0, 0, f.Theme.Glyphs.Caret, widget.Bold)
		on.Select(0, 0, on.W)
	}
}

// nothingToDo says where the actions are of a thing that has none itself.
func nothingToDo(f Frame, kind, id string) string {
	if d := f.Snap.Devices.Get(id); kind == KindDevice && d != nil {
		switch d.Spec.Kind {
		case fleet.KindPDU:
			return "a PDU is not switched itself: its outlets are, on its page"
		case fleet.KindSwitch, fleet.KindRouter:
			return "a " + string(d.Spec.Kind) + " is not switched itself: its ports are, n shows them"
		case fleet.KindUPS:
			return "plumb has no wire that does anything to a UPS"
		}
		return "plumb has no wire that does anything to a " + string(d.Spec.Kind)
	}
	return "nothing can be done to it from here"
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
	for _, m := range markedTargets(f) {
		if kindOfMark(f, m) == kind {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return []string{id}
	}
	return out
}

// kindOfMark is what a marked id names; marks carry no kind, because a thing is
// the same thing in every view.
func kindOfMark(f Frame, id string) string {
	host, part, ok := strings.Cut(id, "/")
	switch d := f.Snap.Devices.Get(host); {
	case ok && d != nil && d.Port(part) != nil:
		return KindPort
	case ok && d != nil && d.Spec.Kind == fleet.KindPDU:
		return KindOutlet
	case !ok && d != nil:
		return KindDevice
	case f.Snap.Instances.Get(id) != nil:
		return KindInstance
	}
	return ""
}

// actor is a view whose actions are for something else than its caret stands
// on, or begin with what puts a finding right.
type actor interface {
	acts(f Frame) Actions
}

// actsOn is the menu for what a view shows.
func actsOn(f Frame, v View) Actions {
	if x, ok := v.(actor); ok {
		return x.acts(f)
	}
	kind, id := selected(f, v)
	if _, ok := keys.TargetOf(f.Snap, kind, id); !ok && kind != KindDevice {
		switch p, isPage := v.(Device); {
		case isPage: // a line of its page that nothing can be done to
			kind, id = KindDevice, p.id
		case f.Snap.Devices.Get(hostOf(id)) != nil: // a piece: its device
			kind, id = KindDevice, hostOf(id)
		}
	}
	return Actions{kind: kind, id: id}
}

// confirm opens the screen that asks whether an action is meant.
func confirm(f Frame, v View, kind fleet.ActionKind, c keys.Command) Intent {
	m := actsOn(f, v)
	if c.Arg(0) != "" {
		m.id = c.Arg(0)
	}
	if m.id == "" {
		return Toast{Text: "nothing is selected"}
	}
	return asks(f, plan.Ask{Action: kind, Targets: targetsOf(f, m.kind, m.id)}, "")
}

// asks opens the question for what is asked, and with it the first thing that
// is not said yet. mends is the finding that it is to put right; "": none.
func asks(f Frame, a plan.Ask, mends string) Intent {
	v := Confirm{action: a.Action, args: a.Args, targets: a.Targets, version: f.Snap.Version, memo: &planMemo{}, mends: mends}
	v, ask := v.missing()
	if ask == nil && v.refused(f) == "" {
		ask = v.askReason()
	}
	return Open{View: v.since(f), Ask: ask}
}
