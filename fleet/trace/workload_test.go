package trace

import (
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// workloads is two machines with one service on them, each on one PDU and on one
// switch, whose workload says something.
func workloads(h *fleet.Health, st fleet.State) *house {
	x := &house{}
	x.place("ams")
	x.feed("ams1", "A", "")
	x.device("pa", fleet.KindPDU, "ams1/r1", "A", nil, nil)
	x.device("sw", fleet.KindSwitch, "ams1/r1", "", nil, nil)
	x.device("s1", fleet.KindServer, "ams1/r1", "", []string{"sw/E1"}, []string{"pa/1"})
	x.device("s2", fleet.KindServer, "ams1/r1", "", []string{"sw/E2"}, []string{"pa/2"})
	x.service("shop", 1, "s1", "s2")
	v := &x.services[0]
	v.Spec.Health = &fleet.HealthSpec{Kind: fleet.HealthHTTP}
	v.State, v.Health = st, h
	if h != nil {
		v.Reasons = []string{"workload says: " + h.Text}
	}
	return x
}

func TestWorkloadsCause(t *testing.T) {
	sick := &fleet.Health{State: fleet.StateCrit, Hard: fleet.StateCrit, Text: "HTTP 500", SaidAt: t0, Since: t0.Add(-time.Minute)}
	down := func(about string, st fleet.State, ids ...string) func(*fleet.Device) {
		return func(d *fleet.Device) {
			if slices.Contains(ids, d.Spec.ID) {
				d.State, d.About, d.Reasons, d.Power = st, []string{about}, []string{"it is " + about}, fleet.PowerOff
			}
		}
	}
	silent := func(id string) func(*fleet.Device) {
		return func(d *fleet.Device) {
			if d.Spec.ID == id {
				d.State, d.About, d.Reasons, d.BlindSince = fleet.StateUnknown, []string{"sight"}, []string{"BMC silent"}, t0.Add(-time.Hour)
			}
		}
	}
	for _, c := range []struct {
		name   string
		health *fleet.Health
		state  fleet.State
		change func(*fleet.Device)
		cause  string // of the service's symptom; "": it has none
	}{
		{"all else is well", sick, fleet.StateCrit, func(*fleet.Device) {}, "shop"},
		{"a fan is no cause", sick, fleet.StateCrit, func(d *fleet.Device) {
			if d.Spec.ID == "s1" {
				d.State, d.About, d.Reasons = fleet.StateWarn, []string{"sensor fan"}, []string{"Fan 1 slow"}
			}
		}, "shop"},
		{"one of its machines is down, and the floor holds", sick, fleet.StateCrit, down("power", fleet.StateCrit, "s1"), "shop"},
		{"one of its machines has a silent BMC", sick, fleet.StateCrit, silent("s1"), "shop"},
		{"one is down, and the floor is broken", sick, fleet.StateCrit, down("power", fleet.StateCrit, "s1"), "s1"},
		{"the PDU of both", sick, fleet.StateCrit, down("power", fleet.StateCrit, "pa", "s1", "s2"), "pa"},
		{"the only switch of both", sick, fleet.StateCrit, down("sight", fleet.StateCrit, "sw"), "sw"},
		{"nobody asked yet", nil, fleet.StateUnknown, func(*fleet.Device) {}, ""},
		{"nobody can ask", &fleet.Health{Err: &fleet.ProbeError{Err: fleet.ErrUnreachable}}, fleet.StateUnknown, func(*fleet.Device) {}, "shop"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := workloads(c.health, c.state)
			if strings.Contains(c.name, "floor is broken") {
				h.services[0].Spec.Floor = 2
			}
			s := h.snap(c.change)
			got := ""
			for _, x := range Causes(s, t0) {
				if slices.Contains(x.Explains, "shop") {
					got = x.ID
				}
				if x.ID != "shop" {
					continue
				}
				if strings.Contains(strings.Join(x.Evidence, " "), "path lost") {
					t.Errorf("evidence %q", x.Evidence)
				}
				if c.health == sick && (x.Kind != Service || x.Confidence != fleet.ConfidenceHigh || !x.Since.Equal(sick.Since) || x.Evidence[0] != "workload says: HTTP 500") {
					t.Errorf("%+v", x)
				}
			}
			if got != c.cause {
				t.Errorf("the cause is %q, want %q: %+v", got, c.cause, Causes(s, t0))
			}
		})
	}
}
