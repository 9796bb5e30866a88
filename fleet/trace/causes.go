package trace

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"plumb/fleet"
)

// Cause is a part that explains what is wrong, and how that is known.
type Cause struct {
	ID         string           `json:"part"`
	Kind       Kind             `json:"kind"`
	State      fleet.State      `json:"state"`
	Explains   []string         `json:"explains"` // ids, its own among them where it is a symptom itself
	Share      float64          `json:"share"`    // of all current symptoms, 0 to 1
	Evidence   []string         `json:"evidence"`
	Confidence fleet.Confidence `json:"confidence"`
	Since      time.Time        `json:"since,omitzero"` // zero: not known
	Also       []Loss           `json:"also"`           // what else it takes, or leaves on its last path
	LastPath   int              `json:"last_path"`      // machines that it explains and that stand on the last of several ways
	Proven     bool             `json:"-"`              // others show that it is dead, whatever it says itself
	Hangs      string           `json:"-"`              // of a supply whose cord is in another one's outlet: the PDU where it must be
	Swapped    bool             `json:"-"`              // a port whose cable changed places with another one's
	Symptoms   []Symptom        `json:"-"`              // what it explains of each
}

// Symptom is one thing that is wrong: which part of the graph, and what of it,
// in the words of a device's About; "feed", "path", "guest" and "health" are of others.
type Symptom struct{ ID, About string }

// maxAlso bounds how many causes are asked what else they would take: each costs
// a walk over the fleet, and the worst come first.
const maxAlso = 16

// Causes lists a small set of parts that explains everything wrong in a
// snapshot, what explains most first. Nothing wrong has no cause.
//
// The smallest set is the minimum set cover, which is NP-hard. The greedy one
// is at most ln(n)+1 times as large (Chvatal 1979), and what people check first
// is what explains most anyway.
func Causes(s *fleet.Snapshot, now time.Time) []Cause { return Build(s).Causes(s, now) }

// Causes is the function of the same name, on a graph that is there already.
func (g *Graph) Causes(s *fleet.Snapshot, now time.Time) []Cause {
	q := newInquiry(g, s, now)
	symptoms := q.symptoms()
	out, present := []Cause{}, &Now{g.world(s, q, nil)}
	for _, c := range q.cover(symptoms) {
		cause := q.cause(c, symptoms)
		cause.Also = []Loss{}
		if len(out) < maxAlso {
			cause.Also = q.also(c.part, cause.Explains)
			cause.LastPath = onLast(present, c, symptoms)
		}
		out = append(out, cause)
	}
	return out
}

// onLast counts the devices among what a claim explains that have one way left
// of several.
func onLast(now *Now, c *claim, symptoms []symptom) (n int) {
	seen := map[Part]bool{}
	for _, i := range c.symptoms {
		p := symptoms[i].part
		if seen[p] {
			continue
		}
		seen[p] = true
		if slices.ContainsFunc(now.Ways(p), func(w Ways) bool { return w.Left == 1 && w.All > 1 }) {
			n++
		}
	}
	return n
}

// candidates are the parts that may be behind a symptom: no part that is seen
// at work, and nothing but the parts above where one of them is shown dead.
func (q *inquiry) candidates(x *symptom) []Part {
	above := slices.DeleteFunc(slices.Clone(x.above), func(p Part) bool { return q.standing(p) == cleared })
	if slices.ContainsFunc(above, q.guilty) {
		return above
	}
	return join(slices.Clone(x.own), above)
}

// claim is a part with the symptoms that it would explain.
type claim struct {
	part     Part
	id       string
	proven   bool
	weight   int // of those nobody else explained yet
	symptoms []int
}

// claims is a heap, the strongest first: what explains most; on a tie what is
// shown to be dead, then the lowest.
type claims []*claim

func (h claims) Len() int      { return len(h) }
func (h claims) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *claims) Push(x any)   { *h = append(*h, x.(*claim)) }
func (h *claims) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

