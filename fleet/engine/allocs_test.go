//go:build unix

package engine

import (
	"testing"
	"time"

	"plumb/fleet"
)

// TestStepAllocatesLittle bounds what folding one poll in takes, in a fleet of
// 200 devices: what it takes must follow from what was polled, not from the
// fleet, and a row that says the same again must not be encoded to see so.
func TestStepAllocatesLittle(t *testing.T) {
	l := newLarge(10)
	snap, _ := Step(Restore(l.inv, fleet.Memory{}, l.now), l.say(l.all()), l.now)
	for _, c := range []struct {
		name   string
		device int // in its rack
		most   float64
	}{{"a server of 24 sensors", 0, 80}, {"a switch of 48 ports", 18, 100}, {"a PDU of 24 outlets", 19, 80}} {
		t.Run(c.name, func(t *testing.T) {
			l.now = l.now.Add(time.Second)
			in := l.say([]int{c.device})
			if n := testing.AllocsPerRun(20, func() { Step(snap, in, l.now) }); n > c.most {
				t.Errorf("%.0f allocations a step, at most %.0f are wanted", n, c.most)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		in := []fleet.Input{fleet.Tick{}}
		if n := testing.AllocsPerRun(20, func() { Step(snap, in, l.now) }); n > 8 {
			t.Errorf("%.0f allocations a tick of which nothing came", n)
		}
	})
}
