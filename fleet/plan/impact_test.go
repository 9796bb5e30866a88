package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// room is four servers, each carrying one replica of match, with two on both
// switches and two on the first alone; s4's replica is an instance. The
// switches hang on one spine.
func room(floor int) *fleet.Snapshot {
	var ids []string
	var rows []fleet.Device
	ports := map[string][]fleet.Port{}
	add := func(id string, kind fleet.DeviceKind, links ...fleet.Cable) {
		for _, c := range links {
			sw, port, _ := strings.Cut(c.To, "/")
			ports[sw] = append(ports[sw], fleet.Port{PortDef: &fleet.PortDef{Name: port, Admin: "up", Oper: "up"}})
		}
		ids = append(ids, id)
		rows = append(rows, fleet.Device{Spec: &fleet.DeviceSpec{ID: id, Kind: kind, Links: links}, State: fleet.StateOK, Power: fleet.PowerOn, SeenAt: t0})
	}
	for n := range 4 {
		links := []fleet.Cable{{NIC: "eth0", To: fmt.Sprintf("swa/E%d", n)}, {NIC: "bmc", To: fmt.Sprintf("swa/M%d", n)}}
		if n < 2 {
			links = append(links, fleet.Cable{NIC: "eth1", To: fmt.Sprintf("swb/E%d", n)})
		}
		add(fmt.Sprintf("s%d", n+1), fleet.KindServer, links...)
	}
	add("swa", fleet.KindSwitch, fleet.Cable{NIC: "up", To: "sp/A"})
	add("swb", fleet.KindSwitch, fleet.Cable{NIC: "up", To: "sp/B"})
	add("sp", fleet.KindSwitch)
	for i := range rows {
		rows[i].Ports = ports[ids[i]]
	}
	s := &fleet.Snapshot{Devices: fleet.NewTable(ids, rows)}
	s.Instances = fleet.NewTable([]string{"vm"}, []fleet.InstanceState{{Instance: fleet.Instance{ID: "vm", Service: "match", State: fleet.StateOK}, Device: 3}})
	s.Services = fleet.NewTable([]string{"match"}, []fleet.Service{{
		Spec: &fleet.ServiceSpec{Name: "match", Floor: floor}, Replicas: 4, Devices: []int{0, 1, 2}, Instances: []int{0},
	}})
	return s
}

func TestImpact(t *testing.T) {
	job := func(state fleet.JobState, kind fleet.ActionKind, target string, ended time.Time) func(*fleet.Snapshot) {
		return func(s *fleet.Snapshot) {
			s.Jobs = []fleet.Job{{ID: "j", Action: kind, Targets: []string{target}, State: state, Ended: ended}}
		}
	}
	for _, c := range []struct {
		name    string
		step    Step
		change  func(*fleet.Snapshot)
		pending []Step
		want    string // before > after; empty: no service is hit
	}{
		{"a server", Step{fleet.ActPowerOff, "s1"}, nil, nil, "4 > 3"},
		{"the host of an instance", Step{fleet.ActReset, "s4"}, nil, nil, "4 > 3"},
		{"nothing stops", Step{fleet.ActIdentify, "s1"}, nil, nil, ""},
		{"nobody there", Step{fleet.ActPowerOff, "s9"}, nil, nil, ""},
		{"a replica that does not run", Step{fleet.ActPowerOff, "s1"}, func(s *fleet.Snapshot) { s.Devices.At(0).State = fleet.StateCrit }, nil, ""},
		{"another job under way", Step{fleet.ActPowerOff, "s1"}, job(fleet.JobRunning, fleet.ActPowerOff, "s2", time.Time{}), nil, "3 > 2"},
		{"another job accepted", Step{fleet.ActPowerOff, "s1"}, job(fleet.JobAccepted, fleet.ActReset, "s4", time.Time{}), nil, "3 > 2"},
		{"another job unknown, not seen since", Step{fleet.ActPowerOff, "s1"}, job(fleet.JobUnknown, fleet.ActPowerOff, "s2", t0), nil, "3 > 2"},
		{"another job unknown, seen since", Step{fleet.ActPowerOff, "s1"}, job(fleet.JobUnknown, fleet.ActPowerOff, "s2", t0.Add(-time.Second)), nil, "4 > 3"},
		{"another job verified", Step{fleet.ActPowerOff, "s1"}, job(fleet.JobVerified, fleet.ActPowerCycle, "s2", t0), nil, "4 > 3"},
		{"another on its way", Step{fleet.ActPowerOff, "s1"}, nil, []Step{{fleet.ActPowerOff, "s2"}}, "3 > 2"},
		{"a host that is off, which the cloud has not noticed", Step{fleet.ActPowerOff, "s1"}, func(s *fleet.Snapshot) { s.Devices.At(3).Power = fleet.PowerOff }, nil, "3 > 2"},
		{"one of two cables", Step{fleet.ActPortDown, "swa/E0"}, nil, nil, ""},
		{"the only cable", Step{fleet.ActPortDown, "swa/E2"}, nil, nil, "4 > 3"},
		{"the BMC's cable", Step{fleet.ActPortDown, "swa/M2"}, nil, nil, ""},
		{"the second of two", Step{fleet.ActPortDown, "swa/E0"}, job(fleet.JobAccepted, fleet.ActPortDown, "swb/E0", time.Time{}), nil, "4 > 3"},
		{"a switch's only uplink", Step{fleet.ActPortDown, "sp/A"}, nil, nil, "4 > 2"},
		{"a cable of a machine that is cut off already", Step{fleet.ActPortDown, "swa/E2"}, func(s *fleet.Snapshot) {
			for i := range s.Devices.At(4).Ports {
				s.Devices.At(4).Ports[i].PortDef.Oper = "down"
			}
		}, nil, ""},
	} {
		s := room(1)
		if c.change != nil {
			c.change(s)
		}
		got := ""
		for _, h := range Impact(s, []Step{c.step}, c.pending...) {
			got += fmt.Sprintf("%d > %d", h.Before, h.After)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFloors(t *testing.T) {
	for floor, want := range map[int]string{0: "", 2: "", 3: "second person", 4: "below its floor of 4", 5: "below its floor of 5"} {
		h := Impact(room(floor), []Step{{fleet.ActPowerOff, "s1"}})
		if len(h) != 1 || !strings.Contains(h[0].Refusal(), want) || (want == "") != (h[0].Refusal() == "") {
			t.Errorf("floor %d: %+v", floor, h)
		}
	}
}
