package ipmi

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes/probetest"
)

// kind fails the test unless the observation failed for that reason.
func kind(t *testing.T, o *fleet.Observation, want error) {
	t.Helper()
	if o.Err == nil || !errors.Is(o.Err, want) {
		t.Fatalf("error %v, want %v", o.Err, want)
	}
	if o.Err.Target != "s01" || o.Tables[fleet.TableSensors] == fleet.Complete {
		t.Errorf("target %q, sensors %v", o.Err.Target, o.Tables[fleet.TableSensors])
	}
	if strings.Contains(o.Err.Error(), "secret") {
		t.Errorf("a secret in an error: %v", o.Err)
	}
}

func TestNothingThere(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	address := f.address()
	f.conn.Close()
	b := f.probe(func(c *Config) { c.Address = address })
	began := time.Now()
	kind(t, look(t, b, fleet.LaneFast), fleet.ErrUnreachable)
	if took := time.Since(began); took > testTimeout {
		t.Errorf("a refused port took %v", took)
	}
}

func TestSilent(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	f.silent.Store(true)
	b := f.probe()
	began := time.Now()
	kind(t, look(t, b, fleet.LaneFast), fleet.ErrUnreachable)
	if took := time.Since(began); took > 2*testTimeout {
		t.Errorf("a silent BMC took %v", took)
	}
	f.silent.Store(false)
	well(t, look(t, b, fleet.LaneFast))
}

// A restart in the middle of a poll costs one login and no data.
func TestRestart(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	b := f.probe()
	well(t, look(t, b, fleet.LaneSlow))
	f.restart()
	o := well(t, look(t, b, fleet.LaneFast))
	if len(o.Sensors) != 3 || o.Tables[fleet.TableSensors] != fleet.Complete || f.logged() != 2 {
		t.Errorf("%d sensors, %v, %d logins", len(o.Sensors), o.Tables[fleet.TableSensors], f.logged())
	}
	first := true
	f.set(func() {
		f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
			if fn == fnSensor && data[0] == 2 && first {
				first = false
				clear(f.open)
				f.mangle = func(payload, []byte) [][]byte { f.mangle = nil; return nil }
			}
			return 0, nil, false
		}
	})
	o = well(t, look(t, b, fleet.LaneFast))
	if len(o.Sensors) != 3 || f.logged() != 3 {
		t.Errorf("in mid-poll: %d sensors, %d logins", len(o.Sensors), f.logged())
	}
}

// It dies while it is being read: what was read stays, the error is a
// timeout, and the time is bounded.
func TestDiesInMidPoll(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	b := f.probe()
	well(t, look(t, b, fleet.LaneSlow))
	f.set(func() {
		f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
			if fn == fnSensor && data[0] == 3 {
				f.silent.Store(true)
				f.mangle = func(payload, []byte) [][]byte { return nil }
			}
			return 0, nil, false
		}
	})
	o := look(t, b, fleet.LaneFast)
	kind(t, o, fleet.ErrTimeout)
	if len(o.Sensors) != 2 || o.Tables[fleet.TableSensors] != fleet.Partial || o.Facts.Get(fleet.FactPower) != "on" {
		t.Errorf("%d sensors, %v, power %q", len(o.Sensors), o.Tables[fleet.TableSensors], o.Facts.Get(fleet.FactPower))
	}
}

