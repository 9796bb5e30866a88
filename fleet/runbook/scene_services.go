package runbook

import (
	"slices"
	"time"

	"plumb/fleet"
)

// carries lists the services with a replica on a device: its own, and those of
// the instances on it.
func (x facts) carries(id string) ([]string, error) {
	if _, err := x.device(id); err != nil {
		return nil, err
	}
	n, out := x.Devices.Number(id), []string{}
	for name, v := range x.Services.All() {
		if slices.Contains(v.Devices, n) || slices.ContainsFunc(v.Instances, func(i int) bool { return x.Instances.At(i).Device == n }) {
			out = append(out, name)
		}
	}
	return out, nil
}

// health is what the workload of a service says. A word from before what was
// done last says nothing of now, and one that does not count yet, nothing sure.
func (x facts) health(name string) (string, error) {
	v := x.Services.Get(name)
	switch {
	case v == nil:
		return "", notKnown("there is no service %s", fleet.Clean(name, 80))
	case v.Spec.Health == nil:
		return "", notKnown("how service %s is: nobody asks its workload", name)
	case !v.Health.Known() || v.Health.SaidAt.Before(x.since) || !fleet.Young(v.Health.SaidAt, x.At, x.beat(v)):
		return "", notKnown("how service %s is: its workload was not heard since", name)
	case v.Health.Soft():
		return "", notKnown("how service %s is: its workload says %s, and is asked again", name, v.Health.Words())
	}
	return v.Health.State.String(), nil
}

func (x facts) beat(v *fleet.Service) time.Duration {
	return v.Spec.Health.Filled(x.Intervals[fleet.LaneFast], 0).Every
}

// healthy reports whether the workload of every service on a device says that it
// is well. Of services that nobody asks it says nothing; where none is asked
// there is nothing to wait for.
func (x facts) healthy(id string) (bool, error) {
	names, err := x.carries(id)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		if x.Services.Get(name).Spec.Health == nil {
			continue
		}
		if state, err := x.health(name); err != nil || state != "ok" {
			return false, err
		}
	}
	return true, nil
}
