package engine

import (
	"strings"
	"testing"

	"plumb/fleet"
)

func TestOneSupplyOfTwoIsRedundancyLost(t *testing.T) {
	r := newRoom(t)
	r.look(func(o *fleet.Observation) {
		if o.Target == "s1" {
			sensorOf(o, "20.0.38", fleet.StateCrit, 9, inputLost)
		}
		if o.Target == "pa" {
			o.Outlets[0].PowerW = fleet.Int(0)
		}
	})
	r.look(func(o *fleet.Observation) {
		if o.Target == "s1" {
			sensorOf(o, "20.0.38", fleet.StateCrit, 9, inputLost)
		}
		if o.Target == "pa" {
			o.Outlets[0].PowerW = fleet.Int(0)
		}
	})
	r.is("s1", fleet.StateWarn, "redundancy lost: PSU 1: input lost (AC/DC), outlet pa/1 is on and gives 0 W")
	if x := r.snap.Instances.Get("is1"); x.State != fleet.StateOK {
		t.Errorf("a guest on a machine that runs on one supply is %s", x.State)
	}
	r.look(nil)
	r.is("s1", fleet.StateOK)
	r.hears(1, "s1", "warn → ok: over: redundancy lost: PSU 1")
}

func TestSupplyWithoutAnotherIsCritical(t *testing.T) {
	r := newRoom(t)
	r.look(func(o *fleet.Observation) {
		if o.Target == "s1" {
			sensorOf(o, "20.0.38", fleet.StateCrit, 9, inputLost)
			sensorOf(o, "20.0.39", fleet.StateCrit, 3, "Presence detected, Power Supply Failure detected")
		}
		if o.Target == "s4" { // the other bay is empty
			sensorOf(o, "20.0.38", fleet.StateCrit, 3, "Presence detected, Power Supply Failure detected")
		}
	})
	r.is("s1", fleet.StateCrit, "PSU 1: input lost", "PSU 2: Failure detected", "outlet pb/1")
	r.is("s4", fleet.StateCrit, "PSU 1: Failure detected")
}

func TestSupplyNames(t *testing.T) {
	for name, want := range map[string]int{
		"PS1 Status": 1, "PSU 2": 2, "Power Supply 1": 1, "PS-2": 2, "psu1_status": 1, "PS Redundancy": 0, "PSU": 0, "Psychrometer 1": 0, "PS12": 0, "Inlet 1": 0,
	} {
		if got := supply(&fleet.Sensor{SensorDef: &fleet.SensorDef{Name: name, Class: fleet.ClassState}}); got != want {
			t.Errorf("%q is supply %d, want %d", name, got, want)
		}
	}
	if supply(&fleet.Sensor{SensorDef: &fleet.SensorDef{Name: "PS1 Input Power", Class: fleet.ClassPower}}) != 0 {
		t.Error("a meter was taken for a supply's state")
	}
}

// feedGone is what is seen when feed A is gone: its PDUs are silent, supplies
// on them have no input, and the server on a single cord is dark.
func feedGone(o *fleet.Observation) {
	switch o.Target {
	case "pa", "pa2", "s4":
		silence(o)
	case "s1", "s2", "s3":
		sensorOf(o, "20.0.38", fleet.StateCrit, 9, inputLost)
	case "swa":
		dark(o, "Ethernet4", "Ethernet34")
	case "swb":
		dark(o, "Ethernet4")
	}
}

func TestLostFeedIsOneCause(t *testing.T) {
	r := newRoom(t)
	inv := roomInventory()
	inv.Devices[len(inv.Devices)-1].Feed = "B" // A has one PDU here, B two
	r.looks(3, feedGone)
	r.is("pa", fleet.StateCrit, "no output: 3 of 3 power supplies on it have no input", "not seen since")
	r.is("pa2", fleet.StateUnknown, "not seen since") // nobody knows about it
	r.is("s1", fleet.StateWarn, "redundancy lost: PSU 1: input lost (AC/DC), outlet pa/1 (pa does not answer)")
	r.is("s4", fleet.StateCrit, "no power: its only cord is dead: pa/4 (no output)", "down: no light on swa/Ethernet4, swb/Ethernet4")
	if f := r.snap.Feeds.Get("A"); f.State != fleet.StateUnknown {
		t.Errorf("feed A is %s though one of its PDUs has no witness", f.State)
	}
	r.hears(1, "pa", "no output")

	// with a witness for every PDU it is the feed
	r = newRoom(t)
	inv = roomInventory()
	inv.Devices = append(inv.Devices, inv.Devices[0])
	d := &inv.Devices[len(inv.Devices)-1]
	d.ID, d.Rack, d.Links, d.Power = "s9", "ams1/r02", nil, []fleet.PowerCord{{PSU: 1, Outlet: "pa2/1"}, {PSU: 2, Outlet: "pb/4"}}
	r.step(fleet.Reload{Inventory: inv})
	r.look(nil)
	gone := func(o *fleet.Observation) {
		feedGone(o)
		if o.Target == "s9" {
			sensorOf(o, "20.0.38", fleet.StateCrit, 9, inputLost)
		}
	}
	r.looks(3, gone)
	if f := r.snap.Feeds.Get("A"); f.State != fleet.StateCrit || len(f.Reasons) != 1 || f.PowerW.Known {
		t.Errorf("feed A is %s %q, %s W", f.State, f.Reasons, f.PowerW)
	}
	r.hears(1, "A", "feed A lost: no output on 2 of its 2 PDUs")
	if x := r.snap.Regions.Get("ams"); len(x.Reasons) != 1 || !strings.Contains(x.Reasons[0], "feed A lost") {
		t.Errorf("the region says %q", x.Reasons)
	}
	r.looks(3, gone)
	r.hears(0, "A", "feed A lost")
	r.looks(2, nil)
	r.hears(1, "A", "feed A is back")
	r.is("pa", fleet.StateOK)
}

func TestSilentPDUThatFeedsIsOnlySilent(t *testing.T) {
	r := newRoom(t)
	r.looks(3, func(o *fleet.Observation) {
		if o.Target == "pa" {
			silence(o)
		}
	})
	r.is("pa", fleet.StateUnknown, "not seen since", "it gives power, only its management is silent")
}
