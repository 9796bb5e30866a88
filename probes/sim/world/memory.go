package world

import "math"

// eccLimit is how many memory errors a BMC logs before it says that it will log
// no more of them.
const eccLimit = 64

// eccModuleSaid is in event data 1 where byte 3 names the module (IPMI 2.0
// sections 29.7 and 42.2).
const eccModuleSaid = 0x30

// eccModule is the module of a server that wears out, when one does.
func eccModule(server int) byte { return byte(server%16) + 1 }

// eccAfter is how many seconds after its beginning a wearing module makes its
// n-th error: the first after 16 s, the tenth after 51 s, the last after 128 s.
func eccAfter(n int) float64 { return 16 * math.Sqrt(float64(n)) }

// wear lets a module of a server make errors, and has the world look again when
// the next one is due.
func (r *run) wear(s *serverRun, i int, fx *effects) {
	since, ok := fx.ecc[i]
	if !ok {
		return
	}
	for s.ecc < eccLimit && since+eccAfter(s.ecc+1) <= r.at {
		s.ecc++
	}
	if s.ecc < eccLimit {
		r.wakeAt(since + eccAfter(s.ecc+1))
	}
}
