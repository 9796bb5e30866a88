package remedy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"plumb/console/ration"
	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/fleet/runbook"
)

// Why an action is refused. Denied is about the person, Refused about the
// moment: the same person may well do it later.
var (
	ErrDenied  = errors.New("denied")
	ErrRefused = errors.New("refused")
)

// errQuits is why nothing begins any more.
var errQuits = fmt.Errorf("%w: plumb stops", ErrRefused)

// Ledger is where decisions become durable.
type Ledger interface {
	Snapshot() *fleet.Snapshot
	Apply(ctx context.Context, in ...fleet.Input) error
	Watch() Watch
}

// Watch waits for snapshots; the first is the present one.
type Watch interface {
	Next(ctx context.Context) (*fleet.Snapshot, error)
	Close()
}

// Wire carries an action to a device or a cloud and can be asked to look again.
type Wire interface {
	Act(ctx context.Context, source fleet.Source, id string, a fleet.Action) (fleet.Outcome, error)
	Nudge(ids ...string)
}

// actWithin bounds one action on the wire, keepWithin how long the store may
// take before nothing is done, and endWithin for how long it is asked to take
// the end of a job.
const (
	actWithin  = 60 * time.Second
	keepWithin = 5 * time.Second
	endWithin  = 2 * time.Minute
)

// Person is who asks.
type Person struct {
	User, From string
	Role       fleet.Role
	Within     func(*fleet.DeviceSpec) bool // scope; nil: everything
	Cloud      func(*fleet.CloudSpec) bool
}

// Request is an action that a person confirmed.
type Request struct {
	Person
	Action     fleet.ActionKind
	Args       map[string]string
	Targets    []string
	Reason     string
	Typed      string // what was typed where the plan asks for it: see plan.Challenge
	BreakGlass bool
	Undoes     string       // the job that this takes back
	Run        string       // the run of a runbook that asks for it
	Most       fleet.Danger // what is of more is refused and not proposed; 0: nothing is
}

func (r *Request) ask() plan.Ask {
	return plan.Ask{Action: r.Action, Args: r.Args, Targets: r.Targets, By: r.User, Role: r.Role, Within: r.Within, Cloud: r.Cloud, BreakGlass: r.BreakGlass}
}

// Executor runs actions, one at a time for each device.
type Executor struct {
	ledger Ledger
	wire   Wire
	log    *slog.Logger
	now    func() time.Time
	tries  *ration.Ration // refused ones, in the audit log
	quit   chan struct{}  // closed: plumb stops

	mu       sync.Mutex        // guards what follows, but for wg
	leases   map[string]lease  // by job and target
	stopped  map[string]string // job: who cancelled it
	serial   uint64
	books    []*runbook.Book
	policies []runbook.Policy
	runs     map[string]*bookRun // by job
	wg       sync.WaitGroup
}

// lease is a target that a job holds, from before it begins until its end.
type lease struct {
	plan.UnderWay
	begun bool // its turn has come
}

// New returns an executor.
func New(ledger Ledger, wire Wire, log *slog.Logger, now func() time.Time) *Executor {
	e := &Executor{ledger: ledger, wire: wire, log: log, now: now, quit: make(chan struct{}), leases: map[string]lease{}, stopped: map[string]string{}, runs: map[string]*bookRun{}}
	e.tries = ration.New(func(ctx context.Context, a fleet.AuditEntry) error {
		return e.ledger.Apply(ctx, fleet.Decision{Audit: []fleet.AuditEntry{a}})
	}, now)
	return e
}

// Plan says what a request would do at this moment. It does nothing and leaves
// no trace, and is no promise.
func (e *Executor) Plan(r Request) fleet.Plan {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.plan(r.ask(), "")
}

// plan is For with what is under way. Of the job that asks that is what it has
// begun: of two of its targets that are taken at once the second is judged with
// the first one gone. e.mu is held.
func (e *Executor) plan(a plan.Ask, own string) fleet.Plan {
	w := plan.World{Snap: e.ledger.Snapshot(), Now: e.now(), Own: own}
	for _, l := range e.leases {
		if l.Job != own || own == "" || l.begun {
			u := l.UnderWay
			u.Begun = l.begun
			w.UnderWay = append(w.UnderWay, u)
		}
	}
	return plan.For(w, a)
}

// Wait blocks until nothing is under way.
func (e *Executor) Wait() { e.wg.Wait() }

// Close lets nothing more begin: no job, no target of one, no step of a runbook.
// What has begun is waited for by [Executor.Wait]. It is called once.
func (e *Executor) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.quit)
	for _, x := range e.runs {
		x.poke()
	}
}

