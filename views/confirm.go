package views

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/keys"
	"plumb/views/widget"
)

// Confirm shows what an action would do, to what, and what hangs on it, and
// asks for what is not said yet: arguments, a reason, and what shows that
// somebody looked. Nothing has happened yet; the executor judges everything
// again on what is true when it runs.
type Confirm struct {
	action  fleet.ActionKind
	args    map[string]string
	asking  int // the argument that is being asked for
	targets []string
	version uint64
	was     []likeness // of the targets when the screen was opened; nil: not known
	reason  string
	typed   string // see plan.Challenge
	broken  bool   // the glass: see plan.Ask
	undoes  string // the job that it takes back
	mends   string // the finding that it is to put right, in words; "": none
	at      int    // first line shown
	memo    *planMemo
}

// NewConfirm returns the question for an action on targets, as seen in a
// version of the snapshot.
func NewConfirm(action fleet.ActionKind, targets []string, version uint64) View {
	return Confirm{action: action, targets: targets, version: version, memo: &planMemo{}}
}

// ID implements View.
func (v Confirm) ID() string { return "confirm" }

// Crumbs implements View.
func (v Confirm) Crumbs(f Frame) []string {
	if len(v.targets) == 1 {
		return []string{targetName(f, v.targets[0]), string(v.action)}
	}
	return []string{strconv.Itoa(len(v.targets)) + " targets", string(v.action)}
}

// Needs implements View.
func (v Confirm) Needs(f Frame) []fleet.Query { return cardNeeds(f, hostOf(v.first())) }

// Selected implements View.
func (v Confirm) Selected(Frame) (kind, id string) {
	if len(v.targets) == 0 {
		return "", ""
	}
	return kindOfTarget(v.action), v.targets[0]
}

// Handle implements View.
func (v Confirm) Handle(f Frame, c keys.Command) (View, Intent) {
	switch c.ID {
	case "confirm.arg":
		return v.argue(f, c)
	case "confirm.reason":
		if c.Arg(0) == "" {
			return v, *v.askReason()
		}
		v.reason = strings.TrimSpace(c.Arg(0))
	case "confirm.type":
		v.typed = strings.TrimSpace(c.Arg(0))
	case "confirm.break":
		return v.breakGlass(c)
	case "enter":
		return v.enter(f)
	case "move.down":
		v.at++
	case "move.up":
		v.at = max(0, v.at-1)
	}
	return v, nil
}

// enter asks for the next thing that is not said, or goes through with it.
func (v Confirm) enter(f Frame) (View, Intent) {
	if next, ask := v.missing(); ask != nil {
		return next, *ask
	}
	if why := v.refused(f); why != "" { // nobody is asked why for what will not be
		return v, Toast{Text: "refused: " + why}
	}
	if v.reason == "" {
		return v, *v.askReason()
	}
	if want := plan.Challenge(v.plan(f)); want != v.typed {
		return v, Ask{Label: "type " + want, Command: "confirm.type"}
	}
	return v, Execute{Action: v.action, Args: v.args, Targets: v.targets, Reason: v.reason, Typed: v.typed, BreakGlass: v.broken, Undoes: v.undoes, Version: v.version}
}

// askReason asks why; what puts a finding right, or takes a job back, says it
// itself until somebody says it better.
func (v Confirm) askReason() *Ask {
	text := v.reason
	switch {
	case text != "":
	case v.undoes != "":
		text = "undo of " + v.undoes
	case v.mends != "":
		text = "drift: " + v.mends
	}
	return &Ask{Label: "reason", Text: text, Command: "confirm.reason"}
}

// missing asks for the first argument that has to be said and is not; nil:
// none is.
func (v Confirm) missing() (Confirm, *Ask) {
	spec := v.action.Spec()
	for i := 0; spec != nil && i < len(spec.Args); i++ {
		if a := &spec.Args[i]; a.Needed && v.args[a.Name] == "" {
			v.asking = i
			return v, v.askArg(a, "")
		}
	}
	return v, nil
}

func (v Confirm) askArg(a *fleet.Arg, wrong string) *Ask {
	label := a.Asks()
	if wrong != "" {
		label = wrong
	}
	return &Ask{Label: label, Text: v.args[a.Name], Command: "confirm.arg"}
}

