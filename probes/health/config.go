package health

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"plumb/fleet"
)

// Secret fetches a secret when it is needed. Its text is part of no error.
type Secret = func(ctx context.Context) (string, error)

// Config is one workload to ask.
type Config struct {
	Target string // the service's name
	fleet.HealthSpec
	// Username and Password are for Basic; a Password alone is a bearer token,
	// or what HealthSpec.Header carries. nil: none.
	Username string
	Password Secret
}

// ErrConfig says that a configuration cannot work.
var ErrConfig = errors.New("bad configuration")

// DefaultTimeout is how long a workload may take where nobody says.
const DefaultTimeout = 5 * time.Second

// Bounds of what is taken and given.
const (
	MaxTimeout = time.Minute
	MaxEvery   = time.Hour
	maxBody    = 256 << 10 // bytes of a page that are searched
	maxAnswer  = 1 << 20   // bytes of Prometheus' answer
	maxQuery   = 4 << 10
)

// Fault is what is wrong with one setting of a HealthSpec.
type Fault struct {
	Key string // as the file calls it: http, body ...
	Why string
}

func (f *Fault) Error() string { return f.Key + ": " + f.Why }

// Unwrap makes every fault an ErrConfig.
func (f *Fault) Unwrap() error { return ErrConfig }

// Check reports the first thing in a spec that cannot work, as a *Fault.
func Check(h *fleet.HealthSpec) error {
	bad := func(key, format string, args ...any) error { return &Fault{key, fmt.Sprintf(format, args...)} }
	key := string(h.Kind)
	switch h.Kind {
	case fleet.HealthHTTP, fleet.HealthPrometheus:
		if why := badURL(h.Address); why != "" {
			return bad(key, "%s", why)
		}
	case fleet.HealthTCP:
		host, port, err := net.SplitHostPort(h.Address)
		if n, e := strconv.Atoi(port); err != nil || host == "" || e != nil || n < 1 || n > 65535 {
			return bad(key, "%q is not host:port", fleet.Clean(h.Address, 80))
		}
	case fleet.HealthExec:
		if len(h.Command) == 0 || h.Command[0] == "" {
			return bad(key, "names no program")
		}
	default:
		return bad("health", "%q is none of http, tcp, exec and prometheus", fleet.Clean(key, 40))
	}
	web, page := h.Kind == fleet.HealthHTTP || h.Kind == fleet.HealthPrometheus, h.Kind == fleet.HealthHTTP
	for _, only := range [...]struct {
		key string
		set bool
		may bool
		of  string
	}{
		{"status", len(h.Statuses) > 0, page, "http"}, {"body", h.Body != "", page, "http"}, {"follow", h.Follow, page, "http"},
		{"headers", len(h.Headers) > 0, web, "http and prometheus"}, {"credential", h.Credential != "", web, "http and prometheus"}, {"header", h.Header != "", web, "http and prometheus"},
		{"tls", h.CAs != "" || h.ServerName != "" || h.Insecure, web, "http and prometheus"}, {"query", h.Query != "", h.Kind == fleet.HealthPrometheus, "prometheus"},
	} {
		if only.set && !only.may {
			return bad(only.key, "is for %s, not for %s", only.of, key)
		}
	}
	switch {
	case h.Kind == fleet.HealthPrometheus && strings.TrimSpace(h.Query) == "":
		return bad(key, "has no query")
	case len(h.Query) > maxQuery:
		return bad("query", "has more than %d bytes", maxQuery)
	case len(h.Body) > maxBody/2:
		return bad("body", "has more than %d bytes", maxBody/2)
	case h.Timeout < 0 || h.Timeout > MaxTimeout:
		return bad("timeout", "%s is not between 0 and %s", h.Timeout, MaxTimeout)
	case h.Every != 0 && h.Every < time.Second:
		return bad("every", "%s: less than 1s would hammer the workload", h.Every)
	case h.Every > MaxEvery:
		return bad("every", "%s is longer than %s", h.Every, MaxEvery)
	case h.Every > 0 && h.Timeout > h.Every/2: // a word counts for two beats: the next has to be there by then
		return bad("timeout", "%s is longer than half of every %s", h.Timeout, h.Every)
	case h.Retry < 0 || h.Retry > 0 && h.Retry < 500*time.Millisecond:
		return bad("retry", "%s: less than 500ms would hammer the workload", h.Retry)
	case h.Every > 0 && h.Retry > h.Every:
		return bad("retry", "%s is longer than every %s", h.Retry, h.Every)
	case h.Attempts < 0 || h.Attempts > 100:
		return bad("attempts", "%d is not between 1 and 100", h.Attempts)
	case h.RecoverAfter < 0 || h.RecoverAfter > 100:
		return bad("recover_after", "%d is not between 1 and 100", h.RecoverAfter)
	case h.Header != "" && h.Credential == "":
		return bad("header", "carries a credential's password, and there is no credential")
	case h.Header != "" && !headerName.MatchString(h.Header):
		return bad("header", "%q is none that can be sent", fleet.Clean(h.Header, 40))
	}
	for _, r := range h.Statuses {
		if r.From < 100 || r.To > 599 || r.To < r.From {
			return bad("status", "%d-%d is not within 100 and 599", r.From, r.To)
		}
	}
	for name, value := range h.Headers {
		if !headerName.MatchString(name) || strings.ContainsFunc(value, unicode.IsControl) || ownHeader(name) {
			return bad("headers", "%q is none that can be set here", fleet.Clean(name, 40))
		}
		if secretHeader.MatchString(name) {
			return bad("headers", "%q would stand here in clear: make it a credential's password, and say credential: NAME and header: %s", fleet.Clean(name, 40), fleet.Clean(name, 40))
		}
	}
	if _, err := tlsOf(h); err != nil {
		return bad("tls", "%v", err)
	}
	return nil
}

// headerName is a token (RFC 9110 section 5.6.2).
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// secretHeader is a header whose value nobody but the two ends should know.
var secretHeader = regexp.MustCompile(`(?i)authorization|cookie|token|secret|password|api-?key`)

// ownHeader reports whether a header is said elsewhere: how the message is
// framed, and who asks.
func ownHeader(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Te", "Trailer":
		return true
	}
	return false
}

func badURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return "want http:// or https:// and a host"
	case u.User != nil:
		return "holds a user or a password; name a credential"
	case u.Fragment != "":
		return "holds a fragment (#), which is never sent"
	}
	return ""
}

func tlsOf(h *fleet.HealthSpec) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: h.ServerName, InsecureSkipVerify: h.Insecure} // the user said so in as many words
	if h.CAs != "" {
		if h.Insecure {
			return nil, errors.New("insecure believes whoever answers, and a ca does not: keep one")
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM([]byte(h.CAs)) {
			return nil, errors.New("the ca holds no certificate in PEM")
		}
	}
	return t, nil
}
