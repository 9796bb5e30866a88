package views

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/keys"
	"plumb/views/viewstest"
)

// driftFrame is a frame of the test fleet in which a wave of updates went half
// way, a VLAN moved, a part went, and people have decided about some of it.
func driftFrame(w, h int) Frame {
	f := frame(w, h)
	s := *f.Snap
	edit := s.Devices.Edit()
	put := func(id string, past []fleet.Former, rulings []fleet.Ruling, list ...fleet.Finding) {
		d := edit.At(s.Devices.Number(id))
		looks := make([]fleet.Look, len(list))
		for i := range list {
			looks[i] = fleet.Look{Facet: list[i].Facet, Known: true, Found: &list[i]}
		}
		after := drift.Settle(&fleet.Docket{Past: past, Rulings: rulings}, id, drift.Judgement{Kinds: drift.Kinds, Looks: looks, Looked: 40, Blind: 3}, viewstest.At)
		d.Docket, d.DriftOpen = after.Docket, after.Docket.Open()
	}
	ago := func(d time.Duration) time.Time { return viewstest.At.Add(-d) }
	firmware := fleet.Finding{Facet: "firmware", Kind: fleet.FindFirmware, Class: fleet.ClassChanged, Observed: "2.14.0", Severity: fleet.SeverityWarn, Confidence: fleet.ConfidenceHigh,
		Baselines: []fleet.Baseline{{Name: fleet.BaseIntended, Expected: "at least 2.19"}, {Name: fleet.BaseLastWeek, Expected: "2.19.1"}, {Name: fleet.BaseCohort, Expected: "2.19.1"}},
		Evidence:  "fact firmware", Text: "firmware is 2.14.0: intended at least 2.19, 2.19.1 before, its like have 2.19.1"}
	for i, id := range []string{"fra1-r06-s05", "fra1-r06-s07", "fra1-r06-s09"} {
		put(id, []fleet.Former{{Facet: "firmware", Value: "2.19.1", At: ago(time.Duration(25+10*i) * time.Minute)}}, nil, firmware)
	}
	put("fra1-r02-sw2", []fleet.Former{{Facet: "port Ethernet9 vlan", Value: "208", At: ago(50 * time.Hour)}}, nil,
		fleet.Finding{Facet: "port Ethernet9 vlan", Kind: fleet.FindConfig, Class: fleet.ClassChanged, Observed: "999", Severity: fleet.SeverityCrit, Confidence: fleet.ConfidenceMedium, Who: "eve",
			Baselines: []fleet.Baseline{{Name: fleet.BaseLastWeek, Expected: "208"}}, Evidence: "ports of fra1-r02-sw2", Text: "port Ethernet9 vlan is 999: 208 before", Fix: "put it back into VLAN 208"})
	put("ams1-r02-s15", nil, []fleet.Ruling{{Facet: "part DIMM A1", Verdict: fleet.FindingWaived, By: "anna", Reason: "RMA 4711", At: ago(time.Hour), Until: ago(-72 * time.Hour)}},
		fleet.Finding{Facet: "part DIMM A1", Kind: fleet.FindInventory, Class: fleet.ClassMissing, Severity: fleet.SeverityWarn, Confidence: fleet.ConfidenceHigh,
			Baselines: []fleet.Baseline{{Name: fleet.BaseLastWeek, Expected: "32G S1"}}, Evidence: "parts list", Text: "DIMM A1 is gone: was 32G S1"},
		fleet.Finding{Facet: "bios.セ\x1b[31m", Kind: fleet.FindConfig, Class: fleet.ClassUnmanaged, Observed: "e\u0301\u202e on", Severity: fleet.SeverityInfo,
			Baselines: []fleet.Baseline{{Name: fleet.BaseCohort}}, Evidence: "fact", Text: "what a device says: \x07 セ"})
	s.Devices = edit.Done()
	clouds := s.Clouds.Edit()
	c := clouds.At(s.Clouds.Number("os-fra"))
	spec := *c.Spec
	spec.Declared = &fleet.Declared{Source: "terraform prod.json"}
	x := s.Instances.At(0)
	grown := fleet.Finding{Facet: "instance " + x.ID + " type", Kind: fleet.FindConfig, Class: fleet.ClassChanged, Observed: "m1.xlarge", Severity: fleet.SeverityInfo, Confidence: fleet.ConfidenceHigh,
		Baselines: []fleet.Baseline{{Name: fleet.BaseIntended, Expected: "m1.large"}}, Evidence: "terraform prod.json: openstack_compute_instance_v2.match[0], servers of os-fra", Text: x.Name + " type is m1.xlarge: intended m1.large"}
	c.Spec, c.Docket = &spec, drift.Settle(nil, "os-fra", drift.Judgement{Kinds: drift.Kinds, Looks: []fleet.Look{{Facet: grown.Facet, Known: true, Found: &grown}}, Looked: 40, Muted: 2}, viewstest.At.Add(-time.Hour)).Docket
	s.Clouds = clouds.Done()
	s.Counts.DriftOpen = 6
	f.Snap = &s
	return f
}

