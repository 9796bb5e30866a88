package trace

import (
	"plumb/fleet"
)

// underService lists what takes its replicas from a service.
func (q *inquiry) underService(v *fleet.Service) (above []Part) {
	for _, k := range v.Instances {
		if x := q.s.Instances.At(k); !Running(x.State) {
			above = join(above, q.underGuest(x))
			above = join(above, []Part{{Kind: Instance, N: k}})
		}
	}
	for _, k := range v.Devices {
		if !Running(q.s.Devices.At(k).State) {
			above = join(above, q.carrier(k))
		}
	}
	return above
}

// ailing reports whether it is a service's workload that is not well, or not
// heard, and not only its replicas that are too few.
func ailing(v *fleet.Service) bool {
	if v.Spec.Health == nil {
		return false
	}
	return v.Health == nil || v.Health.State != fleet.StateOK
}

// unasked reports whether all that is wrong is that nobody has asked yet.
func unasked(v *fleet.Service) bool {
	return v.State == fleet.StateUnknown && v.Spec.Health != nil && (v.Health == nil || v.Health.SaidAt.IsZero() && v.Health.Err == nil)
}

// underWorkload lists what may be behind the word of a workload: what takes
// replicas away, and what cuts those that run off from everybody. An instance
// that was switched off is what people wanted. While those that run and have a
// way are as many as its floor, and one at least, it is the workload itself: it
// is built to live without the others.
func (q *inquiry) underWorkload(v *fleet.Service) (above []Part) {
	serve := 0
	runs := func(device int) {
		cut := q.cutOff(device)
		if len(cut) == 0 {
			serve++
		}
		above = join(above, cut)
	}
	for _, k := range v.Instances {
		x := q.s.Instances.At(k)
		if Running(x.State) {
			runs(x.Device)
			continue
		}
		above = join(above, q.underGuest(x))
		if x.State != fleet.StateOff {
			above = join(above, []Part{{Kind: Instance, N: k}})
		}
	}
	for _, k := range v.Devices {
		if Running(q.s.Devices.At(k).State) {
			runs(k)
		} else {
			above = join(above, q.carrier(k))
		}
	}
	if serve >= max(1, v.Spec.Floor) {
		return nil
	}
	return above
}

// cutOff lists what takes a machine's last cable from it, where the switches at
// all of them are gone; nothing where one of them answers.
func (q *inquiry) cutOff(n int) (above []Part) {
	if n < 0 {
		return nil
	}
	for k := range q.g.devices[n].cables {
		c := &q.g.devices[n].cables[k]
		if c.management || c.to < 0 {
			continue
		}
		if d := q.s.Devices.At(c.to); q.witness(d) && !Dead(d) {
			return nil
		}
		above = join(above, q.powerOf(c.to))
	}
	return above
}
