package plan

import (
	"testing"
	"time"

	"plumb/fleet"
)

func TestBudgets(t *testing.T) {
	bounds := func(b fleet.Budgets, spent ...func(*house)) func(*house) {
		return func(h *house) {
			h.bounds.Budgets = b
			for _, f := range spent {
				f(h)
			}
		}
	}
	did := func(kind fleet.ActionKind, state fleet.JobState, ago time.Duration, targets ...string) func(*house) {
		return func(h *house) { h.did(kind, state, ago, targets...) }
	}
	act := asked(fleet.ActReset, "s01")
	three := asked(fleet.ActReset, "s01", "s02", "s03")
	judge(t, "budget", []judged{
		{"the defaults", three, nil, "", ""},
		{"rack", three, bounds(fleet.Budgets{Rack: 2}), refuse, "rack ams1/r01 has a budget of 2 an hour: 0 spent, 3 asked for"},
		{"rack, exactly", three, bounds(fleet.Budgets{Rack: 3}), "", ""},
		{"region", three, bounds(fleet.Budgets{Region: 2}), refuse, "region ams"},
		{"fleet", three, bounds(fleet.Budgets{Fleet: 2}), refuse, "fleet as a whole"},
		{"switch", asked(fleet.ActPortDown, "swa/E1", "swa/E2"), bounds(fleet.Budgets{Switch: 1}), refuse, "switch swa"},
		{"two switches", asked(fleet.ActPortDown, "swa/E1", "swb/E2"), bounds(fleet.Budgets{Switch: 1}), "", ""},
		{"a server is no port", three, bounds(fleet.Budgets{Switch: 1, Feed: 1}), "", ""},
		{"feed", asked(fleet.ActOutletOff, "pa/1", "pa/2"), bounds(fleet.Budgets{Feed: 1}), refuse, "feed A"},
		{"two feeds", asked(fleet.ActOutletOff, "pa/1", "pb/2"), bounds(fleet.Budgets{Feed: 1}), "", ""},
		{"service of servers", three, func(h *house) { h.serve("match", 0, "s01", "s02"); h.bounds.Budgets.Service = 1 }, refuse, "service match"},
		{"service of instances", asked(fleet.ActInstanceStop, "vm1", "vm2"), func(h *house) {
			h.instances[0].Service, h.instances[1].Service = "web", "web"
			h.bounds.Budgets.Service = 1
		}, refuse, "service web"},
		{"region of instances", asked(fleet.ActInstanceStop, "vm1", "vm2"), bounds(fleet.Budgets{Region: 1}), refuse, "region ams"},

		{"outlets of a service's servers", asked(fleet.ActOutletOff, "pa/1", "pa/2"), func(h *house) { h.serve("match", 0, "s01", "s02"); h.bounds.Budgets.Service = 1 }, refuse, "service match has a budget of 1 an hour: 0 spent, 2 asked for"},
		{"outlets of others", asked(fleet.ActOutletOff, "pa/1", "pa/3"), func(h *house) { h.serve("match", 0, "s01", "s02"); h.bounds.Budgets.Service = 1 }, "", ""},
		{"both cords of one server", asked(fleet.ActOutletOff, "pa/1", "pb/1"), func(h *house) { h.serve("match", 0, "s01"); h.bounds.Budgets.Service = 1 }, refuse, "service match has a budget of 1 an hour: 0 spent, 2 asked for"},
		{"a cord after a server of the same service", asked(fleet.ActOutletOff, "pa/1"), bounds(fleet.Budgets{Service: 1}, func(h *house) { h.serve("match", 0, "s01", "s02") }, did(fleet.ActReset, fleet.JobVerified, time.Minute, "s02")), refuse, "service match has a budget of 1 an hour: 1 spent, 1 asked for"},
		{"a server after a cord of the same service", act, bounds(fleet.Budgets{Service: 1}, func(h *house) { h.serve("match", 0, "s01", "s02") }, did(fleet.ActOutletOff, fleet.JobVerified, time.Minute, "pb/2")), refuse, "service match has a budget of 1 an hour: 1 spent, 1 asked for"},
		{"ports of a service's servers", asked(fleet.ActPortDown, "swa/E1", "swa/E2"), func(h *house) { h.serve("match", 0, "s01", "s02"); h.bounds.Budgets.Service = 1 }, refuse, "service match"},
		{"the BMCs' ports", asked(fleet.ActPortDown, "swa/E1", "swa/E2"), func(h *house) {
			h.serve("match", 0, "s01", "s02")
			h.bounds.Budgets.Service = 1
			h.get("s02").Spec.Links[0].NIC = "bmc"
		}, "", ""},
		{"the switch of a service's servers", asked(fleet.ActOutletOff, "pa/6"), bounds(fleet.Budgets{Service: 1}, func(h *house) {
			h.serve("match", 0, "s01", "s02")
			h.get("s06").Spec.Power = nil
			h.get("swa").Spec.Power = []fleet.PowerCord{{PSU: 1, Outlet: "pa/6"}}
		}, did(fleet.ActReset, fleet.JobVerified, time.Minute, "s01")), refuse, "service match has a budget of 1 an hour: 1 spent, 1 asked for"},
		{"a host of instances, each service once", asked(fleet.ActReset, "s01", "s02"), func(h *house) {
			h.host("s01", "web", "vm1", "vm2")
			h.bounds.Budgets.Service = 1
		}, "", ""},
		{"two hosts of instances", asked(fleet.ActReset, "s01", "s02"), func(h *house) {
			h.host("s01", "web", "vm1")
			h.host("s02", "web", "vm2")
			h.bounds.Budgets.Service = 1
		}, refuse, "service web has a budget of 1 an hour: 0 spent, 2 asked for"},

		{"spent before", act, bounds(fleet.Budgets{Rack: 2}, did(fleet.ActPowerOff, fleet.JobVerified, time.Minute, "s02", "s03")), refuse, "2 spent, 1 asked for"},
		{"spent within the hour", act, bounds(fleet.Budgets{Rack: 1}, did(fleet.ActPowerOff, fleet.JobVerified, 59*time.Minute, "s02")), refuse, "1 spent"},
		{"spent before that", act, bounds(fleet.Budgets{Rack: 1}, did(fleet.ActPowerOff, fleet.JobVerified, time.Hour, "s02")), "", ""},
		{"not seen to be over", act, bounds(fleet.Budgets{Rack: 1}, did(fleet.ActPowerOff, fleet.JobAccepted, 2*time.Hour, "s02")), refuse, "1 spent"},
		{"the same target twice", act, bounds(fleet.Budgets{Rack: 2}, did(fleet.ActPowerOff, fleet.JobVerified, 50*time.Minute, "s02"), did(fleet.ActReset, fleet.JobVerified, 20*time.Minute, "s02")), refuse, "2 spent"},
		{"what failed was spent", act, bounds(fleet.Budgets{Rack: 1}, did(fleet.ActPowerOff, fleet.JobFailed, time.Minute, "s02")), refuse, "1 spent"},
		{"what was refused was not", act, bounds(fleet.Budgets{Rack: 1}, did(fleet.ActPowerOff, fleet.JobRefused, time.Minute, "s02")), "", ""},
		{"what takes nothing is not", act, bounds(fleet.Budgets{Rack: 1}, did(fleet.ActIdentify, fleet.JobVerified, time.Minute, "s02")), "", ""},
		{"ports count in the rack", act, bounds(fleet.Budgets{Rack: 1}, did(fleet.ActPortDown, fleet.JobVerified, time.Minute, "swa/E2")), refuse, "1 spent"},
		{"outlets count in their feed, whatever is asked now", asked(fleet.ActOutletOff, "pa/1"), bounds(fleet.Budgets{Feed: 1}, did(fleet.ActPortDown, fleet.JobVerified, time.Minute, "swa/E2"), did(fleet.ActOutletCycle, fleet.JobVerified, time.Minute, "pa/2")), refuse, "feed A has a budget of 1 an hour: 1 spent"},
		{"what was let begin is spent", act, bounds(fleet.Budgets{Rack: 3}, did(fleet.ActPowerOff, fleet.JobRunning, time.Minute, "s02", "s03", "s04"), func(h *house) { h.jobs[0].Steps = h.jobs[0].Steps[:1] }), refuse, "3 spent"},
		{"what was stopped is not", act, bounds(fleet.Budgets{Rack: 2}, did(fleet.ActPowerOff, fleet.JobVerified, time.Minute, "s02", "s03", "s04"), func(h *house) { h.jobs[0].State, h.jobs[0].Steps = fleet.JobStopped, h.jobs[0].Steps[:1] }), "", ""},
		{"what is proposed is not", act, bounds(fleet.Budgets{Rack: 1}, did(fleet.ActOutletOff, fleet.JobProposed, time.Minute, "pa/2"), func(h *house) { h.jobs[0].Steps = nil }), "", ""},
		{"what gives back costs nothing", asked(fleet.ActPowerOn, "s01"), bounds(fleet.Budgets{Rack: 1}, did(fleet.ActPowerOff, fleet.JobVerified, time.Minute, "s02", "s03"), func(h *house) { h.get("s01").Power = fleet.PowerOff }), "", ""},
	})
}

// TestBudgetOfAJobUnderWay: its own targets that have begun count, the one
// whose turn it is once.
func TestBudgetOfAJobUnderWay(t *testing.T) {
	h := build()
	h.did(fleet.ActReset, fleet.JobRunning, time.Second, "s01", "s02", "s03")
	h.bounds.Budgets.Rack = 3
	turn := func() *fleet.Guard {
		p := For(World{Snap: h.snap(), Now: t0, Own: "j0"}, asked(fleet.ActReset, "s03"))
		return p.Stops()
	}
	if g := turn(); g != nil {
		t.Errorf("a budget of three for three: %+v", g)
	}
	h.bounds.Budgets.Rack = 2
	if g := turn(); g == nil || g.ID != "budget" {
		t.Errorf("a budget that shrank: %+v", g)
	}
}
