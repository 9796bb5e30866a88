package export

import "time"

// Receiver is how it goes with one who is told of alerts.
type Receiver struct {
	Name       string     `json:"name"`
	Kind       string     `json:"kind"`  // empty: not configured any more
	State      string     `json:"state"` // ok, failing, idle (nothing was told yet) or gone
	Waiting    int        `json:"waiting"`
	OldestS    *int64     `json:"oldest_s"`
	LastOK     *time.Time `json:"last_ok"`
	Sent       uint64     `json:"sent"`
	Retried    uint64     `json:"retried"`
	Failed     uint64     `json:"failed"` // refused for good, expired or dropped
	LastError  string     `json:"last_error"`
	LastFailed *time.Time `json:"last_failed"`
	FailingS   *int64     `json:"failing_s"`
	NextTry    *time.Time `json:"next_try"`
	LastBeat   *time.Time `json:"last_heartbeat"`
	// StuckOn is the oldest notice that was tried and is not taken; SetAside are
	// how many wait by themselves while others go on.
	StuckOn    string `json:"stuck_on"`
	StuckTries int    `json:"stuck_tries"`
	StuckError string `json:"stuck_error"`
	SetAside   int    `json:"set_aside"`
}

// Receipt is what a receiver's row is made of.
type Receipt struct {
	Name, Kind                 string
	Waiting                    int
	Oldest, LastOK, LastFailed time.Time
	Failing, NextTry, LastBeat time.Time
	Error                      string
	Sent, Retried, Failed      uint64
	StuckOn, StuckError        string
	StuckTries, SetAside       int
}

// ReceiverOf is the row of a receiver.
func ReceiverOf(r *Receipt, now time.Time) Receiver {
	state := "ok"
	switch {
	case r.Kind == "":
		state = "gone"
	case !r.Failing.IsZero():
		state = "failing"
	case r.LastOK.IsZero() && r.LastBeat.IsZero():
		state = "idle"
	}
	x := Receiver{Name: r.Name, Kind: r.Kind, State: state, Waiting: r.Waiting, OldestS: age(now, r.Oldest), LastOK: when(r.LastOK), Sent: r.Sent, Retried: r.Retried, Failed: r.Failed,
		LastError: r.Error, LastFailed: when(r.LastFailed), FailingS: age(now, r.Failing), LastBeat: when(r.LastBeat),
		StuckOn: r.StuckOn, StuckError: r.StuckError, StuckTries: r.StuckTries, SetAside: r.SetAside}
	if r.NextTry.After(now) {
		x.NextTry = when(r.NextTry)
	}
	return x
}
