package engine

import (
	"slices"
	"time"

	"plumb/fleet"
)

// maxJobs bounds the jobs a snapshot carries; older ones are in the store.
const maxJobs = 100

// verifyWithin is how long an accepted action may take to show, and lookWithin
// how long to wait for a look at the target after that. A target that nobody
// could look at, because it or plumb was away, has not failed: it is unknown.
const (
	verifyWithin = 2 * time.Minute
	lookWithin   = 3 * verifyWithin
)

// putJob adds or replaces a job, newest first.
func (s *step) putJob(j fleet.Job) {
	jobs := slices.Clone(s.next.Jobs)
	if i := slices.IndexFunc(jobs, func(x fleet.Job) bool { return x.ID == j.ID }); i >= 0 {
		jobs[i] = j
	} else {
		jobs = slices.Insert(jobs, 0, j)
	}
	s.next.Jobs = jobs[:min(len(jobs), maxJobs)]
	s.out.Jobs = append(s.out.Jobs, j)
	s.changed = true
}

// settleJobs holds accepted jobs against what has been observed since: an
// action is done when it is read back, not when the device said yes.
func (s *step) settleJobs() {
	for _, j := range s.next.Jobs {
		if j.State != fleet.JobAccepted || len(j.Targets) != 1 {
			continue
		}
		is, text := s.shown(&j)
		switch {
		case is:
			j.State = fleet.JobVerified
		case s.looked(&j).Sub(j.Began) > verifyWithin:
			j.State, text = fleet.JobFailed, "the device said yes, and "+verifyWithin.String()+" later it does not show"
		case s.now.Sub(j.Began) > lookWithin:
			j.State, text = fleet.JobUnknown, "the device said yes, and was not seen again within "+lookWithin.String()
		default:
			continue
		}
		j.Ended = s.now
		j.Steps = append(slices.Clone(j.Steps), fleet.JobStep{Name: "verify", State: j.State, Text: text, At: s.now})
		s.putJob(j)
		s.out.Audit = append(s.out.Audit, fleet.AuditEntry{
			At: s.now, Who: j.By, From: "plumb", Action: string(j.Action), Target: j.Targets[0], Outcome: auditOutcome(j.State), Reason: text,
		})
	}
}

func auditOutcome(s fleet.JobState) string {
	switch s {
	case fleet.JobVerified:
		return "done"
	case fleet.JobUnknown:
		return "unknown"
	}
	return "failed"
}

// looked is when that which shows the job's outcome was last observed.
func (s *step) looked(j *fleet.Job) time.Time {
	target, _, isPort := splitPort(j.Targets[0])
	i := s.next.Devices.Number(target)
	if i < 0 {
		return time.Time{}
	}
	d := s.devices.Peek(i)
	if isPort {
		return d.Tables[fleet.TablePorts].At
	}
	return d.SeenAt
}

// shown says whether the newest observation shows what the job was to bring.
// Only what was observed after the job began counts.
func (s *step) shown(j *fleet.Job) (bool, string) {
	target, port, _ := splitPort(j.Targets[0])
	i := s.next.Devices.Number(target)
	if i < 0 {
		return false, ""
	}
	d := s.devices.Peek(i)
	switch j.Action {
	case fleet.ActPortUp, fleet.ActPortDown:
		p := d.Port(port)
		want := map[fleet.ActionKind]string{fleet.ActPortUp: "up", fleet.ActPortDown: "down"}[j.Action]
		return p != nil && d.Tables[fleet.TablePorts].At.After(j.Began) && p.Admin == want, "observed: admin " + want
	case fleet.ActIdentify:
		return d.SeenAt.After(j.Began), "the BMC took it; the LED is for eyes"
	}
	if !d.SeenAt.After(j.Began) {
		return false, ""
	}
	want := fleet.PowerOn
	if j.Action == fleet.ActPowerOff || j.Action == fleet.ActSoftOff {
		want = fleet.PowerOff
	}
	return d.Power == want, "observed: power " + want.String()
}

// splitPort splits "device/port".
func splitPort(id string) (device, port string, ok bool) {
	for i := range len(id) {
		if id[i] == '/' {
			return id[:i], id[i+1:], true
		}
	}
	return id, "", false
}
