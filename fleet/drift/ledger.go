package drift

import (
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
)

// ledger is what a judgement of any target gathers: what it looked at, and what
// that is held against besides the inventory.
type ledger struct {
	docket *fleet.Docket
	policy func(facet string) *fleet.FacetPolicy // the user's own word about a facet; nil: none
	out    Judgement
	was    map[string]bool // facets that were found before
}

func newLedger(docket *fleet.Docket, policy func(string) *fleet.FacetPolicy) ledger {
	l := ledger{docket: docket, policy: policy, was: map[string]bool{}}
	l.out.Kinds = Kinds
	for _, f := range docket.Of() {
		if slices.Contains(Kinds, f.Kind) {
			l.was[f.Facet] = true
		}
	}
	return l
}

// look counts a facet that was judged, and lists it where there is anything to
// say.
func (l *ledger) look(facet string, known bool, found *fleet.Finding) {
	if found != nil && !l.wanted(found) {
		l.out.Muted++
		return
	}
	l.out.Looked++
	if !known {
		l.out.Blind++
	}
	if found != nil || l.was[facet] {
		l.out.Looks = append(l.out.Looks, fleet.Look{Facet: facet, Known: known, Found: found})
	}
	delete(l.was, facet)
}

// wanted holds what was found of ports, parts and identity against the user's
// policies, and grades it by them; facts have their rule already.
func (l *ledger) wanted(f *fleet.Finding) bool {
	p := l.policy(f.Facet)
	if p == nil {
		return true
	}
	if p.Graded && strings.Contains(f.Facet, " ") {
		f.Severity = p.Severity
	}
	return !hides(p)
}

// unread keeps what was found in tables that cannot be read now: that a row is
// not shown means nothing then.
func (l *ledger) unread(readable func(facet string) bool) {
	for facet := range l.was {
		if !readable(facet) {
			l.out.Looks = append(l.out.Looks, fleet.Look{Facet: facet})
		}
	}
}

// against adds the intended baseline, and what a person last accepted.
func (l *ledger) against(f *fleet.Finding, intended *fleet.Baseline, mode fleet.Mode) {
	if intended != nil {
		f.Baselines = append(f.Baselines, *intended)
	}
	d := l.docket
	if d == nil {
		return
	}
	for i := range d.Rulings {
		if r := &d.Rulings[i]; r.Facet == f.Facet && r.Verdict == fleet.FindingAccepted && !Agrees(mode, r.Value, f.Observed) {
			f.Baselines = append(f.Baselines, fleet.Baseline{Name: fleet.BaseAccepted, Expected: r.Value})
		}
	}
}

func (l *ledger) againstWeek(f *fleet.Finding, mode fleet.Mode) {
	if was, ok := l.former(f.Facet); ok && !Agrees(mode, was, f.Observed) {
		if was == "" {
			f.Class = fleet.ClassUnmanaged
		}
		f.Baselines = append(f.Baselines, fleet.Baseline{Name: fleet.BaseLastWeek, Expected: was})
	}
}

func (l *ledger) former(facet string) (string, bool) {
	d := l.docket
	if d == nil {
		return "", false
	}
	for i := range d.Past {
		if d.Past[i].Facet == facet {
			return d.Past[i].Value, true
		}
	}
	return "", false
}

// verdict grades a finding by the baselines that disagree, or clears its facet.
func (l *ledger) verdict(f *fleet.Finding) {
	if len(f.Baselines) == 0 {
		l.look(f.Facet, true, nil)
		return
	}
	f.Confidence = confidence(f.Baselines)
	if f.Confidence == fleet.ConfidenceLow && f.Severity > fleet.SeverityInfo {
		f.Severity--
	}
	if f.Text == "" {
		f.Text = sentence(f.Facet, f)
	}
	l.look(f.Facet, true, f)
}

// confidence: what people said is certain, two witnesses are better than one,
// and that a thing changed, or is unlike others, may be as somebody wished.
func confidence(list []fleet.Baseline) fleet.Confidence {
	for _, b := range list {
		if b.Name == fleet.BaseIntended || b.Name == fleet.BaseAccepted {
			return fleet.ConfidenceHigh
		}
	}
	if len(list) > 1 {
		return fleet.ConfidenceMedium
	}
	if list[0].Name == fleet.BaseCohort {
		return fleet.ConfidenceMedium
	}
	return fleet.ConfidenceLow
}

var said = map[fleet.BaselineName]string{
	fleet.BaseIntended: "intended %s", fleet.BaseAccepted: "accepted was %s", fleet.BaseLastWeek: "%s before", fleet.BaseCohort: "its like have %s",
}

// sentence says in words what a finding is about and what it disagrees with.
func sentence(subject string, f *fleet.Finding) string {
	parts := make([]string, len(f.Baselines))
	for i, b := range f.Baselines {
		parts[i] = fmt.Sprintf(said[b.Name], shown(b.Expected))
	}
	return subject + " is " + shown(f.Observed) + ": " + strings.Join(parts, ", ")
}

func shown(v string) string {
	if v == "" {
		return "none"
	}
	return v
}
