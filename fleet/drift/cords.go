package drift

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// Cord is an outlet with the power supply that is meant to hang on it: what
// each of the two measures, in W.
type Cord struct {
	Outlet       int
	Gives, Draws float64
}

// Two meters agree within a tenth or ten watts: they are read minutes apart and
// are good to a few percent each. Below idleW there is nothing to compare.
const (
	meterShare = 0.1
	meterW     = 10
	idleW      = 20
)

func (c *Cord) fits(draws float64) bool {
	return math.Abs(c.Gives-draws) <= max(meterW, meterShare*max(c.Gives, draws))
}

// CordFacet is the facet of an outlet's cord.
func CordFacet(outlet int) string { return "outlet " + strconv.Itoa(outlet) + " cord" }

// cords are outlets whose watts move with another supply than what is meant to
// hang there.
func (j *judge) cords() {
	d := j.Device
	readable := j.Readable(fleet.TableOutlets)
	pairs := map[int]*fleet.Crossing{} // by outlet; a pair that is sure counts
	for i := range d.Crossings {
		x := &d.Crossings[i]
		for _, outlet := range [...]int{x.A, x.B} {
			if y := pairs[outlet]; x.Known && (y == nil || x.Sure) {
				pairs[outlet] = x
			}
		}
	}
	for _, outlet := range slices.Sorted(maps.Keys(pairs)) {
		j.cord(outlet, pairs[outlet], readable)
	}
	for facet := range j.was { // after a start nothing was compared yet
		if strings.HasPrefix(facet, "outlet ") {
			j.look(facet, false, nil)
		}
	}
}

func (j *judge) cord(outlet int, x *fleet.Crossing, readable bool) {
	facet := CordFacet(outlet)
	if !readable || !x.Sure {
		j.look(facet, readable, nil)
		return
	}
	meant, is := j.End(j.Corded(outlet)), j.End(j.Corded(x.A+x.B-outlet))
	j.look(facet, true, &fleet.Finding{Facet: facet, Kind: fleet.FindCabling, Class: fleet.ClassMoved, Observed: is, Severity: fleet.SeverityWarn, Confidence: fleet.ConfidenceMedium,
		Baselines: []fleet.Baseline{{Name: fleet.BaseIntended, Expected: meant}}, Evidence: "watts of " + j.Device.Spec.ID + " and of the supplies",
		Text: fmt.Sprintf("outlet %d gives what %s draws, intended %s: the cords of outlets %d and %d have changed places", outlet, is, meant, x.A, x.B)})
}
