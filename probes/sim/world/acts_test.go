package world

import (
	"errors"
	"testing"
	"time"
)

// What somebody does while a fault is there holds; a fault that begins later
// holds over it.
func TestLaterHolds(t *testing.T) {
	w := newWorld(t, 2)
	inject(t, w, "vlan-drift@fra1-r01-swa/Ethernet1,port-alias@fra1-r01-swa/Ethernet1,sel-full@fra1-r01-s01,cipher-zero@fra1-r01-s01,open-group@fra", t0)
	sw, p := port(t, w, "fra1-r01-swa/Ethernet1")
	built := w.Switches[sw].Ports[p].VLAN
	acted := t0.Add(time.Minute)
	if a := w.Switch(sw, t0).Ports[p].Alias; a != misnamed {
		t.Errorf("alias %q", a)
	}
	for _, err := range []error{w.SetVLAN(sw, p, built, acted), w.SetAlias(sw, p, "to s01", acted), w.ClearLog(0, acted), w.SetSuite(0, 0, false, acted), w.RemoveRule("x", acted)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(at time.Time, vlan int, full, shut bool) {
		t.Helper()
		s := w.Server(0, at)
		if a, want := w.Switch(sw, at).Ports[p].Alias, map[bool]string{false: "to s01", true: misnamed}[full]; a != want {
			t.Errorf("alias %q, want %q", a, want)
		}
		if v := w.Switch(sw, at).Ports[p].VLAN; v != vlan || s.LogFull != full || s.Shut.Suite(0) != shut {
			t.Errorf("VLAN %d, full %v, shut %v; want %d, %v, %v", v, s.LogFull, s.Shut.Suite(0), vlan, full, shut)
		}
	}
	check(t0, built, false, true) // the world does not go back
	check(after, built, false, true)
	inject(t, w, "vlan-drift@fra1-r01-swa/Ethernet1,port-alias@fra1-r01-swa/Ethernet1,sel-full@fra1-r01-s01,cipher-zero@fra1-r01-s01", after)
	check(after.Add(time.Minute), quarantine, true, false)
	if c := w.Cloud(0, after); !c.Opened.Before(c.RulesOff["x"]) {
		t.Errorf("opened %v, removed %v", c.Opened, c.RulesOff)
	}
}

func TestOutletReboot(t *testing.T) {
	w := newWorld(t, 2)
	if err := w.RebootOutlet(0, 1, t0); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		on    bool
	}{{time.Second, false}, {OutletReboot - time.Second, false}, {OutletReboot + time.Second, true}} {
		o := w.PDU(0, t0.Add(c.after)).Outlets[0]
		if o.On != c.on || o.Waits == c.on {
			t.Errorf("after %v: %+v", c.after, o)
		}
	}
	if err := w.RebootOutlet(0, 99, after); !errors.Is(err, ErrNoSuch) {
		t.Error(err)
	}
	// Whoever switches it meanwhile has the last word.
	if err := errors.Join(w.RebootOutlet(0, 1, after), w.SetOutlet(0, 1, false, after.Add(time.Second))); err != nil {
		t.Fatal(err)
	}
	if w.PDU(0, after.Add(time.Minute)).Outlets[0].On {
		t.Error("an outlet that was switched off came back")
	}
}

func TestBMCRestart(t *testing.T) {
	w := newWorld(t, 2)
	boot, _ := w.BMC(0, t0)
	if err := w.RestartBMC(0, t0); err != nil {
		t.Fatal(err)
	}
	if w.Reachable(0, t0.Add(time.Second)) || !w.Server(0, t0.Add(time.Second)).On {
		t.Error("it answers while it starts, or took the host with it")
	}
	again, up := w.BMC(0, t0.Add(bmcStartSeconds*time.Second+time.Second))
	if !up || again == boot {
		t.Errorf("up %v, start %v", up, again)
	}
}

