package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Config is one receiver.
type Config struct {
	Name string
	Kind Kind // how it is told
	// Timeout bounds one try; 0: DefaultTimeout.
	Timeout time.Duration
	// Heartbeat is how often it is told that plumb is alive; 0: never.
	Heartbeat time.Duration
	// Subject and Text are templates of what people read; "": the defaults.
	Subject, Text string
	// Revision changes when anything of the receiver does, also its secrets'
	// places: one that did not change goes on undisturbed over a reload.
	Revision string
}

// DefaultTimeout bounds one try where the receiver does not say.
const DefaultTimeout = 10 * time.Second

// Bounds of settings.
const (
	maxTimeout   = 2 * time.Minute
	minHeartbeat = 10 * time.Second
)

// Kind is how a receiver is told, with the settings that are its own.
type Kind interface {
	// Kind is the kind's name in the file: webhook, smtp ...
	Kind() string
	// Validate says what is wrong with the settings.
	Validate() error
	sender() Sender
	defaultText() string
	// pages reports whether a message calls a person, who is not to be called
	// once a minute to hear that all is well.
	pages() bool
}

// Kinds lists the names of kinds.
func Kinds() []string {
	return []string{"alertmanager", "exec", "none", "pagerduty", "slack", "smtp", "syslog", "webhook"}
}

// ErrConfig is behind every error of a receiver's settings.
var ErrConfig = errors.New("receiver")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...)
}

// Validate says what is wrong with a receiver. Its templates are tried on a
// made-up page.
func (c *Config) Validate() error {
	switch {
	case c.Kind == nil:
		return wrong("says not how it is told: one of %s", strings.Join(Kinds(), " "))
	case c.Timeout < 0 || c.Timeout > maxTimeout:
		return wrong("timeout: %s is not within 1s and %s", c.Timeout, maxTimeout)
	case c.Heartbeat != 0 && c.Heartbeat < minHeartbeat:
		return wrong("heartbeat: %s is too often, %s is the least", c.Heartbeat, minHeartbeat)
	case c.Heartbeat != 0 && c.Kind.pages():
		return wrong("heartbeat: would call people every %s; it is for receivers that notice silence: webhook alertmanager smtp syslog exec", c.Heartbeat)
	}
	if err := c.Kind.Validate(); err != nil {
		return err
	}
	_, err := c.texts()
	return err
}

func (c *Config) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return DefaultTimeout
}

// Secret fetches a secret when it is needed, so that a changed one needs no
// restart; nil: there is none. Its error says where the secret should be.
type Secret func(ctx context.Context) (string, error)

func (s Secret) get(ctx context.Context) (string, error) {
	if s == nil {
		return "", nil
	}
	text, err := s(ctx)
	if err != nil {
		return "", mend(err)
	}
	return text, nil
}

// Auth is how plumb says who it is over HTTP: a name and a password, or a token.
type Auth struct {
	Username         string
	Password, Bearer Secret
}

// None tells nobody: what is routed there is done with.
type None struct{}

// Kind implements [Kind].
func (None) Kind() string        { return "none" }
func (None) Validate() error     { return nil }
func (None) sender() Sender      { return None{} }
func (None) defaultText() string { return "" }
func (None) pages() bool         { return true }

// Send implements [Sender].
func (None) Send(context.Context, *Message) (string, error) { return "nobody is told", nil }

// tlsOf is a copy for one connection's owner.
func tlsOf(c *tls.Config) *tls.Config {
	if c == nil {
		c = &tls.Config{}
	}
	c = c.Clone()
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	return c
}
