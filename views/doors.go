package views

import (
	"strconv"

	"plumb/fleet"
	"plumb/fleet/drift"
)

// collectDoors adds what stands against machines, clouds and services that are
// well: nothing is broken, and it cannot wait. The same of many is one line.
func (t *troubles) collectDoors(f Frame) {
	known := map[string]int{}
	for x := range f.Snap.Findings() {
		if !x.Open() || !pressing(x) {
			continue
		}
		key := drift.FacetClass(x.Facet) + plainText(x.Text)
		i, ok := known[key]
		if !ok {
			i = len(t.rest)
			known[key] = i
			t.rest = append(t.rest, trouble{state: stateOf(x.Severity), text: x.Text, where: whereOf(f, x.Target), what: x.Target, id: x.Target, racks: 1, door: true})
			continue
		}
		c := &t.rest[i]
		c.racks++
		c.what, c.id = strconv.Itoa(c.racks)+" of them", ""
		if w := whereOf(f, x.Target); w != c.where {
			c.where = "fleet"
		}
	}
}

// pressing reports whether a finding needs somebody although nothing is broken
// yet: a door that stands open, and replicas that are not apart as somebody asked
// for, or that stand on a host that is to go. That a service lives in one zone is
// how it was built, and is for those who plan.
func pressing(x *fleet.Finding) bool {
	switch x.Kind {
	case fleet.FindSecurity:
		return x.Severity == fleet.SeverityCrit
	case fleet.FindResilience:
		switch drift.FacetClass(x.Facet) {
		case "resilience.anti-affinity", "resilience.retirement":
			return x.Severity >= fleet.SeverityWarn
		}
	}
	return false
}

func stateOf(s fleet.Severity) fleet.State {
	if s == fleet.SeverityCrit {
		return fleet.StateCrit
	}
	return fleet.StateWarn
}

// whereOf is the rack of a device, or the region of a cloud.
func whereOf(f Frame, target string) string {
	if d := f.Snap.Devices.Get(target); d != nil {
		return or(d.Spec.Rack)
	}
	if c := f.Snap.Clouds.Get(target); c != nil {
		return or(c.Spec.Region)
	}
	if f.Snap.Services.Get(target) != nil {
		return "service"
	}
	return dash
}
