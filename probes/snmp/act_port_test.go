package snmp

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

const fakeIndex = 5 // ifIndex of Ethernet1

// onePort is a switch of one port.
func onePort(t *testing.T, more ...object) *fakeAgent {
	return newFake(t, sorted(append(switchTree(1, "sw1", fakePort{index: fakeIndex, name: "Ethernet1", alias: "uplink"}), more...))...)
}

func actPort(t *testing.T, a *Agent, kind fleet.ActionKind, args map[string]string) (fleet.Outcome, error) {
	t.Helper()
	return a.Act(deadline(t, 5*time.Second), fleet.Action{Kind: kind, Target: "sw1/Ethernet1", Args: args})
}

func isSet(q fakeRequest, name oid) bool { return q.kind == pduSet && q.names[0].compare(name) == 0 }

// TestAliasesAsRead: what is not what the device has is seen not to be, so that
// nobody writes it back; a device that has none says nothing.
func TestAliasesAsRead(t *testing.T) {
	for _, c := range []struct {
		raw, want string
		writable  bool
	}{
		{"to fra1-r02", "to fra1-r02", true},
		{"", "", true},
		{"padded\x00\x00\x00", "padded", true},
		{"  padded ", "padded", true},
		{strings.Repeat("x", 64), strings.Repeat("x", 64), true},
		{strings.Repeat("x", 65), strings.Repeat("x", 65), false},
		{strings.Repeat("x", 400), strings.Repeat("x", 256), false},
		{"a\x1b[2Jb", "a\ufffd[2Jb", false},
		{"a\x00b", "a\ufffdb", false},
		{"two\nlines", "two\ufffdlines", false},
		{"one line\n", "one line\ufffd", false},
		{"a\u202eb", "a\ufffdb", false},
		{"Z\xfcrich", "Zürich", false},
		{"Zürich", "Zürich", false},
	} {
		f := newFake(t, switchTree(1, "sw1", fakePort{index: fakeIndex, name: "Ethernet1", alias: c.raw})...)
		p := observe(t, agentOf(t, f), fleet.LaneSlow).Ports[0]
		if p.Alias != c.want || p.NoAlias || fleet.WritableAlias(p.Alias) != c.writable {
			t.Errorf("%q is read as %q (none: %v, can be written: %v)", c.raw, p.Alias, p.NoAlias, fleet.WritableAlias(p.Alias))
		}
	}
	without := slices.DeleteFunc(switchTree(1, "sw1", fakePort{index: fakeIndex, name: "Ethernet1", alias: "x"}), func(o object) bool {
		_, is := o.name.under(ifAliasColumn)
		return is
	})
	if p := observe(t, agentOf(t, newFake(t, without...)), fleet.LaneSlow).Ports[0]; p.Name != "Ethernet1" || !p.NoAlias {
		t.Errorf("an agent without ifAlias: %+v", p.PortDef)
	}
}

func TestPortAlias(t *testing.T) {
	f := onePort(t)
	a := agentOf(t, f)
	long := strings.Repeat("x", fleet.MaxAlias)
	for _, c := range []struct {
		alias, before string
		sets          int
		err           error
	}{
		{"to fra1-r02", "uplink", 1, nil},
		{"to fra1-r02", "to fra1-r02", 1, nil},
		{"", "to fra1-r02", 2, nil},
		{long, "", 3, nil},
		{long + "x", "", 3, fleet.ErrUnsupported},
		{"a\nb", "", 3, fleet.ErrUnsupported},
		{"Gerät", "", 3, fleet.ErrUnsupported},
	} {
		out, err := actPort(t, a, fleet.ActPortAlias, map[string]string{"alias": c.alias})
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || out.Done != (c.err == nil) || out.Before != c.before || f.setRequests() != c.sets {
			t.Errorf("%q: %+v, %v after %d sets", c.alias, out, err, f.setRequests())
		}
		if c.err == nil && out.After != c.alias {
			t.Errorf("%q reads back as %q", c.alias, out.After)
		}
	}
	if _, err := actPort(t, a, fleet.ActPortAlias, nil); !errors.Is(err, fleet.ErrUnsupported) {
		t.Errorf("without an alias: %v", err)
	}
	if o := observe(t, a, fleet.LaneSlow); o.Ports[0].Alias != long {
		t.Errorf("a poll reads %q", o.Ports[0].Alias)
	}
}

