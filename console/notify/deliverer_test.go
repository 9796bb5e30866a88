package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
)

// fake is a kind whose receiver is a function.
type fake struct {
	mu    sync.Mutex
	keys  []string
	at    []time.Time
	hears func(ctx context.Context, m *Message) error // nil: yes
}

func (*fake) Kind() string        { return "webhook" }
func (*fake) Validate() error     { return nil }
func (*fake) defaultText() string { return defaultBody }
func (*fake) pages() bool         { return false }
func (f *fake) sender() Sender    { return f }

func (f *fake) Send(ctx context.Context, m *Message) (string, error) {
	if f.hears != nil {
		if err := f.hears(ctx, m); err != nil {
			return "", err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys, f.at = append(f.keys, m.Key), append(f.at, time.Now())
	return "yes", nil
}

func (f *fake) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.keys)
}

// running runs a deliverer in a bubble until the test ends.
func running(t *testing.T, b *box, list ...Config) *Deliverer {
	t.Helper()
	d := New(Deps{Outbox: b, Watch: b.watch, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), MaxWaiting: 100, Alive: b.alive,
		Standing: func(*fleet.Snapshot, string) []fleet.Pages { return nil }}, list)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	synctest.Wait()
	return d
}

func bubble(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }

// later lets time pass in a bubble.
func later(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestInOrderAndOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, f := &box{}, &fake{}
		b.put("pager", "k0")
		running(t, b, Config{Name: "pager", Kind: f})
		for i := range 50 {
			b.put("pager", fmt.Sprint("k", i+1))
		}
		later(time.Second)
		var want []string
		for i := range 51 {
			want = append(want, fmt.Sprint("k", i))
		}
		if got := f.got(); !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
		if len(b.Backlogs()) != 0 || b.told() != "" {
			t.Errorf("%v wait, %q", b.Backlogs(), b.told())
		}
	})
}

// A dead receiver with a full box, one that hangs and one that is well: the
// last is told at once.
func TestTheDeadKeepNobodyWaiting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, well := &box{}, &fake{}
		dead := &fake{hears: func(context.Context, *Message) error { return errors.New("connection refused") }}
		hangs := &fake{hears: func(ctx context.Context, _ *Message) error { <-ctx.Done(); return ctx.Err() }}
		for i := range 90 {
			b.put("dead", fmt.Sprint("d", i))
			b.put("hangs", fmt.Sprint("h", i))
		}
		d := running(t, b, Config{Name: "dead", Kind: dead}, Config{Name: "hangs", Kind: hangs}, Config{Name: "well", Kind: well})
		began := time.Now()
		b.put("well", "w")
		synctest.Wait()
		if got := well.got(); !slices.Equal(got, []string{"w"}) || time.Since(began) > 0 {
			t.Errorf("%v after %v", got, time.Since(began))
		}
		later(20 * time.Second)
		for _, name := range []string{"dead", "hangs"} {
			if s := b.state(name); s.Failing.IsZero() || s.Error == "" || s.Waiting != 90 {
				t.Errorf("%+v", s)
			}
		}
		if s := b.state("well"); !s.Failing.IsZero() {
			t.Errorf("%+v", s)
		}
		if s := d.States(); s[0].Waiting != 90 || s[2].Counts[ResultSent] != 1 || s[1].Counts[ResultRetried] == 0 || s[1].LastError != "no answer in time" {
			t.Errorf("%+v", s)
		}
	})
}

// Tries grow rarer up to five minutes, go on for as long as the notice is worth
// it, and end in an event.
func TestPatienceEndsWithTheNotice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &box{}
		var tries []time.Time
		f := &fake{hears: func(context.Context, *Message) error { tries = append(tries, time.Now()); return errors.New("no") }}
		d := running(t, b, Config{Name: "pager", Kind: f})
		began := time.Now()
		b.put("pager", "k")
		later(4*time.Hour + time.Minute)
		if n := len(tries); n < 40 || n > 400 {
			t.Errorf("%d tries in four hours", n)
		}
		last := tries[len(tries)-1]
		for i := 1; i < len(tries); i++ {
			if w := tries[i].Sub(tries[i-1]); w < leastWait || w > longWait+time.Second {
				t.Errorf("waits %v", w)
			}
		}
		if last.Sub(began) > 4*time.Hour || last.Sub(began) < 4*time.Hour-longWait-time.Second {
			t.Errorf("the last try is after %v", last.Sub(began))
		}
		s := d.States()[0]
		if !strings.Contains(b.told(), "1 notice no longer worth telling, and never taken by pager: no") || len(b.Backlogs()) != 0 || s.Counts[ResultExpired] != 1 || !s.Failing.IsZero() {
			t.Errorf("%q, %+v", b.told(), s)
		}
	})
}

