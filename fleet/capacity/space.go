package capacity

import (
	"plumb/fleet"
)

// Space is the room in a rack on the grid of half units. A device of half depth
// takes its own face only, so a front and a rear one may share a unit.
type Space struct {
	Total, Used, Free fleet.HalfU // Free: nothing on either face
	Longest           fleet.HalfU // the longest free run
	Behind            fleet.HalfU // free on one face only
	FreeUnits         int         // whole units with nothing in them
	runs              []run       // free, from the bottom
}

// run is free room from a half unit on.
type run struct{ low, height fleet.HalfU }

// Faces of a half unit, as bits.
const (
	front = 1 << iota
	rear
	both = front | rear
)

// SpaceOf lays the devices of a rack of so many units on the grid. Those beside
// the rails (unit 0) take none, and what sticks out of the rack takes what is in it.
func SpaceOf(units int, devices func(yield func(*fleet.DeviceSpec) bool)) Space {
	taken := make([]uint8, 2*units)
	for d := range devices {
		if d.Unit <= 0 {
			continue
		}
		for h := d.Unit; h < d.Unit+max(d.Height, 1); h++ {
			if i := int(h) - 2; i >= 0 && i < len(taken) { // unit 1 is half units 2 and 3
				taken[i] |= faces(d)
			}
		}
	}
	return measure(taken)
}

func faces(d *fleet.DeviceSpec) uint8 {
	switch {
	case d.Depth != "half":
		return both
	case d.Face == "rear":
		return rear
	}
	return front
}

func measure(taken []uint8) Space {
	s := Space{Total: fleet.HalfU(len(taken))}
	for i, f := range taken {
		switch {
		case f == 0 && i > 0 && taken[i-1] == 0:
			s.runs[len(s.runs)-1].height++
		case f == 0:
			s.runs = append(s.runs, run{fleet.HalfU(i + 2), 1})
		case f != both:
			s.Behind++
		}
		if i%2 == 1 && f == 0 && taken[i-1] == 0 {
			s.FreeUnits++
		}
	}
	for _, r := range s.runs {
		s.Free += r.height
		s.Longest = max(s.Longest, r.height)
	}
	s.Used = s.Total - s.Free
	return s
}

// fits is how many of a height go into the free runs. Machines of whole units
// stand on whole units: the holes of the rails are drilled so.
func (s *Space) fits(height fleet.HalfU) int {
	n := 0
	for _, r := range s.runs {
		low, left := r.low, r.height
		if height%2 == 0 && low%2 == 1 {
			left--
		}
		n += int(max(0, left) / max(height, 1))
	}
	return n
}

// take fills the lowest places that fit n of a height, and returns where.
func (s *Space) take(n int, height fleet.HalfU) []fleet.HalfU {
	var at []fleet.HalfU
	taken := make([]uint8, s.Total)
	for i := range taken {
		taken[i] = both
	}
	for _, r := range s.runs {
		for h := r.low; h < r.low+r.height; h++ {
			taken[h-2] = 0
		}
		low := r.low
		if height%2 == 0 && low%2 == 1 {
			low++
		}
		for ; len(at) < n && low+height <= r.low+r.height; low += height {
			at = append(at, low)
			for h := low; h < low+height; h++ {
				taken[h-2] = both
			}
		}
	}
	behind := s.Behind
	*s = measure(taken)
	s.Behind = behind
	return at
}
