package views

import (
	"fmt"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views/viewstest"
)

// standsOnTooLittle is a frame in which a service has too much on one host, and
// a finding that says so.
func standsOnTooLittle(w, h int) Frame {
	f := frame(w, h)
	s := viewstest.Fleet()
	edit := s.Instances.Edit()
	at := s.Services.Get("match").Instances
	host := edit.Peek(at[1])
	for _, n := range at[2:8] {
		x := edit.At(n)
		x.Host, x.Device, x.Zone, x.Cloud = host.Host, host.Device, host.Zone, host.Cloud
	}
	s.Instances = edit.Done()
	services := s.Services.Edit()
	services.Get("match").Docket = &fleet.Docket{Findings: []fleet.Finding{
		{Target: "match", Facet: "lifecycle.unowned", Kind: fleet.FindLifecycle, State: fleet.FindingWaived, Text: "nobody must read this"},
		{Target: "match", Facet: "resilience.retirement", Kind: fleet.FindResilience, Severity: fleet.SeverityWarn, State: fleet.FindingOpen, Since: viewstest.At.Add(-time.Hour),
			Text: "11 of 71 replicas of match stand on hosts that are to go: fra1-r02-s03 (end of life); without them 60 run, floor 60"},
	}}
	s.Services = services.Done()
	f.Snap, f.Spreads = s, f.Spreads.For(s)
	return f
}

func TestServiceFateGoldens(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("service-fate-%dx%d", size[0], size[1]), func(t *testing.T) {
			f := standsOnTooLittle(size[0], size[1])
			golden(t, f, compose(t, f, NewService("match"), Chrome{}))
		})
	}
}
