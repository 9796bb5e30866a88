package console

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views/viewstest"
)

func TestOneJudgementServesEverybody(t *testing.T) {
	now := viewstest.At
	d := NewDerived(nil, func() time.Time { return now })
	q := fleet.Query{Kind: fleet.QueryDerived, Target: "capacity"}
	ask := func(s *fleet.Snapshot) *capacity.Survey {
		t.Helper()
		v, ok := d.of(context.Background(), s, q).Derived.(*capacity.Survey)
		if !ok || len(v.Subjects) == 0 {
			t.Fatalf("%v", v)
		}
		return v
	}
	same := func(a, b *capacity.Survey) bool { return a == b }

	s := *viewstest.Fleet()
	s.Live, s.Version = true, 7
	first := ask(&s)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if !same(ask(&s), first) {
				t.Error("made again for a second session")
			}
		})
	}
	wg.Wait()

	next := s
	next.Version = 8
	if !same(ask(&next), first) {
		t.Error("made again within its period")
	}
	now = now.Add(3 * time.Second)
	if !same(ask(&s), first) {
		t.Error("made again though the fleet did not move on")
	}
	second := ask(&next)
	if same(second, first) {
		t.Error("an old one for a new snapshot, after its period")
	}

	past := s
	past.Live, past.At = false, s.At.Add(-time.Hour)
	then := ask(&past)
	if same(then, second) {
		t.Error("the present was shown as the past")
	}
	for i := range maxDerivedPasts - 1 {
		other := past
		other.At = past.At.Add(time.Duration(i+1) * time.Minute)
		ask(&other)
	}
	if !same(ask(&past), then) {
		t.Error("a past was not remembered")
	}
	if !same(ask(&next), second) {
		t.Error("looking at the past dropped the present")
	}
}

func TestAJudgementThatIsNotThereOrWasCutShort(t *testing.T) {
	d := NewDerived(nil, time.Now)
	if a := d.of(context.Background(), viewstest.Fleet(), fleet.Query{Kind: fleet.QueryDerived, Target: "taste"}); a.Err == nil {
		t.Error("judged by nothing")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	q := fleet.Query{Kind: fleet.QueryDerived, Target: "capacity"}
	if a := d.of(ctx, viewstest.Fleet(), q); !errors.Is(a.Err, context.Canceled) || a.Derived != nil {
		t.Errorf("%v", a)
	}
	if a := d.of(context.Background(), viewstest.Fleet(), q); a.Err != nil || a.Derived == nil {
		t.Errorf("after one that was cut short: %v", a.Err)
	}
}

// TestNothingIsJudgedBeforeThereIsAFleet: a screen that is drawn before its
// first snapshot would have everybody shown the capacity of nothing, for as long
// as that is good.
func TestNothingIsJudgedBeforeThereIsAFleet(t *testing.T) {
	a := newAnswers(nil, make(chan struct{}, 1))
	needs := []fleet.Query{{Kind: fleet.QueryDerived, Target: "capacity"}, {Kind: fleet.QueryEvents}}
	now := viewstest.At
	if due := a.due(needs, 0, now); len(due) != 1 || due[0].Kind != fleet.QueryEvents {
		t.Errorf("%+v", due)
	}
	if due := a.due(needs, 1, now); len(due) != 1 || due[0].Kind != fleet.QueryDerived {
		t.Errorf("%+v", due)
	}
}

// TestWhatWasMadeOfTooLittleIsMadeAgainSoon: a forecast whose history could not
// be read says so, and not for a minute.
func TestWhatWasMadeOfTooLittleIsMadeAgainSoon(t *testing.T) {
	now, asked := viewstest.At, 0
	d := NewDerived(func(context.Context, fleet.Query, time.Time) fleet.Answer {
		asked++
		return fleet.Answer{Err: errors.New("disk on fire")}
	}, func() time.Time { return now })
	s := *viewstest.Fleet()
	topo := *s.Topology
	topo.PDUsOf = map[string][]int{s.Feeds.ID(0): {s.Devices.Number("fra1-r03-pa")}}
	s.Topology, s.Live, s.Version = &topo, true, 1
	q := fleet.Query{Kind: fleet.QueryDerived, Target: "foresight"}
	made := func() int {
		t.Helper()
		if a := d.of(context.Background(), &s, q); a.Err != nil || a.Derived == nil {
			t.Fatalf("%+v", a)
		}
		s.Version++
		return asked
	}
	if first := made(); first == 0 || made() != first {
		t.Errorf("%d questions", asked)
	}
	before := asked
	if now = now.Add(retryAfter + time.Second); made() == before {
		t.Error("not asked again")
	}
}

// TestQuestionsMakeRoomForQuestions: what anybody may ask does not fill the
// memory, and does not push out what everybody looks at.
func TestQuestionsMakeRoomForQuestions(t *testing.T) {
	d := NewDerived(nil, time.Now)
	survey := fleet.Query{Kind: fleet.QueryDerived, Target: "capacity"}
	d.one(survey)
	for n := range 5 * maxDerived {
		d.one(fleet.Query{Kind: fleet.QueryDerived, Target: "placement", Arg: fmt.Sprint(n)})
	}
	if len(d.by) > maxDerived || d.by[survey] == nil {
		t.Errorf("%d are kept", len(d.by))
	}
}
