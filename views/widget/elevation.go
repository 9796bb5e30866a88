package widget

import (
	"slices"
	"strconv"
)

// Scale is how a rack is drawn.
type Scale uint8

// Scales of a rack.
const (
	Auto   Scale = iota // true to scale where there is room, else folded
	Folded              // a line per device; free space and what is alike folded
	True                // a line per unit
	NumScales
)

func (s Scale) String() string { return [...]string{"auto", "folded", "true scale"}[s] }

// In returns the scale that is drawn for a rack of so many units in `room` lines.
func (s Scale) In(units, room int) Scale {
	switch {
	case s != Auto:
		return s
	case units <= room:
		return True
	}
	return Folded
}

// Place is something mounted: its lowest half unit (2 is unit 1), its height in
// half units, and what it is to the caller.
type Place struct {
	Low, Height int
	Item        int
	Fold        string // alike neighbours with one non-empty Fold may share a line
}

// Slot is one line of an elevation.
type Slot struct {
	Low, High int // whole units it covers
	Item      int // Place.Item of the first it stands for; -1: free
	Last      int // Place.Item of the last
	Count     int // how many places it stands for
	Line      int // which line of a device of several, 0 the top one
	Lines     int
}

// Free reports whether nothing is mounted in the slot.
func (s Slot) Free() bool { return s.Item < 0 }

// Elevation lays a rack out from the top in at most `room` lines where folding
// makes that possible. Folding starts with free space, then joins neighbours
// that are alike, longest runs first only as far as needed.
func Elevation(to []Slot, units int, places []Place, scale Scale, room int) []Slot {
	scale = scale.In(units, room)
	to = lines(to[:0], units, places, scale)
	if scale == True || len(to) <= room {
		return to
	}
	return fold(to, places)
}

// lines makes the slots of the scale, without folding devices.
func lines(to []Slot, units int, places []Place, scale Scale) []Slot {
	slices.SortStableFunc(places, func(a, b Place) int { return b.Low + b.Height - a.Low - a.Height })
	next := units // the highest unit not yet drawn
	for i := range places {
		p := &places[i]
		low, high := p.Low/2, max(p.Low/2, (p.Low+p.Height+1)/2-1)
		to = free(to, high+1, min(next, units), scale)
		n := 1
		if scale == True {
			n = max(1, high-low+1)
		}
		for l := range n {
			s := Slot{Low: low, High: high, Item: p.Item, Last: p.Item, Count: 1, Line: l, Lines: n}
			if scale == True {
				s.High = high - l
			}
			to = append(to, s)
		}
		next = min(next, low-1)
	}
	return free(to, 1, next, scale)
}

func free(to []Slot, low, high int, scale Scale) []Slot {
	if low > high {
		return to
	}
	if scale != True {
		return append(to, Slot{Low: low, High: high, Item: -1, Last: -1, Count: 1, Lines: 1})
	}
	for u := high; u >= low; u-- {
		to = append(to, Slot{Low: low, High: u, Item: -1, Last: -1, Count: 1, Line: high - u, Lines: high - low + 1})
	}
	return to
}

// fold joins neighbouring lines whose places are alike.
func fold(s []Slot, places []Place) []Slot {
	alike := func(item int) string {
		for i := range places {
			if places[i].Item == item {
				return places[i].Fold
			}
		}
		return ""
	}
	out := s[:0]
	last := ""
	for _, x := range s {
		f := ""
		if !x.Free() {
			f = alike(x.Item)
		}
		if f != "" && f == last {
			o := &out[len(out)-1]
			o.Low, o.Last, o.Count = x.Low, x.Last, o.Count+1
			continue
		}
		out, last = append(out, x), f
	}
	return out
}

// Units writes the units of a slot: "37", or "35-28" from the top.
func (s Slot) Units() string {
	if s.High == s.Low || s.Lines > 1 {
		return strconv.Itoa(s.High)
	}
	return strconv.Itoa(s.High) + "-" + strconv.Itoa(s.Low)
}

// Bracket draws the mark of a device of several units at x, y.
func (s Slot) Bracket(c Canvas, th *Theme, x, y int) {
	if s.Lines <= 1 || s.Free() {
		return
	}
	r := th.Glyphs.BracketMid
	switch s.Line {
	case 0:
		r = th.Glyphs.BracketTop
	case s.Lines - 1:
		r = th.Glyphs.BracketEnd
	}
	c.Rune(x, y, 1, r, Border)
}
