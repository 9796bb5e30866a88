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
// excuse. Lingers is how long one does that went well: a machine that has power
// again is not up yet.
const (
	underMost = time.Hour
	lingers   = 5 * time.Minute
)

// under are the parts that jobs take away, each with its job, and when the
// first of these is no excuse any more.
func under(s *fleet.Snapshot, now time.Time) (out map[string]*fleet.Job, next time.Time) {
	for i := range s.Jobs {
		j := &s.Jobs[i]
		until := excuses(j)
		if !now.Before(until) {
			continue
		}
		if out == nil {
			out = map[string]*fleet.Job{}
		}
		if next.IsZero() || until.Before(next) {
			next = until
		}
		for _, id := range j.Targets {
			if out[id] != nil {
				continue // the newest comes first
			}
			out[id] = j
			if d := s.Devices.Get(id); d != nil {
				for k := range d.Spec.Links {
					if to := d.Spec.Links[k].To; out[to] == nil {
						out[to] = j
					}
				}
			}
		}
	}
	return out, next
}

// excuses is until when a job explains that its targets are away. A run of a
// runbook does with what it acts upon, but not while it waits for a person.
func excuses(j *fleet.Job) (until time.Time) {
	spec := j.Action.Spec()
	switch {
	case spec == nil && strings.HasPrefix(string(j.Action), "run "):
		if j.Asks != nil {
			return until
		}
	case spec == nil || !spec.Takes && spec.Kind != fleet.ActBMCReset:
		return until
	}
	switch j.State {
	case fleet.JobApproved, fleet.JobRunning, fleet.JobAccepted:
		return j.Began.Add(underMost)
	case fleet.JobVerified:
		return j.Ended.Add(lingers)
	}
	return until
}

// jobsMoved finds what jobs take away now, and reports whether that is another
// than in the step before.
func (w *work) jobsMoved() bool {
	var next time.Time
	w.under, next = under(w.Next, w.now)
	was, _ := under(w.Before, w.before)
	w.wake(next)
	return !maps.EqualFunc(w.under, was, func(a, b *fleet.Job) bool { return a.ID == b.ID })
}

// done names the job that explains an alert, or "".
func (w *work) done(a *fleet.Alert) string {
	if len(w.under) == 0 {
		return ""
	}
	j := w.under[a.Target]
	if _, host, ok := strings.Cut(a.Target, "/"); j == nil && ok { // a hypervisor, as its cloud has it
		j = w.under[host]
	}
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
