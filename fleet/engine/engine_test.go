package engine

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumb/fleet"
)

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// inventory is one rack with a server on two cords and a switch, one cloud
// that calls the server a hypervisor, and one service.
func inventory() *fleet.Inventory {
	ep := func(src fleet.Source) []fleet.Endpoint {
		return []fleet.Endpoint{{Source: src, Address: "127.0.0.1:1"}}
	}
	return &fleet.Inventory{
		Regions: []fleet.RegionSpec{{Name: "ams"}},
		Sites:   []fleet.SiteSpec{{Name: "ams1", Region: "ams"}},
		Racks:   []fleet.RackSpec{{ID: "ams1/r01", Name: "r01", Site: "ams1", Region: "ams", Units: 42}},
		Feeds:   []fleet.FeedSpec{{Name: "ams1-A", Site: "ams1"}},
		Devices: []fleet.DeviceSpec{
			{ID: "s01", Kind: fleet.KindServer, Rack: "ams1/r01", Site: "ams1", Region: "ams", Unit: 6, Height: 2, Endpoints: ep(fleet.SourceIPMI),
				Links: []fleet.Cable{{NIC: "eth0", To: "sw1/Ethernet3"}}, Power: []fleet.PowerCord{{PSU: 1, Outlet: "pa/3"}}},
			{ID: "sw1", Kind: fleet.KindSwitch, Rack: "ams1/r01", Site: "ams1", Region: "ams", Unit: 84, Height: 2, Endpoints: ep(fleet.SourceSNMP)},
			{ID: "pa", Kind: fleet.KindPDU, Rack: "ams1/r01", Site: "ams1", Region: "ams", Feed: "ams1-A", Endpoints: ep(fleet.SourceSNMP)},
		},
		Clouds:    []fleet.CloudSpec{{Name: "os-ams", Region: "ams"}},
		Services:  []fleet.ServiceSpec{{Name: "match", Select: map[string]string{"service": "match"}, Floor: 2}},
		Intervals: [3]time.Duration{10 * time.Second, time.Minute, 5 * time.Minute},
	}
}

func start(t *testing.T) *fleet.Snapshot {
	t.Helper()
	return Restore(inventory(), fleet.Memory{}, t0)
}

func server(at time.Time, power string, inlet int64, st fleet.State) *fleet.Observation {
	o := &fleet.Observation{Target: "s01", Source: fleet.SourceIPMI, At: at}
	o.Facts.Set(fleet.FactPower, power)
	o.SetTable(fleet.TableFacts, fleet.Complete)
	o.SetTable(fleet.TableSensors, fleet.Complete)
	def := fleet.SensorDef{ID: "1", Key: "20.0.1", Name: "Inlet Temp", Class: fleet.ClassTemperature, Unit: "C", Limits: fleet.Limits{HighWarn: fleet.Int(40)}}
	o.Sensors = []fleet.Sensor{{SensorDef: &def, Value: fleet.Int(inlet), State: st}}
	return o
}

func port(at time.Time, oper string, octets uint64, uptime int64) *fleet.Observation {
	o := &fleet.Observation{Target: "sw1", Source: fleet.SourceSNMP, At: at}
	o.Facts.SetNum(fleet.FactUptime, fleet.Int(uptime), true)
	o.SetTable(fleet.TablePorts, fleet.Complete)
	p := fleet.Port{PortDef: &fleet.PortDef{Index: 3, Name: "Ethernet3", Admin: "up", Oper: oper, SpeedBps: fleet.Int(25_000_000_000)}}
	p.Counters.Set(fleet.InOctets, octets, true)
	p.Counters.Set(fleet.OutOctets, octets, true)
	o.Ports = []fleet.Port{p}
	return o
}

func TestNothingIsHealthyBeforeItWasSeen(t *testing.T) {
	s := start(t)
	for id, d := range s.Devices.All() {
		if d.State != fleet.StateUnknown || len(d.Reasons) == 0 {
			t.Errorf("%s is %s %q before any poll, want unknown with a reason", id, d.State, d.Reasons)
		}
	}
	if got := s.Counts.By[fleet.KindOfDevice][fleet.StateUnknown]; got != 3 {
		t.Errorf("%d devices counted unknown, want 3", got)
	}
}

