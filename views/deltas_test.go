package views

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/views/viewstest"
	"plumb/views/widget"
)

// histFrame is the test fleet as of an hour ago, of which four things are
// different now.
func histFrame(w, h int) Frame {
	f := frame(w, h)
	past, live := *testFleet(), *testFleet()
	past.Live, past.At = false, viewstest.At.Add(-time.Hour)
	devices, racks, services, regions := live.Devices.Edit(), live.Racks.Edit(), live.Services.Edit(), live.Regions.Edit()
	devices.Get("fra1-r03-s04").State = fleet.StateOK
	devices.Get("fra1-r03-s05").Power = fleet.PowerOff
	racks.Get("fra1/r03").State = fleet.StateOK
	services.Get("match").State = fleet.StateCrit
	regions.Get("fra").State = fleet.StateUnknown
	live.Devices, live.Racks, live.Services, live.Regions = devices.Done(), racks.Done(), services.Done(), regions.Done()
	f.Snap, f.At, f.Live = &past, past.At, false
	f.Deltas = f.Deltas.Compare(&past, &live)
	return f
}

func TestHistGoldens(t *testing.T) {
	for _, s := range []screen{
		{"hist-fleet", func(testing.TB, Frame) View { return NewFleet() }},
		{"hist-racks", func(testing.TB, Frame) View { return NewRacks("fra", "fra1/r03") }},
		{"hist-devices", func(testing.TB, Frame) View { return NewDevices("fra1-r03") }},
		{"hist-device", func(testing.TB, Frame) View { return NewDevice("fra1-r03-s04") }},
		{"hist-service", func(testing.TB, Frame) View { return NewService("match") }},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", s.name, size[0], size[1]), func(t *testing.T) {
				f := histFrame(size[0], size[1])
				text := compose(t, f, s.view(t, f), Chrome{})
				golden(t, f, text)
				if !strings.Contains(strings.SplitN(text, "\n", 2)[0], f.At.UTC().Format("01-02 15:04:05Z")) {
					t.Error("the header does not say which time this is")
				}
			})
		}
		t.Run(s.name+"-ascii", func(t *testing.T) {
			f := histFrame(80, 24)
			f.Theme = widget.NewTheme("mono", widget.NoColour, true)
			golden(t, f, compose(t, f, s.view(t, f), Chrome{}))
		})
	}
}

func TestDeltas(t *testing.T) {
	f := histFrame(80, 24)
	for _, c := range []struct{ kind, id, now string }{
		{KindDevice, "fra1-r03-s04", "ok"},
		{KindDevice, "fra1-r03-s05", "power off"},
		{KindDevice, "fra1-r03-s06", ""},
		{KindRack, "fra1/r03", "ok"},
		{KindService, "match", "crit"},
		{KindRegion, "fra", "unknown"},
		{KindEvent, "fra1-r03-s04", ""},
	} {
		if got := f.now(c.kind, c.id); got != c.now {
			t.Errorf("%s %s: now %q, want %q", c.kind, c.id, got, c.now)
		}
	}
	if n := f.Deltas.Devices(); n != 2 {
		t.Errorf("%d devices differ", n)
	}
	if again := f.Deltas.Compare(f.Deltas.past, f.Deltas.live); again != f.Deltas {
		t.Error("the same pair was compared again")
	}
	empty := &fleet.Snapshot{}
	if d := f.Deltas.Compare(f.Snap, empty); d.devices["fra1-r03-s06"] != "gone" || d.Devices() != f.Snap.Devices.Len() {
		t.Error("what is no longer there does not differ")
	}
	if live := frame(80, 24); live.now(KindDevice, "fra1-r03-s04") != "" {
		t.Error("a live screen has marks")
	}
}
