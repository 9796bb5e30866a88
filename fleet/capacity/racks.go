package capacity

import (
	"fmt"
	"math"

	"plumb/fleet"
)

// rackRows are the rows of one rack, each with what of its free room the
// tightest resource leaves unusable.
func (p *plant) rackRows(r *room) []Row {
	row := func(res Resource, unit string) Row { return Row{Scope: ScopeRack, ID: r.id, Resource: res, Unit: unit} }
	out := make([]Row, 0, 8)

	units := row(Units, "U")
	units.Total, units.Used = r.space.Total.Num(), whole(float64(r.space.Used)/2+r.beyond, "U")
	if r.space.Behind > 0 {
		units.Worst = r.space.Behind.Num().String() + " U more are free on one face only"
	}
	run := row(Contiguous, "U")
	run.Total, run.Used, run.Free = units.Total, units.Used, r.space.Longest.Num()
	power := row(Power, "W")
	power.Used, power.Total = r.watts, fleet.FromFloat(r.limitW, 0)
	out = append(out, units, run, power, p.rackFailover(r))
	if o, ok := r.outletRow(); ok {
		out = append(out, o)
	}
	for _, c := range r.ports {
		x := row(Ports, "count")
		x.Class, x.Used, x.Total = Speed(c.speed), fleet.Int(int64(c.used)), fleet.Int(int64(c.total))
		out = append(out, x)
	}
	if r.rack.Spec.MaxWeightKg.Known {
		x := row(Weight, "kg")
		x.Total, x.Worst = r.rack.Spec.MaxWeightKg, "not known: the inventory holds no weights of devices"
		out = append(out, x)
	}
	for i := range out {
		if out[i].Resource != Contiguous {
			out[i].settle()
		}
	}
	p.bind(r, out)
	return out
}

func (r *room) outletRow() (Row, bool) {
	x := Row{Scope: ScopeRack, ID: r.id, Resource: Outlets, Unit: "count"}
	total, used := 0, 0
	for i, n := range r.total {
		if r.free[i] == unread {
			return x, false
		}
		total, used = total+n, used+n-r.free[i]
	}
	x.Total, x.Used = fleet.Int(int64(total)), fleet.Int(int64(used))
	return x, total > 0
}

// rackFailover is the PDU of a rack that is fullest after the worst failure.
func (p *plant) rackFailover(r *room) Row {
	x := Row{Scope: ScopeRack, ID: r.id, Resource: Failover, Unit: "W"}
	worst := -1.0
	lone := map[int]bool{}
	var alone []int
	for _, i := range r.pdus {
		for _, k := range p.tree.single(i) {
			if !lone[k] {
				lone[k], alone = true, append(alone, k)
			}
		}
		if share := p.threats[i].watts / p.tree.nodes[i].limitW; p.threats[i].by >= 0 && !(share <= worst) {
			worst = share
			p.failover(&x, i)
		}
		if p.tree.nodes[i].dark {
			x.Over = true
			dark := p.tree.nodes[i].id + " gives nothing: what hangs on it has lost its redundancy"
			if x.Worst != "" {
				dark += "; "
			}
			x.Worst, x.Do = dark+x.Worst, "bring "+p.tree.nodes[i].id+" back"
		}
	}
	if len(alone) > 0 {
		if x.Worst != "" {
			x.Worst += "; "
		}
		x.Worst += fmt.Sprintf("%d on one cord: %s", len(alone), p.tree.named(alone))
	}
	if x.Worst == "" && len(r.pdus) == 1 {
		x.Worst = "one PDU: nothing to fail over to"
	}
	return x
}

// failover fills a row with the worst that befalls a node.
func (p *plant) failover(x *Row, i int) {
	t, n := p.threats[i], &p.tree.nodes[i]
	by := p.tree.nodes[t.by].id
	x.Used, x.Total, x.Binds = fleet.FromFloat(t.watts, 0), fleet.FromFloat(n.limitW, 0), by
	x.Worst, x.Do, x.Over = fmt.Sprintf("%s fails: %s carries %s", by, n.id, watt(t.watts)), "", false
	switch {
	case math.IsNaN(n.limitW):
		x.Worst += ", and its limit is not known"
		x.Do = "write its breaker and voltage into the inventory"
		return
	default:
		x.Worst += " of " + watt(n.limitW)
	}
	switch {
	case t.phase > 0:
		x.Over = true
		x.Worst += fmt.Sprintf(": phase %d is over by %s", t.phase, watt(t.over/3))
		x.Do = "move machines to another phase"
	case t.over > 0:
		x.Over = true
		x.Worst += ": over by " + watt(t.over)
		x.Do = "move " + watt(t.over) + " of what hangs on " + by + " and " + n.id + " elsewhere"
	}
}

// bind finds what runs out first in a rack for machines like its own, and what
// of the rest is stranded then.
func (p *plant) bind(r *room, rows []Row) {
	list := p.fits(r, r.like, true, p.headW)
	t, ok := tightest(list)
	if !ok {
		return
	}
	m := r.like
	each := map[Resource]float64{Units: float64(m.Height) / 2, Power: m.Watts, Failover: m.Watts, Outlets: float64(len(r.pdus)), Ports: float64(m.Ports)}
	for i := range rows {
		x := &rows[i]
		if x.Resource == Failover && x.Binds != "" { // whose failure it is says more
			x.Do = or(x.Do, verdict(t))
		} else {
			x.Binds = string(t.resource)
		}
		need, asked := each[x.Resource]
		if x.Resource == Ports && x.Class != Speed(m.SpeedBps) {
			continue
		}
		if !asked || !x.Free.Known || x.Free.Float() < 0 {
			continue
		}
		left := max(0, x.Free.Float()-float64(t.n)*need)
		if x.Resource == t.resource {
			left = 0
		}
		x.Stranded = whole(left, x.Unit)
		if x.Resource == t.resource || left > 0 {
			x.Do = or(x.Do, verdict(t))
		}
	}
}

// verdict says how many more fit, and what is short.
func verdict(t fit) string {
	if t.n == 0 {
		return fmt.Sprintf("full for another of its kind: %s, %s", t.resource, t.why)
	}
	return fmt.Sprintf("takes %d more of its kind, then %s binds: %s", t.n, t.resource, t.why)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
