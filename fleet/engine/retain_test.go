package engine

import (
	"runtime"
	"testing"
	"time"
	"weak"

	"plumb/fleet"
)

// TestSnapshotLetsGoOfTheOneBefore steps on and looks whether a snapshot that
// nobody reads any more is collected: one pointer back from each to the one
// before would hold every snapshot since the start.
func TestSnapshotLetsGoOfTheOneBefore(t *testing.T) {
	old, _ := Step(start(t), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
	gone := weak.Make(old)
	at := t0.Add(10 * time.Second)
	now, _ := Step(old, []fleet.Input{server(at, "on", 21, fleet.StateOK)}, at)
	old = nil
	runtime.GC()
	if gone.Value() != nil {
		t.Error("a snapshot is kept alive by the one after it")
	}
	runtime.KeepAlive(now)
}
