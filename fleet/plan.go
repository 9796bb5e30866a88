package fleet

import "time"

// Plan is what would be done to which targets, in which order, and what speaks
// against it: data, computed from one version of the snapshot. An approval is
// of its hash, so that nobody approves one thing and another one is done.
type Plan struct {
	// Hash is over action, arguments, targets with their identity and state,
	// and waves; not over guards, which are judged anew each time.
	Hash    string            `json:"hash"`
	Action  ActionKind        `json:"action"`
	Args    map[string]string `json:"args,omitempty"`
	Targets []PlanTarget      `json:"targets"`
	Waves   []int             `json:"waves"`  // how many targets in each; the first is the canary
	Danger  Danger            `json:"danger"` // with what guards add
	Guards  []Guard           `json:"guards"`
	// Lost are parts beyond the targets that would lose their last path, Weaker
	// those that would only lose redundancy.
	Lost     []string   `json:"lost"`
	Weaker   []string   `json:"weaker"`
	Services []PlanHit  `json:"services"`
	Undo     ActionKind `json:"undo"` // "": none
	// Reverts are the findings, by id, that it would put right.
	Reverts []string  `json:"reverts,omitempty"`
	Version uint64    `json:"version"`
	At      time.Time `json:"at"`
}

// PlanTarget is one target as it was known when the plan was made.
type PlanTarget struct {
	ID     string `json:"id"`     // see ActionSpec.On
	Wire   string `json:"wire"`   // whose probe carries it: a device or a cloud
	Source Source `json:"source"` // by which wire
	Serial string `json:"serial"` // read again before anything is written
	Place  string `json:"place"`
	Before string `json:"before"` // the state it must be in when its turn comes
	After  string `json:"after"`  // the state that shows it is done; "": an independent sign
}

// PlanHit is a service that would lose replicas.
type PlanHit struct {
	Service string `json:"service"`
	Before  int    `json:"before"` // running replicas
	After   int    `json:"after"`
	Floor   int    `json:"floor"` // 0: none
}

// Guard is one question that was asked before anything is done, with its
// answer in words.
type Guard struct {
	ID      string  `json:"id"`
	Verdict Verdict `json:"verdict"`
	Target  string  `json:"target,omitempty"`
	Text    string  `json:"text"`
}

// Verdict is what a guard says.
type Verdict string

// Verdicts of guards, the mildest first. Denied is about the person, refused
// about the moment: the same person may well do it later.
const (
	VerdictOK       Verdict = "ok"
	VerdictNote     Verdict = "note"     // worth a thought
	VerdictEscalate Verdict = "escalate" // one danger more
	VerdictRefuse   Verdict = "refuse"
	VerdictDeny     Verdict = "deny"
)

// Stops returns the first guard that lets nothing happen; nil: none does.
func (p *Plan) Stops() *Guard {
	for i := range p.Guards {
		if v := p.Guards[i].Verdict; v == VerdictRefuse || v == VerdictDeny {
			return &p.Guards[i]
		}
	}
	return nil
}

// NeedsApproval reports whether a second person has to agree.
func (p *Plan) NeedsApproval() bool { return p.Danger >= 3 }
