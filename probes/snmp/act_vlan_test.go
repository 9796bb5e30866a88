package snmp

import (
	"errors"
	"slices"
	"testing"

	"plumb/fleet"
)

// vlans are Q-BRIDGE rows: VLANs 110 and 120, the first with the bridge ports 3
// and 12. Ethernet1 is the latter, in the second octet of a PortList.
func vlans() []object {
	const row = "1.3.6.1.2.1.17.7.1.4.3.1."
	return []object{
		obj("1.3.6.1.2.1.17.1.4.1.2.3", 77), obj("1.3.6.1.2.1.17.1.4.1.2.12", fakeIndex),
		obj(row+"1.110", "compute"), obj(row+"1.120", "game"),
		obj(row+"2.110", "\x20\x10"), obj(row+"2.120", "\x80"),
		obj(row+"4.110", "\x20\x10"), obj(row+"4.120", "\x80"),
		obj("1.3.6.1.2.1.17.7.1.4.5.1.1.3", gauge32(110)), obj("1.3.6.1.2.1.17.7.1.4.5.1.1.12", gauge32(110)),
	}
}

func (f *fakeAgent) raw(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.get(parseOID(name)).value.raw)
}

func putInto(t *testing.T, f *fakeAgent, vlan string) (fleet.Outcome, error) {
	t.Helper()
	return actPort(t, agentOf(t, f, quick), fleet.ActPortVLAN, map[string]string{"vlan": vlan})
}

func TestPortVLAN(t *testing.T) {
	f := onePort(t, vlans()...)
	out, err := putInto(t, f, "120")
	if err != nil || !out.Done || out.Before != "VLAN 110" || out.After != "VLAN 120" || f.setRequests() != 1 {
		t.Fatalf("%+v, %v after %d sets", out, err, f.setRequests())
	}
	// The other ports stay where they are.
	for name, want := range map[string]string{"2.110": "\x20\x00", "4.110": "\x20\x00", "2.120": "\x80\x10", "4.120": "\x80\x10"} {
		if got := f.raw("1.3.6.1.2.1.17.7.1.4.3.1." + name); got != want {
			t.Errorf("PortList %s is %x, want %x", name, got, want)
		}
	}
	if out, err = putInto(t, f, "120"); err != nil || !out.Done || f.setRequests() != 1 {
		t.Errorf("again: %+v, %v after %d sets", out, err, f.setRequests())
	}
	for _, vlan := range []string{"130", "0", "4095", "x", ""} {
		if out, err := putInto(t, f, vlan); !errors.Is(err, fleet.ErrUnsupported) || out.Done || f.setRequests() != 1 {
			t.Errorf("VLAN %q: %+v, %v after %d sets", vlan, out, err, f.setRequests())
		}
	}
}

// TestVLANRefused: what is no access port of a bridge, and what cannot be read
// whole, is not touched.
func TestVLANRefused(t *testing.T) {
	const row = "1.3.6.1.2.1.17.7.1.4."
	for name, change := range map[string]func(f *fakeAgent){
		"in two VLANs":   func(f *fakeAgent) { f.write(parseOID(row+"3.1.2.120"), octets([]byte("\x80\x10"))) },
		"tagged":         func(f *fakeAgent) { f.write(parseOID(row+"3.1.4.110"), octets([]byte("\x20\x00"))) },
		"two in force":   func(f *fakeAgent) { f.tree = sorted(append(f.tree, obj(row+"2.1.4.0.130", "\x00\x10"))) },
		"no bridge port": func(f *fakeAgent) { f.write(parseOID("1.3.6.1.2.1.17.1.4.1.2.12"), integer(78)) },
		"no Q-BRIDGE at all": func(f *fakeAgent) {
			f.tree = slices.DeleteFunc(f.tree, func(o object) bool { _, q := o.name.under(parseOID("1.3.6.1.2.1.17.7")); return q })
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := onePort(t, vlans()...)
			change(f)
			if out, err := putInto(t, f, "120"); !errors.Is(err, fleet.ErrUnsupported) || out.Done || f.setRequests() != 0 || out.Text == "" {
				t.Errorf("%+v, %v after %d sets", out, err, f.setRequests())
			}
		})
	}
	t.Run("half a table", func(t *testing.T) {
		f := onePort(t, vlans()...)
		f.refuse = func(q fakeRequest) errorStatus {
			if _, inside := q.names[0].under(staticEgress); inside && len(q.names[0]) > len(staticEgress) {
				return statusGenErr
			}
			return statusOK
		}
		if out, err := putInto(t, f, "120"); !errors.Is(err, fleet.ErrProtocol) || out.Done || f.setRequests() != 0 {
			t.Errorf("%+v, %v after %d sets", out, err, f.setRequests())
		}
	})
}

