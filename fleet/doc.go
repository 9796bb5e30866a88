// Package fleet holds the nouns of plumb: what a fleet is made of, what a
// probe says about it, and what a person decides about it.
//
// The one idea: everything plumb knows is a value, and time goes through one
// function. A probe returns an [Observation]; people make a [Decision]; the
// engine folds them into the next immutable [Snapshot] and says what changed
// as an [Output]. Sessions, alerts, exports and the store all read those same
// values, so what the wall shows and what the pager says cannot disagree.
//
// Identity is text that people know. An id is the name from the inventory
// (racks are "site/rack"), unique over the fleet and safe to send to another
// machine. Inside one snapshot ids are interned to dense numbers; a number
// never leaves the process.
//
// "Not known" is a value of its own everywhere: the zero [State] is unknown,
// the zero [Num] is null, the zero [Completeness] is not asked. Nothing here
// turns silence into health.
//
// What does not belong here: clocks, goroutines, sockets, files, logging,
// drawing. The judgements live one floor up in fleet/drift, fleet/trace and
// their neighbours; this package only gives them words.
package fleet
