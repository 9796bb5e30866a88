package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

func TestOneSupplyOfTwoIsRedundancyLost(t *testing.T) {
	r := newRoom(t)
	r.look(func(o *fleet.Observation) {
		if o.Target == "s1" {
			sensorOf(o, "20.0.38", fleet.StateCrit, 9, inputLost)
		}
		if o.Target == "pa" {
			o.Outlets[0].PowerW = fleet.Int(0)
		}
	})
	r.look(func(o *fleet.Observation) {
		if o.Target == "s1" {
			sensorOf(o, "20.0.38", fleet.StateCrit, 9, inputLost)
		}
		if o.Target == "pa" {
			o.Outlets[0].PowerW = fleet.Int(0)
		}
	})
	r.is("s1", fleet.StateWarn, "redundancy lost: PSU 1: input lost (AC/DC), outlet pa/1 is on and gives 0 W")
	if x := r.snap.Instances.Get("is1"); x.State != fleet.StateOK {
		t.Errorf("a guest on a machine that runs on one supply is %s", x.State)
	}
	r.look(nil)
	r.is("s1", fleet.StateOK)
	r.hears(1, "s1", "warn → ok: over: redundancy lost: PSU 1")
}

func TestSupplyWithoutAnotherIsCritical(t *testing.T) {
	r := newRoom(t)
	r.look(func(o *fleet.Observation) {
		if o.Target == "s1" {
			sensorOf(o, "20.0.38", fleet.StateCrit, 9, inputLost)
			sensorOf(o, "20.0.39", fleet.StateCrit, 3, "Presence detected, Power Supply Failure detected")
		}
		if o.Target == "s4" { // the other bay is empty
			sensorOf(o, "20.0.38", fleet.StateCrit, 3, "Presence detected, Power Supply Failure detected")
		}
	})
	r.is("s1", fleet.StateCrit, "PSU 1: input lost", "PSU 2: Failure detected", "outlet pb/1")
	r.is("s4", fleet.StateCrit, "PSU 1: Failure detected")
}

func TestSupplyNames(t *testing.T) {
	for name, want := range map[string]int{
		"PS1 Status": 1, "PSU 2": 2, "Power Supply 1": 1, "PS-2": 2, "psu1_status": 1, "PS Redundancy": 0, "PSU": 0, "Psychrometer 1": 0, "PS12": 0, "Inlet 1": 0,
	} {
		if got := supply(&fleet.Sensor{SensorDef: &fleet.SensorDef{Name: name, Class: fleet.ClassState}}); got != want {
			t.Errorf("%q is supply %d, want %d", name, got, want)
		}
	}
	if supply(&fleet.Sensor{SensorDef: &fleet.SensorDef{Name: "PS1 Input Power", Class: fleet.ClassPower}}) != 0 {
		t.Error("a meter was taken for a supply's state")
	}
}

// feedGone is what is seen when feed A is gone: its PDUs are silent, supplies
// on them have no input, and the server on a single cord is dark.
func feedGone(o *fleet.Observation) {
	switch o.Target {
	case "pa", "pa2", "s4":
		silence(o)
	case "s1", "s2", "s3":
		sensorOf(o, "20.0.38", fleet.StateCrit, 9, inputLost)
	case "swa":
		dark(o, "Ethernet4", "Ethernet34")
	case "swb":
		dark(o, "Ethernet4")
	}
}