// TestWideTrunk: what is told of a trunk is bounded, whatever it carries.
func TestWideTrunk(t *testing.T) {
	f := onePort(t, vlans()...)
	for id := range uint32(200) {
		f.tree = append(f.tree, objAt(staticEgress.plus(1000+id), "\x00\x10"), objAt(staticUntagged.plus(1000+id), "\x00\x00"))
	}
	sorted(f.tree)
	out, err := putInto(t, f, "120")
	if !errors.Is(err, fleet.ErrUnsupported) || out.Done || len(out.Before) > 200 || f.setRequests() != 0 {
		t.Errorf("%d bytes: %+v, %v", len(out.Before), out, err)
	}
}

// TestVLANHalfDone: an agent that says yes and moves the PVID alone has not
// done it, and the outcome says where the port is now.
func TestVLANHalfDone(t *testing.T) {
	f := onePort(t, vlans()...)
	f.wrote = func(fakeRequest) {
		for i, o := range vlans() {
			if i >= 4 && i < 8 {
				f.write(o.name, o.value)
			}
		}
	}
	out, err := putInto(t, f, "120")
	if !errors.Is(err, fleet.ErrProtocol) || out.Done || out.After != "PVID 120, member of [110], untagged in [110]" {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestVLANLost: the answer is lost, the write is not.
func TestVLANLost(t *testing.T) {
	f := onePort(t, vlans()...)
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		if q.kind == pduSet {
			return nil
		}
		return [][]byte{answer}
	}
	if out, err := putInto(t, f, "120"); err != nil || !out.Done || out.After != "VLAN 120" || f.setRequests() != 1 {
		t.Errorf("%+v, %v after %d sets", out, err, f.setRequests())
	}
}

// TestCiscoVLAN goes by vmVlan where the device has it.
func TestCiscoVLAN(t *testing.T) {
	const cisco = "1.3.6.1.4.1.9.9."
	rows := func(change ...object) []object {
		return append([]object{
			obj(cisco+"46.1.3.1.1.2.1.110", 1), obj(cisco+"46.1.3.1.1.2.1.120", 1), obj(cisco+"46.1.3.1.1.2.1.130", 2),
			obj(cisco+"68.1.2.2.1.1.5", 1), obj(cisco+"68.1.2.2.1.2.5", 110),
		}, change...)
	}
	f := onePort(t, append(rows(), vlans()...)...)
	out, err := putInto(t, f, "120")
	if err != nil || !out.Done || out.Before != "VLAN 110" || out.After != "VLAN 120" || f.setRequests() != 1 || f.raw(cisco+"68.1.2.2.1.2.5") != "\x78" {
		t.Errorf("%+v, %v after %d sets", out, err, f.setRequests())
	}
	for _, vlan := range []string{"130", "140"} { // suspended; not there
		if out, err := putInto(t, f, vlan); !errors.Is(err, fleet.ErrUnsupported) || out.Done || f.setRequests() != 1 {
			t.Errorf("VLAN %s: %+v, %v", vlan, out, err)
		}
	}
	trunk := onePort(t, rows(obj(cisco+"46.1.6.1.1.14.5", 1))...)
	if out, err := putInto(t, trunk, "120"); !errors.Is(err, fleet.ErrUnsupported) || out.Done || trunk.setRequests() != 0 {
		t.Errorf("a trunk: %+v, %v", out, err)
	}
}
