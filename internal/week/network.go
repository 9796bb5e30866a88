package week

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

// netswitch is a ToR (spine 0) or a spine.
type netswitch struct {
	id, site, rack string
	row, side      int // of a ToR: its rack's number in the site, and 0 or 1 for A or B
	spine, n       int
	defs           []*fleet.PortDef // shared between polls for as long as nothing changes
	deafs          map[*Event]bool
}

func (x *netswitch) model() string  { return word(x.spine > 0, "7060CX-32S", "7050SX3-48YC6") }
func (x *netswitch) role() string   { return word(x.spine > 0, "spine", "tor") }
func (x *netswitch) serial() string { return fmt.Sprintf("N%05d", x.n) }

// spinePort is where a ToR ends on each spine.
func (x *netswitch) spinePort() string { return fmt.Sprintf("Ethernet%d", 2*x.row+x.side+1) }

func portNumber(name string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(name, "Ethernet"))
	return n
}

// plug is what hangs on a port.
type plug struct {
	s       *server
	nic     int // 0 and 1: eth0 and eth1; 2: the BMC
	far     *netswitch
	farPort string
}

func (p plug) empty() bool { return p.s == nil && p.far == nil }

// cabled is what is meant to hang on a port.
func (w *World) cabled(x *netswitch, n int) plug {
	if x.spine > 0 {
		if n > 2*racks {
			return plug{}
		}
		row, side := (n-1)/2, (n-1)%2
		tor := w.byID[fmt.Sprintf("%s-r%02d-sw%c", x.site, row+1, 'a'+rune(side))].(*netswitch)
		return plug{far: tor, farPort: fmt.Sprintf("Ethernet%d", uplinkOne+x.spine-1)}
	}
	head := x.id[:len(x.id)-len("swa")]
	switch {
	case n <= perRack:
		return plug{s: w.byID[fmt.Sprintf("%ss%02d", head, n)].(*server), nic: x.side}
	case x.side == 0 && n > firstBMC && n <= firstBMC+perRack:
		return plug{s: w.byID[fmt.Sprintf("%ss%02d", head, n-firstBMC)].(*server), nic: 2}
	case n == uplinkOne || n == uplinkOne+1:
		return plug{far: w.byID[fmt.Sprintf("%s-sp%d", x.site, n-uplinkOne+1)].(*netswitch), farPort: x.spinePort()}
	}
	return plug{}
}

// attached is what really hangs on a port. from is the port it was taken from.
func (w *World) attached(x *netswitch, n int, m Moment) (p plug, from int) {
	from = n
	w.events(x.id, m, func(e *Event) {
		switch {
		case len(e.Swap) == 2 && n == portNumber(e.Swap[0]):
			from = portNumber(e.Swap[1])
		case len(e.Swap) == 2 && n == portNumber(e.Swap[1]):
			from = portNumber(e.Swap[0])
		case len(e.Move) == 2 && n == portNumber(e.Move[1]):
			from = portNumber(e.Move[0])
		case len(e.Move) == 2 && n == portNumber(e.Move[0]):
			from = 0
		}
	})
	if from == 0 {
		return plug{}, n
	}
	return w.cabled(x, from), from
}

// lit reports whether there is light on a port.
func (w *World) lit(x *netswitch, n int, m Moment) bool {
	p, _ := w.attached(x, n, m)
	if p.empty() {
		return false
	}
	if p.far == nil {
		return true // no machine loses both its cords in this week
	}
	cut := w.lost(p.far.id, m)
	dark := func(id, port string) {
		w.events(id, m, func(e *Event) { cut = cut || e.Uplink == id+" "+port })
	}
	dark(x.id, fmt.Sprintf("Ethernet%d", n))
	dark(p.far.id, p.farPort)
	return !cut
}

// lost reports whether a switch is dead.
func (w *World) lost(id string, m Moment) (is bool) {
	w.events(id, m, func(e *Event) { is = is || e.Switch == id })
	return is
}

