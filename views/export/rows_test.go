package export

import (
	"testing"

	"plumb/fleet"
)

// An alert of a service stands in no rack, and counts in the regions that it
// concerns; what is held or only pends counts nowhere.
func TestRegionsCountAlertsOfServices(t *testing.T) {
	s := &fleet.Snapshot{
		Regions:  fleet.NewTable([]string{"ams", "fra"}, make([]fleet.Region, 2)),
		Devices:  fleet.NewTable([]string{"s1"}, []fleet.Device{{Spec: &fleet.DeviceSpec{Region: "fra"}}}),
		Services: fleet.NewTable([]string{"match"}, []fleet.Service{{Devices: []int{0}}}),
		Alerts: &fleet.AlertBook{List: []*fleet.Alert{
			{Rule: "service-unhealthy", Target: "match", State: fleet.AlertFiring},
			{Rule: "service-down", Target: "match", State: fleet.AlertFiring, Held: &fleet.Hold{By: "service-unhealthy:match"}},
			{Rule: "service-unheard", Target: "match", State: fleet.AlertPending},
		}},
	}
	for _, r := range Regions(s) {
		if want := map[string]int{"fra": 1}[r.Name]; r.Alerts != want {
			t.Errorf("%s: %d alerts, want %d", r.Name, r.Alerts, want)
		}
	}
}