func TestVerdicts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &box{}
		var mu sync.Mutex // guards tries and say
		tries, say := 0, map[string]error{}
		f := &fake{hears: func(_ context.Context, m *Message) error {
			mu.Lock()
			defer mu.Unlock()
			tries++
			return say[m.Key]
		}}
		says := func(key string, err error) {
			mu.Lock()
			defer mu.Unlock()
			tries, say[key] = 0, err
		}
		tried := func() int { mu.Lock(); defer mu.Unlock(); return tries }
		d := running(t, b, Config{Name: "pager", Kind: f})
		// Refused for good: an event, and the next one goes.
		says("bad", refusal(Final, "400: no such field"))
		b.put("pager", "bad")
		b.put("pager", "good")
		later(time.Second)
		if !slices.Equal(f.got(), []string{"good"}) || !strings.Contains(b.told(), "refused for good by pager: 400: no such field") || d.States()[0].Counts[ResultRefused] != 1 {
			t.Errorf("%v %q", f.got(), b.told())
		}
		// It asks to wait: so long nothing is tried, whatever the backoff.
		says("busy", &Refusal{Verdict: Retry, After: time.Minute, Why: "429"})
		b.put("pager", "busy")
		later(time.Second)
		later(58 * time.Second)
		if tried() != 1 {
			t.Errorf("%d tries in the minute it asked for", tried())
		}
		says("busy", nil)
		later(2 * time.Second)
		// Something has to be mended: kept, tried slowly, and at once when a test
		// shows that it is.
		says("shut", refusal(Mend, "401"))
		b.put("pager", "shut")
		later(2 * time.Minute)
		if tried() != 1 || len(b.Waiting("pager")) != 1 {
			t.Errorf("%d tries", tried())
		}
		says("shut", nil)
		if answer, err := d.Test(t.Context(), "pager"); err != nil || answer != "yes" {
			t.Errorf("%q %v", answer, err)
		}
		later(time.Second)
		if got := f.got(); !slices.Contains(got, "shut") || len(b.Waiting("pager")) != 0 {
			t.Errorf("%v", got)
		}
		if _, err := d.Test(t.Context(), "nobody"); !errors.Is(err, ErrReceiver) {
			t.Errorf("%v", err)
		}
	})
}

// What the store does not take now is not told again by this process.
func TestAStoreThatTakesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, f := &box{refuse: errors.New("disk full")}, &fake{}
		d := running(t, b, Config{Name: "pager", Kind: f})
		b.put("pager", "k")
		later(time.Minute)
		d.Set([]Config{{Name: "pager", Kind: f, Revision: "2"}})
		later(time.Minute)
		if len(f.got()) != 1 || len(b.Waiting("pager")) != 1 {
			t.Errorf("told %v", f.got())
		}
		b.mu.Lock()
		b.refuse = nil
		b.mu.Unlock()
		later(2 * time.Second)
		if len(f.got()) != 1 || len(b.Waiting("pager")) != 0 {
			t.Errorf("told %v, %d wait", f.got(), len(b.Waiting("pager")))
		}
	})
}