// Flush writes what was counted of refused tries and not yet said; for a clean
// stop.
func (e *Executor) Flush(ctx context.Context) { e.tries.Flush(ctx) }

// quits reports whether plumb stops.
func (e *Executor) quits() bool {
	select {
	case <-e.quit:
		return true
	default:
		return false
	}
}

// Run makes the plan again, and carries it out in the background, or puts it
// before a second person where it needs one. It returns the job once that is
// durable; what comes of it is in the job that every snapshot carries. ctx is
// the caller's: an action that has begun goes on when the caller leaves. The
// error wraps ErrDenied or ErrRefused with the reason, and has been audited.
func (e *Executor) Run(ctx context.Context, r Request) (fleet.Job, error) {
	// From here on nothing depends on the caller, who may hang up at any moment:
	// the try is written down, and what was begun is sent.
	ctx = context.WithoutCancel(ctx)
	now := e.now()
	job, propose, err := e.admit(r, now)
	if err != nil {
		return fleet.Job{}, e.refuse(ctx, r, err)
	}
	if propose {
		return job, e.propose(ctx, r, job)
	}
	if err := e.record(ctx, r, job); err != nil {
		e.release(job.ID)
		return fleet.Job{}, fmt.Errorf("%w: the store does not take it, so nothing was done: %w", ErrRefused, err)
	}
	e.start(ctx, r.Person, job)
	return job, nil
}

// start carries a job out in the background.
func (e *Executor) start(ctx context.Context, by Person, job fleet.Job) {
	e.wg.Go(func() {
		defer e.release(job.ID)
		x := &run{Executor: e, by: by, job: job, unkept: fleet.Decision{Change: &fleet.JobChange{ID: job.ID}}}
		x.waves(ctx)
	})
}

// admit judges a request and gives one person each of its targets. Both are one
// step: of two people who each take a replica of a service the second must be
// judged with the first one's in mind.
func (e *Executor) admit(r Request, now time.Time) (job fleet.Job, propose bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.plan(r.ask(), "")
	if err := stops(&p); err != nil {
		return job, false, err
	}
	if e.quits() {
		return job, false, errQuits
	}
	if r.Most > 0 && p.Danger > r.Most {
		return job, false, fmt.Errorf("%w: it is of danger %d after its guards; that takes a person", ErrRefused, p.Danger)
	}
	if p.Danger > 1 && strings.TrimSpace(r.Reason) == "" {
		return job, false, fmt.Errorf("%w: needs a reason", ErrRefused)
	}
	if want := plan.Challenge(&p); want != "" && r.Typed != want {
		return job, false, fmt.Errorf("%w: %s has to be typed: %q", ErrRefused, challengeName(&p), want)
	}
	e.serial++
	job = fleet.Job{
		ID: "j" + strconv.FormatInt(now.UnixMilli(), 36) + strconv.FormatUint(e.serial, 36), Action: r.Action, State: fleet.JobRunning, By: r.User,
		Reason: fleet.Clean(r.Reason, fleet.MaxText), Plan: p.Hash, Planned: &p, BrokeGlass: r.BreakGlass, Undoes: r.Undoes, Run: r.Run, Began: now,
	}
	for _, t := range p.Targets {
		job.Targets = append(job.Targets, t.ID)
	}
	if err := recordable(&job); err != nil {
		return job, false, err
	}
	if p.NeedsApproval() && !r.BreakGlass {
		job.State = fleet.JobProposed
		job.Steps = []fleet.JobStep{{Name: "propose", State: fleet.JobProposed, Text: "waits for a second person", At: now}}
		return job, true, nil
	}
	if len(p.Targets) == 1 { // its turn is now: job and "begun" are one commit
		job.Steps = []fleet.JobStep{begin(&p.Targets[0], now)}
	}
	e.take(&job, r.User, now)
	return job, false, nil
}

// maxJob bounds a job as it begins, as JSON in bytes: the store takes 1 MiB of
// one, and its steps are still to come.
const maxJob = 512 << 10

// recordable refuses a job that could not be kept: what is not on record is not
// done.
func recordable(job *fleet.Job) error {
	b, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("%w: it cannot be written down: %w", ErrRefused, err)
	}
	if len(b) > maxJob {
		return fmt.Errorf("%w: too much hangs on it to be kept in one job (%d parts lost, %d weaker); take fewer targets at once", ErrRefused, len(job.Planned.Lost), len(job.Planned.Weaker))
	}
	return nil
}

func challengeName(p *fleet.Plan) string {
	if len(p.Targets) == 1 && p.Targets[0].Serial != "" {
		return "the serial"
	}
	return "what is meant"
}

