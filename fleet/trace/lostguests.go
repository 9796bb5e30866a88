package trace

import (
	"slices"

	"plumb/fleet"
)

// ask marks an instance of which only its own row tells whether it is lost.
const ask = -1

// guests takes the instances and the replicas of what is lost. Services that
// lose nothing are not counted: there may be many, of many replicas.
func (b *blast) guests() {
	if len(b.after.failed) == 0 {
		return
	}
	on := guestsOf(b.s)
	lost, hit := make([]int, b.s.Services.Len()), make([]bool, b.s.Services.Len()) // by service: replicas that served
	last, why := int32(0), ""
	for i, n := range b.marked(on) {
		served := true
		switch {
		case n == 0:
			continue
		case n == ask:
			var gone bool
			if gone, served = b.asked(i); !gone {
				continue
			}
		default:
			if n != last {
				last, why = n, "host "+b.s.Devices.ID(int(n)-1)+" is lost"
			}
			b.out.Lost = append(b.out.Lost, Loss{b.s.Instances.ID(i), Instance, why})
		}
		if k := on.Service(i); k >= 0 {
			if hit[k] = true; served {
				lost[k]++
			}
		}
	}
	b.services(on, lost, hit)
}

// marked says of each instance on which machine it is lost, as the machine's
// number + 1; 0 where it is on none, and ask.
func (b *blast) marked(on *fleet.Guests) []int32 {
	marks, count := make([]int32, b.s.Instances.Len()), 0
	for n, lost := range b.lost {
		if guests := on.OnDevice(n); lost && len(guests) > 0 && b.stands(n) {
			for _, i := range guests {
				if on.Runs(int(i)) {
					marks[i] = int32(n) + 1
					count++
				}
			}
		}
	}
	b.out.Lost = slices.Grow(b.out.Lost, count)
	strangers := len(b.places) > 0
	for p := range b.after.failed {
		if strangers = strangers || p.Kind == Host; p.Kind == Instance {
			marks[p.N] = ask
		}
	}
	if strangers {
		for _, i := range on.Loose() {
			marks[i] = ask
		}
	}
	return marks
}

// asked looks at an instance that failed itself, or that stands on no machine of
// ours; served says that it carried something until then.
func (b *blast) asked(i int) (gone, served bool) {
	x, p := b.s.Instances.At(i), Part{Kind: Instance, N: i}
	why := b.guest(i, x)
	if why == "" || !Running(x.State) {
		return false, false
	}
	if !b.after.failed[p] {
		b.lose(p, "%s", why)
	}
	return true, x.Device < 0 || b.stands(x.Device)
}

// services tells of the replicas of those that lose any.
func (b *blast) services(on *fleet.Guests, lost []int, hit []bool) {
	absent := b.absent(on, hit)
	for k := range b.s.Services.Len() {
		v := b.s.Services.At(k)
		if !hit[k] && !slices.ContainsFunc(v.Devices, func(n int) bool { return b.lost[n] }) {
			continue
		}
		h := Hit{Service: v.Spec.Name, Floor: v.Spec.Floor, Before: on.Running(k) - absent[k]}
		h.After = h.Before - lost[k]
		b.machines(v, &h)
		if h.Below = h.Floor > 0 && h.After < h.Floor; h.After < h.Before {
			b.out.Services = append(b.out.Services, h)
		}
	}
}

// absent counts by service the replicas that run by the word of their cloud, on
// machines that are known to be gone.
func (b *blast) absent(on *fleet.Guests, hit []bool) []int {
	out := make([]int, len(hit))
	if !slices.Contains(hit, true) && !slices.Contains(b.lost, true) {
		return out
	}
	for n := range b.g.devices {
		guests := on.OnDevice(n)
		if len(guests) == 0 || b.stands(n) {
			continue
		}
		for _, i := range guests {
			if k := on.Service(int(i)); k >= 0 && on.Runs(int(i)) {
				out[k]++
			}
		}
	}
	return out
}

// machines counts the devices that carry a service themselves.
func (b *blast) machines(v *fleet.Service, h *Hit) {
	for _, n := range v.Devices {
		if Running(b.s.Devices.At(n).State) && b.stands(n) {
			if h.Before++; !b.lost[n] {
				h.After++
			}
		}
	}
}

// stands reports whether a machine that carries something is not known to be
// gone: a cloud may take minutes to notice.
func (b *blast) stands(n int) bool { return !Dead(b.s.Devices.At(n)) }

// guest says why an instance is lost, or "".
func (b *blast) guest(n int, x *fleet.InstanceState) string {
	switch {
	case b.single && b.after.failed[Part{Kind: Instance, N: n}]:
		return "it failed"
	case x.Device >= 0:
		if b.lost[x.Device] && b.stands(x.Device) {
			return "host " + b.s.Devices.ID(x.Device) + " is lost"
		}
		return ""
	case x.Host != "" && b.after.failed[Part{Kind: Host, N: b.s.Hosts.Number(x.Cloud + "/" + x.Host)}]:
		return "host " + x.Host + " is lost"
	}
	c := b.s.Clouds.Get(x.Cloud)
	for _, p := range b.places {
		if p.Kind == Region && c != nil && c.Spec.Region == b.s.Regions.ID(p.N) {
			return "region " + c.Spec.Region + " is lost"
		}
	}
	return ""
}
