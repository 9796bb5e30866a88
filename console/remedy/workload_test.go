package remedy

import (
	"strings"
	"testing"

	"plumb/fleet"
)

// A service that was well before an action is held against itself afterwards;
// one that was sick, or is not heard, proves nothing.
func TestWorseOff(t *testing.T) {
	snap := func(states ...fleet.State) *fleet.Snapshot {
		s := &fleet.Snapshot{Topology: &fleet.Topology{}}
		s.Devices = fleet.NewTable([]string{"s1"}, []fleet.Device{{Spec: &fleet.DeviceSpec{ID: "s1"}}})
		s.Instances = fleet.NewTable([]string{"vm1"}, []fleet.InstanceState{{Instance: fleet.Instance{ID: "vm1"}, Device: -1}})
		names := []string{"metal", "guest", "hit", "other"}
		rows := make([]fleet.Service, len(names))
		for i, name := range names {
			rows[i] = fleet.Service{Spec: &fleet.ServiceSpec{Name: name, Health: &fleet.HealthSpec{}}, Health: &fleet.Health{State: states[i], Text: "HTTP 500"}}
		}
		rows[0].Devices, rows[1].Instances = []int{0}, []int{0}
		s.Services = fleet.NewTable(names, rows)
		return s
	}
	const ok, crit, unknown = fleet.StateOK, fleet.StateCrit, fleet.StateUnknown
	plan := &fleet.Plan{Targets: []fleet.PlanTarget{{ID: "s1"}, {ID: "vm1"}}, Services: []fleet.PlanHit{{Service: "hit"}}}
	for _, c := range []struct {
		before, after [4]fleet.State
		want          string
	}{
		{[4]fleet.State{ok, ok, ok, ok}, [4]fleet.State{ok, ok, ok, ok}, ""},
		{[4]fleet.State{ok, ok, ok, ok}, [4]fleet.State{crit, ok, ok, ok}, "metal"},
		{[4]fleet.State{ok, ok, ok, ok}, [4]fleet.State{ok, crit, ok, ok}, "guest"},
		{[4]fleet.State{ok, ok, ok, ok}, [4]fleet.State{ok, ok, crit, ok}, "hit"},
		{[4]fleet.State{ok, ok, ok, ok}, [4]fleet.State{ok, ok, ok, crit}, ""},
		{[4]fleet.State{crit, ok, ok, ok}, [4]fleet.State{crit, ok, ok, ok}, ""},
		{[4]fleet.State{ok, ok, ok, ok}, [4]fleet.State{unknown, ok, ok, ok}, "metal"},
		{[4]fleet.State{unknown, ok, ok, ok}, [4]fleet.State{unknown, ok, ok, unknown}, ""},
	} {
		got := worseOff(snap(c.after[:]...), wellOf(snap(c.before[:]...), plan))
		if c.want == "" && got != "" || c.want != "" && !strings.HasPrefix(got, "service "+c.want+" ") {
			t.Errorf("%v then %v: %q, want %q", c.before, c.after, got, c.want)
		}
	}
}
