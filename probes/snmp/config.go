package snmp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"
)

// Secret fetches a password or a community when it is needed; it is never kept
// in a Config. It may run a program, so it gets a context.
type Secret = func(ctx context.Context) (string, error)

// Config says how to look at one agent.
type Config struct {
	Target  string // the device's id, for observations and errors
	Address string // host or host:port; the port defaults to 161

	Version   string // "2c" (default) or "3"
	Community Secret // 2c

	User         string // 3
	Auth         string // "", MD5, SHA, SHA-224, SHA-256, SHA-384, SHA-512
	AuthPassword Secret
	Priv         string // "", DES, AES, AES-192, AES-256; AES-192-C and AES-256-C name the Reeder key extension (Cisco)
	PrivPassword Secret
	Context      string // context name; usually empty

	// Act is how to write. Nil: the credential above may write too. Reads,
	// those around a write included, never use it.
	Act *Access

	// Timeout bounds one try of one request; what a device answers faster
	// makes it shorter. Retries is how often a lost request is sent again.
	Timeout time.Duration // default 2 s
	Retries int           // default 2; negative: none

	// MaxRows bounds the rows of one table and MaxBytes what one poll takes
	// off the wire; a table that is cut there is partial.
	MaxRows  int // default 20,000
	MaxBytes int // default 32 MiB

	Quirks []string // see Quirks
}

// Access is one credential of an agent; its fields are those of Config.
type Access struct {
	Version      string
	Community    Secret
	User         string
	Auth         string
	AuthPassword Secret
	Priv         string
	PrivPassword Secret
	Context      string
}

// acting returns c as it writes.
func (c Config) acting() Config {
	if a := c.Act; a != nil {
		c.Version, c.Community, c.User, c.Context = a.Version, a.Community, a.User, a.Context
		c.Auth, c.AuthPassword, c.Priv, c.PrivPassword = a.Auth, a.AuthPassword, a.Priv, a.PrivPassword
	}
	return c
}

// The quirks a device may need.
const (
	// QuirkNoBulk walks by GETNEXT: some agents answer GETBULK wrongly.
	QuirkNoBulk = "nobulk"
	// QuirkNoHC reads 32-bit counters: some agents' 64-bit ones stand still.
	QuirkNoHC = "nohc"
	// QuirkReeder extends AES-192 and AES-256 keys as Cisco does.
	QuirkReeder = "reeder"
	// QuirkNoFDB leaves the forwarding table alone: on some devices reading
	// it takes the CPU that forwards packets.
	QuirkNoFDB = "nofdb"
)

// Quirks lists the names that Config.Quirks may hold.
func Quirks() []string { return []string{QuirkNoBulk, QuirkNoFDB, QuirkNoHC, QuirkReeder} }

var authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{
	"": gosnmp.NoAuth, "MD5": gosnmp.MD5, "SHA": gosnmp.SHA, "SHA1": gosnmp.SHA, "SHA224": gosnmp.SHA224,
	"SHA256": gosnmp.SHA256, "SHA384": gosnmp.SHA384, "SHA512": gosnmp.SHA512,
}

var privProtocols = map[string]gosnmp.SnmpV3PrivProtocol{
	"": gosnmp.NoPriv, "DES": gosnmp.DES, "AES": gosnmp.AES, "AES128": gosnmp.AES, "AES192": gosnmp.AES192, "AES256": gosnmp.AES256,
	"AES192C": gosnmp.AES192C, "AES256C": gosnmp.AES256C,
}

// protocol spells a protocol's name as the tables above do.
func protocol(s string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(s))
}

// Validate reports every mistake that can be seen without a network.
func (c *Config) Validate() error {
	var errs []error
	bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if c.Target == "" {
		bad("target: empty")
	}
	if _, _, err := net.SplitHostPort(withPort(c.Address)); c.Address == "" || err != nil {
		bad("address: %q is not host:port", c.Address)
	}
	c.validateAccess(bad)
	if c.Act != nil {
		d := c.acting()
		d.validateAccess(func(format string, a ...any) { bad("act "+format, a...) })
	}
	for _, q := range c.Quirks {
		if !slices.Contains(Quirks(), q) {
			bad("quirks: %q is not one of %s", q, strings.Join(Quirks(), ", "))
		}
	}
	if c.Timeout < 0 || c.MaxRows < 0 || c.MaxBytes < 0 {
		bad("timeout, max_rows and max_bytes cannot be negative")
	}
	return errors.Join(errs...)
}

func (c *Config) validateAccess(bad func(string, ...any)) {
	switch c.Version {
	case "", "2c":
		if c.Community == nil {
			bad("community: version 2c needs one")
		}
	case "3":
		c.validateUSM(bad)
	default:
		bad("version: %q is neither 2c nor 3", c.Version)
	}
}

func (c *Config) validateUSM(bad func(string, ...any)) {
	_, authKnown := authProtocols[protocol(c.Auth)]
	_, privKnown := privProtocols[protocol(c.Priv)]
	switch {
	case c.User == "" || len(c.User) > 32:
		bad("user: version 3 needs a user name of 1 to 32 octets (RFC 3414 section 5)")
	case !authKnown:
		bad("auth: %q is not one of MD5 SHA SHA-224 SHA-256 SHA-384 SHA-512", c.Auth)
	case !privKnown:
		bad("priv: %q is not one of DES AES AES-192 AES-256 AES-192-C AES-256-C", c.Priv)
	case c.Auth != "" && c.AuthPassword == nil:
		bad("auth_password: auth %s needs one", c.Auth)
	case c.Priv != "" && c.PrivPassword == nil:
		bad("priv_password: priv %s needs one", c.Priv)
	case c.Priv != "" && c.Auth == "":
		bad("priv: needs auth (RFC 3411 section 3.4.3)")
	}
}

// withDefaults returns c with every default filled in.
func (c Config) withDefaults() Config {
	c.Address = withPort(c.Address)
	if c.Version == "" {
		c.Version = "2c"
	}
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Second
	}
	switch {
	case c.Retries == 0:
		c.Retries = 2
	case c.Retries < 0:
		c.Retries = 0
	}
	if c.MaxRows == 0 {
		c.MaxRows = 20_000
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 32 << 20
	}
	return c
}

func (c *Config) quirk(name string) bool { return slices.Contains(c.Quirks, name) }

func withPort(address string) string {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return net.JoinHostPort(strings.Trim(address, "[]"), "161")
	}
	return address
}
