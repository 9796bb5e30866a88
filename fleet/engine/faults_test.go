package engine

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

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
	if v := r.snap.Services.Get("match"); v.State != fleet.StateUnknown || v.Unseen != 3 || v.Unread || !strings.Contains(v.Reasons[0], "0 running, 3 not seen, floor 2") {
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
