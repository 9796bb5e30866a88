package alert

import (
	"math/bits"

	"plumb/fleet"
)

// Flapping as SEMANTICS 2 has it, which is that of Nagios with hysteresis: the
// last 21 hard states make 20 places for a change; a change adds 0.75 in the
// oldest place and 1.25 in the newest.
const (
	ringBits  = 21
	ringMask  = 1<<ringBits - 1
	flapStart = 20.0
	flapStop  = 5.0
)

// Flap returns how much a ring flaps, in percent. The newest state is the lowest
// bit.
func Flap(ring uint32) float64 {
	changes := (ring ^ ring>>1) & (ringMask >> 1) // bit 0: the newest change
	sum := 0.0
	for changes != 0 {
		i := bits.TrailingZeros32(changes)
		x := float64(ringBits - 1 - i) // 20 for the newest
		sum += 0.75 + (x-1)*0.5/19
		changes &= changes - 1
	}
	return 100 * sum / (ringBits - 1)
}

// flaps says whether something flaps, given whether it did.
func flaps(ring uint32, did bool) bool {
	switch p := Flap(ring); {
	case p >= flapStart:
		return true
	case p <= flapStop+1e-9:
		return false
	}
	return did
}

// record puts one more hard state into an alert's ring.
func record(a *fleet.Alert, state uint32) {
	a.Ring = (a.Ring<<1 | state) & ringMask
	a.Flapping = flaps(a.Ring, a.Flapping)
}
