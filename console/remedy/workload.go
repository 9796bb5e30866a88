package remedy

import (
	"slices"
	"time"

	"plumb/fleet"
)

// wellOf are the services that stand on what a plan acts on, or lose replicas by
// it, whose workload says that it is well.
func wellOf(s *fleet.Snapshot, p *fleet.Plan) (out []string) {
	for name, v := range s.Services.All() {
		if v.Health == nil || v.Health.State != fleet.StateOK {
			continue
		}
		hit := slices.ContainsFunc(p.Services, func(h fleet.PlanHit) bool { return h.Service == name })
		if hit || slices.ContainsFunc(p.Targets, func(t fleet.PlanTarget) bool { return stands(s, v, t.ID) }) {
			out = append(out, name)
		}
	}
	return out
}

// stands reports whether a service has a replica on a target, or it is one.
func stands(s *fleet.Snapshot, v *fleet.Service, target string) bool {
	if i := s.Instances.Number(target); i >= 0 {
		return slices.Contains(v.Instances, i)
	}
	n := s.Devices.Number(target)
	return n >= 0 && (slices.Contains(v.Devices, n) || slices.ContainsFunc(v.Instances, func(i int) bool { return s.Instances.At(i).Device == n }))
}

// worseOff names a service that was well and of which its workload, or silence,
// now says something else, at the first look already; "": none. What nobody asks
// any more is neither.
func worseOff(s *fleet.Snapshot, well []string) string {
	for _, name := range well {
		v := s.Services.Get(name)
		if v == nil || v.Spec.Health == nil {
			continue
		}
		switch h := v.Health; {
		case h == nil || h.State == fleet.StateUnknown && !h.Soft():
			return "service " + name + " was well before it began, and now nobody knows what its workload says"
		case h.State != fleet.StateOK || h.Soft():
			return "service " + name + " was well before it began, and now its workload says: " + h.Text
		}
	}
	return ""
}

// askWell has the services that were well asked now, and not at their next beat.
func (x *run) askWell() {
	if len(x.well) > 0 {
		x.wire.Nudge(x.well...)
	}
}

// unheard names a service that has said nothing since; "": none.
func unheard(s *fleet.Snapshot, well []string, since time.Time) string {
	for _, name := range well {
		v := s.Services.Get(name)
		if v != nil && v.Spec.Health != nil && (v.Health == nil || !v.Health.SaidAt.After(since)) {
			return name
		}
	}
	return ""
}

// patience is how long a word is waited for: two beats of the slowest service
// and the time that a look may take.
func patience(s *fleet.Snapshot, well []string) (long time.Duration) {
	for _, name := range well {
		if v := s.Services.Get(name); v != nil && v.Spec.Health != nil {
			h := v.Spec.Health.Filled(s.Intervals[fleet.LaneFast], 0)
			long = max(long, 2*h.Every+h.Timeout)
		}
	}
	return long
}
