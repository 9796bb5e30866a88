package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/store"
)

// smallFleet is a rack with a server on one cord and one cable, its PDU and
// its switch, and a cloud that runs on the server.
func smallFleet() *fleet.Inventory {
	ep := func(src fleet.Source) []fleet.Endpoint {
		return []fleet.Endpoint{{Source: src, Address: "127.0.0.1:1"}}
	}
	device := func(id string, kind fleet.DeviceKind, src fleet.Source) fleet.DeviceSpec {
		return fleet.DeviceSpec{ID: id, Name: id, Kind: kind, Rack: "ams1/r01", Site: "ams1", Region: "ams", Unit: 6, Height: 2, Endpoints: ep(src)}
	}
	s1, sw1, pa := device("s1", fleet.KindServer, fleet.SourceIPMI), device("sw1", fleet.KindSwitch, fleet.SourceSNMP), device("pa", fleet.KindPDU, fleet.SourceSNMP)
	s1.Links = []fleet.Cable{{NIC: "eth0", To: "sw1/Ethernet3"}}
	s1.Power = []fleet.PowerCord{{PSU: 1, Outlet: "pa/3"}}
	pa.Feed = "ams1-A"
	return &fleet.Inventory{
		Regions: []fleet.RegionSpec{{Name: "ams"}}, Sites: []fleet.SiteSpec{{Name: "ams1", Region: "ams"}},
		Racks:   []fleet.RackSpec{{ID: "ams1/r01", Name: "r01", Site: "ams1", Region: "ams", Units: 42}},
		Feeds:   []fleet.FeedSpec{{Name: "ams1-A", Site: "ams1"}},
		Devices: []fleet.DeviceSpec{s1, sw1, pa}, Clouds: []fleet.CloudSpec{{Name: "os", Region: "ams"}},
		Services:  []fleet.ServiceSpec{{Name: "match", Select: map[string]string{"service": "match"}, Floor: 2}},
		Intervals: [3]time.Duration{10 * time.Second, time.Minute, 5 * time.Minute},
	}
}

