package plan

import (
	"plumb/fleet"
)

// workload asks the services that lose replicas how their users are: one that is
// not well loses nothing more, and of one that nobody hears a second person has
// to say that it may. Of one that nobody asks the floor alone speaks.
func (b *bench) workload(h fleet.PlanHit) {
	v := b.Snap.Services.Get(h.Service)
	if v == nil || v.Spec.Health == nil {
		return
	}
	state := fleet.StateUnknown
	if v.Health != nil {
		state = v.Health.State
	}
	switch {
	case state == fleet.StateCrit || state == fleet.StateWarn:
		b.say("workload", fleet.VerdictRefuse, "", "service %s is not well before anything is taken: its workload says %s", h.Service, v.Health.Words())
	case state == fleet.StateUnknown:
		b.say("workload", fleet.VerdictEscalate, "", "nobody knows how service %s is: %s", h.Service, v.Health.Words())
	case v.Health.Soft():
		b.say("workload", fleet.VerdictEscalate, "", "service %s may be about to fail: its workload said %s just now", h.Service, v.Health.Words())
	default:
		b.say("workload", fleet.VerdictOK, "", "the workload of service %s is well", h.Service)
	}
}
