package bmc

import (
	"testing"
	"time"

	"plumb/probes/sim/world"
)

// fixed is a BMC whose clock stands still until the test moves it.
func fixed(t *testing.T) (d *device, w *world.World, now *time.Time) {
	t.Helper()
	at := time.Now()
	w = testWorld(t)
	s := New(Config{World: w, Server: 0, Now: func() time.Time { return at }, Users: []User{{"plumb", "read-only-1", Reader}, {"plumb-act", "may-act-1", Admin}}}, nil)
	s.dev.reachable()
	return s.dev, w, &at
}

func TestBootOptions(t *testing.T) {
	d, w, _ := fixed(t)
	for _, c := range []struct {
		name string
		req  []byte
		want byte
	}{
		{"in use", []byte{0, 1}, 0}, {"in use by another", []byte{0, 1}, 0x81}, {"keep", []byte{3, 8}, 0}, {"acknowledge", []byte{4, 0xff, 0x1f}, 0},
		{"flags", []byte{5, 0x80, 4, 0, 0, 0}, 0}, {"complete", []byte{0, 0}, 0}, {"short flags", []byte{5, 0x80}, byte(ccLength)}, {"no such parameter", []byte{6, 1}, 0x80},
	} {
		if _, cc := setBoot(d, c.req); byte(cc) != c.want {
			t.Errorf("%s: %02x, want %02x", c.name, byte(cc), c.want)
		}
	}
	if b, cc := getBoot(d, []byte{5, 0, 0}); cc != ccOK || string(b) != "\x01\x05\x80\x04\x00\x00\x00" {
		t.Errorf("% x, %v", b, cc)
	}
	if b, _ := getBoot(d, []byte{3, 0, 0}); b[2] != 8 {
		t.Errorf("parameter 3: % x", b)
	}
	if err := w.Cycle(0, d.Now()); err != nil {
		t.Fatal(err)
	}
	if b, _ := getBoot(d, []byte{5, 0, 0}); b[2] != 0 {
		t.Errorf("after a start: % x", b)
	}
}

func TestSuitesAreSet(t *testing.T) {
	d, _, _ := fixed(t)
	set := func(data ...byte) byte {
		_, cc := setLAN(d, append([]byte{lanChannel, lanSuiteLimit}, data...))
		return byte(cc)
	}
	if cc := set(0, 0x40, 0, 0, 0, 0, 0, 0, 0); cc != 0 {
		t.Fatalf("%02x", cc)
	}
	if s := d.bmc.ResolvedCipherSuites(); len(s) != 1 || s[0] != 17 {
		t.Errorf("offered are %v", s)
	}
	if b := d.lanParam(lanSuiteLimit); b[1] != 0x40 {
		t.Errorf("limits % x", b)
	}
	for _, bad := range [][]byte{{0, 0, 0, 0, 0, 0, 0, 0, 0}, {0, 0x44}, {0, 0x33, 0, 0, 0, 0, 0, 0, 0}} {
		if cc := set(bad...); cc == 0 {
			t.Errorf("% x was taken", bad)
		}
	}
	if cc := set(0, 0x44, 0, 0, 0, 0, 0, 0, 0); cc != 0 || len(d.bmc.ResolvedCipherSuites()) != 2 {
		t.Errorf("%02x, %v", cc, d.bmc.ResolvedCipherSuites())
	}
}

func TestUserIsDisabled(t *testing.T) {
	d, w, now := fixed(t)
	list, err := w.ParseFaults("default-user@fra1-r01-s01+10s/60s,default-user@fra1-r01-s01+120s", *now)
	if err == nil {
		err = w.Inject(list, *now)
	}
	if err != nil {
		t.Fatal(err)
	}
	enabled := func() bool {
		d.reachable()
		u, err := d.bmc.Users.Get(world.BadUserSlot)
		return err == nil && u.Enabled
	}
	*now = now.Add(30 * time.Second)
	if !enabled() {
		t.Fatal("the account is not there")
	}
	if _, cc := setPassword(d, append([]byte{world.BadUserSlot, disableUser}, make([]byte, 16)...)); cc != ccOK || enabled() {
		t.Errorf("%v; enabled %v", cc, enabled())
	}
	*now = now.Add(120 * time.Second)
	if !enabled() {
		t.Error("who comes later does not get in")
	}
	for _, c := range []struct {
		name string
		req  []byte
		want byte
	}{
		{"no such user", []byte{7, disableUser}, byte(ccField)}, {"short password", []byte{3, testPassword, 1}, byte(ccTruncated)},
		{"wrong password", append([]byte{3, testPassword}, make([]byte, 16)...), byte(ccPasswordWrong)}, {"wrong size", append([]byte{0x80 | 3, testPassword}, make([]byte, 20)...), byte(ccPasswordSize)},
	} {
		if _, cc := setPassword(d, c.req); byte(cc) != c.want {
			t.Errorf("%s: %02x, want %02x", c.name, byte(cc), c.want)
		}
	}
	right := append([]byte{3, testPassword}, make([]byte, 16)...)
	copy(right[2:], "may-act-1")
	if _, cc := setPassword(d, right); cc != ccOK {
		t.Errorf("the right password: %v", cc)
	}
}

// A reset takes the BMC away for a while, with its sessions and what it kept in
// memory.
func TestColdReset(t *testing.T) {
	d, _, now := fixed(t)
	setBoot(d, []byte{0, 1})
	if _, cc := restart(d, nil); cc != ccOK {
		t.Fatal(cc)
	}
	if d.reachable() {
		t.Error("it answers while it starts")
	}
	*now = now.Add(10 * time.Second)
	if !d.reachable() || d.boots.inUse != 0 {
		t.Errorf("after it: %+v", d.boots)
	}
}
