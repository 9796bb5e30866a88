package trend

import (
	"math"
	"slices"
	"time"

	"plumb/fleet"
)

// Sample is one value at its time.
type Sample struct {
	At time.Time
	V  float64
}

// Samples takes the means of points; what was not read is left out.
func Samples(points []fleet.Point) []Sample {
	out := make([]Sample, 0, len(points))
	for i := range points {
		if m := points[i].Mean; m.Known {
			out = append(out, Sample{points[i].At(), m.Float()})
		}
	}
	return out
}

// Median returns the middle of values, NaN of none. It leaves them as they are.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the value below which the share q of the values lies, in
// between two of them by straight line (Hyndman and Fan, type 7); NaN of none.
func Quantile(values []float64, q float64) float64 {
	v := slices.Clone(values)
	slices.Sort(v)
	return sorted(v, q)
}

func sorted(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	at := max(0, min(q, 1)) * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// Values returns the values of samples.
func Values(s []Sample) []float64 {
	out := make([]float64, len(s))
	for i := range s {
		out[i] = s[i].V
	}
	return out
}

// normal makes a median absolute deviation the standard deviation of what is
// distributed normally.
const normal = 1.4826

// MAD returns the median and the median absolute deviation of values, scaled to
// a standard deviation; NaN of none.
func MAD(values []float64) (median, spread float64) {
	median = Median(values)
	off := make([]float64, len(values))
	for i, v := range values {
		off[i] = math.Abs(v - median)
	}
	return median, normal * Median(off)
}

// week is the period of people's habits.
const week = 7 * 24 * time.Hour

// minWeeks is how many other weeks an hour needs to be compared with.
const minWeeks = 3

// Deviation says how far a value is from the same hour of other weeks.
type Deviation struct {
	Median, Spread float64 // of the same hour of the week before
	Score          float64 // deviations away; NaN where there is nothing to compare with
	Weeks          int     // how many weeks had that hour
}

// HourOfWeek compares a value at now with the same hour of the weeks before.
// Each week counts once, by its median of that hour, so that a week polled more
// often has no louder voice. With fewer than three weeks the score is NaN. A
// series that never moved has no spread: then the spread is taken as a hundredth
// of its median, for a meter has at least that error.
func HourOfWeek(history []Sample, now time.Time, value float64) Deviation {
	weeks := map[int][]float64{}
	for _, s := range history {
		ago := now.Sub(s.At)
		n := int((ago + week/2) / week)
		if off := ago - time.Duration(n)*week; n >= 1 && off.Abs() <= 30*time.Minute {
			weeks[n] = append(weeks[n], s.V)
		}
	}
	per := make([]float64, 0, len(weeks))
	for _, v := range weeks {
		per = append(per, Median(v))
	}
	d := Deviation{Weeks: len(per), Score: math.NaN()}
	d.Median, d.Spread = MAD(per)
	if d.Weeks < minWeeks {
		return d
	}
	if d.Spread = max(d.Spread, math.Abs(d.Median)/100); d.Spread > 0 {
		d.Score = (value - d.Median) / d.Spread
	}
	return d
}
