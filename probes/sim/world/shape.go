package world

import "math"

// Demand goes round in three ways: by the day, by the half hour and by the two
// minutes. The amplitudes sum to less than one, so that a rate is never
// negative and every counter is monotone.
const (
	daySeconds = 86400.0
	dayAmp     = 0.35
)

// waves are the periods in seconds and the relative amplitudes of demand.
var waves = [...]struct{ period, amp float64 }{
	{daySeconds, dayAmp},
	{1801, 0.12},
	{127, 0.06},
}

// shape is demand over time relative to its mean, with a phase for each wave.
type shape [len(waves)]float64

// at returns the demand at t seconds: 1 on average, between 0.47 and 1.53.
func (s *shape) at(t float64) float64 { return s.lagged(t, 0) }

// lagged returns the demand as it shows through a first-order lag of tau
// seconds: each wave is damped by 1/sqrt(1+(w tau)^2) and late by atan(w tau).
func (s *shape) lagged(t, tau float64) float64 {
	v := 1.0
	for i, w := range waves {
		omega := 2 * math.Pi / w.period
		a, phase := w.amp, omega*math.Mod(t, w.period)+s[i]
		if tau > 0 {
			x := omega * tau
			a, phase = a/math.Sqrt(1+x*x), phase-math.Atan(x)
		}
		v += a * math.Sin(phase)
	}
	return v
}

// integral returns the integral of at from 0 to t, up to a constant.
func (s *shape) integral(t float64) float64 {
	v := t
	for i, w := range waves {
		omega := 2 * math.Pi / w.period
		v -= w.amp / omega * math.Cos(omega*math.Mod(t, w.period)+s[i])
	}
	return v
}

// ripple is a small slow wave in -1..1 that tells two like parts apart.
func ripple(t, period, phase float64) float64 {
	return math.Sin(2*math.Pi*math.Mod(t, period)/period + phase)
}

// dice gives numbers that depend on nothing but the seed and a name, so that
// one more rack changes nothing in the others. FNV-1a, then a finalizer.
type dice uint64

func (d dice) of(parts ...string) dice {
	h := uint64(d) ^ 14695981039346656037
	for _, p := range parts {
		for i := range len(p) {
			h = (h ^ uint64(p[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return dice(h ^ h>>33)
}

// unit returns a number in [0, 1).
func (d dice) unit() float64 { return float64(d>>11) / (1 << 53) }

// between returns a number in [lo, hi).
func (d dice) between(lo, hi float64) float64 { return lo + (hi-lo)*d.unit() }

// n returns a number in 0..n-1.
func (d dice) n(n int) int { return int(uint64(d) % uint64(n)) }

// demand returns the shape of a thing in a region whose busy hour is at
// peak seconds of the UTC day.
func (d dice) demand(peak float64, name string) shape {
	return shape{
		math.Pi/2 - 2*math.Pi*peak/daySeconds + d.of(name, "day").between(-0.2, 0.2),
		d.of(name, "half hour").between(0, 2*math.Pi),
		d.of(name, "minutes").between(0, 2*math.Pi),
	}
}
