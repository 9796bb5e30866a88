package alert

import (
	"math"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/trace"
)

// replicas marks a service of which a cause explains that it has few replicas,
// and not what its workload says.
const replicas = "\x00replicas"

// replicasOf is how many replicas run. Where the floor is kept or not by those
// that cannot be seen, nobody knows: a cloud that is silent is no outage of what
// runs there.
func replicasOf(x *scene) float64 {
	v := x.service
	if n, floor := v.Replicas, v.Spec.Floor; n < floor && (v.Unread || n+v.Unseen >= floor) {
		return math.NaN()
	}
	return count(v.Replicas)
}

// news reports whether what a workload says is other news than a cause: it did
// not begin with it. What is down since Monday does not break a shop on
// Wednesday. Where all that carries it is known to be down there is nothing left
// that could.
func news(s *fleet.Snapshot, name string, c *trace.Cause) bool {
	v := s.Services.Get(name)
	if v == nil || v.Health == nil || v.Spec.Health == nil || c.ID == name {
		return false
	}
	apart := v.Health.Since.Sub(c.Since)
	return apart.Abs() > within(v, s.Intervals[fleet.LaneFast]) && !lost(s, v)
}

// within is how far apart a cause and the word of a workload may begin: three of
// the beats in which it is asked, and the looks until a bad word counts; and two
// polls, as hardware may be seen later than what it carried.
func within(v *fleet.Service, fast time.Duration) time.Duration {
	h := v.Spec.Health.Filled(fast, 0)
	return max(3*h.Every+time.Duration(h.Attempts-1)*(h.Retry+h.Timeout), 2*fast)
}

// lost reports whether nothing that carries a service can serve.
func lost(s *fleet.Snapshot, v *fleet.Service) bool {
	for _, n := range v.Devices {
		if !trace.Dead(s.Devices.At(n)) {
			return false
		}
	}
	for _, n := range v.Instances {
		x := s.Instances.At(n)
		if x.State != fleet.StateCrit && x.State != fleet.StateOff && (x.Device < 0 || !trace.Dead(s.Devices.At(x.Device))) {
			return false
		}
	}
	return len(v.Devices)+len(v.Instances) > 0
}

// hears reports whether a rule on services reads what a workload says, or the
// state that it is part of.
func (p *program) hears() bool {
	return p.On == "service" && slices.ContainsFunc(p.problem.reads, func(r read) bool {
		return strings.HasPrefix(r.name, "service.health") || slices.Contains([]string{"service.latency_ms", "service.unheard", "service.state"}, r.name)
	})
}
