package security

import (
	"cmp"
	"math"
	"slices"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
)

// Tally is a check over the whole fleet.
type Tally struct {
	fleet.Checked
	// NotAsked counts what could be looked at and is not, because nobody said
	// what is intended: it is in none of the others.
	NotAsked int `json:"not_asked"`
	Stale    int `json:"stale"` // of found and decided: it cannot be read now whether it is still so
	// ReadAt is when the oldest answer behind what passed and what is found was
	// read, and AnswersAgeS how old it is: a door that somebody opened since is
	// not seen yet. null where nothing answered, and of the past.
	ReadAt      *time.Time `json:"read_at"`
	AnswersAgeS *int64     `json:"answers_age_s"`
	// Debt is the sum of the ages of what is found, in days, weighted by
	// severity as that of drift is, in hundredths.
	Debt float64 `json:"debt"`
	// FoundWeekAgo is how many were found seven days ago; null where that is
	// not known.
	FoundWeekAgo *int   `json:"found_week_ago"`
	Off          string `json:"off"` // why a policy turned it off
}

// Says is a check in a word or two.
func (t *Tally) Says() string {
	switch word := t.Checked.Says(); {
	case t.Off != "":
		return "off"
	case word == "about nothing" && t.NotAsked > 0: // nobody said what is intended
		return "not asked"
	default:
		return word
	}
}

// Unread are checks that no probe brings the facts of yet. They are listed, so
// that nobody takes them for passed.
var Unread = []Check{
	{ID: "cloud.volume-encryption", Title: "volumes are encrypted", Severity: fleet.SeverityWarn, How: "no probe reads volumes"},
	{ID: "cloud.snapshot-age", Title: "volumes have a snapshot younger than 7 d", Severity: fleet.SeverityWarn, How: "no probe reads snapshots"},
	{ID: "net.filter", Title: "routers let through between segments only what they should", Severity: fleet.SeverityWarn, How: "no probe reads routes or filters"},
	{ID: "cloud.metadata-v1", Title: "instance metadata v1 is off", Severity: fleet.SeverityWarn, How: "no probe reads metadata options"},
}

// Coverage counts every check over the fleet. What was found is what stands in
// the dockets; the rest is tried as the judge tries it, at the time of the
// snapshot, so that what grew old since is not passed.
func Coverage(s *fleet.Snapshot) []Tally { return CoverageIn(s, "") }

// CoverageIn is the coverage of one region; an empty name is that of all.
func CoverageIn(s *fleet.Snapshot, region string) []Tally {
	cov := &coverage{Scene: SceneOf(s), s: s, in: func(r string) bool { return region == "" || r == region }}
	cov.watched = cov.watchedBefore(s.At.Add(-drift.Week))
	var out []Tally
	for i := range Checks {
		out = append(out, cov.devices(&Checks[i]))
	}
	for i := range CloudChecks {
		out = append(out, cov.clouds(&CloudChecks[i]))
	}
	for i := range Unread {
		t := cov.begin(&Unread[i])
		t.NotVisible = cov.concerned(&Unread[i])
		out = append(out, t.Tally)
	}
	return out
}

// coverage is a look over a fleet, or a region of it.
type coverage struct {
	*Scene
	s       *fleet.Snapshot
	in      func(region string) bool
	watched bool // somebody looked a week ago
}

// count is a tally under way.
type count struct {
	Tally
	open []*fleet.Finding
	then int  // found a week ago, as far as dockets tell
	live bool // of the past it is not kept what could be read
}

func (cov *coverage) devices(c *Check) Tally {
	t := cov.begin(c)
	for _, d := range cov.s.Devices.All() {
		if t.Off != "" || !cov.in(d.Spec.Region) {
			continue
		}
		t.past(c, d.Docket, cov.Now)
		v := &view{d: d, scene: cov.Scene}
		if c.concerns(v) {
			t.add(c, d.Docket, c.looks(v), c.readAt(v))
		}
		if c.unasked != nil {
			t.NotAsked += c.unasked(v)
		}
	}
	return t.done(cov)
}

func (cov *coverage) clouds(c *Check) Tally {
	t := cov.begin(c)
	for _, x := range cov.s.Clouds.All() {
		if t.Off != "" || !cov.in(x.Spec.Region) {
			continue
		}
		t.past(c, x.Docket, cov.Now)
		t.add(c, x.Docket, c.cloud(c, x, cov.Scene), x.Tables[c.inCloud].At)
		if c.unaskedIn != nil {
			t.NotAsked += c.unaskedIn(x, cov.Scene)
		}
	}
	return t.done(cov)
}

// concerned counts what a check would look at if it could.
func (cov *coverage) concerned(c *Check) (n int) {
	if c.wire() == "net" {
		for _, d := range cov.s.Devices.All() {
			if cov.in(d.Spec.Region) && switching(d) {
				n++
			}
		}
		return n
	}
	for _, x := range cov.s.Clouds.All() {
		if cov.in(x.Spec.Region) {
			n++
		}
	}
	return n
}

func (cov *coverage) begin(c *Check) *count {
	t := &count{Tally: Tally{Checked: fleet.Checked{ID: c.ID, Title: c.Title, Severity: cov.severity(c), How: c.How, Fix: c.Fix}}, live: cov.s.Live}
	if p := cov.policy(c); p.Off {
		t.Off = cmp.Or(p.Reason, "by policy")
	}
	return t
}

// done adds what follows from all that was counted.
func (t *count) done(cov *coverage) Tally {
	t.Debt = math.Round(drift.Debt(t.open, cov.Now)*100) / 100
	if t.ReadAt != nil {
		age := max(0, int64(cov.Now.Sub(*t.ReadAt)/time.Second))
		t.AnswersAgeS = &age
	}
	if cov.watched && t.Off == "" {
		t.FoundWeekAgo = &t.then
	}
	return t.Tally
}

// of reports whether a facet is one of a check's: its id, or its id and which
// part of the target.
func (c *Check) of(facet string) bool { return fleet.OfCheck(facet, c.ID) }

// add counts a target: what stands against it, and of the looks that find
// nothing those that saw and those that did not. A target that was never judged
// has passed nothing.
func (t *count) add(c *Check, docket *fleet.Docket, looks []fleet.Look, read time.Time) {
	if t.live && slices.ContainsFunc(looks, func(l fleet.Look) bool { return l.Known }) {
		t.answered(read)
	}
	var stands []string
	for i := range docket.Of() {
		f := &docket.Findings[i]
		if f.Kind != fleet.FindSecurity || !c.of(f.Facet) {
			continue
		}
		t.found(f)
		stands = append(stands, f.Facet)
		if t.live && !slices.ContainsFunc(looks, func(l fleet.Look) bool { return l.Facet == f.Facet && l.Known }) {
			t.Stale++
		}
	}
	for i := range looks {
		switch look := &looks[i]; {
		case slices.Contains(stands, look.Facet):
		case docket != nil && look.Known && look.Found == nil:
			t.Passed++
		default:
			t.NotVisible++
		}
	}
}

// answered takes in when an answer was read.
func (t *count) answered(at time.Time) {
	if !at.IsZero() && (t.ReadAt == nil || at.Before(*t.ReadAt)) {
		t.ReadAt = &at
	}
}

func (t *count) found(f *fleet.Finding) {
	t.Add(f)
	if f.Open() {
		t.open = append(t.open, f)
	}
}
