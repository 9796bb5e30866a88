package remedy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/fleet/runbook"
)

// A run of a runbook is a job with steps and without a plan: each of its acts
// goes through Run like any other, with the role and scope of who started it,
// and is a job of its own, with its own guards, audit entries and approval. The
// run itself changes nothing.

// Errand is a run that a person asked for.
type Errand struct {
	Person
	Book   string
	Target string
	Reason string
	Most   fleet.Danger // the most that an act of it may be of; 0: all that may be approved
}

// SetBooks replaces the runbooks there are. Runs that are under way go on with
// the one they began with.
func (e *Executor) SetBooks(list []*runbook.Book) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.books = list
}

// SetPolicies replaces what is begun without a person.
func (e *Executor) SetPolicies(list []runbook.Policy) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.policies = list
}

// Policies are what is begun without a person.
func (e *Executor) Policies() []runbook.Policy {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.policies
}

// Books are the runbooks there are.
func (e *Executor) Books() []*runbook.Book {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.books
}

// Book finds a runbook by name; nil: there is none.
func (e *Executor) Book(name string) *runbook.Book {
	list := e.Books()
	if i := slices.IndexFunc(list, func(b *runbook.Book) bool { return b.Name == name }); i >= 0 {
		return list[i]
	}
	return nil
}

// Rehearse says what an errand would do now, step by step, with the plan of
// each act. It does nothing and leaves no trace, and is no promise. The error
// says why it would not begin; the lines are there all the same where the book
// is.
func (e *Executor) Rehearse(r Errand) ([]runbook.Line, error) {
	b, err := e.may(r)
	if b == nil {
		return nil, err
	}
	lines := b.Preview(e.ledger.Snapshot(), r.Target)
	for i := range lines {
		if l := &lines[i]; l.Action != "" && l.Unclear == "" {
			p := e.Plan(Request{Person: r.Person, Action: l.Action, Args: l.Args, Targets: l.Targets})
			l.Plan = &p
		}
	}
	return lines, err
}

// may says why an errand may not begin.
func (e *Executor) may(r Errand) (*runbook.Book, error) {
	b, s := e.Book(r.Book), e.ledger.Snapshot()
	if r.Role < fleet.RoleOperator {
		return b, fmt.Errorf("%w: needs role operator, you are %s", ErrDenied, r.Role)
	}
	if b == nil {
		return nil, fmt.Errorf("%w: there is no runbook %s", ErrRefused, fleet.Clean(r.Book, 40))
	}
	m := b.Match(s, r.Target)
	switch f := s.Freeze; {
	case !m.Fits:
		return b, fmt.Errorf("%w: %s", ErrRefused, m.Why)
	case !within(s, r.Person, r.Target):
		return b, fmt.Errorf("%w: %s is outside of your scope", ErrDenied, fleet.Clean(r.Target, 80))
	case f.Holds(e.now()):
		return b, fmt.Errorf("%w: frozen by %s: %s", ErrRefused, f.By, f.Reason)
	}
	if err := e.playing(r.Target); err != nil { // before what it is for: that is different while a run is under way
		return b, err
	}
	if !m.Holds {
		return b, fmt.Errorf("%w: it is not for this now: %s", ErrRefused, m.Why)
	}
	return b, nil
}

// playing says who runs a book on a device, or nil.
func (e *Executor) playing(target string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.taken(target)
}

// taken is playing for who holds mu.
func (e *Executor) taken(target string) error {
	for id, x := range e.runs {
		if hostOf(x.errand.Target) == hostOf(target) {
			return fmt.Errorf("%w: %s runs %s on %s (%s)", ErrRefused, x.job.By, x.errand.Book, x.errand.Target, id)
		}
	}
	return nil
}

// within reports whether a target lies in the scope of a person.
func within(s *fleet.Snapshot, by Person, target string) bool {
	if i := s.Instances.Get(target); i != nil {
		c := s.Clouds.Get(i.Cloud)
		return by.Cloud == nil || c != nil && by.Cloud(c.Spec)
	}
	d := s.Devices.Get(hostOf(target))
	return by.Within == nil || d != nil && by.Within(d.Spec)
}

func hostOf(target string) string {
	host, _, _ := strings.Cut(target, "/")
	return host
}

// RunBook begins a run. It returns the job once that is durable; the run goes
// on when the caller leaves. The error wraps ErrDenied or ErrRefused with the
// reason, and has been audited.
func (e *Executor) RunBook(ctx context.Context, r Errand) (fleet.Job, error) {
	ctx = context.WithoutCancel(ctx)
	req := Request{Person: r.Person, Action: fleet.ActionKind("run " + r.Book), Targets: []string{r.Target}, Reason: r.Reason}
	b, err := e.may(r)
	if err == nil && strings.TrimSpace(r.Reason) == "" {
		err = fmt.Errorf("%w: needs a reason", ErrRefused)
	}
	if err != nil {
		return fleet.Job{}, e.refuse(ctx, req, err)
	}
	x, err := e.enlist(r, b)
	if err != nil {
		return fleet.Job{}, e.refuse(ctx, req, err)
	}
	if err := e.record(ctx, req, x.job); err != nil {
		e.dismiss(x)
		return fleet.Job{}, fmt.Errorf("%w: the store does not take it, so nothing was done: %w", ErrRefused, err)
	}
	e.wg.Go(func() {
		defer e.dismiss(x)
		x.play(ctx)
	})
	return x.job, nil
}

