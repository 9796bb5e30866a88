package trace

import (
	"cmp"
	"slices"
	"time"

	"plumb/fleet"
)

// Node is a part as it is now.
type Node struct {
	ID    string      `json:"id"`
	Kind  Kind        `json:"kind"`
	State fleet.State `json:"state"`
}

// Edge is a relation between two parts. One that was intended and that
// observation contradicts says what was seen instead.
type Edge struct {
	From       string     `json:"from"`
	To         string     `json:"to"`
	Kind       string     `json:"kind"` // power data mount host serves management
	Intended   bool       `json:"intended"`
	Observed   bool       `json:"observed"`
	Evidence   string     `json:"evidence"` // inventory, lldp, fdb, outlets, cloud, tags; joined by +
	At         *time.Time `json:"at"`       // of the observation; null where there is none
	Contradict string     `json:"contradicted,omitempty"`
	// Back says that the trace went along it from To to From.
	Back bool `json:"-"`
}

// Chain is what stands above and below a part. Nodes begin with the part
// itself and go outwards; Omitted counts those beyond the bound.
type Chain struct {
	Nodes   []Node `json:"nodes"`
	Edges   []Edge `json:"edges"`
	Omitted int    `json:"omitted"`
}

// Walk says which way to go from a part, and how far.
type Walk struct {
	Up, Down bool
	Limit    int // of nodes; 0: none
}

// Trace follows what a part needs up to the utility and to the edge of its
// region, and what needs it down to the services.
func (g *Graph) Trace(s *fleet.Snapshot, p Part, w Walk) Chain {
	t := &tracer{g: g, s: s, limit: w.Limit, out: Chain{Nodes: []Node{}, Edges: []Edge{}}, drawn: map[line]struct{}{}, guests: guestsOf(s)}
	t.node(t.number(p))
	if w.Up {
		t.follow(p, t.above)
	}
	if w.Down {
		t.follow(p, t.below)
	}
	return t.out
}

// tracer is a Trace under way. It numbers the parts that it meets, so that each
// is looked up by its name once a step and its id is made once.
type tracer struct {
	g      *Graph
	s      *fleet.Snapshot
	limit  int
	out    Chain
	guests *fleet.Guests
	numbers
	at    []int32 // by number: its place in out.Nodes, -1 where the bound left it out
	seen  []uint8 // by number: the last way on which it was met
	ways  uint8
	drawn map[line]struct{}
	steps []step // of one part, used again for the next
	cloud string // whose witness says is
	says  witness
	when  *time.Time // of the last edge: most were seen in the same look
}

// line is an edge by the numbers of its ends.
type line struct{ from, to int32 }

// step is an edge to a neighbour.
type step struct {
	next Part
	back bool // it leads from the neighbour to the part
	kind string
	witness
}

// witness is who vouches for an edge.
type witness struct {
	intended, observed bool
	evidence           string
	at                 time.Time
	contradict         string
}

var inventory = witness{intended: true, evidence: "inventory"}

// follow goes in one direction, nearest first.
func (t *tracer) follow(p Part, neighbours func(Part) []step) {
	t.ways++
	k := t.number(p)
	t.seen[k] = t.ways
	for todo := []int32{k}; len(todo) > 0; todo = todo[1:] {
		near := todo[0]
		list := neighbours(t.met[near])
		for i := range list {
			x := &list[i]
			far := t.number(x.next)
			in := t.node(far)
			if in {
				t.edge(near, far, x)
			}
			if t.seen[far] == t.ways {
				continue
			}
			if t.seen[far] = t.ways; in {
				todo = append(todo, far)
			} else {
				t.out.Omitted++
			}
		}
	}
}

// number is numbers.number, with room for what is kept of each part.
func (t *tracer) number(p Part) int32 {
	k := t.numbers.number(t.s, p)
	if int(k) == len(t.at) {
		t.at, t.seen = append(t.at, -1), append(t.seen, 0)
	}
	return k
}

// node adds a part unless it is there or the bound is reached; it reports
// whether it is there now.
func (t *tracer) node(k int32) bool {
	if t.at[k] >= 0 {
		return true
	}
	if t.limit > 0 && len(t.out.Nodes) >= t.limit {
		return false
	}
	p := t.met[k]
	t.at[k] = int32(len(t.out.Nodes))
	t.out.Nodes = append(t.out.Nodes, Node{t.g.ID(t.s, p), p.Kind, t.g.State(t.s, p)})
	return true
}