func TestStepIsImmutableAndRollsUp(t *testing.T) {
	s := start(t)
	hot, out := Step(s, []fleet.Input{server(t0, "on", 45, fleet.StateWarn)}, t0)
	if d := s.Devices.Get("s01"); d.State != fleet.StateUnknown || len(d.Sensors) != 0 {
		t.Error("the previous snapshot was written")
	}
	d := hot.Devices.Get("s01")
	if d.State != fleet.StateWarn || d.Reasons[0] != "Inlet Temp 45 C (warn 40)" {
		t.Errorf("device is %s %q", d.State, d.Reasons)
	}
	if r := hot.Racks.Get("ams1/r01"); r.State != fleet.StateWarn || r.By[fleet.StateWarn] != 1 || r.FreeUnits != 40 {
		t.Errorf("rack %+v", r)
	}
	if r := hot.Regions.Get("ams"); r.State != fleet.StateWarn {
		t.Errorf("region is %s", r.State)
	}
	if len(out.Events) != 1 || !strings.Contains(out.Events[0].Text, "Inlet Temp 45 C") {
		t.Errorf("events %+v", out.Events)
	}
	if len(hot.Recent) != 1 {
		t.Error("a warning is missing in Recent")
	}
}

func TestSameAgainIsNoChange(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
	keys := s.Devices.Get("s01").Series
	s2, out := Step(s, []fleet.Input{server(t0.Add(10*time.Second), "on", 21, fleet.StateOK)}, t0.Add(10*time.Second))
	if len(out.Changes) != 0 || len(out.Events) != 0 {
		t.Errorf("a moved value made rows %v and events %v", out.Changes, out.Events)
	}
	if len(out.Readings) != 1 || &out.Readings[0].Keys[0] != &keys[0] {
		t.Error("the keys of a device's readings are not shared between polls")
	}
	if _, quiet := Step(s2, []fleet.Input{fleet.Tick{}}, t0.Add(11*time.Second)); len(quiet.Changes)+len(quiet.Events) != 0 {
		t.Error("a tick said something though nothing happened")
	}
	if same, _ := Step(s2, nil, t0.Add(11*time.Second)); same != s2 {
		t.Error("an empty step made a new snapshot")
	}
}

func TestBlindKeepsStateThenUnknown(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
	lost := &fleet.Observation{Target: "s01", Source: fleet.SourceIPMI, At: t0.Add(10 * time.Second),
		Err: &fleet.ProbeError{Target: "s01", Op: "get", Err: fleet.ErrTimeout}}
	lost.SetTable(fleet.TableSensors, fleet.Failed)
	s, _ = Step(s, []fleet.Input{lost}, lost.At)
	d := s.Devices.Get("s01")
	if d.State != fleet.StateOK || !d.Blind() || len(d.Sensors) != 1 || d.Err.Kind() != "timeout" {
		t.Fatalf("blind device: state %s blind %v sensors %d", d.State, d.Blind(), len(d.Sensors))
	}
	if s.Counts.Blind != 1 {
		t.Errorf("%d blind counted", s.Counts.Blind)
	}
	s, out := Step(s, []fleet.Input{fleet.Tick{}}, t0.Add(21*time.Second))
	if d := s.Devices.Get("s01"); d.State != fleet.StateUnknown || !strings.Contains(d.Reasons[0], "timeout") {
		t.Errorf("after two intervals: %s %q", d.State, d.Reasons)
	}
	if len(out.Events) != 1 {
		t.Errorf("events %v", out.Events)
	}
	if again, out := Step(s, []fleet.Input{fleet.Tick{}}, t0.Add(30*time.Second)); again != s || len(out.Events) != 0 {
		t.Error("being unknown was said twice")
	}
}

