package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// The tests here hold one promise: silence, half an answer and a changed
// inventory neither heal nor break anything.

func hears(at time.Time, who string) *fleet.Observation {
	o := port(at, "up", 1, 1)
	o.SetTable(fleet.TableNeighbors, fleet.Complete)
	o.Neighbors = []fleet.Neighbor{{LocalPort: "Ethernet3", RemoteName: who, RemotePort: "eth0", Protocol: "lldp"}}
	return o
}

func TestReloadRenumbersWhatNamesDevices(t *testing.T) {
	inv := inventory()
	inv.Devices = append(inv.Devices, fleet.DeviceSpec{ID: "s02", Kind: fleet.KindServer, Rack: "ams1/r01", Site: "ams1", Region: "ams",
		Endpoints: inv.Devices[0].Endpoints, Links: []fleet.Cable{{NIC: "eth0", To: "sw1/Ethernet4"}}})
	s, _ := Step(Restore(inv, fleet.Memory{}, t0), []fleet.Input{hears(t0, "s02"), cloud(t0, "up")}, t0)
	if why := strings.Join(s.Devices.Get("sw1").Reasons, "; "); !strings.Contains(why, "hears s02 eth0, inventory says s01 eth0") {
		t.Fatalf("before: %q", why)
	}
	front := inventory()
	front.Devices = append([]fleet.DeviceSpec{{ID: "aa", Kind: fleet.KindOther, Site: "ams1", Region: "ams"}}, inv.Devices...)
	moved, _ := Step(s, []fleet.Input{fleet.Reload{Inventory: front}}, t0)
	if why := strings.Join(moved.Devices.Get("sw1").Reasons, "; "); !strings.Contains(why, "hears s02 eth0, inventory says s01 eth0") {
		t.Errorf("with a device in front: %q", why)
	}
	if h := moved.Hosts.Get("os-ams/s01"); h == nil || moved.Devices.ID(h.Device) != "s01" {
		t.Errorf("host points at another device: %+v", h)
	}
	gone, _ := Step(s, []fleet.Input{fleet.Reload{Inventory: inventory()}}, t0) // without s02
	if n := len(gone.Devices.Get("sw1").Miscabled); n != 0 {
		t.Errorf("%d cables lead to a device that left the inventory", n)
	}
}

func TestObservationAndReloadInOneBatch(t *testing.T) {
	inv := inventory()
	inv.Devices = inv.Devices[:2]
	o := &fleet.Observation{Target: "pa", Source: fleet.SourceSNMP, At: t0}
	o.SetTable(fleet.TableOutlets, fleet.Complete)
	s, _ := Step(start(t), []fleet.Input{o, fleet.Reload{Inventory: inv}}, t0)
	if s.Devices.Len() != 2 {
		t.Errorf("%d devices", s.Devices.Len())
	}
}

func TestReloadLeavesNoGhosts(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{server(t0, "on", 45, fleet.StateWarn), cloud(t0, "up")}, t0)
	inv := inventory()
	inv.Devices, inv.Clouds = nil, nil
	inv.Racks = append(inv.Racks, fleet.RackSpec{ID: "ams1/r02", Name: "r02", Site: "ams1", Region: "ams", Units: 42})
	s, _ = Step(s, []fleet.Input{fleet.Reload{Inventory: inv}}, t0)
	if r := s.Racks.Get("ams1/r01"); r.State != fleet.StateOK || r.Devices != 0 {
		t.Errorf("a rack that lost its last device is %s with %d devices", r.State, r.Devices)
	}
	if r := s.Regions.Get("ams"); r.State != fleet.StateOK || s.Sites.Get("ams1").State != fleet.StateOK {
		t.Errorf("an empty region is %s, its site %s", r.State, s.Sites.Get("ams1").State)
	}
	if s.Instances.Len() != 0 || s.Hosts.Len() != 0 || s.Counts.By[fleet.KindOfInstance][fleet.StateOK] != 0 {
		t.Errorf("%d instances and %d hosts of a cloud that left", s.Instances.Len(), s.Hosts.Len())
	}
}

