package views

import (
	"strings"
	"testing"

	"plumb/fleet"
)

// TestAnOpenDoorIsInTheVerdict: a machine that is well and whose door is open
// stands among what needs somebody, the same of many in one line.
func TestAnOpenDoorIsInTheVerdict(t *testing.T) {
	f := frame(160, 50)
	s := *f.Snap
	edit := s.Devices.Edit()
	for _, id := range []string{"fra1-r01-s01", "ams1-r01-s01"} {
		edit.Get(id).Docket = &fleet.Docket{Findings: []fleet.Finding{{Target: id, Facet: "ipmi.cipher0", Kind: fleet.FindSecurity, Severity: fleet.SeverityCrit, State: fleet.FindingOpen, Text: "cipher suite 0 is offered"},
			{Target: id, Facet: "ipmi.v15", Kind: fleet.FindSecurity, Severity: fleet.SeverityWarn, State: fleet.FindingOpen, Text: "IPMI 1.5"}}}
	}
	edit.Get("fra1-r01-s02").Docket = &fleet.Docket{Findings: []fleet.Finding{{Target: "fra1-r01-s02", Facet: "ipmi.null-user", Kind: fleet.FindSecurity, Severity: fleet.SeverityCrit, State: fleet.FindingWaived, Text: "a user without a name"}}}
	s.Devices = edit.Done()
	f.Snap = &s
	var tr troubles
	text := ""
	for _, l := range tr.of(f).lines {
		text += l.headline(f, tr.why) + "\n"
	}
	if strings.Count(text, "fleet 2 of them cipher suite 0 is offered") != 1 || strings.Contains(text, "IPMI 1.5") || strings.Contains(text, "without a name") {
		t.Errorf("the lines are\n%s", text)
	}
}

// TestReplicasThatAreNotApartAreInTheVerdict: a policy that is broken and a host
// that is to go need somebody; how a service was built is for those who plan.
func TestReplicasThatAreNotApartAreInTheVerdict(t *testing.T) {
	f := frame(160, 50)
	s := *f.Snap
	finding := func(facet, text string) fleet.Finding {
		return fleet.Finding{Target: "match", Facet: facet, Kind: fleet.FindResilience, Severity: fleet.SeverityWarn, State: fleet.FindingOpen, Text: text}
	}
	edit := s.Services.Edit()
	edit.At(s.Services.Number("match")).Docket = &fleet.Docket{Findings: []fleet.Finding{finding("resilience.anti-affinity match-fra", "5 of 6 members share a host"),
		finding("resilience.one-place", "all replicas in one zone"), finding("resilience.retirement", "1 replica on a host that is to go")}}
	s.Services = edit.Done()
	f.Snap, f.Answers = &s, judged{snap: &s}
	_, list, _ := strings.Cut(compose(t, f, NewFleet(), Chrome{}), "needs attention")
	if !strings.Contains(list, "5 of 6 members share") || !strings.Contains(list, "that is to go") || strings.Contains(list, "in one zone") {
		t.Errorf("the list is\n%s", list)
	}
}
