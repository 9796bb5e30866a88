package drift

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

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

// How often in a row, and for how long, two outlets must feed each other's
// supplies before their cords are said to have changed places: loads that cross
// once are no cords that do.
const (
	crossedPolls = 6
	crossedFor   = time.Hour
)

func (c *Cord) fits(draws float64) bool {
	return math.Abs(c.Gives-draws) <= max(meterW, meterShare*max(c.Gives, draws))
}

// Cross follows pairs of outlets of one PDU that feed each other's supplies,
// from one poll to the next. Where the four numbers are alike nothing is
// learned. A pair that fits the inventory again as often is known to be
// straight and is kept as such, so that what was found of it can end.
func Cross(was []fleet.Crossing, cords []Cord, at time.Time) []fleet.Crossing {
	cords = slices.DeleteFunc(slices.Clone(cords), func(c Cord) bool { return math.IsNaN(c.Gives+c.Draws) || c.Gives < idleW || c.Draws < idleW })
	next := slices.Clone(was)
	for i := range cords {
		for k := i + 1; k < len(cords); k++ {
			a, b := &cords[i], &cords[k]
			own, other := a.fits(a.Draws) || b.fits(b.Draws), a.fits(b.Draws) || b.fits(a.Draws)
			crossed := a.fits(b.Draws) && b.fits(a.Draws) && !own
			straight := a.fits(a.Draws) && b.fits(b.Draws) && !other
			if crossed == straight {
				continue
			}
			n := slices.IndexFunc(next, func(x fleet.Crossing) bool { return x.A == a.Outlet && x.B == b.Outlet })
			switch {
			case n < 0 && straight:
				continue
			case n < 0:
				n = len(next)
				next = append(next, fleet.Crossing{A: a.Outlet, B: b.Outlet})
			}
			x := &next[n]
			if x.Crossed != crossed || x.Polls == 0 {
				x.Crossed, x.Since, x.Polls = crossed, at, 0
			}
			x.Polls++
			if x.Polls >= crossedPolls && at.Sub(x.Since) >= crossedFor {
				x.Sure, x.Known = x.Crossed, true
			}
		}
	}
	return slices.DeleteFunc(next, func(x fleet.Crossing) bool { return !x.Crossed && !x.Known })
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
