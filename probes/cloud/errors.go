package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"plumb/fleet"
)

// StatusError is an answer that refuses. It unwraps to a sentinel of fleet.
type StatusError struct {
	API    string // identity compute placement network
	Status int    // HTTP status
	Text   string // the API's own words, cleaned
	After  time.Duration
	kind   error
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("%v: %s answered %d", e.kind, e.API, e.Status)
	if e.Text != "" {
		s += ": " + e.Text
	}
	if e.After > 0 {
		s += fmt.Sprintf(" (asks to wait %v)", e.After)
	}
	return s
}

func (e *StatusError) Unwrap() error { return e.kind }

// RetryAfter is how long the API asks to be left alone; zero: it did not say.
func (e *StatusError) RetryAfter() time.Duration { return e.After }

// maxRetryAfter bounds what an API may ask for, so that a wrong header does
// not blind us for a day.
const maxRetryAfter = 5 * time.Minute

// denied reports an answer that says: you may not see this.
func denied(err error) bool {
	var e *StatusError
	return errors.As(err, &e) && e.Status == http.StatusForbidden
}

// statusKind maps an HTTP status to what it means for a look at the target.
func statusKind(status int) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fleet.ErrAuth
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusGone, http.StatusNotImplemented:
		return fleet.ErrUnsupported
	case http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return fleet.ErrBusy // Nova before 2.1 answers 413 when a rate is exceeded
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return fleet.ErrUnreachable // a proxy answers for an API that is not there
	}
	return fleet.ErrProtocol
}

// classify turns what net/http and gophercloud return into an error around one
// of fleet's sentinels. A cancelled context is returned as it is.
func classify(api string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var reauth *gophercloud.ErrUnableToReauthenticate
	if errors.As(err, &reauth) { // it does not unwrap; the login's own failure is the cause
		return classify("identity", reauth.ErrReauth)
	}
	var code gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &code) {
		return fromStatus(api, &code)
	}
	for _, kind := range []error{fleet.ErrUnreachable, fleet.ErrTimeout, fleet.ErrAuth, fleet.ErrBusy, fleet.ErrUnsupported, fleet.ErrProtocol} {
		if errors.Is(err, kind) {
			return withoutURL(err)
		}
	}
	return fmt.Errorf("%w: %s: %v", netKind(err), api, withoutURL(err))
}

// netKind tells what a failure below HTTP means.
func netKind(err error) error {
	var (
		op  *net.OpError
		dns *net.DNSError
		nt  net.Error
	)
	switch {
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return fleet.ErrUnreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &nt) && nt.Timeout():
		return fleet.ErrTimeout
	}
	return fleet.ErrProtocol // half an answer, no JSON, a bad certificate
}

// withoutURL drops the URL that net/http puts before every error: it says
// nothing that the step's name does not, and hides the cause.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the answer ends in the middle")
	}
	return err
}

func fromStatus(api string, code *gophercloud.ErrUnexpectedResponseCode) error {
	e := &StatusError{API: api, Status: code.Actual, kind: statusKind(code.Actual)}
	if api != "identity" { // what Keystone says could repeat what it was sent
		e.Text = messageOf(code.Body)
	}
	if s, err := strconv.Atoi(code.ResponseHeader.Get("Retry-After")); err == nil && s > 0 {
		e.After = min(time.Duration(min(s, 1<<20))*time.Second, maxRetryAfter)
	}
	return e
}

// messageOf finds the words for people in the error bodies of the services:
// {"KIND": {"message": ...}} or {"errors": [{"detail": ...}]}.
func messageOf(body []byte) string {
	var top map[string]json.RawMessage
	if json.Unmarshal(body, &top) != nil {
		return ""
	}
	for _, raw := range top {
		var one struct{ Message string }
		var many []struct{ Detail string }
		if json.Unmarshal(raw, &one) == nil && one.Message != "" {
			return strings.TrimSuffix(fleet.Clean(one.Message, fleet.MaxText), ".")
		}
		if json.Unmarshal(raw, &many) == nil && len(many) > 0 {
			return strings.TrimSuffix(fleet.Clean(many[0].Detail, fleet.MaxText), ".")
		}
	}
	return ""
}
