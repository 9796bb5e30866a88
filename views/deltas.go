package views

import (
	"plumb/fleet"
	"plumb/views/widget"
)

// Deltas says what of a past snapshot is different now. It is made once for a
// pair of snapshots and asked by every view, so that all of them mean the same
// by "differs": another state, power or place. A reading that moved is no
// difference, or everything would be one.
type Deltas struct {
	past, live *fleet.Snapshot
	devices    map[string]string // by id: how it is now, in words
	racks      map[string]string
	regions    map[string]string
	services   map[string]string
	instances  map[string]string
}

// Compare returns the deltas between two snapshots: d itself, where it is
// theirs. A nil d is one that has compared nothing yet.
func (d *Deltas) Compare(past, live *fleet.Snapshot) *Deltas {
	if d != nil && d.past == past && d.live == live {
		return d
	}
	return &Deltas{
		past: past, live: live,
		devices: differing(&past.Devices, &live.Devices, deviceNow),
		racks: differing(&past.Racks, &live.Racks, func(was, is *fleet.Rack) string {
			return stateNow(was.State, is.State)
		}),
		regions: differing(&past.Regions, &live.Regions, func(was, is *fleet.Region) string {
			return stateNow(was.State, is.State)
		}),
		services: differing(&past.Services, &live.Services, func(was, is *fleet.Service) string {
			return stateNow(was.State, is.State)
		}),
		instances: differing(&past.Instances, &live.Instances, func(was, is *fleet.InstanceState) string {
			if was.Host != is.Host && is.Host != "" {
				return is.State.String() + " on " + is.Host
			}
			return stateNow(was.State, is.State)
		}),
	}
}

// differing collects what is no longer as it was, and how it is now.
func differing[T any](past, live *fleet.Table[T], now func(was, is *T) string) map[string]string {
	out := map[string]string{}
	n := 0
	for id, was := range past.All() {
		is := (*T)(nil)
		if n < live.Len() && live.ID(n) == id { // one inventory: the numbers agree
			is = live.At(n)
		} else {
			is = live.Get(id)
		}
		n++
		if is == nil {
			out[id] = "gone"
		} else if text := now(was, is); text != "" {
			out[id] = text
		}
	}
	return out
}

func stateNow(was, is fleet.State) string {
	if was == is {
		return ""
	}
	return is.String()
}

func deviceNow(was, is *fleet.Device) string {
	switch {
	case was.State != is.State || was.Maintenance != is.Maintenance:
		return stateWord(is)
	case was.Power != is.Power && was.Power != fleet.PowerUnknown && is.Power != fleet.PowerUnknown:
		return "power " + is.Power.String()
	}
	return ""
}

// Devices returns how many devices differ.
func (d *Deltas) Devices() int { return len(d.devices) }

// now says how a thing of the past is now, in words, or "" where it is the
// same or the screen is live. kind is that of Selected.
func (f Frame) now(kind, id string) string {
	if f.Deltas == nil {
		return ""
	}
	switch kind {
	case KindDevice:
		return f.Deltas.devices[id]
	case KindRack:
		return f.Deltas.racks[id]
	case KindRegion:
		return f.Deltas.regions[id]
	case KindService:
		return f.Deltas.services[id]
	case KindInstance:
		return f.Deltas.instances[id]
	}
	return ""
}

// drawDelta marks a thing that is different now; live screens have no marks.
func drawDelta(f Frame, on widget.Canvas, x, y int, kind, id string) {
	if f.now(kind, id) != "" {
		on.Text(x, y, f.Theme.Glyphs.Delta, widget.Bold)
	}
}

// drawNow draws in words what is different now, and returns the column after
// it.
func drawNow(f Frame, on widget.Canvas, x, y int, kind, id string) int {
	text := f.now(kind, id)
	if text == "" {
		return x
	}
	return on.Cut(f.Theme, x, y, on.W-x, f.Theme.Glyphs.Delta+" now "+text, widget.Bold) + 2
}