func driftScreens() []screen {
	return []screen{
		{"drift", func(testing.TB, Frame) View { return NewDrift("") }},
		{"drift-cause", func(t testing.TB, f Frame) View { return press(t, f, NewDrift(""), "move.down", "enter") }},
		{"drift-all", func(t testing.TB, f Frame) View { return press(t, f, NewDrift(""), "drift.all", "move.last") }},
		{"drift-device", func(testing.TB, Frame) View { return NewDrift("ams1-r02-s15") }},
		{"drift-none", func(testing.TB, Frame) View { return NewDrift("fra1-r01-s01") }},
		{"finding", func(testing.TB, Frame) View { return NewFinding("fra1-r06-s05", "firmware") }},
		{"finding-ruled", func(testing.TB, Frame) View { return NewFinding("ams1-r02-s15", "part DIMM A1") }},
		{"finding-cloud", func(_ testing.TB, f Frame) View {
			return NewFinding("os-fra", f.Snap.Clouds.Get("os-fra").Docket.Findings[0].Facet)
		}},
		{"finding-over", func(testing.TB, Frame) View { return NewFinding("fra1-r06-s05", "bios.version") }},
	}
}

func TestDriftGoldens(t *testing.T) { goldens(t, driftScreens(), driftFrame) }

// give carries a command to a view and returns what it asks of the session.
func give(t *testing.T, f Frame, v View, id string, args ...string) (View, Intent) {
	t.Helper()
	c, ok := f.Keys.Get(id)
	if !ok {
		t.Fatalf("no command %q", id)
	}
	if args != nil {
		c = c.With(args...)
	}
	return Dispatch(f, v, c)
}

func TestACauseOpensItsFindingsAndThoseTheirPage(t *testing.T) {
	f := driftFrame(160, 50)
	v := press(t, f, NewDrift(""), "move.down")
	v, in := give(t, f, v, "enter")
	o, ok := in.(Open)
	if !ok || o.View.ID() != "drift" {
		t.Fatalf("enter on a cause of three asks %+v", in)
	}
	r := o.View.(Drift).shown(f).rows
	if len(r) != 3 || r[0].first().Target != "fra1-r06-s09" {
		t.Fatalf("%d findings, the oldest on %s", len(r), r[0].first().Target)
	}
	_, in = give(t, f, o.View, "enter")
	if o, ok := in.(Open); !ok || fmt.Sprint(o.View) != fmt.Sprint(NewFinding("fra1-r06-s09", "firmware")) {
		t.Errorf("enter on a finding asks %+v", in)
	}
	if _, in = give(t, f, v, "copy"); in != (Copy{Text: "fra1-r06-s05:firmware"}) && in != (Copy{Text: "fra1-r06-s09:firmware"}) {
		t.Errorf("copy asks %+v", in)
	}
}

func TestDLeadsToTheDriftOfWhatTheCaretStandsOn(t *testing.T) {
	f := driftFrame(160, 50)
	for _, c := range []struct {
		from View
		want View
	}{
		{NewDevice("fra1-r06-s05"), NewDrift("fra1-r06-s05")},
		{NewPort("fra1-r02-sw2/Ethernet9"), NewDrift("fra1-r02-sw2")},
		{NewFinding("fra1-r06-s05", "firmware"), NewDrift("fra1-r06-s05")},
	} {
		_, in := give(t, f, c.from, "drift")
		if o, ok := in.(Open); !ok || fmt.Sprint(o.View.Crumbs(f)) != fmt.Sprint(c.want.Crumbs(f)) {
			t.Errorf("d on %s asks %+v", c.from.ID(), in)
		}
	}
	_, in := give(t, f, NewFleet(), "drift")
	if o, ok := in.(Open); !ok || !strings.HasPrefix(o.View.(Drift).text, "rack:ams1/") {
		t.Errorf("d on a rack asks %+v", in)
	}
}

