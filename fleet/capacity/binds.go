package capacity

import (
	"math"

	"plumb/fleet"
)

// fit is how many machines a resource still takes.
type fit struct {
	resource Resource
	n        int
	why      string // what is short, for the one that binds
}

// fits asks each resource of a rack that is known how many machines of a shape
// it takes, in the order in which they are told when two bind alike. head says
// how much a node of the tree still takes.
func (p *plant) fits(r *room, m Machine, keepAB bool, head func(int) float64) []fit {
	out := make([]fit, 0, 6)
	if m.Watts > 0 {
		out = p.powerFits(out, r, m, keepAB, head)
	}
	if m.Height > 0 {
		out = append(out, fit{Units, r.space.fits(m.Height), "longest free run is " + r.space.Longest.Num().String() + " U"})
	}
	if f, ok := outletFits(r, m, keepAB); ok {
		out = append(out, f)
	}
	if m.Ports > 0 && m.SpeedBps > 0 && len(r.ports) > 0 {
		free := 0
		for _, c := range r.ports {
			if c.speed == m.SpeedBps {
				free += c.total - c.used
			}
		}
		out = append(out, fit{Ports, max(0, free) / m.Ports, fleet.Count(free, "port") + " of " + Speed(m.SpeedBps) + " free"})
	}
	return out
}

// powerFits looks at the rack's weakest PDU and at everything above. With A and
// B kept each side must carry the whole of a machine when the other one goes;
// on one cord the roomiest PDU takes it.
func (p *plant) powerFits(out []fit, r *room, m Machine, keepAB bool, head func(int) float64) []fit {
	if r.watts.Known && !math.IsNaN(r.limitW) && keepAB {
		left := r.limitW - r.watts.Float()
		out = append(out, fit{Power, times(left, m.Watts), watt(left) + " left of what one PDU carries alone"})
	}
	n, at := -1, -1
	for _, x := range r.pdus {
		k, where := p.chainFits(x, m.Watts, head)
		if k < 0 {
			continue
		}
		if n < 0 || keepAB == (k < n) && k != n {
			n, at = k, where
		}
	}
	if n >= 0 {
		out = append(out, fit{Failover, n, p.tree.nodes[at].id + " has " + watt(head(at)) + " left" + p.when(at)})
	}
	return out
}

// chainFits is how many fit below a PDU and all above it, and where it is
// tightest; -1 where no limit is known.
func (p *plant) chainFits(i int, w float64, head func(int) float64) (n, at int) {
	n, at = -1, -1
	for ; i >= 0; i = p.tree.nodes[i].up {
		if p.tree.nodes[i].dark {
			return 0, i
		}
		if h := head(i); !math.IsNaN(h) && (n < 0 || times(h, w) < n) {
			n, at = times(h, w), i
		}
	}
	return n, at
}

// when says whose failure a node's worst case is.
func (p *plant) when(i int) string {
	switch t := p.threats[i]; {
	case p.tree.nodes[i].dark:
		return ": it gives nothing now"
	case t.by >= 0:
		return " when " + p.tree.nodes[t.by].id + " fails"
	}
	return ""
}

// outletFits is how many find an outlet: with A and B kept, one on each PDU.
func outletFits(r *room, m Machine, keepAB bool) (fit, bool) {
	least, sum := unread, 0
	for _, free := range r.free {
		if free == unread {
			continue
		}
		sum += free
		if least == unread || free < least {
			least = free
		}
	}
	switch {
	case least == unread || m.Cords == 0:
		return fit{}, false
	case keepAB && len(r.free) > 1:
		return fit{Outlets, max(0, least), fleet.Count(least, "outlet") + " free on the fuller PDU"}, true
	}
	return fit{Outlets, max(0, sum), fleet.Count(sum, "outlet") + " free"}, true
}

func times(left, each float64) int { return max(0, int(math.Floor(left/each+1e-9))) }

// tightest is the first of those that take the fewest; false where nothing is
// known.
func tightest(list []fit) (fit, bool) {
	if len(list) == 0 {
		return fit{}, false
	}
	t := list[0]
	for _, f := range list[1:] {
		if f.n < t.n {
			t = f
		}
	}
	return t, true
}
