package trace

import (
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
)

// Loss is one thing that fails with others, and why.
type Loss struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	Why  string `json:"why"`
}

// Hit is a service that would lose replicas.
type Hit struct {
	Service string `json:"service"`
	Before  int    `json:"before"` // replicas that run now
	After   int    `json:"after"`
	Floor   int    `json:"floor"` // 0: none
	Below   bool   `json:"below"`
}

// Blast is what a failure takes with it, on the fleet as it is: what is dead
// already is not lost again, and is no redundancy either.
type Blast struct {
	Failed   []string `json:"failed"`
	Already  []string `json:"already"`  // of those, what is dead as it is
	Lost     []Loss   `json:"lost"`     // the last path is gone
	Degraded []Loss   `json:"degraded"` // one path is left
	Unseen   []Loss   `json:"unseen"`   // goes on, and nobody could see it
	Services []Hit    `json:"services"`
	Power    []Moved  `json:"power"` // feeds that would carry another load
	PDUs     []Shift  `json:"pdus"`  // PDUs that would
}

// ByKind counts losses by kind: "3 servers, 1 pdu"; none is "nothing".
func ByKind(list []Loss) string {
	if len(list) == 0 {
		return "nothing"
	}
	counts, order := map[Kind]int{}, []Kind{}
	for _, x := range list {
		if counts[x.Kind]++; counts[x.Kind] == 1 {
			order = append(order, x.Kind)
		}
	}
	words := make([]string, len(order))
	for i, k := range order {
		words[i] = fleet.Count(counts[k], string(k))
	}
	return strings.Join(words, ", ")
}

// blast is a Blast under way: the worlds before and after.
type blast struct {
	g             *Graph
	s             *fleet.Snapshot
	before, after *world
	out           Blast
	lost          []bool       // by device, with those that failed themselves
	touched       map[int]bool // devices that were looked at
	todo          []Part
	places        []Part // failed sites and regions
	single        bool   // instances are among what failed
}

// Blast tells what fails with parts that fail together.
func (g *Graph) Blast(s *fleet.Snapshot, parts ...Part) Blast {
	return newInquiry(g, s, s.At).blast(parts...)
}

// blast is Blast, with what is known already of who is dead.
func (q *inquiry) blast(parts ...Part) Blast {
	b := q.spreadFrom(parts)
	b.guests()
	b.out.Power, b.out.PDUs = b.moved()
	for _, list := range []*[]Loss{&b.out.Lost, &b.out.Degraded, &b.out.Unseen} {
		*list = sortLosses(*list)
	}
	return b.out
}

// spreadFrom follows a failure over everything that is plugged in.
func (q *inquiry) spreadFrom(parts []Part) *blast {
	g, s := q.g, q.s
	b := &blast{g: g, s: s, before: g.world(s, q, nil), after: g.world(s, q, parts), lost: make([]bool, len(g.devices)), touched: map[int]bool{}}
	b.out = Blast{Failed: []string{}, Already: []string{}, Lost: []Loss{}, Degraded: []Loss{}, Unseen: []Loss{}, Services: []Hit{}, Power: []Moved{}, PDUs: []Shift{}}
	for _, p := range parts {
		b.out.Failed = append(b.out.Failed, g.ID(s, p))
		if p.device() && !b.before.powered(p.N) || (p.Kind == Feed || p.Kind == Utility) && !b.before.fed(p.N) {
			b.out.Already = append(b.out.Already, g.ID(s, p))
		}
		b.single = b.single || p.Kind == Instance
		if p.Kind == Site || p.Kind == Region {
			b.places = append(b.places, p)
		}
	}
	b.seed(parts)
	b.spread()
	b.cut()
	return b
}

// ranks sort what is higher up first; what is none of them comes before.
var ranks = [...]Kind{Utility, UPS, Feed, PDU, Router, Switch, Server, Other, Host, Instance, Service}

// sortLosses sorts by kind and leaves those of one kind in their order. A region
// takes tens of thousands: each is moved once.
func sortLosses(list []Loss) []Loss {
	var at [len(ranks) + 2]int
	rank := make([]uint8, len(list))
	for i := range list {
		rank[i] = uint8(slices.Index(ranks[:], list[i].Kind) + 1)
		at[rank[i]+1]++
	}
	for k := 1; k < len(at); k++ {
		at[k] += at[k-1]
	}
	out := make([]Loss, len(list))
	for i, k := range rank {
		out[at[k]] = list[i]
		at[k]++
	}
	return out
}

// seed puts what failed at the head of the list. What stands in a failed place
// is lost with it and listed.
func (b *blast) seed(parts []Part) {
	named := map[Part]bool{}
	for _, p := range parts {
		named[p] = true
	}
	for i, dark := range b.after.dark {
		if p := b.g.feedAt(i); dark {
			if !named[p] && b.before.fed(i) {
				b.lose(p, "stands there")
			}
			b.todo = append(b.todo, p)
		}
	}
	for i, gone := range b.after.gone {
		if gone {
			p := b.g.deviceAt(b.s, i)
			b.lost[i], b.touched[i] = true, true
			if !named[p] && b.before.powered(i) {
				b.lose(p, "stands there")
			}
			b.todo = append(b.todo, p)
		}
	}
	for _, p := range b.after.order {
		if p.on() {
			b.todo = append(b.todo, p)
		}
	}
}