func TestLostFeedIsOneCause(t *testing.T) {
	r := newRoom(t)
	inv := roomInventory()
	inv.Devices[len(inv.Devices)-1].Feed = "B" // A has one PDU here, B two
	r.looks(3, feedGone)
	r.is("pa", fleet.StateCrit, "no output: 3 of 3 power supplies on it have no input", "not seen since")
	r.is("pa2", fleet.StateUnknown, "not seen since") // nobody knows about it
	r.is("s1", fleet.StateWarn, "redundancy lost: PSU 1: input lost (AC/DC), outlet pa/1 (pa does not answer)")
	r.is("s4", fleet.StateCrit, "no power: its only cord is dead: pa/4 (no output)", "down: no light on swa/Ethernet4, swb/Ethernet4")
	if f := r.snap.Feeds.Get("A"); f.State != fleet.StateUnknown {
		t.Errorf("feed A is %s though one of its PDUs has no witness", f.State)
	}
	r.hears(1, "pa", "no output")

	// with a witness for every PDU it is the feed
	r = newRoom(t)
	inv = roomInventory()
	inv.Devices = append(inv.Devices, inv.Devices[0])
	d := &inv.Devices[len(inv.Devices)-1]
	d.ID, d.Rack, d.Links, d.Power = "s9", "ams1/r02", nil, []fleet.PowerCord{{PSU: 1, Outlet: "pa2/1"}, {PSU: 2, Outlet: "pb/4"}}
	r.step(fleet.Reload{Inventory: inv})
	r.look(nil)
	gone := func(o *fleet.Observation) {
		feedGone(o)
		if o.Target == "s9" {
			sensorOf(o, "20.0.38", fleet.StateCrit, 9, inputLost)
		}
	}
	r.looks(3, gone)
	if f := r.snap.Feeds.Get("A"); f.State != fleet.StateCrit || len(f.Reasons) != 1 || f.PowerW.Known {
		t.Errorf("feed A is %s %q, %s W", f.State, f.Reasons, f.PowerW)
	}
	r.hears(1, "A", "feed A lost: no output on 2 of its 2 PDUs")
	if x := r.snap.Regions.Get("ams"); len(x.Reasons) != 1 || !strings.Contains(x.Reasons[0], "feed A lost") {
		t.Errorf("the region says %q", x.Reasons)
	}
	r.looks(3, gone)
	r.hears(0, "A", "feed A lost")
	r.looks(2, nil)
	r.hears(1, "A", "feed A is back")
	r.is("pa", fleet.StateOK)
}

func TestSilentPDUThatFeedsIsOnlySilent(t *testing.T) {
	r := newRoom(t)
	r.looks(3, func(o *fleet.Observation) {
		if o.Target == "pa" {
			silence(o)
		}
	})
	r.is("pa", fleet.StateUnknown, "not seen since", "it gives power, only its management is silent")
}

func TestSilentBMCOfARunningServer(t *testing.T) {
	r := newRoom(t)
	quiet := func(o *fleet.Observation) {
		if o.Target == "s1" {
			silence(o)
		}
	}
	r.look(quiet)
	r.is("s1", fleet.StateOK, "blind since", "timeout")
	r.looks(2, quiet)
	r.is("s1", fleet.StateUnknown, "not seen since", "light on 2 of its 2 cables")
	r.hears(1, "s1", "ok → unknown: not seen since")
	r.looks(2, nil)
	r.is("s1", fleet.StateOK)
	r.hears(1, "s1", "unknown → ok: seen again after 40s")
}

// TestOldLightIsNoEvidence: what a switch said before the server went silent
// does not show that it still runs.
func TestOldLightIsNoEvidence(t *testing.T) {
	r := newRoom(t)
	r.now = r.now.Add(10 * time.Second)
	o := r.healthy(r.snap.Devices.Get("s1").Spec)
	silence(o)
	r.step(o)
	if text := strings.Join(r.snap.Devices.Get("s1").Reasons, "; "); !strings.Contains(text, "blind") {
		t.Fatalf("reasons %q", text)
	}
	o = r.healthy(r.snap.Devices.Get("s2").Spec) // seen after the switches were
	o.At = r.now
	r.step(o)
	o = r.healthy(r.snap.Devices.Get("s2").Spec)
	silence(o)
	r.step(o)
	if text := strings.Join(r.snap.Devices.Get("s2").Reasons, "; "); strings.Contains(text, "light") {
		t.Errorf("a port's old light counts as evidence: %q", text)
	}
}

func TestDeadSwitchAndWhatIsBehindIt(t *testing.T) {
	r := newRoom(t)
	r.looks(3, func(o *fleet.Observation) {
		switch {
		case o.Target == "swa", o.Source == fleet.SourceIPMI:
			silence(o)
		case o.Target == "sp1", o.Target == "sp2":
			dark(o, "Ethernet1")
		}
	})
	r.is("swa", fleet.StateCrit, "down: no light on sp1/Ethernet1, sp2/Ethernet1", "not seen since")
	r.is("s1", fleet.StateUnknown, "not seen since", "light on 1 of its 1 cable")
	r.is("sp1", fleet.StateWarn, "Ethernet1 down (cabled to swa Ethernet49)")
	r.hears(1, "swa", "ok → crit: down: no light")
	for _, e := range r.said {
		if e.Target == "s1" && e.Severity != fleet.SeverityInfo {
			t.Errorf("%s %q: the switch before it is the news", e.Severity, e.Text)
		}
	}
}

