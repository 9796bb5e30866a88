// Package engine turns what came in into what is true now. It is one pure
// function, [Step]: the previous snapshot, a batch of inputs and the time give
// the next snapshot and what the step has to say to the rest of the house.
// Nothing in it has a clock, a goroutine or a file, so a recorded day replays
// to the same screens, and a test needs no fleet.
//
// The order inside a step is always the same: inputs are merged, ages are
// judged, states are rolled up from sensor to region, jobs are compared with
// what was observed. The judgements that live in fleet/drift, fleet/trace and
// their neighbours join at the end of that order.
//
// Merging follows completeness: a complete table replaces what was known, a
// partial one adds and never deletes, a failed or unasked one leaves
// everything as it was, with its age. Every row that changed becomes a
// [fleet.Change], which is how the past is kept.
//
// Alerts come last: they look at what the step made of the fleet, and what they
// have to say to people outside are its notices.
//
// What does not belong here: retries and soft states (they are an alert's
// business), drawing, and anything that would have to ask the store.
package engine
