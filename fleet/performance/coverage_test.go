package performance

import (
	"testing"
	"time"

	"plumb/fleet"
)

// fleetOf is a snapshot of devices, an hour after the weeks of the tests end.
func fleetOf(devices ...*fleet.Device) *fleet.Snapshot {
	s := &fleet.Snapshot{At: now, Live: true, Intervals: [3]time.Duration{10 * time.Second, time.Minute, time.Hour}}
	ids, rows := make([]string, len(devices)), make([]fleet.Device, len(devices))
	for i, d := range devices {
		ids[i], rows[i] = d.Spec.ID, *d
	}
	s.Devices = fleet.NewTable(ids, rows)
	return s
}

func tallies(s *fleet.Snapshot, region string) map[string]Tally {
	out := map[string]Tally{}
	for _, t := range CoverageIn(s, region) {
		out[t.ID] = t
	}
	return out
}

// TestCoverage: every check is listed once, and what passed, was found, is
// learned still and cannot be seen are told apart.
func TestCoverage(t *testing.T) {
	well, young, bare, sick := machine("s1"), machine("s2"), machine("s3"), machine("s4")
	well.Past, sick.Past = past(1, nil), past(2, nil)
	bare.Sensors = nil
	well.PowerW, sick.PowerW = fleet.Int(300), fleet.Int(300)
	sick.Spec.Region = "fra"
	sick.Docket = &fleet.Docket{Findings: []fleet.Finding{
		{Facet: "performance inlet by hour", Kind: fleet.FindPerformance, State: fleet.FindingOpen, Since: now.Add(-time.Hour)},
		{Facet: "performance memory DIMM A1", Kind: fleet.FindPerformance, State: fleet.FindingWaived},
	}}
	well.Tables[fleet.TableEvents] = fleet.TableState{Is: fleet.Complete, At: now}
	got := tallies(fleetOf(well, young, bare, sick, arista()), "")
	if len(got) != len(Checks)+len(Unread) {
		t.Errorf("%d of %d checks have an id of their own", len(got), len(Checks)+len(Unread))
	}
	for id, want := range map[string]struct {
		says                                        string
		passed, found, decided, learning, invisible int
	}{
		"performance.inlet-by-hour":       {"found", 1, 1, 0, 1, 1},
		"performance.inlet-trend":         {"partly seen", 2, 0, 0, 1, 1},
		"performance.heat-by-power":       {"not visible", 0, 0, 0, 0, 4}, // three of them are no norm
		"performance.power-by-hour":       {"partly seen", 2, 0, 0, 0, 2},
		"performance.memory-errors":       {"partly seen", 1, 0, 1, 0, 2},
		"performance.supply-yield":        {"learning", 0, 0, 0, 2, 4},
		"performance.optic-light":         {"learning", 0, 0, 0, 3, 0},
		"performance.optic-laser":         {"learning", 0, 0, 0, 3, 0},
		"performance.disk-wear":           {"not visible", 0, 0, 0, 0, 4},
		"performance.port-errors-by-hour": {"learning", 0, 0, 0, 1, 0},
	} {
		x := got[id]
		if x.Says() != want.says || x.Passed != want.passed || x.Found != want.found || x.Decided != want.decided || x.Learning != want.learning || x.NotVisible != want.invisible {
			t.Errorf("%s: %q, %d passed, %d found, %d decided, %d learning, %d not visible; want %+v", id, x.Says(), x.Passed, x.Found, x.Decided, x.Learning, x.NotVisible, want)
		}
		if x.How == "" || x.Title == "" {
			t.Errorf("%s does not say what it is held against", id)
		}
	}
	if x := tallies(fleetOf(well, sick), "fra")["performance.inlet-by-hour"]; x.Found != 1 || x.Passed != 0 {
		t.Errorf("of one region: %+v", x)
	}
}

// TestEveryLookHasItsCheck: what the judge looks at is in the list, and no two
// checks claim it.
func TestEveryLookHasItsCheck(t *testing.T) {
	_, j := judged(3, norms(7), nil)
	looks := append(j.Looks, worn(1, nil)...)
	looks = append(looks, fleet.Look{Facet: memoryFacet + "DIMM A1"}, fleet.Look{Facet: hourFacet(fleet.PastErrors)})
	for _, l := range looks {
		n := 0
		for i := range Checks {
			if Checks[i].Of(&fleet.Finding{Kind: fleet.FindPerformance, Facet: l.Facet}) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%q is of %d checks", l.Facet, n)
		}
	}
}
