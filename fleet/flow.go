package fleet

import "time"

// Input is anything that moves the fleet on: *Observation, Decision, Reload,
// Delivered, Receipts, Tick, Summary or Remark. The same inputs in the same order give the
// same snapshots.
type Input interface{ input() }

func (*Observation) input() {}
func (Decision) input()     {}
func (Reload) input()       {}
func (Delivered) input()    {}
func (Tick) input()         {}
func (Summary) input()      {}
func (Remark) input()       {}

// Decision is what a person, or plumb on a person's behalf, decided or did:
// an audit line, a new job or a change of one, rulings about findings, the
// switch that stops everything. It is durable once applied.
type Decision struct {
	Audit   []AuditEntry
	Job     *Job
	Change  *JobChange
	Rulings []Ruling
	Freeze  *Freeze // nil: as it is; without By: thawed
	// Silences are new, or changed ones: a silence is ended by its End. Acks are
	// of alerts that are there.
	Silences []Silence
	Acks     []Acknowledgement
}

// Reload replaces the inventory. What is still there keeps what is known of it.
type Reload struct{ Inventory *Inventory }

// Delivered says that notices need no further try: their receiver said yes, or
// they are no longer worth telling. They leave the outbox with the step.
type Delivered struct{ Keys []string }

// Remark is something that happened to plumb itself and belongs into the
// timeline: its disk was full, its clock jumped. The event's target is plumb.
type Remark struct {
	Kind, Text string
	Severity   Severity
	Asserted   bool
}

// Tick lets time pass: ages are judged again.
type Tick struct{}

// Summary is what a closed block of history says of some series. Judgements
// that need the past get it this way and open no file.
type Summary struct {
	Target string
	Series []SeriesSummary
}

// SeriesSummary condenses one series over one block.
type SeriesSummary struct {
	Key            SeriesKey
	From, To       time.Time
	Count          int
	Min, Max, Mean Num
}

// Output is what a step has to say besides the next snapshot.
type Output struct {
	Changes  []Change     // rows to keep: latest and history
	Readings []Readings   // rows of numbers to keep as series
	Events   []Event      // idempotent by Target and ID
	Audit    []AuditEntry // to be numbered, chained and synced
	Jobs     []Job        // open and changed jobs
	Notices  []Notice     // for the outbox, idempotent by Key
	Nudges   []string     // targets to poll now
	Wake     time.Time    // when to tick next; zero: no need
}

// Change says that one row of one table of one target is now Value, or is gone
// where Value is nil. Rows are the fleet's memory: the latest of each row is
// the present, all of them with their times are the past, and what was true at
// T is the newest at or before T. Value is the JSON of the row's noun.
type Change struct {
	Target string
	Table  TableID
	Row    string // fact name, sensor key, ifName, outlet number, instance id ...
	At     time.Time
	Value  []byte
}

// Notice is a word to somebody outside. It is durable before the first try to
// send it and stays in the outbox until Delivered names it.
type Notice struct {
	Key      string    `json:"key"` // stable, for the receiver to know it by when it comes twice
	Receiver string    `json:"receiver"`
	At       time.Time `json:"at"`
	Expires  time.Time `json:"expires"` // when it is no longer worth telling; zero: never
	Body     []byte    `json:"body"`
}

// SeriesField says which number of a row a series follows.
type SeriesField uint8

// Fields of rows that are kept as series. Port counters follow FieldCounter in
// the order of CounterID.
const (
	FieldValue   SeriesField = iota // a sensor's value
	FieldState                      // a state, as its number
	FieldCurrent                    // an outlet's amperes
	FieldPower                      // an outlet's or a device's watts
	FieldCounter                    // + CounterID
)

// SeriesKey names a series of a target without building a string: table, row
// and field. Its text is the row for a sensor's value, else "table:row:field".
type SeriesKey struct {
	Table TableID
	Row   string
	Field SeriesField
}

// SeriesKind says how values of a series combine over time.
type SeriesKind uint8

// Kinds of series.
const (
	Gauge    SeriesKind = iota // min, max and mean
	Counter                    // running total modulo 2^64; N holds the raw bits
	Discrete                   // last and worst
)

// Kind returns how values of the series combine.
func (k SeriesKey) Kind() SeriesKind {
	switch {
	case k.Field >= FieldCounter:
		return Counter
	case k.Field == FieldState:
		return Discrete
	}
	return Gauge
}

// Readings is one moment of one target: a value per series, in the order of
// Keys. Keys is shared between moments for as long as the target's tables do
// not change, so that the store can know them by the slice's identity. A value
// that was not read is null: a gap, never a zero.
type Readings struct {
	Target string
	At     time.Time
	Keys   []SeriesKey
	Values []Num
}

// Point is one point of a series as it is read back. Over a step it carries
// the extremes and the mean; of a single sample all three are equal. It holds no
// pointer: a chart has thousands of them.
type Point struct {
	Ms             int64 // Unix milliseconds
	Min, Max, Mean Num
	Count          int
}

// At returns when it was, or when its step begins.
func (p *Point) At() time.Time { return time.UnixMilli(p.Ms).UTC() }
