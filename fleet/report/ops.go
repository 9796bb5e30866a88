package report

import (
	"cmp"
	"slices"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/fleet/drift"
	"plumb/fleet/lifecycle"
	"plumb/fleet/performance"
	"plumb/fleet/security"
	"plumb/fleet/trace"
)

// Ops is the hand-over of a shift and the review of a period.
type Ops struct {
	Period   Period   `json:"period"`
	Handover Handover `json:"handover"`
	Review   Review   `json:"review"`
}

// Handover is what whoever takes over needs first.
type Handover struct {
	Devices    map[string]int `json:"devices"` // by state
	Blind      int            `json:"blind"`
	Causes     []Cause        `json:"causes"`
	Services   []Impaired     `json:"services"`    // that are not ok
	Open       []Standing     `json:"open"`        // drift and doors, the worst and oldest first
	Acting     []Act          `json:"acting"`      // jobs that are not settled
	RunningOut []Expiry       `json:"running_out"` // what people decided, and what ends within a week
}

// Cause is a part that explains what is wrong now.
type Cause struct {
	Part       string           `json:"part"`
	Name       string           `json:"name"`
	Kind       trace.Kind       `json:"kind"`
	State      fleet.State      `json:"state"`
	Since      *time.Time       `json:"since"`
	Explains   int              `json:"explains"` // of the symptoms of now
	Confidence fleet.Confidence `json:"confidence"`
	Evidence   []string         `json:"evidence"`
	Acting     string           `json:"acting"` // who is doing what to it; empty: nobody
}

// Standing is a finding that nobody has decided about.
type Standing struct {
	Target   string            `json:"target"`
	Name     string            `json:"name"`
	Facet    string            `json:"facet"`
	Kind     fleet.FindingKind `json:"kind"`
	Severity fleet.Severity    `json:"severity"`
	Text     string            `json:"text"`
	Since    time.Time         `json:"since"`
	Who      string            `json:"who"` // who changed it, where something tells
}

// open lists what stands, without what is for planning.
func (in *Input) open() []Standing {
	out := []Standing{}
	for f := range in.Snap.Findings() {
		if f.Open() && !f.Kind.Planned() {
			out = append(out, Standing{f.Target, name(in.Snap, f.Target), f.Facet, f.Kind, f.Severity, f.Text, f.Since.UTC(), f.Who})
		}
	}
	slices.SortStableFunc(out, func(a, b Standing) int { return cmp.Or(cmp.Compare(b.Severity, a.Severity), a.Since.Compare(b.Since)) })
	return out
}

// Impaired is a service that is not well.
type Impaired struct {
	Service  string      `json:"service"`
	Owner    string      `json:"owner"`
	State    fleet.State `json:"state"`
	Replicas int         `json:"replicas"`
	Floor    int         `json:"floor"`
	Why      string      `json:"why"`
}

// Act is an action, under way or done.
type Act struct {
	Action fleet.ActionKind `json:"action"`
	Target string           `json:"target"`
	Name   string           `json:"name"`
	By     string           `json:"by"`
	Reason string           `json:"reason"`
	State  fleet.JobState   `json:"state"`
	Began  time.Time        `json:"began"`
	Ended  *time.Time       `json:"ended"`
}

// Expiry is a decision about a finding that ends soon.
type Expiry struct {
	Target  string             `json:"target"`
	Name    string             `json:"name"`
	Facet   string             `json:"facet"`
	Verdict fleet.FindingState `json:"verdict"`
	By      string             `json:"by"`
	Reason  string             `json:"reason"`
	Until   time.Time          `json:"until"`
}

// Review is what the period brought.
type Review struct {
	Incidents   []Incidents      `json:"incidents"`
	Drift       Debt             `json:"drift"`
	Capacity    []capacity.Row   `json:"capacity"` // what is over a limit, or is going to be
	Changes     []Change         `json:"changes"`
	Done        []Act            `json:"done"`
	Predictions Predictions      `json:"predictions"`
	Security    []Covered        `json:"security"`
	Lifecycle   []Covered        `json:"lifecycle"`
	Performance []Covered        `json:"performance"`
	Findings    []*fleet.Finding `json:"findings"` // of lifecycle and resilience, open, the worst first
}

// Debt is the drift that stands, and what it was at the beginning.
type Debt struct {
	Open     int       `json:"open"`
	Days     fleet.Num `json:"debt_days"` // ages weighted by severity
	OpenThen *int      `json:"open_then"` // null: nobody knows
	DaysThen fleet.Num `json:"debt_days_then"`
	Looked   int       `json:"looked"`
	Blind    int       `json:"not_readable"`
}

