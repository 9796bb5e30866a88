package trace

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"strings"
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
}

// maxAlso bounds how many causes are asked what else they would take: each costs
// a walk over the fleet, and the worst come first.
const maxAlso = 16

// maxEvidence bounds what a cause quotes of its own reasons.
const maxEvidence = 4

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
	out := []Cause{}
	for _, c := range q.cover(symptoms) {
		cause := q.cause(c, symptoms)
		cause.Also = []Loss{}
		if len(out) < maxAlso {
			cause.Also = q.also(c.part, cause.Explains)
		}
		out = append(out, cause)
	}
	return out
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
	x := Cause{ID: c.id, Kind: c.part.Kind, State: q.g.State(q.s, c.part), Explains: []string{}, Share: float64(len(c.symptoms)) / float64(len(symptoms))}
	have, silent := map[Part]bool{}, 0
	for _, i := range c.symptoms {
		y := &symptoms[i]
		if y.silence {
			silent++
		}
		if !have[y.part] {
			have[y.part] = true
			x.Explains = append(x.Explains, q.g.ID(q.s, y.part))
		}
	}
	mute := silent == len(c.symptoms) && !c.proven
	x.Evidence = q.evidence(c, mute, len(x.Explains))
	switch {
	case mute:
		x.Confidence = fleet.ConfidenceLow
	case c.proven || slices.ContainsFunc(c.symptoms, func(i int) bool { return symptoms[i].tells(c.part) }):
		x.Confidence = fleet.ConfidenceHigh // shown by others, or its own word
	case len(c.symptoms) > 1 || c.part.on():
		x.Confidence = fleet.ConfidenceMedium
	}
	x.Since = q.since(c.part)
	return x
}

// evidence says in words why a part is named. Silence alone shows a lost path
// and no dead part.
func (q *inquiry) evidence(c *claim, mute bool, explains int) []string {
	out := []string{}
	if mute {
		out = append(out, fmt.Sprintf("path lost: %s silent, and nothing shows that a part is dead", count(explains, "part")))
	}
	for _, text := range q.reasons(c.part) {
		if len(out) < maxEvidence {
			out = append(out, text)
		}
	}
	if c.part.Kind == PDU {
		if lost, fed := q.supplyVotes(c.part.N); lost > 0 {
			out = append(out, fmt.Sprintf("%d of %s on it without input", lost, count(lost+fed, "power supply")))
		}
	}
	if c.part.Kind == Feed || c.part.Kind == Utility {
		if lost, fed := q.feedVotes(c.part.N); lost > 0 {
			out = append(out, fmt.Sprintf("%d of %s on it dead", lost, count(lost+fed, "part")))
		}
	}
	if len(out) == 0 {
		out = append(out, fmt.Sprintf("common to %s", count(explains, "part")))
	}
	return out
}

func count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(what, "y"))
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// reasons are what the engine says of a part, or of the device it is on.
func (q *inquiry) reasons(p Part) []string {
	switch p.Kind {
	case Feed, Utility:
		return q.s.Feeds.At(p.N).Reasons
	case Site:
		return q.s.Sites.At(p.N).Reasons
	case Rack:
		return q.s.Racks.At(p.N).Reasons
	case Cloud:
		return q.s.Clouds.At(p.N).Reasons
	case Instance:
		return q.s.Instances.At(p.N).Reasons
	case Service:
		return q.s.Services.At(p.N).Reasons
	case Host, Region:
		return nil
	}
	d := q.s.Devices.At(p.N)
	if !p.on() || p.Kind == BMC {
		return d.Reasons
	}
	var out []string
	for i, about := range d.About {
		if what, name, ok := strings.Cut(about, " "); ok && (name == p.Name || what == "PSU" && psuName(name) == p.Name) && i < len(d.Reasons) {
			out = append(out, d.Reasons[i])
		}
	}
	return out
}

// since is when a part went wrong, as well as it is known: a state has no
// date, so it is when silence or the present power began, else the last event
// that says so.
func (q *inquiry) since(p Part) time.Time {
	if p.Kind == Site {
		return q.s.Sites.At(p.N).SilentSince
	}
	target := q.g.ID(q.s, p)
	if p.device() || p.on() {
		d := q.s.Devices.At(p.N)
		target = d.Spec.ID
		switch {
		case p.on() && p.Kind != BMC: // what the device says of itself tells nothing of the piece
		case d.Blind():
			return d.BlindSince
		case d.Power == fleet.PowerOff:
			return d.PowerSince
		}
	}
	name := p.Name
	if p.Kind == PSU { // as events call it
		name = "PSU " + strings.TrimPrefix(name, "psu")
	}
	for _, e := range q.s.Recent {
		if e.Target == target && e.Asserted && (!p.on() || strings.Contains(e.Text, name)) {
			return e.At
		}
	}
	return time.Time{}
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
	b := q.g.Blast(q.s, p)
	return slices.DeleteFunc(slices.Concat(b.Lost, b.Degraded), func(l Loss) bool { return known[l.ID] })
}