// argue takes the value of the argument that was asked for and asks for the
// next, or for the reason; without a value it asks for all of them again.
func (v Confirm) argue(f Frame, c keys.Command) (View, Intent) {
	spec := v.action.Spec()
	switch {
	case spec == nil || len(spec.Args) == 0:
		return v, Toast{Text: string(v.action) + " takes no arguments"}
	case c.Args == nil:
		v.asking = 0
		return v, *v.askArg(&spec.Args[0], "")
	}
	a, value := &spec.Args[min(v.asking, len(spec.Args)-1)], strings.TrimSpace(c.Arg(0))
	if why := a.Check(value); why != "" && (value != "" || a.Needed) {
		return v, *v.askArg(a, why)
	}
	v.args, v.memo, v.typed = maps.Clone(v.args), &planMemo{}, ""
	if v.args == nil {
		v.args = map[string]string{}
	}
	if v.args[a.Name] = value; value == "" {
		delete(v.args, a.Name)
	}
	if v.asking++; v.asking < len(spec.Args) {
		return v, *v.askArg(&spec.Args[v.asking], "")
	}
	if v.reason == "" && v.refused(f) == "" {
		return v, *v.askReason()
	}
	return v, nil
}

// breakGlass asks for the word that goes past what weighs risks; said again it
// is taken back.
func (v Confirm) breakGlass(c keys.Command) (View, Intent) {
	const word = "break"
	switch {
	case v.broken:
		v.broken, v.memo = false, &planMemo{}
		return v, Toast{Text: "the glass is whole again: guards and the second person count"}
	case c.Args == nil:
		return v, Ask{Label: "BREAK THE GLASS, and everybody is told: type " + word, Command: "confirm.break"}
	case strings.TrimSpace(c.Arg(0)) != word:
		return v, Toast{Text: "the glass is whole: that was not " + word}
	}
	v.broken, v.memo = true, &planMemo{}
	return v, nil
}

// refused says why the action would be refused as things stand, or "".
func (v Confirm) refused(f Frame) string {
	for _, g := range v.guards(f) {
		if g.state == fleet.StateCrit {
			return g.text
		}
	}
	return ""
}

// guard is one check with what it found: crit refuses, warn is worth a thought.
type guard struct {
	state fleet.State
	text  string
}

// plan is what would be done as things stand on a frame. It is made once for
// each snapshot.
func (v Confirm) plan(f Frame) *fleet.Plan {
	m := v.memo
	if m == nil {
		m = &planMemo{}
	}
	if m.snap != f.Snap || m.role != f.Role {
		m.snap, m.role = f.Snap, f.Role
		m.plan = plan.For(plan.World{Snap: f.Snap, Now: f.At, Graph: graphOf(f)}, plan.Ask{Action: v.action, Args: v.args, Targets: v.targets, By: f.User, Role: f.Role, BreakGlass: v.broken})
	}
	return &m.plan
}

// planMemo keeps the plan of one snapshot.
type planMemo struct {
	snap *fleet.Snapshot
	role fleet.Role
	plan fleet.Plan
}

// guards are what speaks for and against it, now and in the plan.
func (v Confirm) guards(f Frame) []guard {
	var out []guard
	if !f.Live {
		out = append(out, guard{fleet.StateCrit, "HIST: 0 returns to live"})
	} else {
		out = append(out, guard{fleet.StateOK, "live"})
	}
	out = append(out, planGuards(v.plan(f))...)
	return append(append(out, v.unwell(f)...), v.changes(f)...)
}

// unwell says which targets are not well now: of several, how many.
func (v Confirm) unwell(f Frame) []guard {
	var sick []string
	for _, t := range v.targets {
		d := f.Snap.Devices.Get(hostOf(t))
		if d != nil && (d.State == fleet.StateCrit || d.State == fleet.StateWarn) && !slices.Contains(sick, hostOf(t)+" is "+d.State.String()) {
			sick = append(sick, hostOf(t)+" is "+d.State.String())
		}
	}
	switch len(sick) {
	case 0:
		return nil
	case 1:
		return []guard{{fleet.StateWarn, sick[0] + " now"}}
	}
	return []guard{{fleet.StateWarn, strconv.Itoa(len(sick)) + " are not well now: " + strings.Join(sick[:min(len(sick), 3)], ", ")}}
}

// first is the first target, or "".
func (v Confirm) first() string {
	if len(v.targets) == 0 {
		return ""
	}
	return v.targets[0]
}

// argsText writes the arguments of an action: " vlan=208".
func argsText(args map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(args)) {
		b.WriteString(" " + name + "=" + args[name])
	}
	return b.String()
}

