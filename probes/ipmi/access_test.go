package ipmi

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"plumb/fleet"

	"github.com/google/go-cmp/cmp"
)

// office is what a fake BMC tells an OPERATOR: its users and its network.
type office struct {
	slots  int
	access map[byte][2]byte // status and access, by slot
	names  map[byte]string
	lan    map[byte][]byte
	strict bool // refuses a session that was not raised
	level  byte
	logins int // at which level was set: a new session begins as USER
	before func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool)
}

func openOffice() *office {
	return &office{
		slots: 10, strict: true,
		access: map[byte][2]byte{1: {0x82, 0x0f}, 2: {0x42, 0x14}, 3: {0x42, 0x12}, 4: {0x82, 0x03}, 5: {0x42, 0x04}},
		names:  map[byte]string{2: "root", 3: "plumb", 4: "ops", 5: "local admin"},
		lan: map[byte][]byte{
			3: {10, 20, 30, 40}, 4: {2}, 5: {2, 0, 0, 0, 0, 0x42}, 6: {255, 255, 255, 0}, 12: {10, 20, 30, 1}, 20: {0x84, 0x83},
			22: {3}, 23: {0, 0, 3, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 24: {0, 0x40, 0x04, 0, 0, 0, 0, 0, 0},
		},
	}
}

// on answers commands for the fake; its lock is held.
func (o *office) on(f *fakeBMC) func(netFn, uint8, []byte) (completion, []byte, bool) {
	return func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		if o.logins != f.logins {
			o.logins, o.level = f.logins, byte(privUser)
		}
		if o.before != nil {
			if code, out, done := o.before(fn, cmd, data); done {
				return code, out, true
			}
		}
		key := [2]uint8{uint8(fn), cmd}
		switch key {
		case [2]uint8{uint8(fnApp), 0x3b}:
			o.level = data[0]
			return 0, data, true
		case [2]uint8{uint8(fnApp), 0x44}, [2]uint8{uint8(fnApp), 0x46}, [2]uint8{uint8(fnTransport), 0x02}:
			if o.strict && o.level < byte(privOperator) {
				return ccPrivilege, nil, true
			}
		}
		switch key {
		case [2]uint8{uint8(fnApp), 0x44}:
			a, ok := o.access[data[1]]
			if !ok {
				a = [2]byte{0x80, 0x0f}
			}
			return 0, []byte{byte(o.slots), a[0], 1, a[1]}, true
		case [2]uint8{uint8(fnApp), 0x46}:
			name, ok := o.names[data[0]]
			if !ok {
				return ccInvalidField, nil, true
			}
			return 0, append([]byte(name), make([]byte, maxUsername-len(name))...), true
		case [2]uint8{uint8(fnTransport), 0x02}:
			if data[1] == 16 {
				f.t.Error("the community string was asked for")
			}
			p, ok := o.lan[data[1]]
			if !ok {
				return 0x80, nil, true
			}
			return 0, append([]byte{0x11}, p...), true
		}
		return 0, nil, false
	}
}

func startOffice(t *testing.T, o *office, change ...func(*fakeBMC)) *fakeBMC {
	t.Helper()
	return startFake(t, append(change, func(f *fakeBMC) { f.on = o.on(f) })...)
}

// accessOf are the facts of this file's subject.
func accessOf(o *fleet.Observation) map[string]string {
	m := map[string]string{}
	for _, f := range o.Facts {
		for _, p := range []string{"bmc.user", "bmc.lan.", "bmc.sees.", "bmc.auth.", "bmc.cipher"} {
			if strings.HasPrefix(f.Name, p) {
				m[f.Name] = f.Value
			}
		}
	}
	return m
}

