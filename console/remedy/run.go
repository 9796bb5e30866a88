package remedy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"plumb/fleet"
	"plumb/fleet/plan"
)

// atOnce is how many targets of a wave are acted on at the same time.
const atOnce = 8

// run is a job that is being carried out.
type run struct {
	*Executor
	by  Person
	job fleet.Job

	mu     sync.Mutex // guards what follows
	why    string     // the first surprise; "": none
	end    fleet.JobState
	unkept fleet.Decision // what the store did not take when it was news

	well []string // services whose workload was well before anything was done
}

// waves does one target, and when that is seen to have gone well a few, and
// then the rest. The first surprise stops it.
func (x *run) waves(ctx context.Context) {
	rest := x.job.Planned.Targets
	x.well = wellOf(x.ledger.Snapshot(), x.job.Planned)
	for n, size := range x.job.Planned.Waves {
		x.wave(ctx, rest[:size])
		if rest = rest[size:]; x.surprised() {
			break
		}
		if len(rest) == 0 {
			break
		}
		if !x.catchUp(ctx) {
			x.surprise(fleet.JobStopped, "the store does not take what came of it")
			break
		}
		if !x.soak(ctx, n, size) {
			break
		}
	}
	x.finish(ctx)
}

// wave acts on its targets, one after the other on each wire, and leaves out
// those that have not begun when something surprises. A wire takes one action at
// a time, and the time that an action has is not for waiting on another.
func (x *run) wave(ctx context.Context, targets []fleet.PlanTarget) {
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for _, line := range byWire(targets) {
		slots <- struct{}{}
		if x.surprised() {
			break
		}
		all.Go(func() {
			defer func() { <-slots }()
			for _, t := range line {
				if x.surprised() {
					return
				}
				x.turn(ctx, t)
			}
		})
	}
	all.Wait()
}

// byWire lines targets up at their wires, in their order.
func byWire(targets []fleet.PlanTarget) (lines [][]*fleet.PlanTarget) {
	at := map[string]int{}
	for i := range targets {
		t := &targets[i]
		n, is := at[t.Wire]
		if !is {
			n = len(lines)
			at[t.Wire], lines = n, append(lines, nil)
		}
		lines[n] = append(lines[n], t)
	}
	return lines
}

// turn is one target: what was planned must still be so, the log has to take
// it, and then it is sent, once.
func (x *run) turn(ctx context.Context, t *fleet.PlanTarget) {
	if err := x.still(t); err != nil {
		x.note(ctx, t.ID, fleet.JobStep{Name: "begin", State: fleet.JobRefused, Text: text(err)}, "refused", false)
		x.surprise(fleet.JobRefused, "%s: %v", t.ID, err)
		return
	}
	if err := x.begins(ctx, t); err != nil {
		x.surprise(fleet.JobRefused, "%s: the audit log does not take it, so nothing was done: %v", t.ID, err)
		// Whether the store has it nobody knows: a target that was let begin must
		// not be waited for.
		x.note(ctx, t.ID, fleet.JobStep{Name: "begin", State: fleet.JobRefused, Text: "the audit log did not take it; nothing was sent"}, "refused", false)
		return
	}
	within, cancel := context.WithTimeout(ctx, actWithin)
	out, err := x.wire.Act(within, t.Source, t.Wire, fleet.Action{Kind: x.job.Action, Target: t.ID, Serial: t.Serial, Args: x.job.Planned.Args, Why: x.label(), Was: t.Before})
	cancel()
	step, outcome := fleet.JobStep{Name: "act", Text: out.Text}, ""
	switch {
	case err == nil && out.Done:
		step.State = fleet.JobAccepted // verified when a poll shows it
	case errors.Is(err, fleet.ErrTimeout) || err == nil:
		step.State, outcome = fleet.JobUnknown, "unknown"
	default:
		step.State, outcome = fleet.JobFailed, "failed"
	}
	if err != nil {
		step.Text = text(err)
	}
	if outcome != "" {
		x.surprise(step.State, "%s: %s", t.ID, step.Text)
	}
	x.note(ctx, t.ID, step, outcome, false)
	x.wire.Nudge(t.Wire)
}

// label is what a device is told to keep: whose it is, of which job, and why.
func (x *run) label() string {
	return fleet.Clean(fleet.NoteMark+x.job.ID+" "+x.job.By+": "+x.job.Reason, fleet.MaxText)
}

// begins puts on record that the turn of a target has come, where the job does
// not say so already.
func (x *run) begins(ctx context.Context, t *fleet.PlanTarget) error {
	if x.job.Of(t.ID) != nil {
		return nil
	}
	return x.note(ctx, t.ID, begin(t, x.now()), "begun", true)
}

