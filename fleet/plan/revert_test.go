package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// room is a server, a switch and a cloud in which something is otherwise.
func room() *fleet.Snapshot {
	devices := []fleet.Device{
		{Spec: &fleet.DeviceSpec{ID: "s01", Kind: fleet.KindServer}},
		{Spec: &fleet.DeviceSpec{ID: "sw1", Kind: fleet.KindSwitch, Endpoints: []fleet.Endpoint{{Source: fleet.SourceSNMP}}},
			Ports: []fleet.Port{{PortDef: &fleet.PortDef{Name: "Ethernet3", Admin: "up"}}}},
	}
	devices[0].Facts.Set("bmc.sees.users", "yes")
	devices[0].Facts.Set("bmc.user.1", `"" administrator enabled lan`)
	devices[0].Facts.Set("bmc.user.2", "ADMIN administrator enabled lan")
	clouds := []fleet.Cloud{{Spec: &fleet.CloudSpec{Name: "os"}, Groups: []fleet.SecurityGroup{{ID: "g1", Name: "game", Rules: []fleet.SecurityRule{
		{ID: "r1", Direction: "ingress", Protocol: "udp", PortMin: fleet.Int(27000), PortMax: fleet.Int(27000)},
		{ID: "r2", Direction: "ingress", Protocol: "tcp", PortMin: fleet.Int(22), PortMax: fleet.Int(22), Remote: "0.0.0.0/0"},
	}}}}}
	return &fleet.Snapshot{At: now, Topology: &fleet.Topology{}, Devices: fleet.NewTable([]string{"s01", "sw1"}, devices), Clouds: fleet.NewTable([]string{"os"}, clouds)}
}

func TestRevertOf(t *testing.T) {
	s := room()
	for _, c := range []struct {
		facet, target, observed, expected string
		kind                              fleet.FindingKind
		want                              string // "": nothing puts it back
	}{
		{facet: "port Ethernet3 vlan", target: "sw1", observed: "999", expected: "208", want: "port-vlan sw1/Ethernet3 map[vlan:208]"},
		{facet: "port Gi1/0/3 vlan", target: "sw1", observed: "999", expected: "208", want: "port-vlan sw1/Gi1/0/3 map[vlan:208]"},
		{facet: "port Ethernet3 vlan", target: "sw1", observed: "999", expected: "", want: ""},
		{facet: "port Ethernet3 speed", target: "sw1", observed: "1000000000", expected: "25000000000", want: ""},
		{facet: "port Ethernet3 vlan", target: "sw1", observed: "999", expected: "4095", want: ""},
		{facet: "port Ethernet3 alias", target: "sw1", observed: "spare", expected: "s01 eth0", want: "port-alias sw1/Ethernet3 map[alias:s01 eth0]"},
		{facet: "port Gi1/0/3 alias", target: "sw1", observed: "spare", expected: "", want: "port-alias sw1/Gi1/0/3 map[alias:]"},
		{facet: "port Ethernet3 alias", target: "sw1", observed: "spare", expected: strings.Repeat("x", 64), want: "port-alias sw1/Ethernet3 map[alias:" + strings.Repeat("x", 64) + "]"},
		{facet: "port Ethernet3 alias", target: "sw1", observed: "spare", expected: strings.Repeat("x", 65), want: ""},
		{facet: "port Ethernet3 alias", target: "sw1", observed: "spare", expected: "Zürich", want: ""},
		{facet: "port Ethernet3 alias", target: "sw1", observed: "spare", expected: fleet.CleanMarked("a\x1b[2J", 64), want: ""},
		{facet: "port Ethernet3 alias", target: "sw1", observed: "spare", expected: "a\tb", want: ""},
		{facet: "port Ethernet3 admin", target: "sw1", observed: "down", expected: "up", want: "port-up sw1/Ethernet3 map[]"},
		{facet: "port Ethernet3 admin", target: "sw1", observed: "up", expected: "down", want: "port-down sw1/Ethernet3 map[]"},
		{facet: "port Ethernet3 admin", target: "sw1", observed: "up", expected: "testing", want: ""},
		{facet: "port alias", target: "sw1", observed: "up", expected: "x", want: ""},
		{facet: "port Ethernet3 tagged", target: "sw1", observed: "300", expected: "110 300", want: ""},
		{facet: "instance i-1 state", target: "os", observed: "SHUTOFF", expected: "ACTIVE", want: "instance-start i-1 map[]"},
		{facet: "instance i-1 state", target: "os", observed: "ACTIVE", expected: "SHUTOFF", want: "instance-stop i-1 map[]"},
		{facet: "instance i-1 state", target: "os", observed: "ERROR", expected: "PAUSED", want: ""},
		{facet: "instance i-1 type", target: "os", observed: "m1.huge", expected: "m1.large", want: ""},
		{facet: "group g1 rules", target: "os", expected: "ingress udp 27000 from anywhere", want: "rule-remove os/g1 map[rule:r2]"},
		{facet: "group g1 rules", target: "os", expected: "ingress tcp 22 from anywhere; ingress udp 27000 from anywhere; ingress tcp 80 from anywhere", want: ""}, // one is gone, none is new
		{facet: "group g2 rules", target: "os", expected: "", want: ""},
		{facet: "cloud.open-group g1", target: "os", kind: fleet.FindSecurity, observed: "SSH (22)", want: "rule-remove os/g1 map[rule:r2]"},
		{facet: "bmc.user.2", target: "s01", observed: "ADMIN administrator enabled lan", expected: "ADMIN administrator disabled lan", want: "bmc-user-off s01 map[slot:2]"},
		{facet: "bmc.user.2", target: "s01", observed: "ADMIN administrator enabled lan", expected: "", want: "bmc-user-off s01 map[slot:2]"},
		{facet: "bmc.user.2", target: "s01", observed: "ADMIN administrator enabled lan", expected: "ADMIN operator enabled lan", want: ""},
		{facet: "bmc.ciphers", target: "s01", observed: "0 3 17", expected: "3 17", want: "bmc-cipher-off s01 map[suite:0]"},
		{facet: "bmc.ciphers", target: "s01", observed: "17", expected: "3 17", want: ""},
		{facet: "ipmi.weak-suite", target: "s01", kind: fleet.FindSecurity, observed: "1 2", want: "bmc-cipher-off s01 map[suite:1 2]"},
		{facet: "ipmi.null-user", target: "s01", kind: fleet.FindSecurity, observed: "user 1", want: "bmc-user-off s01 map[slot:1]"},
		{facet: "ipmi.default-name", target: "s01", kind: fleet.FindSecurity, observed: "ADMIN", want: "bmc-user-off s01 map[slot:2]"},
		{facet: "firmware", target: "s01", observed: "2.1", expected: "2.9", want: ""},
	} {
		f := fleet.Finding{Target: c.target, Facet: c.facet, Kind: c.kind, Observed: c.observed}
		if c.kind != fleet.FindSecurity {
			f.Baselines = []fleet.Baseline{{Name: fleet.BaseIntended, Expected: c.expected}}
		}
		a, ok := RevertOf(s, &f)
		got := ""
		if ok {
			got = fmt.Sprint(a.Action, " ", a.Targets[0], " ", a.Args)
			if why := a.Action.Spec().CheckArgs(a.Args); why != "" {
				t.Errorf("%s: %s", c.facet, why)
			}
		}
		if got != c.want {
			t.Errorf("%s %s: %q, want %q", c.target, c.facet, got, c.want)
		}
		if f.Ended = now; ok {
			if _, still := RevertOf(s, &f); still {
				t.Errorf("%s: there is nothing to put back of what ended", c.facet)
			}
		}
	}
}

