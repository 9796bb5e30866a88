package trend

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"plumb/fleet"
)

var t0 = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// series samples f every step for so long; f gets days since t0.
func series(span, step time.Duration, f func(days float64) float64) []Sample {
	var out []Sample
	for d := time.Duration(0); d <= span; d += step {
		out = append(out, Sample{t0.Add(d), f(d.Hours() / 24)})
	}
	return out
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > within {
		t.Errorf("%s is %g, want %g within %g", what, got, want, within)
	}
}

func TestMiddleAndSpread(t *testing.T) {
	for _, c := range []struct {
		values         []float64
		median, spread float64
	}{
		{[]float64{1}, 1, 0},
		{[]float64{3, 1, 2}, 2, 1.4826},
		{[]float64{4, 1, 3, 2}, 2.5, 1.4826},
		{[]float64{1, 1, 2, 2, 4, 6, 9}, 2, 1.4826}, // the textbook's
		{[]float64{10, 10, 10, 10, 65535}, 10, 0},
	} {
		m, s := MAD(c.values)
		near(t, "median", m, c.median, 1e-9)
		near(t, "spread", s, c.spread, 1e-9)
	}
	if m, s := MAD(nil); !math.IsNaN(m) || !math.IsNaN(s) {
		t.Errorf("the middle of nothing is %g, %g", m, s)
	}
	near(t, "p95", Quantile([]float64{0, 100}, 0.95), 95, 1e-9)
}

func TestHourOfWeek(t *testing.T) {
	now := t0.Add(35 * day)
	busy := series(34*day, time.Hour, func(d float64) float64 { return 100 + 50*math.Sin(2*math.Pi*d) + 20*math.Floor(math.Mod(d, 7)) })
	d := HourOfWeek(busy, now, 100)
	if d.Weeks != 5 || math.Abs(d.Score) > 0.01 {
		t.Errorf("the same as ever: %+v", d)
	}
	if d = HourOfWeek(busy, now, 110); d.Score < 9 || d.Score > 11 { // a hundredth of 100 is the least spread
		t.Errorf("ten more than ever: %+v", d)
	}
	if d = HourOfWeek(busy[len(busy)-10*24:], now, 300); d.Weeks > 2 || !math.IsNaN(d.Score) {
		t.Errorf("two weeks compare: %+v", d)
	}
}

func TestSlope(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	daily := func(d float64) float64 { return 400 * math.Sin(2*math.Pi*d) }
	for _, c := range []struct {
		name   string
		in     []Sample
		period time.Duration
		why    string
		perDay float64
		within float64
	}{
		{"too few", series(22*time.Hour, time.Hour, func(d float64) float64 { return d }), 0, "23 points", 0, 0},
		{"just enough", series(23*time.Hour, time.Hour, func(d float64) float64 { return 7 * d }), 0, "", 7, 1e-9},
		{"a flat line", series(day, time.Hour, func(float64) float64 { return 5 }), 0, "within chance", 0, 0},
		{"noise", series(10*day, time.Hour, func(float64) float64 { return noise.NormFloat64() }), 0, "within chance", 0, 0},
		{"falls", series(10*day, time.Hour, func(d float64) float64 { return 1000 - 3*d + noise.NormFloat64() }), 0, "", -3, 0.2},
		{"rising morning", series(day, time.Hour, daily), day, "24 h of history", 0, 0},
		{"days alike", series(20*day, time.Hour, daily), day, "within chance", 0, 0},
		{"days that grow", series(20*day, time.Hour, func(d float64) float64 { return 5000 + 25*d + daily(d) }), day, "", 25, 1e-6},
		{"a meter gone mad", series(20*day, time.Hour, func(d float64) float64 {
			if noise.IntN(5) == 0 {
				return 65535
			}
			return 5000 + 25*d
		}), day, "", 25, 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := Slope(c.in, c.period)
			if c.why != "" {
				if l.Trend() || !strings.Contains(l.Why, c.why) {
					t.Errorf("%+v, want no trend: %s", l, c.why)
				}
				return
			}
			if !l.Trend() || l.Low > l.Slope || l.Slope > l.High {
				t.Fatalf("%+v", l)
			}
			near(t, "slope a day", l.Slope*86400, c.perDay, c.within)
		})
	}
}

