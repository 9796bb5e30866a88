package world

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Build lays out a fleet of n racks. The same seed gives the same fleet; born
// anchors boot times and warranties.
func Build(seed uint64, n int, born time.Time) *Layout {
	n = max(1, min(n, MaxRacks))
	l := &Layout{Born: born.UTC().Truncate(time.Second), byName: map[string]Ref{}, seed: dice(seed).of("fleet")}
	sites := (n + racksPerSite - 1) / racksPerSite
	l.Regions = append(l.Regions, places[:min(len(places), sites)]...)
	for s := range sites {
		l.addSite(s, min(racksPerSite, n-s*racksPerSite))
	}
	l.cable()
	l.populate()
	return l
}

func (l *Layout) roll(parts ...string) dice { return l.seed.of(parts...) }

func (l *Layout) name(r Ref, name string) { l.byName[name] = r }

// boot returns when a device was last started: 3 to 300 days before the demo.
func (l *Layout) boot(name string) time.Time {
	return l.Born.Add(-time.Duration(l.roll(name, "boot").between(3*daySeconds, 300*daySeconds)) * time.Second)
}

// mac returns a locally administered address that is unique in the fleet.
func (l *Layout) mac(kind byte, n, port int) MAC {
	return MAC{0x52, 0x54, kind, byte(n >> 8), byte(n), byte(port)}
}

func (l *Layout) serial(name string) string {
	const letters = "0123456789ABCDEFGHJKLMNPQRSTVWXYZ"
	d := l.roll(name, "serial")
	b := make([]byte, 7)
	for i := range b {
		b[i] = letters[d.n(len(letters))]
		d = d.of("next")
	}
	return string(b)
}

// PartSerial returns the serial of a part of a device that has one of its own.
func (l *Layout) PartSerial(device, part string) string { return l.serial(device + "/" + part) }

func (l *Layout) addSite(s, racks int) {
	region := s % len(l.Regions)
	site := Site{Name: fmt.Sprintf("%s%d", l.Regions[region].Name, s/len(l.Regions)+1), Region: region}
	for side, letter := range [...]string{"a", "b"} {
		ups := UPS{Placed: Placed{Name: site.Name + "-ups-" + letter, Site: s, Rack: -1, Height: 0, Vendor: upsVendor, Model: upsModel, Firmware: upsFirmware}, Feed: len(l.Feeds), RatingW: 100000, MAC: l.mac(0x05, s, side)}
		ups.Serial, ups.Boot = l.serial(ups.Name), l.boot(ups.Name)
		site.UPS[side], site.Feeds[side] = len(l.UPSes), len(l.Feeds)
		l.name(Ref{KindUPS, len(l.UPSes)}, ups.Name)
		l.UPSes = append(l.UPSes, ups)
		l.Feeds = append(l.Feeds, Feed{Name: site.Name + "-" + string('A'+rune(side)), Parent: ups.Name, Site: s, BreakerA: 125, Volts: 400, Phases: 3})
	}
	l.Sites = append(l.Sites, site)
	for r := range racks {
		l.addRack(s, r)
	}
	for side := range 2 {
		l.addSpine(s, side)
	}
}

func (l *Layout) addRack(s, r int) {
	site := &l.Sites[s]
	n := len(l.Racks)
	rack := Rack{Name: fmt.Sprintf("r%02d", r+1), Row: string('A' + rune(r/4)), Site: s, Region: site.Region}
	rack.ID = site.Name + "/" + rack.Name
	rack.InletC = l.roll(rack.ID, "air").between(20, 23)
	prefix := site.Name + "-" + rack.Name
	half := n%racksPerEmpty == 5 // the one rack with a PDU in the rails
	for side, letter := range [...]string{"a", "b"} {
		pdu := PDU{Placed: Placed{Name: prefix + "-p" + letter, Site: s, Rack: n, Height: 0, Vendor: pduVendor, Model: pduModel, Firmware: pduFirmware}, Feed: site.Feeds[side], Side: side, Phase: r % 3, RatingA: 32, MAC: l.mac(0x04, n, side)}
		if half && side == 1 {
			pdu.Model, pdu.Unit, pdu.Height = halfPDUModel, 39, 0.5
		}
		pdu.Serial, pdu.Boot = l.serial(pdu.Name), l.boot(pdu.Name)
		rack.PDUs[side] = len(l.PDUs)
		l.name(Ref{KindPDU, len(l.PDUs)}, pdu.Name)
		l.PDUs = append(l.PDUs, pdu)
	}
	for side, letter := range [...]string{"a", "b"} {
		sw := Switch{Placed: Placed{Name: prefix + "-sw" + letter, Site: s, Rack: n, Unit: float64(42 - side), Height: 1, Vendor: torVendor, Model: torModel, Firmware: torFirmware}, Side: side}
		l.addSwitch(&rack, sw, torPorts, 19+side)
		rack.ToR[side] = len(l.Switches) - 1
	}
	site.Racks = append(site.Racks, n)
	if n%racksPerEmpty != racksPerEmpty-1 {
		unit := 1.0
		for slot := 1; slot <= serversPerRack; slot++ {
			unit += l.addServer(&rack, n, prefix, slot, unit)
		}
	}
	l.Racks = append(l.Racks, rack)
}

