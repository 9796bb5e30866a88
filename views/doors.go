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
			t.rest = append(t.rest, trouble{state: stateOf(x.Severity), text: x.Text, where: whereOf(f, x.Target), what: x.Target, id: x.Target, racks: 1, door: true, facet: x.Facet})
			continue
		}
		c := &t.rest[i]
		c.racks++
		c.what, c.id, c.facet = strconv.Itoa(c.racks)+" of them", "", drift.FacetClass(x.Facet)
		if w := whereOf(f, x.Target); w != c.where {
			c.where = "fleet"
		}
	}
}

// openDoor is the page of a finding that stands by itself, or the list of those
// that say the same; nil where a line is no such thing.
func openDoor(l *troubleLine) Intent {
	switch g := l.group; {
	case g == nil || !g.door:
		return nil
	case g.id != "":
		return Open{View: NewFinding(g.id, g.facet)}
	default:
		return Open{View: Drift{sheet: sheet{text: "facet:" + g.facet}, memo: &driftMemo{}}}
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