func TestBMCThatLies(t *testing.T) {
	r := newRoom(t)
	standby := func(o *fleet.Observation) {
		if o.Target == "pa" || o.Target == "pb" {
			o.Outlets[0].PowerW = fleet.Int(5)
		}
		if o.Target == "swa" || o.Target == "swb" {
			dark(o, "Ethernet1")
		}
	}
	r.looks(2, standby)
	r.is("s1", fleet.StateWarn, "BMC says on and 200 W, but its outlets deliver 10 W (pa/1, pb/1)", "no light on any of its cables: swa/Ethernet1, swb/Ethernet1")
	r.looks(2, nil)
	r.is("s1", fleet.StateOK)
}

// TestSwitchedServerContradictsNobody: outlets that were read before the
// machine went on or off say nothing about it, nor do cables while it starts.
func TestSwitchedServerContradictsNobody(t *testing.T) {
	r := newRoom(t)
	off := func(o *fleet.Observation) {
		if o.Target == "s1" {
			o.Facts.Set(fleet.FactPower, "off")
		}
	}
	r.look(off) // the outlets still show the old load
	r.is("s1", fleet.StateOff, "power is off")
	r.looks(2, func(o *fleet.Observation) {
		off(o)
		if o.Target == "pa" || o.Target == "pb" {
			o.Outlets[0].PowerW = fleet.Int(5)
		}
	})
	r.is("s1", fleet.StateOff, "power is off")
	r.look(func(o *fleet.Observation) { // on again; its load and light come with the next look
		if o.Target == "pa" || o.Target == "pb" {
			o.At, o.Outlets[0].PowerW = r.now.Add(-time.Second), fleet.Int(5)
		}
		if o.Target == "swa" || o.Target == "swb" {
			dark(o, "Ethernet1")
		}
	})
	r.is("s1", fleet.StateOK)
	r.looks(3, off) // off, and yet it draws
	r.is("s1", fleet.StateWarn, "BMC says off, but its outlets deliver 200 W")
}

