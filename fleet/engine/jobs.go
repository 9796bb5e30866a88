package engine

import (
	"slices"
	"time"

	"plumb/fleet"
)

// maxJobs bounds the jobs a snapshot carries that nobody asks for any more, and
// maxWeighed those that guards still ask for: whoever fills the list with
// trifles must not empty the budgets. Older ones are in the store.
const (
	maxJobs    = 100
	maxWeighed = 2000
)

// verifyWithin is how long an accepted action may take to show where its spec
// says nothing, and lookTimes how many times that to wait for a look at the
// target. A target that nobody
// could look at, because it or plumb was away, has not failed: it is unknown.
const (
	verifyWithin = 2 * time.Minute
	lookTimes    = 3
)

// putJob adds or replaces a job, newest first.
func (s *step) putJob(j fleet.Job) {
	jobs := slices.Clone(s.next.Jobs)
	if i := slices.IndexFunc(jobs, func(x fleet.Job) bool { return x.ID == j.ID }); i >= 0 {
		jobs[i] = j
	} else {
		jobs = slices.Insert(jobs, 0, j)
	}
	s.next.Jobs = s.keepJobs(jobs)
	s.out.Jobs = append(s.out.Jobs, j)
	s.changed = true
}

// keepJobs drops the oldest jobs beyond the bounds. One that is not settled must
// not fall out of the world.
func (s *step) keepJobs(jobs []fleet.Job) []fleet.Job {
	for i := len(jobs) - 1; i >= 0 && len(jobs) > maxJobs; i-- {
		if over := !jobs[i].Ended.IsZero(); over && (!jobs[i].Weighs(s.now) || len(jobs) > maxWeighed) {
			jobs = slices.Delete(jobs, i, i+1)
		}
	}
	return jobs
}

// changeJob adds somebody's word to a job. One that is over takes no other
// state: what came late is a step, and no second end.
func (s *step) changeJob(c *fleet.JobChange) {
	i := slices.IndexFunc(s.next.Jobs, func(j fleet.Job) bool { return j.ID == c.ID })
	if i < 0 {
		return
	}
	j := s.next.Jobs[i]
	j.Steps = slices.Concat(j.Steps, c.Steps)
	if !j.State.Over() {
		if c.State != "" {
			j.State, j.Left = c.State, false // who says how it stands has it in hand
		}
		if c.ApprovedBy != "" {
			j.ApprovedBy = c.ApprovedBy
		}
		if !c.Ended.IsZero() {
			j.Ended = c.Ended
		}
		if c.Asks != nil {
			j.Asks = c.Asks
		}
	}
	if j.State.Over() || j.Asks != nil && j.Asks.Text == "" { // nobody hears an answer any more
		j.Asks = nil
	}
	s.putJob(j)
}

// settleJobs lets proposals expire, and holds what devices said yes to against
// what has been observed since: an action is done when it is read back, not
// when the device said yes.
func (s *step) settleJobs() {
	for _, j := range s.next.Jobs {
		switch j.State {
		case fleet.JobProposed:
			if s.now.Sub(j.Began) >= fleet.ApproveWithin {
				j.State, j.Ended = fleet.JobExpired, s.now
				j.Steps = append(slices.Clone(j.Steps), fleet.JobStep{Name: "expire", State: fleet.JobExpired, Text: "nobody agreed within " + fleet.ApproveWithin.String(), At: s.now})
				s.putJob(j)
			}
		default: // also of what was stopped: something may have been sent
			s.settleJob(j)
		}
	}
}

// settleJob looks at every target of a job that waits to be seen, and ends a
// job whose every target was acted on and is settled.
func (s *step) settleJob(j fleet.Job) {
	before, was := len(j.Steps), j.State
	for _, target := range j.Targets {
		if at := j.Of(target); at != nil && at.State == fleet.JobAccepted {
			s.settleTarget(&j, target, s.begun(&j, target))
		}
	}
	if j.State == fleet.JobAccepted { // also where its last target was seen before it was said that all were sent
		if state, over := worst(&j); over {
			j.State, j.Ended = state, s.now
		}
	}
	if len(j.Steps) != before || j.State != was {
		s.putJob(j)
	}
}

// begun is when the turn of a target came.
func (s *step) begun(j *fleet.Job, target string) time.Time {
	for i := len(j.Steps) - 1; i >= 0; i-- {
		if x := &j.Steps[i]; x.Name == "begin" && (x.Target == target || x.Target == "" && len(j.Targets) == 1) {
			return x.At
		}
	}
	return j.Began
}

// worst is what a job came to, by the worst of its targets; over is false while
// one of them is not settled.
func worst(j *fleet.Job) (state fleet.JobState, over bool) {
	state = fleet.JobVerified
	for _, t := range j.Targets {
		switch s := j.Of(t); {
		case s == nil || !s.State.Over():
			return "", false
		case s.State == fleet.JobFailed:
			state = fleet.JobFailed
		case s.State != fleet.JobVerified && state == fleet.JobVerified:
			state = s.State
		}
	}
	return state, true
}

// settleTarget adds the verdict on one target, once there is one.
func (s *step) settleTarget(j *fleet.Job, target string, began time.Time) {
	w := witnessed{kind: j.Action, target: target, began: began, j: j}
	state := fleet.JobVerified
	is, text := s.shown(&w)
	looked, within := s.looked(&w), w.within()
	switch {
	case is:
	case !w.restarts() && looked.Sub(began) > within:
		state = fleet.JobFailed
		if text = "the device said yes, and " + within.String() + " later it does not show"; w.doubt != "" {
			text += ": " + w.doubt
		}
	case w.restarts() && looked.Sub(began) > within:
		state, text = fleet.JobUnknown, "it was taken; neither its power state, nor its log, nor a switch port showed that it happened"
	case s.now.Sub(began) > lookTimes*within:
		state, text = fleet.JobUnknown, "the device said yes, and was not seen again within "+(lookTimes*within).String()
	default:
		return
	}
	j.Steps = append(slices.Clone(j.Steps), fleet.JobStep{Name: "verify", Target: target, State: state, Text: text, At: s.now})
	s.acted(j.Action, target)
	s.out.Audit = append(s.out.Audit, fleet.AuditEntry{
		At: s.now, Who: j.By, From: "plumb", Action: string(j.Action), Target: target, Outcome: auditOutcome(state), Reason: text,
	})
}

func auditOutcome(s fleet.JobState) string {
	switch s {
	case fleet.JobVerified:
		return "done"
	case fleet.JobUnknown:
		return "unknown"
	}
	return "failed"
}
