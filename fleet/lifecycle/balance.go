package lifecycle

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/capacity"
)

// How far one side may be from the other, as a share of both. One that was
// found stays found until it is clearly better.
const (
	lopsided  = 0.20
	balanced  = 0.15
	leastLoad = 500 // W: below it a share says nothing
)

// side is one feed of a rack, or one feed of a pair, with its watts.
type side struct {
	name  string
	watts float64
}

// balances looks at racks, at pairs of feeds, and at the phases of UPSes.
func (v *survey) balances() {
	pairs, order := map[[2]string]*pair{}, [][2]string{}
	for n := range v.s.Racks.Len() {
		r := v.s.Racks.At(n)
		t := Target{ID: r.Spec.ID}
		if a, b, ok := sides(r.Spec.Feeds); ok {
			p := [2]string{a, b}
			if pairs[p] == nil {
				pairs[p], order = &pair{known: true, sides: [2]side{{name: a}, {name: b}}}, append(order, p)
			}
			list, known := v.rackSides(n, a, b)
			t.Looks = append(t.Looks, v.lean("", r.Docket, list, known)...)
			pairs[p].add(list, known)
		}
		v.targets = append(v.targets, t)
	}
	looks := map[string][]fleet.Look{} // by feed: the first of a pair speaks for both
	for _, p := range order {
		a, b := v.s.Feeds.Get(p[0]), v.s.Feeds.Get(p[1])
		if a == nil || b == nil {
			continue
		}
		known := pairs[p].known && sound(a) && sound(b)
		looks[p[0]] = append(looks[p[0]], v.lean(" with "+p[1], a.Docket, pairs[p].sides, known)...)
	}
	v.phases(looks)
	for id := range v.s.Feeds.All() {
		v.targets = append(v.targets, Target{ID: id, Looks: looks[id]})
	}
}

// pair is two feeds with what their racks take from each. Where one rack cannot
// be told the pair cannot.
type pair struct {
	sides [2]side
	known bool
}

func (p *pair) add(list [2]side, known bool) {
	p.known = p.known && known
	for k := range list {
		p.sides[k].watts += list[k].watts
	}
}

func sound(f *fleet.Feed) bool { return f.State != fleet.StateCrit && len(f.Reasons) == 0 }

// sides are the two feeds of a rack that is redundant.
func sides(feeds []string) (a, b string, ok bool) {
	list := slices.Compact(slices.Sorted(slices.Values(feeds)))
	if len(list) != 2 {
		return "", "", false
	}
	return list[0], list[1], true
}

// agree is how far the machines and the PDUs of a rack may be apart: switches
// do not say what they take, and supplies lose some.
const agree = 0.20

// rackSides sums up the PDUs of a rack by their feed. Where one of them is not
// in order or not read the sums say nothing: what is wrong is said elsewhere.
// So where they are not what the machines say that they take: one side was read
// before a failure, and the other after it.
func (v *survey) rackSides(n int, a, b string) (list [2]side, known bool) {
	list = [2]side{{name: a}, {name: b}}
	seen := [2]bool{}
	both := false // something stands on both sides
	machines := 0.0
	for _, i := range v.s.DevicesOf[v.s.Racks.ID(n)] {
		d := v.s.Devices.At(i)
		if d.Spec.Kind != fleet.KindPDU {
			both = both || len(d.Spec.Power) > 1
			if d.Spec.Kind == fleet.KindServer {
				if !d.PowerW.Known || d.Blind() {
					return list, false
				}
				machines += d.PowerW.Float()
			}
			continue
		}
		for k, name := range [2]string{a, b} {
			if d.Spec.Feed != name {
				continue
			}
			if !d.PowerW.Known || d.Blind() || d.State != fleet.StateOK {
				return list, false
			}
			list[k].watts += d.PowerW.Float()
			seen[k] = true
		}
	}
	sum := list[0].watts + list[1].watts
	return list, both && seen[0] && seen[1] && math.Abs(sum-machines) <= agree*sum
}

// lean says whether one side carries more than its share.
func (v *survey) lean(what string, was *fleet.Docket, list [2]side, known bool) []fleet.Look {
	facet := Balance + what
	sum := list[0].watts + list[1].watts
	if !known || sum < leastLoad {
		v.blind(Balance, 1)
		return []fleet.Look{{Facet: facet}}
	}
	full, other := list[0], list[1]
	if other.watts > full.watts {
		full, other = other, full
	}
	off := (full.watts - other.watts) / sum
	if off <= limitOf(was, facet) {
		v.pass(Balance, 1)
		return []fleet.Look{{Facet: facet, Known: true}}
	}
	f := finding(Balance, full.name+" carries more", fmt.Sprintf("%s carries about %d%% of both sides, %s the rest", full.name, share(full.watts, sum), other.name))
	f.Fix = fmt.Sprintf("move about %s of cords from %s to %s: that much room more on the fuller side", kilo((full.watts-other.watts)/2), full.name, other.name)
	return []fleet.Look{{Facet: facet, Known: true, Found: f}}
}

// limitOf is the lower one for what was found before.
func limitOf(was *fleet.Docket, facet string) float64 {
	if slices.ContainsFunc(was.Of(), func(f fleet.Finding) bool { return f.Facet == facet }) {
		return balanced
	}
	return lopsided
}

// share is a percentage in steps of five: a text that moves with every reading
// is news each time.
func share(part, sum float64) int { return int(math.Round(part/sum*20)) * 5 }

// phases looks at the UPSes that measure their three phases. What is found
// stands against the feed that it carries: the feed is where cords are moved.
func (v *survey) phases(looks map[string][]fleet.Look) {
	for id, f := range v.s.Feeds.All() {
		ups := v.s.Devices.Get(f.Spec.Parent)
		if ups == nil || ups.Spec.Kind != fleet.KindUPS {
			continue
		}
		w := capacity.Outputs(ups)
		sum := w[0] + w[1] + w[2]
		if sum == 0 || ups.Blind() {
			v.blind(Balance, 1)
			if sum > 0 {
				looks[id] = append(looks[id], fleet.Look{Facet: Balance + " phases"})
			}
			continue
		}
		facet := Balance + " phases"
		high, low := slices.Max(w[:]), slices.Min(w[:])
		if sum < leastLoad || (high-low)/sum <= limitOf(f.Docket, facet) {
			v.pass(Balance, 1)
			looks[id] = append(looks[id], fleet.Look{Facet: facet, Known: true})
			continue
		}
		x := finding(Balance, fmt.Sprintf("phase %d carries most", slices.Index(w[:], high)+1), "")
		words := make([]string, len(w))
		for k := range w {
			words[k] = fmt.Sprintf("L%d %d%%", k+1, share(w[k], sum))
		}
		x.Text = ups.Spec.ID + " is out of balance: " + strings.Join(words, ", ")
		x.Fix = fmt.Sprintf("move about %s from phase %d to phase %d", kilo((high-low)/2), slices.Index(w[:], high)+1, slices.Index(w[:], low)+1)
		looks[id] = append(looks[id], fleet.Look{Facet: facet, Known: true, Found: x})
	}
}
