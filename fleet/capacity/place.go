package capacity

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"plumb/fleet"
)

// Request asks where machines of one shape fit.
type Request struct {
	Servers    int
	HeightU    fleet.HalfU
	Watts      float64 // of one
	Ports      int     // of one
	SpeedBps   int64
	Region     string // empty: anywhere
	Site       string // empty: any of the region
	KeepAB     bool   // one cord on each of two PDUs, and either side carries all
	RackSpread int    // over at least so many racks; 0: as few as may be
}

// Placement is the answer: places in the order in which they were chosen, the
// racks that would have come next, and every rack that takes none with its
// reason. Each rack that was asked is in one of the three.
type Placement struct {
	Places  []Place
	Spare   []Place // nothing goes there: the places before had room for all
	Short   int     // machines without a place
	Refused []Refusal
}

// Place is a rack with what goes into it.
type Place struct {
	Rack    string        `json:"rack"`
	Servers int           `json:"servers"`
	Units   []fleet.HalfU `json:"-"`
	Room    int           `json:"room"` // how many it would take
	Why     string        `json:"why"`  // what binds there
}

// Refusal is a rack that takes none, or no more, and why.
type Refusal struct {
	Rack string `json:"rack"`
	Why  string `json:"why"`
}

// PlaceIn finds places for a request. The roomiest rack comes first, and each
// machine that is placed takes from every feed above it, so that two racks do
// not both count on the same watts.
func PlaceIn(s *fleet.Snapshot, q Request) Placement {
	f := finder{p: newPlant(s), q: q, taken: map[int]float64{}}
	f.shape = Machine{Height: q.HeightU, Watts: q.Watts, Ports: q.Ports, SpeedBps: q.SpeedBps, Cords: 1}
	if q.KeepAB {
		f.shape.Cords = 2
	}
	return f.place()
}

// finder places machine after machine.
type finder struct {
	p     *plant
	q     Request
	shape Machine
	taken map[int]float64 // watts by node, in its worst case
}

func (f *finder) head(i int) float64 { return f.p.headW(i) - f.taken[i] }

// candidate is a rack that takes some.
type candidate struct {
	room *room
	fits int
	put  int
	why  string
}

func (f *finder) place() Placement {
	var out Placement
	var list []candidate
	for n := range f.p.rooms {
		r := &f.p.rooms[n]
		if f.q.Region != "" && r.rack.Spec.Region != f.q.Region || f.q.Site != "" && r.rack.Spec.Site != f.q.Site {
			continue
		}
		if k, why := f.room(r); k > 0 {
			list = append(list, candidate{room: r, fits: k, why: why})
		} else {
			out.Refused = append(out.Refused, Refusal{r.id, why})
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(b.fits, a.fits) })
	most := f.q.Servers
	if f.q.RackSpread > 1 {
		most = (f.q.Servers + f.q.RackSpread - 1) / f.q.RackSpread
	}
	left := f.q.Servers
	for i := range list {
		c := &list[i]
		for left > 0 && c.put < most {
			n, why := f.room(c.room)
			if n == 0 {
				if c.put == 0 {
					out.Refused = append(out.Refused, Refusal{c.room.id, why + ", with what was placed before"})
				}
				break
			}
			f.put(c.room)
			c.put, left = c.put+1, left-1
		}
		if c.put > 0 {
			out.Places = append(out.Places, Place{Rack: c.room.id, Servers: c.put, Units: c.room.given, Room: c.fits, Why: c.why})
		} else if n, why := f.room(c.room); left == 0 && n > 0 { // beside what was placed
			out.Spare = append(out.Spare, Place{Rack: c.room.id, Room: n, Why: why})
		} else if left == 0 {
			out.Refused = append(out.Refused, Refusal{c.room.id, why + ", with what was placed before"})
		}
	}
	out.Short = left
	return out
}

// room is how many machines a rack still takes, and what binds.
func (f *finder) room(r *room) (int, string) {
	if why, _ := f.refuses(r); why != "" {
		return 0, why
	}
	t, ok := tightest(f.p.fits(r, f.shape, f.q.KeepAB, f.head))
	if !ok {
		return 0, "nothing is known of it"
	}
	return t.n, string(t.resource) + ": " + t.why
}

// refuses says why a rack takes none whatever room it has; known is false where
// that is only because nobody can tell.
func (f *finder) refuses(r *room) (why string, known bool) {
	if f.q.KeepAB && len(r.pdus) < 2 {
		return fmt.Sprintf("%s: A and B are not both there", fleet.Count(len(r.pdus), "PDU")), true
	}
	if f.q.KeepAB && f.together(r) {
		return "its PDUs hang on one feed", true
	}
	for _, i := range r.pdus {
		if f.q.KeepAB && f.p.tree.nodes[i].dark {
			return f.p.tree.nodes[i].id + " gives nothing now", true
		}
	}
	if f.q.Watts > 0 && f.blind(r) {
		return "how much power is left is not known", false
	}
	if f.q.Ports > 0 && !f.speeds(r) {
		return "no port of " + Speed(f.q.SpeedBps), true
	}
	return "", true
}

// together reports whether all PDUs of a rack hang on one feed.
func (f *finder) together(r *room) bool {
	for _, i := range r.pdus[1:] {
		if f.p.tree.nodes[i].up < 0 || f.p.tree.nodes[i].up != f.p.tree.nodes[r.pdus[0]].up {
			return false
		}
	}
	return true
}

// blind reports whether a PDU of a rack has no limit that is known.
func (f *finder) blind(r *room) bool {
	return len(r.pdus) == 0 || slices.ContainsFunc(r.pdus, func(i int) bool { return math.IsNaN(f.p.tree.nodes[i].limitW) })
}

func (f *finder) speeds(r *room) bool {
	return slices.ContainsFunc(r.ports, func(c portClass) bool { return c.speed == f.q.SpeedBps })
}

// unplug takes an outlet of a PDU.
func (r *room) unplug(k int) {
	if r.free[k] != unread {
		r.free[k]--
	}
}

// put takes the room of one machine. With A and B each side and all above it
// must be able to carry it whole; what is above both carries it once.
func (f *finder) put(r *room) {
	if f.q.HeightU > 0 {
		r.given = append(r.given, r.space.take(1, f.q.HeightU)...)
	}
	if f.q.Ports > 0 {
		r.class(f.q.SpeedBps).used += f.q.Ports
	}
	sides := r.pdus
	if !f.q.KeepAB {
		best := 0
		for k, i := range r.pdus {
			if f.head(i) > f.head(r.pdus[best]) {
				best = k
			}
		}
		sides = r.pdus[best : best+1]
		r.unplug(best)
	} else {
		for k := range r.free {
			r.unplug(k)
		}
		r.watts = fleet.FromFloat(known(r.watts)+f.q.Watts, 0)
	}
	above := map[int]bool{}
	for _, i := range sides {
		for ; i >= 0; i = f.p.tree.nodes[i].up {
			above[i] = true
		}
	}
	for i := range above {
		f.taken[i] += f.q.Watts
	}
}
