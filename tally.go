package main

import (
	"maps"
	"sync"
	"time"

	"plumb/console"
	"plumb/fleet"
	"plumb/store"
)

// tally counts what came of actions as the audit log says it, whoever writes it
// there: the executor that something was refused or failed, the step that a poll
// has shown what was asked for.
type tally struct {
	mu sync.Mutex // guards by
	by map[console.ActionOutcome]uint64
}

// heard is a step whose audit entries are counted.
func (t *tally) heard(step store.StepFunc) store.StepFunc {
	return func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
		next, out := step(prev, in, now)
		t.note(out.Audit)
		return next, out
	}
}

// note counts entries of actions. Beginnings are not outcomes.
func (t *tally) note(list []fleet.AuditEntry) {
	for _, e := range list {
		if e.Outcome == "begun" || fleet.ActionKind(e.Action).Spec() == nil {
			continue
		}
		t.mu.Lock()
		if t.by == nil {
			t.by = map[console.ActionOutcome]uint64{}
		}
		t.by[console.ActionOutcome{Action: e.Action, Outcome: e.Outcome}]++
		t.mu.Unlock()
	}
}

func (t *tally) counts() map[console.ActionOutcome]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.by)
}
