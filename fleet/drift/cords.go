package drift

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// Cord is an outlet with the power supply that is meant to hang on it: what
// each of the two measures, in W.
type Cord struct {
	Outlet       int
	Supply       string // "s03 PSU 1"
	Gives, Draws float64
}

// idleW is what there must be to compare.
const idleW = 20

// CordFacet is the facet of an outlet's cord.
func CordFacet(outlet int) string { return "outlet " + strconv.Itoa(outlet) + " cord" }

// cordOutlet is the outlet of such a facet.
func cordOutlet(facet string) (outlet int, ok bool) {
	n, isOutlet := strings.CutPrefix(facet, "outlet ")
	n, isCord := strings.CutSuffix(n, " cord")
	outlet, err := strconv.Atoi(n)
	return outlet, isOutlet && isCord && err == nil
}

// cordMeant is the supply that a finding says is meant to hang on its outlet.
func cordMeant(f *fleet.Finding) string {
	for _, b := range f.Baselines {
		if b.Name == fleet.BaseIntended {
			return b.Expected
		}
	}
	return ""
}

// Recalled are the pairs of outlets that the findings kept of a PDU say have
// changed places, for [Cross] to go on with: of cords that are put right while
// nobody looks it would else never be known.
func Recalled(d *fleet.Docket) (pairs []fleet.Crossing) {
	list := d.Of()
	for i := range list {
		a, ok := cordOutlet(list[i].Facet)
		if !ok {
			continue
		}
		for k := range list {
			b, ok := cordOutlet(list[k].Facet)
			meant := [2]string{cordMeant(&list[i]), cordMeant(&list[k])}
			if ok && a < b && meant == [2]string{list[k].Observed, list[i].Observed} {
				pairs = append(pairs, fleet.Crossing{A: a, B: b, Meant: meant, Since: list[i].Since, Sure: true})
			}
		}
	}
	return pairs
}

// cords are outlets whose watts move with another supply than what is meant to
// hang there.
func (j *judge) cords() {
	d := j.Device
	readable := j.Readable(fleet.TableOutlets)
	meant := func(outlet int) string { return j.End(j.Corded(outlet)) }
	pairs := map[int]*fleet.Crossing{} // by outlet; a pair that is sure counts
	for i := range d.Crossings {
		x := &d.Crossings[i]
		if x.Meant != [2]string{meant(x.A), meant(x.B)} {
			continue
		}
		for _, outlet := range [...]int{x.A, x.B} {
			if y := pairs[outlet]; y == nil || x.Sure {
				pairs[outlet] = x
			}
		}
	}
	for _, outlet := range slices.Sorted(maps.Keys(pairs)) {
		j.cord(outlet, pairs[outlet], readable)
	}
	for _, f := range d.Docket.Of() { // what was not compared stays, or is moot: the inventory has another supply there
		if outlet, ok := cordOutlet(f.Facet); ok && j.was[f.Facet] {
			j.look(f.Facet, cordMeant(&f) != meant(outlet), nil)
		}
	}
}

func (j *judge) cord(outlet int, x *fleet.Crossing, readable bool) {
	facet := CordFacet(outlet)
	if !readable || !x.Sure {
		j.look(facet, readable, nil)
		return
	}
	meant, is := x.Meant[0], x.Meant[1]
	if outlet == x.B {
		meant, is = is, meant
	}
	j.look(facet, true, &fleet.Finding{Facet: facet, Kind: fleet.FindCabling, Class: fleet.ClassMoved, Observed: is, Severity: fleet.SeverityWarn, Confidence: fleet.ConfidenceMedium,
		Baselines: []fleet.Baseline{{Name: fleet.BaseIntended, Expected: meant}}, Evidence: "watts of " + j.Device.Spec.ID + " and of the supplies",
		Text: fmt.Sprintf("outlet %d gives what %s draws, intended %s: the cords of outlets %d and %d have changed places", outlet, is, meant, x.A, x.B)})
}