func TestPartialNeverDeletes(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
	for _, c := range []fleet.Completeness{fleet.Partial, fleet.Failed, fleet.NotAsked} {
		o := &fleet.Observation{Target: "s01", Source: fleet.SourceIPMI, At: t0.Add(time.Second), Tables: map[fleet.TableID]fleet.Completeness{fleet.TableSensors: c}}
		if n, out := Step(s, []fleet.Input{o}, o.At); len(n.Devices.Get("s01").Sensors) != 1 || len(out.Changes) != 0 {
			t.Errorf("a %q table deleted a sensor", c)
		}
	}
	for _, c := range []fleet.Completeness{fleet.Complete, fleet.Absent} {
		o := &fleet.Observation{Target: "s01", Source: fleet.SourceIPMI, At: t0.Add(time.Second), Tables: map[fleet.TableID]fleet.Completeness{fleet.TableSensors: c}}
		n, out := Step(s, []fleet.Input{o}, o.At)
		if len(n.Devices.Get("s01").Sensors) != 0 || len(out.Changes) != 1 || out.Changes[0].Value != nil {
			t.Errorf("a %q table kept a sensor that is gone", c)
		}
	}
}

func TestRates(t *testing.T) {
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	first, _ := Step(start(t), []fleet.Input{port(t0, "up", 1000, 5000)}, t0)
	if r := first.Devices.Get("sw1").Ports[0].Rates; r.InBps.Known {
		t.Error("a rate from one sample")
	}
	for _, c := range []struct {
		name   string
		octets uint64
		uptime int64
		want   string
	}{
		{"steady", 1000 + 10_000, 5010, "8000"},
		{"restarted agent", 1000 + 10_000, 3, "null"},
		{"counter fell without a restart", 10, 5010, "null"},
	} {
		s, _ := Step(first, []fleet.Input{port(at(10), "up", c.octets, c.uptime)}, at(10))
		if got := s.Devices.Get("sw1").Ports[0].Rates.InBps.String(); got != c.want {
			t.Errorf("%s: %s bits/s, want %s", c.name, got, c.want)
		}
	}
}

func TestCounter32Wrap(t *testing.T) {
	was, is := &fleet.Port{PortDef: &fleet.PortDef{}}, &fleet.Port{PortDef: &fleet.PortDef{SpeedBps: fleet.Int(100_000_000)}}
	was.Counters.Set(fleet.InOctets, 4_294_967_000, false)
	is.Counters.Set(fleet.InOctets, 704, false)
	if n, ok := delta(was, is, fleet.InOctets, 10*time.Second, 100e6/8); !ok || n != 1000 {
		t.Errorf("wrap: %d %v, want 1000", n, ok)
	}
	is.Counters.Set(fleet.InOctets, 4_000_000_000, false)
	if _, ok := delta(was, is, fleet.InOctets, 10*time.Second, 100e6/8); ok {
		t.Error("a fall that no wire could carry was taken for a wrap")
	}
}

func TestUptimeRollsOver(t *testing.T) {
	top := int64(42949672) // 497 days in seconds
	if restarted(fleet.Int(top-4), fleet.Int(6), 10*time.Second) {
		t.Error("the roll-over of sysUpTime was taken for a restart")
	}
	if !restarted(fleet.Int(5000), fleet.Int(6), 10*time.Second) || !restarted(fleet.Int(5), fleet.Int(8), time.Minute) {
		t.Error("a restart was missed")
	}
}

func TestDeadCableButNotBehindADeadServer(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK), port(t0, "down", 0, 1)}, t0)
	if d := s.Devices.Get("sw1"); d.State != fleet.StateWarn || !strings.Contains(d.Reasons[0], "s01 eth0") {
		t.Errorf("dark cabled port: %s %q", d.State, d.Reasons)
	}
	s, _ = Step(start(t), []fleet.Input{server(t0, "off", 20, fleet.StateOK), port(t0, "down", 0, 1)}, t0)
	if d := s.Devices.Get("sw1"); d.State != fleet.StateOK {
		t.Errorf("port of a server that is off: %s %q", d.State, d.Reasons)
	}
	if d := s.Devices.Get("s01"); d.State != fleet.StateOff {
		t.Errorf("server without power is %s", d.State)
	}
}

func cloud(at time.Time, hostState string) *fleet.Observation {
	o := &fleet.Observation{Target: "os-ams", Source: fleet.SourceOpenStack, At: at}
	o.SetTable(fleet.TableInstances, fleet.Complete)
	o.SetTable(fleet.TableHosts, fleet.Complete)
	o.Hosts = []fleet.Host{{ID: "h1", Name: "s01", State: hostState, Status: "enabled"}}
	for _, id := range []string{"i-1", "i-2", "i-3"} {
		o.Instances = append(o.Instances, fleet.Instance{ID: id, State: fleet.StateOK, RunState: "ACTIVE", Host: "s01", Tags: map[string]string{"service": "match"}})
	}
	return o
}