func TestAReasonIsAskedForBeforeAnythingIsDecided(t *testing.T) {
	f := driftFrame(160, 50)
	v, in := give(t, f, press(t, f, NewDrift(""), "move.down"), "drift.accept")
	if a, ok := in.(Ask); !ok || a.Command != "drift.accept" || !strings.Contains(a.Label, "accept 3 findings") {
		t.Fatalf("A on a cause asks %+v", in)
	}
	// The world moves while the reason is typed: what was asked about stays.
	moved := *f.Snap
	edit := moved.Devices.Edit()
	n := moved.Devices.Number("fra1-r06-s07")
	d := *edit.At(n).Docket
	d.Findings = append([]fleet.Finding(nil), d.Findings...)
	d.Findings[0].Observed = "1.0"
	edit.At(n).Docket = &d
	moved.Devices = edit.Done()
	later := f
	later.Snap = &moved
	_, in = give(t, later, v, "drift.accept", "a trial")
	r, ok := in.(Rule)
	if !ok || len(r.On) != 3 || r.Verdict != fleet.FindingAccepted || r.Reason != "a trial" {
		t.Fatalf("a reason makes %+v", in)
	}
	for _, seen := range r.On {
		if seen.Observed != "2.14.0" || seen.Facet != "firmware" {
			t.Errorf("ruled on %+v, the screen showed 2.14.0", seen)
		}
	}
	if _, in = give(t, f, v, "drift.accept", ""); in == nil || fmt.Sprintf("%T", in) != "views.Toast" {
		t.Errorf("an empty reason asks %+v", in)
	}
}

func TestAWaiverSaysForHowLongAndWhy(t *testing.T) {
	f := driftFrame(160, 50)
	page := NewFinding("fra1-r06-s05", "firmware")
	v, in := give(t, f, page, "drift.waive")
	if a, ok := in.(Ask); !ok || a.Text != "7d " {
		t.Fatalf("V asks %+v", in)
	}
	for text, want := range map[string]Intent{
		"2d vendor case": Rule{Verdict: fleet.FindingWaived, For: 48 * time.Hour, Reason: "vendor case"},
		"2d":             nil, "soon please": nil, "-3d please": nil, "0 please": nil,
	} {
		_, in := give(t, f, v, "drift.waive", text)
		r, ok := in.(Rule)
		if w, rules := want.(Rule); rules != ok || ok && (r.For != w.For || r.Reason != w.Reason || len(r.On) != 1) {
			t.Errorf("%q makes %+v", text, in)
		}
	}
}

func TestNobodyDecidesInThePastOrWithoutTheRole(t *testing.T) {
	f := driftFrame(160, 50)
	for _, id := range []string{"drift.accept", "drift.waive", "drift.ignore", "drift.reopen"} {
		c, _ := f.Keys.Get(id)
		for _, x := range []struct {
			role fleet.Role
			live bool
			want string
		}{{fleet.RoleOperator, true, ""}, {fleet.RoleViewer, true, "needs role operator"}, {fleet.RoleOperator, false, "HIST: 0 returns to live"}} {
			f.Role, f.Live = x.role, x.live
			if why := c.Why(Scene(f, NewDrift(""))); why != x.want {
				t.Errorf("%s as %s, live %v: %q, want %q", id, x.role, x.live, why, x.want)
			}
		}
	}
	if c, ok := keys.Must().Get("drift.accept"); !ok || c.Why(Scene(driftFrame(80, 24), NewDrift("fra1-r01-s01"))) != "nothing is selected" {
		t.Error("nothing stands against it, and it can be accepted")
	}
}

func TestDriftSortsAndFilters(t *testing.T) {
	f := driftFrame(160, 50)
	list := func(v View) string {
		r := v.(Drift).shown(f).rows
		var out []string
		for i := range r {
			out = append(out, fmt.Sprintf("%s x%d", drift.FacetClass(r[i].first().Facet), len(r[i].Members)))
		}
		return strings.Join(out, ", ")
	}
	for _, c := range []struct{ do, want string }{
		{"", "port vlan x1, firmware x3, instance type x1, bios.セ\x1b[31m x1"},
		{"sort.reverse", "bios.セ\x1b[31m x1, instance type x1, firmware x3, port vlan x1"},
		{"sort", "bios.セ\x1b[31m x1, firmware x3, instance type x1, port vlan x1"},
		{"filter.set severity:warn", "firmware x3"},
		{"filter.set age>1d", "port vlan x1"},
		{"filter.set rack:fra1/r06", "firmware x3"},
		{"drift.all", "port vlan x1, firmware x3, instance type x1, bios.セ\x1b[31m x1, part A1 x1"},
	} {
		v := NewDrift("")
		if c.do != "" {
			v = press(t, f, v, c.do)
		}
		if got := list(v); got != c.want {
			t.Errorf("%s: %s, want %s", c.do, got, c.want)
		}
	}
}
