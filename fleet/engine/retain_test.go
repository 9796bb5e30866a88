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
	inv := inventory()
	inv.Alerting.Rules = []fleet.AlertRule{{Name: "hot", On: "sensor", Problem: "sensor.value > 1", Attempts: 1}}
	old, _ := Step(Restore(inv, fleet.Memory{}, t0), []fleet.Input{server(t0, "on", 20, fleet.StateOK)}, t0)
	gone := weak.Make(old)
	at := t0.Add(10 * time.Second)
	now, _ := Step(old, []fleet.Input{server(at, "on", 21, fleet.StateOK)}, at)
	if now.Alerts.Counts != [3]int{0, 1, 0} {
		t.Fatal("there is no alert")
	}
	old = nil
	runtime.GC()
	if gone.Value() != nil {
		t.Error("a snapshot is kept alive by the one after it")
	}
	runtime.KeepAlive(now)
}
