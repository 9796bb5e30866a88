package trace

import (
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
)

// swapped finds the port with whose cable that of a port changed places: each of
// the two hears what is meant to hang on the other. ok is false where the cable
// is in no exchange.
func (q *inquiry) swapped(p Part) (other Part, ok bool) {
	if p.Kind != Port {
		return Part{}, false
	}
	m := miscabled(q.s.Devices.At(p.N), p.Name)
	if m == nil || m.Home != "" || m.Hears.Part == "" {
		return Part{}, false
	}
	sw, port, _ := strings.Cut(q.meantOn(m.Hears), "/")
	n := q.s.Devices.Number(sw)
	if n < 0 {
		return Part{}, false
	}
	back := miscabled(q.s.Devices.At(n), port)
	if back == nil || !sameEnd(back.Hears, m.Meant) || !sameEnd(back.Meant, m.Hears) {
		return Part{}, false
	}
	return Part{Port, n, port}, true
}

func miscabled(d *fleet.Device, port string) *fleet.Miscable {
	for i := range d.Miscabled {
		if d.Miscabled[i].Port == port {
			return &d.Miscabled[i]
		}
	}
	return nil
}

func sameEnd(a, b fleet.Attachment) bool {
	return a.Device == b.Device && strings.EqualFold(a.Part, b.Part)
}

// meantOn is the port that the inventory gives a NIC, "" where it gives none.
func (q *inquiry) meantOn(a fleet.Attachment) string {
	links := q.s.Devices.At(a.Device).Spec.Links
	if k := slices.IndexFunc(links, func(c fleet.Cable) bool { return strings.EqualFold(c.NIC, a.Part) }); k >= 0 {
		return links[k].To
	}
	return ""
}

// exchange is the one of two ports that stands for both: the lower.
func (q *inquiry) exchange(p Part) Part {
	if other, ok := q.swapped(p); ok && q.g.ID(q.s, other) < q.g.ID(q.s, p) {
		return other
	}
	return p
}

// swappedText says what shows that two cables changed places.
func (q *inquiry) swappedText(p, other Part) string {
	here, there := miscabled(q.s.Devices.At(p.N), p.Name), miscabled(q.s.Devices.At(other.N), other.Name)
	name := func(a fleet.Attachment) string { return q.s.Devices.ID(a.Device) + " " + a.Part }
	return fmt.Sprintf("the cables of %s and %s are swapped: %s hears %s (%s), %s hears %s (%s)", name(here.Meant), name(there.Meant),
		q.g.ID(q.s, p), name(here.Hears), here.Source, q.g.ID(q.s, other), name(there.Hears), there.Source)
}
