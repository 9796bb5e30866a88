package fleet

import (
	"encoding/json"
	"time"
)

// Action is one thing to do to one target, as data.
type Action struct {
	Kind   ActionKind        `json:"action"`
	Target string            `json:"target"`         // see ActionSpec.On
	Serial string            `json:"serial"`         // what the target's serial must be when it is read again; empty where it has none
	Args   map[string]string `json:"args,omitempty"` // see ActionSpec.Args
}

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
	JobProposed JobState = "proposed"
	JobRunning  JobState = "running"
	JobAccepted JobState = "accepted" // the device said yes; not yet seen to be so
	JobVerified JobState = "verified" // an observation showed it
	JobFailed   JobState = "failed"
	JobRefused  JobState = "refused"
	JobUnknown  JobState = "unknown"
)

// Job is an action on its way: who asked, why, and what came of it.
type Job struct {
	ID         string     `json:"id"`
	Action     ActionKind `json:"action"`
	Targets    []string   `json:"targets"`
	State      JobState   `json:"state"`
	By         string     `json:"by"`
	ApprovedBy string     `json:"approved_by"`
	Reason     string     `json:"reason"`
	Plan       string     `json:"plan"` // hash of the plan it carries out
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

// JobStep is one step with its outcome in words.
type JobStep struct {
	Name  string    `json:"name"`
	State JobState  `json:"state"`
	Text  string    `json:"text"`
	At    time.Time `json:"at"`
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
