package engine

import (
	"slices"
	"strings"
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
	for i := len(jobs) - 1; i >= 0 && len(jobs) > maxJobs; i-- {
		if !jobs[i].Ended.IsZero() { // one that is not settled must not fall out of the world
			jobs = slices.Delete(jobs, i, i+1)
		}
	}
	s.next.Jobs = jobs
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
		case !s.restarts(&j) && s.looked(&j).Sub(j.Began) > verifyWithin:
			j.State, text = fleet.JobFailed, "the device said yes, and "+verifyWithin.String()+" later it does not show"
		case s.restarts(&j) && s.looked(&j).Sub(j.Began) > verifyWithin:
			j.State, text = fleet.JobUnknown, "the BMC took it; neither its power state, nor its log, nor a switch port showed that it happened"
		case s.now.Sub(j.Began) > lookWithin:
			j.State, text = fleet.JobUnknown, "the device said yes, and was not seen again within "+lookWithin.String()
		default:
			continue
		}
		j.Ended = s.now
		j.Steps = append(slices.Clone(j.Steps), fleet.JobStep{Name: "verify", State: j.State, Text: text, At: s.now})
		s.putJob(j)
		s.acted(&j)
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
	return d.Tables[fleet.TableFacts].At
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
	if !d.Tables[fleet.TableFacts].At.After(j.Began) {
		return false, "" // seen since, but not asked for its power
	}
	if s.restarts(j) {
		return s.restartShown(d, j)
	}
	want := fleet.PowerOn
	if j.Action == fleet.ActPowerOff || j.Action == fleet.ActSoftOff {
		want = fleet.PowerOff
	}
	return d.Power == want, "observed: power " + want.String()
}

// restarts reports whether a job is to end in the power state it began in, so
// that the state alone shows nothing.
func (s *step) restarts(j *fleet.Job) bool {
	return j.Action == fleet.ActPowerCycle || j.Action == fleet.ActReset
}

// restartShown looks for a witness of a cycle or a reset after the job began:
// the machine was seen off, its log says that it started, or the light on one
// of its switch ports came and went.
func (s *step) restartShown(d *fleet.Device, j *fleet.Job) (bool, string) {
	if d.Power != fleet.PowerOn {
		return false, ""
	}
	if d.PowerSince.After(j.Began) {
		return true, "observed: it was off and is on again"
	}
	for i := range s.out.Events {
		if e := &s.out.Events[i]; e.Target == d.Spec.ID && e.Source == "sel" && e.At.After(j.Began.Add(-time.Second)) && started(e) {
			return true, "its log says: " + e.Text
		}
	}
	for _, c := range d.Spec.Links {
		sw, port, _ := splitPort(c.To)
		if n := s.next.Devices.Number(sw); n >= 0 && flippedSince(s.devices.Peek(n), port, j.Began) {
			return true, "observed: the light on " + c.To + " came and went"
		}
	}
	return false, ""
}

// started reports whether a SEL record tells of a power-down, a power cycle or
// a start of the system (IPMI 2.0 table 42-3: types 09h, 1Dh, 22h).
func started(e *fleet.Event) bool {
	for _, t := range []string{"Power Unit", "System Boot", "System ACPI Power State"} {
		if strings.HasPrefix(e.Type, t) {
			return true
		}
	}
	return false
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
