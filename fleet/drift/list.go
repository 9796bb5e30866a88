package drift

import (
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
)

// Standing is a finding with what people decided about it.
type Standing struct {
	*fleet.Finding
	Ruling *fleet.Ruling // nil: nobody has, or it no longer covers what is observed
}

// Register is what stands against devices and clouds, and how much could be looked at.
type Register struct {
	Standing []Standing // by target and facet, clouds after the devices
	Gone     []Standing // what ended within the last day, the same way
	// Looked and Blind count the facets of these devices, and those of them
	// that could not be read; Muted those that policies keep out of sight. Of
	// the past and right after a start they are 0.
	Looked, Blind, Muted int
}

// Read lists what stands against one target, or against all where it is "".
func Read(s *fleet.Snapshot, target string) Register {
	var r Register
	if target != "" {
		r.add(s.Docket(target), s.At)
		return r
	}
	for _, d := range s.Dockets() {
		r.add(d, s.At)
	}
	return r
}

func (r *Register) add(d *fleet.Docket, now time.Time) {
	if d == nil {
		return
	}
	r.Looked, r.Blind = r.Looked+d.Looked, r.Blind+d.Blind
	r.Muted += d.Muted
	for i := range d.Findings {
		f := &d.Findings[i]
		r.Standing = append(r.Standing, Standing{f, rulingOf(d, f)})
	}
	for i := range d.Gone {
		if f := &d.Gone[i]; now.Sub(f.Ended) < Day {
			r.Gone = append(r.Gone, Standing{Finding: f})
		}
	}
}

// Hides reports whether a finding stays out of a list of drift that a filter
// asks for: what is for planning (warranties, owners, spread) is no drift, and
// is listed where it is asked for by its kind.
func Hides(filter string, f *fleet.Finding) bool {
	return f.Kind.Planned() && !strings.Contains(filter, string(f.Kind))
}

// Coverage says in words how much was looked at: nothing found means little
// where little was read.
func (r *Register) Coverage() string {
	if r.Looked == 0 {
		return "how much was looked at is not known"
	}
	text := fmt.Sprintf("looked at %d facets, %d not readable", r.Looked, r.Blind)
	if r.Muted > 0 {
		text += fmt.Sprintf(", %d ignored by policy", r.Muted)
	}
	return text
}

// rulingOf is the ruling that made a finding's state what it is.
func rulingOf(d *fleet.Docket, f *fleet.Finding) *fleet.Ruling {
	for i := range d.Rulings {
		if r := &d.Rulings[i]; r.Facet == f.Facet && r.Verdict == f.State {
			return r
		}
	}
	return nil
}

// Find returns a finding that stands, by its id; nil: there is none.
func Find(s *fleet.Snapshot, target, facet string) *Standing {
	d := s.Docket(target)
	for i := range d.Of() {
		if f := &d.Findings[i]; f.Facet == facet {
			return &Standing{f, rulingOf(d, f)}
		}
	}
	return nil
}

// Named is a facet as people read it: with the name of an instance or of a
// security group in the place of its id.
func Named(s *fleet.Snapshot, f *fleet.Finding) string {
	kind, rest, _ := strings.Cut(f.Facet, " ")
	id, aspect, _ := strings.Cut(rest, " ")
	name := ""
	switch kind {
	case "instance":
		if x := s.Instances.Get(id); x != nil {
			name = x.Name
		}
	case "group", "cloud.open-group":
		if c := s.Clouds.Get(f.Target); c != nil {
			for i := range c.Groups {
				if c.Groups[i].ID == id {
					name = c.Groups[i].Name
				}
			}
		}
	}
	if name == "" {
		return f.Facet
	}
	return strings.TrimSpace(kind + " " + name + " " + aspect)
}
