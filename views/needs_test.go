package views

import (
	"testing"

	"plumb/fleet"
	"plumb/views/widget"
)

// heard remembers what was asked while a frame was drawn.
type heard struct {
	judged
	asked map[fleet.Query]bool
}

func (h heard) Get(q fleet.Query) (fleet.Answer, bool) {
	h.asked[q] = true
	return h.judged.Get(q)
}

// TestDrawAsksOnlyWhatItNeeds: an answer that no view named is never fetched,
// so a draw that asks for one says "loading" for ever.
func TestDrawAsksOnlyWhatItNeeds(t *testing.T) {
	for _, s := range everyScreen() {
		for _, size := range [][2]int{{60, 18}, {80, 24}, {160, 50}, {240, 67}} {
			f := frame(size[0], size[1])
			v := s.view(t, f)
			h := heard{judged{snap: f.Snap}, map[fleet.Query]bool{}}
			f.Answers = h
			Compose(f, v, Chrome{}, widget.NewBuffer(size[0], size[1]).Canvas())
			named := map[fleet.Query]bool{}
			for _, q := range Needs(f, v) {
				named[q] = true
			}
			for q := range h.asked {
				if !named[q] {
					t.Errorf("%s at %dx%d asks for %+v, which it does not name", s.name, size[0], size[1], q)
				}
			}
		}
	}
}