var officeFacts = map[string]string{
	"bmc.user.2": "root administrator enabled lan", "bmc.user.3": "plumb user enabled lan", "bmc.user.4": "ops operator disabled nolan",
	"bmc.user.5": "local admin administrator enabled nolan", "bmc.users.enabled": "3", "bmc.users.admins": "1", "bmc.sees.users": "yes",
	"bmc.lan.address": "10.20.30.40", "bmc.lan.source": "dhcp", "bmc.lan.netmask": "255.255.255.0", "bmc.lan.gateway": "10.20.30.1",
	"bmc.lan.vlan": "900", "bmc.lan.cipher_privileges": "0=unspecified 3=administrator 17=administrator", "bmc.sees.lan": "yes",
}

// officeBut returns what is seen of an office, without the facts of a prefix
// and with others.
func officeBut(extra map[string]string, prefix ...string) map[string]string {
	m := map[string]string{
		"bmc.auth.anonymous": "no", "bmc.auth.kg": "unset", "bmc.auth.null_user": "yes", "bmc.auth.per_message": "yes",
		"bmc.auth.types": "md5", "bmc.auth.v15": "yes", "bmc.ciphers": "3 17",
	}
	for k, v := range officeFacts {
		m[k] = v
	}
	for k := range m {
		for _, p := range prefix {
			if strings.HasPrefix(k, p) {
				delete(m, k)
			}
		}
	}
	for k, v := range extra {
		m[k] = v
	}
	return m
}

// sees fails the test unless these are the facts and the table is so.
func sees(t *testing.T, o *fleet.Observation, want map[string]string, table fleet.Completeness) {
	t.Helper()
	if d := cmp.Diff(want, accessOf(o)); d != "" {
		t.Errorf("facts (-want +got):\n%s", d)
	}
	if got := o.Tables[fleet.TableFacts]; got != table {
		t.Errorf("facts are %v, want %v", got, table)
	}
}

func TestDoors(t *testing.T) {
	desk := openOffice()
	f := startOffice(t, desk)
	b := f.probe()
	sees(t, well(t, look(t, b, fleet.LaneSlow)), officeBut(nil), fleet.Complete)
	f.set(func() {
		if desk.level != byte(privUser) || b.session.level != privUser {
			t.Errorf("the session stayed at %d", desk.level)
		}
	})
	if n := f.knocked(); n != 3 {
		t.Errorf("%d questions without a session, want 3", n)
	}
	// One refusal, raise, lower; nine parameters; two for each slot.
	asked := f.count(fnTransport, 0x02) + f.count(fnApp, 0x44) + f.count(fnApp, 0x46) + f.count(fnApp, 0x3b)
	if want := 1 + 2 + 9 + 2*10; asked != want {
		t.Errorf("%d commands, want %d", asked, want)
	}
	n := f.total()
	well(t, look(t, b, fleet.LaneFast))
	if n = f.total() - n; n != 3+2 || f.knocked() != 3 {
		t.Errorf("a fast poll asked %d commands and knocked %d times", n, f.knocked()-3)
	}
	f.set(func() {
		desk.access[2], desk.names[2] = [2]byte{0x82, 0x0f}, ""
		desk.lan[20] = []byte{0x84, 0x03}
	})
	sees(t, well(t, look(t, b, fleet.LaneSlow)), officeBut(map[string]string{"bmc.users.enabled": "2", "bmc.users.admins": "0", "bmc.lan.vlan": "off"}, "bmc.user.2"), fleet.Complete)
}

