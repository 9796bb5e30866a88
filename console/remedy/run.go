package remedy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"plumb/fleet"
	"plumb/fleet/plan"
)

// Ledger is where decisions become durable.
type Ledger interface {
	Snapshot() *fleet.Snapshot
	Apply(ctx context.Context, in ...fleet.Input) error
}

// Wire carries an action to a device and can be asked to look at it again.
type Wire interface {
	Act(ctx context.Context, source fleet.Source, id string, a fleet.Action) (fleet.Outcome, error)
	Nudge(ids ...string)
}

// actWithin bounds one action on the wire, coolDown the next same one, and
// keepWithin how long the store may take before nothing is done.
const (
	actWithin  = 30 * time.Second
	coolDown   = 30 * time.Second
	keepWithin = 5 * time.Second
)

// Executor runs actions, one at a time for each device.
type Executor struct {
	ledger Ledger
	wire   Wire
	log    *slog.Logger
	now    func() time.Time

	mu     sync.Mutex // guards the three below
	leases map[string]lease
	done   map[string]time.Time // device + action: when it was last sent
	serial uint64
	wg     sync.WaitGroup
}

type lease struct {
	who   string
	since time.Time
	step  plan.Step
}

// New returns an executor.
func New(ledger Ledger, wire Wire, log *slog.Logger, now func() time.Time) *Executor {
	return &Executor{ledger: ledger, wire: wire, log: log, now: now, leases: map[string]lease{}, done: map[string]time.Time{}}
}

// Run judges the request, writes "begun" and hands the action to the wire in
// the background. It returns the job once that is durable; what comes of it is
// in the job that every snapshot carries. ctx is the caller's: an action that
// has begun goes on when the caller leaves. The error wraps ErrDenied or
// ErrRefused with the reason, and has been audited.
func (e *Executor) Run(ctx context.Context, r Request) (fleet.Job, error) {
	// From here on nothing depends on the caller, who may hang up at any moment:
	// the try is written down, and what was begun is sent.
	ctx = context.WithoutCancel(ctx)
	now := e.now()
	o, err := e.admit(r, now)
	if err != nil {
		return fleet.Job{}, e.refuse(ctx, r, now, err)
	}
	job := fleet.Job{
		ID: e.id(now), Action: r.Action, Targets: []string{r.Target}, State: fleet.JobRunning, By: r.User, Reason: r.Reason, Began: now,
		Steps: []fleet.JobStep{{Name: "begin", State: fleet.JobRunning, Text: "guards passed", At: now}},
	}
	if err := e.begin(ctx, r, job); err != nil {
		e.release(o.device)
		return fleet.Job{}, fmt.Errorf("%w: the audit log does not take it, so nothing was done: %w", ErrRefused, err)
	}
	e.sent(r, now)
	e.wg.Go(func() {
		defer e.release(o.device)
		e.carryOut(ctx, r, o, job)
	})
	return job, nil
}

// begin makes the job durable. When the store does not answer in time nobody
// knows whether it has it: nothing is sent then, and the job, should it be
// there, is ended as soon as the store takes that.
func (e *Executor) begin(ctx context.Context, r Request, job fleet.Job) error {
	within, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	err := e.ledger.Apply(within, fleet.Decision{Job: &job, Audit: []fleet.AuditEntry{entry(r, job.Began, "begun", r.Reason)}})
	if err == nil || within.Err() == nil {
		return err
	}
	const text = "the store did not answer in time; nothing was sent"
	job.State, job.Ended = fleet.JobRefused, e.now()
	job.Steps = append(slices.Clone(job.Steps), fleet.JobStep{Name: "begin", State: fleet.JobRefused, Text: text, At: job.Ended})
	e.wg.Go(func() {
		late, cancel := context.WithTimeout(ctx, actWithin)
		defer cancel()
		if err := e.ledger.Apply(late, fleet.Decision{Job: &job, Audit: []fleet.AuditEntry{entry(r, job.Ended, "refused", text)}}); err != nil {
			e.log.Error("job not ended that was not sent", "job", job.ID, "err", err)
		}
	})
	return err
}

// Check says why Run would refuse the request at this moment. It does nothing
// and leaves no trace; nil is no promise.
func (e *Executor) Check(r Request) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err := guard(e.ledger.Snapshot(), r, e.now(), e.underWay())
	return err
}

// Wait blocks until nothing is under way; for a clean stop.
func (e *Executor) Wait() { e.wg.Wait() }

