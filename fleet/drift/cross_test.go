package drift

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"plumb/fleet"
)

// strip is a PDU with three outlets that is polled every five minutes: what their
// supplies draw, what hangs where, and what plumb makes of it.
type strip struct {
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
func (b *strip) run(n int, w work, hang [3]int) {
	for range n {
		cords := make([]Cord, 3)
		for k := range cords {
			cords[k] = Cord{Outlet: k + 1, Supply: string(rune('a' + k)), Gives: w(hang[k], b.polls), Draws: w(k, b.polls)}
		}
		b.look(cords)
	}
}

func (b *strip) look(cords []Cord) {
	b.past, b.pairs = Cross(b.past, b.pairs, cords, b.now)
	b.now = b.now.Add(5 * time.Minute)
	b.polls++
}

func (b *strip) sure() (out [][2]int) {
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
			b := &strip{now: t0}
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
	b := &strip{now: t0}
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
	b := &strip{now: t0}
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
	b := &strip{now: t0}
	for range 24 * 12 {
		x, y := equals(0, b.polls), equals(1, b.polls)
		b.look([]Cord{{Outlet: 1, Supply: "a", Gives: y + 60, Draws: x}, {Outlet: 2, Supply: "b", Gives: x + 60, Draws: y}})
	}
	if got := b.sure(); len(got) > 0 {
		t.Errorf("sure of %v: %+v", got, b.past)
	}
}

// TestMetersThatLie: what stands still, or shows what no supply can draw, shows
// nothing of cords.
func TestMetersThatLie(t *testing.T) {
	for name, lie := range map[string]func(c *Cord, poll int){
		"outlets that stand still":  func(c *Cord, _ int) { c.Gives = 100 },
		"supplies that stand still": func(c *Cord, _ int) { c.Draws = 100 },
		"watts beyond all numbers":  func(c *Cord, poll int) { c.Gives, c.Draws = c.Gives*1e300, c.Draws*math.Inf(poll%2) },
	} {
		b := &strip{now: t0}
		for range 30 * 12 {
			x, y := unlike(0, b.polls), unlike(1, b.polls)
			cords := []Cord{{Outlet: 1, Supply: "a", Gives: y, Draws: x}, {Outlet: 2, Supply: "b", Gives: x, Draws: y}}
			for i := range cords {
				lie(&cords[i], b.polls)
			}
			b.look(cords)
		}
		if got := b.sure(); len(got) > 0 {
			t.Errorf("%s: sure of %v", name, got)
		}
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
	b := &strip{now: t0}
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
	b := &strip{now: t0}
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
		b := &strip{now: t0}
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
	b := &strip{now: t0}
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