// TestDoorsAreReadOften: the tables lane looks at the doors and at nothing else
// of the identity, and what it saw before stays where a BMC is too busy to tell.
func TestDoorsAreReadOften(t *testing.T) {
	desk := openOffice()
	f := startOffice(t, desk)
	b := f.probe()
	first := well(t, look(t, b, fleet.LaneSlow))
	users, sent := f.count(fnApp, 0x44), b.sent.Load()
	f.set(func() { f.records = []byte{0xc0, 0, 0, 0xc0, 3, 1, 0xc0, 17, 3} })
	o := well(t, look(t, b, fleet.LaneTables))
	if got := o.Facts.Get("bmc.ciphers"); got != "0 3 17" || first.Facts.Get("bmc.ciphers") != "3 17" {
		t.Errorf("suites %q after one was opened, %q before", got, first.Facts.Get("bmc.ciphers"))
	}
	if !o.Facts.Num(fleet.FactDoorsAt).Known || f.knocked() != 6 || f.count(fnApp, 0x44) != users {
		t.Errorf("doors read at %v; knocked %d times, want 6; asked for users %d times more", o.Facts.Num(fleet.FactDoorsAt), f.knocked(), f.count(fnApp, 0x44)-users)
	}
	n := b.sent.Load() - sent
	t.Logf("a poll of the tables lane sent and took %d datagrams", n)
	well(t, look(t, b, fleet.LaneFast))
	if f.knocked() != 6 {
		t.Error("a fast poll knocked")
	}
}

// What is refused to our account is said once, and no user is named.
func TestUserSeesNoOffice(t *testing.T) {
	f := startOffice(t, openOffice(), func(f *fakeBMC) { f.maxRole = byte(privUser) })
	b := f.probe()
	for range 2 {
		sees(t, well(t, look(t, b, fleet.LaneSlow)), officeBut(map[string]string{"bmc.sees.users": "denied", "bmc.sees.lan": "denied"}, "bmc.user", "bmc.lan.", "bmc.sees."), fleet.Complete)
	}
}

// A BMC that gives it to USER is not asked to raise the session.
func TestNoRaiseWithoutNeed(t *testing.T) {
	desk := openOffice()
	desk.strict = false
	f := startOffice(t, desk)
	sees(t, well(t, look(t, f.probe(), fleet.LaneSlow)), officeBut(nil), fleet.Complete)
	if n := f.count(fnApp, 0x3b); n != 0 {
		t.Errorf("the privilege was set %d times", n)
	}
}

// Real BMCs lack this or that: an absent fact, no error.
func TestRefusedDoorsAreAbsent(t *testing.T) {
	for _, code := range []completion{ccInvalidCommand, ccInvalidField, ccState, ccRange, ccNotPresent, 0x80, ccUnspecified} {
		t.Run(code.String(), func(t *testing.T) {
			desk := openOffice()
			desk.before = func(fn netFn, cmd uint8, _ []byte) (completion, []byte, bool) {
				return code, nil, fn == fnTransport || fn == fnApp && (cmd == 0x44 || cmd == 0x46 || cmd == 0x38 || cmd == 0x54)
			}
			f := startOffice(t, desk)
			sees(t, well(t, look(t, f.probe(), fleet.LaneSlow)), map[string]string{}, fleet.Complete)
		})
	}
}

// One slot and one parameter that are refused cost themselves and the counts.
func TestRefusedSlot(t *testing.T) {
	desk := openOffice()
	desk.before = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		return ccUnspecified, nil, fn == fnApp && cmd == 0x44 && data[1] == 3 || fn == fnTransport && data[1] == 23
	}
	f := startOffice(t, desk)
	sees(t, well(t, look(t, f.probe(), fleet.LaneSlow)), officeBut(map[string]string{"bmc.sees.users": "partial"}, "bmc.user.3", "bmc.users", "bmc.lan.cipher", "bmc.sees.users"), fleet.Complete)
}

