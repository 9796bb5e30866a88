package ipmi

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"plumb/fleet"
)

func TestBootOnce(t *testing.T) {
	f := startFake(t)
	s := withSettings(f)
	b := hasty(f)
	for _, c := range []struct {
		from, before string
		flags        []byte
		sent         int // of parameter 5
	}{
		{"pxe", "none", []byte{bootValid | bootUEFI, 1 << 2, 0, 0, 0}, 1},
		{"pxe", "pxe", []byte{bootValid | bootUEFI, 1 << 2, 0, 0, 0}, 1},
		{"bios", "pxe", []byte{bootValid | bootUEFI, 6 << 2, 0, 0, 0}, 2},
		{"none", "bios", []byte{bootUEFI, 0, 0, 0, 0}, 3},
		{"cdrom", "none", []byte{bootValid | bootUEFI, 5 << 2, 0, 0, 0}, 4},
		{"disk", "cdrom", []byte{bootValid | bootUEFI, 2 << 2, 0, 0, 0}, 5},
	} {
		out, err := act(t, b, fleet.ActBootOnce, "SN-1", map[string]string{"from": c.from})
		if err != nil || !out.Done || out.Before != c.before || out.After != c.from {
			t.Errorf("%s: %+v, %v", c.from, out, err)
		}
		n := 0
		f.set(func() {
			for _, w := range s.sent {
				if w[2] == paramBootFlags {
					n++
				}
			}
			if !bytes.Equal(s.boot[paramBootFlags], c.flags) || s.locked || !bytes.Equal(s.boot[paramBootKeep], []byte{keepBeyond60s}) {
				t.Errorf("%s: the BMC holds %x, in use: %v", c.from, s.boot, s.locked)
			}
		})
		if n != c.sent {
			t.Errorf("%s: flags were sent %d times, want %d", c.from, n, c.sent)
		}
	}
	for _, from := range []string{"floppy", "", "disk (safe mode)"} {
		if out, err := act(t, b, fleet.ActBootOnce, "", map[string]string{"from": from}); !errors.Is(err, fleet.ErrUnsupported) || out.Done {
			t.Errorf("%q: %+v, %v", from, out, err)
		}
	}
	f.set(func() { s.boot[paramBootFlags] = []byte{bootValid | bootEachTime, 1 << 2, 0, 0, 0} })
	if out, err := act(t, b, fleet.ActBootOnce, "", map[string]string{"from": "pxe"}); err != nil || out.Before != "pxe at every start" || out.After != "pxe" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestBootOnceHindered(t *testing.T) {
	for name, c := range map[string]struct {
		change func(f *fakeBMC, s *settings)
		done   bool
		err    error
		text   string
	}{
		"in use":          {func(_ *fakeBMC, s *settings) { s.locked = true }, false, fleet.ErrBusy, ""},
		"no boot options": {func(_ *fakeBMC, s *settings) { s.refuse[[2]uint8{0, 0x09}] = ccInvalidCommand }, false, fleet.ErrUnsupported, ""},
		"read only":       {func(_ *fakeBMC, s *settings) { s.refuse[[2]uint8{0, 0x08}] = ccPrivilege }, false, fleet.ErrAuth, "refused"},
		"forgets soon":    {func(_ *fakeBMC, s *settings) { delete(s.boot, paramBootKeep) }, true, nil, "60 s"},
		"says yes, does nothing": {func(f *fakeBMC, s *settings) {
			loseNothing := f.on
			f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
				if fn == fnChassis && cmd == 0x08 && data[0] == paramBootFlags {
					return 0, nil, true
				}
				return loseNothing(fn, cmd, data)
			}
		}, false, fleet.ErrProtocol, "said yes; it is none"},
		"answer lost": {func(f *fakeBMC, s *settings) {
			loseAnswer(t, f, fnChassis, 0x08, func(data []byte) bool { return data[0] == paramBootFlags })
		}, true, nil, "no answer; it is pxe"},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t)
			s := withSettings(f)
			c.change(f, s)
			out, err := act(t, hasty(f), fleet.ActBootOnce, "", map[string]string{"from": "pxe"})
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || out.Done != c.done || !strings.Contains(out.Text, c.text) {
				t.Errorf("%+v, %v", out, err)
			}
			if n := f.written(s, fnChassis, 0x08); n > 3 {
				t.Errorf("%d settings were sent", n)
			}
			if name != "in use" && s.locked {
				t.Error("the options stay marked as being changed")
			}
		})
	}
}

