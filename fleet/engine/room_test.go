package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// room is a rack with four servers on two switches and two PDUs, one of them
// on a single cord, and a spine above the switches: enough for every device to
// have witnesses. Each look polls everything, healthy but for what a test says.
type room struct {
	t    *testing.T
	snap *fleet.Snapshot
	now  time.Time
	said []fleet.Event // since the last look
	out  fleet.Output
}

func roomInventory() *fleet.Inventory {
	inv := &fleet.Inventory{
		Regions: []fleet.RegionSpec{{Name: "ams"}},
		Sites:   []fleet.SiteSpec{{Name: "ams1", Region: "ams"}},
		Racks:   []fleet.RackSpec{{ID: "ams1/r01", Name: "r01", Site: "ams1", Region: "ams", Units: 42}, {ID: "ams1/r02", Name: "r02", Site: "ams1", Region: "ams", Units: 42}},
		Feeds:   []fleet.FeedSpec{{Name: "A", Site: "ams1"}, {Name: "B", Site: "ams1"}},
		Clouds:  []fleet.CloudSpec{{Name: "os", Region: "ams"}},
		Services: []fleet.ServiceSpec{
			{Name: "match", Select: map[string]string{"service": "match"}, Floor: 2},
		},
		Intervals: [3]time.Duration{10 * time.Second, time.Minute, 5 * time.Minute},
	}
	add := func(d fleet.DeviceSpec, src fleet.Source) {
		d.Site, d.Region, d.Rack = "ams1", "ams", "ams1/r01"
		d.Endpoints = []fleet.Endpoint{{Source: src, Address: "127.0.0.1:1"}}
		inv.Devices = append(inv.Devices, d)
	}
	for n := 1; n <= 4; n++ {
		d := fleet.DeviceSpec{ID: fmt.Sprintf("s%d", n), Kind: fleet.KindServer,
			Links: []fleet.Cable{
				{NIC: "eth0", MAC: fmt.Sprintf("02:00:00:00:%02d:00", n), To: fmt.Sprintf("swa/Ethernet%d", n)},
				{NIC: "eth1", MAC: fmt.Sprintf("02:00:00:00:%02d:01", n), To: fmt.Sprintf("swb/Ethernet%d", n)},
				{NIC: "bmc", MAC: fmt.Sprintf("02:00:00:00:%02d:02", n), To: fmt.Sprintf("swa/Ethernet3%d", n)},
			},
			Power: []fleet.PowerCord{{PSU: 1, Outlet: fmt.Sprintf("pa/%d", n)}}}
		if n < 4 {
			d.Power = append(d.Power, fleet.PowerCord{PSU: 2, Outlet: fmt.Sprintf("pb/%d", n)})
		}
		add(d, fleet.SourceIPMI)
	}
	add(fleet.DeviceSpec{ID: "swa", Kind: fleet.KindSwitch, Links: []fleet.Cable{{NIC: "Ethernet49", To: "sp1/Ethernet1"}, {NIC: "Ethernet50", To: "sp2/Ethernet1"}}}, fleet.SourceSNMP)
	add(fleet.DeviceSpec{ID: "swb", Kind: fleet.KindSwitch, Links: []fleet.Cable{{NIC: "Ethernet49", To: "sp1/Ethernet2"}, {NIC: "Ethernet50", To: "sp2/Ethernet2"}}}, fleet.SourceSNMP)
	add(fleet.DeviceSpec{ID: "sp1", Kind: fleet.KindSwitch}, fleet.SourceSNMP)
	add(fleet.DeviceSpec{ID: "sp2", Kind: fleet.KindSwitch}, fleet.SourceSNMP)
	add(fleet.DeviceSpec{ID: "pa", Kind: fleet.KindPDU, Feed: "A"}, fleet.SourceSNMP)
	add(fleet.DeviceSpec{ID: "pb", Kind: fleet.KindPDU, Feed: "B"}, fleet.SourceSNMP)
	add(fleet.DeviceSpec{ID: "pa2", Kind: fleet.KindPDU, Feed: "A"}, fleet.SourceSNMP)
	inv.Devices[len(inv.Devices)-1].Rack = "ams1/r02"
	return inv
}

// newRoom is a room that has been healthy for five minutes.
func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, snap: Restore(roomInventory(), fleet.Memory{}, t0), now: t0}
	r.look(nil)
	r.now = r.now.Add(5 * time.Minute)
	r.look(nil)
	for id, d := range r.snap.Devices.All() {
		if d.State != fleet.StateOK || len(d.Reasons) > 0 {
			t.Fatalf("%s is %s %q in a healthy room", id, d.State, d.Reasons)
		}
	}
	return r
}

// look polls everything ten seconds later. change may alter an observation.
func (r *room) look(change func(o *fleet.Observation)) {
	r.now = r.now.Add(10 * time.Second)
	var in []fleet.Input
	for i := range r.snap.Devices.Len() {
		o := r.healthy(r.snap.Devices.At(i).Spec)
		o.At = o.At.Add(time.Duration(i) * time.Millisecond)
		if change != nil {
			change(o)
		}
		in = append(in, o)
	}
	c := r.cloud()
	if change != nil {
		change(c)
	}
	r.step(append(in, c)...)
}

func (r *room) step(in ...fleet.Input) {
	r.now = r.now.Add(50 * time.Millisecond)
	r.snap, r.out = Step(r.snap, in, r.now)
	r.said = r.out.Events
}

// looks is look again and again, collecting what is said.
func (r *room) looks(n int, change func(o *fleet.Observation)) {
	var said []fleet.Event
	for range n {
		r.look(change)
		said = append(said, r.said...)
	}
	r.said = said
}

