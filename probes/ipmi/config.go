package ipmi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"
)

// Secret fetches a secret when it is needed. It is called once per login, so
// a rotated secret is found without a restart; its result is never kept.
type Secret func(ctx context.Context) (string, error)

// Config says which BMC, and how to log in to it. The zero value of every
// optional field is the right one for a BMC that follows the standard.
type Config struct {
	Target  string // the device's id
	Address string // host or host:port; the port is 623 when it is left out

	// Username and Password read. USER privilege is enough, and with
	// OPERATOR the BMC's own MAC can be read too.
	Username string
	Password Secret

	// ActUsername and ActPassword are used for actions, which need OPERATOR
	// privilege. Empty: the reading user acts too.
	ActUsername string
	ActPassword Secret

	// BMCKey is K_g, for BMCs with two-key login. Nil: there is none.
	BMCKey Secret

	// Cipher is the cipher suite id; 0 tries 17, then 3, and remembers.
	// Suite 0 itself asks for no password and can never be chosen.
	Cipher int

	// Quirks are names of [Quirks] that this model needs.
	Quirks []string

	// Timeout is how long one command may stay unanswered, repeats of the
	// datagram included. Zero: 2 s. Logging in may take 2.5 times as long.
	Timeout time.Duration
}

// Limits of the standard: section 22.28 (names) and 22.30 (passwords).
const (
	maxUsername = 16
	maxPassword = 20
	defaultPort = "623"
)

const defaultTimeout = 2 * time.Second

// Validate checks what can be checked without the wire. Every error is
// "field: why".
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Target == "" {
		bad("target: missing")
	}
	if _, err := c.endpoint(); err != nil {
		bad("address: %w", err)
	}
	if c.Username == "" {
		bad("username: missing; plumb does not log in anonymously")
	}
	for _, name := range []string{c.Username, c.ActUsername} {
		if len(name) > maxUsername {
			bad("username: %q is longer than %d bytes", name, maxUsername)
		}
	}
	if c.Password == nil {
		bad("password: missing")
	}
	if c.ActUsername != "" && c.ActPassword == nil {
		bad("act password: missing for user %q", c.ActUsername)
	}
	if c.Cipher != 0 {
		if _, ok := suiteByID(c.Cipher); !ok {
			bad("cipher: suite %d is not one of 17, 16, 15, 3, 2, 1", c.Cipher)
		}
	}
	if c.Timeout < 0 {
		bad("timeout: %v is negative", c.Timeout)
	}
	if _, err := parseQuirks(c.Quirks); err != nil {
		bad("quirks: %w", err)
	}
	return errors.Join(errs...)
}

// endpoint is the address with its port.
func (c Config) endpoint() (string, error) { return endpoint(c.Address) }

func endpoint(address string) (string, error) {
	if address == "" {
		return "", errors.New("missing")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil { // no port: a name, an IPv4 address, or a bare IPv6 address
		host, port = address, defaultPort
		if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
			host = host[1 : n-1]
		}
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", fmt.Errorf("%q is not a port", port)
	}
	if host == "" || slices.Contains([]byte(host), ' ') {
		return "", fmt.Errorf("%q is not a host", host)
	}
	return net.JoinHostPort(host, port), nil
}
