package views

import (
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/keys"
	"plumb/views/widget"
)

// Job is the page of one job: who asked for what and why, who agreed, what the
// plan said, and how far each target is. A second person agrees or refuses here.
type Job struct {
	id   string
	list list // the caret, on a target
	memo *planMemo
}

// NewJob returns the page of a job.
func NewJob(id string) View { return Job{id: id, memo: &planMemo{}} }

// ID implements View.
func (v Job) ID() string { return "job" }

// Crumbs implements View.
func (v Job) Crumbs(Frame) []string { return []string{"jobs", v.id} }

// Needs implements View: a job that is over for long is in history only.
func (v Job) Needs(Frame) []fleet.Query { return []fleet.Query{jobQuery()} }

// Selected implements View: keys mean the job; the caret is on its targets.
func (v Job) Selected(Frame) (kind, id string) { return KindJob, v.id }

// find returns the job; nil: it is not there yet, or no more.
func (v Job) find(f Frame) *fleet.Job {
	is := func(j fleet.Job) bool { return j.ID == v.id }
	if i := slices.IndexFunc(f.Snap.Jobs, is); i >= 0 {
		return &f.Snap.Jobs[i]
	}
	if f.Answers == nil {
		return nil
	}
	past, _ := f.Answers.Get(jobQuery())
	if i := slices.IndexFunc(past.Jobs, is); i >= 0 {
		return &past.Jobs[i]
	}
	return nil
}

func targetRows(j *fleet.Job) rows {
	if j == nil {
		return rows{}
	}
	return rows{len(j.Targets), func(i int) string { return j.Targets[i] }}
}

// acts implements actor: what can be done to the target under the caret.
func (v Job) acts(f Frame) Actions {
	j := v.find(f)
	if j == nil {
		return Actions{}
	}
	return Actions{kind: kindOfTarget(j.Action), id: v.list.selected(targetRows(j))}
}

// Handle implements View.
func (v Job) Handle(f Frame, c keys.Command) (View, Intent) {
	j := v.find(f)
	target := v.list.selected(targetRows(j))
	switch c.ID {
	case "job.approve", "job.refuse", "job.cancel":
		return v, v.word(f, j, c)
	case "job.answer":
		return v, v.answer(j, c)
	case "job.undo":
		return v, undo(f, j)
	case "enter", "page":
		if to, ok := followAny(f, target); ok {
			return v, Open{View: to}
		}
	case "trace":
		if c.Arg(0) == "" && target != "" {
			return v, openTrace(f, v, target)
		}
	case "events":
		return v, Open{View: NewEvents(hostOf(target))}
	}
	v.list, _ = v.list.move(c, targetRows(j), page(f)/2)
	return v, nil
}

// word asks for what has to be said with a word about the job, and says it. An
// empty line agrees, or cancels; a refusal needs a reason.
func (v Job) word(f Frame, j *fleet.Job, c keys.Command) Intent {
	word := strings.TrimPrefix(c.ID, "job.")
	if j == nil {
		return Toast{Text: word + ": the job is not on record here"}
	}
	what := string(j.Action) + " " + jobTargets(f, j)
	text := strings.TrimSpace(c.Arg(0))
	if text == v.id { // who names the job at the palette was not asked yet
		c.Args, text = nil, ""
	}
	switch {
	case c.Args == nil && word == "approve":
		return Ask{Label: "approve " + what + " for " + j.By + "? enter agrees", Command: c.ID}
	case c.Args == nil && word == "refuse":
		return Ask{Label: "refuse " + what + ", reason", Command: c.ID}
	case c.Args == nil:
		return Ask{Label: "cancel " + what + "? enter cancels", Command: c.ID}
	case word == "refuse" && text == "":
		return Toast{Text: "refuse: needs a reason; nothing was said"}
	}
	return JobWord{Word: word, Job: v.id, Reason: text}
}

// answer asks for the answer to what a run asks, and gives it. The prompt is
// empty: nobody answers by pressing enter twice.
func (v Job) answer(j *fleet.Job, c keys.Command) Intent {
	if j == nil || j.Asks == nil {
		return Toast{Text: "answer: " + v.id + " asks nothing"}
	}
	on, off := j.Asks.Choices()
	if c.Args == nil {
		return Ask{Label: "answer " + on + " or " + off, Command: c.ID}
	}
	text := strings.TrimSpace(c.Arg(0))
	if _, ok := j.Asks.Heard(text); !ok {
		return Toast{Text: "answer: that is neither " + on + " nor " + off + "; nothing was said"}
	}
	return Answer{Job: v.id, Text: text}
}