// vlanOf is the VLAN that a port is set to. A port that something was moved to
// was set up for it.
func (w *World) vlanOf(x *netswitch, n int, m Moment) int {
	p, from := w.attached(x, n, m)
	switch {
	case p.s != nil && p.nic == 2:
		n = mgmtVLAN
	case p.s != nil && from != n && n > perRack:
		n = p.s.role.vlan
	case x.spine == 0 && n <= perRack:
		n = roles[(n-1)/perRole].vlan // that of the port, whoever was plugged into it
	default:
		n = 1
	}
	return n
}

// definition is a port as the agent defines it.
func (w *World) definition(x *netswitch, n int, m Moment) fleet.PortDef {
	p, _ := w.attached(x, n, m)
	name := fmt.Sprintf("Ethernet%d", n)
	d := fleet.PortDef{Index: n, Name: name, Descr: name, Type: "ethernetCsmacd", MTU: 9214, MAC: hw(3, x.n, n), Admin: "up", Oper: word(w.lit(x, n, m), "up", "down"), VLAN: w.vlanOf(x, n, m)}
	mbps := word(p.far != nil || x.spine > 0, 100_000, word(p.nic == 2, 1000, 25_000))
	w.events(x.id, m, func(e *Event) {
		if e.Port == name {
			d.VLAN, mbps = word(e.VLAN > 0, e.VLAN, d.VLAN), word(e.Mbps > 0, e.Mbps, mbps)
		}
		if e.Shuffle {
			d.Index = 1000 + n*7%ports
		}
	})
	if p.far != nil { // both ends of a cable run at one speed
		w.events(p.far.id, m, func(e *Event) {
			if e.Port == p.farPort && e.Mbps > 0 {
				mbps = e.Mbps
			}
		})
		d.Alias = p.far.id + " " + p.farPort
	}
	d.SpeedBps = fleet.Int(int64(mbps) * 1e6)
	return d
}

// began is when a switch's counters last began anew, and those of a port.
func (w *World) began(x *netswitch, port string, m Moment) (at, disc Moment) {
	at = Moment(-40 * 24 * time.Hour)
	for _, e := range w.on[x.id] {
		if e.Reboot && m >= e.At && e.At > at {
			at = e.At
		}
		if e.Reset == port && port != "" && m >= e.At {
			at, disc = e.At, e.At
		}
	}
	return at, disc
}

func (w *World) counters(x *netswitch, n int, m Moment) (c fleet.Counters, disc uint32) {
	name := fmt.Sprintf("Ethernet%d", n)
	at, d := w.began(x, name, m)
	seconds := time.Duration(m - at).Seconds()
	rate := 1e5 + 4e7*w.uniform(x.id, "rate", int64(n))
	if p := w.cabled(x, n); p.empty() {
		rate = 0
	}
	c.Set(fleet.InOctets, uint64(rate*seconds), true)
	c.Set(fleet.OutOctets, uint64(0.7*rate*seconds), true)
	errors := 0.0
	w.events(x.id, m, func(e *Event) {
		if e.Port == name && e.ErrorsPerHour > 0 { // doubled every 12 hours
			k := math.Ln2 / 12
			errors += e.ErrorsPerHour / k * (math.Exp(k*e.Since(m).Hours()) - math.Exp(k*max(0, e.Since(at).Hours())))
		}
	})
	c.Set(fleet.InErrors, uint64(errors), true)
	c.Set(fleet.OutErrors, 0, true)
	c.Set(fleet.InDiscards, uint64(seconds/9000), true)
	c.Set(fleet.OutDiscards, 0, true)
	return c, uint32(time.Duration(d).Seconds() * 100)
}

var (
	netTemp = &fleet.SensorDef{ID: "1", Key: "entPhySensor:TempSensor1", Name: "TempSensor1", Class: fleet.ClassTemperature, Unit: "C"}
	netOne  = &fleet.SensorDef{ID: "2", Key: "entPhySensor:PowerSupply1 input power", Name: "PowerSupply1 input power", Class: fleet.ClassPower, Unit: "W"}
	netTwo  = &fleet.SensorDef{ID: "3", Key: "entPhySensor:PowerSupply2 input power", Name: "PowerSupply2 input power", Class: fleet.ClassPower, Unit: "W"}
)

