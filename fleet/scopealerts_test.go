package fleet

import "testing"

// TestASilenceStaysWithinAScope: what pins a silence down, and what does not.
func TestASilenceStaysWithinAScope(t *testing.T) {
	s := &Snapshot{
		Regions: NewTable([]string{"ams", "fra"}, []Region{{Spec: &RegionSpec{Name: "ams"}}, {Spec: &RegionSpec{Name: "fra"}}}),
		Sites:   NewTable([]string{"ams1"}, []Site{{Spec: &SiteSpec{Name: "ams1", Region: "ams"}}}),
		Racks:   NewTable([]string{"ams1/r01"}, []Rack{{Spec: &RackSpec{ID: "ams1/r01", Site: "ams1", Region: "ams"}}}),
		Devices: NewTable([]string{"a.example", "a1", "a2", "b.example", "f1"}, []Device{{Spec: &DeviceSpec{ID: "a.example", Region: "ams"}}, {Spec: &DeviceSpec{ID: "a1", Region: "ams", Owner: "game"}}, {Spec: &DeviceSpec{ID: "a2", Region: "ams", Owner: "data"}}, {Spec: &DeviceSpec{ID: "b.example", Region: "ams"}}, {Spec: &DeviceSpec{ID: "f1", Region: "fra", Owner: "game"}}}),
	}
	region, both := &Scope{Regions: []string{"ams"}}, &Scope{Regions: []string{"ams"}, Owners: []string{"game"}}
	m := func(label, op, value string) Matcher { return Matcher{label, op, value} }
	for name, c := range map[string]struct {
		scope *Scope
		q     Silence
		want  bool
	}{
		"no scope":                    {nil, Silence{Matchers: []Matcher{m("rule", "=", "fan")}}, true},
		"nothing named":               {region, Silence{Matchers: []Matcher{m("rule", "=", "fan")}}, false},
		"its region":                  {region, Silence{Matchers: []Matcher{m("rule", "=", "fan"), m("region", "=", "ams")}}, true},
		"another region":              {region, Silence{Matchers: []Matcher{m("region", "=", "fra")}}, false},
		"all but another region":      {region, Silence{Matchers: []Matcher{m("region", "!=", "fra")}}, false},
		"a pattern":                   {region, Silence{Matchers: []Matcher{m("region", "=~", "am.*")}}, false},
		"a rack of it":                {region, Silence{Matchers: []Matcher{m("rack", "=", "ams1/r01")}}, true},
		"a rack that is not":          {region, Silence{Matchers: []Matcher{m("rack", "=", "ams1/r99")}}, false},
		"a target":                    {region, Silence{Matchers: []Matcher{m("target", "=", "a2")}}, true},
		"a part of one":               {region, Silence{Matchers: []Matcher{m("target", "=", "a2/psu1")}}, true},
		"targets":                     {region, Silence{Matchers: []Matcher{m("target", "=~", "a1|a2")}}, true},
		"targets, one of them not":    {region, Silence{Matchers: []Matcher{m("target", "=~", "a1|f1")}}, false},
		"targets with dots":           {region, Silence{Matchers: []Matcher{m("target", "=~", `a\.example|b\.example`)}}, true},
		"dots that match anything":    {region, Silence{Matchers: []Matcher{m("target", "=~", "a.example|b.example")}}, false},
		"a class of signs":            {region, Silence{Matchers: []Matcher{m("target", "=~", `a1|a\d`)}}, false},
		"nothing or a target":         {region, Silence{Matchers: []Matcher{m("target", "=~", "a1|")}}, false},
		"a target of another's":       {both, Silence{Matchers: []Matcher{m("target", "=", "a2")}}, false},
		"a region of many":            {both, Silence{Matchers: []Matcher{m("region", "=", "ams")}}, false},
		"region and owner":            {both, Silence{Matchers: []Matcher{m("region", "=", "ams"), m("owner", "=", "game")}}, true},
		"a place":                     {region, Silence{At: "ams1/r01"}, true},
		"a site":                      {region, Silence{At: "ams1"}, true},
		"a place of another":          {region, Silence{At: "fra"}, false},
		"a place of many":             {both, Silence{At: "ams1/r01"}, false},
		"a place of many, but its":    {both, Silence{At: "ams1/r01", Matchers: []Matcher{m("region", "=", "ams"), m("owner", "=", "game")}}, true},
		"an instance nobody knows of": {region, Silence{Matchers: []Matcher{m("target", "=", "i-1")}}, false},
	} {
		if got := c.scope.Silence(s, &c.q); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
