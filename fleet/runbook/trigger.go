package runbook

import (
	"path"
	"slices"
	"strings"

	"plumb/fleet"
)

// Trigger says when a book is of use. All of what it names has to be so.
type Trigger struct {
	Finding string            // an open finding of a facet, as a pattern: "vlan", "ipmi.*"
	Kind    fleet.FindingKind // of that kind
	State   string            // the target's state, in a word
	Reason  string            // one of its reasons holds this
	Event   string            // a late event's type holds this
	When    *Cond
}

// Empty reports whether the trigger asks for nothing.
func (t *Trigger) Empty() bool {
	return t.Finding == "" && t.Kind == "" && t.State == "" && t.Reason == "" && t.Event == "" && t.When == nil
}

func (t *Trigger) String() string {
	var out []string
	for _, p := range [...]struct{ name, value string }{{"finding", t.Finding}, {"kind", string(t.Kind)}, {"state", t.State}, {"reason", t.Reason}, {"event", t.Event}} {
		if p.value != "" {
			out = append(out, p.name+" "+p.value)
		}
	}
	if t.When != nil {
		out = append(out, t.When.String())
	}
	return strings.Join(out, " and ")
}

// Match is whether a book is of use for a target, and why or why not.
type Match struct {
	Book  *Book
	Fits  bool // the target is of the book's kind
	Holds bool // and a trigger holds
	Why   string
	Since string // what made it hold, so that the same is not taken for something new
}

// Match holds a book against a target.
func (b *Book) Match(s *fleet.Snapshot, target string) Match {
	m := Match{Book: b}
	if why := b.fits(s, target); why != "" {
		m.Why = why
		return m
	}
	m.Fits = true
	if len(b.When) == 0 {
		m.Holds, m.Why = true, "whenever somebody asks for it"
		return m
	}
	for i := range b.When {
		t := &b.When[i]
		why := t.misses(s, target)
		if why == "" {
			m.Holds, m.Why, m.Since = true, t.String(), t.since(s, target)
			return m
		}
		if m.Why == "" {
			m.Why = why
		}
	}
	return m
}

// fits says why a target is not of the book's kind, or "".
func (b *Book) fits(s *fleet.Snapshot, target string) string {
	host, part, has := strings.Cut(target, "/")
	switch d := s.Devices.Get(target); b.On {
	case OnServer, OnSwitch, OnDevice:
		switch {
		case d == nil:
			return "it is for a " + string(b.On)
		case b.On == OnServer && d.Spec.Kind != fleet.KindServer, b.On == OnSwitch && d.Spec.Kind != fleet.KindSwitch:
			return "it is for a " + string(b.On) + ", this is a " + string(d.Spec.Kind)
		}
	case OnPort:
		if d := s.Devices.Get(host); !has || d == nil || d.Port(part) == nil {
			return "it is for a port: SWITCH/IFNAME"
		}
	case OnInstance:
		if s.Instances.Get(target) == nil {
			return "it is for an instance"
		}
	}
	return ""
}

// misses says what of a trigger is not so, or "".
func (t *Trigger) misses(s *fleet.Snapshot, target string) string {
	x := facts{Snapshot: s}
	if t.Finding != "" || t.Kind != "" {
		if found, stale := t.found(x, target); found == nil {
			if stale {
				return "whether it is still found is not known"
			}
			return "there is no open finding " + strings.TrimSpace(string(t.Kind)+" "+t.Finding)
		}
	}
	if t.State != "" {
		host, _, _ := strings.Cut(target, "/")
		is, err := x.state(target)
		if err != nil {
			is, err = x.state(host)
		}
		if err != nil {
			return err.Error()
		}
		if is != t.State {
			return "it is " + is + ", not " + t.State
		}
	}
	if t.Reason != "" {
		switch is, err := x.reason(target, t.Reason); {
		case err != nil:
			return err.Error()
		case !is:
			return "nothing about it says " + t.Reason
		}
	}
	if t.Event != "" && t.event(s, target) == nil {
		return "there was no event " + t.Event + " lately"
	}
	if t.When != nil {
		switch is, err := t.When.Holds(s, target); {
		case err != nil:
			return err.Error()
		case !is:
			return "it does not hold that " + t.When.String()
		}
	}
	return ""
}

// found is the first finding that the trigger means; stale says that there is
// one of which nobody knows whether it is still so.
func (t *Trigger) found(x facts, target string) (found *fleet.Finding, stale bool) {
	facet := t.Finding
	if facet == "" {
		facet = "*"
	}
	list, _ := x.open(target, facet)
	for _, f := range list {
		switch {
		case t.Kind != "" && f.Kind != t.Kind:
		case !f.Stale.IsZero():
			stale = true
		default:
			return f, false
		}
	}
	return nil, stale
}

func (t *Trigger) event(s *fleet.Snapshot, target string) *fleet.Event {
	i := slices.IndexFunc(s.Recent, func(e fleet.Event) bool { return e.Target == target && e.Asserted && strings.Contains(e.Type, t.Event) })
	if i < 0 {
		return nil
	}
	return &s.Recent[i]
}

// since names the occasion on which a trigger holds.
func (t *Trigger) since(s *fleet.Snapshot, target string) string {
	if t.Finding != "" || t.Kind != "" {
		if f, _ := t.found(facts{Snapshot: s}, target); f != nil {
			return f.ID() + " " + f.Since.UTC().Format("2006-01-02T15:04:05Z")
		}
	}
	if t.Event != "" {
		if e := t.event(s, target); e != nil {
			return "event " + e.ID
		}
	}
	return "state"
}

// Candidates are the targets that a book may be of use for: few enough to hold
// it against each. Ports are those that something is said of.
func (b *Book) Candidates(s *fleet.Snapshot) []string {
	var out []string
	switch b.On {
	case OnInstance:
		for id := range s.Instances.All() {
			out = append(out, id)
		}
	case OnPort:
		for id, d := range s.Devices.All() {
			for _, p := range spokenOf(d) {
				out = append(out, id+"/"+p)
			}
		}
	default:
		for id, d := range s.Devices.All() {
			if b.On == OnDevice || string(d.Spec.Kind) == string(b.On) {
				out = append(out, id)
			}
		}
	}
	slices.Sort(out)
	return out
}

// spokenOf are the ports of a device that a reason or a finding speaks of.
func spokenOf(d *fleet.Device) (out []string) {
	add := func(name string) {
		if d.Port(name) != nil && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, about := range d.About {
		if _, name, ok := strings.Cut(about, " "); ok {
			add(name)
		}
	}
	for i := range d.Docket.Of() {
		if rest, ok := strings.CutPrefix(d.Docket.Findings[i].Facet, "port "); ok && d.Docket.Findings[i].Open() {
			name, _, _ := strings.Cut(rest, " ")
			add(name)
		}
	}
	return out
}

// ValidPattern reports whether a facet's pattern can be read.
func ValidPattern(p string) bool { _, err := path.Match(p, ""); return err == nil }
