// Package probetest is the one suite that every probe must pass.
//
// The one idea: what the scheduler and the engine rely on is the same for
// every wire, so it is tested once, here, and each wire brings only a target
// that can be made to behave badly. The suite knows nothing of protocols.
//
// It holds a probe to the contract of fleet.Probe: an observation always
// comes back, filled; failures stand in it with the right kind; deadlines and
// cancellation end a poll; a target that comes back is read again; nothing is
// left behind, neither a goroutine nor an open socket.
//
// What does not belong here: what a probe reads. That is each wire's own.
package probetest

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"testing"
	"time"

	"plumb/fleet"
)

// Target is a simulated target under the suite's control, for one test.
type Target interface {
	// Probe makes a fresh probe of the target with the right credentials and
	// short timeouts: a dead target is found out in less than Patience.
	Probe() fleet.Probe
	// Mute makes the target swallow everything (true) or speak again.
	Mute(bool)
	// Garble makes every answer nonsense (true) or true again.
	Garble(bool)
	// Restart makes the target forget what it knew of its clients.
	Restart()
	// Stop frees the target's address: what is sent there is refused. The
	// suite calls it once, last.
	Stop()
}

// Suite says what differs between wires.
type Suite struct {
	// Start starts a target that ends with the test.
	Start func(t *testing.T) Target
	// Table is one that a complete poll fills.
	Table fleet.TableID
	// Patience is longer than a probe needs to give a target up.
	Patience time.Duration
	// WrongSecret makes a probe of a started target with credentials that
	// it refuses; nil where the protocol cannot tell.
	WrongSecret func(t *testing.T, target Target) fleet.Probe
}

// Run runs the suite as subtests.
func (s Suite) Run(t *testing.T) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Suite)
	}{
		{"ok", testOK}, {"silent", testSilent}, {"refused", testRefused}, {"garbage", testGarbage}, {"wrong secret", testWrongSecret},
		{"reconnect", testReconnect}, {"restart", testRestart}, {"deadline", testDeadline}, {"cancel", testCancel}, {"close", testClose},
	} {
		t.Run(c.name, func(t *testing.T) {
			NoLeaks(t)
			c.test(t, s)
		})
	}
}

// NoLeaks fails the test when it leaves goroutines behind.
func NoLeaks(t testing.TB) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; <-tick.C {
			if time.Now().After(end) {
				buf := make([]byte, 1<<16)
				t.Errorf("goroutines: %d before, %d after\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
				return
			}
		}
	})
}

func (s Suite) begin(t *testing.T) (Target, fleet.Probe) {
	t.Helper()
	target := s.Start(t)
	probe := target.Probe()
	t.Cleanup(func() { probe.Close() })
	return target, probe
}

// observe polls once and checks what holds for every observation.
func (s Suite) observe(t *testing.T, p fleet.Probe, lane fleet.Lane) *fleet.Observation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*s.Patience)
	defer cancel()
	began := time.Now()
	o, err := p.Observe(ctx, lane)
	if err != nil || o == nil {
		t.Fatalf("Observe: %v, %v", o, err)
	}
	if took := time.Since(began); took > s.Patience {
		t.Errorf("it took %v, want less than %v", took, s.Patience)
	}
	if o.Target == "" || o.Source == "" || o.Lane != lane || o.At.IsZero() || len(o.Tables) == 0 {
		t.Errorf("not filled: target %q, source %q, lane %v, at %v, tables %v", o.Target, o.Source, o.Lane, o.At, o.Tables)
	}
	if o.Err != nil && o.Err.Target != o.Target {
		t.Errorf("the error is about %q", o.Err.Target)
	}
	if raw, err := json.Marshal(o); err != nil || json.Unmarshal(raw, new(fleet.Observation)) != nil {
		t.Errorf("it does not survive JSON: %v", err)
	}
	return o
}

func (s Suite) well(t *testing.T, p fleet.Probe) {
	t.Helper()
	if o := s.observe(t, p, fleet.LaneSlow); o.Err != nil || o.Tables[s.Table] != fleet.Complete {
		t.Fatalf("%v is %v, error %v", s.Table, o.Tables[s.Table], o.Err)
	}
}

func (s Suite) fails(t *testing.T, p fleet.Probe, kinds ...error) {
	t.Helper()
	o := s.observe(t, p, fleet.LaneFast)
	if o.Err == nil || o.Tables[s.Table] == fleet.Complete {
		t.Fatalf("%v is %v, error %v", s.Table, o.Tables[s.Table], o.Err)
	}
	for _, k := range kinds {
		if errors.Is(o.Err, k) {
			return
		}
	}
	t.Errorf("error %v, want one of %v", o.Err, kinds)
}

func testOK(t *testing.T, s Suite) {
	_, p := s.begin(t)
	s.well(t, p)
	for _, lane := range []fleet.Lane{fleet.LaneFast, fleet.LaneTables, fleet.LaneSlow} {
		if o := s.observe(t, p, lane); o.Err != nil {
			t.Errorf("lane %v: %v", lane, o.Err)
		}
	}
}

func testSilent(t *testing.T, s Suite) {
	target, p := s.begin(t)
	target.Mute(true)
	s.fails(t, p, fleet.ErrUnreachable, fleet.ErrTimeout)
}

func testRefused(t *testing.T, s Suite) {
	target, p := s.begin(t)
	target.Stop()
	s.fails(t, p, fleet.ErrUnreachable, fleet.ErrTimeout)
}

func testGarbage(t *testing.T, s Suite) {
	target, p := s.begin(t)
	target.Garble(true)
	s.fails(t, p, fleet.ErrProtocol, fleet.ErrTimeout, fleet.ErrUnreachable)
	target.Garble(false)
	s.well(t, p)
	target.Garble(true)
	s.fails(t, p, fleet.ErrProtocol, fleet.ErrTimeout, fleet.ErrUnreachable)
}

func testWrongSecret(t *testing.T, s Suite) {
	if s.WrongSecret == nil {
		t.Skip("this protocol cannot tell a wrong secret from silence")
	}
	p := s.WrongSecret(t, s.Start(t))
	defer p.Close()
	s.fails(t, p, fleet.ErrAuth)
}

func testReconnect(t *testing.T, s Suite) {
	target, p := s.begin(t)
	s.well(t, p)
	target.Mute(true)
	s.fails(t, p, fleet.ErrUnreachable, fleet.ErrTimeout)
	target.Mute(false)
	s.well(t, p)
}

func testRestart(t *testing.T, s Suite) {
	target, p := s.begin(t)
	s.well(t, p)
	target.Restart()
	s.well(t, p)
}

// A deadline is kept to within half a second and stands in the observation.
func testDeadline(t *testing.T, s Suite) {
	target, p := s.begin(t)
	s.well(t, p)
	target.Mute(true)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	began := time.Now()
	o, err := p.Observe(ctx, fleet.LaneFast)
	if err != nil || o == nil || !errors.Is(o.Err, fleet.ErrTimeout) {
		t.Errorf("Observe: %+v, %v", o, err)
	}
	if took := time.Since(began); took > 530*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

// A cancelled poll ends at once, and its error says so if it read nothing.
func testCancel(t *testing.T, s Suite) {
	target, p := s.begin(t)
	target.Mute(true)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	began := time.Now()
	if o, err := p.Observe(ctx, fleet.LaneFast); o == nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Observe: %v, %v", o, err)
	}
	if took := time.Since(began); took > 520*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	target.Mute(false)
	s.well(t, p)
}

func testClose(t *testing.T, s Suite) {
	_, p := s.begin(t)
	s.well(t, p)
	for range 2 {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}
