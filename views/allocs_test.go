package views

import (
	"testing"

	"plumb/views/widget"
)

// TestFramesAllocateLittle bounds what a frame of each screen allocates: a few
// words for each row that it shows. It fails when somebody builds a string for
// each cell, or goes over the whole fleet for what one screen shows.
func TestFramesAllocateLittle(t *testing.T) {
	const most = 1000 // a frame of 160x50 has 8000 cells
	f := frame(160, 50)
	on := widget.NewBuffer(160, 50)
	for _, s := range everyScreen() {
		t.Run(s.name, func(t *testing.T) {
			v := s.view(t, f)
			if n := testing.AllocsPerRun(20, func() { Compose(f, v, Chrome{}, on.Canvas()) }); n > most {
				t.Errorf("%.0f allocations a frame, at most %d are wanted", n, most)
			}
		})
	}
}
