package store

import (
	"math"

	"plumb/fleet"
)

// What lies in a step becomes one point. Points of a tier and points of a query
// are made here alike: a chart does not show where one ends and the other
// begins.

// gaugePoint makes the point of at least one known sample, but for its time.
func gaugePoint(run []sample) fleet.Point {
	first := run[0].v
	p := fleet.Point{Min: first, Max: first, Mean: first, Count: len(run)}
	if len(run) == 1 {
		return p
	}
	sum, total, scale, same := 0.0, int64(0), first.Scale, true
	for i := range run {
		v := run[i].v
		if v.Cmp(p.Min) < 0 {
			p.Min = v
		}
		if v.Cmp(p.Max) > 0 {
			p.Max = v
		}
		sum, total, same = sum+v.Float(), total+v.N, same && v.Scale == first.Scale
		scale = min(scale, v.Scale)
	}
	if same && sumsUp(p.Min.N, p.Max.N) {
		p.Mean = mean(total, len(run), scale)
	} else {
		p.Mean = fleet.FromFloat(sum/float64(len(run)), 1-int(scale))
	}
	return p
}

// stepPoint makes the point of rows of a column, whose count is 0 where none has
// a value. same says that all have one, at one scale: that is quickly done.
func stepPoint(kind fleet.SeriesKind, c *cells, from, end int, same bool) (p fleet.Point) {
	if !same {
		return mixedPoint(kind, c, from, end)
	}
	v, scale := c.ints[from:end], int8(c.scales[from])
	least, most := extremes(v)
	p.Min, p.Max, p.Count = fleet.Num{N: least, Scale: scale, Known: true}, fleet.Num{N: most, Scale: scale, Known: true}, len(v)
	p.Mean = p.Min
	switch {
	case len(v) == 1, kind == fleet.Discrete && least == most:
	case kind == fleet.Discrete || !sumsUp(least, most):
		return mixedPoint(kind, c, from, end)
	default:
		sum := int64(0)
		for _, x := range v {
			sum += x
		}
		p.Mean = mean(sum, len(v), scale)
	}
	return p
}

// sumsUp reports whether as many numbers as a block can have, within these, add
// up to one that can still be divided exactly.
func sumsUp(least, most int64) bool {
	const far = math.MaxInt64 / 32 / maxInts
	return least > -far && most < far
}

// meansFiner reports whether a mean of numbers of a scale has exactly one decimal more.
func meansFiner(scale int8) bool { return scale >= -8 && scale <= 1 }

// mean divides a sum, to one decimal more than its numbers have, rounded half
// away from zero.
func mean(sum int64, n int, scale int8) fleet.Num {
	if !meansFiner(scale) {
		return fleet.FromFloat(fleet.Num{N: sum, Scale: scale, Known: true}.Float()/float64(n), 1-int(scale))
	}
	half := int64(n)
	if sum < 0 {
		half = -half
	}
	return fleet.Num{N: (20*sum + half) / int64(2*n), Scale: scale - 1, Known: true}
}

// statePoint makes the point of at least one known state, but for its time.
func statePoint(run []sample) fleet.Point {
	p := fleet.Point{Min: run[0].v, Max: run[0].v, Mean: run[len(run)-1].v, Count: len(run)}
	for _, x := range run[1:] {
		if asState(x.v).Worse(asState(p.Max)) {
			p.Max = x.v
		}
		if asState(p.Min).Worse(asState(x.v)) {
			p.Min = x.v
		}
	}
	return p
}

// mixedPoint makes the point of rows some of which may have no value, or one of
// another scale; its count is 0 where none has one.
func mixedPoint(kind fleet.SeriesKind, v *cells, from, end int) fleet.Point {
	var room [64]sample
	run := room[:0]
	for i := from; i < end; i++ {
		if x := v.at(i); x.Known {
			run = append(run, sample{v: x})
		}
	}
	switch {
	case len(run) == 0:
		return fleet.Point{}
	case kind == fleet.Discrete:
		return statePoint(run)
	}
	return gaugePoint(run)
}
