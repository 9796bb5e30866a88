package remedy

import (
	"context"
	"fmt"
	"time"

	"plumb/fleet"
	"plumb/fleet/runbook"
)

// bookRun is a run that is under way. play is its only goroutine; others reach
// it by poked and answers.
type bookRun struct {
	*Executor
	errand  Errand
	job     fleet.Job
	run     *runbook.Run
	poked   chan struct{} // something was said that no snapshot shows
	answers chan answer
	asks    *fleet.Question // the one that waits; nil: none. Executor.mu guards it
	shown   int             // the step whose wait is on record
}

func (x *bookRun) poke() {
	select {
	case x.poked <- struct{}{}:
	default:
	}
}

// play carries the run out.
func (x *bookRun) play(ctx context.Context) {
	w := x.ledger.Watch()
	defer w.Close()
	s := x.ledger.Snapshot()
	for {
		x.heed()
		switch m := x.run.Next(s, x.now()); m.Is {
		case runbook.MoveEnd:
			x.finish(ctx, m)
			return
		case runbook.MoveRecord:
			x.keep(ctx, m)
		case runbook.MoveLook:
			x.waiting(ctx, m)
			if next := x.look(ctx, w, m.Until.Sub(x.now())); next != nil {
				s = next
			}
		case runbook.MoveAct:
			x.tell(ctx, m, x.act)
		case runbook.MoveExec:
			x.tell(ctx, m, x.exec)
		case runbook.MoveAsk:
			x.tell(ctx, m, x.ask)
		}
		if now := x.ledger.Snapshot(); now.Version > s.Version {
			s = now
		}
	}
}

// heed stops the run where somebody said so.
func (x *bookRun) heed() {
	x.mu.Lock()
	who, closing := x.stopped[x.job.ID], x.quits()
	x.mu.Unlock()
	switch {
	case who != "":
		x.run.Stop(fleet.JobCancelled, "cancelled by "+who+"; what was done stays as it is")
	case closing:
		x.run.Stop(fleet.JobStopped, "plumb stops; what was done stays as it is")
	}
}

// halted reports whether the run is to begin nothing more.
func (x *bookRun) halted() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stopped[x.job.ID] != "" || x.quits()
}

// tell carries a move out and tells the run what came of it.
func (x *bookRun) tell(ctx context.Context, m runbook.Move, do func(context.Context, runbook.Move) (string, error)) {
	text, err := do(ctx, m)
	if err != nil {
		text = err.Error()
	}
	if x.halted() { // what came of it is said, whatever it was
		x.keep(ctx, runbook.Move{Name: m.Name, OK: err == nil, Text: text})
		return
	}
	x.keep(ctx, x.run.Told(err == nil, text, x.now()))
}

// keep puts a step on record. Where the store does not take it nothing more is
// begun: a run that nobody can follow is not one that anybody agreed to.
func (x *bookRun) keep(ctx context.Context, m runbook.Move) {
	state := fleet.JobVerified
	if !m.OK {
		state = fleet.JobFailed
	}
	if err := x.step(ctx, m.Name, state, m.Text); err != nil {
		x.run.Stop(fleet.JobStopped, "the store does not take it: "+err.Error())
	}
}

func (x *bookRun) step(ctx context.Context, name string, state fleet.JobState, text string) error {
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	return x.ledger.Apply(ctx, fleet.Decision{Change: &fleet.JobChange{ID: x.job.ID,
		Steps: []fleet.JobStep{{Name: name, State: state, Text: fleet.Clean(text, fleet.MaxText), At: x.now()}}}})
}

// waiting shows, once, what a wait is for.
func (x *bookRun) waiting(ctx context.Context, m runbook.Move) {
	if x.shown == m.Step {
		return
	}
	x.shown = m.Step
	if err := x.step(ctx, m.Name, fleet.JobRunning, "until "+m.Text); err != nil {
		x.run.Stop(fleet.JobStopped, "the store does not take it: "+err.Error())
	}
}

// look waits for the next snapshot, a poke, or the time to be over; nil: there
// is none newer.
func (x *bookRun) look(ctx context.Context, w Watch, most time.Duration) *fleet.Snapshot {
	ctx, cancel := context.WithTimeout(ctx, max(most, 0))
	defer cancel()
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-x.poked:
			cancel()
		case <-done:
		}
	}()
	s, err := w.Next(ctx)
	if err != nil {
		return nil
	}
	return s
}

// act asks for an action as the person who started the run, and waits until it
// is seen to be done.
func (x *bookRun) act(ctx context.Context, m runbook.Move) (string, error) {
	r := Request{Person: x.errand.Person, Action: m.Action, Args: m.Args, Targets: m.On, Run: x.job.ID, Most: x.errand.Most,
		Reason: fleet.Clean("runbook "+x.errand.Book+", step "+m.Name+": "+x.errand.Reason, fleet.MaxText)}
	if want := x.challenge(r); want != "" {
		typed, err := x.question(ctx, m.Name, fleet.Question{Text: fmt.Sprintf("%s of %s: type %q", m.Action, list(m.On), want), Type: want})
		if err != nil {
			return "", err
		}
		r.Typed = typed.text
	}
	job, err := x.Run(ctx, r)
	if err != nil {
		return "", err
	}
	text := job.ID + " " + string(m.Action) + " " + list(m.On)
	if job.State == fleet.JobProposed {
		text += ": waits for a second person: approve " + job.ID
	}
	if err := x.step(ctx, m.Name, fleet.JobRunning, text); err != nil {
		x.log.Error("step of a run not kept", "job", x.job.ID, "err", err)
	}
	return x.outcome(ctx, job.ID)
}

