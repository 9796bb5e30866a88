package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// logRead is a poll that read a machine's log: whole, or none of it.
func logRead(at time.Time, whole bool, events ...fleet.Event) *fleet.Observation {
	o := &fleet.Observation{Target: "s0", Source: fleet.SourceIPMI, At: at, Lane: fleet.LaneTables, Events: events}
	o.SetTable(fleet.TableEvents, fleet.Failed)
	if whole {
		o.SetTable(fleet.TableEvents, fleet.Complete)
	}
	o.Facts.Set(fleet.FactPower, "on")
	return o
}

func corrected(at time.Time, from, n int) (out []fleet.Event) {
	for k := range n {
		out = append(out, fleet.Event{ID: fmt.Sprint("sel:", from+k), Target: "s0", At: at, Source: "sel", Sensor: "DIMM A1", Text: "Correctable ECC", Asserted: true,
			Memory: &fleet.MemoryEvent{Error: fleet.MemoryCorrected, Epoch: 1, Record: uint16(from + k), Timed: true}})
	}
	return out
}

// TestMemoryErrorsAreFound: they are found as their records come, survive a
// restart that reads the log again, stay while it cannot be read, and end a day
// after the last of them.
func TestMemoryErrorsAreFound(t *testing.T) {
	inv, now := guesthouse(), t0
	var changes []fleet.Change
	snap := Restore(inv, fleet.Memory{}, now)
	step := func(after time.Duration, whole bool, events ...fleet.Event) {
		now = now.Add(after)
		var out fleet.Output
		snap, out = Step(snap, []fleet.Input{logRead(now, whole, events...)}, now)
		changes = append(changes, out.Changes...)
	}
	found := func() string {
		for _, f := range snap.Devices.Get("s0").Docket.Of() {
			if f.Kind == fleet.FindPerformance && f.Open() {
				return f.Severity.String() + " " + f.Facet + ": " + f.Observed
			}
		}
		return ""
	}
	step(time.Minute, true, corrected(now, 1, 4)...)
	if got := found(); got != "" {
		t.Fatal("four errors:", got)
	}
	step(time.Minute, true, corrected(now, 5, 8)...)
	const twelve = "warn performance memory DIMM A1: 12 corrected in a day, 12 in 7 days, 0 uncorrected"
	if got := found(); got != twelve {
		t.Fatal("twelve errors:", got)
	}
	snap = Restore(inv, fleet.Memory{Version: 2, At: now, Tables: fleet.Remember(changes)}, now)
	if got := found(); got != twelve {
		t.Fatal("after a restart:", got)
	}
	step(time.Minute, true, append(corrected(t0, 1, 4), corrected(t0.Add(time.Minute), 5, 8)...)...)
	if got := found(); got != twelve {
		t.Fatal("the log read again:", got)
	}
	for range 30 {
		step(time.Hour, false)
	}
	if got := found(); got != twelve {
		t.Fatal("a log that cannot be read:", got)
	}
	for range 2 {
		step(time.Hour, true)
	}
	if got := found(); got != "" {
		t.Fatal("a day after the last:", got)
	}
	if !slices.ContainsFunc(snap.Devices.Get("s0").Docket.Gone, func(f fleet.Finding) bool { return strings.HasPrefix(f.Facet, "performance memory") }) {
		t.Error("it is in no history")
	}
}