// TestIntervalCovers: of many noisy series the interval holds the true slope
// about as often as it says.
func TestIntervalCovers(t *testing.T) {
	noise := rand.New(rand.NewPCG(3, 4))
	held, rounds := 0, 200
	for range rounds {
		l := Slope(series(60*time.Hour, time.Hour, func(d float64) float64 { return 2*d + noise.NormFloat64() }), 0)
		if l.Low*86400 <= 2 && 2 <= l.High*86400 {
			held++
		}
	}
	if held < rounds*88/100 {
		t.Errorf("the 95 %% interval held %d of %d", held, rounds)
	}
}

// TestSlopeStands: a fifth of wild values moves nothing, and a slope follows
// what its series is multiplied by.
func TestSlopeStands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slope := rapid.Float64Range(-50, 50).Draw(t, "slope")
		factor := rapid.Float64Range(0.1, 10).Draw(t, "factor")
		n := rapid.IntRange(MinPoints, 600).Draw(t, "n")
		s := series(time.Duration(n-1)*time.Hour, time.Hour, func(d float64) float64 { return 100 + slope*d })
		for i := range s {
			s[i].V *= factor
		}
		for range n / 5 {
			s[rapid.IntRange(0, n-1).Draw(t, "i")].V = rapid.Float64Range(-1e6, 1e6).Draw(t, "wild")
		}
		if got := Slope(s, 0).Slope * 86400; math.Abs(got-slope*factor) > 1e-6+math.Abs(slope*factor)/20+0.02*float64(thinned(n)) {
			t.Fatalf("slope %g of %d points, want %g", got, n, slope*factor)
		}
	})
}

// thinned: what is made of medians of neighbours is a little off.
func thinned(n int) int {
	if n > maxPoints {
		return 1
	}
	return 0
}

func TestUntil(t *testing.T) {
	grow := Slope(series(20*day, time.Hour, func(d float64) float64 { return 1000 + 10*d }), day) // 1200 at the end
	end := t0.Add(20 * day)
	r := grow.Until(1300, end)
	if want := end.Add(10 * day); r.At.Sub(want).Abs() > time.Hour || r.Low.After(r.At) || r.High.Before(r.At) {
		t.Errorf("%+v, want %s", r, want)
	}
	if r = grow.Until(1250, end); r.Confidence != fleet.ConfidenceHigh {
		t.Errorf("five days ahead of twenty seen, on a straight line: %+v", r)
	}
	if r = grow.Until(1500, end); r.Confidence != fleet.ConfidenceLow {
		t.Errorf("thirty days ahead of twenty seen: %+v", r)
	}
	if r = grow.Until(1e6, end); !r.At.IsZero() || r.Why != "no limit within 180 d" {
		t.Errorf("far off: %+v", r)
	}
	if r = grow.Until(1100, end); !r.At.Equal(end) || r.Why != "at its limit now" {
		t.Errorf("over it: %+v", r)
	}
	fall := Slope(series(20*day, time.Hour, func(d float64) float64 { return 1000 - 10*d }), day)
	if r = fall.Until(1300, end); !r.At.IsZero() || !strings.HasPrefix(r.Why, "no limit within 180 d") {
		t.Errorf("falling: %+v", r)
	}
	short := Slope(series(day, time.Hour, func(d float64) float64 { return d }), day)
	if r = short.Until(5, end); !r.At.IsZero() || !strings.HasPrefix(r.Why, "no trend") {
		t.Errorf("too short: %+v", r)
	}
}

// TestUntilMindsTheBusyHour: the middle of a day is far from the limit, its
// evening is not.
func TestUntilMindsTheBusyHour(t *testing.T) {
	l := Slope(series(20*day, time.Hour, func(d float64) float64 { return 1000 + 10*d + 300*math.Sin(2*math.Pi*d) }), day)
	near(t, "middle", l.Level, 1200, 5)
	if r := l.Until(1550, t0.Add(20*day)); r.At.IsZero() || r.At.After(t0.Add(30*day)) {
		t.Errorf("%+v: the evenings are at 1500 and grow by 10 a day", r)
	}
}

func BenchmarkSlope20000(b *testing.B) {
	s := series(2500*8*time.Hour, time.Hour, func(d float64) float64 { return 100 + d + 10*math.Sin(6*d) })
	for b.Loop() {
		Slope(s, 0)
	}
}

func BenchmarkSlopeOfDays20000(b *testing.B) {
	s := series(2500*8*5*time.Minute, 5*time.Minute, func(d float64) float64 { return 100 + d + 10*math.Sin(6*d) })
	for b.Loop() {
		Slope(s, day)
	}
}
