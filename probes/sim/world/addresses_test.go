package world

import (
	"net/netip"
	"testing"
	"time"
)

// TestAddressesAreUnique: nobody's address is another's, in the largest fleet.
func TestAddressesAreUnique(t *testing.T) {
	w := newWorld(t, MaxRacks)
	owner := map[netip.Addr]bool{}
	take := func(ip netip.Addr) {
		if owner[ip] {
			t.Errorf("%s twice", ip)
		}
		owner[ip] = true
	}
	for i := range w.Servers {
		take(w.ServerIP(i, 0))
		take(w.ServerIP(i, 1))
		take(w.BMCIP(i))
	}
	for i := range w.Instances {
		take(InstanceIP(i, w.Instances[i].Region))
	}
	for k := range w.Links {
		take(linkIP(k, 0))
		take(linkIP(k, 1))
	}
}

// TestResolvedAgreesWithCabling: what is resolved on a port is what is plugged
// into it, as the FDB and LLDP have it.
func TestResolvedAgreesWithCabling(t *testing.T) {
	w := newWorld(t, 24)
	at := t0.Add(time.Hour)
	for n := range w.Switches {
		sw := &w.Switches[n]
		learned := map[MAC]int{}
		for _, l := range w.FDB(n, at) {
			learned[l.MAC] = l.Port
		}
		heard := map[int]Ref{}
		for _, h := range w.Neighbors(n, at) {
			heard[h.Port], _ = w.Find(h.SysName)
		}
		switches, others := 0, 0
		for _, a := range w.Resolved(n, at) {
			if p, ok := learned[a.MAC]; ok {
				others++
				if p != a.Port {
					t.Errorf("%s: %s on port %d, learned on %d", sw.Name, a.IP, a.Port+1, p+1)
				}
				continue
			}
			switches++
			k := &w.Links[sw.Ports[a.Port].Link]
			far := k.Ends[1-sw.Ports[a.Port].End]
			if far.Ref != heard[a.Port] || w.Switches[far.N].Ports[far.Port].MAC != a.MAC {
				t.Errorf("%s port %d resolves %s, which is not %v", sw.Name, a.Port+1, a.MAC, far)
			}
		}
		if len(learned) != others {
			t.Errorf("%s learned %d addresses and resolved %d of them", sw.Name, len(learned), others)
		}
		if switches < 3 {
			t.Errorf("%s resolves %d switches", sw.Name, switches)
		}
	}
}

// TestQuarantine: on a port that was moved into quarantine nobody is resolved,
// though the FDB goes on learning there; a hung kernel answers nobody.
func TestQuarantine(t *testing.T) {
	w := newWorld(t, 2)
	hyp := w.Hyps[0]
	sw, p := w.Racks[w.Servers[hyp].Rack].ToR[1], 3
	if w.Servers[hyp].Slot-1 == p {
		p = 4
	}
	resolves := func(port int) (n int) {
		for _, a := range w.Resolved(sw, after) {
			if a.Port == port {
				n++
			}
		}
		return n
	}
	if resolves(p) == 0 || resolves(w.Servers[hyp].Slot-1) == 0 {
		t.Fatal("nobody is resolved in a healthy fleet")
	}
	inject(t, w, "vlan-drift@"+w.Switches[sw].Name+"/"+w.Switches[sw].Ports[p].Name+",host-dead@"+w.Servers[hyp].Name, t0)
	if n := resolves(p); n != 0 {
		t.Errorf("%d are resolved in quarantine", n)
	}
	if n := resolves(w.Servers[hyp].Slot - 1); n != 0 {
		t.Errorf("%d are resolved behind a hung kernel", n)
	}
}

func TestOpenGroup(t *testing.T) {
	w := newWorld(t, 24)
	inject(t, w, "open-group@"+w.Regions[1].Name, t0)
	for n := range w.Regions {
		if got := !w.Cloud(n, after).Opened.IsZero(); got != (n == 1) {
			t.Errorf("%s opened: %v", w.Regions[n].Name, got)
		}
	}
	if _, err := w.ParseFaults("open-group@mars", t0); err == nil {
		t.Error("a region that is not there")
	}
}
