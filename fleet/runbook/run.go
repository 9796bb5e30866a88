package runbook

import (
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
)

// Move is what a run wants done now.
type Move struct {
	Is     MoveKind
	Step   int    // from 1; 0: of the run as a whole
	Name   string // of the step, for the record: "2 act power-cycle"
	Text   string
	OK     bool              // of a record: how the step went
	Action fleet.ActionKind  // of an act
	Args   map[string]string // of an act
	On     []string          // of an act
	Argv   []string          // of a program
	Within time.Duration     // of a program
	Until  time.Time         // of a look: when it is too late
	State  fleet.JobState    // of an end
}

// MoveKind is what is wanted.
type MoveKind uint8

// What a run may want. After a record and an end nothing is told to it; after a
// look it is asked again with what is newer; after the others it waits for
// [Run.Told].
const (
	MoveRecord MoveKind = iota // put the step on record and ask again
	MoveLook                   // wait for the next snapshot, or until it is too late
	MoveAct
	MoveExec
	MoveAsk // a person
	MoveEnd
)

// Run is one run of a book. It is used by one goroutine.
type Run struct {
	Book   *Book
	Target string

	at      int       // the step whose turn it is
	begun   time.Time // when its wait began; zero: it did not
	acted   time.Time // when the last act or program ended; zero: none did
	open    *Move     // what was asked for and not told of
	undo    []*Step   // what takes back the steps that were done, the last one last
	numbers []int     // of those steps
	back    bool      // it is being taken back
	why     string    // the first failure
	passed  int       // failures that the book passes over
	stopped string    // why nothing more is begun
	end     fleet.JobState
}

// NewRun begins a run of a book on a target.
func NewRun(b *Book, target string) *Run { return &Run{Book: b, Target: target} }

// Next says what is to be done now. Until what it asked for is told of, it asks
// for the same.
func (r *Run) Next(s *fleet.Snapshot, now time.Time) Move {
	switch {
	case r.open != nil:
		return *r.open
	case r.stopped != "":
		return Move{Is: MoveEnd, State: r.end, Text: r.stopped}
	case r.back:
		return r.rollback(s)
	case r.at >= len(r.Book.Steps):
		return r.whole()
	}
	step := &r.Book.Steps[r.at]
	if step.If != nil && r.begun.IsZero() {
		switch is, err := step.If.Holds(s, r.Target); {
		case err != nil:
			return r.failed(step, "whether its turn has come: "+err.Error())
		case !is:
			return r.record(step, true, "left out: it does not hold that "+step.If.String())
		}
	}
	return r.turn(step, s, now)
}

// whole is the end of a run whose every step had its turn.
func (r *Run) whole() Move {
	text := "all steps done"
	if r.passed > 0 {
		text = fmt.Sprintf("done; %d failed and the runbook goes on without: %s", r.passed, r.why)
	}
	return Move{Is: MoveEnd, State: fleet.JobVerified, Text: text}
}

// turn is a step whose turn has come.
func (r *Run) turn(step *Step, s *fleet.Snapshot, now time.Time) Move {
	switch step.Do {
	case DoWait:
		return r.wait(step, s, now)
	case DoCheck:
		return r.check(step, s)
	case DoAct, DoExec, DoPrompt:
		m, err := r.render(step, r.at+1, s)
		if err != nil {
			return r.failed(step, err.Error())
		}
		r.open = &m
		return m
	}
	text, err := step.Text.Fill(s, r.Target)
	if err != nil {
		text = err.Error()
	}
	return r.record(step, true, text)
}

func (r *Run) wait(step *Step, s *fleet.Snapshot, now time.Time) Move {
	if r.begun.IsZero() {
		r.begun = now
	}
	is, err := step.For.HoldsSince(s, r.Target, r.acted)
	until := r.begun.Add(step.AtMost)
	switch {
	case is:
		return r.record(step, true, "after "+now.Sub(r.begun).Round(time.Second).String()+": "+step.For.String())
	case !now.Before(until) && err != nil:
		return r.failed(step, "not within "+step.AtMost.String()+": "+err.Error())
	case !now.Before(until):
		return r.failed(step, "not within "+step.AtMost.String()+": "+step.For.String())
	}
	return Move{Is: MoveLook, Step: r.at + 1, Name: r.name(step), Until: until, Text: step.For.String()}
}

