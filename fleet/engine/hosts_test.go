package engine

import (
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/plan"
)

// TestADrainIsSeenInTheClouds: a host that was drained, and one that was given
// back, is what its cloud's next list says, with what is left on it.
func TestADrainIsSeenInTheCloud(t *testing.T) {
	for _, c := range []struct {
		name         string
		kind         fleet.ActionKind
		was, becomes string
		note         string
		after        time.Duration
		want         fleet.JobState
		text         string
	}{
		{"drained", fleet.ActHostDrain, "enabled", "disabled", "plumb j1 bob: PSU", 5 * time.Minute, fleet.JobVerified, `observed: disabled, "plumb j1 bob: PSU", instances on it: 3`},
		{"given back", fleet.ActHostUndrain, "disabled", "enabled", "", 5 * time.Minute, fleet.JobVerified, "observed: enabled"},
		{"the cloud said yes and did nothing", fleet.ActHostDrain, "enabled", "enabled", "", 5 * time.Minute, fleet.JobFailed, "2m0s later it does not show"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHeaven(t, nil)
			host := &h.obs.Hosts[0]
			other := *host
			other.ID, other.Name, other.State, other.Status = "h2", "elsewhere", "up", "enabled"
			h.obs.Hosts = append(h.obs.Hosts, other)
			host = &h.obs.Hosts[0]
			host.Name, host.State, host.Status, host.RunningVMs = "s01", "up", c.was, 3
			if c.was == "disabled" {
				host.Maintenance = "plumb j0 bob: PSU"
			}
			h.look()
			p := plan.For(plan.World{Snap: h.snap, Now: h.now}, plan.Ask{Action: c.kind, Targets: []string{"s01"}, By: "bob", Role: fleet.RoleOperator})
			if g := p.Stops(); g != nil {
				t.Fatal(g.Text)
			}
			h.now = h.now.Add(time.Second)
			job := fleet.Job{ID: "j1", Action: p.Action, Targets: []string{"s01"}, State: fleet.JobAccepted, By: "bob", Planned: &p, Began: h.now,
				Steps: []fleet.JobStep{{Name: "begin", Target: "s01", State: fleet.JobRunning, At: h.now}, {Name: "act", Target: "s01", State: fleet.JobAccepted, At: h.now}}}
			h.step(fleet.Decision{Job: &job})
			if h.snap.Jobs[0].State != fleet.JobAccepted {
				t.Fatalf("by a list from before it is %s", h.snap.Jobs[0].State)
			}
			host.Status, host.Maintenance = c.becomes, c.note
			h.look()
			j := h.snap.Jobs[0]
			if text := j.Steps[len(j.Steps)-1].Text; j.State != c.want || !strings.Contains(text, c.text) {
				t.Errorf("%s: %q, want %s: %q", j.State, text, c.want, c.text)
			}
		})
	}
}

// TestAMigrationMayTakeLonger: than a power command may.
func TestAMigrationMayTakeLonger(t *testing.T) {
	h := newHeaven(t, nil)
	x := h.obs.Instances[0]
	p := &fleet.Plan{Action: fleet.ActInstanceMigrate, Targets: []fleet.PlanTarget{{ID: x.ID, Place: x.Host}}}
	h.now = h.now.Add(time.Second)
	h.step(fleet.Decision{Job: &fleet.Job{ID: "j1", Action: p.Action, Targets: []string{x.ID}, State: fleet.JobAccepted, By: "bob", Planned: p, Began: h.now,
		Steps: []fleet.JobStep{{Name: "begin", Target: x.ID, State: fleet.JobRunning, At: h.now}, {Name: "act", Target: x.ID, State: fleet.JobAccepted, At: h.now}}}})
	h.look() // five minutes later it is where it was
	if got := h.snap.Jobs[0].State; got != fleet.JobAccepted {
		t.Fatalf("after five minutes it is %s", got)
	}
	h.obs.Instances[0].Host = "elsewhere"
	h.look()
	j := h.snap.Jobs[0]
	if j.State != fleet.JobVerified || j.Steps[len(j.Steps)-1].Text != "observed: ACTIVE on elsewhere" {
		t.Errorf("%s %+v", j.State, j.Steps)
	}
}
