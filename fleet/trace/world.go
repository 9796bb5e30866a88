package trace

import (
	"plumb/fleet"
)

// Answers of a world about one part.
const (
	asked uint8 = iota + 1 // being found out: whoever comes back here is in a circle, which feeds nobody
	alive
	dead
)

// world is the fleet as the snapshot shows it, without the parts that failed.
// Answers are found when they are asked for and kept. It belongs to one call.
type world struct {
	g       *Graph
	s       *fleet.Snapshot
	q       *inquiry // who is shown to be dead by those who hang on it
	failed  map[Part]bool
	order   []Part // failed, as they were named
	pieces  bool   // some of them are pieces of devices
	gone    []bool // by device: failed as a whole
	dark    []bool // by feed
	feeds   []uint8
	devices []uint8
	linked  []bool // by device: a switch from which the edge is reached
}

func (g *Graph) world(s *fleet.Snapshot, q *inquiry, failed []Part) *world {
	w := &world{g: g, s: s, q: q, failed: make(map[Part]bool, len(failed)), feeds: make([]uint8, len(g.feeds)), devices: make([]uint8, len(g.devices)),
		gone: make([]bool, len(g.devices)), dark: make([]bool, len(g.feeds))}
	for _, p := range failed {
		w.fail(p)
	}
	return w
}

// fail takes a part away: a rack takes what stands in it, a site its feeds and
// all of its devices, an aggregate its members.
func (w *world) fail(p Part) {
	w.failed[p] = true
	w.order = append(w.order, p)
	w.pieces = w.pieces || p.on()
	switch {
	case p.device():
		w.gone[p.N] = true
	case p.Kind == Feed || p.Kind == Utility:
		w.dark[p.N] = true
	case p.Kind == Port:
		for i, d := 0, w.s.Devices.At(p.N); i < len(d.Ports); i++ {
			if d.Ports[i].PortDef != nil && d.Ports[i].LAG == p.Name {
				w.failed[Part{Port, p.N, d.Ports[i].Name}] = true
			}
		}
	case p.Kind == Rack || p.Kind == Site || p.Kind == Region:
		w.failPlace(p)
	}
}

func (w *world) failPlace(p Part) {
	for i := range w.gone {
		switch at := &w.g.stands[i]; {
		case p.Kind == Rack && int(at.rack) == p.N, p.Kind == Site && int(at.site) == p.N, p.Kind == Region && int(at.region) == p.N:
			w.gone[i] = true
		}
	}
	if p.Kind == Rack {
		return
	}
	id := w.g.ID(w.s, p)
	for i := range w.dark {
		name := w.s.Feeds.At(i).Spec.Site
		site := w.s.Sites.Get(name)
		if p.Kind == Site && name == id || p.Kind == Region && site != nil && site.Spec.Region == id {
			w.dark[i] = true
		}
	}
}

// fed reports whether a feed carries: neither it nor anything above it is lost,
// nor shown to be dead.
func (w *world) fed(n int) bool {
	if w.feeds[n] == 0 {
		w.feeds[n] = asked
		f := &w.g.feeds[n]
		ok := !w.dark[n] && !w.lostFeed(n) && (f.feed < 0 || w.fed(f.feed)) && (f.ups < 0 || w.powered(f.ups))
		w.feeds[n] = answer(ok)
	}
	return w.feeds[n] == alive
}

// powered reports whether a device runs: it is not known to be dead, and one
// of its cords, if it has any, and its feed, if it has one, are alive.
func (w *world) powered(n int) bool {
	if w.devices[n] == 0 {
		w.devices[n] = asked
		d := &w.g.devices[n]
		ok := !w.gone[n] && !w.dead(n) && (d.feed < 0 || w.fed(d.feed)) && (len(d.cords) == 0 || w.cords(n) > 0)
		w.devices[n] = answer(ok)
	}
	return w.devices[n] == alive
}

// dead reports whether a device is known to be dead: by itself, or where it gives
// power and does not answer, by what hangs on it.
func (w *world) dead(n int) bool {
	d := w.s.Devices.At(n)
	if gives := d.Spec.Kind == fleet.KindPDU || d.Spec.Kind == fleet.KindUPS; !gives || fresh(d) {
		return Dead(d)
	}
	return w.q.guilty(w.g.deviceAt(w.s, n))
}

