package drift

import (
	"testing"

	"plumb/fleet"
)

// TestFindingsOfCords: both outlets are found, stay while nothing can be
// compared, and end when the pair is known to be straight.
func TestFindingsOfCords(t *testing.T) {
	pair := fleet.Crossing{A: 3, B: 7, Meant: [2]string{"s03 PSU 1", "s07 PSU 1"}, Sure: true}
	judge := func(docket *fleet.Docket, list ...fleet.Crossing) Settled {
		d := &fleet.Device{Spec: &fleet.DeviceSpec{ID: "pa"}, Crossings: list, Docket: docket}
		j := Judge(Case{Device: d, Policies: &fleet.Policies{}, Readable: func(fleet.TableID) bool { return true },
			End: func(a fleet.Attachment) string { return a.Part },
			Corded: func(outlet int) fleet.Attachment {
				return fleet.Attachment{Part: map[int]string{3: "s03 PSU 1", 7: "s07 PSU 1"}[outlet]}
			}})
		return Settle(docket, "pa", j, t0)
	}
	s := judge(&fleet.Docket{}, pair, fleet.Crossing{A: 3, B: 9})
	if len(s.Begun) != 2 || s.Begun[0].Facet != "outlet 3 cord" || s.Begun[0].Observed != "s07 PSU 1" || s.Begun[0].Baselines[0].Expected != "s03 PSU 1" {
		t.Fatalf("found %+v", s.Begun)
	}
	if after := judge(s.Docket); len(after.Ended) != 0 {
		t.Errorf("nothing was compared, and %v are over", names(after.Ended))
	}
	pair.Sure = false
	if after := judge(s.Docket, pair); len(after.Ended) != 2 {
		t.Errorf("the cords are straight, and %v are over", names(after.Ended))
	}
}