// readFast fills in what a switch shows in every poll.
func (x *netswitch) readFast(w *World, o *fleet.Observation, m Moment) {
	o.SetTable(fleet.TablePorts, fleet.Complete)
	o.SetTable(fleet.TableSensors, fleet.Complete)
	o.SetTable(fleet.TableOutlets, fleet.Absent)
	if x.defs == nil {
		x.defs = make([]*fleet.PortDef, word(x.spine > 0, 32, ports))
	}
	for i := range x.defs {
		if d := w.definition(x, i+1, m); x.defs[i] == nil || *x.defs[i] != d {
			x.defs[i] = &d
		}
		p := fleet.Port{PortDef: x.defs[i]}
		p.Counters, p.Discontinuity = w.counters(x, i+1, m)
		o.Ports = append(o.Ports, p)
	}
	one, two := float64(switchW), float64(switchW)
	if x.spine == 0 {
		head := x.id[:len(x.id)-len("swa")]
		one, two = word(w.dark(head+"pa", m), 0, one), word(w.dark(head+"pb", m), 0, two)
	}
	temp := 36 + w.normal(x.id, "temp", minute(m))
	o.Sensors = []fleet.Sensor{{SensorDef: netTemp, Value: num(temp, 1), State: fleet.StateOK}, {SensorDef: netOne, Value: num(one, 1), State: fleet.StateOK}, {SensorDef: netTwo, Value: num(two, 1), State: fleet.StateOK}}
}

// readTables fills in what a switch hears and has learned.
func (x *netswitch) readTables(w *World, o *fleet.Observation, m Moment) {
	o.SetTable(fleet.TableNeighbors, fleet.Complete)
	o.SetTable(fleet.TableFDB, fleet.Complete)
	o.SetTable(fleet.TableVLANs, fleet.Complete)
	o.SetTable(fleet.TableARP, fleet.Absent)
	deaf := x.deaf(w, m)
	quiet, macs := map[string]bool{}, map[string]int{}
	w.events(x.id, m, func(e *Event) { quiet[e.Quiet], macs[e.Port] = true, macs[e.Port]+e.Macs })
	for n := 1; n <= len(x.defs); n++ {
		name := x.defs[n-1].Name
		if x.defs[n-1].Oper != "up" {
			continue
		}
		p, _ := w.attached(x, n, m)
		if !deaf[name] {
			x.hear(o, name, p)
		}
		if !quiet[name] {
			x.learn(w, o, n, p)
		}
		for k := range macs[name] {
			o.FDB = append(o.FDB, fleet.FDBEntry{MAC: hw(9, x.n*64+n, k), Port: name, VLAN: x.defs[n-1].VLAN})
		}
	}
	x.members(w, o, m)
	w.events(x.id, m, func(e *Event) { lack(o, e) })
}

// deaf are the ports on which nothing is heard in this one poll.
func (x *netswitch) deaf(w *World, m Moment) map[string]bool {
	out := map[string]bool{}
	for _, e := range w.on[x.id] {
		if e.Deaf != "" && m >= e.At && !x.deafs[e] {
			if x.deafs == nil {
				x.deafs = map[*Event]bool{}
			}
			x.deafs[e], out[e.Deaf] = true, true
		}
	}
	return out
}

func (x *netswitch) hear(o *fleet.Observation, port string, p plug) {
	switch {
	case p.far != nil:
		o.Neighbors = append(o.Neighbors, fleet.Neighbor{LocalPort: port, RemoteName: p.far.id, RemotePort: p.farPort, RemoteChassis: hw(3, p.far.n, 0), Protocol: "lldp"})
	case p.nic < 2:
		o.Neighbors = append(o.Neighbors, fleet.Neighbor{LocalPort: port, RemoteName: p.s.id, RemotePort: fmt.Sprintf("eth%d", p.nic), RemoteChassis: p.s.mac(0), Protocol: "lldp"})
	}
}

