//go:build unix

package engine

import (
	"fmt"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/benchline"
)

// large is 500 racks of 18 servers with 24 sensors, two cables and two cords
// each, a switch with 48 ports and a PDU with 24 outlets: 10,000 devices. What
// a device says is made once and said again with other numbers.
type large struct {
	inv *fleet.Inventory
	obs []*fleet.Observation // by device
	now time.Time
}

func newLarge(racks int) *large {
	l := &large{inv: &fleet.Inventory{Intervals: [3]time.Duration{time.Minute, time.Minute, 5 * time.Minute}}, now: t0}
	l.inv.Regions = []fleet.RegionSpec{{Name: "ams"}, {Name: "fra"}, {Name: "lhr"}, {Name: "nyc"}}
	for _, r := range l.inv.Regions {
		l.inv.Sites = append(l.inv.Sites, fleet.SiteSpec{Name: r.Name + "1", Region: r.Name})
		l.inv.Feeds = append(l.inv.Feeds, fleet.FeedSpec{Name: r.Name + "1-A", Site: r.Name + "1"})
	}
	for i := range racks {
		l.rack(i, l.inv.Regions[i*len(l.inv.Regions)/racks].Name)
	}
	return l
}

func (l *large) rack(n int, region string) {
	site := region + "1"
	id := fmt.Sprintf("%s/r%03d", site, n)
	l.inv.Racks = append(l.inv.Racks, fleet.RackSpec{ID: id, Name: fmt.Sprintf("r%03d", n), Site: site, Region: region, Units: 42})
	add := func(name string, kind fleet.DeviceKind, src fleet.Source, unit fleet.HalfU, o *fleet.Observation) *fleet.DeviceSpec {
		l.inv.Devices = append(l.inv.Devices, fleet.DeviceSpec{
			ID: name, Kind: kind, Rack: id, Site: site, Region: region, Unit: unit, Height: 2,
			Endpoints: []fleet.Endpoint{{Source: src, Address: "127.0.0.1:1"}},
		})
		o.Target, o.Source = name, src
		l.obs = append(l.obs, o)
		return &l.inv.Devices[len(l.inv.Devices)-1]
	}
	name := fmt.Sprintf("r%03d", n)
	for s := range 18 {
		d := add(fmt.Sprintf("%s-s%02d", name, s), fleet.KindServer, fleet.SourceIPMI, fleet.HalfU(2+4*s), serverSays())
		d.Links = []fleet.Cable{{NIC: "eth0", To: fmt.Sprintf("%s-sw/Ethernet%d", name, s+1)}, {NIC: "eth1", To: fmt.Sprintf("%s-sw/Ethernet%d", name, s+25)}}
		d.Power = []fleet.PowerCord{{PSU: 1, Outlet: fmt.Sprintf("%s-pa/%d", name, s+1)}}
	}
	add(name+"-sw", fleet.KindSwitch, fleet.SourceSNMP, 80, switchSays())
	add(name+"-pa", fleet.KindPDU, fleet.SourceSNMP, 0, pduSays()).Feed = site + "-A"
}

func serverSays() *fleet.Observation {
	o := &fleet.Observation{}
	o.Facts.Set(fleet.FactPower, "on")
	o.SetTable(fleet.TableFacts, fleet.Complete)
	o.SetTable(fleet.TableSensors, fleet.Complete)
	for i := range 24 {
		def := &fleet.SensorDef{ID: fmt.Sprint(i), Key: fmt.Sprintf("20.0.%02x", i), Name: fmt.Sprintf("Temp %d", i), Class: fleet.ClassTemperature, Unit: "C", Limits: fleet.Limits{HighWarn: fleet.Int(80), HighCrit: fleet.Int(90)}}
		if i == 0 {
			def.Name = "Inlet Temp"
		}
		o.Sensors = append(o.Sensors, fleet.Sensor{SensorDef: def, Value: fleet.Int(20), State: fleet.StateOK})
	}
	return o
}

func switchSays() *fleet.Observation {
	o := &fleet.Observation{}
	o.SetTable(fleet.TablePorts, fleet.Complete)
	for i := range 48 {
		p := fleet.Port{PortDef: &fleet.PortDef{Index: i + 1, Name: fmt.Sprintf("Ethernet%d", i+1), Admin: "up", Oper: "up", SpeedBps: fleet.Int(25_000_000_000)}}
		for c := range fleet.CounterID(fleet.NumCounters) {
			p.Counters.Set(c, 1_000_000, true)
		}
		o.Ports = append(o.Ports, p)
	}
	return o
}

func pduSays() *fleet.Observation {
	o := &fleet.Observation{}
	o.SetTable(fleet.TableOutlets, fleet.Complete)
	for i := range 24 {
		o.Outlets = append(o.Outlets, fleet.Outlet{Index: i + 1, Name: fmt.Sprintf("Outlet %d", i+1), State: "on", CurrentA: fleet.Dec(8, -1), PowerW: fleet.Int(184)})
	}
	return o
}

// say is the devices' next word: the same tables with numbers of their own.
func (l *large) say(devices []int) []fleet.Input {
	in := make([]fleet.Input, 0, len(devices))
	for _, i := range devices {
		o := *l.obs[i]
		o.At = l.now
		o.Sensors = append([]fleet.Sensor(nil), o.Sensors...)
		for k := range o.Sensors {
			o.Sensors[k].Value.N += int64(k+i+l.now.Second()) % 5
		}
		o.Ports = append([]fleet.Port(nil), o.Ports...)
		for k := range o.Ports {
			o.Ports[k].Counters.Set(fleet.InOctets, uint64(1_000_000+l.now.Unix()*1000), true)
		}
		in = append(in, &o)
	}
	return in
}