// An evacuated instance goes to a host of its region that is up, best to one
// without another of its group.
func TestEvacuate(t *testing.T) {
	w := newWorld(t, 4)
	n := w.Instances[0].Host
	inject(t, w, "host-dead@"+w.Servers[w.Hyps[n]].Name, t0)
	taken := map[int]bool{}
	for i := range w.Instances {
		if in := &w.Instances[i]; in.Group == w.Instances[0].Group && i != 0 {
			taken[w.Hyps[in.Host]] = true
		}
	}
	if err := w.Evacuate(w.Instances[0].ID, after); err != nil {
		t.Fatal(err)
	}
	host := func() int {
		for _, s := range w.Cloud(w.Instances[0].Region, after).Instances {
			if s.N == 0 {
				return s.Host
			}
		}
		return -1
	}
	if h := host(); h == w.Hyps[n] || taken[h] && len(taken) < len(w.Hyps)-1 {
		t.Errorf("it is on %s, beside others of %s: %v", w.Servers[h].Name, w.Instances[0].Group, taken[h])
	}
	// Its address is learned where it is now, and nowhere else.
	seen := 0
	for sw := range w.Switches {
		for _, l := range w.FDB(sw, after) {
			if l.MAC == InstanceMAC(0) {
				seen++
			}
		}
	}
	if seen != 1 {
		t.Errorf("its address is learned %d times", seen)
	}
	if err := w.Evacuate("nobody", after); !errors.Is(err, ErrNoSuch) {
		t.Error(err)
	}
	for _, h := range w.Hyps {
		if err := w.SetPower(h, false, after); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Evacuate(w.Instances[0].ID, after.Add(time.Minute)); !errors.Is(err, ErrNoHost) {
		t.Error(err)
	}
}

func TestPortIsDescribed(t *testing.T) {
	w := newWorld(t, 2)
	if err := w.SetAlias(0, 0, "spare", t0); err != nil {
		t.Fatal(err)
	}
	if p := w.Switch(0, t0).Ports; p[0].Alias != "spare" || p[1].Alias != w.Switches[0].Ports[1].Alias {
		t.Errorf("%q, %q", p[0].Alias, p[1].Alias)
	}
	if err := errors.Join(w.SetVLAN(0, 0, 777, t0)); !errors.Is(err, ErrNoSuch) {
		t.Errorf("a VLAN that is not there: %v", err)
	}
	if errors.Join(w.SetAlias(0, 999, "x", t0)) == nil || w.SetVLAN(0, 999, 1, t0) == nil {
		t.Error("a port that is not there")
	}
}

// TestStartingAnewHelps: a kernel that hangs is mended by a power cycle, a BMC
// that hangs only by taking all of its power away; until the next fault.
func TestStartingAnewHelps(t *testing.T) {
	w := newWorld(t, 2)
	host := -1
	for i := range w.Servers {
		if w.Servers[i].Hypervisor >= 0 && w.Servers[i].Cords[1].PDU >= 0 {
			host = i
			break
		}
	}
	name := w.Servers[host].Name
	inject(t, w, "host-dead@"+name+",bmc-silent@"+name, t0)
	at := t0.Add(time.Minute)
	up := func() bool { r, _ := w.run(at); return r.hyps[w.Servers[host].Hypervisor].up }
	if up() || w.Server(host, at).Reachable {
		t.Fatal("the faults do nothing")
	}
	if err := w.Cycle(host, at); err != nil {
		t.Fatal(err)
	}
	if at = at.Add(5 * time.Minute); !up() || w.Server(host, at).Reachable {
		t.Errorf("after a cycle: host up %v, BMC answers %v", up(), w.Server(host, at).Reachable)
	}
	cut := func(cords int) {
		for _, c := range w.Servers[host].Cords[:cords] {
			if err := w.SetOutlet(c.PDU, c.Outlet, false, at); err != nil {
				t.Fatal(err)
			}
		}
		at = at.Add(time.Second)
		for _, c := range w.Servers[host].Cords[:cords] {
			if err := w.SetOutlet(c.PDU, c.Outlet, true, at); err != nil {
				t.Fatal(err)
			}
		}
		at = at.Add(time.Minute)
	}
	if cut(1); w.Server(host, at).Reachable {
		t.Error("one cord of two restarts its BMC")
	}
	if cut(2); !w.Server(host, at).Reachable {
		t.Error("its BMC does not come back with its power")
	}
	inject(t, w, "bmc-silent@"+name, at)
	if at = at.Add(time.Second); w.Server(host, at).Reachable {
		t.Error("a fault that begins later does not hold")
	}
}