// looks are the observations of one round of polls, n rounds into a story in
// which one thing after the other goes wrong and is mended.
func looks(n int, at time.Time) []fleet.Input {
	during := func(from, to int) bool { return n >= from && n < to }
	s1 := &fleet.Observation{Target: "s1", Source: fleet.SourceIPMI, At: at}
	sw1 := &fleet.Observation{Target: "sw1", Source: fleet.SourceSNMP, At: at}
	pa := &fleet.Observation{Target: "pa", Source: fleet.SourceSNMP, At: at}
	os := &fleet.Observation{Target: "os", Source: fleet.SourceOpenStack, At: at}
	lose := func(o *fleet.Observation) {
		o.Err = &fleet.ProbeError{Target: o.Target, Op: "look", Err: fleet.ErrTimeout}
	}
	if during(20, 26) || n == 52 {
		lose(s1)
	} else {
		power := "on"
		if during(30, 34) {
			power = "off"
		}
		s1.Facts.Set(fleet.FactPower, power)
		s1.Facts.Set(fleet.FactModel, "R650")
		s1.SetTable(fleet.TableFacts, fleet.Complete)
		s1.SetTable(fleet.TableSensors, fleet.Complete)
		inlet := fleet.SensorDef{ID: "1", Key: "1", Name: "Inlet Temp", Class: fleet.ClassTemperature, Unit: "C", Limits: fleet.Limits{HighWarn: fleet.Int(40), HighCrit: fleet.Int(45)}}
		psu := fleet.SensorDef{ID: "2", Key: "2", Name: "PS1 Status", Class: fleet.ClassState}
		watts := fleet.SensorDef{ID: "3", Key: "dcmi.power", Name: "Power (DCMI)", Class: fleet.ClassPower, Unit: "W"}
		warm, ps := fleet.Sensor{SensorDef: &inlet, Value: fleet.Int(20 + int64(n%3)), State: fleet.StateOK}, fleet.Sensor{SensorDef: &psu, State: fleet.StateOK, Text: "Presence detected"}
		if during(4, 8) {
			warm.Value, warm.State = fleet.Int(41+int64(n%3)), fleet.StateWarn
		}
		if during(10, 14) {
			ps.State, ps.Text = fleet.StateCrit, "Power Supply Failure detected"
		}
		s1.Sensors = []fleet.Sensor{warm, ps, {SensorDef: &watts, Value: fleet.Int(200 + int64(n%5)), State: fleet.StateOK}}
	}
	sw1.SetTable(fleet.TablePorts, fleet.Complete)
	sw1.Facts.SetNum(fleet.FactUptime, fleet.Int(int64(1000+10*n)), true)
	oper := "up"
	if during(30, 36) {
		oper = "down"
	}
	port := fleet.Port{PortDef: &fleet.PortDef{Index: 3, Name: "Ethernet3", Admin: "up", Oper: oper, SpeedBps: fleet.Int(25_000_000_000)}}
	port.Counters.Set(fleet.InOctets, uint64(1000*n), true)
	port.Counters.Set(fleet.OutOctets, uint64(1000*n), true)
	sw1.Ports = []fleet.Port{port}
	if n%6 == 0 {
		sw1.SetTable(fleet.TableNeighbors, fleet.Complete)
		sw1.Neighbors = []fleet.Neighbor{{LocalPort: "Ethernet3", RemoteName: "s1", RemotePort: "eth0", Protocol: "lldp"}}
	}
	pa.SetTable(fleet.TableOutlets, fleet.Complete)
	outlet := "on"
	if during(40, 44) {
		outlet = "off"
	}
	pa.Outlets = []fleet.Outlet{{Index: 3, State: outlet, CurrentA: fleet.Dec(11, -1), PowerW: fleet.Int(230 + int64(n%4))}}
	switch {
	case during(16, 22):
		lose(os)
	default:
		os.SetTable(fleet.TableHosts, fleet.Complete)
		os.SetTable(fleet.TableInstances, fleet.Complete)
		host := fleet.Host{ID: "h1", Name: "s1", State: "up", Status: "enabled", RunningVMs: 2}
		if during(46, 50) {
			host.State = "down"
		}
		os.Hosts = []fleet.Host{host}
		for _, id := range []string{"i1", "i2"} {
			os.Instances = append(os.Instances, fleet.Instance{ID: id, Name: id, Cloud: "os", RunState: "ACTIVE", State: fleet.StateOK, Host: "s1", Tags: map[string]string{"service": "match"}})
		}
	}
	return []fleet.Input{s1, sw1, pa, os}
}

// run is one life of a process: a store, and what it published.
type life struct {
	*store.Store
	stop func()
}

func live(t *testing.T, dir string) life {
	t.Helper()
	cfg := store.Defaults()
	cfg.Dir, cfg.Gather = dir, time.Millisecond
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	mem, err := s.Memory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, engine.Restore(smallFleet(), mem, time.Now()), engine.Step, nil) }()
	return life{s, func() {
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Error(err)
		}
	}}
}

// TestThePastIsWhatWasShown: what the past shows as of a time is what screens
// showed at that time, also beside the seams that restarts leave.
func TestThePastIsWhatWasShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var shown []*fleet.Snapshot
		var away time.Time // the middle of a time at which no plumb ran
		l := live(t, dir)
		for n := range 60 {
			if n == 12 || n == 23 || n == 26 || n == 48 || n == 53 {
				l.stop()
				time.Sleep(3 * time.Second) // the process is away
				if n == 48 {
					away = time.Now().Add(5 * time.Minute)
					time.Sleep(10 * time.Minute)
				}
				l = live(t, dir)
			}
			for _, o := range looks(n, time.Now()) {
				if err := l.Apply(t.Context(), o); err != nil {
					t.Fatal(err)
				}
			}
			if n == 13 {
				begin := fleet.JobStep{Name: "begin", State: fleet.JobRunning, At: time.Now()}
				act := fleet.JobStep{Name: "act", State: fleet.JobAccepted, At: time.Now()}
				j := fleet.Job{ID: "j1", Action: fleet.ActIdentify, Targets: []string{"s1"}, State: fleet.JobAccepted, Began: time.Now(), Steps: []fleet.JobStep{begin, act}}
				if err := l.Apply(t.Context(), fleet.Decision{Job: &j}); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			s := *l.Snapshot()
			s.At = time.Now()
			shown = append(shown, &s)
			time.Sleep(10 * time.Second)
		}
		h := &past{store: l.Store, first: smallFleet()}
		differing := map[string]int{}
		for n, is := range shown {
			was, err := h.at(t.Context(), is.At)
			if err != nil {
				t.Fatal(err)
			}
			a, b := portrait(is), portrait(was)
			for _, k := range slices.Sorted(maps.Keys(a)) {
				if a[k] != b[k] {
					differing[k]++
					if differing[k] <= 3 {
						t.Errorf("round %d, %s:\n  shown %s\n  past  %s", n, k, a[k], b[k])
					}
				}
			}
		}
		for k, n := range differing {
			t.Logf("%s differs in %d of %d rounds", k, n, len(shown))
		}
		nobodyLooked(t, h, away)
		l.stop()
	})
}

