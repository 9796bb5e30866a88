package ipmi

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes/probetest"
)

// A wrong password is auth at once, and it is tried once only, until it
// changes.
func TestWrongPassword(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	password := "wrong"
	b := f.probe(func(c *Config) {
		c.Password = func(context.Context) (string, error) { return password, nil }
	})
	began := time.Now()
	kind(t, look(t, b, fleet.LaneFast), fleet.ErrAuth)
	if took := time.Since(began); took > testTimeout {
		t.Errorf("it took %v: a timeout in disguise", took)
	}
	sent := b.sent.Load()
	kind(t, look(t, b, fleet.LaneFast), fleet.ErrAuth)
	if b.sent.Load() != sent {
		t.Error("a refused password was tried again")
	}
	password = "secret"
	well(t, look(t, b, fleet.LaneFast))
}

// A password that was changed in the BMC after the configuration: it is tried
// once an hour, by polls and actions together, until the BMC takes it.
func TestRefusedPasswordIsTriedOnceAnHour(t *testing.T) {
	f := startFake(t)
	b := f.probe(func(c *Config) {
		c.Password = func(context.Context) (string, error) { return "rotated", nil }
	})
	now := time.Now()
	b.now = func() time.Time { return now }
	tried := func(want bool) {
		t.Helper()
		sent := b.sent.Load()
		kind(t, look(t, b, fleet.LaneFast), fleet.ErrAuth)
		if _, err := act(t, b, fleet.ActIdentify, "", nil); !errors.Is(err, fleet.ErrAuth) {
			t.Errorf("act: %v", err)
		}
		if (b.sent.Load() != sent) != want {
			t.Errorf("%d datagrams; want a try: %v", b.sent.Load()-sent, want)
		}
	}
	tried(true)
	now = now.Add(refusedHold - time.Second)
	tried(false)
	now = now.Add(time.Second)
	tried(true)
	tried(false)
	f.set(func() { f.password = "rotated" })
	tried(false)
	now = now.Add(refusedHold)
	well(t, look(t, b, fleet.LaneFast))
}

// A secret that cannot be fetched is not the BMC's refusal: nothing is sent,
// the target is not held as after a wrong password, and the next poll works.
func TestSecretOutage(t *testing.T) {
	for _, key := range []bool{false, true} {
		f := startFake(t)
		sealed := errors.New("command vault: exit status 2")
		fetch := func(context.Context) (string, error) { return "secret", sealed }
		b := f.probe(func(c *Config) {
			if key {
				c.BMCKey = func(ctx context.Context) (string, error) { return "", sealed }
			} else {
				c.Password = fetch
			}
		})
		o := look(t, b, fleet.LaneFast)
		kind(t, o, fleet.ErrBusy)
		if errors.Is(o.Err, fleet.ErrAuth) || !strings.Contains(o.Err.Error(), "could not be fetched: command vault") || b.sent.Load() != 0 {
			t.Errorf("%v after %d datagrams", o.Err, b.sent.Load())
		}
		if sealed = nil; !key {
			well(t, look(t, b, fleet.LaneFast))
		}
	}
}

// What is refused of the sensor records costs the sensors, not the log and not
// the identity; why is said all the same.
func TestRefusedRecordsCostNothingElse(t *testing.T) {
	for _, code := range []completion{ccPrivilege, ccNodeBusy, ccUnspecified, ccDisabled} {
		f := startFake(t, func(f *fakeBMC) { f.sel = [][]byte{selEntry(1, 1_700_000_100, 1)} })
		f.on = func(fn netFn, cmd uint8, _ []byte) (completion, []byte, bool) {
			return code, nil, fn == fnStorage && cmd == 0x20
		}
		o := look(t, f.probe(), fleet.LaneSlow)
		kind(t, o, code.kind())
		if o.Tables[fleet.TableSensors] != fleet.Failed || o.Tables[fleet.TableEvents] != fleet.Complete || len(o.Events) != 1 || o.Facts.Get(fleet.FactSerial) == "" {
			t.Errorf("%v: %v, %d events, serial %q", code, o.Tables, len(o.Events), o.Facts.Get(fleet.FactSerial))
		}
	}
}

// A later poll whose device id or records are refused reads the sensors that
// are known.
func TestRefusedAgain(t *testing.T) {
	for _, at := range []struct {
		fn  netFn
		cmd uint8
	}{{fnStorage, 0x20}, {fnApp, 0x01}} {
		f := startFake(t)
		b := f.probe()
		was := len(well(t, look(t, b, fleet.LaneSlow)).Sensors)
		f.set(func() {
			f.on = func(fn netFn, cmd uint8, _ []byte) (completion, []byte, bool) {
				return ccUnspecified, nil, fn == at.fn && cmd == at.cmd
			}
		})
		o := look(t, b, fleet.LaneSlow)
		if o.Tables[fleet.TableSensors] != fleet.Partial || len(o.Sensors) != was || o.Err == nil {
			t.Errorf("%x %x: sensors %v, %d of %d; %v", at.fn, at.cmd, o.Tables[fleet.TableSensors], len(o.Sensors), was, o.Err)
		}
	}
}

func TestWrongUser(t *testing.T) {
	f := startFake(t)
	b := f.probe(func(c *Config) { c.Username = "nobody" })
	kind(t, look(t, b, fleet.LaneFast), fleet.ErrAuth)
}

func TestPasswordTooLong(t *testing.T) {
	f := startFake(t)
	b := f.probe(func(c *Config) {
		c.Password = func(context.Context) (string, error) { return strings.Repeat("x", 21), nil }
	})
	kind(t, look(t, b, fleet.LaneFast), fleet.ErrAuth)
}

func TestSessionsFull(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.limit = 0 })
	b := f.probe()
	now := time.Now()
	b.now = func() time.Time { return now }
	kind(t, look(t, b, fleet.LaneFast), fleet.ErrBusy)
	sent := b.sent.Load()
	f.set(func() { f.limit = 4 })
	kind(t, look(t, b, fleet.LaneFast), fleet.ErrBusy)
	if b.sent.Load() != sent {
		t.Error("a full BMC was asked again at once")
	}
	now = now.Add(fullBackoff)
	well(t, look(t, b, fleet.LaneFast))
}

// It comes back from a restart talking nonsense: one login is tried, not one
// for each sensor.
func TestLoginFailsInMidPoll(t *testing.T) {
	f := startFake(t)
	b := f.probe(func(c *Config) { c.Timeout = 100 * time.Millisecond })
	well(t, look(t, b, fleet.LaneSlow))
	opens := 0
	f.set(func() {
		clear(f.open)
		f.mangle = func(k payload, out []byte) [][]byte {
			if k == payloadRAKP2 {
				opens++
				out = append([]byte(nil), out[:v20Size+12]...)
				setLength(out)
			}
			return [][]byte{out}
		}
	})
	kind(t, look(t, b, fleet.LaneFast), fleet.ErrProtocol)
	f.set(func() {
		if opens != 1 {
			t.Errorf("%d logins were tried", opens)
		}
	})
}