// Change is a fact that is another one now.
type Change struct {
	Target string    `json:"target"`
	Name   string    `json:"name"`
	Facet  string    `json:"facet"`
	Was    string    `json:"was"`
	Is     string    `json:"is"`
	At     time.Time `json:"at"`
	Who    string    `json:"who"` // where something tells
}

// Predictions are what was foretold and what became of it.
type Predictions struct {
	Open   int        `json:"open"`
	Hit    int        `json:"hit"`
	Early  int        `json:"early"`
	Late   int        `json:"late"`
	Void   int        `json:"void"`
	Next   []Foretold `json:"next"` // the open ones, the nearest first
	Record string     `json:"record"`
}

// Foretold is a prediction that is open.
type Foretold struct {
	Target     string           `json:"target"`
	Name       string           `json:"name"`
	What       string           `json:"what"`
	At         time.Time        `json:"at"`
	High       time.Time        `json:"high"`
	Confidence fleet.Confidence `json:"confidence"`
}

// Covered is one check over the fleet.
type Covered struct {
	Check      string         `json:"check"`
	Title      string         `json:"title"`
	Severity   fleet.Severity `json:"severity"`
	Passed     int            `json:"passed"`
	Found      int            `json:"found"`
	Decided    int            `json:"decided"`
	NotVisible int            `json:"not_visible"`
	Learning   int            `json:"learning"` // seen, and not for long enough to be judged
	ReadAt     *time.Time     `json:"read_at"`  // the oldest answer behind it; null where that is not one read
}

// endsSoon is how far ahead the hand-over looks.
const endsSoon = 7 * 24 * time.Hour

// OpsOf makes the hand-over and the review.
func OpsOf(in Input) Ops {
	return Ops{
		Period: in.period(),
		Handover: Handover{
			Devices: in.states(), Blind: in.Snap.Counts.Blind, Causes: in.causes(), Services: in.impaired(), Open: in.open(),
			Acting: in.acts(func(j *fleet.Job) bool { return j.Ended.IsZero() }), RunningOut: in.expiries(),
		},
		Review: Review{
			Incidents: byCause(in.told()), Drift: in.debt(), Capacity: in.short(), Changes: in.changes(),
			Done:        in.acts(func(j *fleet.Job) bool { return !j.Ended.IsZero() && in.within(j.Ended) }),
			Predictions: in.predictions(), Security: in.security(), Lifecycle: in.lifecycle(), Performance: in.performance(), Findings: in.findings(),
		},
	}
}

// told are the incidents, with what many had at once as one.
func (in *Input) told() []incident {
	_, all, _ := in.apart(in.incidents())
	slices.SortStableFunc(all, func(a, b incident) int { return a.from.Compare(b.from) })
	return all
}

func (in *Input) states() map[string]int {
	out := map[string]int{}
	for st := range fleet.State(fleet.NumStates) {
		out[st.String()] = in.Snap.Counts.By[fleet.KindOfDevice][st]
	}
	return out
}

func (in *Input) causes() []Cause {
	out := []Cause{}
	for _, c := range trace.Causes(in.Snap, in.Now) {
		x := Cause{Part: c.ID, Name: name(in.Snap, c.ID), Kind: c.Kind, State: c.State, Explains: len(c.Explains), Confidence: c.Confidence, Evidence: c.Evidence}
		if !c.Since.IsZero() {
			since := c.Since.UTC()
			x.Since = &since
		}
		for i := range in.Jobs {
			if j := &in.Jobs[i]; j.Ended.IsZero() && slices.ContainsFunc(j.Targets, func(t string) bool { return t == c.ID || slices.Contains(c.Explains, t) }) {
				x.Acting = j.By + ": " + string(j.Action)
			}
		}
		out = append(out, x)
	}
	return out
}

func (in *Input) impaired() []Impaired {
	out := []Impaired{}
	for id, v := range in.Snap.Services.All() {
		if v.State == fleet.StateOK {
			continue
		}
		x := Impaired{Service: id, Owner: v.Spec.Owner, State: v.State, Replicas: v.Replicas, Floor: v.Spec.Floor}
		if len(v.Reasons) > 0 {
			x.Why = v.Reasons[0]
		}
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b Impaired) int {
		switch {
		case a.State.Worse(b.State):
			return -1
		case b.State.Worse(a.State):
			return 1
		}
		return 0
	})
	return out
}

func (in *Input) acts(want func(*fleet.Job) bool) []Act {
	out := []Act{}
	for i := range in.Jobs {
		j := &in.Jobs[i]
		if !want(j) {
			continue
		}
		for _, t := range j.Targets {
			a := Act{Action: j.Action, Target: t, Name: name(in.Snap, t), By: j.By, Reason: j.Reason, State: j.State, Began: j.Began.UTC()}
			if !j.Ended.IsZero() {
				ended := j.Ended.UTC()
				a.Ended = &ended
			}
			out = append(out, a)
		}
	}
	return out
}

