package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"plumb/fleet"
)

// Sender hands messages to one receiver. It may be called from several
// goroutines at once.
type Sender interface {
	// Send hands one message over and returns the receiver's own words. An error
	// is a *Refusal where the sender knows what it means; of any other one
	// [judge] finds out. Neither holds a secret.
	Send(ctx context.Context, m *Message) (answer string, err error)
}

// closer is a Sender that keeps something open.
type closer interface{ Close() }

// refresher is a Sender whose receiver forgets what is not said again.
type refresher interface {
	// Refresh says again what still fires. It asks for that itself, so that it is
	// not older than the last message that was sent, and returns how much it said.
	Refresh(ctx context.Context, standing func() []fleet.Pages) (said int, err error)
}

// Verdict says what is to become of a message that was not taken.
type Verdict int

// Verdicts.
const (
	Retry Verdict = iota // the receiver, or the way to it, may be better in a moment
	Mend                 // nothing will be taken until a person mends something: kept, and tried slowly
	Final                // this message will never be taken; the next one may be
)

// Refusal is an answer that is not yes.
type Refusal struct {
	Verdict Verdict
	After   time.Duration // the receiver asked for that long; 0: it did not
	Why     string        // the receiver's own words, bounded, or ours
	// Answered says that it was the receiver that failed at this message, and not
	// the way to it, nor that it is too busy for any.
	Answered bool
	err      error
}

func (r *Refusal) Error() string { return r.Why }
func (r *Refusal) Unwrap() error { return r.err }

// maxAnswer bounds what is kept of a receiver's words, in characters.
const maxAnswer = 300

func refusal(v Verdict, why string) *Refusal {
	return &Refusal{Verdict: v, Why: fleet.Clean(why, maxAnswer)}
}

// mend marks an error as one that a person has to mend.
func mend(err error) error {
	return &Refusal{Verdict: Mend, Why: fleet.Clean(err.Error(), maxAnswer), err: err}
}

// judge makes a refusal of an error: a certificate that is not trusted wants a
// person, everything else another try.
func judge(ctx context.Context, err error) *Refusal {
	var r *Refusal
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &r):
		return r
	case errors.As(err, &verify), errors.As(err, &unknown), errors.As(err, &host):
		r = refusal(Mend, err.Error())
	case ctx.Err() != nil && !errors.Is(err, context.Canceled):
		r = refusal(Retry, "no answer in time")
	default:
		r = refusal(Retry, err.Error())
	}
	r.err = err
	return r
}

// words are what a receiver said, bounded and without secrets: it may say what
// it was told. Secrets are looked for in what will be shown: what is dropped from
// between their letters must not bring them back, nor a cut leave half of one.
func words(text string, secrets ...string) string {
	return fleet.Clean(fleet.Scrub(fleet.Clean(text, maxRead), secrets...), maxAnswer)
}
