package config

import (
	"fmt"

	"plumb/fleet"
)

// elevation is which half unit of a rack belongs to which device, at the front
// and at the rear. A device of full depth takes both.
type elevation struct {
	units       int
	front, rear []string // by half unit from the bottom; "" is free
}

func newElevation(units int) *elevation {
	return &elevation{units, make([]string, 2*units), make([]string, 2*units)}
}

// take gives the half units from low to low+height to a device and returns
// whoever holds one of them already.
func (e *elevation) take(d *fleet.DeviceSpec, low, height int) (other string) {
	for i := low; i < low+height; i++ {
		for _, side := range [...]struct {
			slots []string
			takes bool
		}{{e.front, d.Face == "front" || d.Depth == "full"}, {e.rear, d.Face == "rear" || d.Depth == "full"}} {
			if !side.takes {
				continue
			}
			if side.slots[i] != "" {
				return side.slots[i]
			}
			side.slots[i] = d.ID
		}
	}
	return ""
}

// mount puts a device into its rack, with the defaults of what the file leaves
// out: one unit high, at the front, of full depth.
func (b *builder) mount(d *fleet.DeviceSpec, y *deviceYAML, e *elevation) {
	if !y.Unit.set || d.Unit == 0 {
		return // beside the rails
	}
	if !y.Height.set {
		d.Height = 2
	}
	if d.Face == "" {
		d.Face = "front"
	}
	if d.Depth == "" {
		d.Depth = "full"
	}
	what := "device " + quote(d.ID)
	low := int(d.Unit) - 2 // unit 1 is the lowest: half units 0 and 1
	switch {
	case d.Height == 0:
		b.errs.add(y.Height.at, what, "is 0 units high", "leave unit out for what hangs beside the rails")
		return
	case low < 0 || low+int(d.Height) > 2*e.units:
		b.errs.add(y.Unit.at, what, fmt.Sprintf("%s units from unit %s up do not fit into a rack of %d", d.Height.Num(), d.Unit.Num(), e.units), "")
		return
	}
	if other := e.take(d, low, int(d.Height)); other != "" {
		b.errs.add(y.Unit.at, what, "overlaps with "+quote(other)+" ("+b.ids[other].at.String()+")", "two devices may share units when one faces front, one rear, and both are of half depth")
	}
}