func TestUserOff(t *testing.T) {
	f := startFake(t)
	s := withSettings(f)
	b := hasty(f)
	disable := func(slot string) (fleet.Outcome, error) {
		return act(t, b, fleet.ActUserOff, "SN-1", map[string]string{"slot": slot})
	}
	for _, c := range []struct {
		slot string
		sent int
		done bool
		err  error
		text string
	}{
		{"3", 1, true, nil, `user 3 "mon"`},
		{"3", 1, true, nil, "disabled already"},
		{"2", 1, false, fleet.ErrUnsupported, "our own"},
		{"4", 2, true, nil, "it is disabled"},
		{"9", 2, false, fleet.ErrUnsupported, ""},
		{"0", 2, false, fleet.ErrUnsupported, "not 1 to 63"},
		{"64", 2, false, fleet.ErrUnsupported, "not 1 to 63"},
		{"", 2, false, fleet.ErrUnsupported, "not 1 to 63"},
	} {
		out, err := disable(c.slot)
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || out.Done != c.done || !strings.Contains(out.Text, c.text) || f.written(s, fnApp, 0x47) != c.sent {
			t.Errorf("slot %q: %+v, %v after %d writes", c.slot, out, err, f.written(s, fnApp, 0x47))
		}
	}
	if len(s.sent[0]) != 2+2+passwordOctets {
		t.Errorf("sent % x", s.sent[0])
	}
}

// The last administrator stays, also where others may log in with less, or over
// another way, or cannot be read.
func TestLastAdminStays(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.user = "acting" })
	s := withSettings(f)
	s.users[2].access, s.users[3].status, s.users[5] = 0x04, 2, &fakeUser{"oem", 1, 0x13} // ADMIN: not over LAN
	b := f.probe(func(c *Config) { c.Username = "acting" })
	out, err := act(t, b, fleet.ActUserOff, "", map[string]string{"slot": "4"})
	if !errors.Is(err, fleet.ErrUnsupported) || out.Done || f.written(s, fnApp, 0x47) != 0 || !strings.Contains(out.Text, "no other administrator") {
		t.Errorf("%+v, %v", out, err)
	}
	f.set(func() { s.users[2].access = 0x14 })
	if out, err := act(t, b, fleet.ActUserOff, "", map[string]string{"slot": "4"}); err != nil || !out.Done {
		t.Errorf("with another: %+v, %v", out, err)
	}
}

