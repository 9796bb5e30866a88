package remotewrite

import (
	"context"
	"crypto/tls"
	"net/url"
	"slices"
	"time"

	"plumb/fleet"
	"plumb/views/export"
)

// Config is one receiver. It is never written after it was loaded.
type Config struct {
	Name    string // its place in the readings is kept under it
	URL     *url.URL
	Match   Match
	Labels  map[string]string // added to every series
	Headers map[string]string
	// Username and Password are for Basic; a Password alone is a bearer token.
	// nil: neither.
	Username   string
	Password   func(context.Context) (string, error)
	PasswordAt string      // where it is said to be, in words
	TLS        *tls.Config // nil: whom the system trusts
	// CertFile and KeyFile are where the certificate was read from that is shown to
	// the receiver; "": none is.
	CertFile, KeyFile string
	Timeout           time.Duration
}

// CertSetting is what the configuration calls the certificate of a receiver.
func (c *Config) CertSetting() string { return "remote_write `" + c.Name + "`: cert_file" }

// DefaultTimeout is how long a receiver may take for one request.
const DefaultTimeout = 30 * time.Second

// MaxReceivers bounds the receivers.
const MaxReceivers = 8

// Match says which series are told; the zero Match is all.
type Match struct {
	Class  []string          // of sensors, or port, outlet, device; none: all
	Select map[string]string // of devices, see fleet.Selects
}

// Classes are the words that a match by class may hold.
func Classes() []string {
	var out []string
	for _, c := range export.SensorClasses {
		out = append(out, string(c))
	}
	return append(out, export.ClassPort, export.ClassOutlet, export.ClassDevice)
}

func (m *Match) device(d *fleet.DeviceSpec) bool { return fleet.Selects(m.Select, d) }
func (m *Match) class(c string) bool             { return len(m.Class) == 0 || slices.Contains(m.Class, c) }
