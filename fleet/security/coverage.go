package security

import (
	"cmp"
	"strings"
	"time"

	"plumb/fleet"
)

// Tally is a check over the whole fleet. Found, decided, passed and not visible
// are all that the check is about, each counted once.
type Tally struct {
	ID         string         `json:"id"`
	Title      string         `json:"title"`
	Severity   fleet.Severity `json:"severity"`
	Passed     int            `json:"passed"`
	Found      int            `json:"found"`
	Decided    int            `json:"decided"` // found, and people decided about it
	NotVisible int            `json:"not_visible"`
	// NotAsked counts what could be looked at and is not, because nobody said
	// what is intended: it is in none of the others.
	NotAsked int        `json:"not_asked"`
	Stale    int        `json:"stale"`  // of found and decided: it cannot be read now whether it is still so
	Oldest   *time.Time `json:"oldest"` // since when the oldest that is found stands
	Off      string     `json:"off"`    // why a policy turned it off
	How      string     `json:"how"`
	Fix      string     `json:"fix"`
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
func Coverage(s *fleet.Snapshot) []Tally {
	sc := SceneOf(s)
	var out []Tally
	for i := range Checks {
		c := &Checks[i]
		t := sc.tally(c)
		for _, d := range s.Devices.All() {
			if v := (&view{d, sc}); t.Off == "" && c.concerns(v) {
				t.count(c, d.Docket, c.looks(v))
			}
		}
		out = append(out, t)
	}
	for i := range CloudChecks {
		c := &CloudChecks[i]
		t := sc.tally(c)
		for _, x := range s.Clouds.All() {
			if t.Off != "" {
				break
			}
			t.count(c, x.Docket, c.cloud(c, x, sc))
			if c.ID == "cloud.public-address" {
				t.NotAsked += sc.unasked(x)
			}
		}
		out = append(out, t)
	}
	for i := range Unread {
		t := sc.tally(&Unread[i])
		t.NotVisible = concerned(s, &Unread[i])
		out = append(out, t)
	}
	return out
}

// concerned counts what a check would look at if it could.
func concerned(s *fleet.Snapshot, c *Check) (n int) {
	if c.wire() != "net" {
		return s.Clouds.Len()
	}
	for _, d := range s.Devices.All() {
		if d.Spec.Kind == fleet.KindSwitch || d.Spec.Kind == fleet.KindRouter {
			n++
		}
	}
	return n
}

func (sc *Scene) tally(c *Check) Tally {
	t := Tally{ID: c.ID, Title: c.Title, Severity: sc.severity(c), How: c.How, Fix: c.Fix}
	if p := sc.policy(c); p.Off {
		t.Off = cmp.Or(p.Reason, "by policy")
	}
	return t
}

// of reports whether a facet is one of a check's: its id, or its id and which
// part of the target.
func (c *Check) of(facet string) bool {
	rest, ok := strings.CutPrefix(facet, c.ID)
	return ok && (rest == "" || rest[0] == ' ')
}

// count adds a target: what stands against it, and of the looks that find
// nothing those that saw and those that did not. A target that was never judged
// has passed nothing.
func (t *Tally) count(c *Check, docket *fleet.Docket, looks []fleet.Look) {
	known := make(map[string]bool, len(looks))
	for i := range looks {
		known[looks[i].Facet] = looks[i].Known
	}
	for i := range docket.Of() {
		f := &docket.Findings[i]
		if f.Kind != fleet.FindSecurity || !c.of(f.Facet) {
			continue
		}
		t.found(f)
		if !known[f.Facet] {
			t.Stale++
		}
		delete(known, f.Facet)
	}
	for i := range looks {
		switch saw, rest := known[looks[i].Facet]; {
		case !rest: // it was found
		case docket != nil && saw && looks[i].Found == nil:
			t.Passed++
		default:
			t.NotVisible++
		}
	}
}

func (t *Tally) found(f *fleet.Finding) {
	if !f.Open() {
		t.Decided++
		return
	}
	t.Found++
	if t.Oldest == nil || f.Since.Before(*t.Oldest) {
		since := f.Since
		t.Oldest = &since
	}
}
