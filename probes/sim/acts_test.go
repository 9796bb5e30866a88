package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes/ipmi"
	"plumb/probes/sim/world"
)

// demo is a small fleet with its ordinary probes, and a clock that a test moves.
type demo struct {
	*Fleet
	t      *testing.T
	ahead  *atomic.Int64
	probes map[string]probe
}

func startDemo(t *testing.T, fault string) *demo {
	t.Helper()
	var ahead atomic.Int64
	f := startFleet(t, Options{Fault: fault, Racks: 2, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	d := &demo{Fleet: f, t: t, ahead: &ahead, probes: map[string]probe{}}
	for _, p := range f.probes(t) {
		d.probes[p.target] = p
		t.Cleanup(func() { _ = p.Close() })
	}
	return d
}

// pass lets the fleet's clock go on.
func (d *demo) pass(by time.Duration) { d.ahead.Add(int64(by)) }

func (d *demo) look(target string, lane fleet.Lane) *fleet.Observation {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 20*time.Second)
	defer cancel()
	o, err := d.probes[target].Observe(ctx, lane)
	if err != nil || o.Err != nil {
		d.t.Fatalf("%s: %v, %v", target, err, o.Err)
	}
	return o
}

func (d *demo) act(device string, a fleet.Action) fleet.Outcome {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 30*time.Second)
	defer cancel()
	out, err := d.probes[device].Probe.(fleet.Actor).Act(ctx, a)
	d.t.Logf("%s %s %v: %+v, %v", a.Kind, a.Target, a.Args, out, err)
	if err != nil || !out.Done {
		d.t.Errorf("%s %s: %+v, %v", a.Kind, a.Target, out, err)
	}
	return out
}

// An outlet that is off takes the input of the supply behind it.
func TestDemoOutlets(t *testing.T) {
	d := startDemo(t, "none")
	pdu := &d.World.PDUs[0]
	n := slices.IndexFunc(pdu.Loads[:], func(l world.Load) bool {
		return l.Kind == world.KindServer && d.World.Servers[l.N].Cords[1-l.PSU].PDU >= 0
	})
	server, psu := d.World.Servers[pdu.Loads[n].N].Name, pdu.Loads[n].PSU
	target := fmt.Sprintf("%s/%d", pdu.Name, n+1)
	input := func() fleet.State {
		for _, s := range d.look(server, fleet.LaneFast).Sensors {
			if s.Name == fmt.Sprintf("PS%d Status", psu+1) {
				return s.State
			}
		}
		return fleet.StateUnknown
	}
	if s := input(); s != fleet.StateOK {
		t.Fatalf("the supply is %v", s)
	}
	d.act(pdu.Name, fleet.Action{Kind: fleet.ActOutletOff, Target: target, Serial: pdu.Serial})
	d.pass(time.Second)
	if o := d.look(pdu.Name, fleet.LaneFast).Outlets[n]; o.State != "off" || o.PowerW.Float() != 0 {
		t.Errorf("a poll sees %+v", o)
	}
	if s := input(); s != fleet.StateCrit {
		t.Errorf("without its outlet the supply is %v", s)
	}
	d.act(pdu.Name, fleet.Action{Kind: fleet.ActOutletOn, Target: target, Serial: pdu.Serial})
	d.pass(time.Second)
	if s := input(); s != fleet.StateOK {
		t.Errorf("with it again the supply is %v", s)
	}
	time.AfterFunc(500*time.Millisecond, func() { d.pass(world.OutletReboot) })
	out := d.act(pdu.Name, fleet.Action{Kind: fleet.ActOutletCycle, Target: target, Serial: pdu.Serial})
	if out.After != "on" || !strings.Contains(out.Text, "off and on again") {
		t.Errorf("%+v", out)
	}
}

