package remedy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/plan"
)

// propose puts a job before a second person.
func (e *Executor) propose(ctx context.Context, r Request, job fleet.Job) error {
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	entry := e.entry(r, list(job.Targets), "done", r.Reason)
	entry.Action = "propose " + entry.Action
	return e.ledger.Apply(ctx, fleet.Decision{Job: &job, Audit: []fleet.AuditEntry{entry}})
}

// Approve agrees with a proposal, as a second person, and carries it out. An
// approval is of the plan that was shown: where the fleet would make another
// one by now, the proposal is over.
func (e *Executor) Approve(ctx context.Context, by Person, id string) (fleet.Job, error) {
	ctx = context.WithoutCancel(ctx)
	job, err := e.agree(by, id)
	r := Request{Person: by, Action: "approve " + job.Action, Targets: job.Targets, Reason: "job " + id}
	if err != nil {
		return job, e.refuse(ctx, r, err)
	}
	now := e.now()
	change := fleet.JobChange{ID: id, State: fleet.JobRunning, ApprovedBy: by.User,
		Steps: []fleet.JobStep{{Name: "approve", State: fleet.JobApproved, Text: "approved by " + by.User, At: now}}}
	within, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	if err := e.ledger.Apply(within, fleet.Decision{Change: &change, Audit: []fleet.AuditEntry{e.entry(r, list(job.Targets), "done", r.Reason)}}); err != nil {
		if within.Err() != nil {
			e.late(ctx, r, job)
		}
		e.release(id)
		return job, fmt.Errorf("%w: the store does not take it, so nothing was done: %w", ErrRefused, err)
	}
	if is, ok := e.job(id); !ok || is.State != fleet.JobRunning || is.ApprovedBy != by.User { // what came to the store before it counts
		e.release(id)
		return is, e.refuse(ctx, r, fmt.Errorf("%w: %s is %s", ErrRefused, id, is.State))
	}
	job.State, job.ApprovedBy = fleet.JobRunning, by.User
	e.start(ctx, by, job)
	return job, nil
}

// within refuses a word about a job by somebody else outside of one's scope.
func (e *Executor) within(by Person, job *fleet.Job) error {
	if job.By == by.User {
		return nil
	}
	s := e.ledger.Snapshot()
	id := ""
	if job.Action.Spec() != nil {
		id = plan.Outside(s, plan.Ask{Action: job.Action, Targets: job.Targets, Within: by.Within, Cloud: by.Cloud})
	} else if i := slices.IndexFunc(job.Targets, func(t string) bool { return !within(s, by, t) }); i >= 0 { // a run of a runbook
		id = job.Targets[i]
	}
	if id != "" {
		return fmt.Errorf("%w: %s is outside of your scope", ErrDenied, fleet.Clean(id, 80))
	}
	return nil
}

// job is a job as it is on record.
func (e *Executor) job(id string) (fleet.Job, bool) {
	jobs := e.ledger.Snapshot().Jobs
	i := slices.IndexFunc(jobs, func(j fleet.Job) bool { return j.ID == id })
	if i < 0 {
		return fleet.Job{}, false
	}
	return jobs[i], true
}

// agree judges an approval, and takes the leases.
func (e *Executor) agree(by Person, id string) (fleet.Job, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	job, err := e.proposal(by, id)
	if err != nil {
		return job, err
	}
	switch {
	case e.quits():
		return job, errQuits
	case by.Role < fleet.RoleAdmin:
		return job, fmt.Errorf("%w: needs role admin to approve, you are %s", ErrDenied, by.Role)
	case job.By == by.User:
		return job, fmt.Errorf("%w: %s is your own proposal; a second person has to agree", ErrDenied, id)
	case e.now().Sub(job.Began) >= fleet.ApproveWithin:
		return job, fmt.Errorf("%w: %s is older than %s", ErrRefused, id, fleet.ApproveWithin)
	}
	p := e.plan(plan.Ask{Action: job.Action, Args: job.Planned.Args, Targets: job.Targets, By: job.By, Role: fleet.RoleOperator, Within: by.Within, Cloud: by.Cloud}, "")
	if err := stops(&p); err != nil {
		return job, err
	}
	if p.Hash != job.Plan {
		return job, fmt.Errorf("%w: the targets changed since it was proposed: it has to be proposed again", ErrRefused)
	}
	e.take(&job, job.By, e.now())
	return job, nil
}

// proposal finds a job that waits for a second person. e.mu is held.
func (e *Executor) proposal(by Person, id string) (fleet.Job, error) {
	job, ok := e.job(id)
	if !ok {
		return job, fmt.Errorf("%w: there is no job %s", ErrRefused, fleet.Clean(id, 40))
	}
	if by.Role < fleet.RoleOperator {
		return job, fmt.Errorf("%w: needs role operator, you are %s", ErrDenied, by.Role)
	}
	if err := e.within(by, &job); err != nil {
		return job, err
	}
	if job.State != fleet.JobProposed || job.Planned == nil {
		return job, fmt.Errorf("%w: %s is %s", ErrRefused, id, job.State)
	}
	if who := e.stopped[id]; who != "" { // and that is about to be on record
		return job, fmt.Errorf("%w: %s says no to %s at this moment", ErrRefused, who, id)
	}
	if e.holds(id) { // a second approval of the same, before the first is on record
		return job, fmt.Errorf("%w: %s is approved already", ErrRefused, id)
	}
	return job, nil
}

