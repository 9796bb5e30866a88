package sim

import (
	"net/netip"
	"slices"
	"testing"

	"plumb/fleet"
	"plumb/probes/sim/agent"
	"plumb/probes/sim/world"
)

// TestNetworkOverTheWire: who answers where, parts and doors, as the ordinary
// probes read them from the demo's agents.
func TestNetworkOverTheWire(t *testing.T) {
	f := startFleet(t, Options{Fault: "none", Racks: 1})
	list := f.probes(t)
	list = slices.DeleteFunc(list, func(p probe) bool {
		ref, ok := f.World.Find(p.target)
		return !ok || ref.Kind != world.KindSwitch
	})
	seen := observeAll(t, list, fleet.LaneSlow)
	for i := range f.World.Switches {
		sw := &f.World.Switches[i]
		o := seen[sw.Name]
		if o == nil || o.Err != nil {
			t.Fatalf("%s: %+v", sw.Name, o)
		}
		learned := map[string]string{}
		for _, e := range o.FDB {
			learned[e.MAC] = e.Port
		}
		answered := 0
		for _, a := range o.ARP {
			if _, err := netip.ParseAddr(a.IP); err != nil {
				t.Errorf("%s: %+v", sw.Name, a)
			}
			if port, ok := learned[a.MAC]; ok {
				answered++
				if port != a.Port {
					t.Errorf("%s: %s resolved on %s, learned on %s", sw.Name, a.MAC, a.Port, port)
				}
			}
		}
		if answered != len(o.FDB) || len(o.ARP) < answered+2 || o.Tables[fleet.TableARP] != fleet.Complete {
			t.Errorf("%s: %d of %d learned addresses among %d resolved, %v", sw.Name, answered, len(o.FDB), len(o.ARP), o.Tables[fleet.TableARP])
		}
		serials := map[string]bool{}
		for _, e := range o.Entities {
			if label := e.Class == "powerSupply" || e.Class == "fan"; label != (e.Serial != "" && e.Model != "") && e.Class != "chassis" || serials[e.Serial] {
				t.Errorf("%s: %+v", sw.Name, e)
			}
			serials[e.Serial] = e.Serial != ""
		}
		want := [3]string{"v2c", "own", ""}
		if sw.Spine {
			want = [3]string{"v3 authPriv", "", suites[f.spine(i)%len(suites)][0]}
		}
		if got := [3]string{o.Facts.Get("snmp.access"), o.Facts.Get("snmp.community"), o.Facts.Get("snmp.auth")}; got != want {
			t.Errorf("%s: %q, want %q", sw.Name, got, want)
		}
		for _, v := range o.VLANs {
			if !slices.Equal(v.Ports, v.Untagged) {
				t.Errorf("%s: VLAN %d of %q, untagged %q", sw.Name, v.ID, v.Ports, v.Untagged)
			}
		}
	}
	if err := agent.Check(newSwitchView(f.World, 0).look(f.opt.Now())); err != nil {
		t.Error(err)
	}
}

// TestCloudOverTheWire: what stands open, before and after somebody opened more.
func TestCloudOverTheWire(t *testing.T) {
	f := startFleet(t, Options{Fault: "none", Racks: 1})
	list := f.cloudProbes(t)
	target := list[0].target
	open := func() (rules []string) {
		o := observeAll(t, list, fleet.LaneTables)[target]
		if o.Err != nil || o.Tables[fleet.TableSecurityGroups] != fleet.Complete {
			t.Fatalf("%v %v", o.Err, o.Tables)
		}
		names := map[string]bool{}
		for _, g := range o.SecurityGroups {
			names[g.Name] = true
			for _, r := range g.Rules {
				if r.Direction == "ingress" && r.Remote == "0.0.0.0/0" {
					rules = append(rules, g.Name+" "+r.Protocol+" "+r.PortMin.String()+"-"+r.PortMax.String())
				}
			}
		}
		for _, in := range o.Instances {
			for _, g := range in.SecurityGroups {
				if !names[g] {
					t.Errorf("%s is in the group %q, which is not listed", in.Name, g)
				}
			}
			if public := in.Tags["service"] == "match"; public != (len(in.Public) == 1) || len(in.Addresses) != 1+len(in.Public) || in.Image == "" {
				t.Errorf("%s: %q of %q, image %q", in.Name, in.Public, in.Addresses, in.Image)
			}
		}
		slices.Sort(rules)
		return rules
	}
	want := []string{"game udp 27000-27099", "web tcp 443-443"}
	if got := open(); !slices.Equal(got, want) {
		t.Errorf("open: %q, want %q", got, want)
	}
	if err := f.Inject("open-group@" + f.World.Regions[0].Name); err != nil {
		t.Fatal(err)
	}
	f.regions[0].mu.Lock() // the burst is over
	f.regions[0].reg = nil
	f.regions[0].mu.Unlock()
	if got := open(); !slices.Equal(got, append([]string{want[0], "mgmt tcp 22-22"}, want[1])) {
		t.Errorf("open after the fault: %q", got)
	}
}
