package trace

import (
	"strconv"
	"strings"

	"plumb/fleet"
)

// Graph is what the inventory says of who hangs on whom, by dense number. It is
// built once for an inventory, never written after that, and may be read by
// many at once. What is alive it does not know: that is the snapshot's.
type Graph struct {
	topology *fleet.Topology
	feeds    []feedNode
	devices  []deviceNode
	nets     []int  // switches and routers
	kinds    []Kind // by device
	stands   []spot // by device
}

// spot is where a device stands: numbers of a rack, site and region, -1 for none.
type spot struct{ rack, site, region int32 }

// feedNode is a feed: what is above it, a feed or a UPS, and what is below.
type feedNode struct {
	feed, ups int // -1: none
	feeds     []int
	devices   []int
	bridged   bool // a UPS stands between it and what it carries
}

// deviceNode is a device: what it needs, and who needs it.
type deviceNode struct {
	feed   int   // PDU, UPS: the feed above it, -1: none
	lines  []int // UPS: the feeds it carries
	cords  []cordNode
	cables []cableNode // as Spec.Links
	feeds  []end       // cords that end on it
	ends   []end       // cables that end on it
	edge   bool        // the way out of its region
}

// cordNode leads from a supply to an outlet. pdu is -1 where there is no such device.
type cordNode struct {
	psu, pdu, outlet int
}

// cableNode leads to a device, -1 where there is none. at is where the port stood
// among the ports of that device when the graph was built.
type cableNode struct {
	to, at     int
	port       string // the name of the port that it ends in
	management bool
}

// end is a cord or a cable seen from its far end: the k-th of a device.
type end struct{ device, k int }

// Build lays out the graph of a snapshot's inventory.
func Build(s *fleet.Snapshot) *Graph {
	n := s.Devices.Len()
	g := &Graph{topology: s.Topology, feeds: make([]feedNode, s.Feeds.Len()), devices: make([]deviceNode, n), kinds: make([]Kind, n), stands: make([]spot, n)}
	for i := range g.devices {
		spec := s.Devices.At(i).Spec
		g.devices[i].feed, g.kinds[i] = -1, kindOf(spec.Kind)
		g.stands[i] = spot{int32(s.Racks.Number(spec.Rack)), int32(s.Sites.Number(spec.Site)), int32(s.Regions.Number(spec.Region))}
	}
	for i := range g.feeds {
		g.plugFeed(s, i)
	}
	for i := range g.devices {
		g.plug(s, i)
	}
	g.findEdges(s)
	return g
}

// Of reports whether the graph is that of the snapshot's inventory.
func (g *Graph) Of(s *fleet.Snapshot) bool {
	return g != nil && g.topology == s.Topology && len(g.devices) == s.Devices.Len()
}

func (g *Graph) plugFeed(s *fleet.Snapshot, i int) {
	f := &g.feeds[i]
	parent := s.Feeds.At(i).Spec.Parent
	f.feed, f.ups = s.Feeds.Number(parent), s.Devices.Number(parent)
	switch {
	case f.feed >= 0:
		f.ups = -1
		g.feeds[f.feed].feeds = append(g.feeds[f.feed].feeds, i)
	case f.ups >= 0:
		g.devices[f.ups].lines = append(g.devices[f.ups].lines, i)
	}
}

func (g *Graph) plug(s *fleet.Snapshot, i int) {
	d, spec := &g.devices[i], s.Devices.At(i).Spec
	if n := s.Feeds.Number(spec.Feed); n >= 0 {
		d.feed = n
		g.feeds[n].devices = append(g.feeds[n].devices, i)
		g.feeds[n].bridged = g.feeds[n].bridged || spec.Kind == fleet.KindUPS
	}
	d.cords = make([]cordNode, len(spec.Power))
	for k, c := range spec.Power {
		name, text, _ := strings.Cut(c.Outlet, "/")
		no, err := strconv.Atoi(text)
		if err != nil {
			no = -1
		}
		d.cords[k] = cordNode{psu: c.PSU, pdu: s.Devices.Number(name), outlet: no}
		if n := d.cords[k].pdu; n >= 0 {
			g.devices[n].feeds = append(g.devices[n].feeds, end{i, k})
		}
	}
	d.cables = make([]cableNode, len(spec.Links))
	for k := range spec.Links {
		c := &spec.Links[k]
		name, port, _ := strings.Cut(c.To, "/")
		x := cableNode{to: s.Devices.Number(name), at: -1, port: port, management: c.Management() && !carries(spec.Kind)}
		if x.to >= 0 {
			g.devices[x.to].ends = append(g.devices[x.to].ends, end{i, k})
			x.at = place(s.Devices.At(x.to).Ports, port)
		}
		d.cables[k] = x
	}
	if carries(spec.Kind) {
		g.nets = append(g.nets, i)
	}
}

func place(ports []fleet.Port, name string) int {
	for i := range ports {
		if ports[i].Name == name {
			return i
		}
	}
	return -1
}

// findEdges marks the ways out of each region: its routers, else the switches
// that have no uplink, which are the spines, else every switch.
func (g *Graph) findEdges(s *fleet.Snapshot) {
	routers, tops := map[string]bool{}, map[string]bool{}
	for _, i := range g.nets {
		spec := s.Devices.At(i).Spec
		routers[spec.Region] = routers[spec.Region] || spec.Kind == fleet.KindRouter
		tops[spec.Region] = tops[spec.Region] || !g.climbs(s, i)
	}
	for _, i := range g.nets {
		switch spec := s.Devices.At(i).Spec; {
		case routers[spec.Region]:
			g.devices[i].edge = spec.Kind == fleet.KindRouter
		case tops[spec.Region]:
			g.devices[i].edge = !g.climbs(s, i)
		default:
			g.devices[i].edge = true
		}
	}
}

// climbs reports whether a switch has an uplink: a cable of its own to another.
func (g *Graph) climbs(s *fleet.Snapshot, i int) bool {
	for _, c := range g.devices[i].cables {
		if c.to >= 0 && c.to != i && carries(s.Devices.At(c.to).Spec.Kind) {
			return true
		}
	}
	return false
}

// portOf is the name of the port that a cable ends in.
func (g *Graph) portOf(e end) string { return g.devices[e.device].cables[e.k].port }

// port finds a port; one that a cable ends in is first looked for where it was.
func (g *Graph) port(s *fleet.Snapshot, p Part) *fleet.Port {
	for _, e := range g.devices[p.N].ends {
		if c := &g.devices[e.device].cables[e.k]; c.port == p.Name {
			return portAt(s.Devices.At(p.N), p.Name, c.at)
		}
	}
	return s.Devices.At(p.N).Port(p.Name)
}

// carries reports whether a device passes on what others send.
func (g *Graph) carries(n int) bool { return g.kinds[n] == Switch || g.kinds[n] == Router }
