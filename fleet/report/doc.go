// Package report writes down what somebody who was not there needs to know.
//
// The one idea: a report is a value before it is a text. [OpsOf] and [DesignOf]
// work out the numbers from a snapshot and from what happened in a period; the
// Markdown says those numbers and no others, so that the page that is mailed and
// the JSON that is fed to a sheet cannot disagree.
//
// Two readers. Ops takes over a shift: what is wrong now and by what cause, who
// is doing what about it, what runs out; then the review of the period. Design
// chooses what is bought and built next: what failed by model, firmware, rack
// and zone, as a rate where there is enough to make one, and what room is
// stranded by which design.
//
// Both say how far back they really reach. What is not known is said to be not
// known; a rate of too few is not made.
//
// The package is pure: who asks the store is the console.
package report
