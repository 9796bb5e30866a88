package views

import (
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views/viewstest"
	"plumb/views/widget"
)

// BenchmarkDriftWave draws the drift of a fleet in which every device has the
// same finding: what a botched wave of updates looks like.
func BenchmarkDriftWave(b *testing.B) {
	f := frame(160, 50)
	s := *viewstest.Sized(150)
	edit := s.Devices.Edit()
	for i := range s.Devices.Len() {
		d := edit.At(i)
		d.DriftOpen = 1
		d.Docket = &fleet.Docket{Looked: 40, Findings: []fleet.Finding{{Target: d.Spec.ID, Facet: "firmware", Kind: fleet.FindFirmware, Observed: "2.14", State: fleet.FindingOpen,
			Severity: fleet.SeverityWarn, Since: viewstest.At.Add(-time.Duration(i) * time.Second)}}}
	}
	s.Devices = edit.Done()
	for _, c := range []struct {
		name  string
		fresh bool
	}{{"key", false}, {"snapshot", true}} {
		b.Run(c.name, func(b *testing.B) {
			f.Snap = &s
			v, buf := NewDrift(""), widget.NewBuffer(f.Width, f.Height)
			for b.Loop() {
				if c.fresh {
					next := s
					f.Snap = &next
				}
				buf.Resize(f.Width, f.Height)
				Compose(f, v, Chrome{}, buf.Canvas())
			}
			b.ReportMetric(float64(s.Devices.Len()), "devices")
		})
	}
}
