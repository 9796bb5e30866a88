package fleet

import "time"

// QueryKind says what a query asks the memory for.
type QueryKind uint8

// Queries.
const (
	QuerySeries  QueryKind = iota // Points of Target/Key from Until-Span to Until, one per Step
	QueryEvents                   // Events of Target ("" for all), newest first
	QueryAudit                    // audit entries, newest first
	QueryJobs                     // jobs, newest first
	QueryHistory                  // changes of the rows of Target's Table
	QueryDerived                  // what the judgement Target makes of the whole fleet
)

// Query names a piece of history. It is comparable, so that answers can be
// kept by it. A view says which it needs and never fetches it: the session
// does, off the screen's loop. Times are relative to the frame's time, so that
// the same view asks the same query from second to second.
type Query struct {
	Kind   QueryKind
	Target string
	Key    SeriesKey
	Table  TableID
	Span   time.Duration
	Step   time.Duration // 0: as stored
	Limit  int           // 0: the store's own bound
	Arg    string        // what a judgement is asked about
}

// Answer is what a query found. One of the slices is set, by the kind. Seam
// says that the oldest asked time lies before what is kept.
//
// Err says why there is no answer. Lost says what of it is damaged and left out:
// what stands is the rest.
type Answer struct {
	Points  []Point
	Events  []Event
	Audit   []AuditEntry
	Jobs    []Job
	Changes []Change
	Derived any // as its judgement says
	Seam    bool
	Lost    error
	Err     error
}
