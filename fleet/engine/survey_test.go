package engine

import (
	"slices"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/lifecycle"
)

// standing finds a finding against anything.
func standing(s *fleet.Snapshot, target, facet string) *fleet.Finding {
	for i, f := range s.Docket(target).Of() {
		if f.Facet == facet {
			return &s.Docket(target).Findings[i]
		}
	}
	return nil
}

const nobodys = lifecycle.Unowned + " server"

// TestASurveyLivesLikeAllFindings follows one finding of a region: found, ruled
// on, kept over a restart, gone when the inventory says so, and forgotten.
func TestASurveyLivesLikeAllFindings(t *testing.T) {
	h := newHerd(t)
	f := standing(h.snap, "ams", nobodys)
	if f == nil || f.Target != "ams" || !f.Open() || f.Kind != fleet.FindLifecycle {
		t.Fatalf("%+v", f)
	}
	if len(h.said) > 0 {
		t.Errorf("a first look is news: %+v", h.said)
	}
	if h.snap.Counts.DriftOpen != 0 {
		t.Error("what is for planning counts as drift")
	}
	since := f.Since
	h.step(fleet.Decision{Rulings: []fleet.Ruling{{Target: "ams", Facet: nobodys, Verdict: fleet.FindingWaived, Value: f.Observed, Until: h.now.Add(time.Hour), By: "bob", Reason: "new team on Monday", At: h.now}}})
	if f = standing(h.snap, "ams", nobodys); f.State != fleet.FindingWaived {
		t.Fatalf("the ruling does not count: %+v", f)
	}
	h.snap = Restore(herdInventory(), h.memory(), h.now)
	h.look(fleet.LaneSlow)
	if f = standing(h.snap, "ams", nobodys); f == nil || f.State != fleet.FindingWaived || !f.Since.Equal(since) {
		t.Fatalf("after a restart: %+v", f)
	}
	for range 12 {
		h.look(fleet.LaneSlow)
	}
	if f = standing(h.snap, "ams", nobodys); !f.Open() {
		t.Error("the waiver does not end")
	}
	inv := herdInventory()
	for i := range inv.Devices {
		inv.Devices[i].Owner = "ann"
	}
	h.step(fleet.Reload{Inventory: inv})
	h.look(fleet.LaneSlow)
	if f = standing(h.snap, "ams", nobodys); f != nil || len(h.snap.Docket("ams").Gone) != 1 {
		t.Fatalf("it has an owner: %+v", f)
	}
	h.now = h.now.Add(25 * time.Hour)
	h.look(fleet.LaneSlow)
	if d := h.snap.Docket("ams"); len(d.Gone) != 0 {
		t.Errorf("still in sight after a day: %+v", d.Gone)
	}
	if last := lastOf(h.kept, "ams", nobodys); last == nil || last.Value != nil {
		t.Errorf("its row stays: %+v", last)
	}
}

func lastOf(kept []fleet.Change, target, row string) *fleet.Change {
	for _, c := range slices.Backward(kept) {
		if c.Target == target && c.Row == row && c.Table == fleet.TableFindings {
			return &c
		}
	}
	return nil
}

// TestATroubleThatComesBack stops a fan three times, hours apart, with a restart
// between.
func TestATroubleThatComesBack(t *testing.T) {
	h := newHerd(t)
	const facet = lifecycle.Recurring + " sensor fan"
	for n := range 3 {
		if f := standing(h.snap, "s3", facet); f != nil {
			t.Fatalf("found after %d times", n)
		}
		h.now = h.now.Add(2 * time.Hour)
		h.trouble(3)
		if n == 1 {
			h.snap = Restore(herdInventory(), h.memory(), h.now)
		}
		h.look(fleet.LaneSlow)
	}
	f := standing(h.snap, "s3", facet)
	if f == nil || f.Observed != "3 times" || !f.Open() {
		t.Fatalf("%+v of %+v", f, h.snap.Docket("s3").Again)
	}
	h.now = h.now.Add(fleet.AgainFor)
	h.look(fleet.LaneSlow)
	h.look(fleet.LaneSlow)
	if d := h.snap.Docket("s3"); len(d.Again) != 0 || standing(h.snap, "s3", facet) != nil {
		t.Errorf("remembered after 30 d: %+v", d.Again)
	}
}

// trouble has a fan of a server stand still for one poll, after all have been
// seen for a while: what comes back with its site is no trouble of its own.
func (h *herd) trouble(i int) {
	for range 15 {
		h.now = h.now.Add(10 * time.Second)
		for k := range h.fact {
			h.step(h.say(k, fleet.LaneFast))
		}
	}
	for _, st := range []fleet.State{fleet.StateOK, fleet.StateCrit, fleet.StateOK} {
		h.now = h.now.Add(10 * time.Second)
		o := h.say(i, fleet.LaneFast)
		o.Sensors = []fleet.Sensor{{SensorDef: &fleet.SensorDef{Key: "fan", Name: "FAN1", Class: fleet.ClassState}, State: st, Text: "stopped"}}
		o.SetTable(fleet.TableSensors, fleet.Complete)
		h.step(o)
	}
}
