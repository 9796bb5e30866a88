package remedy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
)

// lostText is why a target that an earlier process left is unknown.
const lostText = "plumb ended while this was on its way; what the device did is not known and nothing was repeated"

// Adopt settles what an earlier process left. A target that was begun and whose
// outcome nobody lived to write down is unknown, in the job and in the audit
// log; one whose turn had not come is not begun. Nothing is sent again. A
// proposal still waits. It is called once, before anybody may act; jobs may hold
// any state, only those under way are touched.
//
// What the store does not take is tried again until it does, in the background.
// Everybody reads meanwhile that the job was left, and the plan of no action on
// its targets passes: see [fleet.Job]. The error is for the log.
func (e *Executor) Adopt(ctx context.Context, jobs []fleet.Job) error {
	var errs []error
	for i := range jobs {
		j := &jobs[i]
		if !j.UnderWay() {
			continue
		}
		if err := e.ledger.Apply(ctx, e.leave(j)); err != nil {
			errs = append(errs, fmt.Errorf("job %s: %w", j.ID, err))
			e.wg.Go(func() { e.settle(context.WithoutCancel(ctx), *j, err) })
		}
	}
	return errors.Join(errs...)
}

// settle tries until it is on record what became of a job that was left, and
// tells everybody that it is not, and then that it is.
func (e *Executor) settle(ctx context.Context, j fleet.Job, why error) {
	what := fmt.Sprintf("job %s of %s (%s %s)", j.ID, j.By, j.Action, list(j.Targets))
	said := false
	for {
		if !said {
			said = e.remark(ctx, fleet.Remark{Kind: "job-left", Severity: fleet.SeverityCrit, Asserted: true,
				Text: what + " was left by an earlier process and the store does not take what became of it; nothing is begun on its targets: " + fleet.Clean(why.Error(), 120)})
		}
		select {
		case <-e.quit:
			return
		case <-time.After(keepWithin):
		}
		if is, ok := e.job(j.ID); ok && is.UnderWay() { // else it was taken after all, late
			within, cancel := context.WithTimeout(ctx, keepWithin)
			why = e.ledger.Apply(within, e.leave(&is))
			cancel()
		} else {
			why = nil
		}
		if why == nil {
			e.remark(ctx, fleet.Remark{Kind: "job-left", Severity: fleet.SeverityInfo, Text: what + " is settled: what became of it is on record"})
			return
		}
		e.log.Error("a job of an earlier process is not settled", "job", j.ID, "err", why)
	}
}

// remark says something in the timeline, and whether it is kept.
func (e *Executor) remark(ctx context.Context, r fleet.Remark) bool {
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	r.Text = fleet.Clean(r.Text, fleet.MaxText)
	return e.ledger.Apply(ctx, r) == nil
}

// leave is what is left of a job whose process is gone.
func (e *Executor) leave(j *fleet.Job) fleet.Decision {
	if isRun(j) {
		return e.adoptRun(j)
	}
	now := e.now()
	change := &fleet.JobChange{ID: j.ID, Ended: now}
	d := fleet.Decision{Change: change}
	unknown, unbegun := 0, 0
	for _, target := range j.Targets {
		switch at := j.Of(target); {
		case at == nil && (len(j.Targets) > 1 || j.Planned != nil):
			unbegun++
		case at == nil || !at.State.Over() && at.State != fleet.JobAccepted:
			unknown++
			change.Steps = append(change.Steps, fleet.JobStep{Name: "act", Target: target, State: fleet.JobUnknown, Text: lostText, At: now})
			d.Audit = append(d.Audit, fleet.AuditEntry{At: now, Who: j.By, From: "plumb", Action: string(j.Action), Target: target, Outcome: "unknown", Reason: lostText})
			e.wire.Nudge(wireOf(j, target))
		}
	}
	switch {
	case unknown > 0:
		change.State = fleet.JobUnknown
	case unbegun > 0:
		change.State = fleet.JobStopped
	default: // everything was sent and is to be seen
		change.State = fleet.JobAccepted
		change.Ended = j.Ended
		return d
	}
	change.Steps = append(change.Steps, fleet.JobStep{Name: "stop", State: change.State, Text: fmt.Sprintf("plumb ended; %d unknown, %d not begun, nothing is repeated", unknown, unbegun), At: now})
	return d
}

// wireOf is whose probe carries a target of a job.
func wireOf(j *fleet.Job, target string) string {
	if j.Planned != nil {
		for _, t := range j.Planned.Targets {
			if t.ID == target {
				return t.Wire
			}
		}
	}
	device, _, _ := strings.Cut(target, "/")
	return device
}