// lostFeed reports whether a feed is known to carry nothing. One is alive of
// which anything answers.
func (w *world) lostFeed(n int) bool {
	return w.s.Feeds.At(n).State != fleet.StateOK && w.q.guilty(w.g.feedAt(n))
}

func answer(ok bool) uint8 {
	if ok {
		return alive
	}
	return dead
}

// cords counts the cords over which a device gets power.
func (w *world) cords(n int) (live int) {
	for k := range w.g.devices[n].cords {
		if w.cord(n, k) {
			live++
		}
	}
	return live
}

func (w *world) cord(n, k int) bool {
	c := w.g.devices[n].cords[k]
	if c.pdu < 0 {
		return true // it leads out of what we know
	}
	if w.pieces && (w.failed[psuOf(n, c.psu)] || w.failed[Part{Outlet, c.pdu, outletName(c.outlet)}]) {
		return false
	}
	if o := outletOf(w.s.Devices.At(c.pdu), c.outlet); o != nil && o.State == "off" {
		return false
	}
	return w.powered(c.pdu) && !supplyDead(w.s.Devices.At(n), c.psu)
}

// cable reports whether the k-th cable of a device carries light: both of its
// ends are there and up.
func (w *world) cable(n, k int) bool {
	c := &w.g.devices[n].cables[k]
	if c.to < 0 {
		return false
	}
	d, far := w.s.Devices.At(n), w.s.Devices.At(c.to)
	port := w.g.portOf(end{n, k})
	if w.pieces && (w.failed[Part{Port, c.to, port}] || w.failed[nicOf(d, n, &d.Spec.Links[k])]) {
		return false
	}
	if !open(far, portAt(far, port, c.at)) {
		return false
	}
	if !carries(d.Spec.Kind) {
		return true
	}
	p := d.Port(d.Spec.Links[k].NIC)
	return p == nil || open(d, p) // its own end may go by a name of another table
}

// paths counts the cables over which a machine reaches the edge.
func (w *world) paths(n int) (live int) {
	w.walk()
	for k := range w.g.devices[n].cables {
		if c := &w.g.devices[n].cables[k]; !c.management && c.to >= 0 && w.reaches(c.to) && w.cable(n, k) {
			live++
		}
	}
	return live
}

// sight reports whether a machine's BMC can be reached, where it has a cable.
func (w *world) sight(n int) bool {
	w.walk()
	for k := range w.g.devices[n].cables {
		if c := &w.g.devices[n].cables[k]; c.management && c.to >= 0 {
			return w.reaches(c.to) && w.cable(n, k)
		}
	}
	return true
}

// reaches reports whether what ends on a device gets any further. What is no
// switch is taken at its word.
func (w *world) reaches(n int) bool {
	if !w.g.carries(n) {
		return w.powered(n)
	}
	return w.linked[n]
}

// walk goes from the edges of the regions down over every switch that is up.
// From below it could not be told: two switches without an uplink would each
// hold the other for the way out.
func (w *world) walk() {
	if w.linked != nil {
		return
	}
	w.linked = make([]bool, len(w.g.devices))
	var todo []int
	reach := func(n int) {
		if !w.linked[n] && w.g.carries(n) && w.powered(n) {
			w.linked[n] = true
			todo = append(todo, n)
		}
	}
	for _, n := range w.g.nets {
		if w.g.devices[n].edge {
			reach(n)
		}
	}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		d := &w.g.devices[n]
		for k := range d.cables {
			if to := d.cables[k].to; to >= 0 && !w.linked[to] && w.cable(n, k) {
				reach(to)
			}
		}
		for _, e := range d.ends {
			if !w.linked[e.device] && w.g.carries(e.device) && w.cable(e.device, e.k) {
				reach(e.device)
			}
		}
	}
}

// uplinks counts the cables of a switch over which it is reached.
func (w *world) uplinks(n int) (live int) {
	w.walk()
	for k := range w.g.devices[n].cables {
		if to := w.g.devices[n].cables[k].to; to >= 0 && w.g.carries(to) && w.linked[to] && w.cable(n, k) {
			live++
		}
	}
	return live
}