func TestCableThatHearsAnother(t *testing.T) {
	hears := func(o *fleet.Observation, port, name, remote, chassis string) {
		o.SetTable(fleet.TableNeighbors, fleet.Complete)
		o.Neighbors = append(o.Neighbors, fleet.Neighbor{LocalPort: port, RemoteName: name, RemotePort: remote, RemoteChassis: chassis, Protocol: "lldp"})
	}
	learned := func(o *fleet.Observation, port string, macs ...string) {
		o.SetTable(fleet.TableFDB, fleet.Complete)
		for _, m := range macs {
			o.FDB = append(o.FDB, fleet.FDBEntry{MAC: m, Port: port, VLAN: 110})
		}
	}
	for _, c := range []struct {
		name string
		say  func(o *fleet.Observation)
		want string // empty: in order
	}{
		{"the right one", func(o *fleet.Observation) { hears(o, "Ethernet1", "s1", "eth0", "") }, ""},
		{"the right one by its full name", func(o *fleet.Observation) { hears(o, "Ethernet1", "s1.example.net", "eth0", "") }, ""},
		{"the right one's other address as chassis", func(o *fleet.Observation) { hears(o, "Ethernet1", "", "x", "02:00:00:00:01:01") }, ""},
		{"a name nobody knows", func(o *fleet.Observation) { hears(o, "Ethernet1", "web12", "ens1f0", "0a:0b:0c:0d:0e:0f") }, ""},
		{"a port nobody knows", func(o *fleet.Observation) { hears(o, "Ethernet1", "s1", "ens1f0", "") }, ""},
		{"another server", func(o *fleet.Observation) { hears(o, "Ethernet1", "s2", "eth0", "") }, "Ethernet1 hears s2 eth0, inventory says s1 eth0 (lldp)"},
		{"another server by the address of its port", func(o *fleet.Observation) { hears(o, "Ethernet1", "", "02:00:00:00:03:00", "") }, "Ethernet1 hears s3 eth0, inventory says s1 eth0 (lldp)"},
		{"another card of it", func(o *fleet.Observation) { hears(o, "Ethernet1", "s1", "eth1", "") }, "Ethernet1 hears s1 eth1, inventory says s1 eth0 (lldp)"},
		{"another spine", func(o *fleet.Observation) { hears(o, "Ethernet49", "sp2", "Ethernet1", "") }, "Ethernet49 hears sp2 Ethernet1, inventory says sp1 Ethernet1 (lldp)"},
		{"the right spine", func(o *fleet.Observation) { hears(o, "Ethernet49", "sp1", "Ethernet1", "") }, ""},
		{"another address", func(o *fleet.Observation) { learned(o, "Ethernet31", "02:00:00:00:02:02") }, "Ethernet31 hears s2 bmc, inventory says s1 bmc (fdb)"},
		{"another address beside the right one", func(o *fleet.Observation) { learned(o, "Ethernet31", "02:00:00:00:02:02", "02:00:00:00:01:02") }, ""},
		{"addresses behind an uplink", func(o *fleet.Observation) { learned(o, "Ethernet49", "02:00:00:00:02:02") }, ""},
		{"a cable where none is meant to be", func(o *fleet.Observation) { hears(o, "Ethernet22", "s1", "eth0", "") }, "Ethernet22 hears s1 eth0, inventory has it on swa/Ethernet1 (lldp)"},
		{"a cable of another switch", func(o *fleet.Observation) { hears(o, "Ethernet22", "s1", "eth1", "") }, "Ethernet22 hears s1 eth1, inventory has it on swb/Ethernet1 (lldp)"},
		{"an address where nothing is meant to be", func(o *fleet.Observation) { learned(o, "Ethernet22", "02:00:00:00:02:02") }, "Ethernet22 hears s2 bmc, inventory has it on swa/Ethernet32 (fdb)"},
		{"addresses behind a switch nobody knows", func(o *fleet.Observation) { learned(o, "Ethernet22", "02:00:00:00:02:02", "02:00:00:00:01:02") }, ""},
		{"an address that may have come by another switch", func(o *fleet.Observation) { learned(o, "Ethernet22", "02:00:00:00:02:01") }, ""},
		{"a stranger where nothing is meant to be", func(o *fleet.Observation) { hears(o, "Ethernet22", "web12", "eth0", "") }, ""},
		{"addresses of guests", func(o *fleet.Observation) { learned(o, "Ethernet1", "fa:16:3e:00:00:01") }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t)
			r.look(func(o *fleet.Observation) {
				if o.Target == "swa" {
					c.say(o)
				}
			})
			if c.want == "" {
				r.is("swa", fleet.StateOK)
				return
			}
			r.is("swa", fleet.StateWarn, c.want)
			r.look(nil) // a look without the table leaves it
			r.is("swa", fleet.StateWarn, c.want)
			r.hears(0, "swa", "hears")
		})
	}
}

