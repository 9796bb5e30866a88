package drift

import (
	"math"
	"slices"
	"time"

	"plumb/fleet"
)

// Two cords that changed places are found by how watts move from hour to hour:
// whatever hangs on an outlet, what the outlet gives moves as that supply draws. A
// pair is crossed where the hours leave the same between the two meters when the
// supplies are taken crosswise, and leave much more when they are taken as intended,
// even if an outlet's watts might move by any share of its supply's. Levels tell
// less: meters are off by a few percent, supplies of one machine share unevenly, and
// machines of one role draw alike.
//
// The means of hours are compared, not polls, because the two meters are read minutes
// apart. Noise from poll to poll, which stir measures, moves the mean of at least
// hourLooks polls by a twelfth of its variance, and half of it is asked for: so what
// comes and goes between two polls, and may seem to move the other way, is not enough.
// Two machines that work by turns and keep step with the polls for hours can still
// deceive it, where both follow the day too.
const (
	hourLooks = 12
	cordLooks = 6 // of them a cord must have been seen in
	cordHours = 24

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

// Cross follows what the outlets of a PDU give and what the supplies draw, from one
// poll to the next, and the pairs of outlets whose cords changed places. A pair that
// is as intended again is kept as such, so that what was found of it can end. What
// was learned of a pair is forgotten when other supplies are meant to hang there.
func Cross(past *fleet.CordPast, pairs []fleet.Crossing, cords []Cord, at time.Time) (*fleet.CordPast, []fleet.Crossing) {
	pairs = slices.DeleteFunc(slices.Clone(pairs), func(x fleet.Crossing) bool {
		return slices.ContainsFunc(cords, func(c Cord) bool { return other(&x, &c) })
	})
	next := &fleet.CordPast{Began: at}
	if past != nil && !at.Before(past.Began) {
		*next = *past
	}
	next.Lines = slices.DeleteFunc(slices.Clone(next.Lines), func(x fleet.CordLine) bool {
		return slices.ContainsFunc(cords, func(c Cord) bool { return x.Outlet == c.Outlet && x.Supply != c.Supply })
	})
	if next.Looks >= hourLooks && at.Sub(next.Began) >= time.Hour {
		for i := range next.Lines {
			next.Lines[i] = over(next.Lines[i])
		}
		pairs = verdicts(next.Lines, pairs, at)
		next.Began, next.Looks = at, 0
	}
	next.Looks++
	for i := range cords {
		next.Lines = look(next.Lines, &cords[i])
	}
	return next, pairs
}

// other reports whether a cord of a pair is meant to feed something else now.
func other(x *fleet.Crossing, c *Cord) bool {
	return x.A == c.Outlet && x.Meant[0] != c.Supply || x.B == c.Outlet && x.Meant[1] != c.Supply
}

// look adds what one poll shows of a cord to the hour under way. The lines are the
// caller's own.
func look(lines []fleet.CordLine, c *Cord) []fleet.CordLine {
	if math.IsNaN(c.Gives+c.Draws) || c.Gives < idleW || c.Draws < idleW {
		return lines
	}
	n := slices.IndexFunc(lines, func(x fleet.CordLine) bool { return x.Outlet == c.Outlet })
	if n < 0 {
		n = len(lines)
		lines = append(lines, fleet.CordLine{Outlet: c.Outlet, Supply: c.Supply})
	}
	x := &lines[n].Now
	if g, d := c.Gives-x.Gave, c.Draws-x.Drew; x.Looks > 0 {
		x.Stir += g*g + d*d
	}
	x.Looks++
	x.Gives, x.Draws, x.Gave, x.Drew = x.Gives+c.Gives, x.Draws+c.Draws, c.Gives, c.Draws
	return lines
}

// over closes a cord's hour: half of the mean square from one poll to the next is
// the variance of what is not slow (von Neumann 1941).
func over(x fleet.CordLine) fleet.CordLine {
	h := fleet.CordHour{}
	if s := &x.Now; s.Looks >= cordLooks {
		n := float64(s.Looks)
		h = fleet.CordHour{Gives: float32(s.Gives / n), Draws: float32(s.Draws / n), Stir: float32(s.Stir / (n - 1) / 2)}
	}
	kept := x.Hours[max(0, len(x.Hours)+1-cordHours):]
	x.Hours = append(slices.Clip(kept), h)
	x.Now = fleet.CordSum{}
	return x
}

// verdicts judges each pair by the hours that are over.
func verdicts(lines []fleet.CordLine, pairs []fleet.Crossing, at time.Time) []fleet.Crossing {
	for i := range lines {
		for k := i + 1; k < len(lines); k++ {
			a, b := &lines[i], &lines[k]
			if a.Outlet > b.Outlet {
				a, b = b, a
			}
			n := slices.IndexFunc(pairs, func(x fleet.Crossing) bool { return x.A == a.Outlet && x.B == b.Outlet })
			switch crossed, known := hang(a, b); {
			case !known:
			case n >= 0 && pairs[n].Sure != crossed:
				pairs[n].Sure, pairs[n].Since = crossed, at
			case n < 0 && crossed:
				pairs = append(pairs, fleet.Crossing{A: a.Outlet, B: b.Outlet, Meant: [2]string{a.Supply, b.Supply}, Sure: true, Since: at})
			}
		}
	}
	return pairs
}

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
