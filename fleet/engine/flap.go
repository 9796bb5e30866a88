package engine

import (
	"fmt"
	"slices"
	"time"

	"plumb/fleet"
)

// A part that changed flapCount times within flapWindow flaps, until it has
// not changed for a whole window. Until then it is one trouble, told once.
const (
	flapWindow = 5 * time.Minute
	flapCount  = 4
	maxFlips   = 64 // parts of one device that are followed
)

// flip notes that a part of a device, or the device itself where part is
// empty, changed its state, and reports whether the part flaps. d is the
// step's own copy.
func (s *step) flip(d *fleet.Device, part string) bool {
	d.Flips = slices.Clone(d.Flips)
	k := slices.IndexFunc(d.Flips, func(f fleet.Flip) bool { return f.Part == part })
	if k < 0 {
		if len(d.Flips) == maxFlips {
			return false
		}
		k = len(d.Flips)
		d.Flips = append(d.Flips, fleet.Flip{Part: part})
	}
	f := &d.Flips[k]
	from := max(0, len(f.At)-flapCount+1)
	f.At = append(slices.Clone(f.At[from:]), s.now)
	if f.Told || len(f.At) < flapCount || s.now.Sub(f.At[0]) > flapWindow {
		return f.Told
	}
	f.Told = true
	name := part
	if name == "" {
		name = "its state"
	}
	s.event(d.Spec.ID, "flap", fmt.Sprintf("%s is flapping: %d changes in %s", name, len(f.At), s.now.Sub(f.At[0]).Round(time.Second)), fleet.SeverityWarn, true)
	return true
}

// flipState is flip for the device itself. Flapping of a part that is told
// already makes no second flap of the whole.
func (s *step) flipState(d *fleet.Device) bool { return s.flip(d, "") }

// calm forgets changes that are older than the window.
func (s *step) calm(d *fleet.Device) {
	if len(d.Flips) == 0 {
		return
	}
	kept := make([]fleet.Flip, 0, len(d.Flips))
	for _, f := range d.Flips {
		if s.now.Sub(f.At[len(f.At)-1]) <= flapWindow {
			kept = append(kept, f)
			continue
		}
		if f.Told {
			name := f.Part
			if name == "" {
				name = "its state"
			}
			s.event(d.Spec.ID, "flap", name+" has stopped flapping", fleet.SeverityInfo, false)
		}
	}
	d.Flips = kept
	if len(kept) == 0 {
		d.Flips = nil
	}
}

// flapping returns the record of a part that flaps, or nil.
func flapping(d *fleet.Device, part string) *fleet.Flip {
	for i := range d.Flips {
		if f := &d.Flips[i]; f.Part == part && f.Told {
			return f
		}
	}
	return nil
}

// flippedSince reports whether a part of a device changed after t.
func flippedSince(d *fleet.Device, part string, t time.Time) bool {
	for i := range d.Flips {
		if f := &d.Flips[i]; f.Part == part && len(f.At) > 0 && f.At[len(f.At)-1].After(t) {
			return true
		}
	}
	return false
}