func (l *Layout) addSpine(s, side int) {
	site := &l.Sites[s]
	in, unit := site.Racks[0], 40.0
	switch {
	case side == 1 && len(site.Racks) > 1:
		in = site.Racks[1]
	case side == 1: // both in the only rack
		unit = 39
	}
	sw := Switch{Placed: Placed{Name: fmt.Sprintf("%s-sp%d", site.Name, side+1), Site: s, Rack: in, Unit: unit, Height: 1, Vendor: torVendor, Model: spineModel, Firmware: spineFirmware}, Spine: true, Side: side}
	l.addSwitch(&l.Racks[in], sw, spinePorts, 21+side)
	site.Spines[side] = len(l.Switches) - 1
}

// addSwitch gives a switch its ports and two cords on the outlet of that
// number of both PDUs.
func (l *Layout) addSwitch(rack *Rack, sw Switch, ports, outlet int) {
	n := len(l.Switches)
	sw.Serial, sw.Boot, sw.MAC = l.serial(sw.Name), l.boot(sw.Name), l.mac(0x03, n, 0)
	for p := range ports {
		port := SwitchPort{Name: fmt.Sprintf("Ethernet%d", p+1), SpeedBps: 100e9, MAC: l.mac(0x03, n, p+1), VLAN: 1, Link: -1}
		if !sw.Spine && p < torAccessPorts {
			port.SpeedBps = 25e9
		}
		sw.Ports = append(sw.Ports, port)
	}
	for side := range 2 {
		sw.Cords[side] = Cord{rack.PDUs[side], outlet}
		l.PDUs[rack.PDUs[side]].Loads[outlet-1] = Load{KindSwitch, n, side}
	}
	l.name(Ref{KindSwitch, n}, sw.Name)
	l.Switches = append(l.Switches, sw)
}

// addServer puts a server into a rack and returns how many units it took.
func (l *Layout) addServer(rack *Rack, rackN int, prefix string, slot int, unit float64) float64 {
	n := len(l.Servers)
	sv := Server{Slot: slot, Hypervisor: -1}
	sv.Name = fmt.Sprintf("%s-s%02d", prefix, slot)
	sv.Site, sv.Rack, sv.Unit = rack.Site, rackN, unit
	d := l.roll(sv.Name)
	as := metalRoles[n%len(metalRoles)]
	if n*hypervisorsOf/hypervisorsIn != (n+1)*hypervisorsOf/hypervisorsIn {
		as = computeRole
		sv.Hypervisor = len(l.Hyps)
		l.Hyps = append(l.Hyps, n)
	}
	sv.Hardware = as.models[0]
	if d.of("model").unit() < 0.3 {
		sv.Hardware = as.models[1]
	}
	if n%(racksPerEmpty*serversPerRack) == 3*serversPerRack+2 {
		sv.Hardware = modelR940 // the one of four units
	}
	sv.Vendor, sv.Model, sv.Height, sv.Firmware = "Dell", sv.Hardware.Name, sv.Hardware.Units, sv.Hardware.Firmware
	sv.Role, sv.Owner, sv.Tenant, sv.VLAN, sv.Service = as.name, as.owner, as.tenant, as.vlan, as.service
	sv.Serial = l.serial(sv.Name)
	l.describe(&sv, d)
	sv.MAC = [2]MAC{l.mac(0x01, n, 0), l.mac(0x01, n, 1)}
	sv.BMCMAC = l.mac(0x02, n, 0)
	binary.BigEndian.PutUint64(sv.GUID[:], uint64(d.of("guid high")))
	binary.BigEndian.PutUint64(sv.GUID[8:], uint64(d.of("guid low")))
	sv.GUID[6], sv.GUID[8] = sv.GUID[6]&0x0f|0x40, sv.GUID[8]&0x3f|0x80 // RFC 9562 version 4
	sv.Load = d.of("load").between(as.load[0], as.load[1])
	sv.BaseBytesPerSec = d.of("traffic").between(as.mbps[0], as.mbps[1]) * 1e6 / 8
	sv.Demand = l.seed.demand(l.Regions[rack.Region].Peak, sv.Name)
	sv.Phase = d.of("phase").between(0, 6.28)
	sv.CPUTrim = d.of("paste").between(-2, 2)
	sv.WattFactor = d.of("silicon").between(0.95, 1.05)
	l.cord(&sv, rack, n, d)
	l.name(Ref{KindServer, n}, sv.Name)
	rack.Servers = append(rack.Servers, n)
	l.Servers = append(l.Servers, sv)
	return sv.Hardware.Units
}