// A reload changes one receiver, takes one away and adds one: nothing is lost,
// and what waits for the one that is gone is kept until it expires.
func TestReload(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &box{}
		no := func(context.Context, *Message) error { return errors.New("no") }
		a, same, gone := &fake{hears: no}, &fake{}, &fake{hears: no}
		d := running(t, b, Config{Name: "a", Kind: a, Revision: "1"}, Config{Name: "same", Kind: same, Revision: "1"}, Config{Name: "gone", Kind: gone, Revision: "1"})
		b.put("a", "k1")
		b.put("gone", "k2")
		later(time.Minute)
		next, added := &fake{}, &fake{}
		kept := d.workers["same"]
		d.Set([]Config{{Name: "a", Kind: next, Revision: "2"}, {Name: "same", Kind: &fake{}, Revision: "1"}, {Name: "added", Kind: added, Revision: "1"}})
		b.put("added", "k3")
		later(time.Minute)
		if !slices.Equal(next.got(), []string{"k1"}) || !slices.Equal(added.got(), []string{"k3"}) || d.workers["same"] != kept {
			t.Errorf("%v %v", next.got(), added.got())
		}
		s := d.States()
		if last := s[len(s)-1]; last.Name != "gone" || last.Kind != "" || last.Waiting != 1 || !strings.Contains(b.told(), "not configured any more: gone") {
			t.Errorf("%+v %q", s, b.told())
		}
		if strings.Count(b.told(), "not configured") != 1 {
			t.Errorf("%q", b.told())
		}
		later(4 * time.Hour)
		if len(b.Backlogs()) != 0 || !strings.Contains(b.told(), "no longer worth telling, and never taken by gone") {
			t.Errorf("%v %q", b.Backlogs(), b.told())
		}
	})
}

// Too much waits: the oldest go.
func TestTooMuchWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &box{}
		f := &fake{hears: func(context.Context, *Message) error { return errors.New("no") }}
		d := running(t, b, Config{Name: "pager", Kind: f})
		for i := range 130 {
			b.put("pager", fmt.Sprint("k", i))
		}
		later(time.Minute)
		left := b.Waiting("pager")
		if len(left) != 100 || d.States()[0].Counts[ResultDropped] != 30 || !strings.Contains(b.told(), "notices dropped, because too many waited for pager") {
			t.Fatalf("%d wait, %q", len(left), b.told())
		}
		if left[0].Key != "k30" {
			t.Errorf("the first that waits is %s", left[0].Key)
		}
	})
}

// At the end what is under way has two seconds, and the rest waits.
func TestFarewell(t *testing.T) {
	for hold, want := range map[time.Duration]int{time.Second: 0, 5 * time.Second: 1} {
		bubble(t, func(t *testing.T) {
			b := &box{}
			f := &fake{hears: func(ctx context.Context, _ *Message) error {
				select {
				case <-time.After(hold):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}}
			d := New(Deps{Outbox: b, Watch: b.watch, Log: slog.New(slog.DiscardHandler)}, []Config{{Name: "pager", Kind: f}})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); d.Run(ctx) }()
			synctest.Wait()
			b.put("pager", "k")
			synctest.Wait()
			cancel()
			began := time.Now()
			<-done
			if took := time.Since(began); took > farewell+time.Second || len(b.Waiting("pager")) != want {
				t.Errorf("under way for %v: %d wait, stopped after %v", hold, len(b.Waiting("pager")), took)
			}
		})
	}
}

// A heartbeat is said while plumb does its work, and not while it does not.
func TestHeartbeat(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, f := &box{}, &fake{}
		var beats []*Message
		f.hears = func(_ context.Context, m *Message) error { beats = append(beats, m); return nil }
		d := running(t, b, Config{Name: "out", Kind: f, Heartbeat: time.Minute})
		later(10*time.Minute + time.Second)
		if n := len(beats); n != 11 || beats[0].What != WhatHeartbeat || beats[0].Key == beats[1].Key || beats[1].Pages.Alerts[0].Labels["rule"] != "Watchdog" {
			t.Errorf("%d heartbeats", n)
		}
		b.mu.Lock()
		b.down = errors.New("the store cannot write")
		b.mu.Unlock()
		later(10 * time.Minute)
		if n := len(beats); n != 11 || d.States()[0].Counts[ResultHeartbeatFailed] != 10 || !strings.Contains(d.States()[0].LastError, "cannot write") {
			t.Errorf("%d heartbeats, %+v", n, d.States()[0])
		}
	})
}
