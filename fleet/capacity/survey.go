package capacity

import (
	"cmp"
	"math"
	"slices"

	"plumb/fleet"
)

// Survey is the capacity of a fleet with what stands behind its rows.
type Survey struct {
	Subjects []Subject // in the order of the inventory
	Losses   []Loss    // of each feed, UPS and PDU, in the order of the inventory
	Fits     map[string]RackFit
}

// Subject is one region, site, rack, feed or cloud with its rows.
type Subject struct {
	Scope Scope
	ID    string
	Rows  []Row
}

// RackFit says how many more machines of its own kind a rack takes, with a cord
// on A and B each.
type RackFit struct {
	Like  Machine // the middle one of its servers, else of its site's
	Known bool
	Takes int
	Binds Resource // what is short first; empty where the rack takes none whatever its room
	Why   string   // what is short, or why none or nobody knows how many
	Fits  []Fit    // by resource that is known
}

// Fit is how many machines one resource still takes, and why no more.
type Fit struct {
	Resource Resource
	Takes    int
	Why      string
}

// Loss is what the failure of one part does.
type Loss struct {
	Part       string
	Kind       string // feed, ups or pdu
	Up         string // the part above; empty: none
	Site, Rack string
	Dark       bool      // it gives nothing now: what was to move has moved
	LoadW      fleet.Num // now
	LimitW     fleet.Num // continuous
	To         []Carry   // what takes over, the fullest first
	Alone      []Lone    // what loses its last cord, the heaviest first
}

// Carry is a part that takes over.
type Carry struct {
	Part            string
	BeforeW, AfterW fleet.Num
	LimitW          fleet.Num
	OverW           fleet.Num // above the limit; negative: below it
	Phase           int       // 1 to 3: the phase that is over, though the whole is not
}

// Lone is a machine whose live cords all hang on one part.
type Lone struct {
	Device string
	Watts  fleet.Num
}

// SurveyOf surveys a snapshot.
func SurveyOf(s *fleet.Snapshot) Survey {
	p := newPlant(s)
	out := Survey{Subjects: gather(p.rows()), Fits: make(map[string]RackFit, len(p.rooms))}
	for i := range p.rooms {
		r := &p.rooms[i]
		out.Fits[r.id] = p.rackFit(r)
	}
	m := &moved{extra: make([]float64, len(p.tree.nodes))}
	for i := range p.tree.nodes {
		out.Losses = append(out.Losses, p.loss(i, m))
	}
	return out
}

func (p *plant) rackFit(r *room) RackFit {
	out := RackFit{Like: r.like, Known: true}
	list := p.fits(r, r.like, true, p.headW)
	for _, x := range list {
		out.Fits = append(out.Fits, Fit{x.resource, x.n, x.why})
	}
	f := finder{p: p, q: Request{Watts: r.like.Watts, Ports: r.like.Ports, SpeedBps: r.like.SpeedBps, KeepAB: true}}
	if out.Why, out.Known = f.refuses(r); out.Why != "" {
		return out
	}
	t, ok := tightest(list)
	if !ok {
		out.Known, out.Why = false, "nothing is known of it"
		return out
	}
	out.Takes, out.Binds, out.Why = t.n, t.resource, t.why
	return out
}

// gather gathers rows by what they are about; rows of one stand together.
func gather(rows []Row) []Subject {
	var out []Subject
	for i := range rows {
		if n := len(out); n > 0 && out[n-1].Scope == rows[i].Scope && out[n-1].ID == rows[i].ID {
			out[n-1].Rows = rows[i-len(out[n-1].Rows) : i+1]
			continue
		}
		out = append(out, Subject{rows[i].Scope, rows[i].ID, rows[i : i+1]})
	}
	return out
}

// loss says what the failure of a node does: which others take over, and which
// machines have nothing else.
func (p *plant) loss(f int, m *moved) Loss {
	n := &p.tree.nodes[f]
	x := Loss{Part: n.id, Kind: "feed", Site: n.site, Dark: n.dark, LoadW: fleet.FromFloat(n.watts, 0), LimitW: fleet.FromFloat(n.limitW, 0)}
	if !n.feed {
		x.Kind = "ups"
	}
	if n.pdu {
		x.Kind, x.Rack = "pdu", p.snap.Devices.At(n.device).Spec.Rack
	}
	if n.up >= 0 {
		x.Up = p.tree.nodes[n.up].id
	}
	for _, k := range p.tree.single(f) {
		x.Alone = append(x.Alone, Lone{p.tree.loads[k].name, fleet.FromFloat(p.tree.loads[k].watts(), 0)})
	}
	if n.dark || !p.tree.fail(f, m) {
		return x
	}
	for _, i := range m.hit {
		if p.tree.under(i, f) || p.tree.under(f, i) || m.extra[i] <= 0 {
			continue
		}
		to := &p.tree.nodes[i]
		after := to.watts + m.extra[i]
		c := Carry{Part: to.id, BeforeW: fleet.FromFloat(to.watts, 0), AfterW: fleet.FromFloat(after, 0), LimitW: fleet.FromFloat(to.limitW, 0)}
		phase, over := p.tree.phase(i, f, m.extra[i], after-to.limitW)
		c.Phase, c.OverW = phase, fleet.FromFloat(over, 0)
		x.To = append(x.To, c)
	}
	slices.SortStableFunc(x.To, func(a, b Carry) int {
		return cmp.Or(-cmp.Compare(a.Share(), b.Share()), cmp.Compare(a.Part, b.Part))
	})
	return x
}

// Share is how full the part is then, NaN where its limit is not known.
func (c *Carry) Share() float64 { return c.AfterW.Float() / c.LimitW.Float() }

// Over reports whether the failure puts more on the part than it may carry.
func (c *Carry) Over() bool { return c.OverW.Known && c.OverW.N > 0 }

// Row returns the row of a resource, the first of several classes; nil: there
// is none.
func (x *Subject) Row(r Resource) *Row {
	for i := range x.Rows {
		if x.Rows[i].Resource == r {
			return &x.Rows[i]
		}
	}
	return nil
}

// Tightest is the resource that is nearest to its end: one over its limit, else
// the fullest. Nil where nothing is known.
func (x *Subject) Tightest() *Row {
	var out *Row
	worst := math.Inf(-1)
	for i := range x.Rows {
		if h := x.Rows[i].hurt(); h > worst || h == worst && x.Rows[i].Resource == Failover { // it says whose failure it is
			worst, out = h, &x.Rows[i]
		}
	}
	return out
}

// Hurt is what subjects are ordered by: from 1 on a limit is broken, below it is
// how full the tightest resource is. It is -1 where nothing is known.
func (x *Subject) Hurt() float64 {
	if t := x.Tightest(); t != nil {
		return t.hurt()
	}
	return -1
}

// hurt is how full a row is, beyond 1 where a limit is broken. How a rack's free
// units lie is no load, and ports of a speed that no machine of the rack's kind
// uses may all be taken.
func (r *Row) hurt() float64 {
	share := r.Share()
	switch {
	case r.Resource == Contiguous, r.Resource == Ports && !r.Stranded.Known:
		return math.Inf(-1)
	case r.Over && math.IsNaN(share):
		return 1
	case r.Over:
		return 1 + share
	case math.IsNaN(share):
		return math.Inf(-1)
	}
	return min(share, 0.999) // full is not yet broken
}
