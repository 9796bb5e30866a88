package fleet

import "testing"

func TestScope(t *testing.T) {
	s := &Snapshot{}
	s.Regions = NewTable([]string{"ams", "fra"}, []Region{{Spec: &RegionSpec{Name: "ams"}}, {Spec: &RegionSpec{Name: "fra"}}})
	s.Sites = NewTable([]string{"ams1"}, []Site{{Spec: &SiteSpec{Name: "ams1", Region: "ams"}}})
	s.Racks = NewTable([]string{"ams1/r01"}, []Rack{{Spec: &RackSpec{ID: "ams1/r01", Region: "ams"}}})
	s.Feeds = NewTable([]string{"ams1-A", "lost"}, []Feed{{Spec: &FeedSpec{Name: "ams1-A", Site: "ams1"}}, {Spec: &FeedSpec{Name: "lost", Site: "gone"}}})
	s.Devices = NewTable([]string{"game", "nobodys"}, []Device{{Spec: &DeviceSpec{ID: "game", Region: "ams", Owner: "team-game", Tenant: "acme"}}, {Spec: &DeviceSpec{ID: "nobodys", Region: "fra"}}})
	s.Clouds = NewTable([]string{"os-ams"}, []Cloud{{Spec: &CloudSpec{Name: "os-ams", Region: "ams"}}})
	s.Services = NewTable([]string{"match"}, []Service{{Spec: &ServiceSpec{Name: "match", Owner: "team-game"}}})
	all := []string{"ams", "fra", "ams1/r01", "ams1-A", "lost", "game", "nobodys", "os-ams", "match", "no-such"}
	for _, c := range []struct {
		name  string
		scope *Scope
		holds string
	}{
		{"everything", nil, "ams fra ams1/r01 ams1-A lost game nobodys os-ams match no-such"},
		{"a region", &Scope{Regions: []string{"ams"}}, "ams ams1/r01 ams1-A game os-ams"},
		{"an owner", &Scope{Owners: []string{"team-game"}}, "game match"},
		{"a tenant", &Scope{Tenants: []string{"acme"}}, "game"},
		{"an owner in a region", &Scope{Regions: []string{"ams"}, Owners: []string{"team-game"}}, "game"},
		{"an owner elsewhere", &Scope{Regions: []string{"fra"}, Owners: []string{"team-game"}}, ""},
		{"one of two", &Scope{Regions: []string{"fra", "ams"}}, "ams fra ams1/r01 ams1-A game nobodys os-ams"},
	} {
		got := ""
		for _, id := range all {
			if c.scope.Holds(s, id) {
				got += " " + id
			}
		}
		if len(got) > 0 {
			got = got[1:]
		}
		if got != c.holds {
			t.Errorf("%s holds %q, want %q", c.name, got, c.holds)
		}
	}
	if a, b := (&Scope{Owners: []string{"a"}}), (&Scope{Owners: []string{"b"}}); a.Equal(b) || !a.Equal(&Scope{Owners: []string{"a"}}) || a.Equal(nil) || !(*Scope)(nil).Equal(nil) {
		t.Error("scopes that differ are equal, or the other way round")
	}
}