func (t *tracer) edge(near, far int32, x *step) {
	l := line{near, far}
	if x.back {
		l = line{far, near}
	}
	if _, ok := t.drawn[l]; ok {
		return
	}
	t.drawn[l] = struct{}{}
	e := Edge{From: t.out.Nodes[t.at[l.from]].ID, To: t.out.Nodes[t.at[l.to]].ID, Kind: x.kind, Intended: x.intended, Observed: x.observed, Evidence: x.evidence, Contradict: x.contradict, Back: x.back}
	if !x.at.IsZero() {
		if t.when == nil || !t.when.Equal(x.at) {
			at := x.at.UTC()
			t.when = &at
		}
		e.At = t.when
	}
	t.out.Edges = append(t.out.Edges, e)
}

// State is the state of a part as the snapshot shows it. Of a piece of a device
// that does not answer it is not known.
func (g *Graph) State(s *fleet.Snapshot, p Part) fleet.State {
	switch p.Kind {
	case Feed, Utility:
		return s.Feeds.At(p.N).State
	case Region:
		return s.Regions.At(p.N).State
	case Site:
		return s.Sites.At(p.N).State
	case Rack:
		return s.Racks.At(p.N).State
	case Cloud:
		return s.Clouds.At(p.N).State
	case Host:
		return s.Hosts.At(p.N).State
	case Instance:
		return s.Instances.At(p.N).State
	case Service:
		return s.Services.At(p.N).State
	}
	d := s.Devices.At(p.N)
	switch p.Kind {
	case PSU:
		if no, ok := supplyName(p.Name); ok && supplyOf(d, no) != nil && !stale(d) {
			return supplyOf(d, no).State
		}
	case Outlet:
		return outletState(d, p.Name)
	case Port:
		if !stale(d) {
			return portState(g.port(s, p))
		}
	case NIC:
		for k := range d.Spec.Links {
			if c := g.devices[p.N].cables[k]; d.Spec.Links[k].NIC == p.Name && c.to >= 0 && !stale(s.Devices.At(c.to)) {
				return portState(portAt(s.Devices.At(c.to), g.portOf(end{p.N, k}), c.at))
			}
		}
	case BMC:
		if fresh(d) {
			return fleet.StateOK
		}
	default:
		return d.State
	}
	return fleet.StateUnknown
}

func portState(p *fleet.Port) fleet.State {
	switch {
	case p == nil || p.Oper == "":
		return fleet.StateUnknown
	case p.Up():
		return fleet.StateOK
	case p.Admin == "down":
		return fleet.StateOff
	}
	return fleet.StateCrit
}

// cloudSays is the witness of what a cloud's list of instances shows.
func (t *tracer) cloudSays(x *fleet.InstanceState) witness {
	if t.says.evidence == "" || x.Cloud != t.cloud {
		t.cloud, t.says = x.Cloud, witness{observed: true, evidence: "cloud"}
		if c := t.s.Clouds.Get(x.Cloud); c != nil {
			t.says.at = c.Tables[fleet.TableInstances].At
		}
	}
	return t.says
}

// plugged is the witness of an outlet: its PDU lists it.
func (t *tracer) plugged(pdu int) witness {
	w := inventory
	if d := t.s.Devices.At(pdu); len(d.Outlets) > 0 {
		w.observed, w.evidence, w.at = true, "inventory+outlets", d.Tables[fleet.TableOutlets].At
	}
	return w
}

// cabled is the witness of the k-th cable of a device: what the far end hears
// of it, and what it hears instead.
func (t *tracer) cabled(n, k int) witness {
	d := t.s.Devices.At(n)
	c := &d.Spec.Links[k]
	w := inventory
	to := t.g.devices[n].cables[k].to
	if to < 0 {
		return w
	}
	far, port := t.s.Devices.At(to), t.g.portOf(end{n, k})
	p := portAt(far, port, t.g.devices[n].cables[k].at)
	if p == nil {
		return w
	}
	for _, by := range witnesses(far, p, d, *c) {
		w.observed, w.evidence = true, w.evidence+"+"+by
		at := far.Tables[fleet.TableNeighbors].At
		if by == "fdb" {
			at = far.Tables[fleet.TableFDB].At
		}
		if at.After(w.at) {
			w.at = at
		}
	}
	for i := range far.Miscabled {
		if m := &far.Miscabled[i]; m.Port == port {
			w.observed, w.evidence = false, "inventory"
			w.contradict = far.Spec.ID + "/" + port + " hears " + t.s.Devices.ID(m.Hears.Device) + "/" + cmp.Or(m.Hears.Part, "?") + " (" + m.Source + ")"
		}
	}
	return w
}

// uplink finds the cable of a switch that starts at a port; -1: none.
func (t *tracer) uplink(p Part) int {
	return slices.IndexFunc(t.s.Devices.At(p.N).Spec.Links, func(c fleet.Cable) bool { return c.NIC == p.Name })
}
