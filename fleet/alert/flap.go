package alert

import (
	"math/bits"

	"plumb/fleet"
)

// Flapping as SEMANTICS 2 has it, which is that of Nagios with hysteresis: the
// last 21 hard states make 20 places for a change; a change adds 0.75 in the
// oldest place and 1.25 in the newest. It is counted in 76ths, in which every
// weight is whole: sums at a bound, which happen, do not hang on their order.
const (
	ringBits  = 21
	ringMask  = 1<<ringBits - 1
	flapWhole = 76 * (ringBits - 1)
	flapStart = 20 * flapWhole / 100
	flapStop  = 5 * flapWhole / 100
)

// Flap returns how much a ring flaps, in percent. The newest state is the lowest
// bit.
func Flap(ring uint32) float64 { return 100 * float64(flap76(ring)) / flapWhole }

func flap76(ring uint32) int {
	sum := 0
	for changes := (ring ^ ring>>1) & (ringMask >> 1); changes != 0; changes &= changes - 1 { // bit 0: the newest change
		x := ringBits - 1 - bits.TrailingZeros32(changes) // 20 for the newest
		sum += 57 + 2*(x-1)
	}
	return sum
}

// flaps says whether something flaps, given whether it did.
func flaps(ring uint32, did bool) bool {
	switch sum := flap76(ring); {
	case sum >= flapStart:
		return true
	case sum <= flapStop:
		return false
	}
	return did
}

// record puts one more hard state into an alert's ring.
func record(a *fleet.Alert, state uint32) {
	a.Ring = (a.Ring<<1 | state) & ringMask
	a.Flapping = flaps(a.Ring, a.Flapping)
}
