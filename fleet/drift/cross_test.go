package drift

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"plumb/fleet"
)

// bench3 is a PDU with three outlets that is polled every five minutes: what their
// supplies draw, what hangs where, and what plumb makes of it.
type bench3 struct {
	past  *fleet.CordPast
	pairs []fleet.Crossing
	now   time.Time
	polls int
}

// work is what supply k draws at a poll. It moves from hour to hour, and each in its
// own way.
type work func(k, poll int) float64

var (
	unlike = hourly(100, 150, 205)
	equals = hourly(100, 100, 100)
	mirror = work(func(k, poll int) float64 {
		return 150 + 10*float64(1-2*k)*rand.New(rand.NewPCG(9, uint64(poll/12))).NormFloat64()
	})
	steady = work(func(k, poll int) float64 { return []float64{100, 150, 205}[k] })
	// noisy only moves from poll to poll, which leaves something in each hour's mean.
	noisy = work(func(k, poll int) float64 {
		return 150 + 20*rand.New(rand.NewPCG(uint64(k), uint64(poll))).NormFloat64()
	})
	// small moves by less than meters can tell.
	small = work(func(k, poll int) float64 { return equals(k, poll)/16 + 94 })
)

func hourly(watts ...float64) work {
	return func(k, poll int) float64 {
		return watts[k] + 10*rand.New(rand.NewPCG(uint64(k), uint64(poll/12))).NormFloat64()
	}
}

// run polls n times. Outlet k feeds supply hang[k].
func (b *bench3) run(n int, w work, hang [3]int) {
	for range n {
		cords := make([]Cord, 3)
		for k := range cords {
			cords[k] = Cord{Outlet: k + 1, Supply: string(rune('a' + k)), Gives: w(hang[k], b.polls), Draws: w(k, b.polls)}
		}
		b.look(cords)
	}
}

func (b *bench3) look(cords []Cord) {
	b.past, b.pairs = Cross(b.past, b.pairs, cords, b.now)
	b.now = b.now.Add(5 * time.Minute)
	b.polls++
}

func (b *bench3) sure() (out [][2]int) {
	for _, x := range b.pairs {
		if x.Sure {
			out = append(out, [2]int{x.A, x.B})
		}
	}
	return out
}

func TestCordsThatChangedPlaces(t *testing.T) {
	const hour = 12 // polls
	meant, swapped, turned := [3]int{0, 1, 2}, [3]int{1, 0, 2}, [3]int{1, 2, 0}
	type stretch struct {
		polls int
		work  work
		hang  [3]int
	}
	for _, c := range []struct {
		name string
		days []stretch
		want bool
	}{
		{"as meant", []stretch{{48 * hour, unlike, meant}}, false},
		{"as meant, and alike", []stretch{{48 * hour, equals, meant}}, false},
		{"exchanged", []stretch{{8*hour + 1, unlike, swapped}}, true},
		{"exchanged, and alike", []stretch{{8*hour + 1, equals, swapped}}, true},
		{"for less than eight hours", []stretch{{8 * hour, unlike, swapped}}, false},
		{"after a day as meant", []stretch{{24 * hour, unlike, meant}, {9*hour + 1, unlike, swapped}}, true},
		{"for a while, and again", []stretch{{5 * hour, unlike, swapped}, {2 * hour, unlike, meant}, {5 * hour, unlike, swapped}}, false},
		{"three in a ring are no pair", []stretch{{24 * hour, equals, turned}}, false},
		{"loads that never move", []stretch{{48 * hour, steady, swapped}}, false},
		{"or by less than meters tell", []stretch{{48 * hour, small, swapped}}, false},
		{"or from poll to poll only", []stretch{{48 * hour, noisy, swapped}}, false},
		{"or each as the other does not", []stretch{{48 * hour, mirror, swapped}}, false},
		{"put right", []stretch{{9 * hour, unlike, swapped}, {2*hour + 1, unlike, meant}}, false},
		{"put right, and alike", []stretch{{9 * hour, equals, swapped}, {5*hour + 1, equals, meant}}, false},
		{"put right a moment ago", []stretch{{9 * hour, unlike, swapped}, {hour / 2, unlike, meant}}, true},
		{"and never moved since", []stretch{{9 * hour, equals, swapped}, {24 * hour, func(int, int) float64 { return 100 }, meant}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &bench3{now: t0}
			for _, s := range c.days {
				b.run(s.polls, s.work, s.hang)
			}
			if got := b.sure(); slices.Equal(got, [][2]int{{1, 2}}) != c.want || len(got) > 1 {
				t.Errorf("sure of %v, want the pair of 1 and 2: %t", got, c.want)
			}
		})
	}
}

// TestCordsOfOtherSupplies: what was learned of a cord is forgotten when another
// supply is meant to hang there.
func TestCordsOfOtherSupplies(t *testing.T) {
	b := &bench3{now: t0}
	b.run(9*12, unlike, [3]int{1, 0, 2})
	b.look([]Cord{{Outlet: 1, Supply: "b", Gives: 150, Draws: 150}})
	n := slices.IndexFunc(b.past.Lines, func(x fleet.CordLine) bool { return x.Outlet == 1 })
	if len(b.sure()) != 0 || n < 0 || len(b.past.Lines[n].Hours) != 0 || b.past.Lines[n].Now.Looks != 1 {
		t.Errorf("another supply is meant there, and kept is %+v of %+v", b.pairs, b.past.Lines)
	}
}

