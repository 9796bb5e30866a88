package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Probe looks at one target. A value of it is owned by one goroutine at a
// time; the scheduler never polls one target twice at once.
//
// Observe always returns an observation with Target, Source, Lane, At and
// Tables set, also when the target could not be read: the failure stands in
// Observation.Err and in the tables' completeness. Its error return says only
// that ctx was cancelled before there was anything to say. ctx carries the
// target's deadline.
type Probe interface {
	Observe(ctx context.Context, lane Lane) (*Observation, error)
	Close() error
}

// Actor changes one target; a Probe may also be an Actor. Act is called with
// one action that has passed every guard and is in the audit log. It never
// retries what is not idempotent. The error is a *ProbeError; with it the
// Outcome says what is known to have happened all the same.
type Actor interface {
	Act(ctx context.Context, a Action) (Outcome, error)
}

// Why a look at a target failed. Each wire maps its own failures to these.
var (
	ErrUnreachable = errors.New("unreachable")   // nothing there: refused, no route, no answer to the first packet
	ErrTimeout     = errors.New("timeout")       // it was there and stopped answering, or the deadline passed
	ErrAuth        = errors.New("auth")          // it answers, and refuses these credentials
	ErrBusy        = errors.New("busy")          // it answers, and has no session or resource free
	ErrUnsupported = errors.New("unsupported")   // it answers, and cannot do this
	ErrProtocol    = errors.New("protocol")      // it answers nonsense
	errOther       = errors.New("unknown error") // read back from text
)

var probeKinds = []error{ErrUnreachable, ErrTimeout, ErrAuth, ErrBusy, ErrUnsupported, ErrProtocol}

// ProbeError says which step of a look at which target failed and why. Err
// wraps one of the sentinels above, so errors.Is works through it.
type ProbeError struct {
	Target string
	Op     string // the wire's word for the step: "open session", "get IF-MIB"
	Err    error
}

func (e *ProbeError) Error() string { return fmt.Sprintf("%s: %s: %v", e.Target, e.Op, e.Err) }

// Unwrap returns the reason. It is nil for a nil *ProbeError, so that
// errors.Is(observation.Err, ...) is safe where nothing failed.
func (e *ProbeError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Kind returns the word of the sentinel it wraps: unreachable, timeout, auth,
// busy, unsupported or protocol.
func (e *ProbeError) Kind() string { return kindOf(e.Err).Error() }

func kindOf(err error) error {
	for _, k := range probeKinds {
		if errors.Is(err, k) {
			return k
		}
	}
	return ErrProtocol
}

type probeErrorJSON struct {
	Op      string `json:"op"`
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// MarshalJSON writes {op, kind, message}.
func (e *ProbeError) MarshalJSON() ([]byte, error) {
	return json.Marshal(probeErrorJSON{e.Op, e.Kind(), Clean(e.Err.Error(), 4*MaxText)})
}

// UnmarshalJSON reads what MarshalJSON wrote; the target is the observation's.
func (e *ProbeError) UnmarshalJSON(b []byte) error {
	var j probeErrorJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	kind := errOther
	for _, k := range probeKinds {
		if k.Error() == j.Kind {
			kind = k
		}
	}
	*e = ProbeError{Op: j.Op, Err: &wireError{text: j.Message, kind: kind}}
	return nil
}

// wireError keeps a message as it was written and the kind it had.
type wireError struct {
	text string
	kind error
}

func (e *wireError) Error() string { return e.text }
func (e *wireError) Unwrap() error { return e.kind }
