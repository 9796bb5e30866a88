package probes

import (
	"context"
	"testing"
	"time"

	"plumb/fleet"
)

// A fleet that does not answer is no scheduler that hangs; one whose polls
// neither begin nor end is, also when that is because nobody takes what they saw.
func TestStuck(t *testing.T) {
	cfg := Defaults()
	limit := cfg.deadline(fleet.LaneSlow) + cfg.longest()
	under(t, cfg, func(t *testing.T, s *Scheduler, k *kept) {
		if _, stuck := s.Stuck(); stuck {
			t.Error("without targets")
		}
		dead := &fake{id: "dead", do: func(context.Context, int) error { return fleet.ErrTimeout }}
		s.SetTargets([]Target{dead.target()})
		time.Sleep(20 * limit)
		if still, stuck := s.Stuck(); stuck {
			t.Errorf("a fleet that does not answer: %v", still)
		}
		block := make(chan struct{})
		hangs := &fake{id: "hangs", do: func(context.Context, int) error { <-block; return nil }}
		s.SetTargets([]Target{dead.target(), hangs.target()})
		time.Sleep(2 * limit)
		if still, stuck := s.Stuck(); stuck {
			t.Errorf("one that hangs beside one that does not: %v", still)
		}
		s.SetTargets([]Target{hangs.target()})
		time.Sleep(2 * limit)
		if still, stuck := s.Stuck(); !stuck {
			t.Errorf("all that there is hangs, and nothing is said after %v", still)
		}
		close(block)
		time.Sleep(time.Second)
		if still, stuck := s.Stuck(); stuck {
			t.Errorf("it goes on: %v", still)
		}
	})
}

// A workload that is asked seldom makes nobody blind to a scheduler that hangs.
func TestStuckBesideASlowPace(t *testing.T) {
	cfg, ok := Defaults(), fleet.StateOK
	limit := cfg.deadline(fleet.LaneSlow) + cfg.longest()
	under(t, cfg, func(t *testing.T, s *Scheduler, _ *kept) {
		block := make(chan struct{})
		defer close(block)
		hangs := &fake{id: "hangs", do: func(context.Context, int) error { <-block; return nil }}
		shop := &workloadFake{id: "shop", says: func(int) *fleet.State { return &ok }}
		s.SetTargets([]Target{shop.target(Pace{Every: time.Hour, Timeout: 5 * time.Second, Attempts: 3})})
		time.Sleep(50 * time.Minute)
		if still, stuck := s.Stuck(); stuck {
			t.Errorf("a workload that is not due: %v", still)
		}
		s.SetTargets([]Target{hangs.target(), shop.target(Pace{Every: time.Hour, Timeout: 5 * time.Second, Attempts: 3})})
		stuck := false
		for range 40 {
			time.Sleep(limit / 20)
			_, now := s.Stuck()
			stuck = stuck || now
		}
		if !stuck {
			t.Errorf("all that was due hangs for %v, and nothing is said", 2*limit)
		}
	})
}
