package alert

import (
	"testing"
	"time"

	"plumb/fleet"
)

// TestWhatAJobTakesAwayIsHeldByIt: a machine that somebody cycles through plumb
// calls nobody while that is under way, and does when it stays away.
func TestWhatAJobTakesAwayIsHeldByIt(t *testing.T) {
	unseen := fleet.AlertRule{Name: "unseen", On: "device", Problem: "device.blind", Attempts: 1, Graded: true, Severity: fleet.SeverityWarn}
	for _, c := range []struct {
		name string
		job  fleet.Job
		want string // whom s01 is held by
	}{
		{"a cycle", fleet.Job{Action: fleet.ActPowerCycle, State: fleet.JobRunning}, "job j1"},
		{"one that everybody said yes to", fleet.Job{Action: fleet.ActPowerCycle, State: fleet.JobAccepted}, "job j1"},
		{"a BMC's restart", fleet.Job{Action: fleet.ActBMCReset, State: fleet.JobRunning}, "job j1"},
		{"a runbook", fleet.Job{Action: "run drain-cycle", State: fleet.JobRunning}, "job j1"},
		{"a runbook that asks", fleet.Job{Action: "run drain-cycle", State: fleet.JobRunning, Asks: &fleet.Question{Text: "on?"}}, ""},
		{"what takes nothing", fleet.Job{Action: fleet.ActIdentify, State: fleet.JobRunning}, ""},
		{"a proposal", fleet.Job{Action: fleet.ActPowerCycle, State: fleet.JobProposed}, ""},
		{"one that went well a minute ago", fleet.Job{Action: fleet.ActPowerCycle, State: fleet.JobVerified, Ended: t0.Add(30 * time.Second)}, "job j1"},
		{"one that did not", fleet.Job{Action: fleet.ActPowerCycle, State: fleet.JobFailed, Ended: t0.Add(30 * time.Second)}, ""},
		{"one that hangs", fleet.Job{Action: fleet.ActPowerCycle, State: fleet.JobRunning, Began: t0.Add(-2 * time.Hour)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, paged(unseen))
			h.step(time.Minute)
			j := c.job
			j.ID, j.Targets = "j1", []string{"s01"}
			if j.Began.IsZero() {
				j.Began = t0
			}
			h.jobs(j)
			h.step(10 * time.Second)
			h.blind("s01")
			h.blind("s02") // nobody is at this one
			h.step(10 * time.Second)
			h.held("unseen:s01", c.want)
			h.held("unseen:s02", "")
		})
	}
	t.Run("it stays away", func(t *testing.T) {
		h := newHouse(t, paged(unseen))
		h.step(time.Minute)
		j := fleet.Job{ID: "j1", Action: fleet.ActPowerCycle, State: fleet.JobRunning, Targets: []string{"s01"}, Began: h.now}
		h.jobs(j)
		h.blind("s01")
		h.step(time.Minute)
		j.State, j.Ended = fleet.JobVerified, h.now // it has power, and does not come back
		h.jobs(j)
		h.step(lingers - time.Second)
		h.held("unseen:s01", "job j1")
		h.told(0, "")
		if !h.out.Wake.Equal(j.Ended.Add(lingers)) {
			t.Errorf("looks again at %v, want when the job is no excuse any more", h.out.Wake)
		}
		h.step(time.Minute)
		h.step(time.Minute)
		h.device("s01", func(d *fleet.Device) { // it was asked again, in vain
			d.BlindSince, d.Sources = h.now, []fleet.SourceState{{Source: fleet.SourceIPMI, Err: &fleet.ProbeError{Target: "s01", Err: fleet.ErrTimeout}}}
		})
		h.step(3 * time.Minute)
		h.step(time.Minute)
		h.held("unseen:s01", "")
		h.step(time.Minute)
		h.told(1, "firing", "unseen")
	})
	t.Run("what stood before", func(t *testing.T) {
		h := newHouse(t, paged(unseen))
		h.step(time.Minute)
		h.blind("s01")
		h.step(time.Minute)
		h.jobs(fleet.Job{ID: "j1", Action: fleet.ActPowerCycle, State: fleet.JobRunning, Targets: []string{"s01"}, Began: h.now})
		h.step(time.Minute)
		h.held("unseen:s01", "")
	})
}

// jobs replaces the jobs there are.
func (h *house) jobs(list ...fleet.Job) {
	next := *h.snap
	next.Jobs = list
	h.snap = &next
}
