package probes

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
)

// fake is a probe whose answer a test decides.
type fake struct {
	id     string
	busy   atomic.Int32
	polls  atomic.Int32
	closed atomic.Int32
	do     func(ctx context.Context, n int) error
}

func (f *fake) Observe(ctx context.Context, lane fleet.Lane) (*fleet.Observation, error) {
	if f.busy.Add(1) != 1 {
		panic("two polls of one target at once")
	}
	defer f.busy.Add(-1)
	o := &fleet.Observation{Target: f.id, Source: fleet.SourceIPMI, Lane: lane, At: time.Now()}
	n := int(f.polls.Add(1))
	if f.do != nil {
		if err := f.do(ctx, n); err != nil {
			o.Err = &fleet.ProbeError{Target: f.id, Op: "test", Err: err}
			return o, nil
		}
	}
	o.SetTable(fleet.TableSensors, fleet.Complete)
	return o, nil
}

func (f *fake) Act(ctx context.Context, a fleet.Action) (fleet.Outcome, error) {
	if f.busy.Add(1) != 1 {
		panic("an action in the middle of a poll")
	}
	defer f.busy.Add(-1)
	return fleet.Outcome{Done: true, Text: string(a.Kind)}, nil
}

func (f *fake) Close() error { f.closed.Add(1); return nil }

func (f *fake) target() Target {
	return Target{ID: f.id, Source: fleet.SourceIPMI, Key: "k", Build: func() (fleet.Probe, error) { return f, nil }}
}

type kept struct {
	mu  sync.Mutex
	all []*fleet.Observation
}

func (k *kept) sink(_ context.Context, o *fleet.Observation) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, o)
	return nil
}

func (k *kept) of(id string) (out []*fleet.Observation) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range k.all {
		if o.Target == id {
			out = append(out, o)
		}
	}
	return out
}

// under runs a scheduler in a bubble of fake time.
func under(t *testing.T, cfg Config, do func(t *testing.T, s *Scheduler, k *kept)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		s, err := NewScheduler(cfg, k.sink, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		synctest.Wait()
		do(t, s, k)
		cancel()
		<-done
	})
}

func quick() Config {
	c := Defaults()
	c.Interval, c.Tables, c.Slow = 10*time.Second, time.Minute, 5*time.Minute
	return c
}

func TestLanes(t *testing.T) {
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		f := &fake{id: "a"}
		s.SetTargets([]Target{f.target()})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		var by [3]int
		for _, o := range k.of("a") {
			by[o.Lane]++
		}
		if got := k.of("a")[0].Lane; got != fleet.LaneSlow {
			t.Errorf("the first poll is %s", got)
		}
		if by[0] < 48 || by[0] > 52 || by[1] < 7 || by[1] > 9 || by[2] < 2 || by[2] > 3 {
			t.Errorf("in ten minutes: %d fast, %d tables, %d slow", by[0], by[1], by[2])
		}
	})
}

// After a start no lane waits longer than its interval for its second look: what
// a slow poll reads would be too old until then.
func TestTheSecondLookIsInTime(t *testing.T) {
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		var targets []Target
		for i := range 50 {
			targets = append(targets, (&fake{id: fmt.Sprint("t", i)}).target())
		}
		s.SetTargets(targets)
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		for i := range targets {
			id := targets[i].ID
			var last time.Time
			n := 0
			for _, o := range k.of(id) {
				if o.Lane != fleet.LaneSlow {
					continue
				}
				// It rides on a fast poll, which may be up to one away.
				if gap := o.At.Sub(last); n > 0 && (gap > 5*time.Minute+10*time.Second || gap < 150*time.Second-10*time.Second) {
					t.Errorf("%s: slow look %d comes %s after the one before", id, n+1, gap)
				}
				n, last = n+1, o.At
			}
			if n < 3 || n > 5 {
				t.Errorf("%s: %d slow looks in three intervals", id, n)
			}
		}
	})
}

func TestTargetsDoNotWakeTogether(t *testing.T) {
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		var targets []Target
		for i := range 200 {
			targets = append(targets, (&fake{id: fmt.Sprint("t", i)}).target())
		}
		s.SetTargets(targets)
		time.Sleep(time.Minute)
		synctest.Wait()
		second := map[int64]int{}
		for _, o := range k.all {
			if o.At.Sub(k.all[0].At) > 20*time.Second {
				second[o.At.Unix()]++
			}
		}
		for at, n := range second {
			if n > 60 {
				t.Errorf("%d of 200 targets polled within second %d", n, at)
			}
		}
	})
}

