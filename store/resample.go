package store

import (
	"math"
	"time"

	"plumb/fleet"
)

// bridge is the longest time over which two samples of a counter make a rate.
const bridge = 15 * time.Minute

// maxRate is the fastest a counter can truly run, per second: ten thousand
// gigabits of octets are below it. A counter that went back and would have to
// have run faster to wrap was reset.
const maxRate = 1e13

// bucket returns where the step that holds ms begins.
func bucket(ms, step int64) int64 {
	if step <= 0 {
		return ms
	}
	off := ms % step
	if off < 0 {
		off += step
	}
	return ms - off
}

// byStep calls f with each run of samples that fall into one step. Nulls are
// left out.
func byStep(v []sample, step int64, f func(at int64, run []sample)) {
	run := make([]sample, 0, 64)
	at := int64(0)
	for _, x := range v {
		if !x.v.Known {
			continue
		}
		if b := bucket(x.at, step); len(run) == 0 || b != at || step <= 0 {
			if len(run) > 0 {
				f(at, run)
			}
			at, run = b, run[:0]
		}
		run = append(run, x)
	}
	if len(run) > 0 {
		f(at, run)
	}
}

// samplePoints makes a point of each sample that is known.
func samplePoints(v []sample) []fleet.Point {
	out := make([]fleet.Point, len(v))
	n := 0
	for i := range v {
		if x := &v[i]; x.v.Known {
			p := &out[n] // in place: a point is ten words, and there are many
			p.Ms, p.Min, p.Max, p.Mean, p.Count = x.at, x.v, x.v, x.v, 1
			n++
		}
	}
	return out[:n]
}

func gaugePoints(v []sample, step int64) []fleet.Point {
	if step <= 0 {
		return samplePoints(v)
	}
	var out []fleet.Point
	byStep(v, step, func(at int64, run []sample) {
		p := gaugePoint(run)
		p.Ms = at
		out = append(out, p)
	})
	return out
}

func statePoints(v []sample, step int64) []fleet.Point {
	var out []fleet.Point
	byStep(v, step, func(at int64, run []sample) {
		p := statePoint(run)
		p.Ms = at
		out = append(out, p)
	})
	return out
}

// asState reads a state's number; what is none is unknown.
func asState(n fleet.Num) fleet.State {
	n = n.Rescale(0) // a block writes a column at one scale
	if n.N < 0 || n.N >= fleet.NumStates {
		return fleet.StateUnknown
	}
	return fleet.State(n.N)
}

// ratePoints turns totals into rates, over gaps of at most gap ms. A step's mean is weighted by time: what
// was counted in it over how long it was watched.
func ratePoints(v []sample, from, step, gap int64) []fleet.Point {
	if step <= 0 {
		return sampleRates(v, from, gap)
	}
	type sum struct {
		at            int64
		least, most   float64
		counted, over float64
		n             int
	}
	var out []fleet.Point
	var cur sum
	flush := func() {
		if cur.n > 0 {
			out = append(out, fleet.Point{Ms: cur.at, Min: fleet.FromFloat(cur.least, 3), Max: fleet.FromFloat(cur.most, 3), Mean: fleet.FromFloat(cur.counted/cur.over, 3), Count: cur.n})
		}
		cur = sum{}
	}
	for i := 1; i < len(v); i++ {
		counted, over, ok := increase(v[i-1], v[i], gap)
		if !ok || v[i].at < from {
			continue
		}
		rate := counted / over
		if at := bucket(v[i].at, step); cur.n == 0 || at != cur.at {
			flush()
			cur = sum{at: at, least: rate, most: rate}
		}
		cur.least, cur.most = math.Min(cur.least, rate), math.Max(cur.most, rate)
		cur.counted, cur.over, cur.n = cur.counted+counted, cur.over+over, cur.n+1
	}
	flush()
	return out
}

// sampleRates makes a point of each rate.
func sampleRates(v []sample, from, gap int64) []fleet.Point {
	out := make([]fleet.Point, len(v))
	n := 0
	for i := 1; i < len(v); i++ {
		counted, over, ok := increase(v[i-1], v[i], gap)
		if !ok || v[i].at < from {
			continue
		}
		rate, p := fleet.FromFloat(counted/over, 3), &out[n]
		p.Ms, p.Min, p.Max, p.Mean, p.Count = v[i].at, rate, rate, rate, 1
		n++
	}
	return out[:n]
}

// increase returns how far a counter ran between two samples and in how many
// seconds; ok is false where that cannot be told.
func increase(a, b sample, gap int64) (counted, seconds float64, ok bool) {
	ms := b.at - a.at
	if !a.v.Known || !b.v.Known || a.v.Scale != b.v.Scale || ms <= 0 || ms > gap {
		return 0, 0, false
	}
	counted = float64(uint64(b.v.N) - uint64(a.v.N))
	if a.v.Scale != 0 {
		counted *= math.Pow10(int(a.v.Scale))
	}
	seconds = float64(ms) / 1000
	return counted, seconds, counted/seconds <= maxRate
}
