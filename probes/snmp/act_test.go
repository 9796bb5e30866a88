package snmp

import (
	"errors"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

func TestAct(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1", fakePort{index: 5, name: "Ethernet1"}, fakePort{index: 9, name: "Ethernet2"})...)
	a := agentOf(t, f)
	out, err := a.Act(deadline(t, 5*time.Second), fleet.Action{Kind: fleet.ActPortDown, Target: "sw1/Ethernet2"})
	if err != nil || !out.Done || out.Before != "up" || out.After != "down" {
		t.Fatalf("%+v %v", out, err)
	}
	// A second time nothing is written.
	out, err = a.Act(deadline(t, 5*time.Second), fleet.Action{Kind: fleet.ActPortDown, Target: "sw1/Ethernet2"})
	if err != nil || !out.Done || f.setRequests() != 1 {
		t.Errorf("%+v %v after %d sets", out, err, f.setRequests())
	}
	o := observe(t, a, fleet.LaneFast)
	if o.Ports[0].Admin != "up" || o.Ports[1].Admin != "down" {
		t.Errorf("%s %s", o.Ports[0].Admin, o.Ports[1].Admin)
	}
	for _, bad := range []fleet.Action{
		{Kind: fleet.ActPortDown, Target: "sw1/nosuch"}, {Kind: fleet.ActPortDown, Target: "other/Ethernet1"}, {Kind: fleet.ActPowerOff, Target: "sw1"}, {Kind: fleet.ActPortUp, Target: "sw1/"},
	} {
		if _, err := a.Act(deadline(t, 5*time.Second), bad); !errors.Is(err, fleet.ErrUnsupported) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if f.setRequests() != 1 {
		t.Errorf("%d sets", f.setRequests())
	}
}

// TestActOnce: a lost answer to a write is never followed by a second write.
func TestActOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t, switchTree(1, "sw1", fakePort{index: 5, name: "Ethernet1"})...)
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		if q.kind == pduSet {
			return nil
		}
		return [][]byte{answer}
	}
	out, err := agentOf(t, f, quick).Act(deadline(t, 5*time.Second), fleet.Action{Kind: fleet.ActPortDown, Target: "sw1/Ethernet1"})
	if err != nil || !out.Done || out.After != "down" || f.setRequests() != 1 {
		t.Errorf("%+v %v after %d sets", out, err, f.setRequests())
	}
}

func TestActRefused(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1", fakePort{index: 5, name: "Ethernet1"})...)
	f.refuse = func(q fakeRequest) errorStatus {
		if q.kind == pduSet {
			return 17 // notWritable
		}
		return statusOK
	}
	out, err := agentOf(t, f).Act(deadline(t, 5*time.Second), fleet.Action{Kind: fleet.ActPortDown, Target: "sw1/Ethernet1"})
	if !errors.Is(err, fleet.ErrUnsupported) || out.Done || out.Before != "up" {
		t.Errorf("%+v %v", out, err)
	}
}

// TestActLies: an agent that says yes and does nothing has failed.
func TestActLies(t *testing.T) {
	f := newFake(t, switchTree(1, "sw1", fakePort{index: 5, name: "Ethernet1"})...)
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		if q.kind == pduSet {
			for i := range f.tree {
				if f.tree[i].name.compare(q.names[0]) == 0 {
					f.tree[i].value = value{tagInteger, []byte{1}}
				}
			}
		}
		return [][]byte{answer}
	}
	out, err := agentOf(t, f).Act(deadline(t, 5*time.Second), fleet.Action{Kind: fleet.ActPortDown, Target: "sw1/Ethernet1"})
	if !errors.Is(err, fleet.ErrProtocol) || out.Done || out.After != "up" {
		t.Errorf("%+v %v", out, err)
	}
}

// TestActChecksSerial: another machine at the address is not written to, nor is
// one that does not say who it is.
func TestActChecksSerial(t *testing.T) {
	const part = "1.3.6.1.2.1.47.1.1.1.1."
	chassis := []object{obj(part+"5.1", 3), obj(part+"11.1", "SN-1"), obj(part+"13.1", "M1"), obj(part+"5.2", 9), obj(part+"11.2", "CARD")}
	pdu := []object{obj("1.3.6.1.4.1.318.1.1.26.2.1.8.1", "AP8641"), obj("1.3.6.1.4.1.318.1.1.26.2.1.9.1", "3F34")}
	for _, c := range []struct {
		name   string
		more   []object
		serial string
		sets   int
		err    error
	}{
		{"the chassis's", chassis, "SN-1", 1, nil},
		{"a card's", chassis, "CARD", 0, ErrIdentity},
		{"another's", chassis, "SN-2", 0, ErrIdentity},
		{"the family's", pdu, "3F34", 1, nil},
		{"another family's", pdu, "SN-1", 0, ErrIdentity},
		{"none to read", nil, "SN-1", 0, fleet.ErrProtocol},
		{"none asked", nil, "", 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, sorted(append(switchTree(1, "sw1", fakePort{index: 5, name: "Ethernet1"}), c.more...))...)
			a := agentOf(t, f)
			if o := observe(t, a, fleet.LaneSlow); c.err == nil && o.Facts.Get(fleet.FactSerial) != c.serial {
				t.Fatalf("the facts say %q", o.Facts.Get(fleet.FactSerial))
			}
			out, err := a.Act(deadline(t, 5*time.Second), fleet.Action{Kind: fleet.ActPortDown, Target: "sw1/Ethernet1", Serial: c.serial})
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || out.Done != (c.err == nil) || f.setRequests() != c.sets {
				t.Errorf("%+v, %v after %d sets", out, err, f.setRequests())
			}
		})
	}
}

// TestActCredential: the SET, and nothing else, carries the credential for
// actions.
func TestActCredential(t *testing.T) {
	t.Parallel()
	f := newFake(t, switchTree(1, "sw1", fakePort{index: 5, name: "Ethernet1"})...)
	f.writer = "private"
	down := fleet.Action{Kind: fleet.ActPortDown, Target: "sw1/Ethernet1"}
	if out, err := agentOf(t, f, quick).Act(deadline(t, 5*time.Second), down); err == nil || out.Done || f.setRequests() != 0 {
		t.Errorf("with the reading community: %+v, %v after %d sets", out, err, f.setRequests())
	}
	a := agentOf(t, f, func(c *Config) { c.Act = &Access{Community: secret("private")} })
	out, err := a.Act(deadline(t, 5*time.Second), down)
	if err != nil || !out.Done || out.After != "down" || f.setRequests() != 1 {
		t.Errorf("%+v, %v after %d sets", out, err, f.setRequests())
	}
	if o := observe(t, a, fleet.LaneFast); o.Err != nil || o.Ports[0].Admin != "down" {
		t.Errorf("%v", o.Err)
	}
	bad := a.cfg
	bad.Act = &Access{Version: "3"}
	if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), "act user: ") {
		t.Errorf("%v", err)
	}
}
