package syslog

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var at = time.Date(2026, 11, 22, 14, 0, 0, 5000, time.UTC)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{"udp://log": "udp://log:514", "tls://log": "tls://log:6514", "tcp://[::1]:99": "tcp://[::1]:99", "log:514": "", "http://log": "", "udp://": "", "udp://a/b": "", "udp://u:p@a": ""} {
		s, err := Parse(text, nil)
		if got := ""; err == nil {
			if got = s.String(); got != want {
				t.Errorf("%s: %s", text, got)
			}
		} else if want != "" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// rfc5424 is the form of a message with one structured element (section 6).
var rfc5424 = regexp.MustCompile(`^<(\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]+ plumb \d+ alert \[plumb@32473((?: [!-~]+="(?:[^"\\\]]|\\["\\\]])*")*)\] \x{FEFF}.+$`)

func TestMessage(t *testing.T) {
	m := Message(Head{Facility: Daemon, Severity: Critical, At: at, Host: "h", ID: "alert"}, []Param{{"why", `a "b" c] \o/ ärger`}, {ParamName("a label=]"), "x"}}, "it fires")
	got := rfc5424.FindSubmatch(m)
	if got == nil || string(got[1]) != "26" || string(got[2]) != ` why="a \"b\" c\] \\o/ ärger" a_label__="x"` {
		t.Errorf("%s", m)
	}
}

// authority is a server's certificate and who vouches for it.
func authority(t *testing.T) (*tls.Config, *x509.CertPool) {
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, pool
}

// read takes messages with octet counting off connections (RFC 6587).
func read(t *testing.T, l net.Listener) <-chan string {
	out := make(chan string, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					word, err := in.ReadString(' ')
					if err != nil {
						return
					}
					n, _ := strconv.Atoi(strings.TrimSpace(word))
					b := make([]byte, n)
					if _, err := io.ReadFull(in, b); err != nil {
						return
					}
					out <- string(b)
				}
			}()
		}
	}()
	t.Cleanup(func() { l.Close() })
	return out
}

func TestTLS(t *testing.T) {
	server, trust := authority(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, l)
	to, err := Parse("tls://"+l.Addr().String(), trust)
	if err != nil {
		t.Fatal(err)
	}
	c, err := to.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, m := range []string{"one", "two\nlines"} {
		if err := c.Send(t.Context(), []byte(m)); err != nil {
			t.Fatal(err)
		}
		if g := <-got; g != m {
			t.Errorf("%q arrives as %q", m, g)
		}
	}
	stranger, _ := Parse("tls://"+l.Addr().String(), x509.NewCertPool())
	var unknown x509.UnknownAuthorityError
	if _, err := stranger.Dial(t.Context()); !errors.As(err, &unknown) {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
	other := to.WithTLS(&tls.Config{RootCAs: trust, ServerName: "another.example"})
	var name x509.HostnameError
	if _, err := other.Dial(t.Context()); !errors.As(err, &name) {
		t.Errorf("a server of another name: %v", err)
	}
}

// A server that closes shows, so that what was written to it can go again.
func TestClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			c.Close()
		}
	}()
	to, _ := Parse("tcp://"+l.Addr().String(), nil)
	c, err := to.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	<-c.Ended()
	if err := c.Send(t.Context(), []byte("x")); !errors.Is(err, io.ErrClosedPipe) || !c.Broken() {
		t.Errorf("%v", err)
	}
}
