package engine

import (
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/drift"
)

// Who changed a thing is known where plumb did it: a job names what it writes,
// and the facet that shows it says what was written. A finding that begins or
// ends by that is the job's doing, whoever meant it to.

// doing is what one job wrote on one target.
type doing struct {
	job  *fleet.Job
	wire string // the device or cloud that findings are of
}

// doings are what jobs wrote lately, the newest first. A write that failed, or
// that was never sent, is nobody's doing.
func (s *step) doings(target string) (out []doing) {
	for i := range s.next.Jobs {
		j := &s.next.Jobs[i]
		if j.Planned == nil {
			continue
		}
		for k := range j.Planned.Targets {
			t := &j.Planned.Targets[k]
			if target != "" && t.Wire != target {
				continue
			}
			at := j.Of(t.ID)
			if at != nil && (at.State == fleet.JobVerified || at.State == fleet.JobAccepted) && s.now.Sub(at.At) < creditFor {
				out = append(out, doing{j, t.Wire})
			}
		}
	}
	return out
}

// name says who did it, and in which job.
func (d *doing) name() string {
	text := d.job.By + ", job " + d.job.ID
	if d.job.Undoes != "" {
		text += ", undo of " + d.job.Undoes
	}
	return text
}

// began reports whether a finding is there because of what the job wrote: its
// facet shows just that, and it is new or began after the job did. Since is no
// sign of a new one: it may be when the facet changed first within a week.
func (d *doing) began(f *fleet.Finding, fresh bool) bool {
	return (fresh || !f.Since.Before(d.job.Began)) && d.wrote(f.Facet, f.Observed)
}

// ended reports whether a finding is gone because of what the job wrote: it was
// to, or the facet now has just that value.
func (d *doing) ended(s *step, f *fleet.Finding) bool {
	if f.Ended.Before(d.job.Began) {
		return false
	}
	return slices.Contains(d.job.Planned.Reverts, f.ID()) || d.wrote(f.Facet, s.valueNow(f))
}

// wrote reports whether a job wrote a value into a facet. What a facet shows of
// a list, a security group's rules, is not told from what others did to it.
func (d *doing) wrote(facet, value string) bool {
	j := d.job
	args := j.Planned.Args
	switch j.Action {
	case fleet.ActPortVLAN:
		return d.wrotePort(facet, "vlan") && value == args["vlan"]
	case fleet.ActPortAlias:
		return d.wrotePort(facet, "alias") && value == args["alias"]
	case fleet.ActPortUp, fleet.ActPortBounce:
		return d.wrotePort(facet, "admin") && value == "up"
	case fleet.ActPortDown:
		return d.wrotePort(facet, "admin") && value == "down"
	case fleet.ActUserOff:
		return facet == "bmc.user."+args["slot"] && strings.Contains(value, " disabled ")
	case fleet.ActCipherOff:
		suites := strings.Fields(value)
		open := slices.ContainsFunc(strings.Fields(args["suite"]), func(id string) bool { return slices.Contains(suites, id) })
		return facet == "bmc.ciphers" && value != "" && !open
	case fleet.ActCipherSet:
		return limited(facet, strings.Fields(value), strings.Fields(args["limits"]))
	case fleet.ActInstanceStart, fleet.ActInstanceStop:
		id, is := strings.CutSuffix(strings.TrimPrefix(facet, "instance "), " state")
		return is && slices.Contains(j.Targets, id) && (value == "ACTIVE") == (j.Action == fleet.ActInstanceStart) && value != ""
	}
	return false
}

// wrotePort reports whether a facet is what the job writes of one of its ports.
func (d *doing) wrotePort(facet, what string) bool {
	name, port := strings.CutPrefix(facet, "port ")
	name, is := strings.CutSuffix(name, " "+what)
	return port && is && slices.Contains(d.job.Targets, d.wire+"/"+name)
}

// limited reports whether what a BMC says of its suites is what was set: each
// limit as it is listed, and of the suites on offer all but those that were closed.
func limited(facet string, has, set []string) bool {
	shows := func(limit string) bool {
		suite, word, _ := strings.Cut(limit, "=")
		switch facet {
		case "bmc.lan.cipher_privileges":
			return slices.Contains(has, limit)
		case "bmc.ciphers":
			return slices.Contains(has, suite) == (word != "none")
		}
		return false
	}
	return len(has) > 0 && len(set) > 0 && !slices.ContainsFunc(set, func(l string) bool { return !shows(l) })
}

// valueNow is what the facet of a finding that ended has now, "" where that is
// not known.
func (s *step) valueNow(f *fleet.Finding) string {
	i := s.next.Devices.Number(f.Target)
	if i < 0 {
		return ""
	}
	d := s.devices.Peek(i)
	if rest, is := strings.CutPrefix(f.Facet, "port "); is {
		return portNow(d, rest)
	}
	return d.Facts.Get(f.Facet)
}

// portNow is what a port of a device is set to, by "ifName facet".
func portNow(d *fleet.Device, rest string) string {
	i := strings.LastIndexByte(rest, ' ')
	if i < 0 {
		return ""
	}
	p := d.Port(rest[:i])
	if p == nil {
		return ""
	}
	switch rest[i+1:] {
	case "vlan":
		return drift.VLANText(p)
	case "admin":
		return drift.AdminText(p)
	case "alias":
		return p.Alias
	}
	return ""
}

// nameDoers names in what a look found, and in what it no longer finds, who did
// it, before it is kept and told.
func (s *step) nameDoers(target string, after drift.Settled) {
	begun, ended, docket := after.Begun, after.Ended, after.Docket
	if len(begun)+len(ended) == 0 {
		return
	}
	list := s.doings(target)
	if len(list) == 0 {
		return
	}
	for i := range begun {
		s.nameIn(list, &begun[i], true)
		sameFinding(docket.Findings, &begun[i])
	}
	for i := range ended {
		s.nameIn(list, &ended[i], false)
		sameFinding(docket.Gone, &ended[i])
	}
}

// nameIn names the doer of one finding, which is fresh where this look found it
// first; false where nobody of plumb did it, or it
// is named already.
func (s *step) nameIn(list []doing, f *fleet.Finding, fresh bool) bool {
	for i := range list {
		d := &list[i]
		switch who := d.name(); {
		case f.Ended.IsZero() && f.Who == "" && d.began(f, fresh):
			f.Who = who
			return true
		case f.State == fleet.FindingGone && d.ended(s, f):
			f.State, f.Who = fleet.FindingReverted, who
			return true
		}
	}
	return false
}

// sameFinding puts a finding in the place of itself.
func sameFinding(list []fleet.Finding, f *fleet.Finding) {
	for i := range list {
		if list[i].Facet == f.Facet && list[i].Ended.Equal(f.Ended) {
			list[i] = *f
		}
	}
}
