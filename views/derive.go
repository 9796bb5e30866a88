package views

import (
	"time"

	"plumb/fleet"
	"plumb/fleet/capacity"
)

// Derivation is a judgement over the whole fleet that is too dear for a frame.
// A view names it in Needs like a piece of the past; whoever fetches answers
// makes it off the screen's loop, once for all screens.
type Derivation struct {
	// Every is how long one is good while the fleet moves on.
	Every time.Duration
	// Of makes the value, which nobody writes to afterwards. It may ask for
	// history as of now, the snapshot's time.
	Of func(s *fleet.Snapshot, now time.Time, ask func(fleet.Query) fleet.Answer) any
}

// derivations are all there are, by their names.
var derivations = map[string]Derivation{
	derivedCauses:   {2 * time.Second, func(s *fleet.Snapshot, now time.Time, _ func(fleet.Query) fleet.Answer) any { return newCauses(s, now) }},
	derivedCapacity: {2 * time.Second, func(s *fleet.Snapshot, _ time.Time, _ func(fleet.Query) fleet.Answer) any { return capacity.Of(s) }},
}

// Names of derivations.
const (
	derivedCapacity = "capacity" // []capacity.Row
	derivedCauses   = "causes"   // *Causes
)

// DerivationOf returns what a query asks to be derived; false where it asks for
// something else, or for what there is not.
func DerivationOf(q fleet.Query) (Derivation, bool) {
	if q.Kind != fleet.QueryDerived {
		return Derivation{}, false
	}
	d, ok := derivations[q.Target]
	return d, ok
}

// derivedQuery names a derivation in a view's Needs.
func derivedQuery(name string) fleet.Query {
	return fleet.Query{Kind: fleet.QueryDerived, Target: name}
}

// derived returns the value of a derivation; false where it is not there yet.
func derived[T any](f Frame, name string) (value T, ok bool) {
	if f.Answers == nil {
		return value, false
	}
	a, ok := f.Answers.Get(derivedQuery(name))
	if !ok || a.Err != nil {
		return value, false
	}
	value, ok = a.Derived.(T)
	return value, ok
}
