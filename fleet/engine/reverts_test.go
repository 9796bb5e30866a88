package engine

import (
	"testing"
	"time"

	"plumb/fleet"
	"plumb/fleet/plan"
)

// TestWhatSomebodyPutRightIsReverted: a rule that was taken out by hand of a
// verified job is reverted by who asked for it; what goes otherwise is gone.
func TestWhatSomebodyPutRightIsReverted(t *testing.T) {
	for _, c := range []struct {
		name   string
		remove string // the rule that the job takes out
		seen   fleet.JobState
		wait   time.Duration // from the job's verification to the end of the finding
		want   fleet.FindingState
		who    string
	}{
		{"at once", "r2", fleet.JobAccepted, 0, fleet.FindingReverted, "bob, job j1"},
		{"seen before the finding ends", "r2", fleet.JobVerified, 5 * time.Minute, fleet.FindingReverted, "bob, job j1"},
		{"too long ago", "r2", fleet.JobVerified, 15 * time.Minute, fleet.FindingGone, ""},
		{"failed", "r2", fleet.JobFailed, 0, fleet.FindingGone, ""},
		{"another rule", "r1", fleet.JobVerified, 0, fleet.FindingGone, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHeaven(t, nil)
			h.obs.SecurityGroups[0].Rules[0].ID = "r1"
			h.obs.SecurityGroups[0].Rules = append(h.obs.SecurityGroups[0].Rules, fleet.SecurityRule{ID: "r2", Direction: "ingress", Protocol: "tcp", PortMin: fleet.Int(22), PortMax: fleet.Int(22)})
			h.look()
			h.finds("cloud.open-group g1 unmanaged open, group g1 rules changed open")
			p := plan.For(plan.World{Snap: h.snap, Now: h.now}, plan.Ask{Action: fleet.ActRuleRemove, Args: map[string]string{"rule": c.remove}, Targets: []string{"os-ams/g1"}, By: "bob", Role: fleet.RoleOperator})
			h.now = h.now.Add(time.Second)
			job := fleet.Job{ID: "j1", Action: p.Action, Targets: []string{"os-ams/g1"}, State: c.seen, By: "bob", Planned: &p, Began: h.now,
				Steps: []fleet.JobStep{{Name: "act", Target: "os-ams/g1", State: c.seen, At: h.now}}}
			h.step(fleet.Decision{Job: &job})
			h.now = h.now.Add(max(c.wait-5*time.Minute, 0)) // looks are five minutes apart
			h.obs.SecurityGroups[0].Rules = h.obs.SecurityGroups[0].Rules[:1]
			h.look()
			h.finds("")
			gone := h.snap.Docket("os-ams").Gone
			if len(gone) != 2 {
				t.Fatalf("ended %+v", gone)
			}
			for _, f := range gone {
				if f.State != c.want || f.Who != c.who {
					t.Errorf("%s is %s by %q, want %s by %q", f.Facet, f.State, f.Who, c.want, c.who)
				}
			}
			kept := decode[fleet.Finding](h.kept[len(h.kept)-1].Value)
			if c.want == fleet.FindingReverted && (kept == nil || kept.State != c.want) {
				t.Errorf("kept as %+v", kept)
			}
		})
	}
}
