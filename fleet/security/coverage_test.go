package security

import (
	"slices"
	"testing"
	"time"

	"plumb/fleet"
)

// fleetOf is a snapshot of one server a region, each judged already and with
// what stands against it.
func fleetOf(dockets map[string]*fleet.Docket) *fleet.Snapshot {
	s := &fleet.Snapshot{At: now, Intervals: scene(nil).Intervals, Topology: &fleet.Topology{Policies: &fleet.Policies{}}}
	var ids []string
	var rows []fleet.Device
	for region, docket := range dockets {
		d := bmc(fine())
		d.Spec.ID, d.Spec.Region, d.Docket = "s-"+region, region, docket
		ids, rows = append(ids, d.Spec.ID), append(rows, *d)
	}
	s.Devices = fleet.NewTable(ids, rows)
	return s
}

func tallyOf(t *testing.T, list []Tally, id string) Tally {
	t.Helper()
	i := slices.IndexFunc(list, func(t Tally) bool { return t.ID == id })
	if i < 0 {
		t.Fatalf("no check %s", id)
	}
	return list[i]
}

const week = 7 * 24 * time.Hour

func finding(facet string, age time.Duration, state fleet.FindingState) fleet.Finding {
	return fleet.Finding{Kind: fleet.FindSecurity, Facet: facet, Severity: fleet.SeverityWarn, Observed: "x", Since: now.Add(-age), State: state}
}

func TestCoverageOfARegion(t *testing.T) {
	s := fleetOf(map[string]*fleet.Docket{
		"ams": {Findings: []fleet.Finding{finding("ipmi.v15", 48*time.Hour, fleet.FindingOpen)}},
		"fra": {},
	})
	for _, c := range []struct {
		region        string
		found, passed int
		debt          float64
	}{{"", 1, 1, 6}, {"ams", 1, 0, 6}, {"fra", 0, 1, 0}} {
		got := tallyOf(t, CoverageIn(s, c.region), "ipmi.v15")
		if got.Found != c.found || got.Passed != c.passed || got.NotVisible != 0 || got.Debt != c.debt {
			t.Errorf("in %q: %+v", c.region, got)
		}
	}
}

// TestHowOldTheAnswersAre: passed is said of what was read, and how long ago the
// oldest of it was; past two intervals nothing has passed.
func TestHowOldTheAnswersAre(t *testing.T) {
	of := func(ages ...time.Duration) *fleet.Snapshot {
		dockets := map[string]*fleet.Docket{}
		for i := range ages {
			dockets[string(rune('a'+i))] = &fleet.Docket{}
		}
		s := fleetOf(dockets)
		s.Live, s.Policies.ManagementVLANs = true, []int{900}
		edit := s.Devices.Edit()
		for i, age := range ages {
			d := edit.At(s.Devices.Number("s-" + string(rune('a'+i))))
			d.Sources = slices.Clone(d.Sources)
			for k := range d.Sources {
				d.Sources[k].FactsAt = now.Add(-age)
			}
			d.AttachedAt = now.Add(-age / 2)
		}
		s.Devices = edit.Done()
		return s
	}
	for _, c := range []struct {
		ages         []time.Duration
		passed, gone int
		age          time.Duration // below 0: nothing answered
		says         string
	}{
		{[]time.Duration{20 * time.Second}, 1, 0, 20 * time.Second, "passed"},
		{[]time.Duration{20 * time.Second, 4 * time.Minute, time.Minute}, 3, 0, 4 * time.Minute, "passed"},
		{[]time.Duration{20 * time.Second, 11 * time.Minute}, 1, 1, 20 * time.Second, "partly seen"},
		{[]time.Duration{11 * time.Minute}, 0, 1, -1, "not visible"},
	} {
		for _, id := range []string{"ipmi.cipher0", "net.bmc-vlan"} {
			got := tallyOf(t, Coverage(of(c.ages...)), id)
			if got.Passed != c.passed || got.NotVisible != c.gone || got.Says() != c.says {
				t.Errorf("%s, %v: %+v says %s", id, c.ages, got, got.Says())
			}
			switch {
			case c.age < 0:
				if got.ReadAt != nil || got.AnswersAgeS != nil {
					t.Errorf("%s, %v: nothing answered, and it was read at %v", id, c.ages, got.ReadAt)
				}
			case got.ReadAt == nil || got.AnswersAgeS == nil || !got.ReadAt.Equal(now.Add(-c.age)) || *got.AnswersAgeS != int64(c.age/time.Second):
				t.Errorf("%s, %v: read at %v", id, c.ages, got.ReadAt)
			}
		}
	}
	s := of(time.Minute)
	s.Live = false // of the past it is not kept when what was read
	if got := tallyOf(t, Coverage(s), "ipmi.cipher0"); got.ReadAt != nil {
		t.Errorf("of the past it says %v", got.ReadAt)
	}
}

// TestFoundAWeekAgo reads a count of then off what dockets keep.
func TestFoundAWeekAgo(t *testing.T) {
	ended := func(f fleet.Finding, ago time.Duration) fleet.Finding {
		f.State, f.Ended = fleet.FindingGone, now.Add(-ago)
		return f
	}
	ruled := func(age time.Duration, verdict fleet.FindingState) []fleet.Ruling {
		return []fleet.Ruling{{Facet: "ipmi.v15", Verdict: verdict, Value: "x", At: now.Add(-age)}}
	}
	none := -1
	for name, c := range map[string]struct {
		docket *fleet.Docket
		want   int
	}{
		"never judged":                      {nil, none},
		"nothing of a week ago":             {&fleet.Docket{Findings: []fleet.Finding{finding("ipmi.v15", time.Hour, fleet.FindingOpen)}}, none},
		"found since, something else stood": {&fleet.Docket{Findings: []fleet.Finding{finding("ipmi.v15", time.Hour, fleet.FindingOpen), finding("ipmi.cipher0", week, fleet.FindingOpen)}}, 0},
		"found then, and now":               {&fleet.Docket{Findings: []fleet.Finding{finding("ipmi.v15", week, fleet.FindingOpen)}}, 1},
		"found then, gone since":            {&fleet.Docket{Gone: []fleet.Finding{ended(finding("ipmi.v15", 2*week, ""), time.Hour)}}, 1},
		"gone then":                         {&fleet.Docket{Gone: []fleet.Finding{ended(finding("ipmi.v15", 2*week, ""), week)}}, 0},
		"waived since":                      {&fleet.Docket{Findings: []fleet.Finding{finding("ipmi.v15", week, fleet.FindingWaived)}, Rulings: ruled(time.Hour, fleet.FindingWaived)}, 1},
		"waived then":                       {&fleet.Docket{Findings: []fleet.Finding{finding("ipmi.v15", 2*week, fleet.FindingWaived)}, Rulings: ruled(week, fleet.FindingWaived)}, 0},
		"drift then":                        {&fleet.Docket{Findings: []fleet.Finding{{Kind: fleet.FindConfig, Facet: "ipmi.v15", Since: now.Add(-week)}}}, 0},
	} {
		got := tallyOf(t, Coverage(fleetOf(map[string]*fleet.Docket{"ams": c.docket})), "ipmi.v15").FoundWeekAgo
		switch {
		case got == nil && c.want != none:
			t.Errorf("%s: not known, want %d", name, c.want)
		case got != nil && *got != c.want:
			t.Errorf("%s: %d, want %d", name, *got, c.want)
		}
	}
}