// TestCordsThatCameAndWent: the hours in which a cord was not seen are passed over,
// and the one that was seen last has its place by its outlet.
func TestCordsThatCameAndWent(t *testing.T) {
	b := &bench3{now: t0}
	b.look([]Cord{{Outlet: 2, Supply: "b", Gives: 100, Draws: 100}})
	b.run(5*12, equals, [3]int{1, 0, 2})
	for range 3 * 12 {
		b.look([]Cord{{Outlet: 2, Supply: "b", Gives: 90, Draws: 90}})
	}
	b.run(4*12, equals, [3]int{1, 0, 2})
	if got := b.sure(); !slices.Equal(got, [][2]int{{1, 2}}) || b.pairs[0].Meant != [2]string{"a", "b"} {
		t.Errorf("sure of %v: %+v", got, b.pairs)
	}
}

// TestOutletsThatGiveMuchElse: what moves alike but is nowhere near alike is not the
// other cord.
func TestOutletsThatGiveMuchElse(t *testing.T) {
	b := &bench3{now: t0}
	for range 24 * 12 {
		x, y := equals(0, b.polls), equals(1, b.polls)
		b.look([]Cord{{Outlet: 1, Supply: "a", Gives: y + 60, Draws: x}, {Outlet: 2, Supply: "b", Gives: x + 60, Draws: y}})
	}
	if got := b.sure(); len(got) > 0 {
		t.Errorf("sure of %v: %+v", got, b.past)
	}
}

// TestHoursOfPolls: an hour is that of the clock where polls are dense, and has
// hourLooks polls where they are not.
func TestHoursOfPolls(t *testing.T) {
	for every, want := range map[time.Duration]int{time.Minute: 11, 5 * time.Minute: 11, 15 * time.Minute: 3} {
		var past *fleet.CordPast
		for at := time.Duration(0); at < 12*time.Hour; at += every {
			past, _ = Cross(past, nil, []Cord{{Outlet: 1, Supply: "a", Gives: 100, Draws: 100}}, t0.Add(at))
		}
		if got := len(past.Lines[0].Hours); got != want {
			t.Errorf("polled every %s for 12 h: %d hours, want %d", every, got, want)
		}
	}
}

// TestCordsOfASnapshotStay: what a snapshot has of cords does not change under who
// reads it.
func TestCordsOfASnapshotStay(t *testing.T) {
	b := &bench3{now: t0}
	for k := range 40 * 12 {
		past, pairs := b.past, b.pairs
		was := fmt.Sprintf("%+v %+v", past, pairs)
		hang := [3]int{1, 0, 2}
		if k > 20*12 {
			hang = [3]int{0, 1, 2}
		}
		b.run(1, unlike, hang)
		if is := fmt.Sprintf("%+v %+v", past, pairs); is != was {
			t.Fatalf("poll %d made of\n%s\n%s", k, was, is)
		}
	}
}

// TestCordsOfTwoSnapshots: two snapshots made of one do not write into each other.
func TestCordsOfTwoSnapshots(t *testing.T) {
	b := &bench3{now: t0}
	b.run(30*12, unlike, [3]int{0, 1, 2})
	one, two := *b, *b
	one.run(25, unlike, [3]int{0, 1, 2})
	was := fmt.Sprintf("%+v", one.past)
	two.run(25, steady, [3]int{0, 1, 2})
	if is := fmt.Sprintf("%+v", one.past); is != was {
		t.Errorf("the other one made of\n%s\n%s", was, is)
	}
}

// TestCordsThatAreNotSeen: an hour counts for a cord that was seen in half of its
// polls; a darkened outlet and a supply that does not draw are not compared. A clock
// that is set back begins anew.
func TestCordsThatAreNotSeen(t *testing.T) {
	for _, c := range []struct {
		name string
		cord Cord
		want bool
	}{
		{"seen", Cord{Outlet: 1, Supply: "a", Gives: 100, Draws: 100}, true},
		{"dark", Cord{Outlet: 1, Supply: "a", Gives: 0, Draws: 100}, false},
		{"draws nothing", Cord{Outlet: 1, Supply: "a", Gives: 100, Draws: 3}, false},
		{"no number", Cord{Outlet: 1, Supply: "a", Gives: math.NaN(), Draws: 100}, false},
	} {
		b := &bench3{now: t0}
		for k := range 13 {
			if k < 5 {
				b.look([]Cord{{Outlet: 1, Supply: "a", Gives: 100, Draws: 100}})
			} else {
				b.look([]Cord{c.cord})
			}
		}
		if got := b.past.Lines[0].Hours[0].Gives != 0; got != c.want {
			t.Errorf("%s: the hour counts: %t, want %t", c.name, got, c.want)
		}
	}
	b := &bench3{now: t0}
	b.run(30, unlike, [3]int{0, 1, 2})
	b.now = t0.Add(-time.Hour)
	b.run(1, unlike, [3]int{0, 1, 2})
	if len(b.past.Lines[0].Hours) != 0 || b.past.Looks != 1 {
		t.Errorf("the clock was set back, and kept is %+v", b.past)
	}
	b.run(60*12, unlike, [3]int{0, 1, 2})
	if n := len(b.past.Lines[0].Hours); n != cordHours {
		t.Errorf("%d hours are kept after 60, want %d", n, cordHours)
	}
}

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
	t.Logf("found %d of %d within a day, half of them within %s, three of four within %s", len(took), trials, took[trials/2], took[trials*3/4])
}
