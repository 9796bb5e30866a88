package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/keys"
	"plumb/views/widget"
)

// Confirm shows what an action would do, to what, and what hangs on it, and
// asks for a reason. Nothing has happened yet; the executor judges everything
// again on what is true when it runs.
type Confirm struct {
	action  fleet.ActionKind
	targets []string
	version uint64
	was     []likeness // of the targets when the screen was opened; nil: not known
	reason  string
	at      int // first line shown
	memo    *confirmMemo
}

// NewConfirm returns the question for an action on targets, as seen in a
// version of the snapshot.
func NewConfirm(action fleet.ActionKind, targets []string, version uint64) View {
	return Confirm{action: action, targets: targets, version: version, memo: &confirmMemo{}}
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
	case "enter":
		if v.reason == "" {
			return v, Ask{Label: "reason", Command: "confirm.reason"}
		}
		if why := v.refused(f); why != "" {
			return v, Toast{Text: "refused: " + why}
		}
		return v, Execute{Action: v.action, Targets: v.targets, Reason: v.reason, Version: v.version}
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

func (v Confirm) guards(f Frame) []guard {
	var out []guard
	add := func(bad bool, state fleet.State, no, yes string) {
		if bad {
			out = append(out, guard{state, no})
		} else if yes != "" {
			out = append(out, guard{fleet.StateOK, yes})
		}
	}
	add(!f.Live, fleet.StateCrit, "HIST: 0 returns to live", "live")
	add(f.Role < fleet.RoleOperator, fleet.StateCrit, "needs role operator, you are "+f.Role.String(), "role "+f.Role.String())
	for _, t := range v.targets {
		d := f.Snap.Devices.Get(hostOf(t))
		if d == nil {
			add(true, fleet.StateCrit, t+" is not in the inventory", "")
			continue
		}
		add(d.Blind(), fleet.StateCrit, t+" has not answered for "+since(f, d.BlindSince), "")
		old := f.At.Sub(d.SeenAt) > StaleAfter(f.Snap) && !d.Blind()
		add(old, fleet.StateWarn, t+" was last seen "+since(f, d.SeenAt)+" ago", "")
		if len(v.targets) == 1 && !d.Blind() && !old {
			add(false, fleet.StateOK, "", "seen "+since(f, d.SeenAt)+" ago")
		}
		add(d.State == fleet.StateCrit || d.State == fleet.StateWarn, fleet.StateWarn, t+" is "+d.State.String()+" now", "")
		add(!isPortAction(v.action) && serialOf(d) == "", fleet.StateWarn, t+" has no serial to check against", "")
	}
	for _, h := range v.services(f) {
		add(h.Refusal() != "", fleet.StateCrit, h.Refusal(), "")
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
	box := widget.Box(on.Sub(x, 0, w, h), f.Theme, title, "danger "+strconv.Itoa(int(v.action.Danger()))+" of 3", true)
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
	case v.reason != "":
		hints = append(hints, widget.Hint{Key: "enter", Word: string(v.action) + " now, as " + or(f.User)})
	default:
		hints = append(hints, widget.Hint{Key: "enter", Word: "type the reason"})
	}
	widget.Hints(on, 2, hints)
}