func TestPartialReadResolvesNothing(t *testing.T) {
	hot, _ := Step(start(t), []fleet.Input{server(t0, "on", 90, fleet.StateCrit)}, t0)
	for name, change := range map[string]func(o *fleet.Observation){
		"not shown": func(o *fleet.Observation) { o.Sensors = nil },
		"not readable": func(o *fleet.Observation) {
			o.Sensors[0].Value, o.Sensors[0].State, o.Sensors[0].Text = fleet.Num{}, fleet.StateUnknown, "node busy"
		},
	} {
		o := server(t0.Add(10*time.Second), "on", 0, fleet.StateUnknown)
		o.SetTable(fleet.TableSensors, fleet.Partial)
		change(o)
		s, _ := Step(hot, []fleet.Input{o}, o.At)
		d := s.Devices.Get("s01")
		if d.State != fleet.StateCrit || !strings.Contains(d.Reasons[0], "not read since 14:00:00") || d.Sensors[0].Value.Known {
			t.Errorf("%s: %s %q", name, d.State, d.Reasons)
		}
		well, _ := Step(s, []fleet.Input{server(t0.Add(20*time.Second), "on", 20, fleet.StateOK)}, t0.Add(20*time.Second))
		if d := well.Devices.Get("s01"); d.State != fleet.StateOK {
			t.Errorf("%s, then read again: %s %q", name, d.State, d.Reasons)
		}
	}
}

func TestTableThatIsNoLongerReadIsNotHealth(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
	for i := 1; i <= 5; i++ {
		at := t0.Add(time.Duration(i) * 10 * time.Second)
		o := server(at, "on", 0, fleet.StateOK)
		o.Sensors = nil
		o.SetTable(fleet.TableSensors, fleet.Failed)
		o.Err = &fleet.ProbeError{Target: "s01", Op: "get sensor reading", Err: fleet.ErrTimeout}
		s, _ = Step(s, []fleet.Input{o}, at)
	}
	d := s.Devices.Get("s01")
	if d.State != fleet.StateUnknown || d.Blind() || !strings.Contains(strings.Join(d.Reasons, ";"), "sensors not read since 14:00:00") {
		t.Errorf("%s blind %v %q", d.State, d.Blind(), d.Reasons)
	}
}

