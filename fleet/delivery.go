package fleet

import "time"

// What waits to be told outside, and how it goes with those who are told.

// Queued is a notice in the outbox with its place there.
type Queued struct {
	Seq uint64 // grows in the order in which they were said
	Notice
}

// Waiting is what is known of a notice in the outbox without reading it.
type Waiting struct {
	Seq     uint64
	Key     string
	At      time.Time
	Expires time.Time // zero: never
}

// Backlog is what waits for one receiver.
type Backlog struct {
	Receiver string
	Waiting  int
	Oldest   time.Time // when the first of them was said
	Newest   uint64    // the place of the last of them
}

// Receipts says how it goes with the receivers, all of them. Those who send say
// it when it changes.
type Receipts struct{ Receivers []ReceiverState }

func (Receipts) input() {}

// ReceiverState is how it goes with one receiver.
type ReceiverState struct {
	Name, Kind string
	// Failing is since when nothing could be delivered, though something waits;
	// zero: nothing waits, or it goes well.
	Failing time.Time
	Waiting int       // as of when that changed last
	Oldest  time.Time // when the first of what waits was said
	Error   string    // the last try's
}

// Undelivered is the receiver for whom what it was told at a time still waits,
// because it takes nothing; nil: it has it, as far as is known. What waits leaves
// in the order in which it was said.
func (s *Snapshot) Undelivered(receiver string, at time.Time) *ReceiverState {
	for i := range s.Receivers {
		if r := &s.Receivers[i]; r.Name == receiver && !r.Failing.IsZero() && !r.Oldest.IsZero() && !at.Before(r.Oldest) {
			return r
		}
	}
	return nil
}