func TestHangingDeviceCostsOnlyItself(t *testing.T) {
	cfg := quick()
	cfg.Parallel, cfg.Patients = 2, 1
	under(t, cfg, func(t *testing.T, s *Scheduler, k *kept) {
		hang := func(ctx context.Context, _ int) error { <-ctx.Done(); return fleet.ErrTimeout }
		targets := []Target{(&fake{id: "hung1", do: hang}).target(), (&fake{id: "hung2", do: hang}).target(), (&fake{id: "hung3", do: hang}).target(), (&fake{id: "well"}).target()}
		s.SetTargets(targets)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := len(k.of("well")); n < 50 {
			t.Errorf("the well target was polled %d times in ten minutes beside three that hang", n)
		}
		if n := len(k.of("hung1")); n < 3 || n > 30 {
			t.Errorf("a dead target was tried %d times in ten minutes", n)
		}
	})
}

func TestWrongPasswordIsNotTriedAgain(t *testing.T) {
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		f := &fake{id: "locked", do: func(context.Context, int) error { return fleet.ErrAuth }}
		s.SetTargets([]Target{f.target()})
		time.Sleep(50 * time.Minute)
		s.Nudge("locked")
		synctest.Wait()
		if n := f.polls.Load(); n != 1 {
			t.Errorf("a refused password was tried %d times in 50 minutes", n)
		}
		again := f.target()
		again.Key = "new password"
		s.SetTargets([]Target{again})
		time.Sleep(time.Minute)
		if n := f.polls.Load(); n < 2 {
			t.Error("a changed credential was not tried")
		}
	})
}

func TestRecoveryIsSeenSoon(t *testing.T) {
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		f := &fake{id: "a", do: func(_ context.Context, n int) error {
			if n < 20 {
				return fleet.ErrUnreachable
			}
			return nil
		}}
		s.SetTargets([]Target{f.target()})
		for f.polls.Load() < 19 {
			time.Sleep(time.Second)
		}
		at := time.Now()
		for f.polls.Load() < 20 {
			time.Sleep(time.Second)
		}
		if d := time.Since(at); d > 55*time.Second {
			t.Errorf("a target that came back was seen after %s", d)
		}
		synctest.Wait()
		if all := k.of("a"); all[len(all)-1].Err == nil && all[len(all)-1].Lane != fleet.LaneSlow {
			t.Errorf("the first look after an outage is %s: what was owed is not read", all[len(all)-1].Lane)
		}
	})
}

func TestNudgeAndActKeepOneOwner(t *testing.T) {
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		f := &fake{id: "a", do: func(ctx context.Context, _ int) error { time.Sleep(500 * time.Millisecond); return nil }}
		s.SetTargets([]Target{f.target()})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				s.Nudge("a")
				if out, err := s.Act(t.Context(), fleet.SourceIPMI, "a", fleet.Action{Kind: fleet.ActIdentify}); err != nil || !out.Done {
					t.Error(out, err)
				}
			})
		}
		wg.Wait()
		if _, err := s.Act(t.Context(), fleet.SourceSNMP, "a", fleet.Action{Kind: fleet.ActPortUp}); err == nil {
			t.Error("an action over a wire that is not there was carried out")
		}
	})
}

// TestWhatWasDoneIsReadBack: the look after an action is of the lane that shows
// what it changed, though that lane is not due for minutes.
func TestWhatWasDoneIsReadBack(t *testing.T) {
	for kind, want := range map[fleet.ActionKind]fleet.Lane{fleet.ActPortVLAN: fleet.LaneSlow, fleet.ActRuleRemove: fleet.LaneTables, fleet.ActPowerOn: fleet.LaneFast} {
		under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
			f := &fake{id: "a"}
			s.SetTargets([]Target{f.target()})
			time.Sleep(15 * time.Second)
			synctest.Wait()
			before := len(k.of("a"))
			if _, err := s.Act(t.Context(), fleet.SourceIPMI, "a", fleet.Action{Kind: kind}); err != nil {
				t.Fatal(err)
			}
			s.Nudge("a")
			synctest.Wait()
			if all := k.of("a"); len(all) != before+1 || all[before].Lane != want {
				t.Errorf("%s: %d looks after it, the last is %s, want one of %s", kind, len(all)-before, all[len(all)-1].Lane, want)
			}
		})
	}
}