func TestDemoPorts(t *testing.T) {
	d := startDemo(t, "vlan-drift@fra1-r01-swa/Ethernet2,port-alias@fra1-r01-swa/Ethernet2")
	const sw = "fra1-r01-swa"
	serial := d.World.Switches[0].Serial
	port := func(name string) fleet.Port {
		for _, p := range d.look(sw, fleet.LaneSlow).Ports {
			if p.Name == name {
				return p
			}
		}
		t.Fatalf("no port %s", name)
		return fleet.Port{}
	}
	built := port("Ethernet1").VLAN
	d.act(sw, fleet.Action{Kind: fleet.ActPortAlias, Target: sw + "/Ethernet1", Serial: serial, Args: map[string]string{"alias": "to be moved"}})
	d.act(sw, fleet.Action{Kind: fleet.ActPortVLAN, Target: sw + "/Ethernet1", Serial: serial, Args: map[string]string{"vlan": "999"}})
	if p := port("Ethernet1"); p.VLAN != 999 || p.Alias != "to be moved" || built == 999 {
		t.Errorf("a poll sees VLAN %d, alias %q; it was VLAN %d", p.VLAN, p.Alias, built)
	}
	// What the fault did is taken back by whoever comes later.
	if p := port("Ethernet2"); p.VLAN != 999 || p.Alias != "spare" {
		t.Fatalf("the drifted port is in VLAN %d, alias %q", p.VLAN, p.Alias)
	}
	d.act(sw, fleet.Action{Kind: fleet.ActPortAlias, Target: sw + "/Ethernet2", Serial: serial, Args: map[string]string{"alias": d.World.Switches[0].Ports[1].Alias}})
	d.act(sw, fleet.Action{Kind: fleet.ActPortVLAN, Target: sw + "/Ethernet2", Serial: serial, Args: map[string]string{"vlan": fmt.Sprint(d.World.Switches[0].Ports[1].VLAN)}})
	if p, was := port("Ethernet2"), &d.World.Switches[0].Ports[1]; p.VLAN != was.VLAN || p.Alias != was.Alias {
		t.Errorf("the drifted port is in VLAN %d, alias %q", p.VLAN, p.Alias)
	}
	// A spine is spoken to in v3.
	spine := &d.World.Switches[slices.IndexFunc(d.World.Switches, func(s world.Switch) bool { return s.Spine })]
	d.act(spine.Name, fleet.Action{Kind: fleet.ActPortAlias, Target: spine.Name + "/Ethernet1", Serial: spine.Serial, Args: map[string]string{"alias": "to a rack"}})
	out := d.act(sw, fleet.Action{Kind: fleet.ActPortBounce, Target: sw + "/Ethernet3", Serial: serial})
	if p := port("Ethernet3"); p.Admin != "up" || p.Oper != "up" || !strings.Contains(out.Text, "its link went down") {
		t.Errorf("%s %s: %+v", p.Admin, p.Oper, out)
	}
}

func TestDemoBMC(t *testing.T) {
	const name = "fra1-r01-s02"
	d := startDemo(t, "default-user@"+name+",cipher-zero@"+name+",sel-full@"+name)
	ref, _ := d.World.Find(name)
	serial := d.World.Servers[ref.N].Serial
	act := func(kind fleet.ActionKind, key, value string) fleet.Outcome {
		t.Helper()
		return d.act(name, fleet.Action{Kind: kind, Target: name, Serial: serial, Args: map[string]string{key: value}})
	}
	facts := d.look(name, fleet.LaneSlow).Facts
	if facts.Get("bmc.user.9") != "ADMIN administrator enabled lan" || !strings.HasPrefix(facts.Get("bmc.ciphers"), "0 ") {
		t.Fatalf("users %q, suites %q", facts.Get("bmc.user.9"), facts.Get("bmc.ciphers"))
	}
	act(fleet.ActUserOff, "slot", "9")
	act(fleet.ActCipherOff, "suite", "0")
	facts = d.look(name, fleet.LaneSlow).Facts
	if facts.Get("bmc.user.9") != "ADMIN administrator disabled lan" || strings.HasPrefix(facts.Get("bmc.ciphers"), "0 ") {
		t.Errorf("after it: users %q, suites %q", facts.Get("bmc.user.9"), facts.Get("bmc.ciphers"))
	}
	if g, err := ipmi.Knock(t.Context(), d.bmcAddr[ref.N].String()); err != nil || g.Cipher0 || !g.Cipher0Tried {
		t.Errorf("suite 0 still lets in: %+v, %v", g, err)
	}
	for range 4 { // a full log takes a few polls to read
		d.look(name, fleet.LaneTables)
	}
	if out := act(fleet.ActSELClear, "", ""); !strings.HasPrefix(out.Before, "512 records") {
		t.Errorf("%+v", out)
	}
	if n := d.look(name, fleet.LaneTables).Facts.Get("sel.entries"); n != "1" {
		t.Errorf("%s records are left", n)
	}
	act(fleet.ActBootOnce, "from", "pxe")
	if out := act(fleet.ActBootOnce, "from", "pxe"); out.Before != "pxe" {
		t.Errorf("it was not kept: %+v", out)
	}
	act(fleet.ActPowerCycle, "", "")
	if out := act(fleet.ActBootOnce, "from", "none"); out.Before != "none" {
		t.Errorf("it outlived the start: %+v", out)
	}
	// Somebody opens the suite again: what comes later holds.
	if err := d.Inject("cipher-zero@" + name); err != nil {
		t.Fatal(err)
	}
	d.pass(time.Second)
	if s := d.look(name, fleet.LaneSlow).Facts.Get("bmc.ciphers"); !strings.HasPrefix(s, "0 ") {
		t.Errorf("suites %q", s)
	}
}

