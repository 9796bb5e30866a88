package drift

import (
	"math"

	"plumb/fleet"
)

const (
	// crossedHours is how many hours show that cords are crossed, straightHours that
	// they are not: they are believed to hang as intended. What is left one way must
	// be clearTimes what is left the other.
	crossedHours  = 8
	straightHours = 4
	clearTimes    = 8

	// leastW and leastShare are what means must move by to tell anything, as a
	// standard deviation.
	leastW     = 1
	leastShare = 0.01
)

// hang is how the cords of two outlets hang, by the last of their hours: as many
// as it takes to be clear.
func hang(a, b *fleet.CordLine) (crossed, known bool) {
	var own, far [2]bond
	n, stir, watts := 0, 0.0, 0.0
	for back := 1; back <= min(len(a.Hours), len(b.Hours)); back++ {
		x, y := &a.Hours[len(a.Hours)-back], &b.Hours[len(b.Hours)-back]
		if x.Gives == 0 || y.Gives == 0 {
			continue
		}
		n++
		own[0].add(x.Gives, x.Draws)
		own[1].add(y.Gives, y.Draws)
		far[0].add(x.Gives, y.Draws)
		far[1].add(y.Gives, x.Draws)
		stir += float64(x.Stir + y.Stir)
		watts = max(watts, float64(x.Gives), float64(y.Gives))
		least := max(leastW, leastShare*watts)
		moved := max(2*least*least*float64(n-1), stir/2)
		// clear: what is taken for true leaves little, and nothing that is said
		// instead, be it a meter that is off or an uneven share, does.
		clear := func(is, not *[2]bond) bool {
			return not[0].bent()+not[1].bent() >= max(moved, clearTimes*(is[0].left()+is[1].left()))
		}
		switch {
		case n == 1 && apart(x, y), n >= straightHours && clear(&own, &far):
			return false, true
		case n >= crossedHours && clear(&far, &own) && fits(far[0].apart(), watts) && fits(far[1].apart(), watts):
			return true, true
		}
	}
	return false, false
}

// apart reports whether one hour's levels show that cords hang as intended: each
// outlet gives what its own supply draws, and neither what the other one's does.
func apart(x, y *fleet.CordHour) bool {
	watts := float64(max(x.Gives, y.Gives))
	like := func(gives, draws float32) bool { return fits(float64(gives-draws), watts) }
	return like(x.Gives, x.Draws) && like(y.Gives, y.Draws) && !like(x.Gives, y.Draws) && !like(y.Gives, x.Draws)
}

// Two meters agree within a tenth or ten watts: they are good to a few percent
// each.
const (
	meterShare = 0.1
	meterW     = 10
)

func fits(rest, watts float64) bool { return math.Abs(rest) <= max(meterW, meterShare*watts) }

// bond sums up how what an outlet gives goes with what a supply draws: means and
// squares of what both are off them (Welford 1962).
type bond struct{ n, gives, draws, gg, dd, gd float64 }

func (b *bond) add(gives, draws float32) {
	b.n++
	g, d := float64(gives)-b.gives, float64(draws)-b.draws
	b.gives += g / b.n
	b.draws += d / b.n
	keep := (b.n - 1) / b.n
	b.gg += g * g * keep
	b.dd += d * d * keep
	b.gd += g * d * keep
}

// apart is by how much the outlet gives more.
func (b *bond) apart() float64 { return b.gives - b.draws }

// left are the squares of what is left when both move alike, and bent when one moves
// by any share of the other.
func (b *bond) left() float64 { return b.gg - 2*b.gd + b.dd }

func (b *bond) bent() float64 {
	if b.dd == 0 {
		return b.gg
	}
	return b.gg - b.gd*b.gd/b.dd
}
