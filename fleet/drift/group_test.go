package drift

import (
	"fmt"
	"testing"
	"time"

	"plumb/fleet"
)

func finding(target, facet, observed string, s fleet.Severity, since time.Time) *fleet.Finding {
	return &fleet.Finding{Target: target, Facet: facet, Kind: fleet.FindConfig, Observed: observed, Severity: s, Since: since, State: fleet.FindingOpen}
}

func TestFindingsOfOneCauseAreOneRow(t *testing.T) {
	warn := fleet.SeverityWarn
	for _, c := range []struct {
		name string
		in   []*fleet.Finding
		want []int // members of the groups, in their order
	}{
		{"none", nil, nil},
		{"one wave on three machines", []*fleet.Finding{
			finding("s03", "firmware", "2.14", warn, t0.Add(time.Hour)), finding("s01", "firmware", "2.14", warn, t0), finding("s02", "firmware", "2.14", warn, t0.Add(2*time.Hour)),
		}, []int{3}},
		{"another value is another cause", []*fleet.Finding{finding("s01", "firmware", "2.14", warn, t0), finding("s02", "firmware", "2.15", warn, t0)}, []int{1, 1}},
		{"another setting is another cause", []*fleet.Finding{finding("s01", "bios.sriov", "off", warn, t0), finding("s01", "bios.smt", "off", warn, t0)}, []int{1, 1}},
		{"the same VLAN on two ports", []*fleet.Finding{finding("sw1", "port Ethernet1 vlan", "99", warn, t0), finding("sw1", "port Ethernet2 vlan", "99", warn, t0)}, []int{2}},
		{"a VLAN and a speed", []*fleet.Finding{finding("sw1", "port Ethernet1 vlan", "99", warn, t0), finding("sw1", "port Ethernet2 speed", "99", warn, t0)}, []int{1, 1}},
		{"within the window of the one before", []*fleet.Finding{finding("s01", "firmware", "2", warn, t0), finding("s02", "firmware", "2", warn, t0.Add(window)), finding("s03", "firmware", "2", warn, t0.Add(2*window))}, []int{3}},
		{"a second wave", []*fleet.Finding{finding("s01", "firmware", "2", warn, t0), finding("s02", "firmware", "2", warn, t0.Add(window+1))}, []int{1, 1}},
		{"the worst first, then the largest", []*fleet.Finding{
			finding("s01", "a", "1", fleet.SeverityInfo, t0), finding("s02", "a", "1", fleet.SeverityInfo, t0), finding("s03", "a", "1", fleet.SeverityInfo, t0),
			finding("s01", "b", "1", fleet.SeverityCrit, t0), finding("s01", "c", "1", warn, t0), finding("s02", "c", "1", warn, t0),
		}, []int{1, 2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []int
			for _, g := range Groups(c.in) {
				got = append(got, len(g.Members))
				for _, m := range g.Members {
					if m.Since.Before(g.Since) || m.Severity > g.Severity {
						t.Errorf("the group says %v %v, a member %v %v", g.Since, g.Severity, m.Since, m.Severity)
					}
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("groups of %v, want %v", got, c.want)
			}
		})
	}
}

func TestAnotherHandIsAnotherCause(t *testing.T) {
	a, b := finding("s01", "firmware", "2", fleet.SeverityWarn, t0), finding("s02", "firmware", "2", fleet.SeverityWarn, t0)
	a.Who, b.Who = "bob", "eve"
	if got := Groups([]*fleet.Finding{a, b}); len(got) != 2 {
		t.Errorf("%d groups", len(got))
	}
}

func TestDebtIsWhatWasLeftToItself(t *testing.T) {
	now := t0.Add(48 * time.Hour)
	waived := finding("s04", "firmware", "2", fleet.SeverityCrit, t0)
	waived.State = fleet.FindingWaived
	list := []*fleet.Finding{
		finding("s01", "firmware", "2", fleet.SeverityCrit, t0.Add(24*time.Hour)), // 10 for a day
		finding("s02", "firmware", "2", fleet.SeverityWarn, t0),                   // 3 for two
		finding("s03", "firmware", "2", fleet.SeverityInfo, t0.Add(36*time.Hour)), // 1 for half of one
		finding("s05", "firmware", "2", fleet.SeverityCrit, now.Add(time.Hour)),   // a clock that was set back
		waived,
	}
	if got := Debt(list, now); got != 16.5 {
		t.Errorf("debt %v, want 16.5", got)
	}
}