// begin is the step that a target's turn begins with.
func begin(t *fleet.PlanTarget, at time.Time) fleet.JobStep {
	s := "guards passed"
	if t.Before != "" {
		s += "; " + t.Before
	}
	if t.Serial != "" {
		s += "; serial " + t.Serial
	}
	return fleet.JobStep{Name: "begin", Target: t.ID, State: fleet.JobRunning, Text: s, At: at}
}

func text(err error) string { return fleet.Clean(err.Error(), fleet.MaxText) }

// still makes the plan of one target again: another state, another machine or
// a guard that stops now is a surprise. What this job holds does not stop it.
func (x *run) still(t *fleet.PlanTarget) error {
	x.Executor.mu.Lock()
	defer x.Executor.mu.Unlock()
	if x.quits() {
		return errQuits
	}
	if who := x.stopped[x.job.ID]; who != "" {
		return fmt.Errorf("%w: cancelled by %s", ErrRefused, who)
	}
	role := x.by.Role
	if x.job.ApprovedBy != "" { // who asked may have been an operator, and a second person agreed
		role = max(role, fleet.RoleOperator)
	}
	p := x.plan(plan.Ask{Action: x.job.Action, Args: x.job.Planned.Args, Targets: []string{t.ID}, By: x.job.By, Role: role, Within: x.by.Within, Cloud: x.by.Cloud, BreakGlass: x.job.BrokeGlass}, x.job.ID)
	if err := stops(&p); err != nil {
		return err
	}
	if p.NeedsApproval() && !x.job.Planned.NeedsApproval() && !x.job.BrokeGlass {
		return fmt.Errorf("%w: it needs a second person now", ErrRefused)
	}
	switch is := p.Targets[0]; {
	case is.Serial != t.Serial || is.Wire != t.Wire:
		return fmt.Errorf("%w: another machine stands there than when it was planned (serial %q, was %q)", ErrRefused, is.Serial, t.Serial)
	case is.Place != t.Place:
		return fmt.Errorf("%w: it stands at %s now, planned was %s", ErrRefused, is.Place, t.Place)
	case is.Before != t.Before:
		return fmt.Errorf("%w: it is %s now, planned was %s", ErrRefused, is.Before, t.Before)
	}
	key := x.job.ID + " " + t.ID
	l := x.leases[key]
	l.begun = true
	x.leases[key] = l
	return nil
}

// note puts a step on record, and with it what the audit log says; "": nothing.
// What must be on record before anything happens cannot wait for ever; what the
// store does not take of that which did happen is kept until the job ends.
func (x *run) note(ctx context.Context, target string, step fleet.JobStep, outcome string, must bool) error {
	limit := actWithin
	if must {
		limit = keepWithin
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	step.Target, step.At = target, x.now()
	d := fleet.Decision{Change: &fleet.JobChange{ID: x.job.ID, Steps: []fleet.JobStep{step}}}
	if outcome != "" {
		reason := x.job.Reason
		if outcome != "begun" {
			reason = strings.TrimPrefix(step.Text, outcome+": ")
		}
		d.Audit = []fleet.AuditEntry{x.entry(Request{Person: Person{User: x.job.By, From: x.by.From}, Action: x.job.Action}, target, outcome, reason)}
	}
	err := x.ledger.Apply(ctx, d)
	if err != nil && !must {
		x.log.Error("step of a job not kept yet", "job", x.job.ID, "target", target, "state", step.State, "err", err)
		x.mu.Lock()
		defer x.mu.Unlock()
		x.unkept.Change.Steps = append(x.unkept.Change.Steps, step)
		x.unkept.Audit = append(x.unkept.Audit, d.Audit...)
	}
	return err
}

// surprise remembers the first thing that went otherwise than planned.
func (x *run) surprise(end fleet.JobState, format string, args ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.why == "" {
		x.why, x.end = strings.TrimPrefix(fmt.Sprintf(format, args...), "refused: "), end
	}
}

func (x *run) surprised() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.why != ""
}

