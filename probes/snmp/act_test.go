package snmp

import (
	"errors"
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