func TestTwoWiresDoNotEraseEachOther(t *testing.T) {
	inv := inventory()
	inv.Devices[0].Endpoints = append(inv.Devices[0].Endpoints, fleet.Endpoint{Source: fleet.SourceSNMP, Address: "127.0.0.1:2"})
	agent := func(at time.Time) *fleet.Observation {
		o := &fleet.Observation{Target: "s01", Source: fleet.SourceSNMP, At: at}
		o.SetTable(fleet.TableSensors, fleet.Absent)
		return o
	}
	s, _ := Step(Restore(inv, fleet.Memory{}, t0), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
	s, out := Step(s, []fleet.Input{agent(t0.Add(time.Second))}, t0.Add(time.Second))
	if d := s.Devices.Get("s01"); len(d.Sensors) != 1 || len(out.Changes) != 0 {
		t.Errorf("an agent without sensors left %d of the BMC's, %d rows written", len(d.Sensors), len(out.Changes))
	}
	o := server(t0.Add(2*time.Second), "on", 20, fleet.StateOK)
	o.Sensors = nil
	s, _ = Step(s, []fleet.Input{o}, o.At)
	if n := len(s.Devices.Get("s01").Sensors); n != 0 {
		t.Errorf("%d sensors stay that their own wire no longer has", n)
	}
}

func TestClockSetBackKeepsNobodyYoung(t *testing.T) {
	_, out := Step(start(t), []fleet.Input{server(t0.Add(time.Hour), "on", 20, fleet.StateOK)}, t0.Add(time.Hour))
	s := Restore(inventory(), fleet.Memory{Version: 1, Tables: fleet.Remember(out.Changes), Readings: out.Readings}, t0)
	s, _ = Step(s, []fleet.Input{fleet.Tick{}}, t0.Add(time.Minute))
	if d := s.Devices.Get("s01"); d.State != fleet.StateUnknown {
		t.Errorf("last seen in the future, silent for a minute: %s", d.State)
	}
}

func TestRateAfterAMissedPort(t *testing.T) {
	at := func(n int) time.Time { return t0.Add(time.Duration(n) * 10 * time.Second) }
	s, _ := Step(start(t), []fleet.Input{port(at(0), "up", 1000, 100)}, at(0))
	missed := port(at(1), "up", 0, 110)
	missed.Ports = nil
	missed.SetTable(fleet.TablePorts, fleet.Partial)
	s, out := Step(s, []fleet.Input{missed}, at(1))
	for i, k := range out.Readings[0].Keys {
		if k.Table == fleet.TablePorts && out.Readings[0].Values[i].Known {
			t.Errorf("%s was written though it was not read", k)
		}
	}
	s, _ = Step(s, []fleet.Input{port(at(2), "up", 21_000, 120)}, at(2))
	if r := s.Devices.Get("sw1").Ports[0].Rates.InBps; r.Known {
		t.Errorf("%s bits/s over a hole", r)
	}
	s, _ = Step(s, []fleet.Input{port(at(3), "up", 31_000, 130)}, at(3))
	if r := s.Devices.Get("sw1").Ports[0].Rates.InBps.String(); r != "8000" {
		t.Errorf("%s bits/s, want 8000", r)
	}
}

func TestUptimeIsHeldAgainstItsOwnLastReading(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{port(t0, "up", 1000, 3600)}, t0)
	failed := port(t0.Add(time.Minute), "up", 0, 3660)
	failed.Ports = nil
	failed.SetTable(fleet.TablePorts, fleet.Failed)
	s, _ = Step(s, []fleet.Input{failed}, failed.At)
	_, out := Step(s, []fleet.Input{port(t0.Add(2*time.Minute), "up", 2000, 3720)}, t0.Add(2*time.Minute))
	for _, e := range out.Events {
		if e.Type == "restart" {
			t.Errorf("no restart: %s", e.Text)
		}
	}
}

func TestRecentSaysEachThingOnce(t *testing.T) {
	o := server(t0, "on", 20, fleet.StateOK)
	for i := range 3 {
		o.Events = append(o.Events, fleet.Event{ID: fmt.Sprint("sel", i/2), Target: "s01", At: t0, Severity: fleet.SeverityCrit})
	}
	o.Events = append(o.Events, fleet.Event{ID: "ahead", Target: "s01", At: t0.Add(24 * time.Hour), Severity: fleet.SeverityCrit})
	s, _ := Step(start(t), []fleet.Input{o}, t0)
	again := server(t0.Add(time.Second), "on", 20, fleet.StateOK)
	again.Events = o.Events
	s, _ = Step(s, []fleet.Input{again}, again.At)
	if len(s.Recent) != 2 {
		t.Errorf("%d events are news, want 2: %+v", len(s.Recent), s.Recent)
	}
}

func TestPowerJobNeedsALookAtThePower(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{server(t0, "off", 20, fleet.StateOff)}, t0)
	job := fleet.Job{ID: "j", Action: fleet.ActPowerOff, Targets: []string{"s01"}, State: fleet.JobAccepted, By: "bob", Began: t0.Add(time.Second),
		Steps: []fleet.JobStep{{Name: "act", Target: "s01", State: fleet.JobAccepted}}}
	o := server(t0.Add(2*time.Second), "off", 20, fleet.StateOff)
	o.Facts, o.Tables[fleet.TableFacts] = nil, fleet.Failed
	s, _ = Step(s, []fleet.Input{fleet.Decision{Job: &job}, o}, o.At)
	if s.Jobs[0].State != fleet.JobAccepted {
		t.Errorf("job is %s by a power state from before", s.Jobs[0].State)
	}
}