// take leases all targets of a job. e.mu is held.
func (e *Executor) take(job *fleet.Job, who string, now time.Time) {
	for _, t := range job.Planned.Targets {
		u := plan.UnderWay{Step: plan.Step{Action: job.Action, Target: t.ID}, Who: who, Since: now, Lease: plan.LeaseOf(job.Action, t), Job: job.ID}
		e.leases[job.ID+" "+t.ID] = lease{UnderWay: u}
	}
}

// holds reports whether a job is being carried out by this process. e.mu is
// held.
func (e *Executor) holds(job string) bool {
	if e.runs[job] != nil {
		return true
	}
	for _, l := range e.leases {
		if l.Job == job {
			return true
		}
	}
	return false
}

// release gives the leases of a job back.
func (e *Executor) release(job string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for k, u := range e.leases {
		if u.Job == job {
			delete(e.leases, k)
		}
	}
	delete(e.stopped, job)
}

// stops is the guard that lets nothing happen, as an error; nil: none does.
func stops(p *fleet.Plan) error {
	g := p.Stops()
	switch {
	case g == nil:
		return nil
	case g.Verdict == fleet.VerdictDeny:
		return fmt.Errorf("%w: %s", ErrDenied, g.Text)
	}
	return fmt.Errorf("%w: %s", ErrRefused, g.Text)
}

// record makes a job durable, and tells everybody where glass was broken. When
// the store does not answer in time nobody knows whether it has it: nothing is
// sent then, and the job, should it be there, is ended as soon as the store
// takes that.
func (e *Executor) record(ctx context.Context, r Request, job fleet.Job) error {
	within, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	d := fleet.Decision{Job: &job}
	for _, s := range job.Steps {
		d.Audit = append(d.Audit, e.entry(r, s.Target, "begun", r.Reason))
	}
	in := []fleet.Input{d}
	if job.BrokeGlass {
		in = append(in, fleet.Decision{Audit: []fleet.AuditEntry{e.entry(Request{Person: r.Person, Action: "break-glass"}, list(r.Targets), "begun", string(r.Action)+": "+r.Reason)}},
			fleet.Remark{Kind: "break-glass", Severity: fleet.SeverityCrit, Asserted: true, Text: r.User + " broke the glass for " + string(r.Action) + " " + list(job.Targets) + ": " + job.Reason})
	}
	err := e.ledger.Apply(within, in...)
	if err != nil && within.Err() != nil {
		e.late(ctx, r, job)
	}
	return err
}

// late ends a job of which nobody knows whether the store has that it runs.
func (e *Executor) late(ctx context.Context, r Request, job fleet.Job) {
	const text = "the store did not answer in time; nothing was sent"
	c := fleet.JobChange{ID: job.ID, State: fleet.JobRefused, Ended: e.now(), Steps: []fleet.JobStep{{Name: "begin", State: fleet.JobRefused, Text: text, At: e.now()}}}
	e.wg.Go(func() {
		e.insist(ctx, fleet.Decision{Change: &c, Audit: []fleet.AuditEntry{e.entry(r, list(job.Targets), "refused", text)}})
	})
}

// insist tries again where the store does not take what became of a job. What
// is not on record when plumb ends is settled at its next start.
func (e *Executor) insist(ctx context.Context, d fleet.Decision) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	for {
		err := e.ledger.Apply(ctx, d)
		if err == nil {
			return true
		}
		e.log.Error("what became of a job is not on record", "job", d.Change.ID, "state", d.Change.State, "err", err)
		select {
		case <-ctx.Done():
			return false
		case <-e.quit:
			return false
		case <-time.After(keepWithin):
		}
	}
}

// refuse writes the try down within the user's share, whether the caller waits
// for that or not. A try that cannot be written down is counted, and refused all
// the same.
func (e *Executor) refuse(ctx context.Context, r Request, why error) error {
	outcome := "refused"
	if errors.Is(why, ErrDenied) {
		outcome = "denied"
	}
	if _, err := e.tries.Say(ctx, e.entry(r, list(r.Targets), outcome, strings.TrimPrefix(why.Error(), outcome+": "))); err != nil {
		e.log.Error("refused try not audited", "user", r.User, "action", r.Action, "err", err)
	}
	return why
}

func (e *Executor) entry(r Request, target, outcome, reason string) fleet.AuditEntry {
	return fleet.AuditEntry{At: e.now(), Who: r.User, From: r.From, Action: string(r.Action), Target: fleet.Clean(target, fleet.MaxText), Outcome: outcome, Reason: fleet.Clean(reason, fleet.MaxText)}
}

// list names targets in one line.
func list(targets []string) string {
	const most = 5
	if len(targets) > most {
		return strings.Join(targets[:most], " ") + " and " + strconv.Itoa(len(targets)-most) + " more"
	}
	return strings.Join(targets, " ")
}
