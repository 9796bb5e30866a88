package trace

import (
	"testing"
	"time"

	"plumb/fleet"
)

// TestPiecesOfWhatIsSilentAreNotKnown: an outlet that was on, and a port that was
// up, when their device was last heard.
func TestPiecesOfWhatIsSilentAreNotKnown(t *testing.T) {
	for _, c := range []struct {
		name string
		live func(*fleet.Device)
		want fleet.State
	}{
		{"heard", func(*fleet.Device) {}, fleet.StateOK},
		{"one poll missed", func(d *fleet.Device) { d.BlindSince = t0.Add(-time.Second) }, fleet.StateOK},
		{"silent", mute, fleet.StateUnknown},
		{"silent, and others show it dead", func(d *fleet.Device) {
			d.BlindSince = t0.Add(-time.Second)
			say(d, fleet.StateCrit, "power", "no output")
		}, fleet.StateUnknown},
	} {
		s := hall(1).snap(both(only("r01-pa", c.live), only("r01-swa", c.live), only("r01-s01", c.live)))
		g := Build(s)
		for _, id := range []string{"r01-pa/1", "r01-swa/E1", "r01-s01/psu1", "r01-s01/eth1"} {
			if got := g.State(s, parts(t, g, s, id)[0]); got != c.want {
				t.Errorf("%s: %s is %s, want %s", c.name, id, got, c.want)
			}
		}
	}
}
