package plan

import (
	"testing"
	"time"

	"plumb/fleet"
)

func TestPartner(t *testing.T) {
	supply := func(state fleet.State) func(*house) {
		return func(h *house) {
			h.get("s01").Sensors = []fleet.Sensor{{SensorDef: &fleet.SensorDef{Key: "2", Name: "PS2 Status", Class: fleet.ClassState}, State: state}}
		}
	}
	outlet := func(is string) func(*house) { return func(h *house) { h.get("pb").Outlets[0].State = is } }
	light := func(is string) func(*house) { return func(h *house) { h.get("swb").Ports[0].Oper = is } }
	blind := func(id string) func(*house) { return func(h *house) { h.get(id).BlindSince = t0 } }
	cord, cable := asked(fleet.ActOutletOff, "pa/1"), asked(fleet.ActPortDown, "swa/E1")
	judge(t, "partner", []judged{
		{"cord: the other supply is well", cord, supply(fleet.StateOK), ok, "s01 keeps running on PSU 2 (B) at pb/1"},
		{"cord: it is dead", cord, supply(fleet.StateCrit), refuse, "it is the last live cord of s01: PSU 2 (B) at pb/1 is crit"},
		{"cord: both are dead", cord, func(h *house) {
			supply(fleet.StateCrit)(h)
			h.get("pa").Outlets[0].State = "off"
		}, refuse, "alone, which is crit"},
		{"cord: it is warm", cord, supply(fleet.StateWarn), refuse, "alone, which is warn"},
		{"cord: nobody sees it, the outlet is on", cord, supply(fleet.StateUnknown), ok, ""},
		{"cord: the outlet is on", cord, nil, ok, ""},
		{"cord: the outlet is off", cord, outlet("off"), refuse, "last live cord"},
		{"cord: the outlet says nothing", cord, outlet("unknown"), escalate, "nobody can see"},
		{"cord: the PDU is blind", cord, blind("pb"), escalate, "nobody can see"},
		{"cord: the other one is being taken", cord, func(h *house) { h.did(fleet.ActOutletOff, fleet.JobRunning, time.Second, "pb/1") }, refuse, "(taken too)"},
		{"cord: nobody knows whether the other one was", cord, func(h *house) { h.did(fleet.ActOutletOff, fleet.JobUnknown, -time.Second, "pb/1") }, refuse, "(taken too)"},
		{"cord: it was, and is seen again", cord, func(h *house) { h.did(fleet.ActOutletOff, fleet.JobUnknown, time.Minute, "pb/1") }, ok, ""},
		{"cord: both in one plan", asked(fleet.ActOutletOff, "pa/1", "pb/1"), nil, refuse, "(taken too)"},
		{"cord: the only one", asked(fleet.ActOutletOff, "pa/5"), nil, "", ""},
		{"cord: of nothing", asked(fleet.ActOutletOff, "pb/5"), nil, "", ""},
		{"cord: switched on", asked(fleet.ActOutletOn, "pa/1"), func(h *house) { h.get("pa").Outlets[0].State = "off" }, "", ""},
		{"cord: the third is well", cord, func(h *house) {
			outlet("off")(h)
			h.get("s01").Spec.Power = append(h.get("s01").Spec.Power, fleet.PowerCord{PSU: 3, Outlet: "pb/5"})
		}, ok, "PSU 3"},
		{"cable: the other one has light", cable, nil, ok, "s01 stays on eth1 at swb/E1"},
		{"cable: it is dark", cable, light("down"), refuse, "alone, which is crit"},
		{"cable: nobody reads it", cable, light(""), escalate, "nobody can see"},
		{"cable: the other switch is blind", cable, blind("swb"), escalate, "nobody can see"},
		{"cable: the other one is being taken", cable, func(h *house) { h.did(fleet.ActPortDown, fleet.JobAccepted, time.Second, "swb/E1") }, refuse, "(taken too)"},
		{"cable: both in one plan", asked(fleet.ActPortBounce, "swb/E1", "swa/E1"), nil, refuse, "(taken too)"},
		{"cable: the only one", asked(fleet.ActPortDown, "swa/E5"), nil, "", ""},
		{"cable: another VLAN is another matter", asked(fleet.ActPortVLAN, "swa/E1").with("vlan", "30"), light("down"), "", ""},
		{"cable: a BMC's is no partner", cable, func(h *house) {
			h.get("s01").Spec.Links[1].NIC = "bmc"
		}, "", ""},
	})
}

