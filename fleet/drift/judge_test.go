package drift

import (
	"slices"
	"strings"
	"testing"

	"plumb/fleet"
)

// scene is a device that was read in full, with what it is held against.
type scene struct {
	device   fleet.Device
	docket   fleet.Docket
	policies fleet.Policies
	cohort   Cohort
	unread   []fleet.TableID
	meant    map[string]string // port: what is meant to hang there
	twin     string            // the VLAN of its machine's other cable
}

func newScene() *scene {
	return &scene{device: fleet.Device{Spec: &fleet.DeviceSpec{ID: "s01", Kind: fleet.KindServer, Model: "R6515", Expect: map[string]fleet.Expectation{}}}}
}

func (s *scene) judge() Judgement {
	s.device.Docket = &s.docket
	return Judge(Case{
		Device: &s.device, Policies: &s.policies, Cohort: s.cohort,
		Readable: func(t fleet.TableID) bool { return !slices.Contains(s.unread, t) },
		Twin:     func(string) string { return s.twin },
		End:      func(a fleet.Attachment) string { return []string{"s08", "s12"}[a.Device] + " " + a.Part },
		Name:     func(a fleet.Attachment) string { return []string{"s08", "s12"}[a.Device] },
		Meant: func(port string) (fleet.Attachment, bool) {
			part, ok := s.meant[port]
			return fleet.Attachment{Part: part}, ok
		},
	})
}

func (s *scene) fact(name, value string)              { s.device.Facts.Set(name, value) }
func (s *scene) expect(n string, x fleet.Expectation) { s.device.Spec.Expect[n] = x }
func (s *scene) was(facet, value string) {
	s.docket.Past = append(s.docket.Past, fleet.Former{Facet: facet, Value: value, At: t0})
}
func (s *scene) accept(facet, value string) {
	s.docket.Rulings = append(s.docket.Rulings, fleet.Ruling{Facet: facet, Verdict: fleet.FindingAccepted, Value: value})
}
func (s *scene) like(fact, value string, n int) {
	if s.cohort == nil {
		s.cohort = Cohort{}
	}
	for range n {
		s.cohort.Add(fact, value)
	}
}

