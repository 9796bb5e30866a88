package week

import (
	"fmt"
	"slices"
	"time"

	"plumb/fleet"
)

// logCursor is how far a machine's event log was read.
type logCursor struct {
	until  Moment
	record uint16
}

// read returns the records that came since the last read: memory errors that the
// machine corrected, as evenly as its rate says.
func (c *logCursor) read(w *World, s *server, m Moment) []fleet.Event {
	var out []fleet.Event
	w.events(s.id, m, func(e *Event) {
		if e.EccPerDay <= 0 {
			return
		}
		apart := time.Duration(24 * float64(time.Hour) / e.EccPerDay)
		for at := e.At + Moment(apart*(e.Since(c.until)/apart+1)); at <= m; at += Moment(apart) {
			if at > c.until {
				out = append(out, fleet.Event{At: w.Time(at), Target: s.id, Source: "sel", Sensor: "ECC Errors", Type: "Memory",
					Text: "Correctable ECC / other correctable memory error", Severity: fleet.SeverityWarn, Asserted: true,
					Memory: &fleet.MemoryEvent{Error: fleet.MemoryCorrected, Module: fmt.Sprintf("module %d", e.Module), Timed: true}})
			}
		}
	})
	c.until = m
	slices.SortStableFunc(out, func(a, b fleet.Event) int { return a.At.Compare(b.At) })
	for i := range out {
		c.record++
		out[i].Memory.Record = c.record
		out[i].ID = fmt.Sprintf("%s/sel/%04x", s.id, c.record)
	}
	return out
}
