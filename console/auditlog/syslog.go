package auditlog

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

// RFC 5424: the facility is 13 (log audit); a try that was denied, refused or
// failed is a warning, everything else a notice.
const (
	facility = 13
	warning  = 4
	notice   = 5
)

// sdID names the structured data. 32473 is the number that RFC 5612 keeps for
// those who have none of their own.
const sdID = "plumb@32473"

// message is an entry as RFC 5424 writes it. Its parameters are all of the entry,
// so that a receiver can check the chain.
func message(host string, e *fleet.AuditEntry) []byte {
	severity := notice
	switch e.Outcome {
	case "denied", "refused", "failed", "unknown":
		severity = warning
	}
	b := header(host, severity, e.At, "audit")
	for _, p := range [...][2]string{{"seq", strconv.FormatUint(e.Seq, 10)}, {"hash", e.Hash}, {"prev", e.Prev}, {"at", e.At.UTC().Format("2006-01-02T15:04:05.000000000Z")}, {"who", e.Who}, {"from", e.From}, {"action", e.Action}, {"target", e.Target}, {"outcome", e.Outcome}, {"reason", e.Reason}} {
		b = param(b, p[0], p[1])
	}
	b = append(b, "] \xef\xbb\xbf"...)
	return append(b, strings.TrimSpace(e.Who+" "+e.Action+" "+e.Target+" "+e.Outcome+": "+e.Reason)...)
}

// message is the head as RFC 5424 writes it.
func (h *Head) message(host string, at time.Time) []byte {
	b := header(host, notice, at, "head")
	for _, p := range [...][2]string{{"seq", strconv.FormatUint(h.Seq, 10)}, {"hash", h.Hash}, {"at", h.At}, {"key", h.Key}, {"signature", h.Signature}} {
		b = param(b, p[0], p[1])
	}
	return append(b, "] \xef\xbb\xbfaudit log signed up to "+strconv.FormatUint(h.Seq, 10)...)
}

// header writes PRI to MSGID and begins the structured data. TIME-SECFRAC has
// at most six digits.
func header(host string, severity int, at time.Time, id string) []byte {
	return fmt.Appendf(nil, "<%d>1 %s %s plumb %d %s [%s", facility*8+severity, at.UTC().Format("2006-01-02T15:04:05.000000Z"), host, os.Getpid(), id, sdID)
}

// param adds a parameter; its value escapes \ " and ] (section 6.3.3).
func param(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), '=', '"')
	for i := range len(value) {
		if c := value[i]; c == '\\' || c == '"' || c == ']' {
			b = append(b, '\\')
		}
		b = append(b, value[i])
	}
	return append(b, '"')
}

// Syslog is a syslog server: udp (RFC 5426), tcp (RFC 6587, octet counting) or
// tls (RFC 5425).
type Syslog struct {
	scheme, address, name string
	trust                 *x509.CertPool // nil: the system's
}

// ParseSyslog reads udp://HOST:PORT, tcp://... or tls://...; the port is 514
// where it is left out, with tls 6514. trust are the authorities of tls; nil:
// those of the system.
func ParseSyslog(text string, trust *x509.CertPool) (*Syslog, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("want udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT")
	}
	port := map[string]string{"udp": "514", "tcp": "514", "tls": "6514"}[u.Scheme]
	if port == "" {
		return nil, errors.New("want udp, tcp or tls before ://")
	}
	if p := u.Port(); p != "" {
		port = p
	}
	return &Syslog{scheme: u.Scheme, address: net.JoinHostPort(u.Hostname(), port), name: u.Hostname(), trust: trust}, nil
}

func (s *Syslog) String() string {
	if s == nil {
		return ""
	}
	return s.scheme + "://" + s.address
}

// dialWithin bounds a try to connect, writeWithin one message.
const (
	dialWithin  = 10 * time.Second
	writeWithin = 10 * time.Second
)

func (s *Syslog) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	if s.scheme == "tls" {
		d := tls.Dialer{Config: &tls.Config{ServerName: s.name, RootCAs: s.trust, MinVersion: tls.VersionTLS12}}
		return d.DialContext(ctx, "tcp", s.address)
	}
	var d net.Dialer
	return d.DialContext(ctx, s.scheme, s.address)
}

// frame is a message as it goes over the wire.
func (s *Syslog) frame(m []byte) []byte {
	if s.scheme == "udp" {
		return m
	}
	return append(strconv.AppendInt(nil, int64(len(m)), 10), append([]byte{' '}, m...)...)
}
