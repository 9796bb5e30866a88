// Package runbook holds recipes: which steps mend what, when they are of use,
// and what comes next in a run of one.
//
// The one idea: a run is a value that is asked what to do now. It reads a
// snapshot and a time and answers with one move (carry this out, ask that, look
// again, it is over); whoever holds it does the move and tells what came of it.
// So a run needs no wire, no clock and no goroutine, a dry run is the same code
// with nobody to carry anything out, and every test of one is a list of
// snapshots.
//
// Conditions are a small language over the snapshot (github.com/expr-lang/expr,
// the library that alert rules speak too: typed when it is read, bounded in
// nodes and memory, without its own functions, without a clock). What is not
// known is never false: a condition that reads something unknown is unknown
// itself and says what it misses, and a step that hangs on it is not done.
//
// Recipes are read by console/config, as all files are. What does not belong
// here: carrying anything out, who may, and whether the moment is right for an
// action. That is for fleet/plan, which judges every act of a runbook as if a
// person had asked for it.
package runbook
