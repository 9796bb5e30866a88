package notify

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/console/syslog"
)

// The suite that every receiver passes: what its other side may do, and what
// that means for a message.

// Behaviours of the other side.
const (
	isOK       = "ok"
	isDown     = "refuses connections"
	isBroken   = "has trouble of its own"
	isBusy     = "asks to wait"
	isHanging  = "hangs"
	isClosing  = "closes in mid-request"
	isGarbage  = "answers garbage"
	isFinal    = "refuses the message"
	isShut     = "does not let us in"
	isStranger = "has a certificate that nobody vouches for"
)

var behaviours = []string{isOK, isDown, isBroken, isBusy, isHanging, isClosing, isGarbage, isFinal, isShut, isStranger}

// means is what a behaviour means, where a receiver can tell it.
var means = map[string]Verdict{isDown: Retry, isBroken: Retry, isBusy: Retry, isHanging: Retry, isClosing: Retry, isGarbage: Retry, isFinal: Final, isShut: Mend, isStranger: Mend}

// other is the other side of a receiver under test.
type other struct {
	kind Kind
	got  func() []string // what it took
}

// kindsUnderTest start the other side of each kind with a behaviour. nil where
// that kind cannot have it; a line in cannot says why.
var kindsUnderTest = map[string]func(t *testing.T, behaves string) *other{
	"webhook": func(t *testing.T, b string) *other {
		s, got, c := serveHTTP(t, b, http.StatusOK)
		return &other{&Webhook{URL: s, Secret: secret("hush-hush"), TLS: c}, got}
	},
	"alertmanager": func(t *testing.T, b string) *other {
		s, got, c := serveHTTP(t, b, http.StatusOK)
		return &other{&Alertmanager{URLs: []string{s}, Auth: Auth{Bearer: secret("hush-hush")}, TLS: c}, got}
	},
	"pagerduty": func(t *testing.T, b string) *other {
		s, got, c := serveHTTP(t, b, http.StatusAccepted)
		return &other{&PagerDuty{RoutingKey: secret("hush-hush"), URL: s, TLS: c}, got}
	},
	"slack": func(t *testing.T, b string) *other {
		s, got, c := serveHTTP(t, b, http.StatusOK)
		return &other{&Slack{URL: secret(s + "/services/hush-hush"), TLS: c}, got}
	},
	"smtp": func(t *testing.T, b string) *other {
		s := newMailServer(t, b)
		c := s.trust
		if b == isStranger {
			c = &tls.Config{}
		}
		return &other{&SMTP{Address: s.address, From: "plumb@example.org", To: []string{"ops@example.org"}, Username: "plumb", Password: secret("hush-hush"), TLS: c}, s.mails}
	},
	"syslog": func(t *testing.T, b string) *other {
		switch b {
		case isBroken, isBusy, isHanging, isGarbage, isFinal, isShut:
			return nil
		}
		address, got, c := serveLines(t, b)
		to, err := syslog.Parse("tls://"+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		return &other{&Syslog{Server: to, TLS: c}, got}
	},
	"exec": func(t *testing.T, b string) *other {
		out := filepath.Join(t.TempDir(), "out")
		script := map[string]string{isOK: `cat > "$0"; echo thanks`, isBroken: "exit 75", isHanging: "sleep 60 & sleep 60", isClosing: "kill -9 $$", isFinal: "echo no >&2; exit 2", isDown: ""}
		text, ok := script[b]
		if !ok {
			return nil
		}
		command := []string{"/bin/sh", "-c", text, out}
		if b == isDown {
			command = []string{"/nonexistent/program"}
		}
		return &other{&Exec{Command: command}, func() []string { return fileOf(t, out) }}
	},
}

// cannot says why a behaviour is not one of a receiver.
var cannot = map[string]string{
	"syslog": "nobody answers in syslog",
	"exec":   "a program ends with a code and no more",
}

// differs are the behaviours that mean something else to one kind.
var differs = map[string]map[string]Verdict{"exec": {isDown: Mend}} // there is no such program

func secret(text string) Secret { return func(context.Context) (string, error) { return text, nil } }

func TestSenders(t *testing.T) {
	for name, start := range kindsUnderTest {
		for _, b := range behaviours {
			t.Run(name+" that "+b, func(t *testing.T) {
				t.Parallel()
				o := start(t, b)
				if o == nil {
					if cannot[name] == "" {
						t.Fatal("left out without a word")
					}
					t.Skip(cannot[name])
				}
				try(t, name, b, o)
			})
		}
	}
	for _, name := range Kinds() {
		if kindsUnderTest[name] == nil && name != "none" {
			t.Errorf("%s is not under test", name)
		}
	}
}

func try(t *testing.T, name, b string, o *other) {
	c := Config{Name: "pager", Kind: o.kind, Timeout: 10 * time.Second}
	if b == isHanging {
		c.Timeout = 300 * time.Millisecond
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	w := newTestWorker(t, c)
	m := &Message{Key: "k1", What: WhatAlerts, At: time.Now(), Pages: sample("pager", time.Now())}
	began := time.Now()
	answer, err := w.send(t.Context(), m)
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it takes %v", took)
	}
	if c, ok := w.sender.(closer); ok {
		defer c.Close()
	}
	text := answer
	if err != nil {
		text = err.Error()
	}
	if strings.Contains(text, "hush-hush") || strings.Contains(text, "/services/") {
		t.Errorf("a secret in %q", text)
	}
	want, bad := means[b]
	if v, ok := differs[name][b]; ok {
		want = v
	}
	if !bad {
		if err != nil || answer == "" {
			t.Fatalf("%q, %v", answer, err)
		}
		if got := strings.Join(o.got(), "\n"); !strings.Contains(got, "ams1-A") {
			t.Errorf("what arrives is %q", got)
		}
		return
	}
	var r *Refusal
	if !errors.As(err, &r) || r.Verdict != want || r.Why == "" || len(r.Why) > 2*maxAnswer {
		t.Fatalf("%#v, want verdict %d", err, want)
	}
	if b == isBusy && name != "smtp" && r.After != 7*time.Second {
		t.Errorf("after %v, it asked for 7 s", r.After)
	}
}

func newTestWorker(t *testing.T, c Config) *worker {
	d := New(Deps{Outbox: &box{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, []Config{c})
	return d.workers[c.Name]
}

// serveHTTP is an HTTPS server that behaves.
func serveHTTP(t *testing.T, behaves string, yes int) (address string, got func() []string, c *tls.Config) {
	var mu sync.Mutex
	var bodies []string
	done := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch behaves {
		case isOK:
			mu.Lock()
			bodies = append(bodies, string(b))
			mu.Unlock()
			w.WriteHeader(yes)
		case isBroken:
			http.Error(w, "it broke "+r.Header.Get("Authorization"), 500)
		case isBusy:
			w.Header().Set("Retry-After", "7")
			http.Error(w, "slow down", http.StatusTooManyRequests)
		case isHanging:
			<-done
		case isClosing:
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(yes)
			panic(http.ErrAbortHandler)
		case isFinal:
			w.WriteHeader(400)
			fmt.Fprintf(w, `{"message":"invalid","errors":["no such field \u001b[31m %s"]}`, r.Header.Get("Authorization"))
		case isShut:
			http.Error(w, "who are you? "+string(b)+r.Header.Get("Authorization")+r.URL.Path, http.StatusForbidden)
		}
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(done) })
	if behaves == isDown {
		s.Close()
	}
	c = trusting(s)
	address = s.URL
	switch behaves {
	case isStranger:
		c = nil
	case isGarbage:
		l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: s.TLS.Certificates})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go accept(l, func(c net.Conn) { _, _ = io.WriteString(c, "lorem ipsum\r\n\r\n\x00\xff") })
		address = "https://" + l.Addr().String()
	}
	return address, func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(bodies) }, c
}