func TestCycleNeedsAWitness(t *testing.T) {
	job := fleet.Job{ID: "j", Action: fleet.ActPowerCycle, Targets: []string{"s01"}, State: fleet.JobAccepted, By: "bob", Began: t0.Add(time.Second),
		Steps: []fleet.JobStep{{Name: "act", Target: "s01", State: fleet.JobAccepted}}}
	begin := func() *fleet.Snapshot {
		s, _ := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
		s, _ = Step(s, []fleet.Input{fleet.Decision{Job: &job}}, t0.Add(time.Second))
		return s
	}
	at := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Second) }
	s, _ := Step(begin(), []fleet.Input{server(at(5), "on", 20, fleet.StateOK)}, at(5))
	if s.Jobs[0].State != fleet.JobAccepted {
		t.Fatalf("on before and on after is %s", s.Jobs[0].State)
	}
	lied, _ := Step(s, []fleet.Input{server(at(200), "on", 20, fleet.StateOK)}, at(200))
	if lied.Jobs[0].State != fleet.JobUnknown {
		t.Errorf("without a witness the job is %s", lied.Jobs[0].State)
	}
	s, _ = Step(begin(), []fleet.Input{server(at(3), "off", 20, fleet.StateOff)}, at(3))
	s, _ = Step(s, []fleet.Input{server(at(9), "on", 20, fleet.StateOK)}, at(9))
	if s.Jobs[0].State != fleet.JobVerified {
		t.Errorf("seen off and on again: %s", s.Jobs[0].State)
	}
	boot := server(at(6), "on", 20, fleet.StateOK)
	boot.Events = []fleet.Event{{ID: "e", Target: "s01", Source: "sel", Type: "System Boot Initiated", Text: "initiated by power up", At: at(4)}}
	if s, _ := Step(begin(), []fleet.Input{boot}, at(6)); s.Jobs[0].State != fleet.JobVerified {
		t.Errorf("its log tells of a start: %s", s.Jobs[0].State)
	}
}

func TestUnsettledJobsStayInTheWorld(t *testing.T) {
	s := start(t)
	first := fleet.Job{ID: "first", Action: fleet.ActPowerOff, Targets: []string{"s01"}, State: fleet.JobAccepted, Began: t0,
		Steps: []fleet.JobStep{{Name: "act", Target: "s01", State: fleet.JobAccepted}}}
	in := []fleet.Input{fleet.Decision{Job: &first}}
	for i := range 150 {
		in = append(in, fleet.Decision{Job: &fleet.Job{ID: fmt.Sprint(i), Action: fleet.ActIdentify, Targets: []string{"s01"}, State: fleet.JobFailed, Began: t0, Ended: t0}})
	}
	s, _ = Step(s, in, t0)
	if len(s.Jobs) != maxJobs || s.Jobs[len(s.Jobs)-1].ID != "first" {
		t.Errorf("%d jobs, the last is %s", len(s.Jobs), s.Jobs[len(s.Jobs)-1].ID)
	}
}

// TestTriflesDoNotEmptyTheBudgets: what guards look back at stays as long as
// they do, however many harmless jobs come after it.
func TestTriflesDoNotEmptyTheBudgets(t *testing.T) {
	over := func(id string, kind fleet.ActionKind, at time.Time) fleet.Input {
		return fleet.Decision{Job: &fleet.Job{ID: id, Action: kind, Targets: []string{"s01"}, State: fleet.JobVerified, Began: at, Ended: at}}
	}
	in := []fleet.Input{over("yesterday", fleet.ActReset, t0.Add(-25*time.Hour)), over("today", fleet.ActReset, t0)}
	for i := range 3 * maxJobs {
		in = append(in, over(fmt.Sprint(i), fleet.ActIdentify, t0))
	}
	s, _ := Step(start(t), in, t0)
	if len(s.Jobs) != maxJobs || s.Jobs[len(s.Jobs)-1].ID != "today" {
		t.Errorf("%d jobs, the last is %s", len(s.Jobs), s.Jobs[len(s.Jobs)-1].ID)
	}
	for i := range 2 * maxWeighed {
		s, _ = Step(s, []fleet.Input{over(fmt.Sprint("r", i), fleet.ActReset, t0)}, t0)
	}
	if len(s.Jobs) != maxWeighed {
		t.Errorf("%d jobs", len(s.Jobs))
	}
}

