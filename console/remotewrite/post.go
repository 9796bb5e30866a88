package remotewrite

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/s2"

	"plumb/console/post"
	"plumb/fleet"
)

// refused is a receiver's no to what is in a request. To send it again would be
// answered the same.
type refused struct {
	status int
	text   string
}

func (r *refused) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.text) }

// busy is a receiver's word about when to come again.
type busy struct {
	error
	after time.Duration // 0: it did not say
}

// Bounds of what is taken from a receiver.
const (
	maxAnswer = 4 << 10
	maxAfter  = 5 * time.Minute
)

func newClient(c *Config) *http.Client {
	client := post.Client(c.TLS)
	client.Timeout = c.Timeout
	return client
}

// post sends a body once. An error that is not *refused is worth another try.
func (w *Writer) post(ctx context.Context, body []byte) error {
	w.packed = s2.EncodeSnappy(w.packed[:cap(w.packed)], body)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cfg.URL.String(), bytes.NewReader(w.packed))
	if err != nil {
		return err
	}
	secret, err := w.introduce(ctx, r)
	if err != nil {
		return err
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return post.Plain(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxAnswer)) // it is only for people
	// It may say what it was told.
	said := fleet.Scrub(fleet.Clean(string(text), maxAnswer), secret, strings.TrimPrefix(r.Header.Get("Authorization"), "Basic "))
	return verdict(answer, said)
}

// introduce sets the headers of the protocol, and who we are; what nobody may
// read it returns.
func (w *Writer) introduce(ctx context.Context, r *http.Request) (secret string, err error) {
	for name, value := range w.cfg.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("Content-Encoding", "snappy")
	r.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	r.Header.Set("User-Agent", "plumb")
	if w.cfg.Password == nil {
		return "", nil
	}
	secret, err = w.cfg.Password(ctx)
	switch {
	case err != nil:
		return "", err
	case w.cfg.Username != "":
		r.SetBasicAuth(w.cfg.Username, secret)
	default:
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	return secret, nil
}

// verdict reads an answer. A receiver that does not let us in, or is not where
// we thought, says nothing about the samples: somebody will mend that, and they
// wait.
func verdict(a *http.Response, said string) error {
	if a.StatusCode/100 == 2 {
		return nil
	}
	why := fleet.Clean(said, 200)
	switch a.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired,
		http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
	default:
		if a.StatusCode/100 == 4 {
			return &refused{a.StatusCode, why}
		}
	}
	return &busy{fmt.Errorf("status %d: %s", a.StatusCode, why), post.RetryAfter(a.Header, time.Now(), maxAfter)}
}
