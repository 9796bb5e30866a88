// Package security holds what is known of doors against what doors should be.
//
// The one idea: a check only looks. It reads facts that a probe brought over
// the ordinary wire and tries nothing: no password, no write. A check whose
// facts nobody could read is not visible; that is a word of its own and never
// the same as passed.
//
// What is looked at is more than what is found: a check counts each part that it
// is about, whether it passed, was found or could not be seen, so that the
// coverage of the fleet and what the dockets say are the same count. Where
// nobody said what is intended, nothing is judged, and that is counted too.
//
// Most checks read the facts of one device. Where a device hangs in the network
// is told by others; the engine notes it with the device, and what a whole site
// has in common among the cohorts, so that a check stays a function of values.
//
// Checks stand in one list, each with its id, its severity, what it needs and
// what to do. Their findings live like all findings (fleet/drift): with a
// first time, a last word of people, and an end.
package security
