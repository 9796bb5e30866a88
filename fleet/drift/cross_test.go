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

// poll is what the meters of three outlets show: what each gives, and what the
// supply draws that is meant to hang on it.
type poll [3][2]float64

var (
	asMeant  = poll{{101, 100}, {152, 150}, {210, 205}}
	exchange = poll{{153, 100}, {101, 150}, {210, 205}} // 1 and 2 have changed places
	even     = poll{{101, 100}, {104, 102}, {210, 205}} // 1 and 2 draw alike
	dark     = poll{{0, 100}, {0, 150}, {210, 205}}
	odd      = poll{{180, 100}, {101, 150}, {210, 205}} // one of them fits nothing
)

// moved is the poll when the load of outlet 1's supply, as it is meant, rose by
// so much: whichever outlet gives about as much gives more too.
func (p poll) moved(watts float64) poll {
	load := p[0][1]
	for i := range p {
		if math.Abs(p[i][0]-load) < 5 {
			p[i][0] += watts
		}
	}
	p[0][1] += watts
	return p
}

func follow(was []fleet.Crossing, from time.Time, every time.Duration, n int, p poll, moves bool) ([]fleet.Crossing, time.Time) {
	for k := range n {
		q := p
		if moves && k/3%2 == 1 {
			q = p.moved(-30)
		}
		var cords []Cord
		for i, c := range q {
			cords = append(cords, Cord{Outlet: i + 1, Gives: c[0], Draws: c[1]})
		}
		was = Cross(was, cords, from)
		from = from.Add(every)
	}
	return was, from
}

func sure(list []fleet.Crossing) (out [][2]int) {
	for _, x := range list {
		if x.Sure {
			out = append(out, [2]int{x.A, x.B})
		}
	}
	return out
}

func TestCordsThatChangedPlaces(t *testing.T) {
	const every = 5 * time.Minute
	for _, c := range []struct {
		name  string
		polls []poll
		times []int
		want  int // pairs that are sure
	}{
		{"as meant", []poll{asMeant}, []int{200}, 0},
		{"exchanged", []poll{exchange}, []int{36}, 1},
		{"for less than three hours", []poll{exchange}, []int{35}, 0},
		{"loads that cross for a while", []poll{exchange, asMeant, exchange, asMeant}, []int{30, 10, 30, 10}, 0},
		{"six at a time, scattered", []poll{exchange, asMeant, exchange, asMeant, exchange, asMeant, exchange}, []int{6, 3, 6, 3, 6, 3, 6}, 0},
		{"loads that are alike say nothing", []poll{even}, []int{200}, 0},
		{"and take nothing back", []poll{exchange, even, exchange}, []int{20, 50, 16}, 1},
		{"nor do outlets that give nothing", []poll{exchange, dark}, []int{36, 100}, 1},
		{"one that fits and one that does not", []poll{odd}, []int{200}, 0},
		{"one that often does not fit", []poll{exchange, odd, exchange, odd, exchange}, []int{12, 12, 12, 12, 12}, 0},
		{"put right", []poll{exchange, asMeant}, []int{36, 24}, 0},
		{"put right a moment ago", []poll{exchange, asMeant}, []int{36, 10}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var list []fleet.Crossing
			at := t0
			for i := range c.polls {
				list, at = follow(list, at, every, c.times[i], c.polls[i], c.polls[i] != even)
			}
			got := sure(list)
			if len(got) != c.want || c.want > 0 && got[0] != [2]int{1, 2} {
				t.Errorf("sure of %v, want %d pairs: %+v", got, c.want, list)
			}
		})
	}
	if list, _ := follow(nil, t0, time.Minute, 100, exchange, true); len(sure(list)) != 0 {
		t.Error("polls a minute apart count each for itself")
	}
	if list, _ := follow(nil, t0, every, 500, exchange, false); len(sure(list)) != 0 {
		t.Error("watts that never move tell which cord is which")
	}
}

// load is what a supply draws: a mean, the hour of the day, and work that comes
// and goes within tau.
type load struct {
	mean, day, work, phase, tau float64
	now                         float64
	flips                       bool // the work is there or not
}

func (l *load) step(r *rand.Rand, at, dt float64) float64 {
	keep := math.Exp(-dt / l.tau)
	switch {
	case !l.flips:
		l.now = l.now*keep + math.Sqrt(1-keep*keep)*r.NormFloat64()
	case l.now == 0 || r.Float64() > keep:
		l.now = float64(1 - 2*r.IntN(2))
	}
	return max(5, l.mean*(1+l.day*math.Sin(2*math.Pi*(at/86400+l.phase))+l.work*l.now))
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

// newBench makes one up, with whatever is hardest: loads about alike, much noise,
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
	var list []fleet.Crossing
	for at := time.Duration(0); at < 24*time.Hour; at += every {
		list = Cross(list, b.look(r, at.Seconds(), every.Seconds()), t0.Add(at))
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
	trials := 4000
	if os.Getenv("PLUMB_SOAK") != "" {
		trials = 100_000
	}
	for seed := range trials {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		b := newBench(r)
		if at, said := b.day(r, 5*time.Minute); said {
			t.Errorf("seed %d: crossed after %s: %+v", seed, at, *b)
		}
	}
}

// TestExchangedCordsAreFound: where the loads are apart and move, within hours.
// What moves little takes longer.
func TestExchangedCordsAreFound(t *testing.T) {
	const trials = 500
	var took []time.Duration
	for seed := range trials {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		b := newBench(r)
		b.swapped, b.crosswise, b.skew = true, 0, 60*r.Float64()
		b.loads[1].mean = b.loads[0].mean * (1.4 + r.Float64())
		for i := range b.loads {
			b.loads[i].day, b.loads[i].work, b.loads[i].tau = 0.1+0.1*r.Float64(), 0.05+0.05*r.Float64(), 600+3000*r.Float64()
		}
		if at, ok := b.day(r, 5*time.Minute); ok {
			took = append(took, at)
		}
	}
	slices.Sort(took)
	if len(took) < trials*97/100 || took[trials/2] > 6*time.Hour || took[trials*3/4] > 10*time.Hour {
		t.Errorf("found %d of %d within a day, half of them within %s, three of four within %s", len(took), trials, took[trials/2], took[trials*3/4])
	}
	t.Logf("found %d of %d within a day, half of them within %s, three of four within %s", len(took), trials, took[trials/2], took[trials*3/4])
}
