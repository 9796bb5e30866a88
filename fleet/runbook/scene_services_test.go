package runbook

import (
	"testing"
	"time"

	"plumb/fleet"
)

// What a condition may say of workloads: never that one is well which was not
// heard since the act before.
func TestHealthy(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	said := func(st fleet.State, ago time.Duration) *fleet.Health {
		return &fleet.Health{State: st, Hard: st, Said: st, SaidAt: now.Add(-ago)}
	}
	soft := said(fleet.StateOK, 5*time.Second)
	soft.Said, soft.Bad = fleet.StateCrit, 1
	for _, c := range []struct {
		name   string
		asks   bool
		health *fleet.Health
		want   bool
		known  bool
	}{
		{"nobody asks", false, nil, true, true},
		{"well", true, said(fleet.StateOK, 5*time.Second), true, true},
		{"sick", true, said(fleet.StateCrit, 5*time.Second), false, true},
		{"heard before the act", true, said(fleet.StateOK, 15*time.Second), false, false},
		{"too old", true, said(fleet.StateUnknown, time.Hour), false, false},
		{"never asked", true, nil, false, false},
		{"a bad word that does not count yet", true, soft, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &fleet.Snapshot{At: now, Topology: &fleet.Topology{}, Intervals: [3]time.Duration{time.Minute, time.Minute, time.Minute}}
			s.Devices = fleet.NewTable([]string{"s1", "s2"}, []fleet.Device{{Spec: &fleet.DeviceSpec{ID: "s1"}}, {Spec: &fleet.DeviceSpec{ID: "s2"}}})
			spec := &fleet.ServiceSpec{Name: "shop"}
			if c.asks {
				spec.Health = &fleet.HealthSpec{Kind: fleet.HealthTCP, Every: 15 * time.Second}
			}
			s.Services = fleet.NewTable([]string{"shop"}, []fleet.Service{{Spec: spec, Devices: []int{0}, Health: c.health}})
			x := facts{s, now.Add(-10 * time.Second)}
			if got, err := x.healthy("s1"); got != c.want || (err == nil) != c.known {
				t.Errorf("healthy is %v, %v", got, err)
			}
			if got, err := x.healthy("s2"); !got || err != nil {
				t.Errorf("a machine without services: %v, %v", got, err)
			}
		})
	}
}
