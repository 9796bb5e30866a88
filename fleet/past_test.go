package fleet

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestPastAgainstAMap: whatever hours come in whatever order, the past is a map
// of those that it reaches back to, and the one before is left as it was.
func TestPastAgainstAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p *Past
		model := map[[2]int64]float64{}
		until := int64(0)
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			before, was := p, p.Until()
			probe := was - 1
			held := p.At(PastHot, probe)
			var hours []Hour
			for range rapid.IntRange(1, 40).Draw(t, "hours") {
				h := Hour{
					Class: PastClass(rapid.IntRange(0, NumPasts-1).Draw(t, "class")),
					Hour:  500_000 + int64(rapid.IntRange(0, 3*PastHours).Draw(t, "hour")),
					Value: float64(rapid.IntRange(0, 300).Draw(t, "value")),
				}
				if h.Class == PastSlowest {
					h.Value /= 100
				}
				hours = append(hours, h)
				model[[2]int64{int64(h.Class), h.Hour}] = h.Value
				until = max(until, h.Hour+1)
			}
			p = p.With(hours)
			// What was out of reach once is forgotten, even if the model knows it.
			for k := range model {
				if until-k[1] > PastHours {
					delete(model, k)
				}
			}
			if before.Until() != was || !same(before.At(PastHot, probe), held) {
				t.Fatal("the past before was written")
			}
		}
		if p.Until() != until {
			t.Fatalf("until %d, want %d", p.Until(), until)
		}
		for c := range PastClass(NumPasts) {
			for h := until - PastHours - 5; h < until+5; h++ {
				want, ok := model[[2]int64{int64(c), h}]
				if !ok {
					want = math.NaN()
				}
				if got := p.At(c, h); !same(got, want) {
					t.Fatalf("%s at %d is %g, want %g", c, h, got, want)
				}
			}
		}
	})
}

func same(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-4
}

// TestPastIsClipped: what an hour cannot hold is its largest, never another sign.
func TestPastIsClipped(t *testing.T) {
	var p *Past
	p = p.With([]Hour{{PastErrors, 10, 1e9}, {PastInlet, 10, -1e9}, {PastPower, 10, math.NaN()}})
	if got := p.At(PastErrors, 10); got != math.MaxInt16 {
		t.Errorf("%g errors", got)
	}
	if got := p.At(PastInlet, 10); got > -327 {
		t.Errorf("%g C", got)
	}
	if got := p.At(PastPower, 10); !math.IsNaN(got) {
		t.Errorf("%g W of nothing", got)
	}
}