// nobodyLooked checks a time at which no plumb ran: nothing is said to have
// been in order then, and the last values stand with their age.
func nobodyLooked(t *testing.T, h *past, at time.Time) {
	t.Helper()
	was, err := h.at(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	for id, d := range was.Devices.All() {
		if age := at.Sub(d.SeenAt); d.State != fleet.StateUnknown || age < 5*time.Minute || age > 6*time.Minute {
			t.Errorf("%s is %s, seen %s before, while nobody looked", id, d.State, age)
		}
	}
	if x := was.Devices.Get("s1").Sensor("1"); x == nil || !x.Value.Known {
		t.Error("the last value is not there")
	}
	if c := was.Clouds.Get("os"); c.State != fleet.StateUnknown {
		t.Errorf("the cloud is %s", c.State)
	}
}

// delivered are watts of another device, which may have been read again since
// a sentence was written.
var delivered = regexp.MustCompile(`deliver \d+ W`)

// portrait is what of a snapshot people see, by what it is of.
func portrait(s *fleet.Snapshot) map[string]string {
	p := map[string]string{"counts": fmt.Sprint(s.Counts)}
	for id, d := range s.Devices.All() {
		p[id+" state"] = fmt.Sprint(d.State, d.Maintenance)
		p[id+" reasons"] = delivered.ReplaceAllString(strings.Join(d.Reasons, "; "), "deliver")
		p[id+" power"] = fmt.Sprint(d.Power, d.PowerW, d.InletC)
		p[id+" sight"] = fmt.Sprint(d.BlindSince.Unix(), d.SeenAt.Unix())
		if d.Err != nil {
			p[id+" sight"] += d.Err.Kind()
		}
		for i := range d.Sensors {
			x := &d.Sensors[i]
			p[id+" sensor "+x.Key] = fmt.Sprint(x.Value, x.State)
		}
		for i := range d.Ports {
			p[id+" port "+d.Ports[i].Name] = d.Ports[i].Admin + d.Ports[i].Oper
		}
		p[id+" outlets"] = fmt.Sprint(d.Outlets)
		p[id+" neighbors"] = fmt.Sprint(d.Neighbors)
		p[id+" miscabled"] = fmt.Sprint(len(d.Miscabled))
	}
	for id, r := range s.Racks.All() {
		p["rack "+id] = fmt.Sprint(r.State, r.PowerW, r.By, r.Reasons)
	}
	for id, r := range s.Regions.All() {
		p["region "+id] = fmt.Sprint(r.State, r.PowerW, r.By, r.Reasons)
	}
	for id, x := range s.Feeds.All() {
		p["feed "+id] = fmt.Sprint(x.State, x.AmpsA, x.PowerW, x.Reasons)
	}
	for id, c := range s.Clouds.All() {
		p["cloud "+id] = fmt.Sprint(c.State, c.Reasons, c.SeenAt.Unix())
	}
	for id, x := range s.Hosts.All() {
		p["host "+id] = fmt.Sprint(x.State, x.Host.State)
	}
	for id, x := range s.Instances.All() {
		p["instance "+id] = fmt.Sprint(x.State, x.Host, x.Reasons)
	}
	for id, x := range s.Services.All() {
		p["service "+id] = fmt.Sprint(x.State, x.Replicas, x.Zones, x.Hosts, x.Racks, x.Unplaced, x.Reasons)
	}
	for _, j := range s.Jobs {
		p["job "+j.ID] = fmt.Sprint(j.State, j.Ended.Unix(), len(j.Steps))
	}
	return p
}
