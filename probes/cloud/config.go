package cloud

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Secret fetches a secret when it is needed. Its text is never kept longer
// than a login takes, never logged, and is part of no error.
type Secret = func(ctx context.Context) (string, error)

// Config is one region of one account.
type Config struct {
	Target string // the cloud's id in the inventory
	Region string // of the catalog; empty is right where there is only one

	// AuthURL is Keystone's address, with or without /v3: https://host:5000/v3.
	AuthURL string

	// Username and Password log in as a user of UserDomain; or, with
	// AppCredentialID, Password is that application credential's secret, and
	// user and project are what it was made for.
	Username        string
	AppCredentialID string
	Password        Secret

	// The project to look at: its id, or its name with its domain.
	ProjectID, ProjectName string

	// A domain is given by id or by name; without either it is "default".
	UserDomainID, UserDomain       string
	ProjectDomainID, ProjectDomain string

	// Interface is which endpoints of the catalog are used: public (default),
	// internal or admin.
	Interface string

	// CAs is a PEM bundle to trust instead of the system's. Insecure trusts
	// every certificate: whoever stands in between reads the password.
	CAs      []byte
	Insecure bool

	// Timeout bounds one whole look, placement included. Zero: 30 s.
	Timeout time.Duration

	Limits Limits
}

// Limits bound what one look may cost this process and the cloud. Zero values
// take the defaults.
type Limits struct {
	BodyBytes   int64   // one answer, decompressed; default 16 MiB
	Pages       int     // of one list; default 200
	Rows        int     // of one list; default 50,000
	Concurrency int     // placement requests at once; default 4
	Rate        float64 // requests a second to each API; default 50
}

// ErrConfig says that a configuration cannot work.
var ErrConfig = errors.New("bad configuration")

// Validate reports the first thing in the configuration that cannot work.
func (c *Config) Validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("openstack %s: %w: %s", c.Target, ErrConfig, fmt.Sprintf(format, args...))
	}
	u, err := url.Parse(c.AuthURL)
	switch {
	case c.Target == "":
		return bad("the target has no id")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return bad("the authentication URL must look like https://host:5000/v3")
	case u.User != nil:
		return bad("the authentication URL must not carry a password")
	case c.Password == nil:
		return bad("there is no password")
	case c.Username == "" && c.AppCredentialID == "":
		return bad("there is neither a user name nor an application credential")
	case c.Username != "" && c.AppCredentialID != "":
		return bad("a user name and an application credential exclude each other")
	case c.Username != "" && c.ProjectID == "" && c.ProjectName == "":
		return bad("a user name needs a project")
	case c.Interface != "" && c.Interface != "public" && c.Interface != "internal" && c.Interface != "admin":
		return bad("the interface is public, internal or admin, not %q", c.Interface)
	case c.Timeout < 0 || c.Limits.BodyBytes < 0 || c.Limits.Pages < 0 || c.Limits.Rows < 0 || c.Limits.Concurrency < 0 || c.Limits.Rate < 0:
		return bad("a limit is negative")
	}
	if _, err := c.tls(); err != nil {
		return bad("%v", err)
	}
	return nil
}

func (c *Config) tls() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.Insecure}
	if len(c.CAs) > 0 {
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(c.CAs) {
			return nil, errors.New("the CA bundle holds no certificate")
		}
	}
	return t, nil
}

func (c *Config) setDefaults() {
	if c.Interface == "" {
		c.Interface = "public"
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	l := &c.Limits
	if l.BodyBytes == 0 {
		l.BodyBytes = 16 << 20
	}
	if l.Pages == 0 {
		l.Pages = 200
	}
	if l.Rows == 0 {
		l.Rows = 50_000
	}
	if l.Concurrency == 0 {
		l.Concurrency = 4
	}
	if l.Rate == 0 {
		l.Rate = 50
	}
}
