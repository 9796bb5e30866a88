package views

import (
	"testing"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views/viewstest"
	"plumb/views/widget"
)

// BenchmarkCapacityTenThousand is what a frame costs while nothing changes, and
// what all screens together cost when a survey and a forecast are made anew.
func BenchmarkCapacityTenThousand(b *testing.B) {
	f := frame(200, 60)
	f.Snap = viewstest.Sized(152)
	f.Answers = judged{snap: f.Snap}
	buf := widget.NewBuffer(200, 60)
	for _, s := range []screen{
		{"racks", func(testing.TB, Frame) View { return NewCapacity() }},
		{"region-page", func(testing.TB, Frame) View { return newCapacityPage(capacity.ScopeRegion, "fra") }},
		{"feed-page", func(testing.TB, Frame) View { return newCapacityPage(capacity.ScopeFeed, "fra1-A") }},
	} {
		b.Run(s.name, func(b *testing.B) {
			v := s.view(b, f)
			for b.Loop() {
				buf.Resize(200, 60)
				v.Draw(f, buf.Canvas())
			}
		})
	}
	for _, name := range []string{derivedCapacity, derivedForesight, derivedSecurity} {
		b.Run("derive-"+name, func(b *testing.B) {
			for b.Loop() {
				derivations[name].Of(f.Snap, viewstest.At, func(q fleet.Query) fleet.Answer { return fleet.Answer{Points: rising(q)} })
			}
		})
	}
}