// told writes what was found as FACET CLASS SEVERITY CONFIDENCE BASELINE=EXPECTED...
func told(j Judgement) string {
	var out []string
	for _, l := range j.Looks {
		if l.Found == nil {
			continue
		}
		line := []string{l.Facet, string(l.Found.Class), l.Found.Severity.String(), l.Found.Confidence.String()}
		for _, b := range l.Found.Baselines {
			line = append(line, string(b.Name)+"="+b.Expected)
		}
		out = append(out, strings.Join(line, " "))
	}
	return strings.Join(out, "; ")
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(s *scene)
		want string
	}{
		{"as it is meant", func(s *scene) { s.fact("firmware", "2.19"); s.expect("firmware", fleet.Expectation{Exact: "2.19"}) }, ""},
		{"another than intended", func(s *scene) { s.fact("firmware", "2.14"); s.expect("firmware", fleet.Expectation{Exact: "2.19"}) },
			"firmware changed warn high intended=2.19"},
		{"newer is fine", func(s *scene) { s.fact("firmware", "2.20"); s.expect("firmware", fleet.Expectation{Min: "2.19"}) }, ""},
		{"older is not", func(s *scene) { s.fact("firmware", "2.9"); s.expect("firmware", fleet.Expectation{Min: "2.19"}) },
			"firmware changed warn high intended=at least 2.19"},
		{"more is allowed", func(s *scene) {
			s.fact("bmc.ciphers", "3 17 12")
			s.expect("bmc.ciphers", fleet.Expectation{Subset: []string{"3", "17"}})
		}, ""},
		{"less is not", func(s *scene) {
			s.fact("bmc.ciphers", "3")
			s.expect("bmc.ciphers", fleet.Expectation{Subset: []string{"3", "17"}})
		}, "bmc.ciphers changed warn high intended=3 17"},
		{"what nobody asks about", func(s *scene) { s.fact("sel.entries", "9"); s.was("sel.entries", "8"); s.like("sel.entries", "1", 9) }, ""},
		{"unless the inventory does", func(s *scene) { s.fact("x.y", "b"); s.expect("x.y", fleet.Expectation{Exact: "a"}) }, "x.y changed warn high intended=a"},
		{"what moves by itself", func(s *scene) { s.device.Facts.SetNum("bios.uptime", fleet.Int(9), true); s.was("bios.uptime", "8") }, ""},

		{"last accepted", func(s *scene) { s.fact("firmware", "2.15"); s.accept("firmware", "2.14") }, "firmware changed warn high last_accepted=2.14"},
		{"accepted as it is", func(s *scene) { s.fact("firmware", "2.14"); s.accept("firmware", "2.14") }, ""},
		{"a change alone may be as somebody wished", func(s *scene) { s.fact("bios.version", "2"); s.was("bios.version", "1") }, "bios.version changed info low last_week=1"},
		{"it was not there last week", func(s *scene) { s.fact("bmc.user.eve", "4"); s.was("bmc.user.eve", "") }, "bmc.user.eve unmanaged info low last_week="},
		{"its like have another", func(s *scene) {
			s.fact("bios.sriov", "off")
			s.like("bios.sriov", "on", 5)
			s.like("bios.sriov", "off", 1)
		},
			"bios.sriov changed warn medium cohort=on"},
		{"its like have none", func(s *scene) {
			s.fact("bmc.user.eve", "4")
			s.like("bmc.sees.users", "yes", 6)
			s.like("bmc.user.eve", "4", 1)
		},
			"bmc.user.eve unmanaged warn medium cohort="},
		{"a user that went", func(s *scene) {
			s.fact("bmc.sees.users", "yes")
			s.was("bmc.user.3", "ops administrator enabled lan")
		}, "bmc.user.3 missing info low last_week=ops administrator enabled lan"},
		{"a user that all of its like have", func(s *scene) {
			s.fact("bmc.sees.users", "yes")
			s.like("bmc.user.3", "ops administrator enabled lan", 6)
		}, "bmc.user.3 missing warn medium cohort=ops administrator enabled lan"},
		{"a user that nobody may see", func(s *scene) {
			s.fact("bmc.sees.users", "partial")
			s.was("bmc.user.3", "ops administrator enabled lan")
			s.like("bmc.user.3", "ops administrator enabled lan", 6)
		}, ""},
		{"all four", func(s *scene) {
			s.fact("firmware", "2.14")
			s.expect("firmware", fleet.Expectation{Exact: "2.19"})
			s.accept("firmware", "2.18")
			s.was("firmware", "2.17")
			s.like("firmware", "2.20", 6)
			s.like("firmware", "2.14", 1)
		}, "firmware changed warn high intended=2.19 last_accepted=2.18 last_week=2.17 cohort=2.20"},
		{"what agrees is left out", func(s *scene) {
			s.fact("firmware", "2.14")
			s.expect("firmware", fleet.Expectation{Min: "2.10"})
			s.was("firmware", "2.19")
			s.like("firmware", "2.19", 5)
			s.like("firmware", "2.14", 1)
		}, "firmware changed warn medium last_week=2.19 cohort=2.19"},
		{"just as intended, whatever was before", func(s *scene) {
			s.fact("firmware", "2.14")
			s.expect("firmware", fleet.Expectation{Exact: "2.14"})
			s.was("firmware", "2.19")
			s.like("firmware", "2.19", 5)
			s.like("firmware", "2.14", 1)
		}, ""},
		{"the BIOS as IPMI tells it", func(s *scene) { s.fact("bios", "2.13.3"); s.was("bios", "2.14.1") }, "bios changed info low last_week=2.14.1"},
		{"what may be read is no drift", func(s *scene) {
			s.fact("bmc.sees.users", "denied")
			s.was("bmc.sees.users", "yes")
			s.like("bmc.sees.users", "yes", 6)
		}, ""},
		{"others have a say", func(s *scene) { s.fact("bmc.lan.address", "10.0.0.9"); s.was("bmc.lan.address", "10.0.0.8") }, "bmc.lan.address changed info low last_week=10.0.0.8"},

		{"a user that its like have", func(s *scene) {
			s.fact("bmc.sees.users", "yes")
			s.like("bmc.sees.users", "yes", 7)
			s.like("bmc.user.3", "ops operator enabled lan", 6)
		}, "bmc.user.3 missing warn medium cohort=ops operator enabled lan"},
		{"a user that its like have, and nobody may look", func(s *scene) {
			s.fact("bmc.sees.users", "denied")
			s.like("bmc.sees.users", "yes", 7)
			s.like("bmc.user.3", "ops operator enabled lan", 6)
		}, ""},
		{"a user that some of its like have", func(s *scene) {
			s.fact("bmc.sees.users", "yes")
			s.like("bmc.sees.users", "yes", 7)
			s.like("bmc.user.3", "ops operator enabled lan", 4)
		}, ""},
		{"another machine", func(s *scene) { s.device.Spec.Serial = "ABC1"; s.fact(fleet.FactSerial, "XYZ9") }, "serial changed warn high intended=ABC1"},
		{"letters in another case", func(s *scene) { s.device.Spec.Serial = "abc1"; s.fact(fleet.FactSerial, "ABC1") }, ""},
		{"a maker's name of the model", func(s *scene) { s.fact(fleet.FactModel, "PowerEdge R6515") }, ""},
		{"another model", func(s *scene) { s.fact(fleet.FactModel, "PowerEdge R6525") }, "model changed warn high intended=R6515"},
		{"the serial changed", func(s *scene) { s.fact(fleet.FactSerial, "XYZ9"); s.was(fleet.FactSerial, "ABC1") }, "serial changed info low last_week=ABC1"},

		{"a part went", func(s *scene) { s.was("part DIMM A1", "32G S1") }, "part DIMM A1 missing warn high last_week=32G S1"},
		{"a part came", func(s *scene) {
			s.was("part DIMM A1", "")
			s.device.Entities = []fleet.Entity{{Class: "memory", Name: "DIMM A1", Model: "32G", Serial: "S1"}}
		}, "part DIMM A1 unmanaged info high last_week="},
		{"a part was exchanged", func(s *scene) {
			s.was("part DIMM A1", "32G S1")
			s.device.Entities = []fleet.Entity{{Class: "memory", Name: "DIMM A1", Model: "32G", Serial: "S2"}}
		}, "part DIMM A1 changed warn high last_week=32G S1"},
		{"a part is back", func(s *scene) {
			s.was("part DIMM A1", "32G S1")
			s.device.Entities = []fleet.Entity{{Class: "memory", Name: "DIMM A1", Model: "32G", Serial: "S1"}}
		}, ""},

		{"a cable in another place", func(s *scene) {
			s.device.Miscabled = []fleet.Miscable{{Port: "Ethernet3", Hears: fleet.Attachment{Device: 1, Part: "eth0"}, Meant: fleet.Attachment{Device: 0, Part: "eth0"}, Source: "lldp"}}
		}, "port Ethernet3 cable moved warn high intended=s08 eth0"},
		{"a cable where none is meant to be", func(s *scene) {
			s.device.Miscabled = []fleet.Miscable{{Port: "Ethernet22", Hears: fleet.Attachment{Device: 1, Part: "eth0"}, Home: "sw/Ethernet5", Source: "lldp"}}
		}, "port Ethernet22 cable moved warn high intended="},
		{"a learned address may have come another way", func(s *scene) {
			s.device.Miscabled = []fleet.Miscable{{Port: "Ethernet3", Hears: fleet.Attachment{Device: 1, Part: "eth0"}, Meant: fleet.Attachment{Device: 0, Part: "eth0"}, Source: "fdb"}}
		}, "port Ethernet3 cable moved warn medium intended=s08 eth0"},

		{"a VLAN unlike those of its like", func(s *scene) { sevenPorts(s); s.device.Ports[2].PortDef.VLAN = 99 }, "port Ethernet3 vlan changed warn medium cohort=208"},
		{"a VLAN as before", sevenPorts, ""},
		{"a VLAN that changed with all the others", func(s *scene) { sevenPorts(s); s.was("port Ethernet3 vlan", "207") }, "port Ethernet3 vlan changed info low last_week=207"},
		{"a VLAN that a port was given beside its own", func(s *scene) {
			sevenPorts(s)
			s.device.VLANs = []fleet.VLAN{{ID: 300, Ports: []string{"Ethernet3"}}, {ID: 208, Ports: []string{"Ethernet3"}}, {ID: 40, Ports: []string{"Ethernet3", "Ethernet4"}, Untagged: []string{"Ethernet4"}}}
			s.was("port Ethernet3 tagged", "")
			s.was("port Ethernet4 tagged", "")
		}, "port Ethernet3 tagged unmanaged info low last_week="},
		{"a VLAN that a trunk lost", func(s *scene) {
			sevenPorts(s)
			s.was("port Ethernet3 tagged", "40 300")
		}, "port Ethernet3 tagged missing info low last_week=40 300"},
		{"a speed unlike those of its like", func(s *scene) { sevenPorts(s); s.device.Ports[0].PortDef.SpeedBps = fleet.Int(1_000_000_000) }, "port Ethernet1 speed changed warn medium cohort=25000000000"},
		{"a dark port has no speed", func(s *scene) {
			sevenPorts(s)
			s.device.Ports[0].PortDef.SpeedBps, s.device.Ports[0].PortDef.Oper = fleet.Int(1_000_000_000), "down"
		}, ""},
		{"the port of a BMC is no like of theirs", func(s *scene) {
			sevenPorts(s)
			s.meant["Ethernet3"], s.device.Ports[2].PortDef.VLAN = "bmc", 900
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			c.set(s)
			if got := told(s.judge()); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// sevenPorts are ports to seven like machines.
func sevenPorts(s *scene) {
	s.meant = map[string]string{}
	for i := range 7 {
		name := "Ethernet" + string(rune('1'+i))
		s.device.Ports = append(s.device.Ports, fleet.Port{PortDef: &fleet.PortDef{Name: name, Admin: "up", Oper: "up", VLAN: 208, SpeedBps: fleet.Int(25_000_000_000)}})
		s.meant[name] = "eth0"
	}
}

// TestJudgeReadsOnlyWhatWasReadInFull holds for each table that without it
// nothing new is found and nothing that stood is said to be over.
func TestJudgeReadsOnlyWhatWasReadInFull(t *testing.T) {
	wrong := func() *scene {
		s := newScene()
		s.fact("firmware", "2.14")
		s.expect("firmware", fleet.Expectation{Exact: "2.19"})
		s.device.Spec.Serial = "ABC1"
		s.fact(fleet.FactSerial, "XYZ9")
		s.was("part DIMM A1", "32G S1")
		sevenPorts(s)
		s.device.Ports[2].PortDef.VLAN = 99
		s.device.Miscabled = []fleet.Miscable{{Port: "Ethernet4", Hears: fleet.Attachment{Device: 1}, Meant: fleet.Attachment{Device: 0}, Source: "lldp"}}
		return s
	}
	for _, c := range []struct {
		unread []fleet.TableID
		facets []string // that then say nothing
	}{
		{[]fleet.TableID{fleet.TableFacts}, []string{"firmware", "serial"}},
		{[]fleet.TableID{fleet.TableEntities}, []string{"part DIMM A1"}},
		{[]fleet.TableID{fleet.TablePorts}, []string{"port Ethernet3 vlan"}},
		{[]fleet.TableID{fleet.TableNeighbors, fleet.TableFDB}, []string{"port Ethernet4 cable"}},
	} {
		s := wrong()
		s.unread = c.unread
		first := s.judge()
		if n := strings.Count(told(first), ";") + 1; n != 5-len(c.facets) {
			t.Errorf("%v unread: %d found, want %d: %s", c.unread, n, 5-len(c.facets), told(first))
		}
		if first.Blind < len(c.facets) || first.Looked <= first.Blind {
			t.Errorf("%v unread: looked at %d, blind to %d", c.unread, first.Looked, first.Blind)
		}
		s = wrong()
		s.docket.Findings = Settle(nil, "s01", s.judge(), t0).Docket.Findings
		if len(s.docket.Findings) != 5 {
			t.Fatalf("%d of 5 found when all is read: %s", len(s.docket.Findings), told(s.judge()))
		}
		s.unread = c.unread
		s.device.Facts, s.device.Ports, s.device.Miscabled, s.docket.Past = wipe(s, c.unread[0])
		after := Settle(&s.docket, "s01", s.judge(), t0)
		if len(after.Ended) != 0 || len(after.Docket.Findings) != 5 {
			t.Errorf("%v unread: %v are over", c.unread, names(after.Ended))
		}
	}
}

// wipe is what is left of a device after its table came back empty.
func wipe(s *scene, table fleet.TableID) (fleet.Facts, []fleet.Port, []fleet.Miscable, []fleet.Former) {
	switch table {
	case fleet.TableFacts:
		return nil, s.device.Ports, s.device.Miscabled, s.docket.Past
	case fleet.TablePorts:
		return s.device.Facts, nil, s.device.Miscabled, s.docket.Past
	case fleet.TableNeighbors:
		return s.device.Facts, s.device.Ports, nil, s.docket.Past
	}
	return s.device.Facts, s.device.Ports, s.device.Miscabled, nil
}

func TestPoliciesGoBeforeTheRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy fleet.FacetPolicy
		want   string
	}{
		{"ignored", fleet.FacetPolicy{Facet: "firmware", Mode: fleet.ModeIgnored}, ""},
		{"volatile", fleet.FacetPolicy{Facet: "firm*", Owned: fleet.Volatile}, ""},
		{"a secret is not shown", fleet.FacetPolicy{Facet: "firmware", Owned: fleet.Secret}, ""},
		{"graded", fleet.FacetPolicy{Facet: "firmware", Severity: fleet.SeverityCrit, Graded: true}, "firmware changed crit high intended=2.19"},
		{"others move it too", fleet.FacetPolicy{Facet: "firmware", Owned: fleet.CoManaged, Severity: fleet.SeverityCrit, Graded: true}, "firmware changed info high intended=2.19"},
		{"newer is fine", fleet.FacetPolicy{Facet: "firmware", Mode: fleet.ModeMinimum}, ""},
		{"for another kind of device", fleet.FacetPolicy{Facet: "firmware", Mode: fleet.ModeIgnored, Select: map[string]string{"kind": "switch"}}, "firmware changed warn high intended=2.19"},
		{"for this model", fleet.FacetPolicy{Facet: "firmware", Mode: fleet.ModeIgnored, Select: map[string]string{"model": "R65*"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			s.fact("firmware", "2.20")
			s.expect("firmware", fleet.Expectation{Exact: "2.19"})
			s.policies.Facets = []fleet.FacetPolicy{c.policy}
			if got := told(s.judge()); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// TestTheOtherCableIsAWitness: a port that left its VLAN is worth more than a
// word where the machine's other cables are still in it.
func TestTheOtherCableIsAWitness(t *testing.T) {
	for _, c := range []struct{ was, twin, want string }{
		{"208", "208", "port Ethernet3 vlan changed warn medium last_week=208 cohort=208"},
		{"208", "", "port Ethernet3 vlan changed info low last_week=208"},
		{"208", "99", "port Ethernet3 vlan changed info low last_week=208"}, // both were moved
		{"", "208", ""}, // either may be the wrong one
	} {
		s := newScene()
		sevenPorts(s)
		s.device.Ports = s.device.Ports[2:3]
		s.device.Ports[0].PortDef.VLAN, s.twin = 99, c.twin
		if c.was != "" {
			s.was("port Ethernet3 vlan", c.was)
		}
		if got := told(s.judge()); got != c.want {
			t.Errorf("was %q, twin %q: found %q, want %q", c.was, c.twin, got, c.want)
		}
	}
}

// TestPoliciesOfPortsAndParts: what is no fact has its policies too, by the
// names of facets, in which a slash is a letter.
func TestPoliciesOfPortsAndParts(t *testing.T) {
	for _, c := range []struct {
		policy fleet.FacetPolicy
		want   string
		muted  int
	}{
		{fleet.FacetPolicy{}, "port Ethernet1/3 vlan changed warn medium cohort=208", 0},
		{fleet.FacetPolicy{Facet: "port * vlan", Mode: fleet.ModeIgnored}, "", 1},
		{fleet.FacetPolicy{Facet: "port Ethernet1/* vlan", Owned: fleet.Volatile}, "", 1},
		{fleet.FacetPolicy{Facet: "port * speed", Mode: fleet.ModeIgnored}, "port Ethernet1/3 vlan changed warn medium cohort=208", 0},
		{fleet.FacetPolicy{Facet: "port * vlan", Severity: fleet.SeverityCrit, Graded: true}, "port Ethernet1/3 vlan changed crit medium cohort=208", 0},
		{fleet.FacetPolicy{Facet: "firm*", Mode: fleet.ModeIgnored}, "port Ethernet1/3 vlan changed warn medium cohort=208", 1},
	} {
		s := newScene()
		sevenPorts(s)
		s.fact("firmware", "2.19")
		odd := s.device.Ports[2].PortDef
		odd.Name, odd.VLAN = "Ethernet1/3", 99
		s.meant["Ethernet1/3"] = "eth0"
		s.policies.Facets = []fleet.FacetPolicy{c.policy}
		if j := s.judge(); told(j) != c.want || j.Muted != c.muted {
			t.Errorf("%+v: found %q, muted %d; want %q, %d", c.policy, told(j), j.Muted, c.want, c.muted)
		}
	}
}

func TestRuleOfTheNarrowerNameCountsFirst(t *testing.T) {
	for name, want := range map[string]fleet.FindingKind{"bios.version": fleet.FindFirmware, "bios.sriov": fleet.FindConfig, "bmc.mac": fleet.FindInventory} {
		if r, judged := ruleOf(&fleet.Policies{}, &fleet.DeviceSpec{}, name); !judged || r.kind != want {
			t.Errorf("%s is %s, judged %v", name, r.kind, judged)
		}
	}
	if _, judged := ruleOf(&fleet.Policies{}, &fleet.DeviceSpec{}, "bmc.users.max"); judged {
		t.Error("a count of users follows from the users")
	}
}