// enlist makes the job of a run. There is one run at a time on a device: two
// recipes that mend the same thing spoil it.
func (e *Executor) enlist(r Errand, b *runbook.Book) (*bookRun, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.quits() {
		return nil, errQuits
	}
	if err := e.taken(r.Target); err != nil {
		return nil, err
	}
	now := e.now()
	e.serial++
	x := &bookRun{Executor: e, errand: r, run: runbook.NewRun(b, r.Target), poked: make(chan struct{}, 1), answers: make(chan answer, 1)}
	x.job = fleet.Job{
		ID: "j" + strconv.FormatInt(now.UnixMilli(), 36) + strconv.FormatUint(e.serial, 36), Action: b.Action(), Targets: []string{r.Target}, State: fleet.JobRunning,
		By: r.User, Reason: fleet.Clean(r.Reason, fleet.MaxText), Began: now,
		Steps: []fleet.JobStep{{Name: "start", Target: r.Target, State: fleet.JobRunning, Text: b.Title, At: now}},
	}
	e.runs[x.job.ID] = x
	return x, nil
}

func (e *Executor) dismiss(x *bookRun) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.runs, x.job.ID)
	delete(e.stopped, x.job.ID)
}

// Answer answers the question that a run waits with: see [fleet.Question].
func (e *Executor) Answer(ctx context.Context, by Person, id, text string) (fleet.Job, error) {
	text = strings.TrimSpace(fleet.Clean(text, fleet.MaxText))
	x, asks, err := e.asked(by, id, text)
	r := Request{Person: by, Action: "answer", Targets: []string{id}, Reason: text}
	if x != nil {
		r.Action, r.Targets = "answer "+x.job.Action, x.job.Targets
	}
	if err != nil {
		return fleet.Job{}, e.refuse(ctx, r, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepWithin)
	defer cancel()
	if err := e.ledger.Apply(ctx, fleet.Decision{Audit: []fleet.AuditEntry{e.entry(r, x.errand.Target, "done", asks.Text+": "+text)}}); err != nil {
		return x.job, fmt.Errorf("%w: the store does not take it, so it is no answer: %w", ErrRefused, err)
	}
	select {
	case x.answers <- answer{by.User, text}:
		return x.job, nil
	default:
		return x.job, fmt.Errorf("%w: somebody answered already", ErrRefused)
	}
}

// asked finds the run that waits for an answer, and what it asks.
func (e *Executor) asked(by Person, id, text string) (*bookRun, *fleet.Question, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	x := e.runs[id]
	switch {
	case by.Role < fleet.RoleOperator:
		return x, nil, fmt.Errorf("%w: needs role operator, you are %s", ErrDenied, by.Role)
	case x == nil:
		return x, nil, fmt.Errorf("%w: no run %s is under way", ErrRefused, fleet.Clean(id, 40))
	case !within(e.ledger.Snapshot(), by, x.errand.Target):
		return x, nil, fmt.Errorf("%w: %s is outside of your scope", ErrDenied, x.errand.Target)
	case x.asks == nil:
		return x, nil, fmt.Errorf("%w: %s asks nothing now", ErrRefused, id)
	}
	if _, ok := x.asks.Heard(text); !ok {
		on, off := x.asks.Choices()
		return x, nil, fmt.Errorf("%w: that is no answer, say %s or %s: it asks: %s", ErrRefused, on, off, x.asks.Text)
	}
	return x, x.asks, nil
}

// adoptRun is what is left of a run whose process is gone: it is not taken up
// again, because nobody knows what the world did meanwhile. What its acts came
// to their own jobs say.
func (e *Executor) adoptRun(j *fleet.Job) fleet.Decision {
	const text = "plumb ended in the middle of this run; nothing is repeated and nothing more is begun"
	now := e.now()
	return fleet.Decision{
		Change: &fleet.JobChange{ID: j.ID, State: fleet.JobStopped, Ended: now, Steps: []fleet.JobStep{{Name: "stop", State: fleet.JobStopped, Text: text, At: now}}},
		Audit:  []fleet.AuditEntry{{At: now, Who: j.By, From: "plumb", Action: string(j.Action), Target: list(j.Targets), Outcome: "unknown", Reason: text}},
	}
}

// isRun reports whether a job is a run of a runbook.
func isRun(j *fleet.Job) bool { return j.Planned == nil && strings.HasPrefix(string(j.Action), "run ") }

// answer is what somebody said to a question.
type answer struct{ who, text string }

// errNobody is why a question is over that nobody answered.
var errNobody = errors.New("nobody answered")

// askWithin is how long a question waits for an answer.
const askWithin = time.Hour

// challenge is what has to be typed before an act, or "".
func (e *Executor) challenge(r Request) string {
	p := e.Plan(r)
	if p.Stops() != nil {
		return "" // Run says why
	}
	return plan.Challenge(&p)
}
