package capacity

import (
	"fmt"
	"math"

	"plumb/fleet"
)

// group adds up racks to a site, and sites to a region.
type group struct {
	scope   Scope
	id      string
	racks   [][]Row
	feeds   []Row
	limitW  float64
	limited bool
}

func (g *group) take(rack []Row) { g.racks = append(g.racks, rack) }

// join adds a site to its region. What the weakest feeds of its sites carry
// adds up, for no load moves from one site to another; a limit that is not
// known leaves the whole unknown.
func (g *group) join(site *group) {
	if !g.limited {
		g.limited = true
		g.limitW = 0
	}
	g.limitW += site.limitW
	g.racks, g.feeds = append(g.racks, site.racks...), append(g.feeds, site.feeds...)
}

func (g *group) rows() []Row {
	units := g.summed(Units, "U")
	run := Row{Scope: g.scope, ID: g.id, Resource: Contiguous, Unit: "U", Used: units.Used, Total: units.Total}
	where := ""
	for _, rack := range g.racks {
		for i := range rack {
			if x := &rack[i]; x.Resource == Contiguous && (!run.Free.Known || x.Free.Cmp(run.Free) > 0) {
				run.Free, where = x.Free, x.ID
			}
		}
	}
	if where != "" {
		run.Worst = "the longest run is in " + where
	}
	power := g.summed(Power, "W")
	power.Total = fleet.Num{}
	if g.limited {
		power.Total = fleet.FromFloat(g.limitW, 0)
	}
	power.settle()
	if power.Stranded.Known && power.Free.Known && power.Stranded.Cmp(power.Free) > 0 { // racks share their feeds
		power.Stranded = fleet.FromFloat(max(0, power.Free.Float()), 0)
	}
	out := []Row{units, run, power, g.tightestFeed()}
	for _, class := range g.classes() {
		x := g.summedClass(Ports, class, "count")
		out = append(out, x)
	}
	return out
}

// tightestFeed is the feed of the group that is fullest after the worst.
func (g *group) tightestFeed() Row {
	out := Row{Scope: g.scope, ID: g.id, Resource: Failover, Unit: "W"}
	worst := math.Inf(-1)
	for i := range g.feeds {
		x := &g.feeds[i]
		if x.Resource != Failover {
			continue
		}
		share := x.Share()
		if x.Over {
			share = max(share, 1)
			if math.IsNaN(share) {
				share = 1
			}
			share++
		}
		if share > worst {
			worst = share
			id := out.ID
			out = *x
			out.Scope, out.ID, out.Binds = g.scope, id, x.ID
		}
	}
	return out
}

func (g *group) summed(r Resource, unit string) Row { return g.summedClass(r, "", unit) }

// summedClass adds up a resource of the racks. What a rack does not know is
// left out and said, for the rest is still true.
func (g *group) summedClass(r Resource, class, unit string) Row {
	out := Row{Scope: g.scope, ID: g.id, Resource: r, Class: class, Unit: unit}
	var used, total, free, stranded sum
	binders := map[string]int{}
	n, blank := 0, 0
	for _, rack := range g.racks {
		for i := range rack {
			x := &rack[i]
			if x.Resource != r || x.Class != class {
				continue
			}
			n++
			if !x.Used.Known {
				blank++
			}
			used.add(x.Used)
			total.add(x.Total)
			free.add(x.Free)
			stranded.add(x.Stranded)
			if x.Stranded.Known && x.Stranded.Float() > 0 {
				binders[x.Binds]++
			}
		}
	}
	out.Used, out.Total, out.Free, out.Stranded = used.some(unit), total.num(unit), free.some(unit), stranded.some(unit)
	best := 0
	for b, k := range binders {
		if k > best || k == best && b < out.Binds {
			best, out.Binds = k, b
		}
	}
	if best > 0 {
		out.Worst = fmt.Sprintf("%s binds first in %d of %s", out.Binds, best, fleet.Count(n, "rack"))
	}
	if blank > 0 {
		out.Worst = or(out.Worst, "") + fmt.Sprintf("; not known of %s", fleet.Count(blank, "rack"))
	}
	return out
}

// classes are the port speeds of the racks, in their order.
func (g *group) classes() []string {
	var out []string
	have := map[string]bool{}
	for _, rack := range g.racks {
		for i := range rack {
			if x := &rack[i]; x.Resource == Ports && !have[x.Class] {
				have[x.Class] = true
				out = append(out, x.Class)
			}
		}
	}
	return out
}
