package capacity

import (
	"errors"
	"fmt"

	"plumb/fleet"
)

// ErrRack: something is to be added to a rack that is not there.
var ErrRack = errors.New("no such rack")

// Add is so many machines of one shape that are to stand in a rack, with a cord
// on each of its PDUs.
type Add struct {
	Rack    string
	Servers int
	HeightU fleet.HalfU
	Watts   float64 // of one
	Ports   int     // of one
	// SpeedBps is that of the ports.
	SpeedBps int64
}

// With lists the capacity as it would be with more machines. What does not fit
// makes its resource's Free negative: that is the answer, not an error.
func With(s *fleet.Snapshot, adds ...Add) ([]Row, error) {
	p := newPlant(s)
	for _, a := range adds {
		if err := p.add(a); err != nil {
			return nil, err
		}
	}
	p.threats = p.tree.threats()
	return p.rows(), nil
}

func (p *plant) add(a Add) error {
	n := p.snap.Racks.Number(a.Rack)
	if n < 0 {
		return fmt.Errorf("add to %s: %w", a.Rack, ErrRack)
	}
	r := &p.rooms[n]
	if a.HeightU > 0 {
		at := r.space.take(a.Servers, a.HeightU)
		r.beyond += float64(a.Servers-len(at)) * float64(a.HeightU) / 2
	}
	if a.Ports > 0 {
		r.class(a.SpeedBps).used += a.Servers * a.Ports
	}
	for range a.Servers {
		p.connect(r, a.Watts)
	}
	if w := a.Watts * float64(a.Servers); w > 0 {
		r.watts = fleet.FromFloat(known(r.watts)+w, 0)
	}
	return nil
}

func known(n fleet.Num) float64 {
	if !n.Known {
		return 0
	}
	return n.Float()
}

// connect hangs one machine on the PDUs of a rack that give power, in equal
// parts.
func (p *plant) connect(r *room, watts float64) {
	l := load{device: -1, name: "a new one"}
	live := 0
	for _, i := range r.pdus {
		if !p.tree.nodes[i].dark {
			live++
		}
	}
	for k, i := range r.pdus {
		w := 0.0
		if !p.tree.nodes[i].dark {
			w = watts / float64(live)
		}
		l.cords = append(l.cords, cord{i, w})
		r.unplug(k)
	}
	if len(l.cords) == 0 {
		return
	}
	k := len(p.tree.loads)
	p.tree.loads = append(p.tree.loads, l)
	for _, c := range l.cords {
		for i := c.pdu; i >= 0; i = p.tree.nodes[i].up {
			n := &p.tree.nodes[i]
			n.watts += c.watts
			if b := n.below; len(b) == 0 || b[len(b)-1] != k {
				n.below = append(b, k)
			}
			if sum := n.phaseW[0] + n.phaseW[1] + n.phaseW[2]; sum > 0 { // on which phase nobody said
				for x := range n.phaseW {
					n.phaseW[x] += c.watts * n.phaseW[x] / sum
				}
			}
		}
	}
}