// undo asks for what takes a job back, as for any other action.
func undo(f Frame, j *fleet.Job) Intent {
	if j == nil {
		return Toast{Text: "undo: the job is not on record here"}
	}
	a, ok := plan.UndoOf(j)
	if !ok {
		return Toast{Text: "undo: nothing takes back " + string(j.Action) + " of " + j.ID}
	}
	v := Confirm{action: a.Action, args: a.Args, targets: a.Targets, version: f.Snap.Version, undoes: j.ID, memo: &planMemo{}}
	open := Open{View: v.since(f)}
	if v.refused(f) == "" {
		open.Ask = v.askReason()
	}
	return open
}

// Draw implements View.
func (v Job) Draw(f Frame, on widget.Canvas) {
	j := v.find(f)
	if j == nil {
		drawEmpty(f, on, "job "+v.id+" is not here yet", "it shows with the next version of the fleet; 9 lists all jobs")
		return
	}
	head := jobHead(f, j)
	h := min(on.H, len(head)+2)
	state, _ := jobStyle(j.State)
	box := widget.Box(on.Sub(0, 0, on.W, h), f.Theme, string(j.Action)+" "+jobTargets(f, j), f.Theme.Glyphs.State(state)+" "+jobWord(j), waits(j))
	drawLines(f, box.Sub(1, 0, box.W-2, box.H), head, 0)
	h += drawQuestion(f, on.Sub(0, h, on.W, on.H-h), j)
	rest := on.Sub(0, h, on.W, on.H-h)
	lines := v.planned(f, j)
	if j.Planned == nil {
		v.drawTree(f, rest, j)
		return
	}
	if on.W >= 100 {
		w := max(46, on.W*45/100)
		v.drawTree(f, rest.Sub(0, 0, w, rest.H), j)
		drawPlan(f, rest.Sub(w, 0, rest.W-w, rest.H), j, lines)
		return
	}
	const least = 6 // rows of the plan that stay
	tree := min(len(stepLines(f, j))+2, rest.H-least)
	if j.State == fleet.JobProposed { // what is asked for comes before what was done
		drawPlan(f, rest.Sub(0, 0, rest.W, rest.H-tree), j, lines)
		v.drawTree(f, rest.Sub(0, rest.H-tree, rest.W, tree), j)
		return
	}
	v.drawTree(f, rest.Sub(0, 0, rest.W, tree), j)
	drawPlan(f, rest.Sub(0, tree, rest.W, rest.H-tree), j, lines)
}

// jobTargets names the target, or counts them.
func jobTargets(f Frame, j *fleet.Job) string {
	if len(j.Targets) == 1 {
		return targetName(f, j.Targets[0])
	}
	return fleet.Count(len(j.Targets), "target")
}

// jobHead says who asked for it and why, who agreed, and what came of it.
func jobHead(f Frame, j *fleet.Job) []line {
	asked := j.By + " " + clock(f, j.Began) + ", " + since(f, j.Began) + " ago: " + or(j.Reason)
	out := []line{{"asked", "", asked, widget.Bold}}
	switch {
	case j.Left:
		out = append(out, line{"left", f.Theme.Glyphs.Crit, "by an earlier process; what became of it is not on record yet, and", widget.Crit},
			line{"", "", "nothing is begun on its targets until the store takes that", widget.Crit})
	case j.BrokeGlass:
		out = append(out, line{"agreed", f.Theme.Glyphs.Crit, "nobody: " + j.By + " broke the glass", widget.Crit})
	case j.State == fleet.JobProposed:
		out = append(out, line{"waits", f.Theme.Glyphs.Warn, waitsFor(f, j), widget.Warn})
	case j.ApprovedBy != "":
		out = append(out, line{"agreed", f.Theme.Glyphs.OK, j.ApprovedBy, widget.OK})
	}
	hash := "job " + j.ID
	if j.Plan != "" {
		hash += ", plan " + j.Plan[:min(len(j.Plan), 12)]
	}
	if j.Planned != nil {
		hash += ", " + dangerText(j.Planned, j.BrokeGlass)
	}
	out = append(out, line{"record", "", hash, widget.Dim})
	if j.Undoes != "" {
		out = append(out, line{"undoes", "", "job " + j.Undoes, widget.Plain})
	}
	for i := range f.Snap.Jobs {
		if x := &f.Snap.Jobs[i]; x.Undoes == j.ID {
			out = append(out, line{"undone", "", "by job " + x.ID + " of " + x.By + ": " + string(x.State), widget.Plain})
		}
	}
	text := "running for " + took(f, j.Began, j.Ended)
	if !j.Ended.IsZero() {
		text = string(j.State) + " " + clock(f, j.Ended) + ", " + span(j.Ended.Sub(j.Began)) + " after it was asked for"
	}
	if j.State != fleet.JobProposed {
		out = append(out, line{"took", "", text, widget.Plain})
	}
	return out
}