// describe gives a server its people and papers, some of them unknown.
func (l *Layout) describe(sv *Server, d dice) {
	switch x := d.of("env").unit(); {
	case x < 0.72:
		sv.Env = "prod"
	case x < 0.87:
		sv.Env = "staging"
	case x < 0.97:
		sv.Env = "dev"
	}
	if d.of("owner").unit() < 0.04 {
		sv.Owner = ""
	}
	if d.of("tenant").unit() < 0.06 {
		sv.Tenant = ""
	}
	if x := d.of("warranty").unit(); x > 0.08 {
		sv.Warranty = l.Born.Truncate(24*time.Hour).AddDate(0, 0, int(d.of("warranty day").between(-120, 1100)))
	}
}

// cord plugs a server in: outlet n of PDU A and of PDU B. One in twenty has
// but one cord, and two servers of the fleet have theirs crossed: the
// inventory says A where the wall says B.
func (l *Layout) cord(sv *Server, rack *Rack, n int, d dice) {
	sv.Planned = [2]Cord{{rack.PDUs[0], sv.Slot}, {rack.PDUs[1], sv.Slot}}
	switch crossed := n%(racksPerEmpty*serversPerRack) == 40 || n%(racksPerEmpty*serversPerRack) == 205; {
	case n%20 == 13:
		side := d.of("single").n(2)
		sv.Planned = [2]Cord{{rack.PDUs[side], sv.Slot}, {-1, 0}}
		sv.Cords = sv.Planned
	case crossed:
		sv.Cords = [2]Cord{sv.Planned[1], sv.Planned[0]}
	default:
		sv.Cords = sv.Planned
	}
	for psu, c := range sv.Cords {
		if c.PDU >= 0 {
			l.PDUs[c.PDU].Loads[c.Outlet-1] = Load{KindServer, n, psu}
		}
	}
}

// cable runs the network: every server to both switches of its rack, its BMC
// to ToR-A, every switch to both spines, and the spines to each other and to
// the world outside.
func (l *Layout) cable() {
	for i := range l.Racks {
		rack := &l.Racks[i]
		for _, n := range rack.Servers {
			sv := &l.Servers[n]
			for nic := range 2 {
				sv.NIC[nic] = l.plug(End{Ref{KindServer, n}, nic}, End{Ref{KindSwitch, rack.ToR[nic]}, sv.Slot - 1}, sv.Demand, sv.VLAN, fmt.Sprintf("%s eth%d", sv.Name, nic))
			}
			sv.BMCLink = l.plug(End{Ref{KindBMC, n}, 0}, End{Ref{KindSwitch, rack.ToR[0]}, bmcPortBase - 2 + sv.Slot}, sv.Demand, bmcVLAN, sv.Name+" bmc")
		}
		slot := i % racksPerSite
		site := &l.Sites[rack.Site]
		for side, tor := range rack.ToR {
			for up, spine := range site.Spines {
				low, high := End{Ref{KindSwitch, tor}, torAccessPorts + up}, End{Ref{KindSwitch, spine}, slot*2 + side}
				l.plug(low, high, l.link(rack.Region, tor, up), 1, l.label(low))
				l.Switches[tor].Ports[low.Port].Alias = l.label(high)
			}
		}
		l.plug(End{Ref{KindSwitch, rack.ToR[0]}, torPorts - 1}, End{Ref{KindSwitch, rack.ToR[1]}, torPorts - 1}, l.link(rack.Region, rack.ToR[0], 9), 1, "peer link")
		l.Switches[rack.ToR[0]].Ports[torPorts-1].Alias = "peer link"
	}
	for i := range l.Sites {
		s := &l.Sites[i]
		l.plug(End{Ref{KindSwitch, s.Spines[0]}, spinePorts - 1}, End{Ref{KindSwitch, s.Spines[1]}, spinePorts - 1}, l.link(s.Region, s.Spines[0], 9), 1, "spine interlink")
		l.Switches[s.Spines[0]].Ports[spinePorts-1].Alias = "spine interlink"
		for _, sp := range s.Spines {
			l.plug(End{Ref{KindSwitch, sp}, spinePorts - 2}, End{Ref{KindOutside, i}, 0}, l.link(s.Region, sp, 8), 1, "region edge")
		}
	}
}

