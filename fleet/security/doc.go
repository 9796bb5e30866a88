// Package security holds what is known of doors against what doors should be.
//
// The one idea: a check only looks. It reads facts that a probe brought over
// the ordinary wire and tries nothing: no password, no write. A check whose
// facts nobody could read is not visible; that is a word of its own and never
// the same as passed.
//
// Checks stand in one list, each with its id, its severity, what it needs and
// what to do. Their findings live like all findings (fleet/drift): with a
// first time, a last word of people, and an end.
package security