func (r *room) healthy(d *fleet.DeviceSpec) *fleet.Observation {
	o := &fleet.Observation{Target: d.ID, Source: d.Endpoints[0].Source, At: r.now}
	o.SetTable(fleet.TableFacts, fleet.Complete)
	switch d.Kind {
	case fleet.KindServer:
		o.SetTable(fleet.TableSensors, fleet.Complete)
		o.Facts.Set(fleet.FactPower, "on")
		o.Facts.Set(fleet.FactFirmware, "2.19")
		put := func(key, name string, class fleet.SensorClass, unit string, v int64, text string) {
			def := &fleet.SensorDef{ID: key, Key: key, Name: name, Class: class, Unit: unit}
			if class == fleet.ClassTemperature {
				def.Limits.HighWarn = fleet.Int(35)
			}
			o.Sensors = append(o.Sensors, fleet.Sensor{SensorDef: def, Value: fleet.Int(v), State: fleet.StateOK, Text: text})
		}
		put("20.0.1", "Inlet Temp", fleet.ClassTemperature, "C", 22, "")
		put("20.0.32", "Pwr Consumption", fleet.ClassPower, "W", 200, "")
		put("20.0.38", "PS1 Status", fleet.ClassState, "", 1, "Presence detected")
		if len(d.Power) > 1 {
			put("20.0.39", "PS2 Status", fleet.ClassState, "", 1, "Presence detected")
		} else {
			put("20.0.39", "PS2 Status", fleet.ClassState, "", 0, "")
		}
	case fleet.KindSwitch:
		o.SetTable(fleet.TablePorts, fleet.Complete)
		o.Facts.SetNum(fleet.FactUptime, fleet.FromFloat(1e6+r.now.Sub(t0).Seconds(), 2), true)
		for _, n := range []int{1, 2, 3, 4, 31, 32, 33, 34, 49, 50} {
			p := fleet.Port{PortDef: &fleet.PortDef{Index: n, Name: fmt.Sprintf("Ethernet%d", n), Admin: "up", Oper: "up", SpeedBps: fleet.Int(25e9), VLAN: 110}}
			for c := range fleet.CounterID(fleet.NumCounters) {
				p.Counters.Set(c, 1000, true)
			}
			o.Ports = append(o.Ports, p)
		}
	case fleet.KindPDU:
		o.SetTable(fleet.TableOutlets, fleet.Complete)
		for n := 1; n <= 4; n++ {
			o.Outlets = append(o.Outlets, fleet.Outlet{Index: n, State: "on", PowerW: fleet.Int(100)})
		}
	}
	return o
}

func (r *room) cloud() *fleet.Observation {
	o := &fleet.Observation{Target: "os", Source: fleet.SourceOpenStack, At: r.now}
	o.SetTable(fleet.TableInstances, fleet.Complete)
	o.SetTable(fleet.TableHosts, fleet.Complete)
	for n := 1; n <= 3; n++ {
		host := fmt.Sprintf("s%d", n)
		o.Hosts = append(o.Hosts, fleet.Host{ID: host, Name: host, State: "up", Status: "enabled", RunningVMs: 1})
		o.Instances = append(o.Instances, fleet.Instance{ID: "i" + host, Cloud: "os", State: fleet.StateOK, RunState: "ACTIVE", Host: host, Tags: map[string]string{"service": "match"}})
	}
	return o
}

// silence makes an observation one of a device that does not answer.
func silence(o *fleet.Observation) {
	*o = fleet.Observation{Target: o.Target, Source: o.Source, At: o.At, Err: &fleet.ProbeError{Target: o.Target, Op: "get", Err: fleet.ErrTimeout}}
	o.SetTable(fleet.TableFacts, fleet.Failed)
}

func sensorOf(o *fleet.Observation, key string, st fleet.State, v int64, text string) {
	for i := range o.Sensors {
		if o.Sensors[i].Key == key {
			o.Sensors[i].State, o.Sensors[i].Value, o.Sensors[i].Text = st, fleet.Int(v), text
		}
	}
}

func dark(o *fleet.Observation, ports ...string) {
	for i := range o.Ports {
		for _, name := range ports {
			if o.Ports[i].Name == name {
				def := *o.Ports[i].PortDef
				def.Oper = "down"
				o.Ports[i].PortDef = &def
			}
		}
	}
}

const inputLost = "Presence detected, Power Supply input lost (AC/DC)"

// is demands the state of a device and words in its reasons.
func (r *room) is(id string, st fleet.State, words ...string) {
	r.t.Helper()
	d := r.snap.Devices.Get(id)
	all := strings.Join(d.Reasons, "; ")
	if d.State != st {
		r.t.Errorf("%s is %s, want %s: %s", id, d.State, st, all)
	}
	for _, w := range words {
		if !strings.Contains(all, w) {
			r.t.Errorf("%s says %q, want %q in it", id, all, w)
		}
	}
	if len(words) == 0 && all != "" {
		r.t.Errorf("%s says %q, want nothing", id, all)
	}
}

// hears demands exactly n events of a target with the words.
func (r *room) hears(n int, target, words string) {
	r.t.Helper()
	k := 0
	for _, e := range r.said {
		if e.Target == target && strings.Contains(e.Text, words) {
			k++
		}
	}
	if k != n {
		r.t.Errorf("%d events of %s with %q, want %d, in %s", k, target, words, n, r.talk())
	}
}

func (r *room) talk() string {
	var b strings.Builder
	for _, e := range r.said {
		fmt.Fprintf(&b, "\n  %s %s: %s", e.Severity, e.Target, e.Text)
	}
	return b.String()
}