// drawQuestion draws what a run asks, whole, with the answers that there are and
// who may give one. It returns the rows that it took.
func drawQuestion(f Frame, on widget.Canvas, j *fleet.Job) int {
	const most = 5 // rows of the question
	if j.Asks == nil {
		return 0
	}
	w := on.W - 4
	h := min(on.H, min(most, widget.Width(j.Asks.Text)/max(w, 1)+2)+3)
	in := widget.Box(on.Sub(0, 0, on.W, h), f.Theme, "it asks", span(j.Asks.Until.Sub(f.At))+" left, then it stops", true).Sub(1, 0, w, h-2)
	y := in.Wrap(0, 0, w, in.H-1, j.Asks.Text, widget.Warn)
	in.Cut(f.Theme, 0, y, w, whoAnswers(f, j.Asks), widget.Bold)
	return h
}

// whoAnswers says what the person at the screen may say to a question.
func whoAnswers(f Frame, q *fleet.Question) string {
	on, off := q.Choices()
	switch {
	case !f.Live:
		return on + " or " + off + "; HIST: 0 returns to live"
	case f.Role < fleet.RoleOperator:
		return on + " or " + off + "; to answer needs role operator"
	}
	return "r answers " + on + " or " + off
}

// left is how long a proposal still waits.
func left(f Frame, j *fleet.Job) string { return span(j.Began.Add(fleet.ApproveWithin).Sub(f.At)) }

// waitsFor says whose word a proposal waits for, and how to say it. What whoever
// asked can do themselves has to fit on a narrow screen.
func waitsFor(f Frame, j *fleet.Job) string {
	if f.Live && j.By == f.User {
		return "for an admin, " + left(f, j) + " left; c takes it back"
	}
	return "for a second person, " + left(f, j) + " left: " + whoMay(f, j)
}

// whoMay says what the person at the screen may say to another's proposal.
func whoMay(f Frame, j *fleet.Job) string {
	switch {
	case !f.Live:
		return "HIST: 0 returns to live"
	case f.Role >= fleet.RoleAdmin:
		return "y approves, n refuses"
	case f.Role >= fleet.RoleOperator:
		return "needs role admin; n refuses"
	}
	return "needs role admin"
}

// planned are the plan that the job carries out, and of a proposal whether it
// would still be the same.
func (v Job) planned(f Frame, j *fleet.Job) []line {
	if j.Planned == nil {
		return nil
	}
	c := Confirm{action: j.Action, args: j.Planned.Args, targets: j.Targets, memo: &planMemo{snap: f.Snap, role: f.Role, plan: *j.Planned}}
	guards := planGuards(j.Planned)
	if j.State == fleet.JobProposed {
		guards = append(v.doubts(f, j), guards...)
	}
	return c.planLines(f, guards)
}

// doubts are what has changed since a job was proposed: an approval is of the
// plan that was shown.
func (v Job) doubts(f Frame, j *fleet.Job) []guard {
	now := Confirm{action: j.Action, args: j.Planned.Args, targets: j.Targets, memo: v.memo}
	g := f
	g.Role, g.User = fleet.RoleOperator, j.By
	p := now.plan(g)
	switch stop := p.Stops(); {
	case stop != nil:
		return []guard{{fleet.StateCrit, "now: " + stop.Text}}
	case p.Hash != j.Plan:
		return []guard{{fleet.StateCrit, "now: the targets changed since it was proposed, it has to be proposed again"}}
	}
	return []guard{{fleet.StateOK, "the plan is still the same"}}
}

func drawPlan(f Frame, on widget.Canvas, j *fleet.Job, lines []line) {
	in := widget.Box(on, f.Theme, "plan", string(j.Action)+argsText(j.Planned.Args), false)
	in = in.Sub(1, 0, in.W-2, in.H)
	if whole := folded(lines, in.W); len(whole) <= in.H {
		lines = whole
	} else if len(lines) > in.H {
		lines = dense(lines)
	}
	drawLines(f, in, lines, 0)
}
