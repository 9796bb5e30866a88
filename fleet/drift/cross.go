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
