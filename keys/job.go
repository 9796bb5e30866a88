package keys

import (
	"cmp"
	"slices"

	"plumb/fleet"
)

// jobCommands are what people say about an action that somebody asked for.
func jobCommands() []Command {
	word := func(c *Command) { c.Needs, c.Writes = fleet.RoleOperator, true }
	return []Command{
		bind("job.next", "R", "request", "the job that waits for a second person or for an answer, the oldest first", why(whyNoRequest)),
		bind("job.approve", "y", "approve", "agree with what somebody else asks for; asks once more, and then it is done", in("job"), params("note"), rank(20), word, why(whyNoApproval)),
		bind("job.refuse", "n", "refuse", "say no to what somebody asks for; asks why", in("job"), params("reason"), rank(21), word, why(whyNoRefusal)),
		bind("job.cancel", "c", "cancel", "take a proposal back, or stop before the next target; asks once more", in("job"), params("note"), rank(22), word, why(whyNoCancel)),
		bind("job.answer", "r", "answer", "answer what a run of a runbook asks", in("job"), params("answer"), rank(20), word, why(whyNoAnswer)),
		bind("job.undo", "u", "undo", "ask for what takes it back", in("job"), rank(23), word, why(whyNoUndo)),
	}
}

// job is the one that a page is about; nil: it is not in the snapshot.
func (s Scene) job() *fleet.Job {
	if s.Snap == nil || s.Kind != "job" {
		return nil
	}
	if i := slices.IndexFunc(s.Snap.Jobs, func(j fleet.Job) bool { return j.ID == s.Target }); i >= 0 {
		return &s.Snap.Jobs[i]
	}
	return nil
}

// Request is the oldest job that waits for somebody: a proposal for a second
// person, of somebody else before one's own, and then a run of a runbook that
// asks; nil: none waits.
func Request(s *fleet.Snapshot, user string) *fleet.Job {
	var own, other, asks *fleet.Job
	if s == nil {
		return nil
	}
	for i := range s.Jobs { // newest first
		switch j := &s.Jobs[i]; {
		case j.Asks != nil:
			asks = j
		case j.State != fleet.JobProposed:
		case j.By == user:
			own = j
		default:
			other = j
		}
	}
	return cmp.Or(other, asks, own)
}

func whyNoRequest(s Scene) string {
	if Request(s.Snap, s.User) == nil {
		return "no job waits for anybody"
	}
	return ""
}

func whyNoAnswer(s Scene) string {
	switch j := s.job(); {
	case j == nil:
		return "the job is not on record here"
	case j.Asks == nil:
		return "it asks nothing"
	}
	return ""
}

func whyNoApproval(s Scene) string {
	switch j := s.job(); {
	case j != nil && j.Asks != nil:
		return "it asks a question: r answers it"
	case s.Role < fleet.RoleAdmin: // whoever may act may look for it, and answer; also of a job that was not seen yet
		return "needs role admin"
	case j == nil:
		return "the job is not on record here"
	case j.State != fleet.JobProposed:
		return "it is " + string(j.State)
	case j.By == s.User:
		return "your own proposal: a second person has to agree"
	}
	return ""
}

func whyNoRefusal(s Scene) string {
	switch j := s.job(); {
	case j == nil:
		return "the job is not on record here"
	case j.Asks != nil:
		return "it asks a question: r answers it"
	case j.State != fleet.JobProposed:
		return "it is " + string(j.State)
	}
	return ""
}

func whyNoCancel(s Scene) string {
	switch j := s.job(); {
	case j == nil:
		return "the job is not on record here"
	case j.State.Over() || j.State == fleet.JobAccepted:
		return "it is " + string(j.State) + ": there is nothing left to stop"
	case j.By != s.User && s.Role < fleet.RoleAdmin:
		return "it is " + j.By + "'s: that needs role admin"
	}
	return ""
}

func whyNoUndo(s Scene) string {
	j := s.job()
	switch {
	case j == nil:
		return "the job is not on record here"
	case j.State == fleet.JobProposed:
		return "nothing was done yet: c takes it back"
	case j.State == fleet.JobRunning || j.State == fleet.JobApproved:
		return "it is " + string(j.State)
	}
	if !slices.ContainsFunc(j.Targets, func(t string) bool { return j.Of(t) != nil }) {
		return "nothing was done"
	}
	if spec := j.Action.Spec(); spec == nil || spec.Undo == "" {
		return "nothing takes back " + string(j.Action)
	}
	return ""
}
