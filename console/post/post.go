// Package post holds what plumb's messengers have in common when they post to a
// receiver over HTTP: alerts to webhooks, readings to engines that keep them.
//
// The one idea: what is posted, and the secrets with it, goes where the file says
// and nowhere else. No redirect is followed, an error does not name the address,
// and what a receiver says is bounded.
//
// What does not belong here: what an answer means. Whether a refusal is final is
// judged by who sent it.
package post

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client returns a client for one receiver, whose connections are kept. c is its
// own from now on; nil: as the system has it.
func Client(c *tls.Config) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: c, ForceAttemptHTTP2: true,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second, MaxIdleConnsPerHost: 2, MaxConnsPerHost: 4, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// Plain is what went wrong without the address, which may hold a secret.
func Plain(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// RetryAfter reads the header of that name, seconds or a date (RFC 9110 section
// 10.2.3): how long to wait, most at the most; 0: it says none.
func RetryAfter(header http.Header, now time.Time, most time.Duration) time.Duration {
	text, after := header.Get("Retry-After"), time.Duration(0)
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32); err == nil {
		after = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(text); err == nil {
		after = t.Sub(now)
	}
	return min(max(after, 0), most)
}