func (r *Run) check(step *Step, s *fleet.Snapshot) Move {
	is, err := step.For.Holds(s, r.Target)
	switch {
	case err != nil:
		return r.failed(step, err.Error())
	case is:
		return r.record(step, true, "holds: "+step.For.String())
	}
	why := "does not hold: " + step.For.String()
	if text, err := step.Text.Fill(s, r.Target); err == nil && text != "" {
		why = text
	}
	return r.failed(step, why)
}

// render is an act, a program or a question with everything filled in.
func (r *Run) render(step *Step, number int, s *fleet.Snapshot) (m Move, err error) {
	m = Move{Step: number, Name: nameOf(step, number), Action: step.Action, Within: step.AtMost}
	if m.Text, err = step.Text.Fill(s, r.Target); err != nil {
		return m, err
	}
	switch step.Do {
	case DoPrompt:
		m.Is = MoveAsk
	case DoExec:
		m.Is = MoveExec
		for _, a := range step.Argv {
			text, err := a.Fill(s, r.Target)
			if err != nil {
				return m, err
			}
			m.Argv = append(m.Argv, text)
		}
	case DoAct:
		m.Is = MoveAct
		if m.On, err = step.on(s, r.Target); err != nil {
			return m, err
		}
		if len(step.Args) > 0 {
			m.Args = map[string]string{}
		}
		for name, t := range step.Args {
			if m.Args[name], err = t.Fill(s, r.Target); err != nil {
				return m, err
			}
		}
	}
	return m, nil
}

// on are the targets of an act.
func (s *Step) on(snap *fleet.Snapshot, target string) ([]string, error) {
	if s.Targets == nil {
		return []string{target}, nil
	}
	var out []string
	for _, t := range s.Targets {
		list, err := t.List(snap, target)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	if len(out) == 0 {
		return nil, notKnown("any target: nothing is selected, and that is never everything")
	}
	return out, nil
}

// Told says what came of what the run asked for. What a wait after it is to see
// has to be read later than that.
func (r *Run) Told(ok bool, text string, now time.Time) Move {
	m := r.open
	r.open = nil
	if m == nil {
		return Move{Is: MoveRecord, Text: text}
	}
	if r.back {
		return Move{Is: MoveRecord, Step: m.Step, Name: m.Name, OK: ok, Text: text}
	}
	step := &r.Book.Steps[r.at]
	if step.Do != DoPrompt {
		r.acted = now
	}
	if !ok {
		return r.failed(step, text)
	}
	if step.Rollback != nil {
		r.undo, r.numbers = append(r.undo, step.Rollback), append(r.numbers, r.at+1)
	}
	return r.record(step, true, text)
}

// Stop begins nothing more. What was begun goes on: nobody can call it back,
// and what was done is not taken back either.
func (r *Run) Stop(end fleet.JobState, why string) {
	if r.stopped == "" {
		r.stopped, r.end, r.open = why, end, nil
	}
}

// record ends a step and goes on to the next.
func (r *Run) record(step *Step, ok bool, text string) Move {
	m := Move{Is: MoveRecord, Step: r.at + 1, Name: r.name(step), OK: ok, Text: text}
	r.at++
	r.begun = time.Time{}
	return m
}

// failed ends a step that did not go well, and says what that means.
func (r *Run) failed(step *Step, text string) Move {
	m := r.record(step, false, text)
	if r.why == "" {
		r.why = m.Name + ": " + text
	}
	switch step.OnFail {
	case FailContinue:
		r.passed++
	case FailRollback:
		r.back = true
	default:
		r.Stop(fleet.JobFailed, r.why)
	}
	return m
}

// rollback takes back what was done, the last first. What cannot be taken back
// does not keep the rest from it.
func (r *Run) rollback(s *fleet.Snapshot) Move {
	n := len(r.undo)
	if n == 0 {
		return Move{Is: MoveEnd, State: fleet.JobFailed, Text: r.why + "; what was done was taken back as far as the runbook says"}
	}
	step, number := r.undo[n-1], r.numbers[n-1]
	r.undo, r.numbers = r.undo[:n-1], r.numbers[:n-1]
	m, err := r.render(step, number, s)
	m.Name = "rollback " + m.Name
	if err != nil {
		return Move{Is: MoveRecord, Step: number, Name: m.Name, Text: err.Error()}
	}
	r.open = &m
	return m
}

func (r *Run) name(step *Step) string { return nameOf(step, r.at+1) }

// nameOf is how a step is called on record.
func nameOf(step *Step, number int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", number, step.Do, step.Action))
}
