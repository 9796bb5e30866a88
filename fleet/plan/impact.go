package plan

import (
	"fmt"
	"strings"

	"plumb/fleet"
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
// snapshot. Lost already are replicas on machines that are off, and those that
// unsettled jobs of the snapshot and pending take. A port takes what hangs on
// it when no other cable of that machine is up.
func Impact(s *fleet.Snapshot, steps []Step, pending ...Step) []Hit {
	before := newLoss(s)
	for i := range s.Jobs {
		if j := &s.Jobs[i]; unsettled(s, j) {
			for _, t := range j.Targets {
				before.add(Step{j.Action, t})
			}
		}
	}
	for _, p := range pending {
		before.add(p)
	}
	after := before.clone()
	for _, x := range steps {
		after.add(x)
	}
	before.spread()
	after.spread()
	if len(after.devices) == len(before.devices) {
		return nil
	}
	var hits []Hit
	for id, v := range s.Services.All() {
		h := Hit{Service: id, Before: max(0, v.Replicas-before.replicas(v)), After: max(0, v.Replicas-after.replicas(v)), Floor: v.Spec.Floor}
		if h.After < h.Before {
			hits = append(hits, h)
		}
	}
	return hits
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

// loss is what is gone, or is taken to be.
type loss struct {
	snap    *fleet.Snapshot
	devices map[int]bool    // by number
	ports   map[string]bool // "switch/ifName"
}

func newLoss(s *fleet.Snapshot) *loss {
	return &loss{snap: s, devices: map[int]bool{}, ports: map[string]bool{}}
}

func (l *loss) clone() *loss {
	next := newLoss(l.snap)
	for n := range l.devices {
		next.devices[n] = true
	}
	for p := range l.ports {
		next.ports[p] = true
	}
	return next
}

func (l *loss) add(x Step) {
	switch {
	case Stops(x.Action):
		if n := l.snap.Devices.Number(x.Target); n >= 0 {
			l.devices[n] = true
		}
	case x.Action == fleet.ActPortDown:
		l.ports[x.Target] = true
	}
}

// spread cuts off machines whose last cable is gone, and what hangs on those,
// until nothing changes. A machine of which no cable was up is none: it does
// not hang on them, or it is lost without us.
func (l *loss) spread() {
	for again := l.cuts(); again; {
		again = false
		n := 0
		for _, d := range l.snap.Devices.All() {
			if !l.devices[n] && len(d.Spec.Links) > 0 && l.cutOff(d) {
				l.devices[n], again = true, true
			}
			n++
		}
	}
}

// cuts reports whether anything is gone that others hang on.
func (l *loss) cuts() bool {
	if len(l.ports) > 0 {
		return true
	}
	for n := range l.devices {
		if l.snap.Devices.At(n).Spec.Kind != fleet.KindServer {
			return true
		}
	}
	return false
}

func (l *loss) cutOff(d *fleet.Device) bool {
	was, left := 0, 0
	for _, c := range d.Spec.Links {
		if c.Management() { // nothing that runs hangs on it
			continue
		}
		id, port, _ := strings.Cut(c.To, "/")
		n := l.snap.Devices.Number(id)
		if n < 0 {
			continue
		}
		if p := l.snap.Devices.At(n).Port(port); p == nil || !p.Up() {
			continue
		}
		was++
		if !l.devices[n] && !l.ports[c.To] {
			left++
		}
	}
	return was > 0 && left == 0
}

// replicas counts what the loss takes of a service's running replicas.
func (l *loss) replicas(v *fleet.Service) int {
	lost := 0
	for _, n := range v.Instances {
		if x := l.snap.Instances.At(n); running(x.State) && x.Device >= 0 && l.gone(x.Device) {
			lost++
		}
	}
	for _, n := range v.Devices {
		if running(l.snap.Devices.At(n).State) && l.gone(n) {
			lost++
		}
	}
	return lost
}

// gone is also what was seen to be off: a cloud may take minutes to notice.
func (l *loss) gone(device int) bool {
	return l.devices[device] || l.snap.Devices.At(device).Power == fleet.PowerOff
}

// running is what the engine counts as a replica.
func running(s fleet.State) bool { return s == fleet.StateOK || s == fleet.StateWarn }
