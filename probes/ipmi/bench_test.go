package ipmi

import (
	"fmt"
	"testing"

	"plumb/fleet"
	"plumb/internal/benchline"
)

// BenchmarkPoll is one fast poll of 24 sensors over a kept session. The fake
// BMC runs in the same process, so cpu-us/op is both ends; the probe's own
// half is what BenchmarkPeerPoll shows.
func BenchmarkPoll(b *testing.B) {
	f := startFake(b, func(f *fakeBMC) {
		f.sdrs = nil
		for i := range 24 {
			f.sdrs = append(f.sdrs, fullSDR(uint16(i+1), uint8(i+1), fmt.Sprintf("Sensor %d", i+1)))
			f.readings[uint8(i+1)] = []byte{byte(20 + i), 0x40, 0}
		}
	})
	p := f.probe()
	o, err := p.Observe(b.Context(), fleet.LaneSlow)
	if err != nil || o.Err != nil || len(o.Sensors) != 24 {
		b.Fatal(err, o.Err)
	}
	measurePolls(b, p)
}

// measurePolls runs fast polls and reports datagrams and CPU time of each.
func measurePolls(b *testing.B, p *BMC) {
	sent, used := p.sent.Load(), benchline.CPU()
	b.ReportAllocs()
	for b.Loop() {
		if o, err := p.Observe(b.Context(), fleet.LaneFast); err != nil || o.Err != nil {
			b.Fatal(err, o.Err)
		}
	}
	b.ReportMetric(float64(p.sent.Load()-sent)/float64(b.N), "packets/op")
	b.ReportMetric(float64((benchline.CPU()-used).Microseconds())/float64(b.N), "cpu-us/op")
}

// BenchmarkSeal is what covering one request and uncovering one answer costs.
func BenchmarkSeal(b *testing.B) {
	for _, s := range suites[:2] {
		b.Run(fmt.Sprint(s.id), func(b *testing.B) {
			key := make([]byte, 32)
			us, err := newSession(&link{}, &handshake{suite: s, console: 1, bmc: 2}, door{}, key, key)
			if err != nil {
				b.Fatal(err)
			}
			them, _ := newSession(&link{}, &handshake{suite: s, console: 2, bmc: 1}, door{}, key, key)
			msg := putMessage(nil, command{fn: fnSensor, cmd: 0x2d, data: []byte{1}}, 1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := them.unseal(us.seal(msg)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