// Decline says no to a proposal, with a reason. Whoever may act may say no.
func (e *Executor) Decline(ctx context.Context, by Person, id, reason string) (fleet.Job, error) {
	e.mu.Lock()
	job, err := e.proposal(by, id)
	if err == nil && strings.TrimSpace(reason) == "" {
		err = fmt.Errorf("%w: needs a reason", ErrRefused)
	}
	if err == nil {
		e.stopped[id] = by.User // nobody may agree from now on
	}
	e.mu.Unlock()
	r := Request{Person: by, Action: "refuse " + job.Action, Targets: job.Targets, Reason: reason}
	if err != nil {
		return job, e.refuse(ctx, r, err)
	}
	return e.close(ctx, r, job, fleet.JobRefused, "refused by "+by.User+": "+reason)
}

// Cancel takes back a proposal, or stops a job before its next target. What has
// begun goes on: nobody can call it back.
func (e *Executor) Cancel(ctx context.Context, by Person, id string) (fleet.Job, error) {
	e.mu.Lock()
	job, err := e.cancel(by, id)
	proposed := err == nil && !e.holds(id)
	e.mu.Unlock()
	r := Request{Person: by, Action: "cancel " + job.Action, Targets: job.Targets, Reason: "job " + id}
	if err != nil {
		return job, e.refuse(ctx, r, err)
	}
	if proposed {
		return e.close(ctx, r, job, fleet.JobCancelled, "cancelled by "+by.User)
	}
	return job, e.ledger.Apply(ctx, fleet.Decision{Audit: []fleet.AuditEntry{e.entry(r, list(job.Targets), "done", r.Reason)}})
}

// cancel judges who says it, and lets nothing more begin. A proposal that
// somebody is agreeing with at this moment is stopped like what runs. e.mu is
// held.
func (e *Executor) cancel(by Person, id string) (fleet.Job, error) {
	job, ok := e.job(id)
	switch {
	case !ok:
		return job, fmt.Errorf("%w: there is no job %s", ErrRefused, fleet.Clean(id, 40))
	case by.Role < fleet.RoleOperator:
		return job, fmt.Errorf("%w: needs role operator, you are %s", ErrDenied, by.Role)
	case job.By != by.User && by.Role < fleet.RoleAdmin:
		return job, fmt.Errorf("%w: %s is %s's; that needs role admin", ErrDenied, id, job.By)
	case e.within(by, &job) != nil:
		return job, e.within(by, &job)
	case job.State.Over() || job.State == fleet.JobAccepted:
		return job, fmt.Errorf("%w: %s is %s: there is nothing left to stop", ErrRefused, id, job.State)
	case job.State != fleet.JobProposed && !e.holds(id):
		return job, fmt.Errorf("%w: nobody carries %s out any more", ErrRefused, id)
	case job.State == fleet.JobProposed && e.stopped[id] != "":
		return job, fmt.Errorf("%w: %s says no to %s at this moment", ErrRefused, e.stopped[id], id)
	}
	e.stopped[id] = by.User
	if x := e.runs[id]; x != nil {
		x.poke()
	}
	return job, nil
}

// close ends a proposal that is marked as stopped.
func (e *Executor) close(ctx context.Context, r Request, job fleet.Job, state fleet.JobState, text string) (fleet.Job, error) {
	defer e.release(job.ID)
	now := e.now()
	change := fleet.JobChange{ID: job.ID, State: state, Ended: now, Steps: []fleet.JobStep{{Name: string(state), State: state, Text: fleet.Clean(text, fleet.MaxText), At: now}}}
	job.State, job.Ended = state, now
	return job, e.ledger.Apply(ctx, fleet.Decision{Change: &change, Audit: []fleet.AuditEntry{e.entry(r, list(job.Targets), "done", r.Reason)}})
}

// Freeze throws the switch that stops everything, which whoever may act may do,
// or takes it back, for which it takes an admin.
func (e *Executor) Freeze(ctx context.Context, by Person, f fleet.Freeze) error {
	r := Request{Person: by, Action: "freeze", Targets: []string{"plumb"}, Reason: f.Reason}
	thaw := f.By == ""
	if thaw {
		r.Action = "thaw"
	}
	switch {
	case by.Role < fleet.RoleOperator:
		return e.refuse(ctx, r, fmt.Errorf("%w: needs role operator, you are %s", ErrDenied, by.Role))
	case thaw && by.Role < fleet.RoleAdmin:
		return e.refuse(ctx, r, fmt.Errorf("%w: needs role admin to thaw, you are %s", ErrDenied, by.Role))
	case thaw && (by.Within != nil || by.Cloud != nil): // whoever may act may stop everything, and nobody lets go what is not theirs
		return e.refuse(ctx, r, fmt.Errorf("%w: the whole fleet is outside of your scope", ErrDenied))
	case strings.TrimSpace(f.Reason) == "":
		return e.refuse(ctx, r, fmt.Errorf("%w: needs a reason", ErrRefused))
	}
	return e.ledger.Apply(ctx, fleet.Decision{Freeze: &f, Audit: []fleet.AuditEntry{e.entry(r, "plumb", "done", f.Reason)}})
}
