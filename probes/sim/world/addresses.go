package world

import (
	"net/netip"
	"time"
)

// Who has which address. The plan is by region and rack, so that an address
// tells where its owner is: 10.20+region.rack.host for servers, 10.40+region
// for their BMCs, 10.100+region for instances, and for every cable between two
// switches a pair of its own in 10.224.

// quarantine is the VLAN that no router is in.
const quarantine = 999

func four(a, b, c, d int) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(a), byte(b), byte(c), byte(d)})
}

// ServerIP returns the address of a server's eth0 or eth1.
func (l *Layout) ServerIP(n, nic int) netip.Addr {
	sv := &l.Servers[n]
	return four(10, 20+l.Racks[sv.Rack].Region, sv.Rack%250, 10+100*nic+sv.Slot)
}

// BMCIP returns the address of a server's BMC.
func (l *Layout) BMCIP(n int) netip.Addr {
	sv := &l.Servers[n]
	return four(10, 40+l.Racks[sv.Rack].Region, sv.Rack%250, 10+sv.Slot)
}

// InstanceIP returns the address of an instance on the tenants' network.
func InstanceIP(n, region int) netip.Addr { return four(10, 100+region, n/200, 10+n%200) }

// linkIP returns the address of one end of a cable between switches.
func linkIP(link, end int) netip.Addr {
	k := 2*link + end
	return four(10, 224+k>>16, k>>8&255, k&255)
}

// Resolved is an address that a switch has resolved on a port.
type Resolved struct {
	Port int // of the switch, 0 is the first
	IP   netip.Addr
	MAC  MAC
}

// Resolved returns the addresses that a switch has resolved: racks are routed at
// their switches, so a top-of-rack switch knows whoever it has learned and who
// answers, and every switch knows the switches at the other ends of its cables.
// On a port in quarantine nobody resolves, and a hung kernel answers nobody.
func (w *World) Resolved(n int, now time.Time) []Resolved {
	r, _ := w.run(now)
	if !r.switches[n].live {
		return nil
	}
	list := w.across(r, n)
	owner := w.owners(r, n)
	for _, l := range w.FDB(n, now) {
		if ip, ok := owner[l.MAC]; ok && l.VLAN != quarantine {
			list = append(list, Resolved{l.Port, ip, l.MAC})
		}
	}
	return list
}

// across returns the switches at the other ends of a switch's cables.
func (w *World) across(r *run, n int) (list []Resolved) {
	for i := range w.Switches[n].Ports {
		p := &w.Switches[n].Ports[i]
		if p.Link < 0 || !r.links[p.Link].up {
			continue
		}
		if far := r.links[p.Link].ends[1-p.End]; far.Kind == KindSwitch {
			list = append(list, Resolved{i, linkIP(p.Link, 1-p.End), w.Switches[far.N].Ports[far.Port].MAC})
		}
	}
	return list
}

// owners returns the address of each MAC in the rack of a switch that answers.
func (w *World) owners(r *run, n int) map[MAC]netip.Addr {
	owner := map[MAC]netip.Addr{}
	if w.Switches[n].Spine {
		return owner
	}
	for _, i := range w.Racks[w.Switches[n].Rack].Servers {
		sv := &w.Servers[i]
		if !r.servers[i].silent {
			owner[sv.BMCMAC] = w.BMCIP(i)
		}
		if r.servers[i].hung {
			continue
		}
		for nic := range sv.MAC {
			owner[sv.MAC[nic]] = w.ServerIP(i, nic)
		}
		if sv.Hypervisor < 0 {
			continue
		}
		for _, k := range w.guests[sv.Hypervisor] {
			owner[InstanceMAC(k)] = InstanceIP(k, w.Instances[k].Region)
		}
		for k, in := range r.moved {
			if in == sv.Hypervisor {
				owner[InstanceMAC(k)] = InstanceIP(k, w.Instances[k].Region)
			}
		}
	}
	return owner
}