// A BMC that is busy leaves the question open: what was known stays.
func TestBusyDoorsArePartial(t *testing.T) {
	for name, at := range map[string]func(netFn, uint8, []byte) bool{
		"slot":      func(fn netFn, cmd uint8, data []byte) bool { return fn == fnApp && cmd == 0x44 && data[1] == 3 },
		"name":      func(fn netFn, cmd uint8, data []byte) bool { return fn == fnApp && cmd == 0x46 && data[0] == 3 },
		"users":     func(fn netFn, cmd uint8, data []byte) bool { return fn == fnApp && cmd == 0x44 },
		"parameter": func(fn netFn, cmd uint8, data []byte) bool { return fn == fnTransport && data[1] == 6 },
		"limits":    func(fn netFn, cmd uint8, data []byte) bool { return fn == fnTransport && data[1] == 24 },
	} {
		t.Run(name, func(t *testing.T) {
			desk := openOffice()
			f := startOffice(t, desk)
			b := f.probe()
			well(t, look(t, b, fleet.LaneSlow))
			f.set(func() {
				desk.before = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
					return ccNodeBusy, nil, at(fn, cmd, data)
				}
			})
			o := well(t, look(t, b, fleet.LaneSlow))
			want := officeBut(nil)
			want["bmc.sees.users"] = o.Facts.Get("bmc.sees.users") // yes or partial
			sees(t, o, want, fleet.Partial)
			f.set(func() { desk.before = nil })
			sees(t, well(t, look(t, b, fleet.LaneSlow)), officeBut(nil), fleet.Complete)
		})
	}
}

// One parameter that is not even refused: partial once, then the BMC is known
// not to have it. The other parameters are none the worse.
func TestSilentParameter(t *testing.T) {
	desk := openOffice()
	desk.before = func(fn netFn, _ uint8, data []byte) (completion, []byte, bool) {
		return noAnswer, nil, fn == fnTransport && data[1] == 20
	}
	f := startOffice(t, desk)
	b := f.probe()
	want := officeBut(nil, "bmc.lan.vlan")
	sees(t, well(t, look(t, b, fleet.LaneSlow)), want, fleet.Partial)
	n := f.count(fnTransport, 0x02)
	sees(t, well(t, look(t, b, fleet.LaneSlow)), want, fleet.Complete)
	if n = f.count(fnTransport, 0x02) - n; n > 1+8 {
		t.Errorf("%d parameters were asked for, want 8", n)
	}
}

// The BMC restarts in the middle: the new session is raised again.
func TestRaisedAgainAfterRestart(t *testing.T) {
	desk := openOffice()
	f := startOffice(t, desk)
	b := f.probe()
	well(t, look(t, b, fleet.LaneSlow))
	once := true
	f.set(func() {
		desk.before = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
			if once && fn == fnApp && cmd == 0x44 && data[1] == 3 {
				once = false
				clear(f.open)
			}
			return 0, nil, false
		}
	})
	sees(t, well(t, look(t, b, fleet.LaneSlow)), officeBut(nil), fleet.Complete)
	if n := f.count(fnApp, 0x3b); n != 2+3 {
		t.Errorf("the privilege was set %d times, want 5: up and down, then up, up again, down", n)
	}
}

// Nobody is answered without a session: the same is asked inside, and the
// silence is waited for once.
func TestDeafOutside(t *testing.T) {
	f := startOffice(t, openOffice(), func(f *fakeBMC) { f.deaf = true })
	b := f.probe()
	sees(t, well(t, look(t, b, fleet.LaneSlow)), officeBut(nil), fleet.Complete)
	if !b.indoors || f.knocked() != 3 {
		t.Errorf("%d questions inside", f.knocked())
	}
	sent, asked := b.sent.Load(), f.total()
	well(t, look(t, b, fleet.LaneSlow))
	if n, in := b.sent.Load()-sent, f.total()-asked; n != 2*int64(in) {
		t.Errorf("%d datagrams for %d commands: it knocked again", n, in)
	}
}