func TestPanicIsOneTargetsBadDay(t *testing.T) {
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		f := &fake{id: "a", do: func(_ context.Context, n int) error {
			if n == 1 {
				panic("nonsense from the wire")
			}
			return nil
		}}
		s.SetTargets([]Target{f.target()})
		time.Sleep(time.Minute)
		synctest.Wait()
		all := k.of("a")
		if len(all) < 3 || all[0].Err == nil || all[0].Err.Kind() != "protocol" || all[len(all)-1].Err != nil {
			t.Errorf("%d observations, first %v", len(all), all[0].Err)
		}
		if f.closed.Load() != 1 {
			t.Error("a probe that panicked was not replaced")
		}
	})
}

// crowd counts how many probes of one target are open at once.
type crowd struct{ open, most, polls atomic.Int32 }

// slowProbe takes five seconds to look and as long to close, cancelled or not.
type slowProbe struct{ *crowd }

func (p slowProbe) Observe(_ context.Context, lane fleet.Lane) (*fleet.Observation, error) {
	p.polls.Add(1)
	time.Sleep(5 * time.Second)
	return &fleet.Observation{Target: "a", Source: fleet.SourceIPMI, Lane: lane, At: time.Now()}, nil
}

func (p slowProbe) Close() error {
	time.Sleep(5 * time.Second)
	p.open.Add(-1)
	return nil
}

func (c *crowd) target(key string) Target {
	return Target{ID: "a", Source: fleet.SourceIPMI, Key: key, Build: func() (fleet.Probe, error) {
		c.most.Store(max(c.most.Load(), c.open.Add(1)))
		return slowProbe{c}, nil
	}}
}

// TestReloadKeepsOneOwner: with a new key, and when a target comes back, the
// old probe is closed before the new one is built.
func TestReloadKeepsOneOwner(t *testing.T) {
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		var c crowd
		s.SetTargets([]Target{c.target("1")})
		time.Sleep(3 * time.Second)
		s.SetTargets([]Target{c.target("2")})
		time.Sleep(time.Second)
		s.SetTargets([]Target{c.target("3")}) // 2 never got to look
		time.Sleep(time.Minute)
		s.SetTargets(nil)
		time.Sleep(time.Second)
		before := c.polls.Load()
		s.SetTargets([]Target{c.target("3")})
		time.Sleep(time.Minute)
		synctest.Wait()
		if c.most.Load() != 1 || c.polls.Load() == before {
			t.Errorf("%d probes at once; %d polls after the target came back", c.most.Load(), c.polls.Load()-before)
		}
	})
}

// panicky panics in every look and in every Close.
type panicky struct{ closes *atomic.Int32 }

func (panicky) Observe(context.Context, fleet.Lane) (*fleet.Observation, error) { panic("observe") }
func (p panicky) Close() error                                                  { p.closes.Add(1); panic("close") }

// TestCloseThatPanics: a probe that panicked is never used again, whatever its
// Close does.
func TestCloseThatPanics(t *testing.T) {
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		var builds, closes atomic.Int32
		s.SetTargets([]Target{{ID: "a", Source: fleet.SourceIPMI, Key: "k", Build: func() (fleet.Probe, error) {
			builds.Add(1)
			return panicky{&closes}, nil
		}}})
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if n := len(k.of("a")); n < 2 || int(builds.Load()) != n || builds.Load() != closes.Load() {
			t.Errorf("%d observations, %d builds, %d closes", n, builds.Load(), closes.Load())
		}
	})
}

func TestReloadKeepsSessions(t *testing.T) {
	under(t, quick(), func(t *testing.T, s *Scheduler, k *kept) {
		a, b := &fake{id: "a"}, &fake{id: "b"}
		s.SetTargets([]Target{a.target(), b.target()})
		time.Sleep(30 * time.Second)
		s.SetTargets([]Target{a.target()})
		synctest.Wait()
		if a.closed.Load() != 0 || b.closed.Load() != 1 {
			t.Errorf("closed: a %d, b %d", a.closed.Load(), b.closed.Load())
		}
	})
}

func TestConfigRefusesNonsense(t *testing.T) {
	for _, spoil := range []func(*Config){
		func(c *Config) { c.Interval = 0 }, func(c *Config) { c.Slow = c.Interval / 2 }, func(c *Config) { c.Timeout = 0 }, func(c *Config) { c.Parallel = 0 },
	} {
		c := Defaults()
		spoil(&c)
		if c.Validate() == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}
