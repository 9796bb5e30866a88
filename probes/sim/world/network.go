package world

import (
	"fmt"
	"math"
	"time"
)

// SwitchState is what a switch's agent knows at a moment.
type SwitchState struct {
	Reachable     bool
	Version       uint64 // changes whenever anything but counters changed
	Boot          time.Time
	Boots         uint32
	Discontinuity time.Time // zero: the counters began at boot
	Firmware      string
	Input         [2]bool
	Watts         [2]float64
	TempC         float64
	Ports         []PortState // in the order of Switch.Ports
}

// PortState is a port's present state with its counters since they began.
type PortState struct {
	Index                int // ifIndex
	VLAN                 int
	Alias                string
	Admin, Oper          bool
	Changed              time.Time // when Oper last changed; zero: at boot
	InOctets, OutOctets  uint64
	InErrors, InDiscards uint64
}

// Heard is an LLDP neighbour: what a port hears.
type Heard struct {
	Port       int // of the switch, 0 is the first
	Chassis    MAC
	SysName    string
	RemotePort string
	Descr      string
}

// Learned is an address a port has learned.
type Learned struct {
	Port, VLAN int
	MAC        MAC
}

// time turns seconds of the world back into a time.
func (w *World) time(t float64) time.Time {
	return w.Born.Add(time.Duration(t*1e9) - epochBefore)
}

// Switch returns what a switch says of itself and its ports.
func (w *World) Switch(n int, now time.Time) SwitchState {
	r, t := w.run(now)
	sw, s := &w.Switches[n], &r.switches[n]
	st := SwitchState{Reachable: !s.silent, Version: r.seq, Boot: w.time(s.boot), Boots: uint32(1 + s.restarts), Firmware: sw.Firmware, Input: s.input, Watts: r.switchWatts(w.Layout, n)}
	if s.oldFW {
		st.Firmware = "4.28.0F"
	}
	if s.disc > 0 {
		st.Discontinuity = w.time(s.disc)
	}
	rack := &w.Racks[sw.Rack]
	st.TempC = rack.InletC + 14 + 0.8*ripple(t, 1301, float64(n))
	st.Ports = make([]PortState, len(sw.Ports))
	for i := range sw.Ports {
		st.Ports[i] = w.port(r, n, i, t)
	}
	return st
}

// shuffle is by how much a shuffled switch has its interface numbers moved.
const shuffleBy = 7

func (w *World) port(r *run, n, i int, t float64) PortState {
	sw, s := &w.Switches[n], &r.switches[n]
	p := &sw.Ports[i]
	st := PortState{Index: i + 1, VLAN: p.VLAN, Alias: p.Alias, Admin: !w.shutIn(r, n, i)}
	if s.shuffled {
		st.Index = (i+shuffleBy)%len(sw.Ports) + 1
	}
	if v, ok := s.vlan[i]; ok {
		st.VLAN = v
	}
	if a, ok := s.alias[i]; ok {
		st.Alias = a
	}
	if p.Link < 0 {
		return st
	}
	k := &r.links[p.Link]
	st.Oper = k.up
	if !math.IsInf(k.changed, -1) && k.changed > s.boot {
		st.Changed = w.time(k.changed)
	}
	oct := r.octets(w.Layout, p.Link, t)
	base := s.base[i]
	st.InOctets = count(oct[1-p.End] - base[0])
	st.OutOctets = count(oct[p.End] - base[1])
	st.InErrors = count(r.errors(p.Link, t) - base[2])
	st.InDiscards = st.InOctets / 4e12
	return st
}

func count(f float64) uint64 { return uint64(math.Max(0, f)) }

// shutIn reports whether a port was shut when the run was made.
func (w *World) shutIn(r *run, n, i int) bool {
	if k := w.Switches[n].Ports[i].Link; k >= 0 {
		return r.links[k].down[w.Switches[n].Ports[i].End]
	}
	return false
}

// Neighbors returns what a switch hears by LLDP, by port.
func (w *World) Neighbors(n int, now time.Time) []Heard {
	r, _ := w.run(now)
	var heard []Heard
	for i := range w.Switches[n].Ports {
		p := &w.Switches[n].Ports[i]
		if p.Link < 0 || !r.links[p.Link].up {
			continue
		}
		far := r.links[p.Link].ends[1-p.End]
		h := Heard{Port: i, SysName: w.Name(far.Ref)}
		switch far.Kind {
		case KindSwitch:
			h.Chassis, h.RemotePort, h.Descr = w.Switches[far.N].MAC, w.Switches[far.N].Ports[far.Port].Name, w.Switches[far.N].Vendor+" "+w.Switches[far.N].Model
		case KindServer:
			if r.servers[far.N].hung {
				continue // its lldpd hangs with it, and what it said aged out
			}
			h.Chassis, h.RemotePort, h.Descr = w.Servers[far.N].MAC[0], fmt.Sprintf("eth%d", far.Port), "Linux"
		default:
			continue // BMCs and the outside do not speak LLDP
		}
		heard = append(heard, h)
	}
	return heard
}

// FDB returns the addresses that a switch has learned. Racks are routed at
// their switches: what is behind an uplink is not in it.
func (w *World) FDB(n int, now time.Time) []Learned {
	r, _ := w.run(now)
	sw := &w.Switches[n]
	if sw.Spine || !r.switches[n].live {
		return nil
	}
	var learned []Learned
	add := func(link int, m MAC) {
		if e := r.links[link].ends[1]; r.links[link].up && e.Kind == KindSwitch && e.N == n {
			vlan := sw.Ports[e.Port].VLAN
			if v, ok := r.switches[n].vlan[e.Port]; ok {
				vlan = v
			}
			learned = append(learned, Learned{e.Port, vlan, m})
		}
	}
	for _, i := range w.Racks[sw.Rack].Servers {
		sv := &w.Servers[i]
		add(sv.BMCLink, sv.BMCMAC)
		for nic := range sv.NIC {
			add(w.nicLink(r, i, nic), sv.MAC[nic])
		}
		if r.servers[i].hung || sv.Hypervisor < 0 {
			continue
		}
		for _, k := range w.guests[sv.Hypervisor] {
			if r.instances[k].host == sv.Hypervisor && r.instances[k].status == "ACTIVE" {
				add(w.guestLink(r, i, k), InstanceMAC(k))
			}
		}
		for k, in := range r.moved {
			if in == sv.Hypervisor && r.instances[k].status == "ACTIVE" {
				add(w.guestLink(r, i, k), InstanceMAC(k))
			}
		}
	}
	return learned
}

// guestLink is the link a guest's traffic takes: by its number, else the other.
func (w *World) guestLink(r *run, server, instance int) int {
	if link := w.nicLink(r, server, instance%2); r.links[link].up {
		return link
	}
	return w.nicLink(r, server, 1-instance%2)
}

// nicLink is the link a NIC is plugged into: its own, unless cables were
// exchanged.
func (w *World) nicLink(r *run, server, nic int) int {
	link := w.Servers[server].NIC[nic]
	for _, pair := range r.swapped {
		if pair[0] == link {
			return pair[1]
		}
		if pair[1] == link {
			return pair[0]
		}
	}
	return link
}

// InstanceMAC is the address of an instance.
func InstanceMAC(n int) MAC { return MAC{0xfa, 0x16, 0x3e, byte(n >> 16), byte(n >> 8), byte(n)} }
