package views

import (
	"slices"
	"strconv"
	"time"

	"plumb/fleet"
	"plumb/views/widget"
)

// twigLine is one row of the tree of steps.
type twigLine struct {
	depth  int
	target string // the rows of targets; "": a step or a wave
	state  fleet.JobState
	text   string
	at     string
	when   time.Time // of steps
	past   bool      // another step of the same target came after it
	over   bool      // nothing more will come
}

// stepLines lists what happened: to the job as a whole, and in waves to each of
// its targets.
func stepLines(f Frame, j *fleet.Job) []twigLine {
	var out []twigLine
	step := func(depth int, s *fleet.JobStep) {
		out = append(out, twigLine{depth: depth, state: s.State, text: s.Name + "  " + s.Text, at: clock(f, s.At), when: s.At})
	}
	own := func(s *fleet.JobStep) bool { return s.Target == "" && !(len(j.Targets) == 1 && ofTarget(s.Name)) }
	for i := range j.Steps {
		if s := &j.Steps[i]; own(s) && s.Name != "stop" {
			step(0, s)
			out[len(out)-1].past = !s.State.Over() && j.State != s.State
		}
	}
	waves := []int{len(j.Targets)}
	if j.Planned != nil && len(j.Planned.Waves) > 0 {
		waves = j.Planned.Waves
	}
	rest := j.Targets
	for n, size := range waves {
		size = min(size, len(rest))
		if len(waves) > 1 {
			out = append(out, twigLine{text: waveText(n, len(waves), size)})
		}
		for _, t := range rest[:size] {
			l := twigLine{depth: 1, target: t, text: targetName(f, t), over: j.State.Over()}
			if s := j.Of(t); s != nil {
				l.state, l.at = s.State, clock(f, s.At)
			}
			out = append(out, l)
			for i := range j.Steps {
				if s := &j.Steps[i]; s.Target == t || s.Target == "" && !own(s) {
					step(2, s)
					out[len(out)-1].past = j.Of(t) != s
				}
			}
		}
		rest = rest[size:]
	}
	for i := range j.Steps {
		if s := &j.Steps[i]; own(s) && s.Name == "stop" {
			step(0, s)
		}
	}
	return out
}

func ofTarget(step string) bool { return step == "begin" || step == "act" || step == "verify" }

func waveText(n, of, size int) string {
	text := "wave " + strconv.Itoa(n+1) + " of " + strconv.Itoa(of) + ": " + fleet.Count(size, "target")
	if n == 0 {
		text += ", the canary"
	}
	return text
}

// drawTree draws the steps as they come in.
func (v Job) drawTree(f Frame, on widget.Canvas, j *fleet.Job) {
	done := 0
	for _, t := range j.Targets {
		if s := j.Of(t); s != nil && s.State.Over() {
			done++
		}
	}
	in := widget.Box(on, f.Theme, "steps", strconv.Itoa(done)+" of "+strconv.Itoa(len(j.Targets)), j.State != fleet.JobProposed)
	lines, caret := stepLines(f, j), v.list.selected(targetRows(j))
	at := max(0, slices.IndexFunc(lines, func(l twigLine) bool { return l.target != "" && l.target == caret }))
	follow := v.follow(j, lines, at)
	top := widget.Window(len(lines), follow, in.H)
	for y := 0; y < in.H && top+y < len(lines); y++ {
		l := &lines[top+y]
		row := in.Sub(2+2*l.depth, y, in.W-3-2*l.depth, 1)
		end := row.Right(row.W, 0, l.at, widget.Dim)
		drawTwigLine(f, row.Sub(0, 0, end-1, 1), l)
		if top+y == at && l.target != "" {
			in.Text(0, y, f.Theme.Glyphs.Caret, widget.Bold)
			in.Select(0, y, in.W)
		}
	}
	widget.Scroll(in, f.Theme, len(lines), follow)
}

// follow is the line that has to be in sight: the newest step that is under way, as
// long as nobody moved the caret, else the last one of the target under the caret.
func (v Job) follow(j *fleet.Job, lines []twigLine, at int) int {
	if v.list == (list{}) && !j.State.Over() {
		live := -1
		for i := range lines {
			if l := &lines[i]; l.target == "" && l.state != "" && !l.past && !l.state.Over() && (live < 0 || !l.when.Before(lines[live].when)) {
				live = i
			}
		}
		if live >= 0 {
			return live
		}
	}
	for at+1 < len(lines) && lines[at+1].depth > 1 {
		at++
	}
	return at
}

func drawTwigLine(f Frame, on widget.Canvas, l *twigLine) {
	switch {
	case l.target != "" && l.state == "":
		x := on.Text(0, 0, f.Theme.Glyphs.Empty, widget.Rest) + 1
		x = on.Cut(f.Theme, x, 0, on.W-x, l.text, widget.Link)
		text := "its turn has not come"
		if l.over {
			text = "not begun"
		}
		on.Cut(f.Theme, x+2, 0, on.W-x-2, text, widget.Dim)
	case l.past:
		on.Cut(f.Theme, on.Text(0, 0, f.Theme.Glyphs.Empty, widget.Rest)+1, 0, on.W-2, l.text, widget.Dim)
	case l.state == "":
		on.Cut(f.Theme, 0, 0, on.W, l.text, widget.Dim)
	default:
		state, st := jobStyle(l.state)
		x := on.Glyph(f.Theme, 0, 0, state) + 1
		if l.target != "" {
			x = on.Cut(f.Theme, x, 0, on.W-x, l.text, widget.Link) + 2
			on.Cut(f.Theme, x, 0, on.W-x, string(l.state), st)
			return
		}
		on.Cut(f.Theme, x, 0, on.W-x, l.text, widget.Plain)
	}
}