func (in *Input) expiries() []Expiry {
	out := []Expiry{}
	for id, d := range in.Snap.Dockets() {
		for _, r := range d.Rulings {
			if !r.Until.IsZero() && r.Until.Sub(in.Now) <= endsSoon {
				out = append(out, Expiry{id, name(in.Snap, id), r.Facet, r.Verdict, r.By, r.Reason, r.Until.UTC()})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Expiry) int { return a.Until.Compare(b.Until) })
	return out
}

// debtOf sums up what stands open, without what is for planning.
func debtOf(s *fleet.Snapshot, now time.Time) (open int, days fleet.Num) {
	var list []*fleet.Finding
	for f := range s.Findings() {
		if f.Open() && !f.Kind.Planned() {
			list = append(list, f)
		}
	}
	return len(list), fleet.FromFloat(drift.Debt(list, now), 1)
}

func (in *Input) debt() (d Debt) {
	d.Open, d.Days = debtOf(in.Snap, in.Now)
	for _, x := range in.Snap.Dockets() {
		d.Looked, d.Blind = d.Looked+x.Looked, d.Blind+x.Blind
	}
	if in.Then != nil {
		open, days := debtOf(in.Then, in.Since)
		d.OpenThen, d.DaysThen = &open, days
	}
	return d
}

// short lists what is over a limit, and what is going to be.
func (in *Input) short() []capacity.Row {
	out := []capacity.Row{}
	for _, r := range in.Capacity {
		if r.Over || r.At != nil {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b capacity.Row) int {
		switch {
		case a.Over != b.Over:
			return map[bool]int{true: -1, false: 1}[a.Over]
		case a.At != nil && b.At != nil:
			return a.At.Compare(*b.At)
		}
		return 0
	})
	return out
}

// changes lists the facts that changed, the newest first. What a fact was is
// remembered for a week.
func (in *Input) changes() []Change {
	out := []Change{}
	for id, d := range in.Snap.Devices.All() {
		if d.Docket == nil {
			continue
		}
		for _, p := range d.Docket.Past {
			if !in.within(p.Changed()) {
				continue
			}
			c := Change{Target: id, Name: deviceName(d), Facet: p.Facet, Was: p.Value, Is: d.Facts.Get(p.Facet), At: p.Changed().UTC()}
			for i := range d.Docket.Findings {
				if f := &d.Docket.Findings[i]; f.Facet == p.Facet {
					c.Who, c.Is = f.Who, cmp.Or(c.Is, f.Observed)
				}
			}
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int { return b.At.Compare(a.At) })
	return out
}

func (in *Input) predictions() Predictions {
	r := performance.Score(in.Snap)
	p := Predictions{Open: r.Open, Hit: r.Hit, Early: r.Early, Late: r.Late, Void: r.Void, Record: r.String(), Next: []Foretold{}}
	for id, d := range in.Snap.Devices.All() {
		for i := range d.Forecasts {
			if f := &d.Forecasts[i]; f.Score == fleet.ScoreOpen {
				p.Next = append(p.Next, Foretold{id, deviceName(d), f.What, f.At.UTC(), f.High.UTC(), f.Confidence})
			}
		}
	}
	slices.SortStableFunc(p.Next, func(a, b Foretold) int { return a.At.Compare(b.At) })
	return p
}

func (in *Input) security() []Covered {
	out := []Covered{}
	for _, t := range security.Coverage(in.Snap) {
		out = append(out, covered(&t.Checked, 0, t.ReadAt))
	}
	return out
}

func (in *Input) lifecycle() []Covered {
	out := []Covered{}
	for _, t := range lifecycle.Coverage(in.Snap, in.Now) {
		out = append(out, covered(&t, 0, nil))
	}
	return out
}

func (in *Input) performance() []Covered {
	out := []Covered{}
	for _, t := range performance.Coverage(in.Snap) {
		out = append(out, covered(&t.Checked, t.Learning, nil))
	}
	return out
}

func covered(t *fleet.Checked, learning int, read *time.Time) Covered {
	return Covered{t.ID, t.Title, t.Severity, t.Passed, t.Found, t.Decided, t.NotVisible, learning, read}
}

func (in *Input) findings() []*fleet.Finding {
	out := []*fleet.Finding{}
	for f := range in.Snap.Findings() {
		if f.Kind.Planned() && f.Open() {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b *fleet.Finding) int {
		return cmp.Or(int(b.Severity)-int(a.Severity), cmp.Compare(a.Target, b.Target))
	})
	return out
}