func TestGuestIsNeverGreenerThanItsHost(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK), cloud(t0, "up")}, t0)
	if x := s.Instances.Get("i-1"); x.State != fleet.StateOK || x.Service != "match" || s.Devices.ID(x.Device) != "s01" {
		t.Fatalf("instance %+v", x)
	}
	if v := s.Services.Get("match"); v.State != fleet.StateOK || v.Replicas != 3 || v.Hosts != 1 {
		t.Fatalf("service %+v", v)
	}
	s, out := Step(s, []fleet.Input{cloud(t0.Add(time.Second), "down")}, t0.Add(time.Second))
	if x := s.Instances.Get("i-1"); x.State != fleet.StateCrit || x.RunState != "ACTIVE" || len(x.Reasons) == 0 {
		t.Errorf("guest on a dead host: %s %q", x.State, x.Reasons)
	}
	if v := s.Services.Get("match"); v.State != fleet.StateCrit || v.Replicas != 0 {
		t.Errorf("service without a live host: %+v", v)
	}
	if len(out.Events) == 0 {
		t.Error("a service below its floor is no event")
	}
	s, _ = Step(s, []fleet.Input{cloud(t0.Add(2*time.Second), "up"), server(t0.Add(2*time.Second), "off", 0, fleet.StateOff)}, t0.Add(2*time.Second))
	if x := s.Instances.Get("i-1"); x.State != fleet.StateCrit {
		t.Errorf("guest on a machine without power is %s", x.State)
	}
}

func TestJobIsDoneWhenItIsSeen(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
	job := fleet.Job{ID: "j1", Action: fleet.ActPowerOff, Targets: []string{"s01"}, State: fleet.JobAccepted, By: "bob", Began: t0.Add(time.Second),
		Steps: []fleet.JobStep{{Name: "act", Target: "s01", State: fleet.JobAccepted}}}
	s, _ = Step(s, []fleet.Input{fleet.Decision{Job: &job}}, t0.Add(time.Second))
	s, _ = Step(s, []fleet.Input{server(t0.Add(2*time.Second), "on", 20, fleet.StateOK)}, t0.Add(2*time.Second))
	if s.Jobs[0].State != fleet.JobAccepted {
		t.Fatalf("job is %s though the server still runs", s.Jobs[0].State)
	}
	done, out := Step(s, []fleet.Input{server(t0.Add(3*time.Second), "off", 20, fleet.StateOff)}, t0.Add(3*time.Second))
	if done.Jobs[0].State != fleet.JobVerified || len(out.Audit) != 1 || out.Audit[0].Outcome != "done" {
		t.Errorf("job %+v audit %+v", done.Jobs[0], out.Audit)
	}
	late, out := Step(s, []fleet.Input{server(t0.Add(4*time.Minute), "on", 20, fleet.StateOK)}, t0.Add(4*time.Minute))
	if late.Jobs[0].State != fleet.JobFailed || out.Audit[0].Outcome != "failed" {
		t.Errorf("a BMC that says yes and does nothing: job %+v", late.Jobs[0])
	}
	away, _ := Step(s, []fleet.Input{fleet.Tick{}}, t0.Add(5*time.Minute))
	if away.Jobs[0].State != fleet.JobAccepted {
		t.Errorf("nobody has looked, and the job is %s", away.Jobs[0].State)
	}
	away, out = Step(away, []fleet.Input{fleet.Tick{}}, t0.Add(time.Hour))
	if away.Jobs[0].State != fleet.JobUnknown || out.Audit[0].Outcome != "unknown" {
		t.Errorf("a BMC that said yes and went away: job %+v", away.Jobs[0])
	}
}