func TestFloor(t *testing.T) {
	serve := func(floor int) func(*house) {
		return func(h *house) { h.serve("match", floor, "s01", "s02", "s03") }
	}
	and := func(edits ...func(*house)) func(*house) {
		return func(h *house) {
			for _, edit := range edits {
				edit(h)
			}
		}
	}
	job := func(state fleet.JobState, kind fleet.ActionKind, target string) func(*house) {
		return func(h *house) { h.did(kind, state, -time.Second, target) } // sent after the last look
	}
	act := asked(fleet.ActPowerOff, "s01")
	judge(t, "floor", []judged{
		{"no service", act, nil, "", ""},
		{"no floor", act, serve(0), note, "it has no floor"},
		{"above", act, serve(1), ok, "keeps 2 of 3"},
		{"at", act, serve(2), escalate, "exactly at its floor of 2"},
		{"below", act, serve(3), refuse, "fall below its floor of 3: 2 left"},
		{"two at once", asked(fleet.ActPowerOff, "s01", "s02"), serve(2), refuse, "1 left"},
		{"another is on its way", act, and(serve(1), job(fleet.JobRunning, fleet.ActPowerOff, "s02")), escalate, "exactly"},
		{"another was taken and not seen", act, and(serve(2), job(fleet.JobAccepted, fleet.ActReset, "s02")), refuse, "1 left"},
		{"of another nobody knows", act, and(serve(2), job(fleet.JobUnknown, fleet.ActReset, "s02")), refuse, "1 left"},
		{"another failed", act, and(serve(2), job(fleet.JobFailed, fleet.ActReset, "s02")), escalate, ""},
		{"another is seen well again", act, and(serve(2), job(fleet.JobVerified, fleet.ActReset, "s02")), escalate, ""},
		{"another takes nothing", act, and(serve(2), job(fleet.JobRunning, fleet.ActIdentify, "s02")), escalate, ""},
		{"another is no replica", act, and(serve(2), job(fleet.JobRunning, fleet.ActPowerOff, "s04")), escalate, ""},
		{"one is dead already", act, and(serve(2), func(h *house) {
			h.get("s02").Power, h.get("s02").State = fleet.PowerOff, fleet.StateOff
		}), refuse, "1 left"},
		{"the last cord", asked(fleet.ActOutletOff, "pa/5"), func(h *house) { h.serve("match", 1, "s05") }, refuse, "0 left"},
		{"one of two cords", asked(fleet.ActOutletOff, "pa/1"), func(h *house) { h.serve("match", 1, "s01") }, "", ""},
		{"the other cord is on its way", asked(fleet.ActOutletOff, "pa/1"), and(func(h *house) { h.serve("match", 1, "s01") }, job(fleet.JobRunning, fleet.ActOutletOff, "pb/1")), refuse, "0 left"},
		{"the only cable", asked(fleet.ActPortDown, "swa/E5"), func(h *house) { h.serve("match", 1, "s05") }, refuse, "0 left"},
		{"what gives back takes nothing", asked(fleet.ActPowerOn, "s01"), and(serve(3), func(h *house) { h.get("s01").Power = fleet.PowerOff }), "", ""},
	})
}

// TestUnsettled: what a target is after an action that nobody saw the end of is
// not known, and nothing more is taken from it before it was seen.
func TestUnsettled(t *testing.T) {
	did := func(state fleet.JobState, kind fleet.ActionKind, ago time.Duration) func(*house) {
		return func(h *house) { h.did(kind, state, ago, "s01") }
	}
	act := asked(fleet.ActReset, "s01")
	judge(t, "unsettled", []judged{
		{"nothing was done", act, nil, "", ""},
		{"on its way", act, did(fleet.JobRunning, fleet.ActPowerCycle, time.Second), refuse, "power-cycle of s01 by ann is not seen to have ended"},
		{"taken", act, did(fleet.JobAccepted, fleet.ActPowerCycle, time.Minute), refuse, ""},
		{"nobody knows", act, did(fleet.JobUnknown, fleet.ActPowerCycle, -time.Second), refuse, ""},
		{"seen since", act, did(fleet.JobUnknown, fleet.ActPowerCycle, time.Minute), "", ""},
		{"seen to be so", act, did(fleet.JobVerified, fleet.ActPowerCycle, time.Second), "", ""},
		{"it took nothing", act, did(fleet.JobAccepted, fleet.ActIdentify, time.Second), "", ""},
		{"to give back", asked(fleet.ActPowerOn, "s01"), func(h *house) {
			h.get("s01").Power = fleet.PowerOff
			did(fleet.JobAccepted, fleet.ActPowerOff, time.Second)(h)
		}, "", ""},
		{"another target", asked(fleet.ActReset, "s02"), did(fleet.JobAccepted, fleet.ActPowerCycle, time.Second), "", ""},
	})
}

