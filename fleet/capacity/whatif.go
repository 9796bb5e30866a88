package capacity

import "plumb/fleet"

// Change is capacity as it would be, beside what it is.
type Change struct {
	Adds    []Add
	Placed  int
	Short   int       // machines that find no place
	Refused []Refusal // the racks that took none
	Deltas  []Delta   // rows that change, in the order of the inventory
}

// Delta is one row before and after.
type Delta struct{ Before, After Row }

// Breaks reports whether the change breaks a limit that holds today.
func (d *Delta) Breaks() bool { return d.After.Over && !d.Before.Over }

// AddTo answers what more machines of one shape would do. In a rack that is
// named all of them stand, whether they fit or not: what does not makes Free
// negative. Otherwise they stand where [PlaceIn] puts them. It fails with
// [ErrRack] where the rack is not there.
func AddTo(s *fleet.Snapshot, q Request, rack string) (Change, error) {
	var c Change
	add := func(rack string, n int) {
		c.Placed += n
		c.Adds = append(c.Adds, Add{Rack: rack, Servers: n, HeightU: q.HeightU, Watts: q.Watts, Ports: q.Ports, SpeedBps: q.SpeedBps})
	}
	if rack != "" {
		add(rack, q.Servers)
	} else {
		p := PlaceIn(s, q)
		for _, x := range p.Places {
			add(x.Rack, x.Servers)
		}
		c.Short, c.Refused = p.Short, p.Refused
	}
	after, err := With(s, c.Adds...)
	if err != nil {
		return Change{}, err
	}
	before := map[Row]Row{}
	for _, r := range Of(s) {
		before[r.key()] = r
	}
	for _, r := range after {
		if d := (Delta{before[r.key()], r}); d.changes() {
			c.Deltas = append(c.Deltas, d)
		}
	}
	return c, nil
}

// changes reports whether anything of a row is not as before; of a longest run
// that is its length.
func (d *Delta) changes() bool {
	b, a := &d.Before, &d.After
	return a.Resource != Contiguous && b.Used != a.Used || b.Free != a.Free || b.Over != a.Over
}

// key is what names a row.
func (r *Row) key() Row { return Row{Scope: r.Scope, ID: r.ID, Resource: r.Resource, Class: r.Class} }
