package health

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

// maxRedirects is how many redirects are followed where any is.
const maxRedirects = 5

var (
	errLoop  = errors.New("it redirects in a circle")
	errAway  = errors.New("it redirects to another host")
	errClear = errors.New("it redirects from https to http")
)

// client is one that comes new each time, without a proxy of the environment.
func client(c *Config, t *tls.Config) *http.Client {
	return &http.Client{
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch first := via[0]; {
			case !c.Follow:
				return http.ErrUseLastResponse
			case len(via) > maxRedirects:
				return errLoop
			case first.URL.Scheme == "https" && r.URL.Scheme != "https":
				return errClear
			case !near(first.URL, r.URL):
				return errAway
			}
			return nil
		},
		Transport: &http.Transport{
			TLSClientConfig: t, ForceAttemptHTTP2: true, DisableKeepAlives: true, DisableCompression: true,
			DialContext: (&net.Dialer{KeepAlive: -1}).DialContext, MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// near reports whether a redirect stays with who was asked: the same host and
// port, or from http to https where both have the usual one.
func near(from, to *url.URL) bool {
	usual := map[string]string{"http": "80", "https": "443"}
	was, is := cmp.Or(from.Port(), usual[from.Scheme]), cmp.Or(to.Port(), usual[to.Scheme])
	upward := from.Scheme == "http" && to.Scheme == "https" && was == "80" && is == "443"
	return strings.EqualFold(from.Hostname(), to.Hostname()) && (was == is || upward)
}

// request is a GET with the headers and the credential, and what of it must not
// come back in any text.
func (p *Probe) request(ctx context.Context, at string) (r *http.Request, hide hidden, err error) {
	hide = p.hide("")
	if r, err = http.NewRequestWithContext(ctx, http.MethodGet, at, nil); err != nil {
		return nil, hide, fmt.Errorf("%w: the address", fleet.ErrUnsupported)
	}
	r.Header.Set("User-Agent", "plumb")
	for name, value := range p.cfg.Headers {
		if strings.EqualFold(name, "Host") {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	if p.cfg.Password == nil {
		return r, hide, nil
	}
	secret, err := p.cfg.Password(ctx)
	if err != nil {
		return nil, hide, fmt.Errorf("%w: %w", fleet.ErrUnsupported, err) // not ErrAuth: nobody refused anything
	}
	switch {
	case p.cfg.Header != "":
		r.Header.Set(p.cfg.Header, secret)
	case p.cfg.Username != "":
		r.SetBasicAuth(p.cfg.Username, secret)
	default:
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	return r, p.hide(secret), nil
}

// page asks for a page, as a user's browser would.
func (p *Probe) page(ctx context.Context) said {
	r, hide, err := p.request(ctx, p.cfg.Address)
	if err != nil {
		return said{blind: true, err: err, hide: hide}
	}
	x := p.read(r, hide)
	x.hide = hide
	return x
}

func (p *Probe) read(r *http.Request, hide hidden) said {
	began := time.Now()
	answer, err := p.client.Do(r)
	if err != nil {
		for _, e := range []error{errLoop, errAway, errClear} {
			if errors.Is(err, e) {
				return said{state: fleet.StateCrit, text: e.Error(), took: time.Since(began)}
			}
		}
		return failure(err, p.cfg.Timeout)
	}
	defer answer.Body.Close()
	x := said{state: fleet.StateOK, text: "HTTP " + strconv.Itoa(answer.StatusCode), took: time.Since(began), facts: certificate(answer.TLS)}
	switch {
	case p.wanted(answer.StatusCode):
	case p.refused(answer.StatusCode):
		y := blind(fleet.ErrAuth, "HTTP %d", answer.StatusCode)
		y.facts = x.facts
		return y
	default:
		x.state = fleet.StateCrit
		x.text += " " + http.StatusText(answer.StatusCode)
		if words := firstWords(answer, hide); words != "" {
			x.text += ": " + words
		}
		return x
	}
	if p.cfg.Body == "" {
		return x
	}
	found, err := holds(answer.Body, p.cfg.Body)
	switch {
	case err != nil:
		y := failure(err, p.cfg.Timeout)
		y.facts, y.text = x.facts, x.text+", and then "+y.text
		return y
	case !found:
		x.state, x.text = fleet.StateCrit, x.text+", without the text that is expected in it"
	}
	x.took = time.Since(began)
	return x
}

// refused reports whether a status is about the credential: then nobody knows how
// the workload is.
func (p *Probe) refused(status int) bool {
	return p.cfg.Password != nil && (status == http.StatusUnauthorized || status == http.StatusForbidden)
}

func (p *Probe) wanted(status int) bool {
	if len(p.cfg.Statuses) == 0 {
		return status >= 200 && status <= 299
	}
	for _, r := range p.cfg.Statuses {
		if status >= r.From && status <= r.To {
			return true
		}
	}
	return false
}

// certificate is until when the server's certificate is good.
func certificate(t *tls.ConnectionState) (f fleet.Facts) {
	if t != nil && len(t.PeerCertificates) > 0 {
		f.Set(fleet.FactTLSExpires, t.PeerCertificates[0].NotAfter.UTC().Format(time.RFC3339))
	}
	return f
}

// firstWords is the first line of a page that is plain text: what a workload
// says about itself when it says 503.
func firstWords(answer *http.Response, hide hidden) string {
	b, _ := io.ReadAll(io.LimitReader(answer.Body, fleet.MaxText))
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	if strings.HasPrefix(line, "<") {
		return ""
	}
	return hide.clean(line, 120)
}

// holds reports whether the beginning of a page holds a text. It stops reading
// when it does.
func holds(body io.Reader, text string) (bool, error) {
	body = io.LimitReader(body, maxBody)
	var seen []byte
	chunk := make([]byte, 4<<10)
	for {
		n, err := body.Read(chunk)
		from := max(0, len(seen)-len(text)+1)
		seen = append(seen, chunk[:n]...)
		switch {
		case bytes.Contains(seen[from:], []byte(text)):
			return true, nil
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		}
	}
}
