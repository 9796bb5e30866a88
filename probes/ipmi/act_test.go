package ipmi

import (
	"context"
	"errors"
	"testing"
	"time"

	"plumb/fleet"
)

func act(t *testing.T, b *BMC, kind fleet.ActionKind, serial string, args map[string]string) (fleet.Outcome, error) {
	t.Helper()
	return b.Act(t.Context(), fleet.Action{Kind: kind, Target: "s01", Serial: serial, Args: args})
}

func TestPowerActions(t *testing.T) {
	for _, c := range []struct {
		kind          fleet.ActionKind
		on            bool
		sent          int
		before, after string
		err           error
	}{
		{fleet.ActPowerOn, false, 1, "off", "on", nil},
		{fleet.ActPowerOn, true, 0, "on", "on", nil},
		{fleet.ActPowerOff, true, 1, "on", "off", nil},
		{fleet.ActPowerOff, false, 0, "off", "off", nil},
		{fleet.ActSoftOff, true, 1, "on", "off", nil},
		{fleet.ActPowerCycle, true, 1, "on", "on", nil},
		{fleet.ActReset, true, 1, "on", "on", nil},
		{fleet.ActPowerCycle, false, 0, "off", "off", fleet.ErrUnsupported},
		{fleet.ActReset, false, 0, "off", "off", fleet.ErrUnsupported},
		{fleet.ActPortUp, true, 0, "", "", fleet.ErrUnsupported},
	} {
		f := startFake(t, func(f *fakeBMC) { f.power = c.on })
		out, err := act(t, f.probe(), c.kind, "SN-1", nil)
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s on=%v: %v", c.kind, c.on, err)
		}
		if n := f.count(fnChassis, 0x02); n != c.sent {
			t.Errorf("%s on=%v: sent %d times, want %d", c.kind, c.on, n, c.sent)
		}
		if out.Done != (c.err == nil) || out.Before != c.before || out.After != c.after || out.At.IsZero() {
			t.Errorf("%s on=%v: %+v", c.kind, c.on, out)
		}
		if f.sessions() != 0 {
			t.Errorf("%s: %d sessions left", c.kind, f.sessions())
		}
	}
}

// The BMC says yes and does nothing: the outcome says so.
func TestFalseSuccess(t *testing.T) {
	f := startFake(t)
	f.on = func(fn netFn, cmd uint8, _ []byte) (completion, []byte, bool) {
		return 0, nil, fn == fnChassis && cmd == 0x02
	}
	b := f.probe()
	b.settle = 600 * time.Millisecond
	out, err := act(t, b, fleet.ActPowerOff, "", nil)
	if err != nil || !out.Done || out.After != "on" || out.Text != "the BMC said yes, still on after 1 s" {
		t.Errorf("%+v, %v", out, err)
	}
}

// The answer to a power command is lost. It was sent once, it is not sent
// again, and what is seen afterwards is told.
func TestLostAnswerIsNotRepeated(t *testing.T) {
	f := startFake(t)
	f.on = func(fn netFn, cmd uint8, _ []byte) (completion, []byte, bool) {
		if fn == fnChassis && cmd == 0x02 {
			f.mangle = func(payload, []byte) [][]byte { f.mangle = nil; return nil }
		}
		return 0, nil, false
	}
	out, err := act(t, f.probe(), fleet.ActPowerOff, "", nil)
	if !errors.Is(err, fleet.ErrTimeout) || out.Done || out.After != "off" {
		t.Errorf("%+v, %v", out, err)
	}
	if n := f.count(fnChassis, 0x02); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

func TestRefusedAction(t *testing.T) {
	f := startFake(t)
	f.on = func(fn netFn, cmd uint8, _ []byte) (completion, []byte, bool) {
		return ccState, nil, fn == fnChassis && cmd == 0x02
	}
	out, err := act(t, f.probe(), fleet.ActPowerOff, "", nil)
	if !errors.Is(err, fleet.ErrUnsupported) || out.Done || out.After != "on" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestIdentityIsCheckedFirst(t *testing.T) {
	f := startFake(t)
	b := f.probe()
	out, err := act(t, b, fleet.ActPowerOff, "OTHER", nil)
	if !errors.Is(err, ErrIdentity) || out.Done {
		t.Errorf("%+v, %v", out, err)
	}
	var p *fleet.ProbeError
	if !errors.As(err, &p) || p.Target != "s01" {
		t.Errorf("%T", err)
	}
	if f.count(fnChassis, 0x02) != 0 {
		t.Error("the command was sent to another machine")
	}
	for _, serial := range []string{"BSN-1", guidText(f.guid)} {
		if _, err := act(t, b, fleet.ActIdentify, serial, nil); err != nil {
			t.Errorf("%s: %v", serial, err)
		}
	}
}

func TestIdentify(t *testing.T) {
	f := startFake(t)
	var got []byte
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		if fn == fnChassis && cmd == 0x04 {
			got = append([]byte(nil), data...)
		}
		return 0, nil, false
	}
	b := f.probe()
	for _, c := range []struct {
		seconds string
		want    string
	}{{"", "\x0f"}, {"60", "\x3c"}, {"0", "\x00"}, {"on", "\x00\x01"}} {
		_, err := act(t, b, fleet.ActIdentify, "", map[string]string{"seconds": c.seconds})
		f.set(func() {
			if err != nil || string(got) != c.want {
				t.Errorf("seconds %q: sent %x, %v", c.seconds, got, err)
			}
		})
	}
	if _, err := act(t, b, fleet.ActIdentify, "", map[string]string{"seconds": "256"}); !errors.Is(err, fleet.ErrUnsupported) {
		t.Errorf("256 seconds: %v", err)
	}
}

// Reading goes on in its own session; acting has another user.
func TestActAsAnotherUser(t *testing.T) {
	f := startFake(t)
	b := f.probe(func(c *Config) {
		c.ActUsername = "root"
		c.ActPassword = func(context.Context) (string, error) { return "secret", nil }
	})
	well(t, look(t, b, fleet.LaneFast))
	f.set(func() { f.user = "root" })
	if _, err := act(t, b, fleet.ActIdentify, "", nil); err != nil {
		t.Fatal(err)
	}
	if n := f.sessions(); n != 1 {
		t.Errorf("%d sessions, want the reader's", n)
	}
	well(t, look(t, b, fleet.LaneFast))
}
