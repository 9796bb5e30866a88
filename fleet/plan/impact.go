package plan

import (
	"fmt"
	"strings"

	"plumb/fleet"
	"plumb/fleet/trace"
)

// Step is one action on one target: a device, or device/port.
type Step struct {
	Action fleet.ActionKind
	Target string
}

// Hit is a service that would lose replicas.
type Hit struct {
	Service       string
	Before, After int // running replicas, without what is off or being taken by others
	Floor         int // 0: none
}

// Below reports whether the service would fall below its floor.
func (h Hit) Below() bool { return h.Floor > 0 && h.After < h.Floor }

// AtFloor reports whether it would stand exactly at its floor.
func (h Hit) AtFloor() bool { return h.Floor > 0 && h.After == h.Floor }

// Refusal says why the action is refused for this service's sake, or "". One
// that would leave it exactly at its floor is for two people, and nobody can
// be the second one yet.
func (h Hit) Refusal() string {
	switch {
	case h.Below():
		return fmt.Sprintf("service %s would fall below its floor of %d: %d left", h.Service, h.Floor, h.After)
	case h.AtFloor():
		return fmt.Sprintf("service %s would stand exactly at its floor of %d: that needs a second person, and approval is not there yet", h.Service, h.Floor)
	}
	return ""
}

// Stops reports whether an action takes away what runs on its target, for a
// while at least.
func Stops(k fleet.ActionKind) bool {
	switch k {
	case fleet.ActPowerOff, fleet.ActSoftOff, fleet.ActPowerCycle, fleet.ActReset:
		return true
	}
	return false
}

// Impact returns what steps would take from each service, in the order of the
// snapshot. Lost already are replicas on machines that are off or cut off, and
// those that unsettled jobs of the snapshot and pending take. What dies with a
// target [trace.Graph.Blast] says: a port takes what hangs on it when no other
// cable of that machine leads out of its region.
func Impact(s *fleet.Snapshot, steps []Step, pending ...Step) []Hit {
	return ImpactOn(trace.Build(s), s, steps, pending...)
}

// ImpactOn is Impact on a graph that is there already.
func ImpactOn(g *trace.Graph, s *fleet.Snapshot, steps []Step, pending ...Step) []Hit {
	for i := range s.Jobs {
		if j := &s.Jobs[i]; unsettled(s, j) {
			for _, t := range j.Targets {
				pending = append(pending, Step{j.Action, t})
			}
		}
	}
	gone := parts(g, s, pending)
	after := parts(g, s, steps)
	if len(after) == 0 {
		return nil
	}
	left := map[string]int{} // by service, where something is on its way
	for _, h := range g.Blast(s, gone...).Services {
		left[h.Service] = h.After
	}
	var hits []Hit
	for _, h := range g.Blast(s, append(gone, after...)...).Services {
		before, ok := left[h.Service]
		if !ok {
			before = h.Before
		}
		if h.After < before {
			hits = append(hits, Hit{Service: h.Service, Before: before, After: h.After, Floor: h.Floor})
		}
	}
	return hits
}

// parts are what steps take away, for a while at least.
func parts(g *trace.Graph, s *fleet.Snapshot, steps []Step) (out []trace.Part) {
	for _, x := range steps {
		if !Stops(x.Action) && x.Action != fleet.ActPortDown {
			continue
		}
		if p, ok := g.Find(s, x.Target); ok {
			out = append(out, p)
		}
	}
	return out
}

// unsettled reports whether a job may still take its target away: it is on its
// way, or nobody knows what came of it and the target was not seen since.
func unsettled(s *fleet.Snapshot, j *fleet.Job) bool {
	switch j.State {
	case fleet.JobRunning, fleet.JobAccepted:
		return true
	case fleet.JobUnknown:
		for _, t := range j.Targets {
			id, _, _ := strings.Cut(t, "/")
			if d := s.Devices.Get(id); d != nil && !d.SeenAt.After(j.Ended) {
				return true
			}
		}
	}
	return false
}
