package fleet

import "time"

// Finding is one thing about one target that is not as it should be, and what
// it was held against. It is found again at every look for as long as it is so:
// its id, since and what people decided about it stay.
type Finding struct {
	Target string      `json:"target"`
	Facet  string      `json:"facet"` // what of the target: "firmware", "port Ethernet3 vlan", "ipmi.cipher0"
	Kind   FindingKind `json:"kind"`
	Class  Class       `json:"class"`
	// Baselines are all that it was held against and that disagree; what agrees
	// is left out.
	Baselines  []Baseline `json:"baselines"`
	Observed   string     `json:"observed"`
	Evidence   string     `json:"evidence"` // where it was read: "fact firmware over ipmi", "fdb of ams1-r01-a"
	Severity   Severity   `json:"severity"`
	Confidence Confidence `json:"confidence"`
	Text       string     `json:"text"`          // one sentence for people
	Fix        string     `json:"fix,omitempty"` // what to do
	Cause      string     `json:"cause,omitempty"`
	Who        string     `json:"who,omitempty"` // who changed it, where something tells

	Since time.Time    `json:"since"`
	State FindingState `json:"state"`
	// Stale is since when it can no longer be read: it stays what it was, and
	// whether it is still so nobody knows.
	Stale time.Time `json:"stale,omitzero"`
	// Ended is when it was reverted or gone. Only history holds such.
	Ended time.Time `json:"ended,omitzero"`
}

// ID names the finding: "TARGET:FACET".
func (f *Finding) ID() string { return f.Target + ":" + f.Facet }

// Open reports whether the finding stands and nobody has decided about it.
func (f *Finding) Open() bool { return f.State == FindingOpen }

// FindingKind says which judge found it.
type FindingKind string

// Kinds of findings: drift of four sorts, and what other judges find.
const (
	FindFirmware    FindingKind = "firmware"
	FindConfig      FindingKind = "config"
	FindCabling     FindingKind = "cabling"
	FindInventory   FindingKind = "inventory"
	FindSecurity    FindingKind = "security"
	FindPerformance FindingKind = "performance"
	FindCapacity    FindingKind = "capacity"
	FindResilience  FindingKind = "resilience"
	FindLifecycle   FindingKind = "lifecycle"
)

// Class says in which way the observed differs from what was expected.
type Class string

// Classes of drift.
const (
	ClassMissing   Class = "missing"   // expected and not there
	ClassUnmanaged Class = "unmanaged" // there and not expected
	ClassChanged   Class = "changed"
	ClassMoved     Class = "moved"   // there, in another place
	ClassUnknown   Class = "unknown" // cannot be read any more
)

// Baseline is something that an observed value was held against.
type Baseline struct {
	Name     BaselineName `json:"name"`
	Expected string       `json:"expected"`
}

// BaselineName names one of the four truths.
type BaselineName string

// The four truths.
const (
	BaseIntended BaselineName = "intended"
	BaseAccepted BaselineName = "last_accepted"
	BaseLastWeek BaselineName = "last_week"
	BaseCohort   BaselineName = "cohort"
)

// FindingState is where a finding stands in its life.
type FindingState string

// States of findings. Reverted and gone ones live in history only.
const (
	FindingOpen     FindingState = "open"
	FindingAccepted FindingState = "accepted" // the observed is the baseline now
	FindingWaived   FindingState = "waived"   // until a date
	FindingIgnored  FindingState = "ignored"
	FindingReverted FindingState = "reverted" // an action's result was observed
	FindingGone     FindingState = "gone"     // by itself
)

// Confidence says how sure a judgement is.
type Confidence uint8

// Confidences, least first.
const (
	ConfidenceLow Confidence = iota
	ConfidenceMedium
	ConfidenceHigh
)

var confidenceWords = [...]string{"low", "medium", "high"}

func (c Confidence) String() string { return confidenceWords[min(int(c), len(confidenceWords)-1)] }

// MarshalText writes the confidence's word.
func (c Confidence) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the confidence's word.
func (c *Confidence) UnmarshalText(b []byte) error {
	return word(confidenceWords[:], b, c, "confidence")
}

// Look is what a judge says of one facet of one target. A judge lists every
// facet that it looks at, each time: one that is no longer listed is judged no
// more, and what was found of it is over.
type Look struct {
	Facet string
	// Known is false where the facet could not be read now, or only in part. It
	// then says nothing: what was found before stays, and nothing new is.
	Known bool
	Found *Finding // nil: as it should be. Since, State, Stale and Ended are not the judge's
}

// Ruling is what a person decided about a facet of a target.
type Ruling struct {
	Target  string       `json:"target"`
	Facet   string       `json:"facet"`
	Verdict FindingState `json:"verdict"` // accepted, waived, ignored; open takes an earlier one back
	Value   string       `json:"value"`   // what was observed then: the new baseline where accepted
	Until   time.Time    `json:"until,omitzero"`
	By      string       `json:"by"`
	Reason  string       `json:"reason"`
	At      time.Time    `json:"at"`
}

// Stands reports whether the ruling still covers an observed value.
func (r *Ruling) Stands(observed string, now time.Time) bool {
	switch r.Verdict {
	case FindingAccepted:
		return r.Value == observed
	case FindingWaived, FindingIgnored:
		return r.Until.IsZero() || now.Before(r.Until)
	}
	return false
}

// Docket is what stands against a target, and what people decided about it.
// Like all of a snapshot it is never written: a change makes a new one.
type Docket struct {
	Findings []Finding // by facet
	Rulings  []Ruling  // by facet, the newest of each
	Past     []Former  // by facet: what changed within the last week
	Gone     []Finding // by facet: what ended within the last day, doors within a week
	Again    []Again   // what began, or was done, lately
	// Looked and Blind count the facets at the last look, and those of them
	// that could not be read: the coverage. Muted are those that the user's
	// policies keep out of sight.
	Looked, Blind, Muted int
}

// Tally counts what the like of a device have: by fact and value. Like all of a
// snapshot it is never written.
type Tally map[string]map[string]int

// Former is a value that a facet had before it first changed within a week.
type Former struct {
	Facet string    `json:"facet"`
	Value string    `json:"value"`
	At    time.Time `json:"at"` // of the change
	// Last is when the facet changed last; zero: then.
	Last time.Time `json:"last,omitzero"`
}

// Changed is when the facet became what it is.
func (f *Former) Changed() time.Time {
	if f.Last.After(f.At) {
		return f.Last
	}
	return f.At
}

// Again is a trouble that began on a target, or an action that was done to it,
// and when: the root of what comes back is not mended.
type Again struct {
	What string      `json:"what"` // the part that a reason speaks of, or "action power-cycle"
	At   []time.Time `json:"at"`   // oldest first
}

// AgainFor is how long a trouble is remembered.
const AgainFor = 30 * 24 * time.Hour

// Within returns the times that are still remembered.
func (a *Again) Within(now time.Time) []time.Time {
	for i, t := range a.At {
		if now.Sub(t) < AgainFor {
			return a.At[i:]
		}
	}
	return nil
}

// Of returns the findings; a nil docket has none.
func (d *Docket) Of() []Finding {
	if d == nil {
		return nil
	}
	return d.Findings
}

// Planned reports whether findings of the kind are for those who plan: they say
// what will cost, not what drifted.
func (k FindingKind) Planned() bool { return k == FindLifecycle || k == FindResilience }

// Open counts the open findings, without those that are for planning.
func (d *Docket) Open() (n int) {
	for i := range d.Of() {
		if d.Findings[i].Open() && !d.Findings[i].Kind.Planned() {
			n++
		}
	}
	return n
}