func TestSiteThatGoesSilentIsOneLostPath(t *testing.T) {
	r := newRoom(t)
	from := r.now
	for range 4 {
		r.now = r.now.Add(5 * time.Second)
		var in []fleet.Input
		for i := range r.snap.Devices.Len() {
			o := r.healthy(r.snap.Devices.At(i).Spec)
			silence(o)
			in = append(in, o)
		}
		before := r.said
		r.step(in...)
		if r.now.Sub(from) > 6*time.Second {
			r.said = append(before, r.said...)
		}
	}
	r.now = r.now.Add(5 * time.Second)
	before := r.said
	r.step(fleet.Tick{})
	r.said = append(before, r.said...)
	r.hears(1, "ams1", "path to site ams1 lost: 11 of 11 devices silent since")
	for _, e := range r.said {
		if e.Target != "ams1" && e.Target != "match" && e.Target != "os" {
			t.Errorf("%s says %q beside the lost path", e.Target, e.Text)
		}
	}
	r.is("s1", fleet.StateUnknown, "not seen since")
	if x := r.snap.Regions.Get("ams"); x.State != fleet.StateCrit || len(x.Reasons) != 1 || !strings.Contains(x.Reasons[0], "site path lost: 11 of 11") {
		t.Errorf("region is %s %q", x.State, x.Reasons)
	}
	if x := r.snap.Racks.Get("ams1/r01"); x.State != fleet.StateUnknown || len(x.Reasons) != 1 || !strings.Contains(x.Reasons[0], "site path lost: 10 of 10") {
		t.Errorf("rack is %s %q", x.State, x.Reasons)
	}
	o := r.healthy(r.snap.Devices.Get("s1").Spec)
	r.step(o)
	if len(r.out.Nudges) < 10 {
		t.Errorf("the path is back, and only %q are polled now", r.out.Nudges)
	}
	r.hears(1, "ams1", "path to site ams1 is back after")
	r.looks(2, nil)
	r.hears(0, "ams1", "path")
	for _, e := range r.said {
		if e.Target != "ams1" && e.Target != "match" && e.Target != "os" {
			t.Errorf("%s says %q when the path is back", e.Target, e.Text)
		}
	}
	if x := r.snap.Regions.Get("ams"); x.State != fleet.StateOK || len(x.Reasons) != 0 {
		t.Errorf("region is %s %q after the path came back", x.State, x.Reasons)
	}
}

// TestHalfASiteIsNoLostPath: as long as anything answers, each device stands
// for itself.
func TestHalfASiteIsNoLostPath(t *testing.T) {
	r := newRoom(t)
	r.looks(4, func(o *fleet.Observation) {
		if o.Target != "sp1" {
			silence(o)
		}
	})
	r.hears(0, "ams1", "path")
	r.hears(1, "s2", "ok → unknown")
	r.now = r.now.Add(9 * time.Second) // the one that answers is about to be asked
	r.step(fleet.Tick{})
	r.hears(0, "ams1", "path")
}

func TestFlappingPortIsToldOnce(t *testing.T) {
	r := newRoom(t)
	n, recent := 0, 0
	for i := range 40 {
		r.look(func(o *fleet.Observation) {
			if o.Target == "swa" && i%2 == 0 {
				dark(o, "Ethernet49")
			}
		})
		for _, e := range r.said {
			if e.Target == "swa" {
				n++
				if strings.Contains(e.Text, "flapping") {
					recent++
				}
			}
		}
	}
	if n > 6 || recent != 1 {
		t.Errorf("%d events of 40 changes, %d say that it flaps", n, recent)
	}
	r.is("swa", fleet.StateWarn, "Ethernet49 flapping")
	r.now = r.now.Add(6 * time.Minute)
	r.look(nil)
	r.is("swa", fleet.StateOK)
	r.hears(1, "swa", "Ethernet49 has stopped flapping")
	for _, f := range r.snap.Devices.Get("swa").Flips {
		if f.Part == "Ethernet49" {
			t.Errorf("its changes are kept: %v", f)
		}
	}
}

func TestFlappingStateIsToldOnce(t *testing.T) {
	r := newRoom(t)
	n := 0
	for i := range 40 {
		r.look(func(o *fleet.Observation) {
			if o.Target == "s1" && i%2 == 0 {
				sensorOf(o, "20.0.1", fleet.StateWarn, 36, "")
			}
		})
		for _, e := range r.said {
			if e.Target == "s1" {
				n++
			}
		}
	}
	if n > 5 {
		t.Errorf("%d events of 40 changes", n)
	}
}

func TestDamagedCable(t *testing.T) {
	r := newRoom(t)
	count := uint64(1000)
	r.looks(2, func(o *fleet.Observation) {
		if o.Target == "swa" {
			count += 450
			o.Ports[2].Counters.Set(fleet.InErrors, count, true)
		}
	})
	r.is("swa", fleet.StateWarn, "Ethernet3 45 errors/s (cabled to s3 eth0)")
	r.look(func(o *fleet.Observation) {
		if o.Target == "swa" {
			o.Ports[2].Counters.Set(fleet.InErrors, count+1, true)
		}
	})
	r.is("swa", fleet.StateOK)
}

