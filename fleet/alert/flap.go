package alert

import (
	"math/bits"

	"plumb/fleet"
)

// Flapping as SEMANTICS 2 has it, which is that of Nagios with hysteresis: the
// last 21 hard states make 20 places for a change; a change adds 0.75 in the
// oldest place and 1.25 in the newest. It starts at 20 percent and stops at 5.
//
// Those are compared as whole numbers, in units of 1/76: as floats, four changes
// that make 20 percent exactly would make it or not by their order.
const (
	ringBits  = 21
	ringMask  = 1<<ringBits - 1
	unit      = 76
	whole     = unit * (ringBits - 1) // 100 percent
	flapStart = whole * 20 / 100
	flapStop  = whole * 5 / 100
)

// changes is the weight of a ring's changes: 57/76 in the oldest place and 95/76
// in the newest. The newest state is the lowest bit.
func changes(ring uint32) (sum int) {
	for at := (ring ^ ring>>1) & (ringMask >> 1); at != 0; at &= at - 1 {
		x := ringBits - 1 - bits.TrailingZeros32(at) // 20 for the newest
		sum += 57 + 2*(x-1)
	}
	return sum
}

// Flap returns how much a ring flaps, in percent.
func Flap(ring uint32) float64 { return 100 * float64(changes(ring)) / whole }

// flaps says whether something flaps, given whether it did.
func flaps(ring uint32, did bool) bool {
	switch sum := changes(ring); {
	case sum >= flapStart:
		return true
	case sum <= flapStop:
		return false
	}
	return did
}

// steady is the ring of what came back and did not flap: it was the same since it
// was kept, which is when it last changed.
func steady(s fleet.AlertState) uint32 {
	if s == fleet.AlertResolved {
		return 0
	}
	return ringMask
}

// record puts one more hard state into an alert's ring.
func record(a *fleet.Alert, state uint32) {
	a.Ring = (a.Ring<<1 | state) & ringMask
	a.Flapping = flaps(a.Ring, a.Flapping)
}