// outcome waits for the end of an act.
func (x *bookRun) outcome(ctx context.Context, id string) (string, error) {
	w := x.ledger.Watch()
	defer w.Close()
	for {
		s := x.look(ctx, w, askWithin)
		if x.halted() {
			x.callOff(ctx, id)
			return "", fmt.Errorf("%s goes on by itself", id)
		}
		if s == nil {
			continue
		}
		j := jobOf(s, id)
		if j == nil {
			return "", fmt.Errorf("%s is not on record any more", id)
		}
		if !j.State.Over() {
			continue
		}
		text := id + " " + string(j.State)
		if n := len(j.Steps); n > 0 {
			text += ": " + j.Steps[n-1].Text
		}
		if j.State != fleet.JobVerified {
			return "", fmt.Errorf("%s", text)
		}
		return text, nil
	}
}

// callOff takes back what waits for a second person, and stops what has targets
// left. What was sent is not called back.
func (x *bookRun) callOff(ctx context.Context, id string) {
	if j := jobOf(x.ledger.Snapshot(), id); j != nil && (j.State == fleet.JobProposed || j.State == fleet.JobRunning) {
		if _, err := x.Cancel(ctx, x.errand.Person, id); err != nil {
			x.log.Info("act of a run not called off", "run", x.job.ID, "job", id, "err", err)
		}
	}
}

func jobOf(s *fleet.Snapshot, id string) *fleet.Job {
	for i := range s.Jobs {
		if s.Jobs[i].ID == id {
			return &s.Jobs[i]
		}
	}
	return nil
}

// ask puts a question of the book to whoever is there.
func (x *bookRun) ask(ctx context.Context, m runbook.Move) (string, error) {
	a, err := x.question(ctx, m.Name, fleet.Question{Text: m.Text})
	if err != nil {
		return "", err
	}
	return a.who + ": " + a.text, nil
}

// question waits for an answer. No is an error, and so is none.
func (x *bookRun) question(ctx context.Context, name string, q fleet.Question) (answer, error) {
	q.Text, q.Until = fleet.Clean(q.Text, fleet.MaxText), x.now().Add(askWithin)
	x.pose(&q)
	if err := x.wonder(ctx, &q, fleet.JobStep{Name: name, State: fleet.JobRunning, Text: "asks: " + q.Text}); err != nil {
		x.pose(nil)
		return answer{}, err
	}
	defer func() {
		x.pose(nil)
		if err := x.wonder(ctx, &fleet.Question{}); err != nil {
			x.log.Error("end of a question not kept", "job", x.job.ID, "err", err)
		}
	}()
	late := time.NewTimer(askWithin)
	defer late.Stop()
	for {
		select {
		case a := <-x.answers:
			if on, _ := q.Heard(a.text); !on {
				return a, fmt.Errorf("%s says no", a.who)
			}
			return a, nil
		case <-x.poked:
			if x.halted() {
				return answer{}, errNobody
			}
		case <-late.C:
			return answer{}, errNobody
		}
	}
}

// wonder puts on record what the run asks, for everybody to see, or with an
// empty question that it asks nothing any more.
func (x *bookRun) wonder(ctx context.Context, q *fleet.Question, steps ...fleet.JobStep) error {
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	for i := range steps {
		steps[i].Text, steps[i].At = fleet.Clean(steps[i].Text, fleet.MaxText), x.now()
	}
	return x.ledger.Apply(ctx, fleet.Decision{Change: &fleet.JobChange{ID: x.job.ID, Asks: q, Steps: steps}})
}

// pose says which question waits; nil: none does any more.
func (x *bookRun) pose(q *fleet.Question) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asks = q
	select { // an answer to an earlier question is none to this one
	case <-x.answers:
	default:
	}
}

// finish says how the run ended.
func (x *bookRun) finish(ctx context.Context, m runbook.Move) {
	ctx, cancel := context.WithTimeout(ctx, actWithin)
	defer cancel()
	outcome := "failed"
	if m.State == fleet.JobVerified {
		outcome = "done"
	}
	now := x.now()
	r := Request{Person: x.errand.Person, Action: x.job.Action}
	d := fleet.Decision{
		Change: &fleet.JobChange{ID: x.job.ID, State: m.State, Ended: now, Steps: []fleet.JobStep{{Name: "end", State: m.State, Text: fleet.Clean(m.Text, fleet.MaxText), At: now}}},
		Audit:  []fleet.AuditEntry{x.entry(r, x.errand.Target, outcome, m.Text)},
	}
	if err := x.ledger.Apply(ctx, d); err != nil {
		x.log.Error("end of a run not kept", "job", x.job.ID, "state", m.State, "err", err)
	}
}
