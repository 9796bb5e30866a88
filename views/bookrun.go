package views

import (
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/fleet/runbook"
	"plumb/keys"
	"plumb/views/widget"
)

// BookRun shows every step that a run would take, with what speaks for and
// against it now, and asks for a reason. Nothing has happened yet; whoever runs
// it judges everything again.
type BookRun struct {
	book   *runbook.Book
	id     string
	reason string
	at     int // first line shown
	memo   *bookMemo
}

// bookMemo keeps the steps for as long as the fleet is the same: each is a plan
// of its own.
type bookMemo struct {
	snap  *fleet.Snapshot
	role  fleet.Role
	theme *widget.Theme
	lines []line
}

// NewBookRun returns the question for a run.
func NewBookRun(b *runbook.Book, id string) View { return BookRun{book: b, id: id, memo: &bookMemo{}} }

// ID implements View.
func (v BookRun) ID() string { return "runbook" }

// Crumbs implements View.
func (v BookRun) Crumbs(Frame) []string { return []string{v.id, "run " + v.book.Name} }

// Needs implements View.
func (v BookRun) Needs(Frame) []fleet.Query { return nil }

// Selected implements View.
func (v BookRun) Selected(f Frame) (kind, id string) { return bookKind(f, v.id), v.id }

// refused says why the run would not begin as things stand, or "".
func (v BookRun) refused(f Frame) string {
	m := v.book.Match(f.Snap, v.id)
	switch {
	case !f.Live:
		return "HIST: 0 returns to live"
	case f.Role < fleet.RoleOperator:
		return "needs role operator, you are " + f.Role.String()
	case f.Snap.Freeze.Holds(f.At):
		return "frozen by " + f.Snap.Freeze.By + ": " + f.Snap.Freeze.Reason
	case !m.Holds:
		return m.Why
	}
	return ""
}

// Handle implements View.
func (v BookRun) Handle(f Frame, c keys.Command) (View, Intent) {
	switch c.ID {
	case "runbook.reason":
		if c.Arg(0) == "" {
			return v, Ask{Label: "reason", Text: v.reason, Command: "runbook.reason"}
		}
		v.reason = strings.TrimSpace(c.Arg(0))
	case "enter":
		if why := v.refused(f); why != "" {
			return v, Toast{Text: "refused: " + why}
		}
		if v.reason == "" {
			return v, Ask{Label: "reason", Command: "runbook.reason"}
		}
		return v, RunBook{Book: v.book.Name, Target: v.id, Reason: v.reason}
	case "move.down":
		v.at++
	case "move.up":
		v.at = max(0, v.at-1)
	}
	return v, nil
}

// lines are the steps as people read them.
func (v BookRun) lines(f Frame) []line {
	if m := v.memo; m.snap != f.Snap || m.role != f.Role || m.theme != f.Theme {
		*m = bookMemo{f.Snap, f.Role, f.Theme, v.read(f)}
	}
	return v.memo.lines
}

func (v BookRun) read(f Frame) []line {
	out := []line{{label: "for", text: v.book.Match(f.Snap, v.id).Why, style: widget.Dim}, {}}
	for i, l := range v.book.Preview(f.Snap, v.id) {
		out = append(out, line{label: strconv.Itoa(l.Step) + " " + l.Do, text: l.Text, style: boldIf(l.Action != "", widget.Plain)})
		out = append(out, v.details(f, &l, &v.book.Steps[i])...)
	}
	return out
}

// details is what there is to say of a step beside itself.
func (v BookRun) details(f Frame, l *runbook.Line, step *runbook.Step) (out []line) {
	th := f.Theme
	add := func(state fleet.State, text string) {
		out = append(out, line{glyph: th.Glyphs.State(state), text: text, style: widget.StateStyle(state)})
	}
	if l.If != "" {
		out = append(out, line{text: "if " + l.If, style: widget.Dim})
	}
	switch {
	case l.Unclear != "":
		add(fleet.StateUnknown, l.Unclear)
	case step.Do == runbook.DoCheck && l.Now == "no":
		add(fleet.StateCrit, "does not hold now")
	case step.Do == runbook.DoCheck && l.Now != "yes":
		add(fleet.StateUnknown, l.Now)
	case step.Do == runbook.DoCheck:
		add(fleet.StateOK, "holds now")
	case step.Do == runbook.DoWait:
		out = append(out, line{text: "at most " + step.AtMost.String() + "; now: " + l.Now, style: widget.Dim})
	case l.Action != "":
		out = append(out, v.judged(f, l))
	}
	if l.Rollback != "" {
		out = append(out, line{text: "taken back by " + l.Rollback, style: widget.Dim})
	}
	return out
}

// judged is what the guards say of an act now.
func (v BookRun) judged(f Frame, l *runbook.Line) line {
	p := plan.For(plan.World{Snap: f.Snap, Now: f.At, Graph: graphOf(f)}, plan.Ask{Action: l.Action, Args: l.Args, Targets: l.Targets, By: f.User, Role: f.Role})
	state, text := fleet.StateOK, "danger "+strconv.Itoa(int(p.Danger))+"; guards pass as of now"
	switch g := p.Stops(); {
	case g != nil:
		state, text = fleet.StateWarn, "as of now: "+g.Text
	case p.NeedsApproval():
		state, text = fleet.StateWarn, "danger 3: a second person has to agree"
	}
	return line{glyph: f.Theme.Glyphs.State(state), text: text, style: widget.StateStyle(state)}
}

// Draw implements View.
func (v BookRun) Draw(f Frame, on widget.Canvas) {
	w := min(on.W, 120)
	x := (on.W - w) / 2
	lines := v.lines(f)
	h := min(on.H, len(lines)+6)
	box := widget.Box(on.Sub(x, 0, w, h), f.Theme, "RUN  "+v.book.Name+" on "+v.id, "danger "+strconv.Itoa(int(v.book.Danger()))+" of 3", true)
	in := box.Sub(1, 0, box.W-2, box.H)
	body := in.Sub(0, 0, in.W, in.H-4)
	top := max(0, min(v.at, len(lines)-body.H))
	for y := 0; y < body.H && top+y < len(lines); y++ {
		l := &lines[top+y]
		body.Text(0, y, l.label, widget.Dim)
		at := body.Text(10, y, l.glyph, l.style)
		if l.glyph != "" {
			at++
		}
		body.Cut(f.Theme, at, y, body.W-at, l.text, l.style)
	}
	ask := in.Sub(0, in.H-3, in.W, 3)
	ask.Text(0, 0, "reason", widget.Dim)
	if v.reason == "" {
		ask.Text(10, 0, "needed; it goes to the audit log with your name", widget.Warn)
	} else {
		ask.Cut(f.Theme, 10, 0, ask.W-10, v.reason, widget.Bold)
	}
	if why := v.refused(f); why != "" {
		ask.Cut(f.Theme, 0, 2, ask.W, f.Theme.Glyphs.State(fleet.StateCrit)+" not now: "+why, widget.Crit)
		return
	}
	ask.Cut(f.Theme, 0, 2, ask.W, "enter begins it, e the reason, esc leaves; it stops at the first step that fails, unless the runbook says otherwise", widget.Dim)
}