// TestUnderWayCounts: what a snapshot does not show yet is told beside it.
func TestUnderWayCounts(t *testing.T) {
	h := build()
	h.serve("match", 2, "s01", "s02", "s03")
	other := []UnderWay{{Step: Step{Action: fleet.ActPowerOff, Target: "s02"}, Who: "ann", Since: t0, Lease: "s02", Job: "j9"}}
	p := For(World{Snap: h.snap(), Now: t0, UnderWay: other}, asked(fleet.ActPowerOff, "s01"))
	if got, text := found(&p, "floor"); got != refuse {
		t.Errorf("floor: %q %s", got, text)
	}
	if p = For(World{Snap: h.snap(), Now: t0, UnderWay: other, Own: "j9"}, asked(fleet.ActPowerOff, "s02")); p.Stops() != nil {
		t.Errorf("what a job does itself stands in its way: %+v", p.Stops())
	}
	h.bounds.Budgets.Rack = 1
	p = For(World{Snap: h.snap(), Now: t0, UnderWay: other}, asked(fleet.ActReset, "s04"))
	if got, text := found(&p, "budget"); got != refuse {
		t.Errorf("budget: %q %s", got, text)
	}
}

// TestWhatIsToComeIsNotGone: that somebody else is about to take the last cord of
// a server does not let a third one cut it: that turn may be cancelled. Once it
// has come the server is gone, and there is nothing more to lose.
func TestWhatIsToComeIsNotGone(t *testing.T) {
	h := build()
	h.serve("match", 2, "s01", "s02")
	h.get("pb").Outlets[0].State = "off"
	turn := []UnderWay{{Step: Step{Action: fleet.ActOutletOff, Target: "pa/1"}, Who: "eve", Since: t0, Lease: "pa/1", Job: "j9"}}
	ask := asked(fleet.ActPowerOff, "s01")
	p := For(World{Snap: h.snap(), Now: t0, UnderWay: turn}, ask)
	if got, text := found(&p, "floor"); got != refuse || len(p.Services) != 1 || p.Services[0].Before != 2 || p.Services[0].After != 1 {
		t.Errorf("to come: %q %s %+v", got, text, p.Services)
	}
	p = For(World{Snap: h.snap(), Now: t0, UnderWay: turn}, asked(fleet.ActPowerOff, "s04")) // no replica
	if got, text := found(&p, "floor"); got != "" {
		t.Errorf("of another server: %q %s", got, text)
	}
	p = For(World{Snap: h.snap(), Now: t0, UnderWay: turn}, asked(fleet.ActPowerOff, "s02"))
	if got, text := found(&p, "floor"); got != refuse || p.Services[0].Before != 1 || p.Services[0].After != 0 {
		t.Errorf("of the other replica: %q %s %+v", got, text, p.Services)
	}
	turn[0].Begun = true
	p = For(World{Snap: h.snap(), Now: t0, UnderWay: turn}, ask)
	if got, text := found(&p, "floor"); got != "" {
		t.Errorf("begun: %q %s", got, text)
	}
}

func TestLossesBeyondTheTargets(t *testing.T) {
	p := For(World{Snap: build().snap(), Now: t0}, asked(fleet.ActOutletOff, "pa/5"))
	if len(p.Lost) != 1 || p.Lost[0] != "s05" || len(p.Weaker) != 0 {
		t.Errorf("lost %v, weaker %v", p.Lost, p.Weaker)
	}
	p = For(World{Snap: build().snap(), Now: t0}, asked(fleet.ActOutletOff, "pa/1"))
	if len(p.Lost) != 0 || len(p.Weaker) != 1 || p.Weaker[0] != "s01" {
		t.Errorf("lost %v, weaker %v", p.Lost, p.Weaker)
	}
}