// Types, and what is open, are the union of what USER and ADMINISTRATOR may use.
func TestAuthTypes(t *testing.T) {
	for _, c := range []struct {
		user, admin                            []byte
		types, v15, null, anon, perMessage, kg string
	}{
		{[]byte{1, 0x80 | 0x01, 0x23, 3, 0, 0, 0, 0}, []byte{1, 0x80 | 0x14, 0x23, 3, 0, 0, 0, 0}, "none md5 password", "yes", "yes", "yes", "yes", "set"},
		{[]byte{1, 0x80, 0x14, 2, 0, 0, 0, 0}, []byte{1, 0x80, 0x14, 2, 0, 0, 0, 0}, "-", "no", "no", "no", "no", "unset"},
		{[]byte{1, 0x80 | 0x04, 0, 2}, []byte{1, 0x80 | 0x02, 0, 2}, "md2 md5", "no", "no", "no", "yes", "unset"}, // types, and no 1.5
		{[]byte{1, 0x3f, 0x20, 0xff}, []byte{1, 0x3f, 0x20, 0xff}, "none md2 md5 password oem", "yes", "no", "no", "yes", ""},
		{[]byte{1, 0x80 | 0x20, 0, 3}, []byte{1, 0x80 | 0x20, 0, 3}, "oem", "no", "no", "no", "yes", "unset"},
		{[]byte{1, 0x80}, []byte{1, 0x84, 4, 3}, "md5", "yes", "no", "no", "yes", "unset"},         // one answer is cut short
		{[]byte{1, 0x84, 3, 3}, []byte{1, 0x84, 0, 2}, "md5", "yes", "yes", "yes", "yes", "unset"}, // open to USER alone
		{nil, []byte{}, "", "", "", "", "", ""},
	} {
		f := startFake(t, func(f *fakeBMC) { f.userCaps, f.adminCaps = c.user, c.admin })
		o := well(t, look(t, f.probe(), fleet.LaneSlow))
		for fact, want := range map[string]string{"types": c.types, "v15": c.v15, "null_user": c.null, "anonymous": c.anon, "per_message": c.perMessage, "kg": c.kg} {
			if got := o.Facts.Get("bmc.auth." + fact); got != want {
				t.Errorf("%x %x: %s is %q, want %q", c.user, c.admin, fact, got, want)
			}
		}
	}
}

// A list of suites that never ends is cut, one that repeats is read once.
func TestEndlessSuites(t *testing.T) {
	same := bytes.Repeat([]byte{0xc0, 17, 3, 0x44}, 4)
	for _, c := range []struct {
		name    string
		records []byte
		piece   func(i byte) []byte
		asked   int
		suites  string
	}{
		{"repeats", nil, func(byte) []byte { return same }, 2, "17"},
		{"never ends", nil, func(i byte) []byte { return append([]byte{0xc0, i, 1}, make([]byte, 13)...) }, 64, "0 1 2"},
		{"in pieces", bytes.Repeat([]byte{0xc0, 17, 3, 0x44, 0x81}, 5), nil, 2, "17"},
		{"exactly one", same, nil, 2, "17"},
		{"none", []byte{}, nil, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			f := startFake(t, func(f *fakeBMC) { f.records = c.records })
			f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
				if fn != fnApp || cmd != 0x54 {
					return 0, nil, false
				}
				asked++
				if c.piece == nil {
					return 0, nil, false
				}
				return 0, append([]byte{1}, c.piece(data[2]&0x3f)...), true
			}
			o := well(t, look(t, f.probe(), fleet.LaneSlow))
			if got := o.Facts.Get("bmc.ciphers"); !strings.HasPrefix(got, c.suites) || c.suites == "" && got != "" {
				t.Errorf("suites %q", got)
			}
			f.set(func() {
				if asked != c.asked {
					t.Errorf("asked %d times, want %d", asked, c.asked)
				}
			})
		})
	}
}

