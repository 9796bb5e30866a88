package remedy

import (
	"context"
	"errors"
	"slices"
	"strings"

	"plumb/fleet"
)

// lostText is why a job that an earlier process left is unknown.
const lostText = "plumb ended while this was on its way; what the device did is not known and nothing was repeated"

// Adopt settles what an earlier process left: jobs that were begun and whose
// outcome nobody lived to write down become unknown, in the job and in the
// audit log. Nothing is sent again, and what was sent a moment ago still cools
// down: a restart is no way around that. It is called once, before anybody may
// act; jobs may hold any state, only those under way are touched.
func (e *Executor) Adopt(ctx context.Context, jobs []fleet.Job) error {
	var errs []error
	for _, j := range jobs {
		if j.State != fleet.JobRefused && e.now().Sub(j.Began) < coolDown {
			for _, target := range j.Targets {
				e.sent(Request{Target: target, Action: j.Action}, j.Began)
			}
		}
		if j.State != fleet.JobRunning {
			continue
		}
		now := e.now()
		j.State, j.Ended = fleet.JobUnknown, now
		j.Steps = append(slices.Clone(j.Steps), fleet.JobStep{Name: "act", State: fleet.JobUnknown, Text: lostText, At: now})
		d := fleet.Decision{Job: &j}
		for _, target := range j.Targets {
			d.Audit = append(d.Audit, fleet.AuditEntry{At: now, Who: j.By, From: "plumb", Action: string(j.Action), Target: target, Outcome: "unknown", Reason: lostText})
			device, _, _ := strings.Cut(target, "/")
			e.wire.Nudge(device)
		}
		errs = append(errs, e.ledger.Apply(ctx, d))
	}
	return errors.Join(errs...)
}
