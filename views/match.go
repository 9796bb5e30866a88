package views

import (
	"time"

	"plumb/fleet"
)

// DeviceFilter compiles a filter of the `/` prompt for use off the screen: the
// verb devices takes the same words.
func DeviceFilter(text string, snap *fleet.Snapshot, now time.Time) func(*fleet.Device) bool {
	f, frame := parseFilter(text), Frame{Snap: snap, At: now, Live: true}
	return func(d *fleet.Device) bool { return f.match(deviceRecord{&frame, d}) }
}
