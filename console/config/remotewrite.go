package config

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"plumb/console/remotewrite"
)

// remoteWriteYAML is a receiver of readings.
type remoteWriteYAML struct {
	Name       ref               `yaml:"name"` // left out: the host of its URL
	URL        ref               `yaml:"url"`
	Credential ref               `yaml:"credential"` // username and password: Basic; a password alone: a bearer token
	CAFile     ref               `yaml:"ca_file"`
	CertFile   ref               `yaml:"cert_file"`
	KeyFile    ref               `yaml:"key_file"`
	Headers    map[string]string `yaml:"headers"`
	Labels     map[string]string `yaml:"labels"`
	Match      *matchYAML        `yaml:"match"`
	Timeout    duration          `yaml:"timeout"`
	At         place
}

type matchYAML struct {
	Class  []ref             `yaml:"class"`
	Select map[string]string `yaml:"select"`
	At     place
}

func (b *builder) remoteWrites(list []remoteWriteYAML, dir string) {
	for i := range list {
		b.remoteWrite(&list[i], dir)
	}
}

// headerName is a token (RFC 9110 section 5.6.2).
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// labelName is what Prometheus takes for the name of a label.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func (b *builder) remoteWrite(y *remoteWriteYAML, dir string) {
	c := remotewrite.Config{Name: y.Name.name, Labels: y.Labels, Headers: y.Headers, Timeout: remotewrite.DefaultTimeout}
	u, err := url.Parse(y.URL.name)
	switch {
	case y.URL.name == "":
		b.errs.add(y.At, "remote_write", "has no url", "url: https://HOST/api/v1/write")
		return
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https":
		b.errs.add(y.URL.at, "remote_write: url", "want http:// or https://, a host and a path", "url: https://HOST/api/v1/write")
		return
	case u.User != nil:
		b.errs.add(y.URL.at, "remote_write: url", "holds a user or a password", "name a credential: credential: NAME")
		return
	}
	if c.URL = u; c.Name == "" {
		c.Name = u.Host
	}
	what := "remote_write " + quote(c.Name)
	if len(c.Name) > 64 || strings.ContainsFunc(c.Name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		b.errs.add(y.At, what, "its name has blanks or signs in it, or more than 64 letters", "")
	}
	if slices.ContainsFunc(b.file.RemoteWrite, func(x remotewrite.Config) bool { return x.Name == c.Name }) {
		b.errs.add(y.At, what, "stands twice", "give each a name of its own: how far it is is kept under it")
		return
	}
	if len(b.file.RemoteWrite) == remotewrite.MaxReceivers {
		b.errs.add(y.At, what, fmt.Sprintf("more than %d receivers", remotewrite.MaxReceivers), "")
		return
	}
	y.Timeout.to(&c.Timeout)
	b.remoteHeaders(y, what)
	if y.Match != nil {
		c.Match = b.remoteMatch(y.Match, what)
	}
	if c.TLS = b.remoteTLS(y, what, dir); len(c.TLS.Certificates) > 0 {
		c.CertFile, c.KeyFile = inDir(dir, y.CertFile.name), inDir(dir, y.KeyFile.name)
	}
	b.file.RemoteWrite = append(b.file.RemoteWrite, c)
	if y.Credential.name != "" {
		b.clear(y.URL.at, what+": url", y.URL.name)
		b.remoteCredential(len(b.file.RemoteWrite)-1, y.Credential, what)
	}
}

// remoteHeaders refuses what the writer says itself, and what is none.
func (b *builder) remoteHeaders(y *remoteWriteYAML, what string) {
	own := []string{"Authorization", "Content-Type", "Content-Encoding", "Content-Length", "Host", "User-Agent", "Transfer-Encoding", "X-Prometheus-Remote-Write-Version"}
	for _, name := range sortedKeys(y.Headers) {
		switch {
		case slices.Contains(own, http.CanonicalHeaderKey(name)):
			b.errs.add(y.At, what, "header "+quote(name)+" is plumb's own", "a password or a token is a credential: credential: NAME")
		case !headerName.MatchString(name), strings.ContainsFunc(y.Headers[name], unicode.IsControl):
			b.errs.add(y.At, what, "header "+quote(name)+" is none that can be sent", "")
		}
	}
	for _, name := range sortedKeys(y.Labels) {
		if !labelName.MatchString(name) || strings.HasPrefix(name, "__") {
			b.errs.add(y.At, what, "label "+quote(name)+" is not letters, digits and _, or begins with __", "")
		}
	}
}

func (b *builder) remoteMatch(y *matchYAML, what string) remotewrite.Match {
	m := remotewrite.Match{Select: y.Select}
	for _, c := range y.Class {
		b.oneOf(c, what+": match: class", remotewrite.Classes())
		m.Class = append(m.Class, c.name)
	}
	b.selects(y.Select, y.At, what+": match: select", false)
	return m
}

func (b *builder) remoteTLS(y *remoteWriteYAML, what, dir string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if y.CAFile.name != "" {
		c.RootCAs = b.authorities(y.CAFile, what+": ca_file", dir)
	}
	if pair, _ := b.keyPair(certFiles{y.CertFile, y.KeyFile, "cert_file", "key_file"}, y.At, what, dir); pair != nil {
		c.Certificates = []tls.Certificate{*pair}
	}
	return c
}

// remoteCredential finds the credential when all of them are known.
func (b *builder) remoteCredential(n int, r ref, what string) {
	b.after = append(b.after, func() {
		if c, ok := b.webCredential(r, what); ok {
			w := &b.file.RemoteWrite[n]
			w.Username, w.Password, w.PasswordAt = c.Username, c.Password.Get, c.Password.where
		}
	})
}
