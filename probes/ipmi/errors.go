package ipmi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"plumb/fleet"
)

// completion is the code in front of every answer (section 5.2, table 5-2).
type completion uint8

const (
	ccOK             completion = 0x00
	ccNodeBusy       completion = 0xc0
	ccInvalidCommand completion = 0xc1
	ccInvalidLUN     completion = 0xc2
	ccTimeout        completion = 0xc3
	ccOutOfSpace     completion = 0xc4
	ccReservation    completion = 0xc5
	ccTruncated      completion = 0xc6
	ccLength         completion = 0xc7
	ccFieldLength    completion = 0xc8
	ccRange          completion = 0xc9
	ccTooMany        completion = 0xca
	ccNotPresent     completion = 0xcb
	ccInvalidField   completion = 0xcc
	ccIllegal        completion = 0xcd
	ccUpdating       completion = 0xd0
	ccInitialising   completion = 0xd2
	ccPrivilege      completion = 0xd4
	ccState          completion = 0xd5
	ccDisabled       completion = 0xd6
	ccUnspecified    completion = 0xff
)

var completionWords = map[completion]string{
	ccNodeBusy:       "node busy",
	ccInvalidCommand: "command not known",
	ccInvalidLUN:     "command not known to this LUN",
	ccTimeout:        "timed out inside the BMC",
	ccOutOfSpace:     "out of space",
	ccReservation:    "reservation lost",
	ccTruncated:      "request truncated",
	ccLength:         "request length",
	ccFieldLength:    "field length",
	ccRange:          "out of range",
	ccTooMany:        "cannot return that many bytes",
	ccNotPresent:     "not present",
	ccInvalidField:   "invalid field",
	ccIllegal:        "illegal for this sensor or record",
	ccUpdating:       "records are being updated",
	ccInitialising:   "BMC is initialising",
	ccPrivilege:      "privilege too low",
	ccState:          "not possible in the present state",
	ccDisabled:       "disabled",
	ccUnspecified:    "unspecified error",
}

func (c completion) String() string {
	if w, ok := completionWords[c]; ok {
		return w
	}
	return fmt.Sprintf("completion code %02xh", uint8(c))
}

// kind maps a completion code to why a probe fails.
func (c completion) kind() error {
	switch c {
	case ccNodeBusy, ccOutOfSpace, ccUpdating, ccInitialising, ccTimeout, ccReservation:
		return fleet.ErrBusy
	case ccPrivilege:
		return fleet.ErrAuth
	case ccInvalidCommand, ccInvalidLUN, ccNotPresent, ccState, ccDisabled, ccIllegal, ccInvalidField, ccRange:
		return fleet.ErrUnsupported
	}
	return fleet.ErrProtocol
}

// refusal is an answer with a completion code other than 0.
type refusal struct{ code completion }

func (e *refusal) Error() string { return e.code.String() }
func (e *refusal) Unwrap() error { return e.code.kind() }

// refusedWith reports whether err is a refusal with one of these codes.
func refusedWith(err error, codes ...completion) bool {
	var r *refusal
	if !errors.As(err, &r) {
		return false
	}
	for _, c := range codes {
		if r.code == c {
			return true
		}
	}
	return false
}

// opError is an error with the step it happened in; probeError takes it apart.
type opError struct {
	op  string
	err error
}

func (e *opError) Error() string { return e.op + ": " + e.err.Error() }
func (e *opError) Unwrap() error { return e.err }

// fail makes the error of a step: kind is one of fleet's sentinels.
func fail(op string, kind error, why string) error {
	return &opError{op, fmt.Errorf("%w: %s", kind, why)}
}

// netError classifies what the socket said. Nothing that was sent or known
// (no address, no user) is in it.
func netError(ctx context.Context, op string, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctxError(ctx, op)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fail(op, fleet.ErrUnreachable, "nothing listens there")
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return fail(op, fleet.ErrUnreachable, "the name does not resolve")
	}
	return fail(op, fleet.ErrUnreachable, "cannot send")
}

// ctxError says that the caller's deadline passed or that it gave up. Both
// are found by errors.Is: fleet.ErrTimeout, and context's own error.
func ctxError(ctx context.Context, op string) error {
	return &opError{op, fmt.Errorf("%w: %w", fleet.ErrTimeout, context.Cause(ctx))}
}

// probeError gives an error its target and its typed form.
func (b *BMC) probeError(err error) *fleet.ProbeError {
	if err == nil {
		return nil
	}
	op, inner := "observe", err
	var o *opError
	if errors.As(err, &o) {
		op, inner = o.op, o.err
	}
	for _, k := range []error{fleet.ErrUnreachable, fleet.ErrTimeout, fleet.ErrAuth, fleet.ErrBusy, fleet.ErrUnsupported, fleet.ErrProtocol} {
		if errors.Is(inner, k) {
			return &fleet.ProbeError{Target: b.cfg.Target, Op: op, Err: inner}
		}
	}
	return &fleet.ProbeError{Target: b.cfg.Target, Op: op, Err: fmt.Errorf("%w: %w", fleet.ErrProtocol, inner)}
}
