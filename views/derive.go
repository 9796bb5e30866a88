package views

import (
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views/widget"
)

// Derivation is a judgement over the whole fleet that is too dear for a frame.
// A view names it in Needs like a piece of the past; whoever fetches answers
// makes it off the screen's loop, once for all screens.
type Derivation struct {
	// Every is how long one is good while the fleet moves on.
	Every time.Duration
	// Of makes the value, which nobody writes to afterwards. It may ask for
	// history as of now, the snapshot's time. Where a query has an argument, it
	// is bound already.
	Of func(s *fleet.Snapshot, now time.Time, ask func(fleet.Query) fleet.Answer) any
}

// Names of derivations.
const (
	derivedCapacity    = "capacity"    // *capacity.Survey
	derivedForesight   = "foresight"   // *foresight
	derivedPlacement   = "placement"   // *placement, of what was asked
	derivedChange      = "change"      // *change, of what was asked
	derivedSecurity    = "security"    // []tally
	derivedLifecycle   = "lifecycle"   // []tally
	derivedPerformance = "performance" // []tally
	derivedCauses      = "causes"      // *Causes
)

// derivations are all there are, by their names.
var derivations = map[string]Derivation{
	derivedCapacity: {2 * time.Second, func(s *fleet.Snapshot, _ time.Time, _ func(fleet.Query) fleet.Answer) any {
		v := capacity.SurveyOf(s)
		return &v
	}},
	derivedForesight: {time.Minute, foresee},
	derivedCauses:    {2 * time.Second, func(s *fleet.Snapshot, now time.Time, _ func(fleet.Query) fleet.Answer) any { return newCauses(s, now) }},
	derivedLifecycle: {10 * time.Second, func(s *fleet.Snapshot, now time.Time, _ func(fleet.Query) fleet.Answer) any {
		return lifecycleTallies(s, now)
	}},
	derivedPerformance: {time.Minute, func(s *fleet.Snapshot, _ time.Time, _ func(fleet.Query) fleet.Answer) any {
		return performanceTallies(s)
	}},
	"report ops":      {time.Minute, reported("ops")},
	"report design":   {time.Minute, reported("design")},
	"report handover": {10 * time.Second, handedOver},
	derivedSecurity: {2 * time.Second, func(s *fleet.Snapshot, _ time.Time, _ func(fleet.Query) fleet.Answer) any {
		return securityTallies(s)
	}},
}

// questions are the judgements that take an argument.
var questions = map[string]func(s *fleet.Snapshot, arg string) any{
	derivedPlacement: func(s *fleet.Snapshot, arg string) any { return placed(s, arg) },
	derivedChange:    func(s *fleet.Snapshot, arg string) any { return changed(s, arg) },
	derivedExplain:   func(s *fleet.Snapshot, arg string) any { return explained(s, arg) },
}

// foresight is how long everything lasts.
type foresight struct {
	rows  []capacity.Row // with their runways
	lines []capacity.Forecast
}

// foresee reads weeks of history: once a minute is often enough for what
// changes by the day.
func foresee(s *fleet.Snapshot, now time.Time, ask func(fleet.Query) fleet.Answer) any {
	out := &foresight{rows: capacity.Of(s)}
	out.lines = capacity.Foresee(out.rows, capacity.Asks(s), now, func(q fleet.Query) ([]fleet.Point, bool) {
		a := ask(q)
		return a.Points, a.Err == nil && len(a.Points) > 0
	})
	return out
}

// of returns the row of a subject whose runway is known, and the line behind
// it; nil: there is none.
func (x *foresight) of(sub *capacity.Subject) (*capacity.Row, *capacity.Forecast) {
	if x == nil {
		return nil, nil
	}
	var row *capacity.Row
	for i := range x.rows {
		if r := &x.rows[i]; r.Scope == sub.Scope && r.ID == sub.ID && r.Runway != "" {
			row = r
			break
		}
	}
	scope, id := sub.Scope, sub.ID
	if scope == capacity.ScopeRegion && row != nil { // it lasts as long as the site that is named first
		scope = capacity.ScopeSite
		id, _, _ = strings.Cut(row.Runway, ": ")
	}
	for i := range x.lines {
		if l := &x.lines[i]; l.Scope == scope && l.ID == id {
			return row, l
		}
	}
	return row, nil
}

// DerivationOf returns what a query asks to be derived; false where it asks for
// something else, or for what there is not.
func DerivationOf(q fleet.Query) (Derivation, bool) {
	if q.Kind != fleet.QueryDerived {
		return Derivation{}, false
	}
	if of := questions[q.Target]; of != nil {
		return Derivation{5 * time.Second, func(s *fleet.Snapshot, _ time.Time, _ func(fleet.Query) fleet.Answer) any { return of(s, q.Arg) }}, true
	}
	d, ok := derivations[q.Target]
	return d, ok
}

// derivedQuery names a derivation in a view's Needs, with what it is asked
// about where it takes that.
func derivedQuery(name string, arg ...string) fleet.Query {
	q := fleet.Query{Kind: fleet.QueryDerived, Target: name}
	if len(arg) > 0 {
		q.Arg = arg[0]
	}
	return q
}

// derived returns the value of a derivation; false where it is not there yet.
func derived[T any](f Frame, name string, arg ...string) (value T, ok bool) {
	if f.Answers == nil {
		return value, false
	}
	a, ok := f.Answers.Get(derivedQuery(name, arg...))
	if !ok || a.Err != nil {
		return value, false
	}
	value, ok = a.Derived.(T)
	return value, ok
}

// drawUnderived says that a derivation is on its way, or why there is none.
func drawUnderived(f Frame, on widget.Canvas, q fleet.Query) {
	if f.Answers != nil {
		if a, ok := f.Answers.Get(q); ok && a.Err != nil {
			drawEmpty(f, on, "it could not be worked out", a.Err.Error())
			return
		}
	}
	drawEmpty(f, on, "loading", "it is being worked out of the whole fleet")
}
