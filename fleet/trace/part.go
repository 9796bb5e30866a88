package trace

import (
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// Kind says what a part is.
type Kind string

// Kinds of parts, from the utility to the service.
const (
	Utility  Kind = "utility"
	UPS      Kind = "ups"
	Feed     Kind = "feed"
	PDU      Kind = "pdu"
	Outlet   Kind = "outlet"
	PSU      Kind = "psu"
	Server   Kind = "server"
	BMC      Kind = "bmc"
	NIC      Kind = "nic"
	Port     Kind = "port"
	Switch   Kind = "switch"
	Router   Kind = "router"
	Other    Kind = "other"
	Region   Kind = "region"
	Site     Kind = "site"
	Rack     Kind = "rack"
	Cloud    Kind = "cloud"
	Host     Kind = "host" // a hypervisor that is no device of ours
	Instance Kind = "instance"
	Service  Kind = "service"
)

// Part is one thing of the graph: the dense number of the row that it is, or
// is a part of, and for outlets, supplies, NICs and ports its name on that
// device. It holds for the snapshot that it was found in.
type Part struct {
	Kind Kind
	N    int
	Name string
}

// device reports whether the part is a whole device.
func (p Part) device() bool {
	switch p.Kind {
	case UPS, PDU, Server, Switch, Router, Other:
		return true
	}
	return false
}

// on reports whether the part is a piece of a device.
func (p Part) on() bool {
	switch p.Kind {
	case Outlet, PSU, NIC, BMC, Port:
		return true
	}
	return false
}

// Find returns the part with an id: a device, rack, feed, site, region, cloud,
// host, instance or service, "PDU/3", "SERVER/psu1", "SERVER/eth0" or
// "SWITCH/ifName".
func (g *Graph) Find(s *fleet.Snapshot, id string) (Part, bool) {
	if n := s.Devices.Number(id); n >= 0 {
		return g.deviceAt(s, n), true
	}
	for _, t := range [...]struct {
		kind Kind
		n    int
	}{
		{Rack, s.Racks.Number(id)}, {Feed, s.Feeds.Number(id)}, {Service, s.Services.Number(id)}, {Instance, s.Instances.Number(id)},
		{Region, s.Regions.Number(id)}, {Site, s.Sites.Number(id)}, {Cloud, s.Clouds.Number(id)}, {Host, s.Hosts.Number(id)},
	} {
		switch {
		case t.n < 0:
		case t.kind == Feed:
			return g.feedAt(t.n), true
		case t.kind == Host && s.Hosts.At(t.n).Device >= 0:
			return g.deviceAt(s, s.Hosts.At(t.n).Device), true
		default:
			return Part{Kind: t.kind, N: t.n}, true
		}
	}
	name, rest, _ := strings.Cut(id, "/")
	if n := s.Devices.Number(name); n >= 0 && rest != "" {
		return g.piece(s, n, rest)
	}
	return Part{}, false
}

// piece finds a piece of a device by its name.
func (g *Graph) piece(s *fleet.Snapshot, n int, name string) (Part, bool) {
	d := s.Devices.At(n)
	for i := range d.Spec.Links {
		if c := &d.Spec.Links[i]; c.NIC == name {
			return nicOf(d, n, c), true
		}
	}
	if d.Port(name) != nil {
		return Part{Port, n, name}, true
	}
	for _, e := range g.devices[n].ends {
		if g.portOf(e) == name {
			return Part{Port, n, name}, true
		}
	}
	if no, err := strconv.Atoi(name); err == nil {
		for i := range d.Outlets {
			if d.Outlets[i].Index == no {
				return Part{Outlet, n, name}, true
			}
		}
		for _, c := range g.devices[n].feeds {
			if g.devices[c.device].cords[c.k].outlet == no {
				return Part{Outlet, n, name}, true
			}
		}
	}
	if no, ok := supplyName(name); ok {
		for _, c := range d.Spec.Power {
			if c.PSU == no {
				return Part{PSU, n, name}, true
			}
		}
	}
	return Part{}, false
}

func supplyName(name string) (int, bool) {
	text, ok := strings.CutPrefix(name, "psu")
	no, err := strconv.Atoi(text)
	return no, ok && err == nil
}

func psuOf(device, no int) Part { return Part{PSU, device, psuName(strconv.Itoa(no))} }

func psuName(no string) string { return "psu" + no }

// nicOf is the near end of a cable: a port of a switch, the BMC, or a NIC.
func nicOf(d *fleet.Device, n int, c *fleet.Cable) Part {
	switch {
	case carries(d.Spec.Kind):
		return Part{Port, n, c.NIC}
	case c.Management():
		return Part{BMC, n, c.NIC}
	}
	return Part{NIC, n, c.NIC}
}

// carries reports whether devices of the kind pass on what others send.
func carries(k fleet.DeviceKind) bool { return k == fleet.KindSwitch || k == fleet.KindRouter }

func (g *Graph) deviceAt(_ *fleet.Snapshot, n int) Part { return Part{Kind: g.kinds[n], N: n} }

func kindOf(k fleet.DeviceKind) Kind {
	if kinds := []fleet.DeviceKind{fleet.KindServer, fleet.KindSwitch, fleet.KindRouter, fleet.KindPDU, fleet.KindUPS}; slices.Contains(kinds, k) {
		return Kind(k)
	}
	return Other
}

func (g *Graph) feedAt(n int) Part {
	if f := &g.feeds[n]; f.feed < 0 && f.ups < 0 && (len(f.feeds) > 0 || f.bridged) {
		return Part{Kind: Utility, N: n}
	}
	return Part{Kind: Feed, N: n}
}

// ID is the part's id.
func (g *Graph) ID(s *fleet.Snapshot, p Part) string {
	switch p.Kind {
	case Feed, Utility:
		return s.Feeds.ID(p.N)
	case Region:
		return s.Regions.ID(p.N)
	case Site:
		return s.Sites.ID(p.N)
	case Rack:
		return s.Racks.ID(p.N)
	case Cloud:
		return s.Clouds.ID(p.N)
	case Host:
		return s.Hosts.ID(p.N)
	case Instance:
		return s.Instances.ID(p.N)
	case Service:
		return s.Services.ID(p.N)
	}
	if p.on() {
		return s.Devices.ID(p.N) + "/" + p.Name
	}
	return s.Devices.ID(p.N)
}
