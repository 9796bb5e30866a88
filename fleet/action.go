package fleet

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Action is one thing to do to one target, as data.
type Action struct {
	Kind   ActionKind        `json:"action"`
	Target string            `json:"target"`         // see ActionSpec.On
	Serial string            `json:"serial"`         // what the target's serial must be when it is read again; empty where it has none
	Args   map[string]string `json:"args,omitempty"` // see ActionSpec.Args
	Why    string            `json:"why,omitempty"`  // what a device that keeps a note beside a setting is to keep: whose it is and why
	Was    string            `json:"was,omitempty"`  // what it was when it was decided, as [PlanTarget.Before]; a wire that can tells when it is no more so
}

// NoteMark begins every note that is left beside a setting: see [Action.Why].
const NoteMark = "plumb "

// OwnNote reports whether a note beside a setting is one that plumb left there:
// what others took out is theirs to give back.
func OwnNote(note string) bool { return strings.HasPrefix(note, NoteMark) }

// Outcome is what a wire knows after an action.
type Outcome struct {
	Done   bool      `json:"done"`   // the device said yes
	Before string    `json:"before"` // state read before the write
	After  string    `json:"after"`  // state read back, where the wire can
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
}

// JobState is where an action stands in its life.
type JobState string

// Job states, as the contract spells them.
const (
	JobProposed  JobState = "proposed" // waits for a second person
	JobApproved  JobState = "approved"
	JobRunning   JobState = "running"
	JobAccepted  JobState = "accepted" // every device said yes; not yet seen to be so
	JobVerified  JobState = "verified" // an observation showed it
	JobFailed    JobState = "failed"
	JobStalled   JobState = "stalled" // taken, and going on for longer than it should
	JobStopped   JobState = "stopped" // at the first surprise: what was left was not begun
	JobRefused   JobState = "refused"
	JobExpired   JobState = "expired" // nobody agreed in time
	JobCancelled JobState = "cancelled"
	JobUnknown   JobState = "unknown"
)

// Over reports whether nothing more will come of a job in this state.
func (s JobState) Over() bool {
	switch s {
	case JobProposed, JobApproved, JobRunning, JobAccepted, JobStalled:
		return false
	}
	return true
}

// ApproveWithin is how long a proposal waits for a second person.
const ApproveWithin = 15 * time.Minute

// JobsWeighFor is how long what was done weighs in what is asked next: the
// longest that a guard looks back.
const JobsWeighFor = 24 * time.Hour

// Job is an action on its way: who asked, why, and what came of it.
type Job struct {
	ID         string     `json:"id"`
	Action     ActionKind `json:"action"`
	Targets    []string   `json:"targets"`
	State      JobState   `json:"state"`
	By         string     `json:"by"`
	ApprovedBy string     `json:"approved_by"`
	Reason     string     `json:"reason"`
	Plan       string     `json:"plan"`              // hash of the plan it carries out
	Planned    *Plan      `json:"planned,omitempty"` // nil: of before plans were kept
	BrokeGlass bool       `json:"broke_glass,omitempty"`
	Undoes     string     `json:"undoes,omitempty"` // the job that it takes back
	Run        string     `json:"run,omitempty"`    // the run of a runbook that asked for it
	Asks       *Question  `json:"asks,omitempty"`   // what it waits for somebody to say; nil: nothing
	Left       bool       `json:"left,omitempty"`   // an earlier process left it, and what became of it is not on record yet
	Steps      []JobStep  `json:"steps"`
	Began      time.Time  `json:"began"`
	Ended      time.Time  `json:"ended"`
}

// MarshalJSON writes a job with null for an end that has not come, and with
// empty lists rather than null.
func (j Job) MarshalJSON() ([]byte, error) {
	type plain Job
	x := struct {
		plain
		Began time.Time  `json:"began"`
		Ended *time.Time `json:"ended"`
	}{plain: plain(j), Began: j.Began.UTC()}
	if !j.Ended.IsZero() {
		ended := j.Ended.UTC()
		x.Ended = &ended
	}
	if x.Targets == nil {
		x.Targets = []string{}
	}
	if x.Steps == nil {
		x.Steps = []JobStep{}
	}
	return json.Marshal(x)
}

// JobStep is one step with its outcome in words: of one target, or of the whole
// job where it names none.
type JobStep struct {
	Name   string    `json:"name"` // begin act verify; propose approve wave stop ...
	Target string    `json:"target,omitempty"`
	State  JobState  `json:"state"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
}

// Of returns the last step of a target; nil: its turn has not come. The steps
// of a job of one target are that target's.
func (j *Job) Of(target string) *JobStep {
	for i := len(j.Steps) - 1; i >= 0; i-- {
		s := &j.Steps[i]
		if s.Target == target || s.Target == "" && len(j.Targets) == 1 && (s.Name == "begin" || s.Name == "act" || s.Name == "verify") {
			return s
		}
	}
	return nil
}

// UnderWay reports whether some process has the job in hand: of one that sent
// everything, whether an answer is still to be written down.
func (j *Job) UnderWay() bool {
	waits := func(t string) bool { at := j.Of(t); return at != nil && at.State == JobRunning }
	return j.State == JobRunning || j.State == JobApproved || j.State == JobAccepted && slices.ContainsFunc(j.Targets, waits)
}

// Holds reports whether the job, being left, may still be on its way to a
// target.
func (j *Job) Holds(target string) bool {
	at := j.Of(target)
	return j.Left && (at == nil || !at.State.Over())
}

// Leave marks the jobs that a process which is gone had in hand. The list itself
// is left as it is.
func Leave(jobs []Job) []Job {
	out := slices.Clone(jobs)
	for i := range out {
		out[i].Left = out[i].UnderWay()
	}
	return out
}

// Weighs reports whether a guard may ask for the job: it is not over, or it did
// something of danger 2 and more within [JobsWeighFor].
func (j *Job) Weighs(now time.Time) bool {
	return !j.State.Over() || j.Action.Danger() >= 2 && now.Sub(j.Began) <= JobsWeighFor
}

// JobChange adds to a job that is there: the engine is the only writer of what
// a job is, so that nobody's word about it is lost.
type JobChange struct {
	ID         string
	State      JobState // "": as it is
	Steps      []JobStep
	ApprovedBy string    // "": as it is
	Asks       *Question // nil: as it is; without a text: it asks nothing any more
	Ended      time.Time // zero: as it is
}

// AuditEntry is one line of the append-only log: every write, denied try and
// login. The store numbers it and chains it (RFC 8785, SHA-256) when it
// commits; an entry that is not committed allows nothing.
type AuditEntry struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Who     string    `json:"who"`
	From    string    `json:"from"` // remote address, or "local"
	Action  string    `json:"action"`
	Target  string    `json:"target"`
	Outcome string    `json:"outcome"` // begun done failed unknown denied refused
	Reason  string    `json:"reason"`
	Hash    string    `json:"hash"`
	Prev    string    `json:"prev"`
}

// auditTime is RFC 3339 with all nine decimals: the form that is hashed, so
// that whoever holds the JSON can check the chain without rewriting it.
const auditTime = "2006-01-02T15:04:05.000000000Z07:00"

// MarshalJSON writes the entry with the time in the form that is hashed.
func (e AuditEntry) MarshalJSON() ([]byte, error) {
	type plain AuditEntry
	return json.Marshal(struct {
		plain
		At string `json:"at"`
	}{plain(e), e.At.UTC().Format(auditTime)})
}
