//go:build unix

package views

import (
	"testing"
	"time"

	"plumb/internal/benchline"
	"plumb/views/viewstest"
	"plumb/views/widget"
)

// BenchmarkTrace draws the trace and the what-if of a feed, of which a third of
// 10,000 devices hangs, and the verdict with its causes: once for a key, where
// everything is there already, and once for a snapshot that is new.
func BenchmarkTrace(b *testing.B) {
	f := frame(160, 50)
	s := *viewstest.Sized(152)
	f.Answers = judged{snap: &s}
	f.Spreads = nil
	buf := widget.NewBuffer(f.Width, f.Height)
	draw := func(v View, fresh bool) float64 {
		const turns = 10
		began := benchline.CPU()
		for range turns {
			if fresh {
				next := s
				f.Snap = &next
			}
			f.Spreads = f.Spreads.For(f.Snap)
			buf.Resize(f.Width, f.Height)
			Compose(f, v, Chrome{}, buf.Canvas())
		}
		return float64(benchline.CPU()-began) / turns / float64(time.Millisecond)
	}
	for b.Loop() {
		var lines []benchline.Line
		for _, x := range []struct {
			name string
			view View
			goal float64 // of a new snapshot, in ms
		}{{"trace-feed", NewTrace("fra1-A"), 50}, {"trace-server", NewTrace("fra1-r04-s02"), 20}, {"whatif-feed", NewWhatIf("fra1-A"), 50}, {"fleet", NewFleet(), 20}} {
			f.Snap = &s
			draw(x.view, true)
			lines = append(lines, benchline.Median(5, func() []benchline.Line {
				return []benchline.Line{
					{Bench: "draw-" + x.name + "-key-10000", Value: draw(x.view, false), Unit: "cpu_ms", Goal: 2},
					{Bench: "draw-" + x.name + "-snapshot-10000", Value: draw(x.view, true), Unit: "cpu_ms", Goal: x.goal},
				}
			})...)
		}
		benchline.Print(lines...)
	}
}
