package security

import (
	"cmp"
	"strings"
	"time"

	"plumb/fleet"
)

// Kinds are the findings that this judge makes.
var Kinds = []fleet.FindingKind{fleet.FindSecurity}

// Judge tries every check on a device. known says whether its facts were read
// in full and not long ago. looked counts the checks that are about such a
// device and that no policy turned off, and blind those of them that could not
// be tried.
func Judge(d *fleet.Device, p *fleet.Policies, known bool) (looks []fleet.Look, looked, blind int) {
	v := &view{d, p}
	for i := range Checks {
		c := &Checks[i]
		if !about(c, d) || p.Checks[c.ID].Off {
			continue
		}
		look := c.try(v, known)
		looked++
		if !look.Known {
			blind++
		}
		looks = append(looks, look)
	}
	return looks, looked, blind
}

// about reports whether a check is about a device: BMCs have IPMI's doors, and
// what speaks SNMP has those of SNMP.
func about(c *Check, d *fleet.Device) bool {
	wire, _, _ := strings.Cut(c.ID, ".")
	for _, e := range d.Spec.Endpoints {
		if string(e.Source) == wire {
			return true
		}
	}
	return false
}

// try looks once. Half an answer may find something; it never shows that there
// is nothing to find.
func (c *Check) try(v *view, known bool) fleet.Look {
	look := fleet.Look{Facet: c.ID}
	if !known {
		return look
	}
	look.Found = c.find(v)
	look.Known = look.Found != nil || c.sees(v)
	return look
}

func (c *Check) find(v *view) *fleet.Finding {
	observed, text := c.look(v)
	if text == "" {
		return nil
	}
	f := &fleet.Finding{Facet: c.ID, Kind: fleet.FindSecurity, Class: fleet.ClassChanged, Observed: observed, Evidence: c.How,
		Severity: c.Severity, Confidence: fleet.ConfidenceHigh, Text: text, Fix: c.Fix}
	if p := v.policies.Checks[c.ID]; p.Graded {
		f.Severity = p.Severity
	}
	return f
}

// Tally is a check over the whole fleet.
type Tally struct {
	ID         string         `json:"id"`
	Title      string         `json:"title"`
	Severity   fleet.Severity `json:"severity"`
	Passed     int            `json:"passed"`
	Found      int            `json:"found"`
	Decided    int            `json:"decided"` // found, and people decided about it
	NotVisible int            `json:"not_visible"`
	Oldest     *time.Time     `json:"oldest"` // since when the oldest that is found stands
	Off        string         `json:"off"`    // why a policy turned it off
	How        string         `json:"how"`
	Fix        string         `json:"fix"`
}

// Unread are checks that no probe brings the facts of yet. They are listed, so
// that nobody takes them for passed.
var Unread = []Check{
	{ID: "cloud.volume-encryption", Title: "volumes are encrypted", Severity: fleet.SeverityWarn, How: "no probe reads volumes"},
	{ID: "cloud.snapshot-age", Title: "volumes have a snapshot younger than 7 d", Severity: fleet.SeverityWarn, How: "no probe reads snapshots"},
	{ID: "cloud.metadata-v1", Title: "instance metadata v1 is off", Severity: fleet.SeverityWarn, How: "no probe reads metadata options"},
}

// Coverage counts every check over the fleet. What was found is what stands in
// the dockets; of the rest, a device whose facts the check needs has passed.
func Coverage(s *fleet.Snapshot) []Tally {
	p := s.Policies
	if p == nil {
		p = &fleet.Policies{}
	}
	var out []Tally
	for i := range Checks {
		c := &Checks[i]
		t := Tally{ID: c.ID, Title: c.Title, Severity: c.Severity, How: c.How, Fix: c.Fix}
		if rule := p.Checks[c.ID]; rule.Off {
			t.Off = cmp.Or(rule.Reason, "by policy")
			out = append(out, t)
			continue
		} else if rule.Graded {
			t.Severity = rule.Severity
		}
		for _, d := range s.Devices.All() {
			if about(c, d) {
				t.count(c, d, p)
			}
		}
		out = append(out, t)
	}
	for _, c := range CloudChecks {
		out = append(out, cloudTally(c, s))
	}
	for _, c := range Unread {
		out = append(out, Tally{ID: c.ID, Title: c.Title, Severity: c.Severity, How: c.How, NotVisible: s.Clouds.Len()})
	}
	return out
}

func (t *Tally) count(c *Check, d *fleet.Device, p *fleet.Policies) {
	for _, f := range d.Docket.Of() {
		if f.Kind == fleet.FindSecurity && f.Facet == c.ID {
			t.found(&f)
			return
		}
	}
	if d.Docket == nil || d.Deep[fleet.TableFacts] != fleet.Complete || !c.try(&view{d, p}, true).Known {
		t.NotVisible++
		return
	}
	t.Passed++
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
