// Package store is plumb's memory: what was learned, decided and done, on disk
// before anyone is told that it was kept.
//
// The one idea: one goroutine writes, in batches. [Store.Run] gathers what
// [Store.Apply] hands in for up to 100 ms, lets the step function fold it into
// the next snapshot, commits what the step said, and only then publishes the
// snapshot and acknowledges. What was acknowledged has been synced; what was
// not acknowledged never happened, but that on a disk that fails or is full what
// is seen is shown all the same and marked as not kept (unkept.go). Why the disk
// has a ballast stands in room.go, and what a clock that jumps may not do to the
// past in clock.go.
//
// There are two databases, because they live differently. state.db holds rows that
// change seldom and matter singly: the latest rows, their history, events,
// jobs and the audit chain. series.db holds numbers by the million that matter
// together. Two files are two commits, so their order is a rule: series.db
// commits first with the batch's number, state.db second, and state's number
// is the truth. What series.db holds beyond it is dropped when it is opened: but
// for batches that brought readings and nothing else, as most do, which are
// committed there alone and say so (happened in load.go). A commit whose last sync
// failed is taken back before anything else is written, see file.go.
//
// Numbers come as a batch's write-ahead values, holding every poll of that
// moment, and stay in memory in that same encoding. Most batches bring nothing
// else, and go into the journal beside series.db, where a commit is one write and
// one sync (journal.go); one in so many, and each that has more to say, is
// committed to series.db, with the housekeeping of all since. When a target's
// two-hour window has passed, what it said becomes one block: columns, each in the
// smallest of a few integer codings (merge.go), and the tiers of it are made
// (tier.go). Only where memory or journal would hold too much do rows become parts
// before, columns that are quickly coded (parts.go). There is never a key per
// sample, one column is read without the others, and nothing is compressed twice.
//
// What was true at a time is the newest version of each row that is not after
// it (rows.go), over the inventory that was in force (inventories.go). What many
// targets have in common is kept once (sets.go). A start reads state.db and the
// little of series.db that is not yet in blocks, and waits for no history
// (open_series.go).
//
// Readers never hold up the writer: snapshots lie behind an atomic pointer,
// watchers hear a bell of capacity one, and queries run in short read
// transactions of their own.
//
// What does not belong here: judgement. The step function is handed in, and
// this package knows of the engine no more than its signature. Nothing here
// formats for people or reads configuration files.
package store