func TestCancelInterruptsAtOnce(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	f.silent.Store(true)
	b := f.probe(func(c *Config) { c.Timeout = time.Minute })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(30*time.Millisecond, cancel)
	began := time.Now()
	o, err := b.Observe(ctx, fleet.LaneFast)
	if !errors.Is(err, context.Canceled) || o == nil {
		t.Errorf("Observe: %v, %v", o, err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestDeadlineIsKept(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	f.silent.Store(true)
	b := f.probe(func(c *Config) { c.Timeout = time.Minute })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	o, err := b.Observe(ctx, fleet.LaneFast)
	if err != nil {
		t.Fatal(err)
	}
	kind(t, o, fleet.ErrTimeout)
	if o.Took > time.Second {
		t.Errorf("it took %v", o.Took)
	}
}

// A session kept through a cancelled poll is fit for the next.
func TestSessionSurvivesCancel(t *testing.T) {
	f := startFake(t)
	b := f.probe(func(c *Config) { c.Timeout = time.Minute })
	well(t, look(t, b, fleet.LaneSlow))
	f.silent.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	b.Observe(ctx, fleet.LaneFast)
	f.silent.Store(false)
	well(t, look(t, b, fleet.LaneFast))
	if f.logged() != 1 {
		t.Errorf("%d logins", f.logged())
	}
}

// Stray, forged, repeated and garbled datagrams are dropped; the true answer
// behind them counts.
func TestStrayDatagrams(t *testing.T) {
	flip := func(b []byte, at int) []byte {
		c := append([]byte(nil), b...)
		c[at] ^= 0xff
		return c
	}
	var last []byte
	for name, mangle := range map[string]func(payload, []byte) [][]byte{
		"garbage first":      func(_ payload, b []byte) [][]byte { return [][]byte{{}, {1, 2, 3}, make([]byte, 900), b} },
		"every answer twice": func(_ payload, b []byte) [][]byte { return [][]byte{b, b} },
		"the last again": func(_ payload, b []byte) [][]byte {
			was := last
			last = append([]byte(nil), b...)
			return [][]byte{was, b}
		},
		"wrong session id": func(k payload, b []byte) [][]byte { return [][]byte{flip(b, 6), b} },
		"wrong sequence":   func(k payload, b []byte) [][]byte { return [][]byte{flip(b, 10), b} },
		"wrong code":       func(k payload, b []byte) [][]byte { return [][]byte{flip(b, len(b)-1), b} },
		"cut short":        func(k payload, b []byte) [][]byte { return [][]byte{b[:len(b)/2], b[:len(b)-1], b} },
		"wrong length":     func(k payload, b []byte) [][]byte { return [][]byte{flip(b, 14), flip(b, 15), b} },
	} {
		t.Run(name, func(t *testing.T) {
			probetest.NoLeaks(t)
			last = nil
			f := startFake(t)
			f.mangle = func(k payload, b []byte) [][]byte {
				if k != payloadIPMI && (name == "wrong code" || name == "every answer twice" || name == "cut short") {
					return [][]byte{b} // a login has no cover: see TestLoginGarbled
				}
				return mangle(k, b)
			}
			o := well(t, look(t, f.probe(), fleet.LaneSlow))
			if len(o.Sensors) != 3 || f.logged() != 1 {
				t.Errorf("%d sensors, %d logins", len(o.Sensors), f.logged())
			}
		})
	}
}

// Nothing but garbage, at each step of the login and after it: an error of
// the right kind in bounded time, never a panic or a hang.
func TestGarbageAtEveryStep(t *testing.T) {
	for _, step := range []payload{payloadOpenAnswer, payloadRAKP2, payloadRAKP4, payloadIPMI} {
		for name, bad := range map[string]func([]byte) []byte{
			"empty":     func([]byte) []byte { return []byte{} },
			"noise":     func(b []byte) []byte { return []byte("\x06\x00\xff\x07\x06\x00noisenoisenoisenoise") },
			"half":      func(b []byte) []byte { return b[:len(b)/2] },
			"one short": func(b []byte) []byte { return b[:len(b)-1] },
			"short body": func(b []byte) []byte {
				c := append([]byte(nil), b[:v20Size+2]...)
				setLength(c)
				return c
			},
			"nine byte body": func(b []byte) []byte {
				c := append([]byte(nil), b[:v20Size+9]...)
				setLength(c)
				return c
			},
		} {
			t.Run(name, func(t *testing.T) {
				probetest.NoLeaks(t)
				f := startFake(t)
				f.mangle = func(k payload, b []byte) [][]byte {
					if k == step {
						b = bad(b)
					}
					return [][]byte{b}
				}
				b := f.probe(func(c *Config) { c.Timeout = 40 * time.Millisecond })
				o := look(t, b, fleet.LaneFast)
				if o.Err == nil || errors.Is(o.Err, fleet.ErrAuth) && name != "one short" && name != "half" && name != "nine byte body" {
					t.Errorf("step %02x: %v", byte(step), o.Err)
				}
				if o.Took > 3*time.Second {
					t.Errorf("it took %v", o.Took)
				}
			})
		}
	}
}

func TestSuites(t *testing.T) {
	for _, id := range []int{17, 16, 15, 3, 2, 1} {
		f := startFake(t, func(f *fakeBMC) { f.suites = []int{id} })
		b := f.probe(func(c *Config) { c.Cipher = id })
		well(t, look(t, b, fleet.LaneFast))
		if b.session.suite.id != id {
			t.Errorf("suite %d, want %d", b.session.suite.id, id)
		}
	}
	f := startFake(t, func(f *fakeBMC) { f.suites = []int{3} })
	b := f.probe()
	well(t, look(t, b, fleet.LaneFast))
	if len(b.suites) != 1 || b.suites[0].id != 3 {
		t.Errorf("remembered suites: %v", b.suites)
	}
	// It forgets suite 3 (a firmware update): found again.
	f.set(func() { f.suites = []int{17} })
	f.restart()
	look(t, b, fleet.LaneFast)
	well(t, look(t, b, fleet.LaneFast))
	if b.session.suite.id != 17 {
		t.Errorf("suite %d after the change", b.session.suite.id)
	}
	f = startFake(t, func(f *fakeBMC) { f.suites = nil })
	kind(t, look(t, f.probe(), fleet.LaneFast), fleet.ErrUnsupported)
}

// The known mistakes in the hashes of RAKP are found without being told and
// without a second try.
func TestDialects(t *testing.T) {
	for name, hash := range map[string]func(open, role byte) byte{
		"open session privilege": func(open, _ byte) byte { return open },
		"bare role":              func(_, role byte) byte { return role &^ nameOnly },
	} {
		f := startFake(t, func(f *fakeBMC) { f.hashRole = hash })
		well(t, look(t, f.probe(), fleet.LaneFast))
		if f.logged() != 1 {
			t.Errorf("%s: %d logins", name, f.logged())
		}
	}
}

// A decoder that breaks ends this poll only, and the turn is not lost.
func TestPanicEndsOnePoll(t *testing.T) {
	f := startFake(t)
	b := f.probe()
	well(t, look(t, b, fleet.LaneFast))
	whole := b.sensors
	b.sensors = &repository{sensors: []*sensor{nil}}
	kind(t, look(t, b, fleet.LaneFast), fleet.ErrProtocol)
	b.sensors = whole
	well(t, look(t, b, fleet.LaneFast))
}

// An optional command that is met with silence is not asked again, and does
// not cost the poll.
func TestSilenceOnOptionalCommand(t *testing.T) {
	f := startFake(t)
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		f.mangle = nil
		if fn == fnGroup {
			f.mangle = func(payload, []byte) [][]byte { f.mangle = nil; return nil }
		}
		return 0, nil, false
	}
	b := f.probe(func(c *Config) { c.Timeout = 100 * time.Millisecond })
	well(t, look(t, b, fleet.LaneFast))
	n := f.count(fnGroup, 2)
	well(t, look(t, b, fleet.LaneSlow))
	if f.count(fnGroup, 2) != n {
		t.Error("asked again")
	}
}

func TestCloseTwice(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	b := f.probe()
	well(t, look(t, b, fleet.LaneFast))
	for range 2 {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := f.sessions(); n != 0 {
		t.Errorf("%d sessions left open on the BMC", n)
	}
	o := look(t, b, fleet.LaneFast)
	if o.Err == nil {
		t.Error("a closed probe observes")
	}
}

// The keepalive is a command of its own, and a busy BMC is left alone.
func TestKeepalive(t *testing.T) {
	f := startFake(t)
	b := f.probe()
	well(t, look(t, b, fleet.LaneFast))
	n := f.count(fnApp, 1)
	b.ping()
	if f.count(fnApp, 1) != n+1 {
		t.Error("no keepalive was sent")
	}
	<-b.turn
	b.ping() // somebody has the turn
	if f.count(fnApp, 1) != n+1 {
		t.Error("the keepalive crossed a poll")
	}
	b.turn <- struct{}{}
	f.restart()
	b.ping()
	if b.session != nil {
		t.Error("a dead session was kept")
	}
	well(t, look(t, b, fleet.LaneFast))
}

// Polls, actions, keepalives and the close come from different goroutines:
// they take turns, and none meets another's answer.
func TestTurns(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	b := f.probe()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				if o, err := b.Observe(t.Context(), fleet.LaneFast); err != nil || o.Err != nil || len(o.Sensors) != 3 {
					t.Errorf("Observe: %v, %v", o.Err, err)
				}
				b.ping()
			}
		})
	}
	all.Go(func() {
		for range 5 {
			if _, err := b.Act(t.Context(), fleet.Action{Kind: fleet.ActIdentify}); err != nil {
				t.Errorf("Act: %v", err)
			}
		}
	})
	all.Wait()
	b.Close()
	if f.sessions() != 0 || f.logged() != 6 {
		t.Errorf("%d sessions left, %d logins", f.sessions(), f.logged())
	}
}

// While an action has the turn, a poll that cannot wait says busy: the BMC is
// not blind.
func TestTurnTaken(t *testing.T) {
	f := startFake(t)
	b := f.probe()
	<-b.turn
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	o, err := b.Observe(ctx, fleet.LaneFast)
	if err != nil {
		t.Fatal(err)
	}
	kind(t, o, fleet.ErrBusy)
	b.turn <- struct{}{}
}
