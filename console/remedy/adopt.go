package remedy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
)

// lostText is why a target that an earlier process left is unknown.
const lostText = "plumb ended while this was on its way; what the device did is not known and nothing was repeated"

// Adopt settles what an earlier process left. A target that was begun and whose
// outcome nobody lived to write down is unknown, in the job and in the audit
// log; one whose turn had not come is not begun. Nothing is sent again. A
// proposal still waits. It is called once, before anybody may act; jobs may hold
// any state, only those under way are touched.
func (e *Executor) Adopt(ctx context.Context, jobs []fleet.Job) error {
	var errs []error
	for i := range jobs {
		if j := &jobs[i]; j.State == fleet.JobRunning || j.State == fleet.JobApproved || j.State == fleet.JobAccepted && unanswered(j) {
			errs = append(errs, e.ledger.Apply(ctx, e.leave(j)))
		}
	}
	return errors.Join(errs...)
}

// unanswered reports whether a job that sent everything lost an answer: nobody
// lived to write it down.
func unanswered(j *fleet.Job) bool {
	return slices.ContainsFunc(j.Targets, func(t string) bool {
		at := j.Of(t)
		return at != nil && at.State == fleet.JobRunning
	})
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