// every returns n devices of all, evenly spread, and others the next time, as
// the jitter of the scheduler spreads polls.
func (l *large) every(n, turn int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = (i*len(l.obs)/n + turn) % len(l.obs)
	}
	return list
}

func (l *large) all() []int { return l.every(len(l.obs), 0) }

// memory is what a store remembers after everything was read once.
func (l *large) memory(out fleet.Output) fleet.Memory {
	return fleet.Memory{Version: 1, At: l.now, Tables: fleet.Remember(out.Changes), Readings: out.Readings}
}

// BenchmarkStep is one second of 10,000 devices that are polled once a minute.
func BenchmarkStep(b *testing.B) {
	const changed, steps = 167, 60
	l := newLarge(500)
	snap := Restore(l.inv, fleet.Memory{}, l.now)
	snap, _ = Step(snap, l.say(l.all()), l.now)
	turn := 0
	for b.Loop() {
		benchline.Print(benchline.Median(5, func() []benchline.Line {
			var used time.Duration
			for range steps {
				turn, l.now = turn+1, l.now.Add(time.Second)
				in := l.say(l.every(changed, turn))
				began := benchline.CPU()
				next, out := Step(snap, in, l.now)
				used += benchline.CPU() - began
				if snap = next; len(out.Readings) != changed {
					b.Fatal(len(out.Readings), "readings")
				}
			}
			return []benchline.Line{{Bench: "engine-step-167-of-10000", Value: used.Seconds() * 1e3 / steps, Unit: "cpu_ms", Goal: 20}}
		})...)
	}
}

// BenchmarkStepWeighed is the same second where every poll is one after which a
// device is judged whole, and switches have learned the addresses of all BMCs and
// of four guests a server.
func BenchmarkStepWeighed(b *testing.B) {
	const changed, steps = 167, 20
	l := newLarge(500)
	for i := range l.inv.Devices {
		wire(&l.inv.Devices[i], l.obs[i], i)
	}
	snap := Restore(l.inv, fleet.Memory{}, l.now)
	for range 2 { // BMCs are seen once their switches spoke
		snap, _ = Step(snap, l.say(l.all()), l.now)
	}
	turn := 0
	for b.Loop() {
		benchline.Print(benchline.Median(5, func() []benchline.Line {
			var used time.Duration
			for range steps {
				turn, l.now = turn+1, l.now.Add(time.Second)
				in := l.say(l.every(changed, turn))
				began := benchline.CPU()
				snap, _ = Step(snap, in, l.now)
				used += benchline.CPU() - began
			}
			if d := snap.Devices.Get("r000-s00"); d.Attached == nil || d.Attached.BMC.VLAN != 900 || d.Docket.Blind == d.Docket.Looked {
				b.Fatalf("%+v", d.Attached)
			}
			return []benchline.Line{{Bench: "engine-step-167-weighed-of-10000", Value: used.Seconds() * 1e3 / steps, Unit: "cpu_ms", Goal: 20}}
		})...)
	}
}

// wire cables a server's BMC and has the switch of its rack learn it.
func wire(d *fleet.DeviceSpec, o *fleet.Observation, i int) {
	o.Lane = fleet.LaneSlow
	o.SetTable(fleet.TableFacts, fleet.Complete)
	mac := func(rack, server, n int) string {
		return fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", rack>>8, rack&255, server, n)
	}
	switch rack, server := i/20, i%20; d.Kind {
	case fleet.KindServer:
		o.Facts.Set("bmc.mac", mac(rack, server, 0))
		d.Links = append(d.Links, fleet.Cable{NIC: "bmc", To: fmt.Sprintf("r%03d-sw/Management%d", rack, server+1)})
	case fleet.KindSwitch:
		o.SetTable(fleet.TableFDB, fleet.Complete)
		for s := range 18 {
			for n := range 7 {
				e := fleet.FDBEntry{MAC: mac(rack, s, n), Port: fmt.Sprintf("Ethernet%d", s+1), VLAN: 10}
				if n == 0 {
					e.Port, e.VLAN = fmt.Sprintf("Management%d", s+1), 900
				}
				o.FDB = append(o.FDB, e)
			}
		}
	}
}

// BenchmarkRestore makes the first snapshot of 10,000 devices from what a store
// remembers of them: 281,000 rows and the newest numbers.
func BenchmarkRestore(b *testing.B) {
	l := newLarge(500)
	_, out := Step(Restore(l.inv, fleet.Memory{}, l.now), l.say(l.all()), l.now)
	mem := l.memory(out)
	for b.Loop() {
		benchline.Print(benchline.Median(3, func() []benchline.Line {
			began := benchline.CPU()
			snap := Restore(l.inv, mem, l.now)
			used := benchline.CPU() - began
			if d := snap.Devices.Get("r000-s00"); d == nil || d.State != fleet.StateOK || len(d.Sensors) != 24 {
				b.Fatalf("%+v", d)
			}
			return []benchline.Line{{Bench: "engine-restore-10000", Value: used.Seconds(), Unit: "cpu_s", Goal: 2}}
		})...)
	}
}
