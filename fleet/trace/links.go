package trace

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// Links returns the relations of one device: its rack, its cords, its cables
// intended and observed, the instances on it. An id that is no device has none.
func Links(s *fleet.Snapshot, id string) []fleet.Link {
	n := s.Devices.Number(id)
	if n < 0 {
		return nil
	}
	d := s.Devices.At(n)
	var out []fleet.Link
	if d.Spec.Rack != "" {
		out = append(out, fleet.Link{From: d.Spec.Rack, To: id, Kind: "mount", Source: fleet.Intended, Evidence: "inventory", State: fleet.StateOK})
	}
	out = append(out, power(s, d)...)
	out = append(out, cables(s, d)...)
	out = append(out, heard(s, d)...)
	out = append(out, hosted(s, n)...)
	slices.SortStableFunc(out, func(a, b fleet.Link) int {
		return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return out
}

func rank(kind string) int {
	return slices.Index([]string{"mount", "power", "data", "host", "serves"}, kind)
}

// power lists cords: of a server to its outlets, of a PDU to what it feeds.
func power(s *fleet.Snapshot, d *fleet.Device) []fleet.Link {
	var out []fleet.Link
	if d.Spec.Feed != "" {
		st := fleet.StateUnknown
		if f := s.Feeds.Get(d.Spec.Feed); f != nil {
			st = f.State
		}
		out = append(out, fleet.Link{From: d.Spec.Feed, To: d.Spec.ID, Kind: "power", Source: fleet.Intended, Evidence: "inventory", State: st})
	}
	for _, c := range d.Spec.Power {
		out = append(out, cord(s, c.Outlet, d.Spec.ID+"/psu"+strconv.Itoa(c.PSU)))
	}
	for i := range d.Outlets {
		outlet := d.Spec.ID + "/" + strconv.Itoa(d.Outlets[i].Index)
		if far, ok := s.Corded[outlet]; ok {
			psu := strings.ToLower(strings.ReplaceAll(far.Part, " ", ""))
			out = append(out, cord(s, outlet, s.Devices.ID(far.Device)+"/"+psu))
		}
	}
	return out
}

func cord(s *fleet.Snapshot, outlet, psu string) fleet.Link {
	l := fleet.Link{From: outlet, To: psu, Kind: "power", Source: fleet.Intended, Evidence: "inventory", State: fleet.StateUnknown}
	pdu, no, _ := strings.Cut(outlet, "/")
	if d := s.Devices.Get(pdu); d != nil {
		l.State = outletState(d, no)
	}
	return l
}

func outletState(pdu *fleet.Device, name string) fleet.State {
	if pdu.State == fleet.StateUnknown || stale(pdu) {
		return fleet.StateUnknown // what it said last is no longer known to be so
	}
	if o := outletOf(pdu, outletNo(name)); o != nil {
		switch o.State {
		case "on":
			return fleet.StateOK
		case "off":
			return fleet.StateOff
		}
	}
	return fleet.StateUnknown
}

// outletNo is the number that an outlet's name stands for; a name that is
// written in another way than ours is nobody's.
func outletNo(name string) int {
	if no, err := strconv.Atoi(name); err == nil && outletName(no) == name {
		return no
	}
	return math.MinInt
}

// cables lists intended cables that end at the device, with who has seen them.
func cables(s *fleet.Snapshot, d *fleet.Device) []fleet.Link {
	var out []fleet.Link
	for _, c := range d.Spec.Links {
		out = append(out, cable(s, d, c))
	}
	for i := range d.Ports {
		to := d.Spec.ID + "/" + d.Ports[i].Name
		far, ok := s.Cabled[to]
		if !ok {
			continue
		}
		end := s.Devices.At(far.Device)
		for _, c := range end.Spec.Links {
			if c.To == to {
				out = append(out, cable(s, end, c))
			}
		}
	}
	return out
}

func cable(s *fleet.Snapshot, d *fleet.Device, c fleet.Cable) fleet.Link {
	l := fleet.Link{From: d.Spec.ID + "/" + c.NIC, To: c.To, Kind: "data", Source: fleet.Intended, Evidence: "inventory", State: fleet.StateUnknown}
	sw, port, _ := strings.Cut(c.To, "/")
	far := s.Devices.Get(sw)
	if far == nil {
		return l
	}
	p := far.Port(port)
	if p == nil {
		return l
	}
	if !stale(far) {
		l.State = fleet.StateCrit
		if p.Up() {
			l.State = fleet.StateOK
		}
	}
	seen := witnesses(far, p, d, c)
	if len(seen) > 0 {
		l.Source, l.Evidence = fleet.Both, strings.Join(append([]string{"inventory"}, seen...), "+")
	}
	return l
}

// witnesses names the tables of the switch that show the cable's far end.
func witnesses(sw *fleet.Device, p *fleet.Port, d *fleet.Device, c fleet.Cable) []string {
	var out []string
	for _, n := range sw.Neighbors {
		if n.LocalPort == p.Name && isDevice(n, d, c) {
			out = append(out, n.Protocol)
			break
		}
	}
	for i := 0; c.MAC != "" && i < len(sw.FDB); i++ {
		if e := &sw.FDB[i]; e.Port == p.Name && strings.EqualFold(e.MAC, c.MAC) {
			out = append(out, "fdb")
			break
		}
	}
	return out
}

func isDevice(n fleet.Neighbor, d *fleet.Device, c fleet.Cable) bool {
	name := d.Facts.Get(fleet.FactName)
	return n.RemoteName == d.Spec.ID || name != "" && n.RemoteName == name ||
		c.MAC != "" && (strings.EqualFold(n.RemoteChassis, c.MAC) || strings.EqualFold(n.RemotePort, c.MAC))
}

// heard lists neighbours that no intended cable explains.
func heard(s *fleet.Snapshot, d *fleet.Device) []fleet.Link {
	var out []fleet.Link
	for _, n := range d.Neighbors {
		local := d.Spec.ID + "/" + n.LocalPort
		if far, ok := s.Cabled[local]; ok && explained(s, far, local, n) {
			continue
		}
		if end := s.Devices.Get(n.RemoteName); end != nil && intendedFrom(d, end, n) {
			continue
		}
		remote := cmp.Or(n.RemoteName, n.RemoteChassis) + "/" + n.RemotePort
		st := fleet.StateUnknown
		if p := d.Port(n.LocalPort); p != nil && p.Up() {
			st = fleet.StateOK
		}
		out = append(out, fleet.Link{From: local, To: remote, Kind: "data", Source: fleet.Observed, Evidence: n.Protocol, State: st})
	}
	return out
}

func explained(s *fleet.Snapshot, far fleet.Attachment, local string, n fleet.Neighbor) bool {
	end := s.Devices.At(far.Device)
	for _, c := range end.Spec.Links {
		if c.To == local && isDevice(n, end, c) {
			return true
		}
	}
	return false
}

// intendedFrom reports whether the device's own intended cable leads to the
// neighbour it hears.
func intendedFrom(d, end *fleet.Device, n fleet.Neighbor) bool {
	for _, c := range d.Spec.Links {
		if c.NIC == n.LocalPort && c.To == end.Spec.ID+"/"+n.RemotePort {
			return true
		}
	}
	return false
}

// hosted lists the instances on the device and the services they carry.
func hosted(s *fleet.Snapshot, n int) []fleet.Link {
	var out []fleet.Link
	for id, x := range s.Instances.All() {
		if x.Device != n {
			continue
		}
		out = append(out, fleet.Link{From: s.Devices.ID(n), To: id, Kind: "host", Source: fleet.Observed, Evidence: "cloud", State: x.State})
		if x.Service != "" {
			out = append(out, fleet.Link{From: id, To: x.Service, Kind: "serves", Source: fleet.Intended, Evidence: "tags", State: x.State})
		}
	}
	for name, v := range s.Services.All() {
		if slices.Contains(v.Devices, n) {
			out = append(out, fleet.Link{From: s.Devices.ID(n), To: name, Kind: "serves", Source: fleet.Intended, Evidence: "tags", State: s.Devices.At(n).State})
		}
	}
	return out
}
