package probes

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
)

// TestWhatWasAskedForWaitsBehindNobodysBeat: a storm asks for polls of a hundred
// targets that take long to answer, again and again. Those wait for one another;
// what is polled on its beat is on time, and so is what was asked for and is due
// meanwhile.
func TestWhatWasAskedForWaitsBehindNobodysBeat(t *testing.T) {
	cfg := quick()
	cfg.Interval, cfg.Parallel = 30*time.Second, 20
	under(t, cfg, func(t *testing.T, s *Scheduler, k *kept) {
		var targets []Target
		var asked []string
		for i := range 100 {
			f := &fake{id: fmt.Sprint("slow", i), do: func(ctx context.Context, _ int) error { time.Sleep(4 * time.Second); return nil }}
			targets, asked = append(targets, f.target()), append(asked, f.id)
		}
		for i := range 50 {
			targets = append(targets, (&fake{id: fmt.Sprint("quick", i)}).target())
		}
		s.SetTargets(targets)
		time.Sleep(2 * time.Minute)
		storm := time.Now()
		for range 60 {
			s.Nudge(asked...)
			time.Sleep(time.Second)
		}
		for i := range 50 {
			last := time.Time{}
			for _, o := range k.of(fmt.Sprint("quick", i)) {
				if d := o.At.Sub(last); !last.IsZero() && o.At.After(storm) && d > cfg.Interval+5*time.Second {
					t.Errorf("quick%d was polled %s after the last time", i, d)
				}
				last = o.At
			}
		}
		for _, id := range asked {
			n, last := 0, time.Time{}
			for _, o := range k.of(id) {
				if o.At.After(storm) {
					if d := o.At.Sub(last); d > cfg.Interval*3/2+time.Second {
						t.Errorf("%s was polled %s after the last time", id, d)
					}
					n++
				}
				last = o.At
			}
			if n > 6 {
				t.Errorf("%s was polled %d times in a minute", id, n)
			}
		}
	})
}

// TestASlowStoreHoldsNoPlaceOfAPoll: what waits for the sink is not under way any
// more, up to a bound.
func TestASlowStoreHoldsNoPlaceOfAPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := quick()
		cfg.Parallel = 2
		var in, most, polls atomic.Int32
		sink := func(context.Context, *fleet.Observation) error {
			most.Store(max(most.Load(), in.Add(1)))
			time.Sleep(4 * time.Second)
			in.Add(-1)
			polls.Add(1)
			return nil
		}
		s, err := NewScheduler(cfg, sink, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		var targets []Target
		for i := range 16 { // 16 polls in 10 s, 4 s each: 7 wait at once
			targets = append(targets, (&fake{id: fmt.Sprint("t", i)}).target())
		}
		s.SetTargets(targets)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		time.Sleep(100 * time.Second)
		if n := polls.Load(); n < 140 {
			t.Errorf("%d polls in ten intervals of 16 targets", n)
		}
		if n := most.Load(); n > tellMost*2 {
			t.Errorf("%d wait for the sink at once", n)
		}
		cancel()
		<-done
	})
}

// TestOnePollAnswersAllWhoAskedBefore: a target that was asked for while it waited
// for its turn is polled once.
func TestOnePollAnswersAllWhoAskedBefore(t *testing.T) {
	cfg := quick()
	cfg.Interval, cfg.Tables, cfg.Parallel = time.Minute, time.Minute, 1
	under(t, cfg, func(t *testing.T, s *Scheduler, k *kept) {
		f := &fake{id: "a"}
		busy := &fake{id: "b", do: func(context.Context, int) error { time.Sleep(8 * time.Second); return nil }}
		s.SetTargets([]Target{f.target(), busy.target()})
		time.Sleep(2*time.Minute + 15*time.Second)
		synctest.Wait()
		before := len(k.of("a"))
		s.Nudge("b")
		time.Sleep(time.Second) // b has the one place there is for what is asked for
		s.Nudge("a")
		time.Sleep(time.Second)
		s.Nudge("a")
		time.Sleep(8 * time.Second)
		synctest.Wait()
		if n := len(k.of("a")) - before; n != 1 {
			t.Errorf("polled %d times", n)
		}
	})
}
