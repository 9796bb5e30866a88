package views

import (
	"testing"

	"plumb/fleet"
	"plumb/views/viewstest"
	"plumb/views/widget"
)

// kept answers from memory, as the session does.
type kept map[fleet.Query]fleet.Answer

func (k kept) Get(q fleet.Query) (fleet.Answer, bool) {
	a, ok := k[q]
	if !ok {
		a, ok = judged{snap: testFleet()}.Get(q)
		k[q] = a
	}
	return a, ok
}

func BenchmarkFrame(b *testing.B) {
	for _, s := range everyScreen() {
		b.Run(s.name, func(b *testing.B) {
			f := frame(200, 60)
			f.Answers = kept{}
			v := s.view(b, f)
			buf := widget.NewBuffer(200, 60)
			b.ReportAllocs()
			for b.Loop() {
				buf.Resize(200, 60)
				Compose(f, v, Chrome{}, buf.Canvas())
			}
		})
	}
}

func BenchmarkTenThousandDevices(b *testing.B) {
	f := frame(200, 60)
	f.Snap = viewstest.Sized(152)
	buf := widget.NewBuffer(200, 60)
	down, _ := f.Keys.Get("move.down")
	b.Run("key", func(b *testing.B) {
		v := View(NewDevices(""))
		b.ReportAllocs()
		for b.Loop() {
			v, _ = Dispatch(f, v, down)
			buf.Resize(200, 60)
			v.Draw(f, buf.Canvas())
		}
		b.ReportMetric(float64(f.Snap.Devices.Len()), "rows")
	})
	b.Run("new-snapshot", func(b *testing.B) {
		v := NewDevices("")
		b.ReportAllocs()
		for b.Loop() {
			s := *f.Snap
			f.Snap = &s
			buf.Resize(200, 60)
			v.Draw(f, buf.Canvas())
		}
	})
}
