package performance

import (
	"math"
	"testing"
)

// TestIdlest shows that the idlest of a few is no norm, and that a peer of which
// nothing is known is none.
func TestIdlest(t *testing.T) {
	peers := []Peer{{Power: math.NaN()}, {Power: 0}}
	for i := range minPeers {
		if w := NormsOf(peers).IdleW; w != 0 {
			t.Errorf("%v W of %d peers", w, i)
		}
		peers = append(peers, Peer{Power: 180 - 10*float64(i)})
	}
	if w := NormsOf(peers).IdleW; w != 110 {
		t.Errorf("%v W, want 110", w)
	}
}
