package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/keys"
	"plumb/views/widget"
)

// Confirm shows what an action would do, to what, and what hangs on it, and
// asks for a reason. Nothing has happened yet; the executor judges everything
// again on what is true when it runs.
type Confirm struct {
	action  fleet.ActionKind
	args    map[string]string
	targets []string
	version uint64
	was     []likeness // of the targets when the screen was opened; nil: not known
	reason  string
	typed   string // see plan.Challenge
	broken  bool   // the glass: see plan.Ask
	undoes  string // the job that it takes back
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
func (v Confirm) Crumbs(Frame) []string {
	if len(v.targets) == 1 {
		return []string{v.targets[0], string(v.action)}
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
	if isPortAction(v.action) {
		return KindPort, v.targets[0]
	}
	return KindDevice, v.targets[0]
}

// Handle implements View.
func (v Confirm) Handle(f Frame, c keys.Command) (View, Intent) {
	switch c.ID {
	case "confirm.reason":
		if c.Arg(0) == "" {
			return v, Ask{Label: "reason", Text: v.reason, Command: "confirm.reason"}
		}
		v.reason = strings.TrimSpace(c.Arg(0))
	case "confirm.type":
		v.typed = strings.TrimSpace(c.Arg(0))
	case "enter":
		if v.reason == "" {
			return v, Ask{Label: "reason", Command: "confirm.reason"}
		}
		if why := v.refused(f); why != "" {
			return v, Toast{Text: "refused: " + why}
		}
		if want := plan.Challenge(v.plan(f)); want != v.typed {
			return v, Ask{Label: "type " + want, Command: "confirm.type"}
		}
		return v, Execute{Action: v.action, Args: v.args, Targets: v.targets, Reason: v.reason, Typed: v.typed, BreakGlass: v.broken, Undoes: v.undoes, Version: v.version}
	case "move.down":
		v.at++
	case "move.up":
		v.at = max(0, v.at-1)
	}
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

var verdictState = map[fleet.Verdict]fleet.State{
	fleet.VerdictOK: fleet.StateOK, fleet.VerdictNote: fleet.StateWarn, fleet.VerdictEscalate: fleet.StateWarn, fleet.VerdictRefuse: fleet.StateCrit, fleet.VerdictDeny: fleet.StateCrit,
}

func (v Confirm) guards(f Frame) []guard {
	var out []guard
	if !f.Live {
		out = append(out, guard{fleet.StateCrit, "HIST: 0 returns to live"})
	} else {
		out = append(out, guard{fleet.StateOK, "live"})
	}
	for _, g := range v.plan(f).Guards {
		text := g.Text
		switch {
		case g.ID == "floor" && (g.Verdict == fleet.VerdictOK || g.Verdict == fleet.VerdictNote):
			continue // the blast says it
		case g.Verdict == fleet.VerdictEscalate:
			text += ": a second person has to agree"
		case g.Verdict == fleet.VerdictOK && len(v.targets) > 1 && g.Target != "":
			continue // that each of many is fine is no news
		}
		out = append(out, guard{verdictState[g.Verdict], text})
	}
	for _, t := range v.targets {
		if d := f.Snap.Devices.Get(hostOf(t)); d != nil && (d.State == fleet.StateCrit || d.State == fleet.StateWarn) {
			out = append(out, guard{fleet.StateWarn, t + " is " + d.State.String() + " now"})
		}
	}
	return append(out, v.changes(f)...)
}

// line is one row of the question.
type line struct {
	label string
	glyph string
	text  string
	style widget.Style
}

func (v Confirm) lines(f Frame) []line {
	th := f.Theme
	var out []line
	add := func(label, glyph, text string, st widget.Style) { out = append(out, line{label, glyph, text, st}) }
	label := "action"
	for i, t := range v.targets {
		if i == 8 {
			add("", "", "and "+count(len(v.targets)-i, "more target"), widget.Dim)
			break
		}
		add(label, "", v.targetText(f, t), widget.Bold)
		label = ""
	}
	out = append(out, line{})
	out = append(out, v.blast(f)...)
	out = append(out, line{})
	label = "guards"
	held := ""
	for _, g := range v.guards(f) {
		if g.state == fleet.StateOK {
			held += g.text + "   "
			continue
		}
		add(label, th.Glyphs.State(g.state), g.text, widget.StateStyle(g.state))
		label = ""
	}
	if held != "" {
		add(label, th.Glyphs.OK, strings.TrimSpace(held), widget.OK)
	}
	out = append(out, line{})
	if w := v.plan(f).Waves; len(w) > 1 {
		add("waves", "", wavesText(w)+"; each has to be seen to be well before the next", widget.Plain)
	}
	add("undo", "", v.undo(), widget.Plain)
	add("after", "", v.after(), widget.Plain)
	return out
}

// targetText says what the action is aimed at, by every name it has.
func (v Confirm) targetText(f Frame, t string) string {
	d := f.Snap.Devices.Get(hostOf(t))
	if d == nil {
		return string(v.action) + " " + f.Theme.Glyphs.Into + " " + t
	}
	s := string(v.action) + " " + f.Theme.Glyphs.Into + " " + t
	if d.Spec.Rack != "" {
		s += "  " + d.Spec.Rack + "/U" + unit(d.Spec.Unit)
	}
	if sn := serialOf(d); sn != "" {
		s += "  sn " + sn
	}
	if !isPortAction(v.action) {
		return s + "  power " + d.Power.String()
	}
	if p := d.Port(afterSlash(t)); p != nil {
		s += "  oper " + p.Oper + "  admin " + p.Admin
	}
	return s
}

func wavesText(waves []int) string {
	var out []string
	for _, n := range waves {
		out = append(out, strconv.Itoa(n))
	}
	return strings.Join(out, ", then ")
}

func (v Confirm) undo() string {
	switch v.action {
	case fleet.ActIdentify:
		return "none needed: the LED goes out by itself"
	case fleet.ActPowerOn:
		return "power-off or soft-off"
	case fleet.ActPowerOff, fleet.ActSoftOff:
		return "power-on; what ran there starts anew"
	case fleet.ActPortUp:
		return "port-down"
	case fleet.ActPortDown:
		return "port-up"
	}
	return "none: what runs there stops and starts anew"
}

func (v Confirm) after() string {
	switch v.action {
	case fleet.ActIdentify:
		return "the BMC's answer is all there is to see from here"
	case fleet.ActPortUp, fleet.ActPortDown:
		return "verified when the next poll of the switch shows the port's state"
	}
	return "verified when the next poll of the BMC shows the power state"
}

// Draw implements View.
func (v Confirm) Draw(f Frame, on widget.Canvas) {
	w := min(on.W, 110)
	x := (on.W - w) / 2
	lines := v.lines(f)
	h := min(on.H, len(lines)+6)
	if h < len(lines)+6 {
		lines = dense(lines)
	}
	title := "CONFIRM  " + string(v.action) + " " + strings.Join(v.targets[:min(1, len(v.targets))], " ")
	if len(v.targets) > 1 {
		title = "CONFIRM  " + string(v.action) + " on " + strconv.Itoa(len(v.targets)) + " targets"
	}
	box := widget.Box(on.Sub(x, 0, w, h), f.Theme, title, v.dangerText(f), true)
	in := box.Sub(1, 0, box.W-2, box.H)
	body := in.Sub(0, 0, in.W, in.H-4)
	top := max(0, min(v.at, len(lines)-body.H))
	for y := 0; y < body.H && top+y < len(lines); y++ {
		l := &lines[top+y]
		body.Text(0, y, l.label, widget.Dim)
		at := body.Text(9, y, l.glyph, l.style)
		if l.glyph != "" {
			at++
		}
		body.Cut(f.Theme, at, y, body.W-at, l.text, l.style)
	}
	v.drawAsk(f, in.Sub(0, in.H-3, in.W, 3))
	if d := f.Snap.Devices.Get(hostOf(v.first())); d != nil && len(v.targets) == 1 && on.H-h >= 7 {
		drawDeviceCard(f, on.Sub(x, h, w, on.H-h), d, false)
	}
}

func (v Confirm) dangerText(f Frame) string {
	p := v.plan(f)
	text := "danger " + strconv.Itoa(int(p.Danger)) + " of 3"
	if p.NeedsApproval() && !v.broken {
		text += ", two people"
	}
	return text
}

// first is the first target, or "".
func (v Confirm) first() string {
	if len(v.targets) == 0 {
		return ""
	}
	return v.targets[0]
}

// dense drops the blank lines where room is short.
func dense(lines []line) []line {
	out := lines[:0]
	for _, l := range lines {
		if l.text != "" {
			out = append(out, l)
		}
	}
	return out
}

// drawAsk draws the reason and what the keys do now.
func (v Confirm) drawAsk(f Frame, on widget.Canvas) {
	on.Text(0, 0, "reason", widget.Dim)
	if v.reason == "" {
		on.Text(9, 0, "needed; it goes to the audit log with your name", widget.Warn)
	} else {
		on.Cut(f.Theme, 9, 0, on.W-9, v.reason, widget.Bold)
	}
	hints := []widget.Hint{{Key: "esc", Word: "cancel"}, {Key: "e", Word: "reason"}}
	switch why := v.refused(f); {
	case why != "":
		on.Cut(f.Theme, 9, 1, on.W-9, f.Theme.Glyphs.Crit+" would be refused: "+why, widget.Crit)
	case v.reason != "" && v.plan(f).NeedsApproval() && !v.broken:
		hints = append(hints, widget.Hint{Key: "enter", Word: "propose it to a second person, as " + or(f.User)})
	case v.reason != "":
		hints = append(hints, widget.Hint{Key: "enter", Word: string(v.action) + " now, as " + or(f.User)})
	default:
		hints = append(hints, widget.Hint{Key: "enter", Word: "type the reason"})
	}
	widget.Hints(on, 2, hints)
}
