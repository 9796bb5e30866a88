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