func TestServiceIsNotBelowItsFloorBeforeItsCloudWasRead(t *testing.T) {
	inv := inventory()
	inv.Devices[0].Tags = map[string]string{"service": "match"}
	s, out := Step(Restore(inv, fleet.Memory{}, t0), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
	if v := s.Services.Get("match"); v.State != fleet.StateUnknown || !v.Unread || !strings.Contains(v.Reasons[0], "os-ams not read yet") {
		t.Errorf("%s %q", v.State, v.Reasons)
	}
	s, more := Step(s, []fleet.Input{cloud(t0.Add(time.Second), "up")}, t0.Add(time.Second))
	if v := s.Services.Get("match"); v.State != fleet.StateOK || v.Replicas != 4 {
		t.Errorf("%s %q with %d replicas", v.State, v.Reasons, v.Replicas)
	}
	for _, e := range append(out.Events, more.Events...) {
		if e.Severity == fleet.SeverityCrit {
			t.Errorf("a start made an alarm: %s", e.Text)
		}
	}
}

func TestSumsForgetWhatASilentMeterSaid(t *testing.T) {
	inv := inventory()
	inv.Devices = append(inv.Devices, fleet.DeviceSpec{ID: "pb", Kind: fleet.KindPDU, Rack: "ams1/r01", Site: "ams1", Region: "ams", Feed: "ams1-A", Endpoints: inv.Devices[2].Endpoints})
	pdu := func(id string, at time.Time, watts, amps int64) *fleet.Observation {
		o := &fleet.Observation{Target: id, Source: fleet.SourceSNMP, At: at, Outlets: []fleet.Outlet{{Index: 3, State: "on", PowerW: fleet.Int(watts), CurrentA: fleet.Int(amps)}}}
		o.SetTable(fleet.TableOutlets, fleet.Complete)
		return o
	}
	s, _ := Step(Restore(inv, fleet.Memory{}, t0), []fleet.Input{pdu("pa", t0, 2000, 9), pdu("pb", t0, 2000, 9)}, t0)
	if r, f := s.Racks.Get("ams1/r01"), s.Feeds.Get("ams1-A"); r.PowerW.N != 4000 || f.AmpsA.Float() != 18 {
		t.Fatalf("both: rack %s W, feed %s A", r.PowerW, f.AmpsA)
	}
	at := t0.Add(25 * time.Second)
	s, _ = Step(s, []fleet.Input{pdu("pa", at, 4000, 18)}, at) // pb is silent and its load moved
	if r, f := s.Racks.Get("ams1/r01"), s.Feeds.Get("ams1-A"); r.PowerW.N != 4000 || f.AmpsA.Float() != 18 {
		t.Errorf("after pb fell silent: rack %s W, feed %s A", r.PowerW, f.AmpsA)
	}
}

func TestHostsOfASilentCloudAreUnknown(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK), cloud(t0, "up")}, t0)
	at := t0.Add(time.Minute)
	s, _ = Step(s, []fleet.Input{server(at, "on", 20, fleet.StateOK)}, at)
	if h := s.Hosts.Get("os-ams/s01"); h.State != fleet.StateUnknown || s.Counts.By[fleet.KindOfHost][fleet.StateUnknown] != 1 {
		t.Errorf("host is %s, counts %v", h.State, s.Counts.By[fleet.KindOfHost])
	}
	at = at.Add(time.Second)
	s, _ = Step(s, []fleet.Input{&fleet.Observation{Target: "os-ams", Source: fleet.SourceOpenStack, At: at, Err: &fleet.ProbeError{Target: "os-ams", Op: "list", Err: fleet.ErrTimeout}}}, at)
	if h := s.Hosts.Get("os-ams/s01"); h.State != fleet.StateUnknown {
		t.Errorf("after a failed poll the host is %s", h.State)
	}
	at = at.Add(time.Second)
	s, _ = Step(s, []fleet.Input{cloud(at, "up")}, at)
	if h := s.Hosts.Get("os-ams/s01"); h.State != fleet.StateOK {
		t.Errorf("seen again: %s", h.State)
	}
}
