package plan

import (
	"testing"

	"plumb/fleet"
)

// TestWorkload: what takes a replica from a service asks its workload first.
func TestWorkload(t *testing.T) {
	says := func(st, now fleet.State, bad int) func(*house) {
		return func(h *house) {
			h.serve("shop", 1, "s01", "s02", "s03")
			v := &h.services[0]
			v.Spec.Health = &fleet.HealthSpec{Kind: fleet.HealthHTTP}
			v.Health = &fleet.Health{State: st, Hard: st, Said: now, Bad: bad, Text: "HTTP 500", SaidAt: t0}
		}
	}
	act := asked(fleet.ActPowerCycle, "s02")
	judge(t, "workload", []judged{
		{"nobody asks", act, func(h *house) { h.serve("shop", 1, "s01", "s02", "s03") }, "", ""},
		{"well", act, says(fleet.StateOK, fleet.StateOK, 0), fleet.VerdictOK, "is well"},
		{"sick", act, says(fleet.StateCrit, fleet.StateCrit, 5), refuse, "its workload says HTTP 500"},
		{"ailing", act, says(fleet.StateWarn, fleet.StateWarn, 5), refuse, "not well"},
		{"about to be", act, says(fleet.StateOK, fleet.StateCrit, 1), fleet.VerdictEscalate, "about to fail"},
		{"unheard", act, says(fleet.StateUnknown, fleet.StateOK, 0), fleet.VerdictEscalate, "nobody knows how service shop is"},
		{"never asked", act, func(h *house) { says(0, 0, 0)(h); h.services[0].Health = nil }, fleet.VerdictEscalate, "not asked yet"},
		{"another's sickness", asked(fleet.ActPowerCycle, "s04"), says(fleet.StateCrit, fleet.StateCrit, 5), "", ""},
		{"a machine that serves nobody any more", act, func(h *house) { says(fleet.StateCrit, fleet.StateCrit, 5)(h); h.get("s02").State = fleet.StateCrit }, "", ""},
		{"what takes nothing is not asked", asked(fleet.ActIdentify, "s02"), says(fleet.StateCrit, fleet.StateCrit, 5), "", ""},
	})
}