// soak waits until every target of a wave that was acted on is seen to be as it
// should be, and then a while longer, at the end of which the services that were
// well have to say so once more. false: something else came of it.
func (x *run) soak(ctx context.Context, n, size int) bool {
	w := x.ledger.Watch()
	defer w.Close()
	ctx, cancel := x.untilStop(ctx)
	defer cancel()
	done := x.job.Targets[:x.before(n)+size]
	var s *fleet.Snapshot
	for waits := true; waits; {
		next, err := w.Next(ctx)
		if err != nil {
			x.surprise(fleet.JobStopped, "plumb stops")
			return false
		}
		s = next
		var bad string
		if waits, bad = x.settled(s, done); bad != "" {
			x.surprise(fleet.JobStopped, "%s", bad)
			return false
		}
	}
	x.askWell()
	s, ok := x.watch(ctx, w, s, done, x.ledger.Snapshot().Remediation.Or().Soak, func(*fleet.Snapshot) bool { return false })
	if !ok || len(x.well) == 0 {
		return ok
	}
	end, most := x.now(), patience(s, x.well)
	x.askWell()
	s, ok = x.watch(ctx, w, s, done, most, func(s *fleet.Snapshot) bool { return unheard(s, x.well, end) == "" })
	if name := unheard(s, x.well, end); ok && name != "" {
		x.surprise(fleet.JobStopped, "service %s was well before it began, and its workload was not heard in %s after the wave", name, most)
		return false
	}
	return ok
}

// watch looks at what comes for so long, or until it is enough. false: it is
// otherwise than it should be.
func (x *run) watch(ctx context.Context, w Watch, s *fleet.Snapshot, done []string, long time.Duration, enough func(*fleet.Snapshot) bool) (last *fleet.Snapshot, ok bool) {
	within, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	for {
		_, bad := x.settled(s, done)
		if bad == "" {
			bad = worseOff(s, x.well)
		}
		if bad != "" {
			x.surprise(fleet.JobStopped, "%s", bad)
			return s, false
		}
		if enough(s) {
			return s, true
		}
		next, err := w.Next(within)
		switch {
		case err == nil:
			s = next
		case ctx.Err() != nil:
			x.surprise(fleet.JobStopped, "plumb stops")
			return s, false
		default:
			return s, true
		}
	}
}

// untilStop is a context that ends when plumb stops: nobody waits then to see
// what came of a wave.
func (x *run) untilStop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-x.quit:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// before is how many targets the waves before n have.
func (x *run) before(n int) (sum int) {
	for _, size := range x.job.Planned.Waves[:n] {
		sum += size
	}
	return sum
}

// settled says whether any of the targets is still waited for, and which went
// otherwise.
func (x *run) settled(s *fleet.Snapshot, targets []string) (waits bool, bad string) {
	for i := range s.Jobs {
		if s.Jobs[i].ID != x.job.ID {
			continue
		}
		for _, t := range targets {
			switch at := s.Jobs[i].Of(t); {
			case at == nil || !at.State.Over():
				waits = true
			case at.State != fleet.JobVerified:
				return false, t + " is " + string(at.State) + ": " + at.Text
			}
		}
		return waits, ""
	}
	return false, "the job is not on record any more"
}

// finish says how the job ended, or that all were sent and are to be seen.
func (x *run) finish(ctx context.Context) {
	c := fleet.JobChange{ID: x.job.ID, State: fleet.JobAccepted}
	x.mu.Lock()
	why, end := x.why, x.end
	x.mu.Unlock()
	if why != "" {
		c.State, c.Ended = end, x.now()
		if len(x.job.Targets) > 1 {
			c.State = fleet.JobStopped
			if n := x.unbegun(); n > 0 {
				why += fmt.Sprintf("; %d of %d not begun", n, len(x.job.Targets))
			}
		}
		x.Executor.mu.Lock()
		if who := x.stopped[x.job.ID]; who != "" {
			c.State = fleet.JobCancelled
		}
		x.Executor.mu.Unlock()
		c.Steps = []fleet.JobStep{{Name: "stop", State: c.State, Text: fleet.Clean(why, fleet.MaxText), At: c.Ended}}
	}
	c.Steps = append(x.unkept.Change.Steps, c.Steps...)
	x.insist(ctx, fleet.Decision{Change: &c, Audit: x.unkept.Audit})
}

// catchUp puts on record what the store did not take when it was news: nobody
// can wait to see what came of an action that is not said to have been sent.
func (x *run) catchUp(ctx context.Context) bool {
	if len(x.unkept.Change.Steps) > 0 {
		if !x.insist(ctx, x.unkept) {
			return false
		}
		x.unkept = fleet.Decision{Change: &fleet.JobChange{ID: x.job.ID}}
	}
	return true
}

// unbegun counts the targets whose turn did not come.
func (x *run) unbegun() (n int) {
	for _, j := range x.ledger.Snapshot().Jobs {
		if j.ID != x.job.ID {
			continue
		}
		for _, t := range j.Targets {
			if at := j.Of(t); at == nil || at.Name == "begin" && at.State == fleet.JobRefused {
				n++
			}
		}
	}
	return n
}
