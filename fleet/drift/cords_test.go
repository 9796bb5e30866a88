package drift

import (
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
	level    = poll{{101, 100}, {104, 102}, {210, 205}} // 1 and 2 draw alike
	dark     = poll{{0, 100}, {0, 150}, {210, 205}}
	odd      = poll{{180, 100}, {101, 150}, {210, 205}} // one of them fits nothing
)

func follow(was []fleet.Crossing, from time.Time, every time.Duration, n int, p poll) ([]fleet.Crossing, time.Time) {
	for range n {
		var cords []Cord
		for i, c := range p {
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
		{"as meant", []poll{asMeant}, []int{100}, 0},
		{"exchanged", []poll{exchange}, []int{13}, 1},
		{"for less than an hour", []poll{exchange}, []int{12}, 0},
		{"loads that cross for a while", []poll{exchange, asMeant, exchange, asMeant}, []int{10, 3, 10, 3}, 0},
		{"loads that are alike say nothing", []poll{level}, []int{100}, 0},
		{"and take nothing back", []poll{exchange, level, exchange}, []int{7, 50, 6}, 1},
		{"nor do outlets that give nothing", []poll{exchange, dark}, []int{13, 100}, 1},
		{"one that fits and one that does not", []poll{odd}, []int{100}, 0},
		{"put right", []poll{exchange, asMeant}, []int{13, 13}, 0},
		{"put right a moment ago", []poll{exchange, asMeant}, []int{13, 5}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var list []fleet.Crossing
			at := t0
			for i := range c.polls {
				list, at = follow(list, at, every, c.times[i], c.polls[i])
			}
			got := sure(list)
			if len(got) != c.want || c.want > 0 && got[0] != [2]int{1, 2} {
				t.Errorf("sure of %v, want %d pairs: %+v", got, c.want, list)
			}
		})
	}
	if list, _ := follow(nil, t0, time.Hour, 5, exchange); len(sure(list)) != 0 {
		t.Error("five polls are enough when they are far apart")
	}
}

// TestFindingsOfCords: both outlets are found, stay while nothing can be
// compared, and end when the pair is known to be straight.
func TestFindingsOfCords(t *testing.T) {
	pair := fleet.Crossing{A: 3, B: 7, Crossed: true, Known: true, Sure: true}
	judge := func(docket *fleet.Docket, list ...fleet.Crossing) Settled {
		d := &fleet.Device{Spec: &fleet.DeviceSpec{ID: "pa"}, Crossings: list, Docket: docket}
		j := Judge(Case{Device: d, Policies: &fleet.Policies{}, Readable: func(fleet.TableID) bool { return true },
			End: func(a fleet.Attachment) string { return a.Part },
			Corded: func(outlet int) fleet.Attachment {
				return fleet.Attachment{Part: map[int]string{3: "s03 PSU 1", 7: "s07 PSU 1"}[outlet]}
			}})
		return Settle(docket, "pa", j, t0)
	}
	s := judge(&fleet.Docket{}, pair, fleet.Crossing{A: 3, B: 9, Known: true})
	if len(s.Begun) != 2 || s.Begun[0].Facet != "outlet 3 cord" || s.Begun[0].Observed != "s07 PSU 1" || s.Begun[0].Baselines[0].Expected != "s03 PSU 1" {
		t.Fatalf("found %+v", s.Begun)
	}
	if after := judge(s.Docket); len(after.Ended) != 0 {
		t.Errorf("nothing was compared, and %v are over", names(after.Ended))
	}
	pair.Sure, pair.Crossed = false, false
	if after := judge(s.Docket, pair); len(after.Ended) != 2 {
		t.Errorf("the cords are straight, and %v are over", names(after.Ended))
	}
}
