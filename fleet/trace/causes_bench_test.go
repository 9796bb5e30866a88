//go:build unix

package trace

import (
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/benchline"
)

// BenchmarkCauses explains 400 symptoms among 10,000 devices: of ten PDUs that
// died with what hangs on them, and of machines that failed by themselves.
func BenchmarkCauses(b *testing.B) {
	s := large()
	symptoms := 0
	for n := 0; symptoms < 400; n = (n + 37) % s.Devices.Len() {
		d := s.Devices.At(n)
		if d.Spec.Kind == fleet.KindPDU && symptoms < 200 {
			mute(d)
			say(d, fleet.StateCrit, "power", "no output")
			symptoms += 2
			for k := n + 2; k < n+20; k++ {
				mute(s.Devices.At(k))
				symptoms++
			}
		}
		if d.Spec.Kind == fleet.KindServer && d.State == fleet.StateOK && symptoms >= 200 {
			say(d, fleet.StateCrit, "sensor fan1", "fan1 stopped")
			symptoms++
		}
	}
	g := Build(s)
	for b.Loop() {
		benchline.Print(benchline.Median(5, func() []benchline.Line {
			began := benchline.CPU()
			if list := g.Causes(s, t0); len(list) < 200 || len(list) > 220 || list[0].Kind != PDU {
				b.Fatalf("%d causes, %s first", len(list), list[0].ID)
			}
			return []benchline.Line{{Bench: "trace-causes-10000", Value: float64(benchline.CPU()-began) / float64(time.Millisecond), Unit: "cpu_ms", Goal: 100}}
		})...)
	}
}
