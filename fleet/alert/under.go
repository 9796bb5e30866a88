package alert

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

// What somebody does through plumb may take a part away for a while: a machine
// that is cycled does not answer, its ports go dark. The job is on every screen,
// and whoever began it looks on, so what begins while it is under way is held by
// it and not told. What stood before goes on calling, and what outlives the job
// is let go like anything else that outlives its cause.

// underMost bounds how long a job explains anything: one that hangs is no
// excuse.
const underMost = time.Hour

// under are the parts that jobs under way take away, each with its job.
func under(s *fleet.Snapshot, now time.Time) (out map[string]*fleet.Job) {
	for i := range s.Jobs {
		j := &s.Jobs[i]
		if !takes(j) || now.Sub(j.Began) > underMost {
			continue
		}
		if out == nil {
			out = map[string]*fleet.Job{}
		}
		for _, id := range j.Targets {
			out[id] = j
			if d := s.Devices.Get(id); d != nil {
				for k := range d.Spec.Links {
					out[d.Spec.Links[k].To] = j
				}
			}
		}
	}
	return out
}

// takes reports whether a job takes something away now: until it is seen to be
// well, or not to be. A run of a runbook does with what it acts upon, but not
// while it waits for a person.
func takes(j *fleet.Job) bool {
	if j.State != fleet.JobApproved && j.State != fleet.JobRunning && j.State != fleet.JobAccepted {
		return false
	}
	if strings.HasPrefix(string(j.Action), "run ") {
		return j.Asks == nil
	}
	spec := j.Action.Spec()
	return spec != nil && (spec.Takes || spec.Kind == fleet.ActBMCReset)
}

// jobsMoved finds what jobs take away now, and reports whether that is another
// than in the step before.
func (w *work) jobsMoved() bool {
	w.under = under(w.Next, w.now)
	was := under(w.Before, w.before)
	return !maps.EqualFunc(w.under, was, func(a, b *fleet.Job) bool { return a.ID == b.ID })
}

// done names the job that explains an alert, or "".
func (w *work) done(a *fleet.Alert) string {
	if len(w.under) == 0 {
		return ""
	}
	j := w.under[a.Target]
	if j == nil {
		j = w.under[a.Target+"/"+a.Part]
	}
	if d := w.Next.Devices.Get(a.Target); j == nil && d != nil {
		for _, c := range d.Spec.Power { // a supply goes with its outlet
			if a.Part == "psu"+strconv.Itoa(c.PSU) {
				j = w.under[c.Outlet]
			}
		}
	}
	if j == nil || a.Since.Before(j.Began) {
		return ""
	}
	return "job " + j.ID
}
