package drift

import (
	"cmp"
	"slices"
	"time"

	"plumb/fleet"
)

// Group is findings of one cause: the same facet with the same value, seen to
// change within one window, is one row and not as many as there are members.
type Group struct {
	Facet, Observed string
	Kind            fleet.FindingKind
	Severity        fleet.Severity
	Since           time.Time // of the first
	Members         []*fleet.Finding
}

// window is how far apart changes of one cause may begin: a wave of updates
// takes an evening.
const window = 6 * time.Hour

// Groups returns open findings by cause, the worst and then the largest first.
func Groups(findings []*fleet.Finding) []Group {
	list := slices.Clone(findings)
	slices.SortFunc(list, func(a, b *fleet.Finding) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(FacetClass(a.Facet), FacetClass(b.Facet)), cmp.Compare(a.Observed, b.Observed), cmp.Compare(a.Who, b.Who),
			a.Since.Compare(b.Since), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Facet, b.Facet))
	})
	var out []Group
	for _, f := range list {
		if n := len(out) - 1; n >= 0 {
			g := &out[n]
			last := g.Members[len(g.Members)-1]
			if g.Kind == f.Kind && FacetClass(g.Facet) == FacetClass(f.Facet) && g.Observed == f.Observed && last.Who == f.Who && f.Since.Sub(last.Since) <= window {
				g.Members = append(g.Members, f)
				g.Severity = max(g.Severity, f.Severity)
				continue
			}
		}
		out = append(out, Group{Facet: f.Facet, Observed: f.Observed, Kind: f.Kind, Severity: f.Severity, Since: f.Since, Members: []*fleet.Finding{f}})
	}
	slices.SortStableFunc(out, func(a, b Group) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), -cmp.Compare(len(a.Members), len(b.Members)), a.Since.Compare(b.Since))
	})
	return out
}

// FacetClass is a facet without which port or part it speaks of.
func FacetClass(facet string) string {
	for i := range len(facet) {
		if facet[i] != ' ' {
			continue
		}
		for k := len(facet) - 1; k > i; k-- {
			if facet[k] == ' ' {
				return facet[:i] + facet[k:]
			}
		}
		return facet[:i]
	}
	return facet
}

// weights of severities in the debt.
var weights = [...]float64{fleet.SeverityInfo: 1, fleet.SeverityWarn: 3, fleet.SeverityCrit: 10}

// Debt is the sum of the ages of open findings, in days, weighted by severity:
// what has been left to itself.
func Debt(findings []*fleet.Finding, now time.Time) float64 {
	sum := 0.0
	for _, f := range findings {
		if f.Open() && !f.Kind.Planned() {
			sum += weights[f.Severity] * max(now.Sub(f.Since), 0).Hours() / 24
		}
	}
	return sum
}
