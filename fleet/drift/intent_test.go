package drift

import (
	"testing"

	"plumb/fleet"
)

func say(s string) *string { return &s }

// TestPortsAsIntended: a port's own word goes before a pattern's, the first
// pattern before the next, the device before the policies, each for itself.
func TestPortsAsIntended(t *testing.T) {
	alias := func(s string) func(*scene) { return func(x *scene) { x.device.Ports[2].PortDef.Alias = s } }
	for _, c := range []struct {
		name   string
		ports  []fleet.PortSpec
		policy []fleet.PortPolicy
		set    func(*scene)
		want   string
	}{
		{"an alias as intended", []fleet.PortSpec{{Name: "Ethernet3", Alias: say("db")}}, nil, alias("db"), ""},
		{"an alias that somebody changed", []fleet.PortSpec{{Name: "Ethernet3", Alias: say("db")}}, nil, func(s *scene) { alias("spare")(s); s.was("port Ethernet3 alias", "db") },
			"port Ethernet3 alias changed info high intended=db last_week=db"},
		{"an alias that was wrong last week", []fleet.PortSpec{{Name: "Ethernet3", Alias: say("db")}}, nil, func(s *scene) { alias("db")(s); s.was("port Ethernet3 alias", "spare") }, ""},
		{"an alias that nobody intends and somebody changed", nil, nil, func(s *scene) { alias("spare")(s); s.was("port Ethernet3 alias", "db") },
			"port Ethernet3 alias changed info low last_week=db"},
		{"an alias where none was", nil, nil, func(s *scene) { alias("spare")(s); s.was("port Ethernet3 alias", "") }, "port Ethernet3 alias unmanaged info low last_week="},
		{"an alias that went", nil, nil, func(s *scene) { s.was("port Ethernet3 alias", "db") }, "port Ethernet3 alias changed info low last_week=db"},
		{"no alias where one is intended", []fleet.PortSpec{{Name: "Ethernet3", Alias: say("db")}}, nil, alias(""), "port Ethernet3 alias missing info high intended=db"},
		{"an alias where none is intended", []fleet.PortSpec{{Name: "Ethernet3", Alias: say("")}}, nil, alias("db"), "port Ethernet3 alias unmanaged info high intended="},
		{"an alias that was accepted", []fleet.PortSpec{{Name: "Ethernet3", Alias: say("db")}}, nil, func(s *scene) { alias("spare")(s); s.accept("port Ethernet3 alias", "old rack") },
			"port Ethernet3 alias changed info high intended=db last_accepted=old rack"},
		{"a switch that tells no aliases", []fleet.PortSpec{{Name: "Ethernet3", Alias: say("db")}}, nil, func(s *scene) { s.device.Ports[2].PortDef.NoAlias = true }, ""},

		{"the far end", []fleet.PortSpec{{Name: "Ethernet3", Alias: say("{device} {port}")}}, nil, alias(""), "port Ethernet3 alias missing info high intended=s08 eth0"},
		{"the far end where nothing is to hang", []fleet.PortSpec{{Name: "Ethernet3", Alias: say("to {device}")}}, nil, func(s *scene) { alias("db")(s); delete(s.meant, "Ethernet3") }, ""},
		{"a pattern speaks where the port has no far end", []fleet.PortSpec{{Name: "Ethernet3", Alias: say("to {device}")}, {Name: "Ethernet*", Alias: say("spare")}}, nil,
			func(s *scene) {
				for i := range s.device.Ports {
					s.device.Ports[i].PortDef.Alias = "spare"
				}
				alias("db")(s)
				delete(s.meant, "Ethernet3")
			}, "port Ethernet3 alias changed info high intended=spare"},

		{"the port before its pattern", []fleet.PortSpec{{Name: "Ethernet[3]", VLAN: 300, Alias: say("x")}, {Name: "Ethernet3", VLAN: 208}}, nil, alias("y"), "port Ethernet3 alias changed info high intended=x"},
		{"the first pattern", []fleet.PortSpec{{Name: "*3", Admin: "up"}, {Name: "Ethernet*", Admin: "down"}}, nil, func(s *scene) { s.device.Ports = s.device.Ports[2:3] }, ""},
		{"the device before the policies", []fleet.PortSpec{{Name: "*3", VLAN: 208}}, []fleet.PortPolicy{{PortSpec: fleet.PortSpec{Name: "Ethernet3", VLAN: 300, Admin: "down"}}}, nil,
			"port Ethernet3 admin changed warn high intended=down"},
		{"a policy for others", nil, []fleet.PortPolicy{{PortSpec: fleet.PortSpec{Name: "*", Admin: "down"}, Select: map[string]string{"kind": "switch"}}}, nil, ""},
		{"a policy of its kind", nil, []fleet.PortPolicy{{PortSpec: fleet.PortSpec{Name: "*3", Admin: "down"}, Select: map[string]string{"kind": "server"}}}, nil, "port Ethernet3 admin changed warn high intended=down"},

		{"a VLAN that is not as intended", []fleet.PortSpec{{Name: "Ethernet3", VLAN: 300}}, nil, nil, "port Ethernet3 vlan changed warn high intended=300"},
		{"a VLAN as intended, unlike all others", []fleet.PortSpec{{Name: "Ethernet3", VLAN: 300}}, nil, func(s *scene) { s.device.Ports[2].PortDef.VLAN = 300; s.was("port Ethernet3 vlan", "208") }, ""},
		{"a VLAN that is neither", []fleet.PortSpec{{Name: "Ethernet3", VLAN: 300}}, nil, func(s *scene) { s.device.Ports[2].PortDef.VLAN = 99 }, "port Ethernet3 vlan changed warn high intended=300 cohort=208"},
		{"a VLAN that is not known", []fleet.PortSpec{{Name: "Ethernet3", VLAN: 300}}, nil, func(s *scene) { s.device.Ports[2].PortDef.VLAN = 0 }, ""},

		{"a port that was shut", []fleet.PortSpec{{Name: "Ethernet3", Admin: "up"}}, nil, func(s *scene) {
			s.device.Ports[2].PortDef.Admin = "down"
			s.was("port Ethernet3 admin", "up")
		}, "port Ethernet3 admin changed warn high intended=up last_week=up"},
		{"a port that nobody intends and somebody shut", nil, nil, func(s *scene) { s.device.Ports[2].PortDef.Admin = "down"; s.was("port Ethernet3 admin", "up") },
			"port Ethernet3 admin changed info low last_week=up"},
		{"a port under test", []fleet.PortSpec{{Name: "Ethernet3", Admin: "up"}}, nil, func(s *scene) { s.device.Ports[2].PortDef.Admin = "testing" }, ""},
		{"a port that is not there", []fleet.PortSpec{{Name: "Ethernet9", Admin: "down", Alias: say("x")}}, nil, nil, "port Ethernet9 there missing warn high intended=there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			sevenPorts(s)
			s.device.Spec.Ports, s.policies.Ports = c.ports, c.policy
			if c.set != nil {
				c.set(s)
			}
			if got := told(s.judge()); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// TestPortsThatCannotBeRead say nothing, and what stood against them stays.
func TestPortsThatCannotBeRead(t *testing.T) {
	s := newScene()
	sevenPorts(s)
	s.device.Spec.Ports = []fleet.PortSpec{{Name: "Ethernet3", Alias: say("db"), Admin: "down"}}
	was := Settle(nil, "s01", s.judge(), t0)
	if len(was.Begun) != 2 {
		t.Fatalf("%v were found", names(was.Begun))
	}
	s.docket, s.unread = *was.Docket, []fleet.TableID{fleet.TablePorts}
	s.device.Ports[2].PortDef.Alias = "db"
	if after := Settle(&s.docket, "s01", s.judge(), t0); len(after.Ended) != 0 || len(after.Docket.Findings) != 2 {
		t.Errorf("%v are over, unread", names(after.Ended))
	}
	s.unread = nil
	if after := Settle(&s.docket, "s01", s.judge(), t0); len(after.Ended) != 1 || after.Ended[0].Facet != "port Ethernet3 alias" {
		t.Errorf("%v are over, want the alias", names(after.Ended))
	}
	s.device.Spec.Ports = nil
	if after := Settle(&s.docket, "s01", s.judge(), t0); len(after.Ended) != 2 {
		t.Errorf("%v are over where nobody intends anything", names(after.Ended))
	}
}

// TestPortsThatAreCounted: every facet that is read counts as looked at, whether
// or not anybody has a word to say about it.
func TestPortsThatAreCounted(t *testing.T) {
	s := newScene()
	sevenPorts(s)
	before := s.judge().Looked
	s.device.Ports[0].PortDef.NoAlias = true
	if n := s.judge().Looked; n != before-1 {
		t.Errorf("%d were looked at, %d where one alias is not told", before, n)
	}
	s.device.Spec.Ports = []fleet.PortSpec{{Name: "*", Alias: say(""), Admin: "up", VLAN: 208}}
	if n := s.judge().Looked; n != before-1 {
		t.Errorf("%d were looked at, %d where something is intended", before-1, n)
	}
}

func TestIntentOf(t *testing.T) {
	sw, s01 := fleet.DeviceSpec{ID: "sw-7", Name: "sw", Kind: fleet.KindSwitch, Ports: []fleet.PortSpec{{Name: "*", Alias: say("{device}:{port}")}}}, fleet.DeviceSpec{ID: "s-1", Name: "s01"}
	s := &fleet.Snapshot{
		Devices:  fleet.NewTable([]string{"sw-7", "s-1"}, []fleet.Device{{Spec: &sw}, {Spec: &s01}}),
		Topology: &fleet.Topology{CabledOn: map[string]map[string]fleet.Attachment{"sw-7": {"e1": {Device: 1, Part: "eth0"}}}},
	}
	if in := IntentOf(s, s.Devices.Get("sw-7"), "e1"); in.Alias == nil || *in.Alias != "s01:eth0" || in.VLAN != nil || in.Facet("admin") != nil {
		t.Errorf("%+v", in)
	}
	if in := IntentOf(s, s.Devices.Get("sw-7"), "e2"); in.Alias != nil {
		t.Errorf("%q", *in.Alias)
	}
}
