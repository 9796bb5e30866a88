package drift

import (
	"math"
	"slices"
	"time"

	"plumb/fleet"
)

// What shows that two cords changed places is of two sorts, and both are asked
// for. Levels: each of the two outlets gives what the other one's supply draws,
// and not what its own does. Moves: when the difference of the two loads moves,
// the difference of what the outlets give moves the other way. Levels alone
// would be deceived by machines whose two supplies share unevenly, moves alone by
// chance.
//
// Both are counted as a cumulative sum (Page 1954): a witness for it adds one, one
// against it takes three, and below zero there is nothing. Where loads are alike
// and noise makes each poll cross or not like a coin, a sum of n has the chance
// 1.84^-n (the root of y^4 - 2y^3 + 1): of n = 36 3e-10 a poll. Polls within
// crossedEvery are one witness, because noise lasts for minutes.
const (
	crossedLevels = 36
	crossedMoves  = 8
	againstCross  = 3
	crossedEvery  = 4 * time.Minute

	// moveW and moveShare are how far a difference must move to tell anything, and
	// apartShare how much the two moves of it may differ. A meter that is off by a
	// share is off by a share of the move only.
	moveW      = 6
	moveShare  = 0.05
	apartShare = 0.25

	// straightLevels put a pair back: that cords are as intended needs less.
	straightLevels = 12
)

// Cross follows pairs of outlets of one PDU that feed each other's supplies,
// from one poll to the next. Where the four numbers are alike nothing is
// learned. A pair that fits the inventory again is known to be straight and is
// kept as such, so that what was found of it can end. What was learned of a pair
// is forgotten when other supplies are meant to hang there.
func Cross(was []fleet.Crossing, cords []Cord, at time.Time) []fleet.Crossing {
	next := slices.DeleteFunc(slices.Clone(was), func(x fleet.Crossing) bool {
		return slices.ContainsFunc(cords, func(c Cord) bool { return other(&x, &c) })
	})
	cords = slices.DeleteFunc(slices.Clone(cords), func(c Cord) bool { return math.IsNaN(c.Gives+c.Draws) || c.Gives < idleW || c.Draws < idleW })
	for i := range cords {
		for k := i + 1; k < len(cords); k++ {
			a, b := &cords[i], &cords[k]
			n := slices.IndexFunc(next, func(x fleet.Crossing) bool { return x.A == a.Outlet && x.B == b.Outlet })
			if n < 0 {
				if looks(a, b) != crossed {
					continue
				}
				n = len(next)
				next = append(next, fleet.Crossing{A: a.Outlet, B: b.Outlet, Meant: [2]string{a.Supply, b.Supply}, Crossed: true, Since: at})
			}
			if x := &next[n]; x.At.IsZero() || at.Sub(x.At) >= crossedEvery {
				witness(x, a, b, at)
			}
		}
	}
	return slices.DeleteFunc(next, func(x fleet.Crossing) bool { return !x.Known && (!x.Crossed || x.Levels == 0) })
}

// other reports whether a cord of a pair is meant to feed something else now.
func other(x *fleet.Crossing, c *Cord) bool {
	return x.A == c.Outlet && x.Meant[0] != c.Supply || x.B == c.Outlet && x.Meant[1] != c.Supply
}

// look is what the levels of one poll show of a pair.
type look uint8

const (
	level    look = iota // either would do
	neither              // at least one outlet gives what nobody draws
	crossed              // each gives what the other one's supply draws
	straight             // each gives what its own does
)

func looks(a, b *Cord) look {
	ownA, ownB, farA, farB := a.fits(a.Draws), b.fits(b.Draws), a.fits(b.Draws), b.fits(a.Draws)
	switch {
	case farA && farB && !ownA && !ownB:
		return crossed
	case ownA && ownB && !farA && !farB:
		return straight
	case ownA && ownB || farA && farB:
		return level
	}
	return neither
}

// witness counts what one poll shows of a pair.
func witness(x *fleet.Crossing, a, b *Cord, at time.Time) {
	x.At = at
	switch l := looks(a, b); {
	case l == level:
	case l == neither:
		x.Levels = max(0, x.Levels-1)
	case (l == crossed) == x.Crossed:
		x.Levels = min(x.Levels+1, crossedLevels)
	case x.Levels > againstCross:
		x.Levels -= againstCross
	default:
		*x = fleet.Crossing{A: x.A, B: x.B, Meant: x.Meant, At: at, Crossed: !x.Crossed, Since: at, Levels: 1, Known: x.Known, Sure: x.Sure}
	}
	moves(x, a.Gives-b.Gives, a.Draws-b.Draws, max(moveW, moveShare*max(a.Gives, b.Gives)))
	if x.Crossed && x.Levels >= crossedLevels && x.Moves >= crossedMoves {
		x.Known, x.Sure = true, true
	}
	if !x.Crossed && x.Levels >= straightLevels {
		x.Known, x.Sure = true, false
	}
}

// moves holds the move of what the outlets give against that of what the
// supplies draw, since the last time both had moved. Moves that differ in size are
// two loads that move each for itself.
func moves(x *fleet.Crossing, gives, draws, least float64) {
	dg, dd := gives-x.Gives, draws-x.Draws
	far := max(math.Abs(dg), math.Abs(dd))
	together := func(rest float64) bool { return math.Abs(rest) <= max(least/2, apartShare*far) }
	with, against := dg+dd, dg-dd
	if !x.Crossed {
		with, against = against, with
	}
	switch {
	case x.Levels <= 1 && x.Moves == 0: // begin from here
	case min(math.Abs(dg), math.Abs(dd)) < least:
		return
	case together(with):
		x.Moves = min(x.Moves+1, crossedMoves)
	case together(against):
		x.Moves = max(0, x.Moves-againstCross)
	default:
		x.Moves = max(0, x.Moves-1)
	}
	x.Gives, x.Draws = gives, draws
}
