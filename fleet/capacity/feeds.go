package capacity

import (
	"fmt"

	"plumb/fleet"
)

// feedRows are the load of each feed and what it carries after the worst.
func (p *plant) feedRows(id string, f *fleet.Feed) []Row {
	i := p.tree.index[id]
	n := &p.tree.nodes[i]
	power := Row{Scope: ScopeFeed, ID: id, Resource: Power, Unit: "W", Total: fleet.FromFloat(n.limitW, 0)}
	if f.PowerW.Known || n.dark || len(n.below) > 0 && n.watts > 0 {
		power.Used = fleet.FromFloat(n.watts, 0)
	}
	if n.phaseW[0] > 0 {
		power.Worst = fmt.Sprintf("phases at %s, %s, %s", watt(n.phaseW[0]), watt(n.phaseW[1]), watt(n.phaseW[2]))
		for k, w := range n.phaseW {
			if w > n.limitW/3 {
				power.Over = true
				power.Worst += fmt.Sprintf(": phase %d is over %s", k+1, watt(n.limitW/3))
			}
		}
	}
	power.settle()

	over := Row{Scope: ScopeFeed, ID: id, Resource: Failover, Unit: "W", Total: power.Total}
	switch alone := p.tree.single(i); {
	case n.dark:
		over.Over, over.Worst, over.Do = true, "it gives nothing now: what hung on it runs on its other cord, without redundancy", "bring it back before anything is moved"
	case p.threats[i].by >= 0:
		p.failover(&over, i)
		if len(alone) > 0 {
			over.Worst += fmt.Sprintf("; %d on it alone: %s", len(alone), p.tree.named(alone))
		}
	case len(alone) > 0:
		over.Worst = fmt.Sprintf("single: all cords of %d machines, %s, lie below it", len(alone), watt(p.sumW(alone)))
	}
	over.settle()
	return []Row{power, over}
}

func (p *plant) sumW(loads []int) float64 {
	w := 0.0
	for _, k := range loads {
		w += p.tree.loads[k].watts()
	}
	return w
}
