package remedy

import (
	"slices"

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

// worseOff names a service that was well and whose workload now says that it is
// not; "": none. One that is not heard is neither.
func worseOff(s *fleet.Snapshot, well []string) string {
	for _, name := range well {
		if v := s.Services.Get(name); v != nil && v.Health != nil && (v.Health.State == fleet.StateCrit || v.Health.State == fleet.StateWarn) {
			return "service " + name + " was well before it began, and now its workload says: " + v.Health.Text
		}
	}
	return ""
}
