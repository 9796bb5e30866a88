package cloud

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"plumb/fleet"
)

// transport is the one way to the wire: it paces and counts requests, keeps
// away from an API that asked for quiet, and bounds answers.
type transport struct {
	base     *http.Transport
	maxBody  int64
	requests atomic.Int64
	now      func() time.Time
	rate     float64 // requests a second to each API

	mu    sync.Mutex
	gates map[string]*gate // by host and API; guarded by mu, as is what is in them
}

// gate paces one API: a bucket that holds one second's worth of tokens.
type gate struct {
	tokens float64
	filled time.Time // when tokens was right
	closed time.Time // until then the API asked to be left alone
}

// maxGates bounds how many APIs are told apart; a catalog has a few.
const maxGates = 16

func newTransport(c *Config) (*transport, error) {
	tls, err := c.tls()
	if err != nil {
		return nil, err
	}
	return &transport{
		maxBody: c.Limits.BodyBytes,
		now:     time.Now,
		rate:    c.Limits.Rate,
		gates:   map[string]*gate{},
		base: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:        tls,
			TLSHandshakeTimeout:    10 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    c.Limits.Concurrency,
			MaxConnsPerHost:        2 * c.Limits.Concurrency,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}, nil
}

// client returns the HTTP client for gophercloud. It does not follow
// redirects: X-Auth-Token would go wherever they point.
func (t *transport) client() http.Client {
	return http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RoundTrip sends one request when its API's turn has come.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	g := t.gate(r)
	if wait := t.quiet(g); wait > 0 {
		return nil, fmt.Errorf("%w: it asked to be left alone for another %v", fleet.ErrBusy, wait.Round(time.Second))
	}
	if err := pause(r.Context(), t.reserve(g)); err != nil {
		return nil, err
	}
	t.requests.Add(1)
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	t.heed(g, resp)
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: t.maxBody}
	return resp, nil
}

// gate returns the gate of the API a request goes to.
func (t *transport) gate(r *http.Request) *gate {
	key := r.URL.Host
	t.mu.Lock()
	defer t.mu.Unlock()
	if api, ok := r.Context().Value(apiKey{}).(string); ok {
		key += " " + api
	}
	g := t.gates[key]
	if g == nil {
		if len(t.gates) >= maxGates {
			clear(t.gates)
		}
		g = &gate{tokens: max(1, t.rate), filled: t.now()}
		t.gates[key] = g
	}
	return g
}

// apiKey carries the API's name with a request, so that a compute that is
// overloaded does not silence the placement beside it on the same host.
type apiKey struct{}

// reserve takes a token and says how long to wait until it is there.
func (t *transport) reserve(g *gate) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	g.tokens = min(max(1, t.rate), g.tokens+t.rate*now.Sub(g.filled).Seconds()) - 1
	g.filled = now
	return time.Duration(-g.tokens / t.rate * float64(time.Second))
}

// pause waits, or ends with ctx.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *transport) quiet(g *gate) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return g.closed.Sub(t.now())
}

// heed closes the gate for as long as an overloaded API asks.
func (t *transport) heed(g *gate, resp *http.Response) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return
	}
	s, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || s <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	g.closed = t.now().Add(min(time.Duration(min(s, 1<<20))*time.Second, maxRetryAfter))
}

func (t *transport) close() { t.base.CloseIdleConnections() }

// boundedBody ends with an error where an answer is longer than allowed.
type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if n, err := b.ReadCloser.Read(make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, fmt.Errorf("%w: the answer is too large", fleet.ErrProtocol)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
