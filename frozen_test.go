package main

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumb/console/config"
)

// TestReloadSaysWhatWaits: what a reload does not apply it names, above all who
// may read and where secrets are: whoever closed a door must not believe that it
// is closed already.
func TestReloadSaysWhatWaits(t *testing.T) {
	t.Setenv("FIRST", "one")
	t.Setenv("SECOND", "two")
	const before = `
store: {dir: data}
credentials: {a: {password_env: FIRST}, b: {password_env: SECOND}, c: {username: x, password_env: FIRST}}
metrics: {listen: "127.0.0.1:9464"}
remote_write: [{name: long, url: "http://127.0.0.1:1/write", credential: a}]
`
	load := func(text string) blueprint {
		t.Helper()
		path := filepath.Join(t.TempDir(), "plumb.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := config.Load(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		f.Store.Dir = ""
		return fromFile(f, slog.New(slog.DiscardHandler))
	}
	shut := strings.Replace(before, `9464"`, `9464", credential: a`, 1)
	for _, c := range []struct {
		name, was, is string
		later         []string
	}{
		{"nothing", before, before, nil},
		{"who may read", before, shut, []string{"metrics.credential"}},
		{"that nobody is asked any more", shut, before, []string{"metrics.credential"}},
		{"where the secret is", shut, strings.Replace(shut, `9464", credential: a`, `9464", credential: b`, 1), []string{"metrics.credential"}},
		{"how it is shown", shut, strings.Replace(shut, `9464", credential: a`, `9464", credential: c`, 1), []string{"metrics.credential"}},
		{"the credential of a writer", before, strings.Replace(before, `write", credential: a`, `write", credential: b`, 1), []string{"remote_write"}},
		{"that a writer has none", before, strings.Replace(before, `write", credential: a`, `write"`, 1), []string{"remote_write"}},
	} {
		if later := load(c.was).frozen(load(c.is)); !slices.Equal(later, c.later) {
			t.Errorf("%s: %q wait for a restart, want %q", c.name, later, c.later)
		}
	}
	clear, crypted := load(before), load(before)
	crypted.web.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{{1}}}}}
	if later := clear.frozen(crypted); !slices.Equal(later, []string{"metrics.cert_file"}) {
		t.Errorf("a certificate where there was none: %q", later)
	}
	renewed := load(before)
	renewed.web.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{{2}}}}}
	if later := crypted.frozen(renewed); later != nil {
		t.Errorf("a certificate that was renewed is read without a restart: %q", later)
	}
	moved := renewed
	moved.web.CertFile = "/elsewhere.pem"
	if later := crypted.frozen(moved); !slices.Equal(later, []string{"metrics.cert_file"}) {
		t.Errorf("a certificate in another file: %q", later)
	}
	plain, other := load(before), load(before)
	other.web.TLS = &tls.Config{}
	other.remote[0].TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	if later := plain.frozen(other); !slices.Equal(later, []string{"metrics.cert_file", "remote_write"}) {
		t.Errorf("certificates: %q wait for a restart", later)
	}
}