// TestPlanNamesWhatItPutsRight: by whatever door the same is asked for, and only
// where it is the same.
func TestPlanNamesWhatItPutsRight(t *testing.T) {
	s := room()
	edit := s.Devices.Edit()
	edit.Get("sw1").Docket = &fleet.Docket{Findings: []fleet.Finding{
		{Target: "sw1", Facet: "port Ethernet3 speed", Baselines: []fleet.Baseline{{Expected: "1"}}},
		{Target: "sw1", Facet: "port Ethernet3 vlan", Observed: "999", Baselines: []fleet.Baseline{{Expected: "208"}, {Expected: "300"}}},
	}}
	const user = "ADMIN administrator enabled lan"
	edit.Get("s01").Spec.Endpoints = []fleet.Endpoint{{Source: fleet.SourceIPMI}}
	edit.Get("s01").Docket = &fleet.Docket{Findings: []fleet.Finding{
		{Target: "s01", Facet: "bmc.user.2", Observed: user, Baselines: []fleet.Baseline{{Expected: ""}}}, // it will be there, disabled
		{Target: "s01", Facet: "ipmi.default-name", Kind: fleet.FindSecurity, Observed: "ADMIN"},
	}}
	s.Devices = edit.Done()
	p := For(World{Snap: s, Now: now}, Ask{Action: fleet.ActUserOff, Args: map[string]string{"slot": "2"}, Targets: []string{"s01"}, Role: fleet.RoleOperator})
	if want := []string{"s01:ipmi.default-name"}; !slices.Equal(p.Reverts, want) {
		t.Errorf("a user that is disabled puts right %q, want %q", p.Reverts, want)
	}
	for vlan, want := range map[string][]string{"208": {"sw1:port Ethernet3 vlan"}, "300": nil} {
		p := For(World{Snap: s, Now: now}, Ask{Action: fleet.ActPortVLAN, Args: map[string]string{"vlan": vlan}, Targets: []string{"sw1/Ethernet3"}, Role: fleet.RoleOperator})
		if !slices.Equal(p.Reverts, want) {
			t.Errorf("VLAN %s puts right %q, want %q", vlan, p.Reverts, want)
		}
	}
}

// TestAnotherValueIsNotTheSameAgain: what was set wrong is set right at once;
// the same again waits.
func TestAnotherValueIsNotTheSameAgain(t *testing.T) {
	s := room()
	edit := s.Devices.Edit()
	sw := edit.Get("sw1")
	sw.SeenAt, sw.Tables[fleet.TablePorts].At = now, now
	sw.Ports[0].VLAN = 999
	s.Devices, s.Intervals = edit.Done(), [3]time.Duration{time.Minute, time.Minute, time.Minute}
	ask := func(vlan string) Ask {
		return Ask{Action: fleet.ActPortVLAN, Args: map[string]string{"vlan": vlan}, Targets: []string{"sw1/Ethernet3"}, Role: fleet.RoleOperator}
	}
	was := For(World{Snap: s, Now: now}, ask("208"))
	if g := was.Stops(); g != nil {
		t.Fatal(g.Text)
	}
	s.Jobs = []fleet.Job{{ID: "j1", Action: was.Action, Targets: []string{"sw1/Ethernet3"}, State: fleet.JobFailed, Planned: &was, Began: now.Add(-10 * time.Second),
		Steps: []fleet.JobStep{{Name: "act", Target: "sw1/Ethernet3", State: fleet.JobFailed}}}}
	for vlan, want := range map[string]string{"208": "cooldown", "110": ""} {
		p, got := For(World{Snap: s, Now: now}, ask(vlan)), ""
		if g := p.Stops(); g != nil {
			got = g.ID
		}
		if got != want {
			t.Errorf("VLAN %s is stopped by %q, want %q", vlan, got, want)
		}
	}
}