func (e *Executor) carryOut(ctx context.Context, r Request, o order, job fleet.Job) {
	ctx, cancel := context.WithTimeout(ctx, actWithin)
	defer cancel()
	out, err := e.wire.Act(ctx, o.source, o.device, o.action)
	now := e.now()
	step := fleet.JobStep{Name: "act", At: now, Text: out.Text}
	outcome := ""
	switch {
	case err == nil && out.Done:
		job.State = fleet.JobAccepted // verified when a poll shows it
	case errors.Is(err, fleet.ErrTimeout) || err == nil:
		job.State, outcome = fleet.JobUnknown, "unknown"
	default:
		job.State, outcome = fleet.JobFailed, "failed"
	}
	if err != nil {
		step.Text = fleet.Clean(err.Error(), fleet.MaxText)
	}
	step.State = job.State
	job.Steps = append(job.Steps[:len(job.Steps):len(job.Steps)], step)
	d := fleet.Decision{Job: &job}
	if outcome != "" {
		job.Ended = now
		d.Audit = []fleet.AuditEntry{entry(r, now, outcome, step.Text)}
	}
	// The write must be kept even when the action used up its own time.
	keep, stop := context.WithTimeout(context.WithoutCancel(ctx), actWithin)
	defer stop()
	if err := e.ledger.Apply(keep, d); err != nil {
		e.log.Error("outcome of an action not kept", "job", job.ID, "state", job.State, "err", err)
	}
	e.wire.Nudge(o.device)
}

// admit judges a request and gives one person one device for one action at a
// time. Both are one step: of two people who each take a replica of a service
// the second must be judged with the first one's in mind.
func (e *Executor) admit(r Request, now time.Time) (order, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	o, err := guard(e.ledger.Snapshot(), r, now, e.underWay())
	if err != nil {
		return order{}, err
	}
	if l, ok := e.leases[o.device]; ok {
		return order{}, fmt.Errorf("%w: %s is acting on %s since %s", ErrRefused, l.who, o.device, l.since.UTC().Format("15:04:05"))
	}
	at, ok := e.done[coolKey(r.Target, r.Action)]
	if ok && now.Sub(at) < coolDown && r.Action != fleet.ActIdentify {
		return order{}, fmt.Errorf("%w: the same was done %s ago; wait %s", ErrRefused, now.Sub(at).Round(time.Second), (coolDown - now.Sub(at)).Round(time.Second))
	}
	e.leases[o.device] = lease{r.User, now, plan.Step{Action: r.Action, Target: r.Target}}
	return o, nil
}

// underWay lists what holds a lease. e.mu is held.
func (e *Executor) underWay() []plan.Step {
	steps := make([]plan.Step, 0, len(e.leases))
	for _, l := range e.leases {
		steps = append(steps, l.step)
	}
	return steps
}

func coolKey(target string, kind fleet.ActionKind) string { return target + " " + string(kind) }

// sent starts the cool-down of an action, and forgets those that are over.
// What was never handed to the wire has none.
func (e *Executor) sent(r Request, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for k, was := range e.done {
		if at.Sub(was) > coolDown {
			delete(e.done, k)
		}
	}
	e.done[coolKey(r.Target, r.Action)] = at
}

func (e *Executor) release(device string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.leases, device)
}

// refuse writes the try down, whether the caller waits for that or not. A try that cannot be written down is refused all
// the same.
func (e *Executor) refuse(ctx context.Context, r Request, now time.Time, why error) error {
	outcome := "refused"
	if errors.Is(why, ErrDenied) {
		outcome = "denied"
	}
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	if err := e.ledger.Apply(ctx, fleet.Decision{Audit: []fleet.AuditEntry{entry(r, now, outcome, strings.TrimPrefix(why.Error(), outcome+": "))}}); err != nil {
		e.log.Error("refused try not audited", "user", r.User, "action", r.Action, "err", err)
	}
	return why
}

func entry(r Request, at time.Time, outcome, reason string) fleet.AuditEntry {
	return fleet.AuditEntry{At: at, Who: r.User, From: r.From, Action: string(r.Action), Target: fleet.Clean(r.Target, fleet.MaxText), Outcome: outcome, Reason: fleet.Clean(reason, fleet.MaxText)}
}

func (e *Executor) id(now time.Time) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.serial++
	return "j" + strconv.FormatInt(now.UnixMilli(), 36) + strconv.FormatUint(e.serial, 36)
}
