package alert

import (
	"testing"
	"time"

	"plumb/fleet"
)

// TestWorkloadIsHeldByWhatBeganWithIt: what a workload says is held by a cause
// that began when it did, or that left nothing of it; a machine that is down for
// two days is no reason that nobody is called today. That replicas are few is
// the cause's own news either way.
func TestWorkloadIsHeldByWhatBeganWithIt(t *testing.T) {
	for _, c := range []struct {
		name  string
		down  []string // of the four that carry it
		after time.Duration
		want  string // whom the workload's alert is held by
	}{
		{"it began with it", []string{"s01"}, time.Minute, "cause:s01"},
		{"it was seen before it", []string{"s01"}, -time.Minute, "cause:s01"},
		{"two days later", []string{"s01"}, 48 * time.Hour, ""},
		{"long before it", []string{"s01"}, -time.Hour, ""},
		{"nothing is left of it", []string{"s01", "s02", "s03", "s04", "pa"}, 48 * time.Hour, "cause:pa"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, paged(
				fleet.AlertRule{Name: "cause", On: "cause", Problem: `cause.kind != "service"`, Attempts: 1, Summary: "{cause.id}"},
				fleet.AlertRule{Name: "sick", On: "service", Problem: `service.health == "crit"`, Attempts: 1, Summary: "{service.health_text}"},
				fleet.AlertRule{Name: "few", On: "service", Problem: "service.replicas < service.floor", Attempts: 1, Summary: "few"},
			))
			began := t0.Add(-72 * time.Hour)
			next := *h.snap
			next.Services = fleet.NewTable([]string{"shop"}, []fleet.Service{{
				Spec: &fleet.ServiceSpec{Name: "shop", Floor: 4, Health: &fleet.HealthSpec{Kind: fleet.HealthHTTP, Every: 15 * time.Second, Timeout: 5 * time.Second}}, Devices: []int{0, 1, 2, 3}, Replicas: 4 - min(4, len(c.down)),
				State: fleet.StateCrit, Reasons: []string{"workload says: HTTP 500"},
				Health: &fleet.Health{State: fleet.StateCrit, Hard: fleet.StateCrit, Text: "HTTP 500", SaidAt: t0, Since: began.Add(c.after)},
			}})
			h.snap = &next
			for _, id := range c.down {
				h.device(id, func(d *fleet.Device) {
					d.State, d.About, d.Reasons, d.BlindSince = fleet.StateCrit, []string{"power"}, []string{"no power"}, began
				})
			}
			h.step(3 * time.Second)
			h.step(3 * time.Second)
			h.want("sick:shop", "firing")
			h.held("sick:shop", c.want)
			h.held("few:shop", "cause:"+c.down[len(c.down)-1])
		})
	}
}

// TestReplicasThatCannotBeSeen: a floor is lost where even those that cannot be
// seen would not keep it; else nobody knows.
func TestReplicasThatCannotBeSeen(t *testing.T) {
	r := fleet.AlertRule{Name: "few", On: "service", Problem: "service.replicas < service.floor", Attempts: 1, Summary: "few"}
	h := newHouse(t, paged(r))
	look := func(change func(v *fleet.Service)) {
		v := fleet.Service{Spec: &fleet.ServiceSpec{Name: "match", Floor: 3}}
		change(&v)
		next := *h.snap
		next.Services = fleet.NewTable([]string{"match"}, []fleet.Service{v})
		h.snap = &next
		h.step(time.Second)
	}
	look(func(v *fleet.Service) { v.Unread = true })
	h.want("few:match", "inactive")
	look(func(v *fleet.Service) { v.Unseen = 3 })
	h.want("few:match", "inactive")
	look(func(v *fleet.Service) { v.Replicas, v.Unseen = 1, 1 })
	h.want("few:match", "firing")
	look(func(v *fleet.Service) { v.Replicas, v.Unseen = 1, 2 })
	h.want("few:match", "firing")
	if h.alert("few:match").Stale.IsZero() {
		t.Error("that nobody knows any more is not said")
	}
	look(func(v *fleet.Service) { v.Replicas, v.Unseen = 3, 2 })
	h.want("few:match", "resolved")
}
