package alert

import (
	"math"
	"testing"
	"time"
)

// TestFlapVectors holds the vectors of SEMANTICS 2.
func TestFlapVectors(t *testing.T) {
	newest := func(k int) uint32 { // a ring whose newest k places are changes
		ring, bit := uint32(0), uint32(0)
		for range k {
			bit ^= 1
			ring = ring<<1 | bit
		}
		return ring
	}
	for _, c := range []struct {
		name string
		ring uint32
		want float64
	}{
		{"steady ok", 0, 0}, {"steady bad", ringMask, 0}, {"alternating", 0x155555, 100}, {"alternating the other way", 0x0aaaaa, 100},
		{"one newest", 1, 6.25}, {"one oldest", 1 << 20, 3.75},
		{"k=2", newest(2), 12.37}, {"k=3", newest(3), 18.36}, {"k=4", newest(4), 24.21}, {"k=5", newest(5), 29.93},
		{"k=6", newest(6), 35.53}, {"k=8", newest(8), 46.32}, {"k=10", newest(10), 56.58},
	} {
		if got := Flap(c.ring); math.Abs(got-c.want) > 0.006 {
			t.Errorf("%s: %.4f, want %.2f", c.name, got, c.want)
		}
	}
}

func TestFlapHysteresis(t *testing.T) {
	if !flaps(61438, false) {
		t.Error("exactly 20 percent does not start it")
	}
	if flaps(7, false) || !flaps(0b1010, false) {
		t.Error("it starts at 20 percent, not before")
	}
	if !flaps(0b101, true) || flaps(0, true) || flaps(1<<20, true) {
		t.Error("it stops at 5 percent, not before")
	}
}

// TestRestartsAreNoFlapping: an alert that came and went before each of five
// restarts, an hour apart, was steady in between. One that flapped goes on until
// it was seen to be steady.
func TestRestartsAreNoFlapping(t *testing.T) {
	h := newHouse(t, paged(hot()))
	for i := range 5 {
		for _, c := range []int64{90, 20, 20, 20} {
			h.temp("s01", c)
			h.step(time.Minute)
		}
		if a := h.alert("hot:s01/t1"); a.Flapping {
			t.Fatalf("after %d restarts it flaps: %021b", i, a.Ring)
		}
		h.restart()
		h.now = h.now.Add(time.Hour)
	}
	for i := 0; !h.alert("hot:s01/t1").Flapping; i++ {
		if i > 50 {
			t.Fatal("it does not flap")
		}
		h.temp("s01", []int64{90, 20}[i%2])
		h.step(time.Minute)
	}
	h.restart()
	h.temp("s01", 20)
	h.step(time.Minute)
	if !h.alert("hot:s01/t1").Flapping {
		t.Error("a restart ended the flapping")
	}
}