func trusting(s *httptest.Server) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{RootCAs: pool}
}

func accept(l net.Listener, do func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			do(c)
		}()
	}
}

// certified is a certificate and who trusts it.
func certified(t *testing.T) (server, client *tls.Config) {
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	return &tls.Config{Certificates: s.TLS.Certificates}, trusting(s)
}

// serveLines is a syslog server over TLS.
func serveLines(t *testing.T, behaves string) (address string, got func() []string, c *tls.Config) {
	server, c := certified(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var mu sync.Mutex
	var lines []byte
	go accept(l, func(c net.Conn) {
		if behaves == isClosing {
			_, _ = c.Read(make([]byte, 10))
			return
		}
		b := make([]byte, 4096)
		for {
			n, err := c.Read(b)
			mu.Lock()
			lines = append(lines, b[:n]...)
			mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	switch behaves {
	case isDown:
		l.Close()
	case isStranger:
		c = &tls.Config{}
	}
	return l.Addr().String(), func() []string { mu.Lock(); defer mu.Unlock(); return []string{string(lines)} }, c
}

// mailServer speaks as much SMTP as a client needs.
type mailServer struct {
	address string
	trust   *tls.Config
	server  *tls.Config
	behaves string
	noTLS   bool
	auth    string // what it offers; "": PLAIN

	mu  sync.Mutex
	got []string
	say []string // commands, as they came
}

func newMailServer(t *testing.T, behaves string) *mailServer {
	s := &mailServer{behaves: behaves, auth: "PLAIN"}
	s.server, s.trust = certified(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.address = l.Addr().String()
	if behaves == isDown {
		l.Close()
	}
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go accept(l, func(c net.Conn) { s.serve(c, done) })
	return s
}

func (s *mailServer) mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *mailServer) serve(c net.Conn, done <-chan struct{}) {
	in := bufio.NewReader(c)
	reply := func(text string) { _, _ = io.WriteString(c, text+"\r\n") }
	switch s.behaves {
	case isHanging:
		<-done
		return
	case isGarbage:
		reply("lorem ipsum")
		return
	}
	reply("220 mail ESMTP")
	secure := false
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		s.heard(line)
		switch verb := strings.ToUpper(strings.Fields(line + " -")[0]); verb {
		case "EHLO":
			reply("250-mail")
			if !secure && !s.noTLS {
				reply("250-STARTTLS")
			}
			reply("250-SMTPUTF8")
			reply("250 AUTH " + s.auth)
		case "STARTTLS":
			reply("220 go on")
			t := tls.Server(c, s.server)
			if t.Handshake() != nil {
				return
			}
			c, in, secure = t, bufio.NewReader(t), true
		case "AUTH":
			reply(s.login(line, in, reply))
		case "MAIL":
			if s.behaves == isBusy {
				reply("421 too many of you")
				return
			}
			reply("250 ok")
		case "RCPT":
			if strings.Contains(line, "nobody@") {
				reply("550 5.1.1 no such mailbox")
				continue
			}
			reply("250 ok")
		case "DATA":
			reply("354 go on")
			text, err := dotted(in)
			if err != nil || s.behaves == isClosing {
				return
			}
			reply(s.take(text))
		case "QUIT":
			reply("221 bye")
			return
		default:
			reply("500 what?")
		}
	}
}

// heard notes what the client said.
func (s *mailServer) heard(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.say = append(s.say, line)
}

// login hears a user and a password out, and answers.
func (s *mailServer) login(line string, in *bufio.Reader, reply func(string)) string {
	if s.behaves == isShut {
		return "535 5.7.8 not with hush-hush"
	}
	if strings.HasSuffix(strings.ToUpper(line), " LOGIN") {
		for range 2 {
			reply("334 VXNlcm5hbWU6")
			word, _ := in.ReadString('\n')
			s.heard(strings.TrimSpace(word))
		}
	}
	return "235 ok"
}

// take takes a mail, or says why not.
func (s *mailServer) take(text string) string {
	switch s.behaves {
	case isBroken:
		return "451 disk full"
	case isFinal:
		return "554 looks like spam"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, text)
	return "250 taken"
}

// dotted reads raw lines up to the dot, as they came over the wire.
func dotted(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return b.String(), err
		}
		b.WriteString(line)
	}
}
