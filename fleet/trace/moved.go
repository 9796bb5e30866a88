package trace

import (
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
)

// measuresLoad reports whether a sensor tells how much is drawn, which more may
// be drawn of when something else dies.
func measuresLoad(x *fleet.Sensor) bool {
	if x == nil {
		return false
	}
	switch x.Class {
	case fleet.ClassCurrent, fleet.ClassPower, fleet.ClassLoad:
		return true
	case fleet.ClassState:
		return strings.Contains(strings.ToLower(x.Name), "load")
	}
	return false
}

// carried lists the cords that draw on a PDU, or below a UPS.
func (q *inquiry) carried(n int) (list []end) {
	list = append(list, q.g.devices[n].feeds...)
	seen := map[int]bool{}
	for todo := slices.Clone(q.g.devices[n].lines); len(todo) > 0; todo = todo[1:] {
		f := todo[0]
		if seen[f] {
			continue
		}
		seen[f] = true
		todo = append(todo, q.g.feeds[f].feeds...)
		for _, k := range q.g.feeds[f].devices {
			list = append(list, q.g.devices[k].feeds...)
			todo = append(todo, q.g.devices[k].lines...)
		}
	}
	return list
}

// movers lists what put load on a device: whatever is shown to have killed the
// other cords of the machines that draw on it.
func (q *inquiry) movers(n int) (list []Part) {
	for _, e := range q.carried(n) {
		for k := range q.g.devices[e.device].cords {
			if k != e.k && q.deadCord(e.device, k) {
				list = join(list, q.cordOf(e.device, k))
			}
		}
	}
	return list
}

// deadCord reports whether something above a cord is shown to be dead.
func (q *inquiry) deadCord(n, k int) bool { return slices.ContainsFunc(q.cordOf(n, k), q.guilty) }

// took is how much of what flows through the outlets below a device came to it
// with the death of other cords: a machine of two cords that lost one draws
// twice as much on the other, as far as it shared evenly before.
func (q *inquiry) took(n int) (amps, watts float64) {
	for _, e := range q.carried(n) {
		cords := q.g.devices[e.device].cords
		dead := 0
		for k := range cords {
			if k != e.k && q.deadCord(e.device, k) {
				dead++
			}
		}
		pdu := cords[e.k].pdu
		o := outletOf(q.s.Devices.At(pdu), cords[e.k].outlet)
		if dead == 0 || o == nil || !q.witness(q.s.Devices.At(pdu)) {
			continue
		}
		share := float64(dead) / float64(len(cords))
		amps += share * o.CurrentA.Float()
		watts += share * o.PowerW.Float()
	}
	return amps, watts
}

// maxMoved bounds how many devices a cause quotes that carry more since.
const maxMoved = 2

// shifted says which devices carry more since a cause, and how much more.
func (q *inquiry) shifted(c *claim, symptoms []symptom) (out []string) {
	have := map[Part]bool{}
	for _, i := range c.symptoms {
		x := &symptoms[i]
		if !x.moved || x.part == c.part || have[x.part] {
			continue
		}
		have[x.part] = true
		if len(out) < maxMoved {
			out = append(out, q.carriesMore(x))
		}
	}
	if rest := len(have) - len(out); rest > 0 {
		out = append(out, fleet.Count(rest, "other part")+" too near its limit since")
	}
	return out
}

func (q *inquiry) carriesMore(x *symptom) string {
	d := q.s.Devices.At(x.part.N)
	text := d.Spec.ID + " carries "
	switch amps, watts := q.took(x.part.N); {
	case x.part.Kind == PDU && amps >= 0.05:
		text += fmt.Sprintf("about %.1f A more since", amps)
	case watts >= 1:
		text += fmt.Sprintf("about %.0f W more since", watts)
	default:
		text += "more since"
	}
	if i := slices.Index(d.About, x.about); i >= 0 && i < len(d.Reasons) {
		text += ": " + d.Reasons[i]
	}
	return text
}