func TestUserAccess(t *testing.T) {
	for _, c := range []struct {
		in   []byte
		name string
		want string
	}{
		{[]byte{10, 0x41, 1, 0x14}, "ADMIN", "ADMIN administrator enabled lan"},
		{[]byte{10, 0x81, 1, 0x14}, "ADMIN", "ADMIN administrator disabled lan"},
		{[]byte{10, 0x41, 1, 0x04}, "a b", "a b administrator enabled nolan"},
		{[]byte{10, 0x41, 1, 0x52}, "in", "in user enabled nolan"}, // callback only
		{[]byte{10, 0x41, 1, 0x1f}, "no", "no none enabled nolan"},
		{[]byte{63, 0x03, 1, 0x12}, "", `"" user enabled lan`}, // status untold: messaging tells
		{[]byte{63, 0x03, 1, 0x03}, "ops", "ops operator disabled nolan"},
		{[]byte{63, 0xc3, 1, 0x10}, "x", "x unspecified disabled lan"},
	} {
		a, err := parseUserAccess(c.in)
		if got := a.text(c.name); err != nil || got != c.want || a.slots != int(c.in[0]) {
			t.Errorf("%x: %q, %v; want %q", c.in, got, err, c.want)
		}
	}
	if _, err := parseUserAccess([]byte{10, 1, 1}); err == nil {
		t.Error("three bytes are accepted")
	}
	for in, want := range map[string]string{
		"root\x00\x00": "root", strings.Repeat("\xff", 16): "", "": "", "\x1b[31mred": "[31mred", "0123456789abcdefgh": "0123456789abcdef", "\x00x": "",
	} {
		if got := userName([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A BMC that claims 63 slots and fills each is read no further than that.
func TestManySlots(t *testing.T) {
	desk := openOffice()
	desk.slots = 0xff
	for i := byte(1); i < 64; i++ {
		desk.access[i], desk.names[i] = [2]byte{0x7f, 0x14}, fmt.Sprintf("user%d", i)
	}
	f := startOffice(t, desk)
	o := well(t, look(t, f.probe(), fleet.LaneSlow))
	if n := o.Facts.Get("bmc.users.admins"); n != "63" || f.count(fnApp, 0x44) > maxSlots+1 {
		t.Errorf("%s admins, %d asked", n, f.count(fnApp, 0x44))
	}
}

func TestLANTexts(t *testing.T) {
	for _, c := range []struct {
		text func([]byte) string
		in   []byte
		want string
	}{
		{addressText, []byte{0, 0, 0, 0}, "0.0.0.0"}, {addressText, []byte{1, 2, 3}, ""},
		{sourceText, []byte{0xf1}, "static"}, {sourceText, []byte{2}, "dhcp"}, {sourceText, []byte{3}, "bios"}, {sourceText, []byte{4}, "other"}, {sourceText, []byte{0}, "other"}, {sourceText, nil, ""},
		{macText, make([]byte, 6), ""}, {macText, []byte{1, 2, 3, 4, 5, 6}, "01:02:03:04:05:06"}, {macText, []byte{1}, ""},
		{vlanText, []byte{0xff, 0xff}, "4095"}, {vlanText, []byte{0xff, 0x0f}, "off"}, {vlanText, []byte{0x84, 0x83}, "900"}, {vlanText, []byte{1}, ""},
	} {
		if got := c.text(c.in); got != c.want {
			t.Errorf("%x: %q, want %q", c.in, got, c.want)
		}
	}
	for _, c := range []struct {
		n           int
		ids, limits []byte
		want        string
	}{
		{2, []byte{0, 3, 17}, []byte{0, 0x54}, "3=administrator 17=oem"},
		{16, []byte{0, 3}, []byte{0, 0x43}, "3=operator"},
		{16, []byte{0, 1, 2, 3}, []byte{0, 0x21}, "1=callback 2=user"},
		{0, []byte{0, 3}, []byte{0, 0x44}, ""}, {3, nil, nil, ""}, {3, []byte{0}, []byte{0}, ""},
	} {
		if got := suiteLimits(c.n, c.ids, c.limits); got != c.want {
			t.Errorf("%d %x %x: %q, want %q", c.n, c.ids, c.limits, got, c.want)
		}
	}
}