func (h claims) Less(i, j int) bool {
	a, b := h[i], h[j]
	switch {
	case a.weight != b.weight:
		return a.weight > b.weight
	case a.proven != b.proven:
		return a.proven
	}
	return cmp.Or(cmp.Compare(depth(b.part.Kind), depth(a.part.Kind)), cmp.Compare(a.id, b.id)) < 0
}

// depth tells what is lower: the more depends on a part, the more must speak
// against it.
func depth(k Kind) int {
	return slices.Index([]Kind{Region, Site, Utility, UPS, Feed, Cloud, Rack, PDU, Router, Switch, Outlet, Server, Other, Host, PSU, Port, NIC, BMC, Service, Instance}, k)
}

// cover takes the strongest claim until every symptom is explained. Claims only
// get weaker, so one that still leads after it was counted again does lead.
func (q *inquiry) cover(symptoms []symptom) (out []*claim) {
	open := q.claims(symptoms)
	heap.Init(&open)
	explained := make([]bool, len(symptoms))
	for len(open) > 0 {
		c := open[0]
		c.symptoms = slices.DeleteFunc(c.symptoms, func(i int) bool { return explained[i] })
		weight := 0
		for _, i := range c.symptoms {
			weight += symptoms[i].weight
		}
		switch {
		case weight == 0:
			heap.Pop(&open)
		case weight < c.weight:
			c.weight = weight
			heap.Fix(&open, 0)
		default:
			heap.Pop(&open)
			out = append(out, c)
			for _, i := range c.symptoms {
				explained[i] = true
			}
		}
	}
	return out
}

func (q *inquiry) claims(symptoms []symptom) (out claims) {
	by := map[Part]*claim{}
	for i := range symptoms {
		for _, p := range q.candidates(&symptoms[i]) {
			c := by[p]
			if c == nil {
				c = &claim{part: p, id: q.g.ID(q.s, p), proven: q.guilty(p)}
				by[p] = c
				out = append(out, c)
			}
			c.weight += symptoms[i].weight
			c.symptoms = append(c.symptoms, i)
		}
	}
	return out
}

// cause words a claim.
func (q *inquiry) cause(c *claim, symptoms []symptom) Cause {
	x := Cause{ID: c.id, Kind: c.part.Kind, State: q.g.State(q.s, c.part), Proven: c.proven, Explains: []string{}, Share: float64(len(c.symptoms)) / float64(len(symptoms))}
	have, silent := map[Part]bool{}, 0
	_, swapped := q.swapped(c.part)
	for _, i := range c.symptoms {
		y := &symptoms[i]
		if y.silence {
			silent++
		}
		x.Symptoms = append(x.Symptoms, Symptom{q.g.ID(q.s, y.part), y.about})
		if !have[y.part] {
			have[y.part] = true
			x.Explains = append(x.Explains, q.g.ID(q.s, y.part))
		}
	}
	mute := silent == len(c.symptoms) && !c.proven
	x.Evidence = q.evidence(c, symptoms, mute, len(x.Explains))
	switch {
	case mute:
		x.Confidence = fleet.ConfidenceLow
	case c.proven || swapped || slices.ContainsFunc(c.symptoms, func(i int) bool { return symptoms[i].tells(c.part) }):
		x.Confidence = fleet.ConfidenceHigh // shown by others, by both ends, or its own word
	case len(c.symptoms) > 1 || c.part.on():
		x.Confidence = fleet.ConfidenceMedium
	}
	x.Since = q.began(c.part, x.Explains)
	x.Swapped = swapped
	if c.part.Kind == PSU {
		x.Hangs = q.hangs(c.part)
	}
	return x
}

// also is what else a cause takes with it, beside what it explains.
func (q *inquiry) also(p Part, explains []string) []Loss {
	if depth(p.Kind) < depth(Utility) || slices.Contains([]Kind{Rack, Cloud, Service}, p.Kind) {
		return []Loss{} // warm air and a lost path take nothing
	}
	known := make(map[string]bool, len(explains))
	for _, id := range explains {
		known[id] = true
	}
	b := q.blast(p)
	return slices.DeleteFunc(slices.Concat(b.Lost, b.Degraded), func(l Loss) bool { return known[l.ID] })
}