func TestEventLogFillsUp(t *testing.T) {
	for _, c := range []struct {
		used     int64
		overflow string
		want     string
	}{{74, "no", ""}, {75, "no", "event log 75 % full"}, {100, "no", "event log is full"}, {100, "yes", "event log is full and has lost events"}} {
		r := newRoom(t)
		r.look(func(o *fleet.Observation) {
			if o.Target == "s1" {
				o.Facts.SetNum("sel.used_percent", fleet.Int(c.used), true)
				o.Facts.Set("sel.overflow", c.overflow)
			}
		})
		if c.want == "" {
			r.is("s1", fleet.StateOK)
			continue
		}
		r.is("s1", fleet.StateWarn, c.want)
	}
}

func TestHypervisorInTheRowOfItsMachine(t *testing.T) {
	r := newRoom(t)
	r.look(func(o *fleet.Observation) {
		for i := range o.Hosts {
			switch o.Hosts[i].Name {
			case "s1":
				o.Hosts[i].State = "down"
			case "s2":
				o.Hosts[i].Status, o.Hosts[i].Maintenance = "disabled", "end of life"
			}
		}
	})
	r.is("s1", fleet.StateCrit, "os says its compute service is down, with 1 instance on it")
	r.is("s2", fleet.StateWarn, "os: disabled as a hypervisor: end of life")
	if x := r.snap.Instances.Get("is1"); x.State != fleet.StateCrit || len(x.Reasons) != 1 {
		t.Errorf("guest of a dead host: %s %q", x.State, x.Reasons)
	}
	if x := r.snap.Instances.Get("is2"); x.State != fleet.StateWarn || !strings.Contains(strings.Join(x.Reasons, ""), "end of life") {
		t.Errorf("guest of a host that retires: %s %q", x.State, x.Reasons)
	}
	if v := r.snap.Services.Get("match"); v.Replicas != 2 || v.State != fleet.StateWarn {
		t.Errorf("service %s with %d replicas", v.State, v.Replicas)
	}
	r.look(nil)
	r.look(nil)
	r.is("s1", fleet.StateOK)
	r.is("s2", fleet.StateOK)
}

// TestUnseenIsNotDown: what nobody sees is neither running nor lost.
func TestUnseenIsNotDown(t *testing.T) {
	r := newRoom(t)
	r.looks(4, func(o *fleet.Observation) {
		if o.Target == "os" {
			silence(o)
		}
	})
	if x := r.snap.Instances.Get("is1"); x.State != fleet.StateUnknown || len(x.Reasons) == 0 {
		t.Errorf("an instance of a cloud that nobody sees is %s %q", x.State, x.Reasons)
	}
	if v := r.snap.Services.Get("match"); v.State != fleet.StateUnknown || !strings.Contains(v.Reasons[0], "0 running, 3 not seen, floor 2") {
		t.Errorf("service is %s %q", v.State, v.Reasons)
	}
	r.hears(1, "os", "ok → unknown")
	r.hears(1, "os", "")
}

// TestStaleListOfInstances: a cloud that answers, but not with its instances,
// shows nothing of them.
func TestStaleListOfInstances(t *testing.T) {
	r := newRoom(t)
	r.looks(4, func(o *fleet.Observation) {
		if o.Target == "os" {
			o.Instances, o.Tables[fleet.TableInstances] = nil, fleet.Failed
			o.Err = &fleet.ProbeError{Target: "os", Op: "read instances", Err: fleet.ErrBusy}
		}
	})
	if x := r.snap.Instances.Get("is1"); x.State != fleet.StateUnknown || !strings.Contains(strings.Join(x.Reasons, ""), "instances not read since") {
		t.Errorf("an instance that was not read for 40 s is %s %q", x.State, x.Reasons)
	}
}

func TestWarmRoom(t *testing.T) {
	r := newRoom(t)
	r.look(func(o *fleet.Observation) { sensorOf(o, "20.0.1", fleet.StateWarn, 36, "") })
	if x := r.snap.Racks.Get("ams1/r01"); len(x.Reasons) != 1 || x.Reasons[0] != "inlet air too warm at 4 of 4 servers: the room, not the servers" {
		t.Errorf("rack says %q", x.Reasons)
	}
	r.look(func(o *fleet.Observation) {
		if o.Target == "s1" {
			sensorOf(o, "20.0.1", fleet.StateWarn, 36, "")
		}
	})
	if x := r.snap.Racks.Get("ams1/r01"); len(x.Reasons) != 0 {
		t.Errorf("one warm server makes a warm room: %q", x.Reasons)
	}
}