// label is the alias of a port that leads to a switch: its name and its port.
func (l *Layout) label(e End) string {
	return l.Switches[e.N].Name + " " + l.Switches[e.N].Ports[e.Port].Name
}

// link returns the demand of a trunk: many servers together have no ripple of
// their own, so all that tells trunks apart is a phase.
func (l *Layout) link(region, sw, port int) shape {
	return l.seed.demand(l.Regions[region].Peak, fmt.Sprintf("%s/%d", l.Switches[sw].Name, port))
}

// plug adds a link and tells both switches of it.
func (l *Layout) plug(a, b End, demand shape, vlan int, alias string) int {
	n := len(l.Links)
	l.Links = append(l.Links, Link{Ends: [2]End{a, b}, Demand: demand})
	for i, e := range [...]End{a, b} {
		if e.Kind == KindSwitch {
			p := &l.Switches[e.N].Ports[e.Port]
			p.Link, p.End, p.VLAN, p.Alias = n, i, vlan, alias
		}
	}
	return n
}

// populate creates the instances, five on each hypervisor, a service at a time
// around the hosts of its region, so that replicas spread.
func (l *Layout) populate() {
	hyps := make([][]int, len(l.Regions))
	for h, n := range l.Hyps {
		r := l.Sites[l.Servers[n].Site].Region
		hyps[r] = append(hyps[r], h)
	}
	total := len(l.Hyps) * instancesPerHyp
	l.Services = append(l.Services, serviceList...)
	count := make([]int, len(l.Services))
	for i := range total {
		s := i % 50 * 2 // the service by its share of a hundred
		svc := 0
		for acc := l.Services[0].share; s >= acc && svc < len(l.Services)-1; acc += l.Services[svc].share {
			svc++
		}
		region := l.regionOf(i, hyps)
		host := hyps[region][(i/len(l.Regions))%len(hyps[region])]
		count[svc]++
		name := fmt.Sprintf("%s-%s-%03d", l.Services[svc].Name, l.Regions[region].Name, count[svc])
		l.Instances = append(l.Instances, l.instance(name, region, svc, host))
	}
	for svc := range l.Services {
		for i := range l.Servers {
			if l.Servers[i].Service == l.Services[svc].Name {
				count[svc]++
			}
		}
		l.Services[svc].Floor = count[svc] * 4 / 5
	}
}

// regionOf deals instances to regions by turns, skipping one without hosts.
func (l *Layout) regionOf(i int, hyps [][]int) int {
	for k := range hyps {
		if r := (i + k) % len(hyps); len(hyps[r]) > 0 {
			return r
		}
	}
	return 0
}

func (l *Layout) instance(name string, region, svc, host int) Instance {
	d := l.roll(name)
	hi, lo := uint64(d.of("id high")), uint64(d.of("id low"))
	sv := &l.Servers[l.Hyps[host]]
	in := Instance{
		ID:   fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xfff, lo>>48&0x3fff|0x8000, lo&0xffffffffffff),
		Name: name, Region: region, Zone: l.Zone(sv.Rack), Service: svc, Flavor: FlavorOf(l.Services[svc].flavor), Host: host,
		Launched: l.Born.Unix() - int64(d.of("age").between(3600, 200*daySeconds)),
		Tenant:   sv.Tenant,
		MbPerSec: l.Services[svc].mbps * d.of("traffic").between(0.6, 1.4),
	}
	in.Group = l.Services[svc].Name + "-" + l.Regions[region].Name
	return in
}

// Zone returns the availability zone of a rack: its site and row.
func (l *Layout) Zone(rack int) string {
	r := &l.Racks[rack]
	return l.Sites[r.Site].Name + "-" + string(r.Row[0]|0x20)
}
