package world

import (
	"testing"
	"time"
)

// One change of the world, such as a flap: everything is made anew.
func BenchmarkStep(b *testing.B) {
	w := newWorld(b, 24)
	for i := range b.N {
		if err := w.SetPort(0, 5, i%2 == 0, t0.Add(time.Duration(i)*time.Second)); err != nil {
			b.Fatal(err)
		}
	}
}

// What one look of a device costs.
func BenchmarkLook(b *testing.B) {
	w := newWorld(b, 24)
	b.Run("server", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			w.Server(i%len(w.Servers), t0.Add(time.Duration(i)))
		}
	})
	b.Run("switch", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			w.Switch(i%len(w.Switches), t0.Add(time.Duration(i)))
		}
	})
	b.Run("pdu", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			w.PDU(i%len(w.PDUs), t0.Add(time.Duration(i)))
		}
	})
}
