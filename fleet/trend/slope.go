package trend

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// MinPoints is how many points a slope needs.
const MinPoints = 24

// z is of a two-sided 95 % interval.
const z = 1.959964

// Bounds of what is compared: so many points without a period, so many hours of
// so many days with one. Pairs grow with the square, and what more of them would
// add to a median cannot be seen.
const (
	maxPoints  = 384
	maxPeriods = 120
	seasons    = 24
)

// Line is where a series is going.
type Line struct {
	Slope     float64 // per second
	Low, High float64 // the 95 % interval of the slope
	Level     float64 // on the line, at Last
	Peak      float64 // what 95 % of the samples stay below, carried along the line to Last
	Last      time.Time
	Span      time.Duration // from the first point to the last
	Points    int
	Why       string // why there is no trend; empty: there is one
}

// Trend reports whether the series is going anywhere.
func (l Line) Trend() bool { return l.Why == "" }

// Slope draws a line through samples in the order of time. With a period only
// points whole periods apart are compared; 0 compares all with all. It costs
// n log n and a bounded number of pairs.
func Slope(samples []Sample, period time.Duration) Line {
	l := Line{Points: len(samples)}
	if len(samples) > 0 {
		l.Last = samples[len(samples)-1].At
		l.Span = l.Last.Sub(samples[0].At)
	}
	if len(samples) < MinPoints {
		l.Why = fmt.Sprintf("no trend: %s, %d are needed", points(len(samples)), MinPoints)
		return l
	}
	if period > 0 && l.Span < 2*period {
		l.Why = fmt.Sprintf("no trend: %.0f h of history say nothing of a period of %.0f h", l.Span.Hours(), period.Hours())
		return l
	}
	var groups [][]point
	if period > 0 {
		groups = bySeason(samples, period)
	} else {
		groups = [][]point{thin(samples)}
	}
	l.fit(groups, samples)
	return l
}

func points(n int) string {
	if n == 1 {
		return "1 point"
	}
	return fmt.Sprintf("%d points", n)
}

// point is a sample in seconds before the last one, which a float64 holds
// exactly enough.
type point struct{ t, v float64 }

func at(s Sample, last time.Time) point { return point{s.At.Sub(last).Seconds(), s.V} }

// thin makes at most maxPoints of samples: medians of neighbours.
func thin(samples []Sample) []point {
	last := samples[len(samples)-1].At
	n := min(len(samples), maxPoints)
	out := make([]point, n)
	var buf []float64
	for i := range n {
		part := samples[i*len(samples)/n : (i+1)*len(samples)/n]
		buf = buf[:0]
		for _, s := range part {
			buf = append(buf, s.V)
		}
		slices.Sort(buf)
		out[i] = point{at(part[0], last).t/2 + at(part[len(part)-1], last).t/2, sorted(buf, 0.5)}
	}
	return out
}

// bySeason sorts samples into the parts of their period, one point a part and
// period: the median. Only the newest periods count.
func bySeason(samples []Sample, period time.Duration) [][]point {
	last := samples[len(samples)-1].At
	type cell struct{ season, turn int }
	in := map[cell][]float64{}
	for _, s := range samples {
		ago := last.Sub(s.At)
		turn := int(ago / period)
		if turn >= maxPeriods || ago < 0 {
			continue
		}
		c := cell{int(ago % period * seasons / period), turn}
		in[c] = append(in[c], s.V)
	}
	groups := make([][]point, seasons)
	for c, v := range in {
		groups[c.season] = append(groups[c.season], point{-float64(c.turn) * period.Seconds(), Median(v)})
	}
	for _, g := range groups {
		slices.SortFunc(g, func(a, b point) int { return int(math.Copysign(1, a.t-b.t)) })
	}
	return groups
}

// fit takes the slopes of all pairs of each group: their median is the slope,
// and the ranks that the variance of Kendall's S allows bound it (Sen 1968).
func (l *Line) fit(groups [][]point, samples []Sample) {
	var slopes []float64
	deviation, balance := 0.0, 0
	for _, g := range groups {
		for i := range g {
			for _, b := range g[i+1:] {
				if b.t > g[i].t {
					s := (b.v - g[i].v) / (b.t - g[i].t)
					slopes = append(slopes, s)
					balance += sign(s)
				}
			}
		}
		deviation += math.Sqrt(kendall(g))
	}
	if len(slopes) == 0 {
		l.Why = "no trend: nothing to compare"
		return
	}
	slices.Sort(slopes)
	n := float64(len(slopes))
	l.Slope = sorted(slopes, 0.5)
	l.Low = slopes[clamp((n-z*deviation)/2, len(slopes))]
	l.High = slopes[clamp((n+z*deviation)/2, len(slopes))]
	l.Level, l.Peak = levels(samples, l.Slope)
	if math.Abs(float64(balance)) <= z*deviation || l.Low <= 0 && l.High >= 0 {
		l.Why = "no trend: what it rose and what it fell are within chance"
	}
}

func sign(f float64) int {
	switch {
	case f > 0:
		return 1
	case f < 0:
		return -1
	}
	return 0
}

func clamp(f float64, n int) int { return max(0, min(int(math.Round(f)), n-1)) }

// kendall is the variance of Kendall's S of n points with their ties.
func kendall(g []point) float64 {
	of := func(n float64) float64 { return n * (n - 1) * (2*n + 5) / 18 }
	v := make([]float64, len(g))
	for i := range g {
		v[i] = g[i].v
	}
	slices.Sort(v)
	sum := of(float64(len(v)))
	for i := 0; i < len(v); {
		k := i
		for k < len(v) && v[k] == v[i] {
			k++
		}
		if k-i > 1 {
			sum -= of(float64(k - i))
		}
		i = k
	}
	return max(0, sum)
}

// levels is where the line stands at the last sample, and its busy hours: the
// median and the 95th percentile of what each sample says of it.
func levels(samples []Sample, slope float64) (middle, peak float64) {
	last := samples[len(samples)-1].At
	v := make([]float64, len(samples))
	for i, s := range samples {
		p := at(s, last)
		v[i] = p.v - slope*p.t
	}
	slices.Sort(v)
	return sorted(v, 0.5), sorted(v, 0.95)
}
