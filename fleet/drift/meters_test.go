package drift

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"plumb/fleet"
)

// load is what a supply draws: a mean, the hour of the day, and work that comes
// and goes within tau.
type load struct {
	mean, day, work, phase, tau float64
	now                         float64
	flips                       bool    // the work is there or not
	swing, period               float64 // work that comes round
}

func (l *load) step(r *rand.Rand, at, dt float64) float64 {
	keep := math.Exp(-dt / l.tau)
	switch {
	case !l.flips:
		l.now = l.now*keep + math.Sqrt(1-keep*keep)*r.NormFloat64()
	case l.now == 0 || r.Float64() > keep:
		l.now = float64(1 - 2*r.IntN(2))
	}
	return max(5, l.mean*(1+l.day*math.Sin(2*math.Pi*(at/86400+l.phase))+l.work*l.now+l.swing*math.Sin(2*math.Pi*at/max(1, l.period))))
}

// bench is two supplies on two outlets of a PDU with their four meters.
type bench struct {
	loads            [2]load
	gains            [4]float64 // of the meters of outlets, then supplies
	noise            float64
	skew             float64 // seconds between the two looks
	swapped          bool
	crosswise, share float64 // the machines' other cords hang here, and share unevenly
}

// newBench makes one up, with whatever is hardest: loads about equals, much noise,
// looks that are minutes apart.
func newBench(r *rand.Rand) *bench {
	b := &bench{noise: 0.02 * r.Float64(), skew: 300 * r.Float64() * r.Float64()}
	mean := 60 + 300*r.Float64()
	apart := 0.5 * r.Float64() * r.Float64()
	for i := range b.loads {
		b.loads[i] = load{mean: mean * (1 + apart*float64(i)), day: 0.3 * r.Float64(), work: 0.4 * r.Float64(), phase: r.Float64(), tau: math.Pow(10, 1+3*r.Float64()), flips: r.IntN(3) == 0}
	}
	for i := range b.gains {
		b.gains[i] = 1 + 0.03*(2*r.Float64()-1)
	}
	if r.IntN(4) == 0 {
		b.crosswise, b.share = 1, 0.2*r.Float64()
	}
	return b
}

// look reads the four meters; the outlets first, the supplies skew later.
func (b *bench) look(r *rand.Rand, at, every float64) []Cord {
	meter := func(k int, w float64) float64 { return math.Round(w * b.gains[k] * (1 + b.noise*r.NormFloat64())) }
	cords := make([]Cord, 2)
	for i := range cords {
		l := &b.loads[i]
		gives, draws := l.step(r, at, every-b.skew), l.step(r, at+b.skew, b.skew)
		lean := b.crosswise * b.share * float64(1-2*i)
		out := i
		if b.swapped {
			out = 1 - i
		}
		cords[out].Outlet, cords[out].Gives = out+1, meter(out, gives*(1-lean))
		cords[i].Draws = meter(2+i, draws*(1+lean))
	}
	return cords
}

// day plays a day of a bench; found is when the cords were said to be crossed.
func (b *bench) day(r *rand.Rand, every time.Duration) (found time.Duration, ok bool) {
	var past *fleet.CordPast
	var list []fleet.Crossing
	for at := time.Duration(0); at < 24*time.Hour; at += every {
		past, list = Cross(past, list, b.look(r, at.Seconds(), every.Seconds()), t0.Add(at))
		if len(list) > 0 && list[0].Sure {
			return at, true
		}
	}
	return 0, false
}

// TestStraightCordsAreNeverCrossed: whatever the loads do and however late the
// meters are read, cords as intended are not said to be exchanged. Two supplies
// of machines whose cords A and B are exchanged look crossed by their levels, and
// are not.
func TestStraightCordsAreNeverCrossed(t *testing.T) {
	for seed := range trials() {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		b := newBench(r)
		if at, said := b.day(r, 5*time.Minute); said {
			t.Errorf("seed %d: crossed after %s: %+v", seed, at, *b)
		}
	}
}

// TestMachinesThatWorkByTurns: two machines of which one rests while the other works
// would seem crossed where the polls always come at such times that the PDU shows the
// one at work and their BMCs the other. They are told apart, but for where both
// follow the day too and keep step with the polls for hours to a few seconds.
func TestMachinesThatWorkByTurns(t *testing.T) {
	said := 0
	for seed := range trials() {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		b := newBench(r)
		period, swing := math.Pow(10, 1.5+3*r.Float64()), 0.4*r.Float64()
		for i := range b.loads {
			l := &b.loads[i]
			l.period, l.swing = period, swing*float64(1-2*i)
			l.day, l.work = l.day*float64(seed%2), l.work*0.1
		}
		if _, ok := b.day(r, 5*time.Minute); ok {
			said++
		}
	}
	if said > trials()/1000 {
		t.Errorf("%d of %d benches are said to be crossed", said, trials())
	}
	t.Logf("%d of %d benches are said to be crossed", said, trials())
}

func trials() int {
	if os.Getenv("PLUMB_SOAK") != "" {
		return 100_000
	}
	return 4000
}

// TestExchangedCordsAreFound: where the loads move, be they apart or alike.
func TestExchangedCordsAreFound(t *testing.T) {
	const trials = 500
	var took []time.Duration
	for seed := range trials {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		b := newBench(r)
		b.swapped, b.crosswise, b.skew = true, 0, 60*r.Float64()
		b.loads[1].mean = b.loads[0].mean * (1 + float64(seed%2)*(0.4+r.Float64()))
		for i := range b.loads {
			b.loads[i].day, b.loads[i].work, b.loads[i].tau = 0.1+0.1*r.Float64(), 0.05+0.05*r.Float64(), 600+3000*r.Float64()
		}
		if at, ok := b.day(r, 5*time.Minute); ok {
			took = append(took, at)
		}
	}
	slices.Sort(took)
	if len(took) < trials*97/100 || took[trials/2] > 9*time.Hour || took[trials*3/4] > 10*time.Hour {
		t.Errorf("found %d of %d within a day, half of them within %s, three of four within %s", len(took), trials, took[trials/2], took[trials*3/4])
	}

}
