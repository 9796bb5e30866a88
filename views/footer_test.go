package views

import (
	"strings"
	"testing"
)

// TestTheKeysThatMatterAreInSight: on the narrow screens where something is
// wrong stand the keys that ask why, and what else would go with it.
func TestTheKeysThatMatterAreInSight(t *testing.T) {
	f := darkFrame(80, 24)
	drift := driftFrame(80, 24)
	ill := sick(80, 24)
	for _, c := range []struct {
		name string
		f    Frame
		v    View
		own  string
	}{
		{"fleet", f, NewFleet(), ""},
		{"causes", f, press(t, f, NewFleet(), "move.up"), ""},
		{"racks", f, NewRacks("fra", "fra1/r03"), ""},
		{"device", f, NewDevice("fra1-r03-s04"), ""},
		{"trace", f, NewTrace("fra1-A"), ""},
		{"drift", drift, NewDrift(""), "r revert"},
		{"finding", drift, press(t, drift, NewDrift(""), "enter"), "r revert"},
		{"service", ill, NewService("match"), "A ack"},
	} {
		text := strings.TrimRight(compose(t, c.f, c.v, Chrome{}), "\n")
		foot := text[strings.LastIndexByte(text, '\n')+1:]
		for _, want := range []string{"t trace", "x what-if", "? help", c.own} {
			if !strings.Contains(foot, want) {
				t.Errorf("%s has no %q: %s", c.name, want, foot)
			}
		}
	}
}
