package engine

import (
	"time"

	"plumb/fleet"
	"plumb/fleet/performance"
)

// rowMemory is the row of a device's memory errors in the table of baselines:
// its log may be cleared, and plumb started anew.
const rowMemory = "memory errors"

// countMemory counts the memory errors that a poll brought, and judges them.
func (s *step) countMemory(i int, o *fleet.Observation) {
	d := s.devices.At(i)
	if next := performance.CountMemory(d.MemoryErrors, o.Events, s.now); next != d.MemoryErrors {
		d.MemoryErrors = next
		s.change(d.Spec.ID, fleet.TableBaselines, rowMemory, encode(next))
		s.judgeMemory(i)
	}
}

// judgeMemory judges memory alone: what was found of hours stays.
func (s *step) judgeMemory(i int) {
	d := s.devices.At(i)
	looks := s.memory(d)
	for _, f := range d.Docket.Of() {
		if f.Kind == fleet.FindPerformance && !performance.IsMemory(f.Facet) {
			looks = append(looks, fleet.Look{Facet: f.Facet})
		}
	}
	s.settlePerformance(i, looks, time.Time{})
}

// memory looks at the memory of a device.
func (s *step) memory(d *fleet.Device) []fleet.Look {
	whole := performance.LogWhole(d, s.next.Intervals, s.now)
	looks := performance.Memory(d.MemoryErrors, whole, s.now)
	if whole {
		return looks
	}
	said := make(map[string]bool, len(looks))
	for i := range looks {
		said[looks[i].Facet] = true
	}
	for _, f := range d.Docket.Of() { // errors that aged while nobody could read the log
		if performance.IsMemory(f.Facet) && !said[f.Facet] {
			looks = append(looks, fleet.Look{Facet: f.Facet})
		}
	}
	return looks
}

// lapseMemory judges memory again once an hour: errors grow old without another
// one to tell.
func (s *step) lapseMemory(i int, d *fleet.Device) {
	if d.MemoryErrors == nil || len(d.MemoryErrors.Modules) == 0 && !s.speaksOfMemory(d) || s.now.Truncate(time.Hour).Equal(s.prev.At.Truncate(time.Hour)) {
		return
	}
	next := performance.AgeMemory(d.MemoryErrors, s.now)
	if next != d.MemoryErrors {
		d = s.devices.At(i)
		d.MemoryErrors = next
		s.change(d.Spec.ID, fleet.TableBaselines, rowMemory, encode(next))
	}
	s.changed = true
	s.judgeMemory(i)
}

func (s *step) speaksOfMemory(d *fleet.Device) bool {
	for i := range d.Docket.Of() {
		if performance.IsMemory(d.Docket.Findings[i].Facet) {
			return true
		}
	}
	return false
}

// recallMemory puts memory errors back.
func recallMemory(rows *fleet.Rows) *fleet.MemoryErrors {
	for i, name := range rows.Names {
		if rows.Table == fleet.TableBaselines && name == rowMemory {
			return decode[fleet.MemoryErrors](rows.Values[i])
		}
	}
	return nil
}