// Draw implements View.
func (v Confirm) Draw(f Frame, on widget.Canvas) {
	w := min(on.W, 110)
	x := (on.W - w) / 2
	lines := folded(v.lines(f), w-4)
	h := min(on.H, len(lines)+6)
	if h < len(lines)+6 {
		lines = dense(lines)
	}
	what := targetName(f, v.first())
	if fed := fedText(f, v.first()); fed != "" && w >= 100 {
		what += " (" + fed + ")"
	}
	if len(v.targets) > 1 {
		what = "on " + strconv.Itoa(len(v.targets)) + " targets"
	}
	title := "CONFIRM  " + string(v.action) + " " + what
	if v.broken {
		title = "GLASS BROKEN  " + string(v.action) + " " + what
	}
	box := widget.Box(on.Sub(x, 0, w, h), f.Theme, title, dangerText(v.plan(f), v.broken), true)
	in := box.Sub(1, 0, box.W-2, box.H)
	body := in.Sub(0, 0, in.W, in.H-4)
	drawLines(f, body, lines, v.at)
	if len(lines) > body.H {
		widget.Scroll(box.Sub(0, 0, box.W, body.H), f.Theme, len(lines), min(v.at, len(lines)-1))
	}
	v.drawAsk(f, in.Sub(0, in.H-4, in.W, 4))
	if d := f.Snap.Devices.Get(hostOf(v.first())); d != nil && len(v.targets) == 1 && on.H-h >= 7 {
		drawDeviceCard(f, on.Sub(x, h, w, on.H-h), d, false)
	}
}

// dangerText says how dangerous a plan is, and that it takes two people.
func dangerText(p *fleet.Plan, broken bool) string {
	text := "danger " + strconv.Itoa(int(p.Danger)) + " of 3"
	switch {
	case broken:
		text += ", alone"
	case p.NeedsApproval():
		text += ", two people"
	}
	return text
}

// drawAsk draws the reason, what has to be typed, and what the keys do now.
func (v Confirm) drawAsk(f Frame, on widget.Canvas) {
	if want := plan.Challenge(v.plan(f)); want != "" && (v.refused(f) == "" || v.typed == want) { // nobody types for what will not be
		on.Text(0, 0, "type", widget.Dim)
		glyph, st, text := f.Theme.Glyphs.Empty, widget.Warn, want+", to show that you looked"
		if v.typed == want {
			glyph, st, text = f.Theme.Glyphs.OK, widget.OK, want
		}
		on.Cut(f.Theme, on.Text(9, 0, glyph, st)+1, 0, on.W-11, text, st)
	}
	v.drawReason(f, on.Sub(0, 1, on.W, 2))
	widget.Hints(on, 3, v.hints(f))
}

// drawReason draws why it is asked for, or why it would not be done: then nobody
// needs the room for a reason.
func (v Confirm) drawReason(f Frame, on widget.Canvas) {
	why, y := v.refused(f), 0
	if v.reason != "" || why == "" {
		on.Text(0, 0, "reason", widget.Dim)
		text, st := v.reason, widget.Bold
		if text == "" {
			text, st = "needed; it goes to the audit log with your name", widget.Warn
		}
		on.Cut(f.Theme, 9, 0, on.W-9, text, st)
		y = 1
	}
	switch {
	case why != "":
		on.Wrap(9, y, on.W-9, 2-y, f.Theme.Glyphs.Crit+" would be refused: "+why, widget.Crit)
	case v.broken:
		on.Cut(f.Theme, 9, 1, on.W-9, f.Theme.Glyphs.Warn+" nobody else is asked, and everybody is told that you broke the glass", widget.Crit)
	}
}

// hints are the keys, and what enter would do next.
func (v Confirm) hints(f Frame) []widget.Hint {
	hints := []widget.Hint{{Key: "esc", Word: "cancel"}, {Key: "e", Word: "reason"}}
	if spec := v.action.Spec(); spec != nil && len(spec.Args) > 0 {
		hints = append(hints, widget.Hint{Key: "=", Word: "arguments"})
	}
	if f.Role >= fleet.RoleAdmin {
		word := "break glass"
		if v.broken {
			word = "unbreak"
		}
		hints = append(hints, widget.Hint{Key: "!", Word: word})
	}
	p := v.plan(f)
	enter := string(v.action) + " now, as " + or(f.User)
	_, ask := v.missing()
	switch {
	case ask == nil && v.refused(f) != "":
		return hints
	case ask != nil:
		enter = "say what is missing"
	case v.reason == "":
		enter = "type the reason"
	case plan.Challenge(p) != v.typed:
		enter = "type " + plan.Challenge(p)
	case p.NeedsApproval() && !v.broken:
		enter = "propose it to a second person, as " + or(f.User)
	}
	return append([]widget.Hint{{Key: "enter", Word: enter}}, hints...)
}
