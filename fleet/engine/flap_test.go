package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

func TestFlappingPortIsToldOnce(t *testing.T) {
	r := newRoom(t)
	n, recent := 0, 0
	for i := range 40 {
		r.look(func(o *fleet.Observation) {
			if o.Target == "swa" && i%2 == 0 {
				dark(o, "Ethernet49")
			}
		})
		for _, e := range r.said {
			if e.Target == "swa" {
				n++
				if strings.Contains(e.Text, "flapping") {
					recent++
				}
			}
		}
	}
	if n > 6 || recent != 1 {
		t.Errorf("%d events of 40 changes, %d say that it flaps", n, recent)
	}
	r.is("swa", fleet.StateWarn, "Ethernet49 flapping")
	r.now = r.now.Add(6 * time.Minute)
	r.look(nil)
	r.is("swa", fleet.StateOK)
	r.hears(1, "swa", "Ethernet49 has stopped flapping")
	for _, f := range r.snap.Devices.Get("swa").Flips {
		if f.Part == "Ethernet49" {
			t.Errorf("its changes are kept: %v", f)
		}
	}
}

func TestFlappingStateIsToldOnce(t *testing.T) {
	r := newRoom(t)
	n := 0
	for i := range 40 {
		r.look(func(o *fleet.Observation) {
			if o.Target == "s1" && i%2 == 0 {
				sensorOf(o, "20.0.1", fleet.StateWarn, 36, "")
			}
		})
		for _, e := range r.said {
			if e.Target == "s1" {
				n++
			}
		}
	}
	if n > 5 {
		t.Errorf("%d events of 40 changes", n)
	}
}

func TestWhatChangedIsASentence(t *testing.T) {
	r := newRoom(t)
	r.look(func(o *fleet.Observation) {
		switch o.Target {
		case "s1":
			o.Facts.Set(fleet.FactFirmware, "1.74")
		case "swa":
			def := *o.Ports[1].PortDef
			def.VLAN = 999
			o.Ports[1].PortDef = &def
			for i := range o.Ports {
				o.Ports[i].Discontinuity = 77
			}
		case "swb":
			o.Facts.SetNum(fleet.FactUptime, fleet.Int(12), true)
		}
	})
	r.hears(1, "s1", "firmware changed from 2.19 to 1.74")
	r.hears(1, "swa", "port moved: Ethernet2 from VLAN 110 to VLAN 999")
	r.hears(1, "swa", "counters of 10 ports began anew")
	r.hears(1, "swb", "restarted: its uptime fell from 12 d to 12s")
	for _, name := range []string{"swa", "swb"} {
		for _, p := range r.snap.Devices.Get(name).Ports {
			if p.Rates.InBps.Known {
				t.Errorf("%s %s has a rate over the gap: %s", name, p.Name, p.Rates.InBps)
			}
		}
	}
}

// TestSecondTroubleIsSaid: a device that is warn already must not swallow the
// next fault, and values that move are no news.
func TestSecondTroubleIsSaid(t *testing.T) {
	r := newRoom(t)
	hot := func(v int64, fan bool) func(o *fleet.Observation) {
		return func(o *fleet.Observation) {
			if o.Target != "s1" {
				return
			}
			sensorOf(o, "20.0.1", fleet.StateWarn, v, "")
			if fan {
				sensorOf(o, "20.0.39", fleet.StateCrit, 9, inputLost)
			}
		}
	}
	r.look(hot(36, false))
	r.hears(1, "s1", "ok → warn: Inlet Temp 36 C (warn 35)")
	r.look(hot(37, false))
	if len(r.said) != 0 || len(r.out.Changes) != 0 {
		t.Errorf("a value that moved made %d rows %v and said%s", len(r.out.Changes), r.out.Changes, r.talk())
	}
	r.is("s1", fleet.StateWarn, "37 C")
	r.look(hot(37, true))
	r.hears(1, "s1", "also: redundancy lost: PSU 2")
	r.look(hot(37, false))
	r.hears(1, "s1", "over: redundancy lost: PSU 2")
}

func TestRecentKeepsWhatIsWorst(t *testing.T) {
	var events []fleet.Event
	events = append(events, fleet.Event{ID: "crit", At: t0, Severity: fleet.SeverityCrit})
	for i := range 200 {
		events = append(events, fleet.Event{ID: fmt.Sprint(i), At: t0.Add(time.Duration(i) * time.Second), Severity: fleet.SeverityWarn})
	}
	got := newest(events, nil, t0.Add(time.Hour))
	if len(got) != fleet.MaxRecent || got[0].ID != "199" || got[len(got)-1].ID != "crit" {
		t.Errorf("%d events, first %s, last %s", len(got), got[0].ID, got[len(got)-1].ID)
	}
}

func TestStartIsQuiet(t *testing.T) {
	r := &room{t: t, snap: Restore(roomInventory(), fleet.Memory{}, t0), now: t0}
	if v := r.snap.Services.Get("match"); v.State != fleet.StateUnknown {
		t.Errorf("before anything was seen a service is %s %q", v.State, v.Reasons)
	}
	var said []fleet.Event
	for i := range r.snap.Devices.Len() { // one after the other, as they answer
		r.now = r.now.Add(time.Second)
		r.step(r.healthy(r.snap.Devices.At(i).Spec))
		said = append(said, r.said...)
		if i == 2 {
			r.step(r.cloud())
			said = append(said, r.said...)
		}
	}
	if r.said = said; len(said) > 0 {
		t.Errorf("a healthy fleet at its start says%s", r.talk())
	}
}