func (b *blast) lose(p Part, format string, args ...any) {
	b.out.Lost = append(b.out.Lost, Loss{b.g.ID(b.s, p), p.Kind, fmt.Sprintf(format, args...)})
}

// spread follows the power down from what failed.
func (b *blast) spread() {
	for len(b.todo) > 0 {
		p := b.todo[0]
		b.todo = b.todo[1:]
		switch {
		case p.Kind == Feed || p.Kind == Utility:
			for _, n := range b.g.feeds[p.N].feeds {
				b.feed(n, p)
			}
			for _, n := range b.g.feeds[p.N].devices {
				b.power(n, "no input from feed "+b.s.Feeds.ID(p.N))
			}
		case p.Kind == PSU:
			b.power(p.N, "")
		case p.Kind == Outlet:
			no := outletNo(p.Name)
			for _, e := range b.g.devices[p.N].feeds {
				if b.g.devices[e.device].cords[e.k].outlet == no {
					b.power(e.device, "")
				}
			}
		case p.device():
			for _, n := range b.g.devices[p.N].lines {
				b.feed(n, p)
			}
			for _, e := range b.g.devices[p.N].feeds {
				b.power(e.device, "")
			}
		}
	}
}

func (b *blast) feed(n int, above Part) {
	if b.before.fed(n) && !b.after.fed(n) && !b.after.dark[n] {
		b.after.dark[n] = true // told once
		p := b.g.feedAt(n)
		b.lose(p, "no input from %s", b.g.ID(b.s, above))
		b.todo = append(b.todo, p)
	}
}

// power looks at a device whose power changed above it. Once is enough: the
// world after has everything in it that failed.
func (b *blast) power(n int, why string) {
	if b.touched[n] || !b.before.powered(n) {
		return
	}
	b.touched[n] = true
	p := b.g.deviceAt(b.s, n)
	was, left := b.before.cords(n), b.after.cords(n)
	switch {
	case !b.after.powered(n):
		if why == "" {
			if why = "no power: " + all(was, "cord"); was == 1 && len(b.g.devices[n].cords) > 1 {
				why = "no power: the last of its cords is dead"
			}
		}
		b.lost[n] = true
		b.lose(p, "%s", why)
		b.todo = append(b.todo, p)
	case was > 1 && left == 1:
		b.degrade(p, "power: 1 of %d cords left", was)
	}
}

func all(n int, what string) string {
	if n == 1 {
		return "its only " + what + " is dead"
	}
	return fmt.Sprintf("all of its %d %ss are dead", n, what)
}

func (b *blast) degrade(p Part, format string, args ...any) {
	b.out.Degraded = append(b.out.Degraded, Loss{b.g.ID(b.s, p), p.Kind, fmt.Sprintf(format, args...)})
}

// cut follows the network down: from every switch that the edge does not reach
// any more, and from every port that failed.
func (b *blast) cut() {
	b.before.walk()
	b.after.walk()
	near := map[int]bool{}
	for _, n := range b.g.nets {
		was, is := b.before.linked[n], b.after.linked[n]
		if was && !is {
			if !b.lost[n] {
				b.lost[n] = true
				b.lose(b.g.deviceAt(b.s, n), "cut off: no way to the edge of its region")
			}
			for _, e := range b.g.devices[n].ends {
				near[e.device] = true
			}
		}
	}
	for p := range b.after.failed {
		switch p.Kind {
		case Port:
			for _, e := range b.g.devices[p.N].ends {
				if b.g.portOf(e) == p.Name {
					near[e.device] = true
				}
			}
			near[p.N] = true
		case NIC, BMC:
			near[p.N] = true
		}
	}
	for _, n := range sorted(near) {
		b.reach(n)
	}
}

func sorted(set map[int]bool) []int {
	list := make([]int, 0, len(set))
	for n := range set {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// reach looks at a device whose way to the edge changed.
func (b *blast) reach(n int) {
	if b.lost[n] || !b.before.powered(n) {
		return
	}
	p := b.g.deviceAt(b.s, n)
	if b.g.carries(n) {
		if was, left := b.before.uplinks(n), b.after.uplinks(n); was > 1 && left == 1 {
			b.degrade(p, "network: 1 of %d uplinks left", was)
		}
		return
	}
	switch was, left := b.before.paths(n), b.after.paths(n); {
	case was > 0 && left == 0:
		why := all(was, "cable")
		if was == 1 && b.before.count(n, func(c *cableNode) bool { return !c.management }) > 1 {
			why = "the last of its cables is dead"
		}
		b.lost[n] = true
		b.lose(p, "cut off: %s", why)
		return
	case was > 1 && left == 1:
		b.degrade(p, "network: 1 of %d cables left", was)
	}
	if b.before.sight(n) && !b.after.sight(n) {
		b.out.Unseen = append(b.out.Unseen, Loss{b.s.Devices.ID(n), BMC, "its management address is cut off"})
	}
}