// TestReadsBackLate: an agent that shows what was before the write for a while
// has not lied.
func TestReadsBackLate(t *testing.T) {
	f := onePort(t)
	reads := 0
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		if f.sets > 0 && q.kind == pduGet && q.names[0].compare(ifAdminStatus.plus(fakeIndex)) == 0 {
			if reads++; reads < 4 {
				return [][]byte{fakeMessage(q.community, pduResponse, q.id, 0, 0, []object{objAt(q.names[0], 1)})}
			}
		}
		return [][]byte{answer}
	}
	out, err := actPort(t, agentOf(t, f), fleet.ActPortDown, nil)
	if err != nil || !out.Done || out.After != "down" || f.setRequests() != 1 {
		t.Errorf("%+v, %v after %d sets", out, err, f.setRequests())
	}
}

// linked lets the link of the fake's port follow its ifAdminStatus.
func linked(f *fakeAgent) {
	f.wrote = func(q fakeRequest) {
		if isSet(q, ifAdminStatus.plus(fakeIndex)) {
			f.write(ifOperStatus.plus(fakeIndex), q.values[0])
		}
	}
}

func TestPortBounce(t *testing.T) {
	f := onePort(t)
	linked(f)
	out, err := actPort(t, agentOf(t, f), fleet.ActPortBounce, nil)
	if err != nil || !out.Done || out.Before != "up" || out.After != "up" || f.setRequests() != 2 || !strings.Contains(out.Text, "its link went down within") {
		t.Errorf("%+v, %v after %d sets", out, err, f.setRequests())
	}
	// A link that stays up, a loopback's, does not keep the port down.
	f.set(func() { f.wrote = nil })
	out, err = actPort(t, agentOf(t, f), fleet.ActPortBounce, nil)
	if err != nil || !out.Done || out.After != "up" || !strings.Contains(out.Text, "was not seen down") {
		t.Errorf("%+v, %v", out, err)
	}
	// A port that is down is not set up by way of a bounce.
	f.set(func() { f.write(ifAdminStatus.plus(fakeIndex), integer(adminDown)) })
	out, err = actPort(t, agentOf(t, f), fleet.ActPortBounce, nil)
	if !errors.Is(err, fleet.ErrUnsupported) || out.Done || f.setRequests() != 4 || out.Before != "down" {
		t.Errorf("of a port that is down: %+v, %v after %d sets", out, err, f.setRequests())
	}
}

// TestBounceLeavesNoDoubt: when the port does not come up again, the outcome
// says that it is down.
func TestBounceLeavesNoDoubt(t *testing.T) {
	up := func(q fakeRequest) bool {
		return isSet(q, ifAdminStatus.plus(fakeIndex)) && q.values[0].small() == adminUp
	}
	for name, c := range map[string]struct {
		break_ func(f *fakeAgent)
		after  string
		err    error
	}{
		"refused": {func(f *fakeAgent) {
			f.refuse = func(q fakeRequest) errorStatus {
				if up(q) {
					return statusGenErr
				}
				return statusOK
			}
		}, "down", fleet.ErrProtocol},
		"no effect": {func(f *fakeAgent) {
			f.wrote = func(q fakeRequest) {
				if up(q) {
					f.write(ifAdminStatus.plus(fakeIndex), integer(adminDown))
				}
			}
		}, "down", fleet.ErrProtocol},
		"lost": {func(f *fakeAgent) {
			f.on = func(q fakeRequest, answer []byte) [][]byte {
				if up(q) {
					f.write(ifAdminStatus.plus(fakeIndex), integer(adminDown))
					return nil
				}
				return [][]byte{answer}
			}
		}, "down", fleet.ErrTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			f := onePort(t)
			linked(f)
			c.break_(f)
			out, err := actPort(t, agentOf(t, f, quick), fleet.ActPortBounce, nil)
			if !errors.Is(err, c.err) || out.Done || out.After != c.after || !strings.Contains(out.Text, "the port is down") {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}

// TestBounceRefused: the first write is refused, so there is nothing to undo.
func TestBounceRefused(t *testing.T) {
	f := onePort(t)
	f.refuse = func(q fakeRequest) errorStatus {
		if q.kind == pduSet {
			return 17
		}
		return statusOK
	}
	out, err := actPort(t, agentOf(t, f), fleet.ActPortBounce, nil)
	if !errors.Is(err, fleet.ErrUnsupported) || out.Done || out.After != "up" {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestBounceOutlivesItsCaller: whoever gives up while the port is down gets it
// back up.
func TestBounceOutlivesItsCaller(t *testing.T) {
	f := onePort(t)
	ctx, cancel := context.WithCancel(deadline(t, 5*time.Second))
	f.wrote = func(q fakeRequest) { cancel() }
	a := agentOf(t, f)
	out, err := a.Act(ctx, fleet.Action{Kind: fleet.ActPortBounce, Target: "sw1/Ethernet1"})
	if err != nil || !out.Done || out.After != "up" || f.setRequests() != 2 {
		t.Errorf("%+v, %v after %d sets", out, err, f.setRequests())
	}
}
