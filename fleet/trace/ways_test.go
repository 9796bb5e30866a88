package trace

import (
	"fmt"
	"testing"

	"plumb/fleet"
)

func TestWaysCountWhatIsLeft(t *testing.T) {
	s := hall(2).snap(both(losePDU("r01", "a"), only("r01-swb", func(d *fleet.Device) {
		for i := range d.Ports {
			if d.Ports[i].Name == "E1" || d.Ports[i].Name == "E50" {
				d.Ports[i].Oper = "down"
			}
		}
	})))
	g := Build(s)
	now := g.Now(s)
	for id, want := range map[string]string{
		"r01-s01": "[{cord 1 2} {cable 1 2}]", "r01-s02": "[{cord 1 2} {cable 2 2}]", "r01-s03": "[{cord 1 2} {cable 1 1}]", "r01-s04": "[{cord 0 1} {cable 2 2}]",
		"r01-swb": "[{cord 1 2} {uplink 1 2}]", "r02-s01": "[{cord 2 2} {cable 2 2}]", "r01-pb": "[]", "match": "[]",
	} {
		if got := fmt.Sprint(now.Ways(parts(t, g, s, id)[0])); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func TestLossesByKind(t *testing.T) {
	for want, list := range map[string][]Loss{
		"nothing": nil, "2 switches, 1 server": {{Kind: Switch}, {Kind: Server}, {Kind: Switch}}, "2 upses": {{Kind: UPS}, {Kind: UPS}},
	} {
		if got := ByKind(list); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