// A BMC is silent while it starts; the host runs on.
func TestDemoBMCReset(t *testing.T) {
	d := startDemo(t, "none")
	sv := &d.World.Servers[3]
	d.look(sv.Name, fleet.LaneFast)
	time.AfterFunc(500*time.Millisecond, func() { d.pass(10 * time.Second) })
	out := d.act(sv.Name, fleet.Action{Kind: fleet.ActBMCReset, Target: sv.Name, Serial: sv.Serial})
	if out.After != "restarted" {
		t.Errorf("%+v", out)
	}
	if o := d.look(sv.Name, fleet.LaneFast); o.Facts.Get(fleet.FactPower) != "on" {
		t.Errorf("the host is %s", o.Facts.Get(fleet.FactPower))
	}
}

func TestDemoCloud(t *testing.T) {
	d := startDemo(t, "open-group@fra")
	hyp := d.World.Servers[d.World.Hyps[0]].Name
	if err := d.Inject("host-dead@" + hyp); err != nil {
		t.Fatal(err)
	}
	d.pass(time.Second)
	o := d.look("stack-fra", fleet.LaneTables)
	i := slices.IndexFunc(o.Instances, func(i fleet.Instance) bool { return i.Host == hyp })
	id := o.Instances[i].ID
	out := d.act("stack-fra", fleet.Action{Kind: fleet.ActInstanceEvacuate, Target: id})
	if out.Before != "ACTIVE on "+hyp {
		t.Errorf("%+v", out)
	}
	deadline := time.Now().Add(15 * time.Second)
	for host := hyp; host == hyp; {
		if time.Now().After(deadline) {
			t.Fatal("it never moved")
		}
		for _, x := range d.look("stack-fra", fleet.LaneFast).Instances {
			if x.ID == id {
				host = x.Host
			}
		}
	}
	open := func() (id string) {
		for _, g := range d.look("stack-fra", fleet.LaneTables).SecurityGroups {
			for _, r := range g.Rules {
				if g.Name == "mgmt" && r.Remote == "0.0.0.0/0" {
					id = r.ID
				}
			}
		}
		return id
	}
	rule := open()
	d.act("stack-fra", fleet.Action{Kind: fleet.ActRuleRemove, Target: "stack-fra/mgmt", Args: map[string]string{"rule": rule}})
	if rule == "" || open() != "" {
		t.Errorf("the rule %q became %q", rule, open())
	}
}

// What was done outlives the process.
func TestDemoRemembers(t *testing.T) {
	dir := t.TempDir()
	opt := Options{Dir: dir, Racks: 1, Fault: "none", PortBase: DefaultPortBase, Logf: t.Logf}
	f, err := Start(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, err := range []error{
		f.World.SetVLAN(0, 0, 999, now), f.World.SetAlias(0, 0, "spare", now), f.World.SetUser(1, 3, false, now), f.World.SetSuite(1, 3, false, now),
		f.World.SetBoot(1, world.BootFlags{0x80, 4}, now), f.World.RemoveRule("r1", now), f.World.SetService(f.World.Servers[f.World.Hyps[1]].Name, true, "plumb j1", now), f.World.Evacuate(f.World.Instances[0].ID, now),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	before := f.World.Cloud(0, now)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	g := startFleet(t, opt)
	now = time.Now()
	if p := g.World.Switch(0, now).Ports[0]; p.VLAN != 999 || p.Alias != "spare" {
		t.Errorf("the port: %+v", p)
	}
	if s := g.World.Server(1, now).Shut; !s.User(3) || s.User(2) || !s.Suite(3) || s.Suite(17) {
		t.Errorf("the doors: %+v", s)
	}
	if b := g.World.Boot(1, now); b != (world.BootFlags{0x80, 4}) {
		t.Errorf("the boot flags: %x", b)
	}
	after := g.World.Cloud(0, now)
	if h := after.Hosts[1]; g.World.Servers[h.Server].Hypervisor != 1 || !h.Disabled || h.Reason != "plumb j1" {
		t.Errorf("the host: %+v", h)
	}
	if after.RulesOff["r1"].IsZero() || after.Instances[0].Host != before.Instances[0].Host || after.Instances[0].Host == g.World.Hyps[g.World.Instances[0].Host] {
		t.Errorf("the cloud: %+v", after)
	}
}