func TestWhatChangedIsASentence(t *testing.T) {
	r := newRoom(t)
	r.look(func(o *fleet.Observation) {
		switch o.Target {
		case "s1":
			o.Facts.Set(fleet.FactFirmware, "1.74")
		case "swa":
			def := *o.Ports[1].PortDef
			def.VLAN = 999
			o.Ports[1].PortDef = &def
			for i := range o.Ports {
				o.Ports[i].Discontinuity = 77
			}
		case "swb":
			o.Facts.SetNum(fleet.FactUptime, fleet.Int(12), true)
		}
	})
	r.hears(1, "s1", "firmware changed from 2.19 to 1.74")
	r.hears(1, "swa", "port moved: Ethernet2 from VLAN 110 to VLAN 999")
	r.hears(1, "swa", "counters of 10 ports began anew")
	r.hears(1, "swb", "restarted: its uptime fell from 12 d to 12s")
	for _, name := range []string{"swa", "swb"} {
		for _, p := range r.snap.Devices.Get(name).Ports {
			if p.Rates.InBps.Known {
				t.Errorf("%s %s has a rate over the gap: %s", name, p.Name, p.Rates.InBps)
			}
		}
	}
}

// TestSecondTroubleIsSaid: a device that is warn already must not swallow the
// next fault, and values that move are no news.
func TestSecondTroubleIsSaid(t *testing.T) {
	r := newRoom(t)
	hot := func(v int64, fan bool) func(o *fleet.Observation) {
		return func(o *fleet.Observation) {
			if o.Target != "s1" {
				return
			}
			sensorOf(o, "20.0.1", fleet.StateWarn, v, "")
			if fan {
				sensorOf(o, "20.0.39", fleet.StateCrit, 9, inputLost)
			}
		}
	}
	r.look(hot(36, false))
	r.hears(1, "s1", "ok → warn: Inlet Temp 36 C (warn 35)")
	r.look(hot(37, false))
	if len(r.said) != 0 || len(r.out.Changes) != 0 {
		t.Errorf("a value that moved made %d rows %v and said%s", len(r.out.Changes), r.out.Changes, r.talk())
	}
	r.is("s1", fleet.StateWarn, "37 C")
	r.look(hot(37, true))
	r.hears(1, "s1", "also: redundancy lost: PSU 2")
	r.look(hot(37, false))
	r.hears(1, "s1", "over: redundancy lost: PSU 2")
}

func TestRecentKeepsWhatIsWorst(t *testing.T) {
	var events []fleet.Event
	events = append(events, fleet.Event{ID: "crit", At: t0, Severity: fleet.SeverityCrit})
	for i := range 200 {
		events = append(events, fleet.Event{ID: fmt.Sprint(i), At: t0.Add(time.Duration(i) * time.Second), Severity: fleet.SeverityWarn})
	}
	got := newest(events, nil, t0.Add(time.Hour))
	if len(got) != fleet.MaxRecent || got[0].ID != "199" || got[len(got)-1].ID != "crit" {
		t.Errorf("%d events, first %s, last %s", len(got), got[0].ID, got[len(got)-1].ID)
	}
}

func TestStartIsQuiet(t *testing.T) {
	r := &room{t: t, snap: Restore(roomInventory(), fleet.Memory{}, t0), now: t0}
	if v := r.snap.Services.Get("match"); v.State != fleet.StateUnknown {
		t.Errorf("before anything was seen a service is %s %q", v.State, v.Reasons)
	}
	var said []fleet.Event
	for i := range r.snap.Devices.Len() { // one after the other, as they answer
		r.now = r.now.Add(time.Second)
		r.step(r.healthy(r.snap.Devices.At(i).Spec))
		said = append(said, r.said...)
		if i == 2 {
			r.step(r.cloud())
			said = append(said, r.said...)
		}
	}
	if r.said = said; len(said) > 0 {
		t.Errorf("a healthy fleet at its start says%s", r.talk())
	}
}
