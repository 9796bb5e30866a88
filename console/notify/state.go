package notify

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// Results are what tries and notices come to, as they are counted.
const (
	ResultSent            = "sent"     // the receiver said yes
	ResultRetried         = "retried"  // a try that was not taken and is made again
	ResultRefused         = "refused"  // for good
	ResultExpired         = "expired"  // no longer worth telling
	ResultDropped         = "dropped"  // too many waited
	ResultReplaced        = "replaced" // a later one says all of it
	ResultHeartbeat       = "heartbeat"
	ResultHeartbeatFailed = "heartbeat_failed"
	ResultResent          = "resent" // what fires was said again
	ResultResendFailed    = "resend_failed"
)

// State is how it goes with one receiver.
type State struct {
	Name, Kind string // kind "" where it is not configured any more
	Waiting    int
	Oldest     time.Time // when the first of what waits was said
	LastOK     time.Time // the last yes to a notice
	LastError  string    // of the last try that failed
	LastFailed time.Time
	Failing    time.Time // since when nothing is taken; zero: it goes well
	NextTry    time.Time // zero: nothing is waited for
	Heartbeat  time.Duration
	LastBeat   time.Time         // the last heartbeat that was taken
	Counts     map[string]uint64 // by result
	// Stuck are the notices that were tried and not taken, the oldest first: the
	// one whose turn it is, and those that were set aside for others.
	Stuck []Stuck
}

// Stuck is a notice that is tried again and again.
type Stuck struct {
	Key   string
	What  string // its subject
	Since time.Time
	Tries int
	Error string // what the last try came to
	Aside bool   // others go on without it
}

// tally is what is kept of a receiver. It outlives its worker over a reload.
type tally struct {
	sync.Mutex // guards what follows
	s          State
	finals     int              // refusals for good in a row
	tried      map[string]Stuck // by key
}

// enoughFinals in a row is a receiver that takes nothing.
const enoughFinals = 3

func newTally(name string) *tally {
	return &tally{s: State{Name: name, Counts: map[string]uint64{}}, tried: map[string]Stuck{}}
}

func (t *tally) count(result string) {
	t.Lock()
	defer t.Unlock()
	t.s.Counts[result]++
}

// yes notes that a notice was taken, and reports whether it went ill before.
func (t *tally) yes(now time.Time) (turned bool) {
	t.Lock()
	defer t.Unlock()
	t.s.Counts[ResultSent]++
	turned = !t.s.Failing.IsZero()
	t.s.LastOK, t.s.Failing, t.s.NextTry, t.finals = now, time.Time{}, time.Time{}, 0
	return turned
}

// no notes a try that failed: it went ill since it began, where it went well
// before. It reports whether that is new.
func (t *tally) no(began, now time.Time, r *Refusal, next time.Time) (turned bool) {
	t.Lock()
	defer t.Unlock()
	t.s.LastError, t.s.LastFailed, t.s.NextTry = r.Why, now, next
	if r.Verdict == Final {
		t.s.NextTry = time.Time{}
		if t.finals++; t.finals < enoughFinals {
			return false
		}
	} else {
		t.s.Counts[ResultRetried]++
	}
	if t.s.Failing.IsZero() {
		t.s.Failing = began
		return true
	}
	return false
}

// idle notes that nothing waits: then nobody is kept waiting. It reports whether
// that is new.
func (t *tally) idle() (turned bool) {
	t.Lock()
	defer t.Unlock()
	if t.s.Failing.IsZero() || t.finals >= enoughFinals {
		return false
	}
	t.s.Failing, t.s.NextTry = time.Time{}, time.Time{}
	return true
}

func (t *tally) beat(now time.Time, r *Refusal, ok, failed string) {
	t.Lock()
	defer t.Unlock()
	if r != nil {
		t.s.Counts[failed]++
		t.s.LastError, t.s.LastFailed = r.Why, now
		return
	}
	t.s.Counts[ok]++
	if ok == ResultHeartbeat {
		t.s.LastBeat = now
	}
}

// stuck notes that a notice is not taken; nil: that it is done with.
func (t *tally) stuck(key string, x *Stuck) {
	t.Lock()
	defer t.Unlock()
	if x == nil {
		delete(t.tried, key)
		return
	}
	t.tried[key] = *x
}

// unstuck forgets a notice whose turn is over, but for one that was set aside.
func (t *tally) unstuck(key string) {
	t.Lock()
	defer t.Unlock()
	if !t.tried[key].Aside {
		delete(t.tried, key)
	}
}

// unstick forgets all of them: the worker that tried them ends.
func (t *tally) unstick() {
	t.Lock()
	defer t.Unlock()
	clear(t.tried)
}

// again notes a try of a notice that was set aside and is not taken now either.
// It says nothing of the receiver, which takes others.
func (t *tally) again(r *Refusal, x *Stuck) {
	t.Lock()
	defer t.Unlock()
	t.s.Counts[ResultRetried]++
	t.s.LastError, t.s.LastFailed = r.Why, time.Now()
	t.tried[x.Key] = *x
}

func (t *tally) state() State {
	t.Lock()
	defer t.Unlock()
	s := t.s
	s.Counts = maps.Clone(s.Counts)
	s.Stuck = slices.SortedFunc(maps.Values(t.tried), func(a, b Stuck) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Key, b.Key)) })
	return s
}
