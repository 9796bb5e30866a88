package fleet

import (
	"slices"
	"testing"
)

// What an alert speaks of stands somewhere, also where none of its labels says so.
func TestAlertRegions(t *testing.T) {
	s := &Snapshot{
		Regions:   NewTable([]string{"ams", "fra"}, make([]Region, 2)),
		Sites:     NewTable([]string{"ams1", "fra1"}, []Site{{Spec: &SiteSpec{Region: "ams"}}, {Spec: &SiteSpec{Region: "fra"}}}),
		Racks:     NewTable([]string{"fra1/r01"}, []Rack{{Spec: &RackSpec{Region: "fra"}}}),
		Feeds:     NewTable([]string{"ams1-A"}, []Feed{{Spec: &FeedSpec{Site: "ams1"}}}),
		Devices:   NewTable([]string{"fra1-r01-s01"}, []Device{{Spec: &DeviceSpec{Region: "fra"}}}),
		Clouds:    NewTable([]string{"os-ams"}, []Cloud{{Spec: &CloudSpec{Region: "ams"}}}),
		Hosts:     NewTable([]string{"os-ams/h1"}, []HostState{{Cloud: "os-ams"}}),
		Instances: NewTable([]string{"i-1"}, []InstanceState{{Instance: Instance{Cloud: "os-ams"}}}),
		Services:  NewTable([]string{"match", "idle"}, []Service{{Devices: []int{0}, Instances: []int{0}}, {}}),
	}
	for target, want := range map[string][]string{
		"fra": {"fra"}, "fra1": {"fra"}, "fra1/r01": {"fra"}, "ams1-A": {"ams"}, "fra1-r01-s01": {"fra"}, "fra1-r01-s01/psu2": {"fra"},
		"os-ams": {"ams"}, "os-ams/h1": {"ams"}, "i-1": {"ams"}, "match": {"ams", "fra"}, "idle": nil, "pager": nil,
	} {
		if got := s.AlertRegions(&Alert{Target: target}); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", target, got, want)
		}
	}
	if got := s.AlertRegions(&Alert{Target: "match", Labels: map[string]string{"region": "ams"}}); !slices.Equal(got, []string{"ams"}) {
		t.Errorf("a label of the rule says ams: %v", got)
	}
}