// learn adds the addresses of a port. Towards other switches there are many,
// and none of them hangs there.
func (x *netswitch) learn(w *World, o *fleet.Observation, n int, p plug) {
	d := x.defs[n-1]
	if p.s != nil {
		o.FDB = append(o.FDB, fleet.FDBEntry{MAC: p.s.mac(p.nic), Port: d.Name, VLAN: d.VLAN})
		return
	}
	for _, s := range w.servers {
		beyond := s.site == x.site && (x.spine > 0 && s.rack == p.far.rack || x.spine == 0 && s.rack != x.rack && s.slot%2 == (n-uplinkOne))
		if beyond {
			o.FDB = append(o.FDB, fleet.FDBEntry{MAC: s.mac(word(x.spine > 0, p.far.side, x.side)), Port: d.Name, VLAN: s.role.vlan})
		}
	}
}

// members lists the VLANs: untagged where they are the port's own, tagged on
// what goes to other switches.
func (x *netswitch) members(w *World, o *fleet.Observation, m Moment) {
	extra := map[string]int{}
	w.events(x.id, m, func(e *Event) {
		if e.Tagged > 0 {
			extra[e.Port] = e.Tagged
		}
	})
	for _, id := range []int{10, 20, 30, 40, mgmtVLAN} {
		v := fleet.VLAN{ID: id, Name: fmt.Sprintf("VLAN%04d", id)}
		for i, d := range x.defs {
			trunk := !w.cabled(x, i+1).empty() && w.cabled(x, i+1).far != nil
			switch {
			case d.VLAN == id:
				v.Untagged = append(v.Untagged, d.Name)
				fallthrough
			case trunk, extra[d.Name] == id:
				v.Ports = append(v.Ports, d.Name)
			}
		}
		o.VLANs = append(o.VLANs, v)
	}
}

// lack takes out of a table what a partial read did not show.
func lack(o *fleet.Observation, e *Event) {
	if e.Partial == "" {
		return
	}
	switch e.Partial {
	case "fdb":
		o.SetTable(fleet.TableFDB, fleet.Partial)
		o.FDB = without(o.FDB, func(x fleet.FDBEntry) bool { return x.Port == e.Without })
	case "neighbors":
		o.SetTable(fleet.TableNeighbors, fleet.Partial)
		o.Neighbors = without(o.Neighbors, func(x fleet.Neighbor) bool { return x.LocalPort == e.Without })
	case "vlans":
		o.SetTable(fleet.TableVLANs, fleet.Partial)
		for i := range o.VLANs {
			drop := func(s string) bool { return s == e.Without }
			o.VLANs[i].Ports, o.VLANs[i].Untagged = without(o.VLANs[i].Ports, drop), without(o.VLANs[i].Untagged, drop)
		}
	case "instances":
		o.SetTable(fleet.TableInstances, fleet.Partial)
		o.Instances = without(o.Instances, func(x fleet.Instance) bool { return x.Name == e.Without })
	}
}

func without[T any](list []T, drop func(T) bool) (out []T) {
	for _, x := range list {
		if !drop(x) {
			out = append(out, x)
		}
	}
	return out
}

func (x *netswitch) facts(w *World, m Moment) fleet.Facts {
	pairs := map[string]string{fleet.FactVendor: "Arista", fleet.FactModel: x.model(), fleet.FactSerial: x.serial(), fleet.FactFirmware: "4.31.2F", fleet.FactName: x.id,
		"hardware": "11.02", fleet.FactLocation: x.rack, "system.contact": "noc@example.net", "snmp.access": "v2c", "snmp.community": "own"}
	if x.spine > 0 {
		delete(pairs, "snmp.community")
		pairs["snmp.access"], pairs["snmp.auth"], pairs["snmp.priv"] = "v3 authPriv", "SHA-256", "AES"
	}
	return w.factsOf(x.id, pairs, m)
}