// A BMC of before the status bits cannot be asked whether it did it.
func TestUserOffUntold(t *testing.T) {
	f := startFake(t)
	s := withSettings(f)
	s.users[3].status = 0
	out, err := act(t, hasty(f), fleet.ActUserOff, "", map[string]string{"slot": "3"})
	if err != nil || !out.Done || out.After != "" || !strings.Contains(out.Text, "does not tell") {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestCipherOff(t *testing.T) {
	f := startFake(t)
	s := withSettings(f)
	b := hasty(f)
	for _, c := range []struct {
		suite string
		sent  int
		done  bool
		err   error
	}{
		{"0", 1, true, nil},
		{"0", 1, true, nil},
		{"3", 2, true, nil},
		{"17", 2, false, fleet.ErrUnsupported}, // what the session speaks
		{"8", 2, false, fleet.ErrUnsupported},
		{"18", 2, false, fleet.ErrUnsupported},
		{"x", 2, false, fleet.ErrUnsupported},
	} {
		out, err := act(t, b, fleet.ActCipherOff, "SN-1", map[string]string{"suite": c.suite})
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || out.Done != c.done || f.written(s, fnTransport, 0x01) != c.sent {
			t.Errorf("suite %q: %+v, %v after %d writes", c.suite, out, err, f.written(s, fnTransport, 0x01))
		}
		if c.done && out.After != suiteClosed {
			t.Errorf("suite %q is %q", c.suite, out.After)
		}
	}
	if want := []byte{0, 0x00, 0x04, 0, 0, 0, 0, 0, 0}; !bytes.Equal(s.lan[paramSuiteLimits], want) {
		t.Errorf("limits are % x, want % x", s.lan[paramSuiteLimits], want)
	}
	// A table that does not fit together is not written back.
	f.set(func() { s.lan[paramSuiteLimits] = []byte{0, 0x44} })
	if out, err := act(t, b, fleet.ActCipherOff, "", map[string]string{"suite": "0"}); !errors.Is(err, fleet.ErrProtocol) || out.Done || f.written(s, fnTransport, 0x01) != 2 {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestCipherSet: what was closed at once is put back at once, as it was; nothing
// else changes.
func TestCipherSet(t *testing.T) {
	f := startFake(t)
	s := withSettings(f)
	b := hasty(f)
	limits := func() (now []byte) {
		f.set(func() { now = bytes.Clone(s.lan[paramSuiteLimits]) })
		return now
	}
	before := limits()
	out, err := act(t, b, fleet.ActCipherOff, "SN-1", map[string]string{"suite": "0 3"})
	if err != nil || !out.Done || out.Before != "0=administrator 3=administrator" || out.After != "0=closed 3=closed" || f.written(s, fnTransport, 0x01) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	for text, want := range map[string]error{
		"17=user": fleet.ErrUnsupported, "8=user": fleet.ErrUnsupported, "0=god": fleet.ErrUnsupported, "0": fleet.ErrUnsupported, "x=user": fleet.ErrUnsupported, "": fleet.ErrUnsupported,
	} {
		if out, err := act(t, b, fleet.ActCipherSet, "SN-1", map[string]string{"limits": text}); !errors.Is(err, want) || out.Done {
			t.Errorf("%q: %+v, %v", text, out, err)
		}
	}
	if n := f.written(s, fnTransport, 0x01); n != 1 {
		t.Errorf("what was refused was written: %d writes", n)
	}
	out, err = act(t, b, fleet.ActCipherSet, "SN-1", map[string]string{"limits": "0=administrator 3=administrator"})
	if err != nil || !out.Done || !bytes.Equal(limits(), before) {
		t.Errorf("%+v, %v: limits are % x, were % x", out, err, limits(), before)
	}
	if out, err = act(t, b, fleet.ActCipherSet, "SN-1", map[string]string{"limits": "0=user 3=unspecified"}); err != nil || out.After != "0=user 3=closed" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestSELClear(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.sel = [][]byte{selEntry(1, 1_700_000_001, 1), selEntry(2, 1_700_000_002, 2)} })
	s := withSettings(f)
	s.erases = 2
	b := hasty(f)
	out, err := act(t, b, fleet.ActSELClear, "SN-1", nil)
	if !errors.Is(err, fleet.ErrUnsupported) || out.Done || f.written(s, fnStorage, 0x47) != 0 {
		t.Fatalf("before anything was read: %+v, %v", out, err)
	}
	well(t, look(t, b, fleet.LaneTables))
	// One more record, in the second of the last one and instead of the first.
	f.set(func() { f.sel = [][]byte{f.sel[1], selEntry(3, 1_700_000_002, 3)} })
	if out, err = act(t, b, fleet.ActSELClear, "SN-1", nil); !errors.Is(err, fleet.ErrUnsupported) || out.Done || f.written(s, fnStorage, 0x47) != 0 {
		t.Fatalf("with a new record: %+v, %v", out, err)
	}
	f.set(func() {
		f.sel = [][]byte{selEntry(1, 1_700_000_001, 1), selEntry(2, 1_700_000_002, 2), selEntry(3, 1_700_000_002, 3)}
	})
	well(t, look(t, b, fleet.LaneTables))
	out, err = act(t, b, fleet.ActSELClear, "SN-1", nil)
	if err != nil || !out.Done || !strings.HasPrefix(out.Before, "3 records") || out.After != logEmpty || f.written(s, fnStorage, 0x47) != 1 {
		t.Errorf("%+v, %v after %d", out, err, f.written(s, fnStorage, 0x47))
	}
	o := well(t, look(t, b, fleet.LaneTables))
	if o.Tables[fleet.TableEvents] != fleet.Complete || o.Facts.Get("sel.entries") != "0" {
		t.Errorf("after it: %v, %q entries", o.Tables[fleet.TableEvents], o.Facts.Get("sel.entries"))
	}
	if out, err = act(t, b, fleet.ActSELClear, "SN-1", nil); err != nil || !out.Done || f.written(s, fnStorage, 0x47) != 1 {
		t.Errorf("of an empty log: %+v, %v", out, err)
	}
}

// The answer to the erasing is lost, and so is the reservation: the log itself
// tells.
func TestSELClearLost(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.sel = [][]byte{selEntry(1, 1_700_000_001, 1)} })
	s := withSettings(f)
	loseAnswer(t, f, fnStorage, 0x47, func(data []byte) bool {
		if data[5] == eraseBegin {
			s.reserved++
			return true
		}
		return false
	})
	b := hasty(f)
	well(t, look(t, b, fleet.LaneTables))
	out, err := act(t, b, fleet.ActSELClear, "", nil)
	if err != nil || !out.Done || out.After != logEmpty || f.written(s, fnStorage, 0x47) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestBMCReset(t *testing.T) {
	f := startFake(t)
	s := withSettings(f)
	before := f.on
	restarts := true
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		if fn == fnApp && cmd == 0x02 {
			if s.note([2]uint8{byte(fn), cmd}, nil); restarts {
				clear(f.open)
			}
			return 0, nil, true
		}
		return before(fn, cmd, data)
	}
	b := hasty(f)
	well(t, look(t, b, fleet.LaneFast))
	out, err := act(t, b, fleet.ActBMCReset, "SN-1", nil)
	if err != nil || !out.Done || out.Before != "running, firmware 2.35" || out.After != bmcBack || f.written(s, fnApp, 0x02) != 1 {
		t.Errorf("%+v, %v after %d", out, err, f.written(s, fnApp, 0x02))
	}
	well(t, look(t, b, fleet.LaneFast))
	f.set(func() { restarts = false })
	out, err = act(t, b, fleet.ActBMCReset, "", nil)
	if err != nil || !out.Done || out.After != bmcSame || !strings.Contains(out.Text, "has not restarted") {
		t.Errorf("says yes, does nothing: %+v, %v", out, err)
	}
	f.set(func() { restarts = true })
	b.indoors = true
	if out, err = act(t, b, fleet.ActBMCReset, "", nil); err != nil || !out.Done || out.After != "" || !strings.Contains(out.Text, "without a login") {
		t.Errorf("seen by nobody: %+v, %v", out, err)
	}
	f.set(func() { s.refuse[[2]uint8{uint8(fnApp), 0x02}] = ccPrivilege; f.on = before })
	if out, err = act(t, b, fleet.ActBMCReset, "", nil); !errors.Is(err, fleet.ErrAuth) || out.Done {
		t.Errorf("refused: %+v, %v", out, err)
	}
}

// An account that is no administrator on this BMC is refused at the login, and
// is not taken for a wrong password.
func TestSettingsNeedAnAdmin(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.maxRole = byte(privOperator) })
	withSettings(f)
	b := hasty(f)
	if out, err := act(t, b, fleet.ActCipherOff, "", map[string]string{"suite": "0"}); !errors.Is(err, fleet.ErrAuth) || out.Done {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := act(t, b, fleet.ActBootOnce, "", map[string]string{"from": "pxe"}); err != nil || !out.Done {
		t.Errorf("%+v, %v", out, err)
	}
}