func TestRestoreRemembers(t *testing.T) {
	s, out := Step(start(t), []fleet.Input{server(t0, "on", 45, fleet.StateWarn), port(t0, "up", 9, 9), cloud(t0, "up")}, t0)
	mem := fleet.Memory{Version: s.Version, Tables: fleet.Remember(out.Changes), Readings: out.Readings}
	back := Restore(inventory(), mem, t0.Add(5*time.Second))
	d := back.Devices.Get("s01")
	if d.State != fleet.StateWarn || d.Power != fleet.PowerOn || d.Sensors[0].Value.N != 45 || d.InletC.N != 45 {
		t.Errorf("restored device %s %s %+v", d.State, d.Power, d.Sensors)
	}
	if p := back.Devices.Get("sw1").Port("Ethernet3"); p == nil || p.SpeedBps.N != 25_000_000_000 {
		t.Error("the port did not come back")
	}
	if x := back.Instances.Get("i-2"); x == nil || x.RunState != "ACTIVE" || x.Service != "match" {
		t.Errorf("the instance came back as %+v", x)
	}
	if old := Restore(inventory(), mem, t0.Add(time.Hour)).Devices.Get("s01"); old.State != fleet.StateUnknown {
		t.Errorf("an hour-old value restores as %s", old.State)
	}
}

func TestReloadKeepsWhatIsStillThere(t *testing.T) {
	s, _ := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
	inv := inventory()
	inv.Devices = append([]fleet.DeviceSpec{{ID: "s00", Kind: fleet.KindServer, Rack: "ams1/r01", Site: "ams1", Region: "ams"}}, inv.Devices[:2]...)
	s, _ = Step(s, []fleet.Input{fleet.Reload{Inventory: inv}}, t0)
	if d := s.Devices.Get("s01"); d == nil || d.State != fleet.StateOK {
		t.Error("a reload forgot a device that is still there")
	}
	if s.Devices.Get("pa") != nil || s.Devices.Len() != 3 {
		t.Error("a device that left the inventory is still shown")
	}
	if got := s.Counts.By[fleet.KindOfDevice]; got[fleet.StateOK] != 1 || got[fleet.StateUnknown] != 2 {
		t.Errorf("counts %v", got)
	}
}

// TestStepReplays holds the engine to its word: the same inputs give the same
// outputs.
func TestStepReplays(t *testing.T) {
	run := func() []byte {
		s, said := start(t), []any{}
		for i := range 40 {
			at := t0.Add(time.Duration(i) * 7 * time.Second)
			in := []fleet.Input{port(at, []string{"up", "down"}[i/5%2], uint64(i)*1000, int64(i)*7), cloud(at, []string{"up", "down"}[i/9%2])}
			if i%3 == 0 {
				in = append(in, server(at, []string{"on", "off"}[i/11%2], int64(20+i), fleet.StateOK))
			}
			var out fleet.Output
			s, out = Step(s, in, at)
			said = append(said, out.Changes, out.Events, s.Counts)
		}
		b, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if d := cmp.Diff(string(run()), string(run())); d != "" {
		t.Error(d)
	}
}

func TestProbeErrorSurvivesJSON(t *testing.T) {
	o := port(t0, "up", 1<<63+7, 12)
	o.Err = &fleet.ProbeError{Target: "sw1", Op: "walk", Err: fleet.ErrBusy}
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var back fleet.Observation
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(back)
	if d := cmp.Diff(string(b), string(again)); d != "" {
		t.Error(d)
	}
	if !errors.Is(back.Err, fleet.ErrBusy) || back.Ports[0].Counters.N[0] != 1<<63+7 {
		t.Errorf("came back as %v %v", back.Err, back.Ports[0].Counters)
	}
}

func TestWhatTheSlowLaneReadsIsNotNeglectedAfterAStart(t *testing.T) {
	s, out := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
	slow := server(t0.Add(10*time.Second), "on", 20, fleet.StateOK)
	slow.Lane = fleet.LaneSlow
	s = Restore(inventory(), fleet.Memory{Version: s.Version, Tables: fleet.Remember(out.Changes), Readings: out.Readings}, t0.Add(10*time.Second))
	s, _ = Step(s, []fleet.Input{slow}, t0.Add(10*time.Second))
	// From here on the fast lane reads sensors only, as on a switch.
	at := t0.Add(10*time.Second + 3*s.Intervals[fleet.LaneFast])
	fast := server(at, "on", 20, fleet.StateOK)
	fast.Facts = nil
	delete(fast.Tables, fleet.TableFacts)
	s, _ = Step(s, []fleet.Input{fast}, at)
	if d := s.Devices.Get("s01"); d.State != fleet.StateOK {
		t.Errorf("state %s: %q", d.State, d.Reasons)
	}
}
