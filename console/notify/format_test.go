package notify

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/console/syslog"
	"plumb/fleet"
)

var t0 = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// told is a message with its texts.
func told(t *testing.T, k Kind, change ...func(*Message)) *Message {
	t.Helper()
	m := &Message{Key: "abc", What: WhatAlerts, At: t0, Pages: sample("pager", t0)}
	for _, c := range change {
		c(m)
	}
	x, err := (&Config{Name: "pager", Kind: k}).texts()
	if err == nil {
		err = x.write(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// requests keeps what an HTTP receiver gets.
type requests struct {
	mu   sync.Mutex
	list []*http.Request
	body []string
}

func record(t *testing.T, yes int) (*requests, string) {
	r := &requests{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		r.list, r.body = append(r.list, q), append(r.body, string(b))
		r.mu.Unlock()
		w.WriteHeader(yes)
	}))
	t.Cleanup(s.Close)
	return r, s.URL
}

func TestDefaultTexts(t *testing.T) {
	m := told(t, &SMTP{})
	if want := "[firing crit] feed ams1-A is behind 18 parts in trouble; and 1 other; holds 17 more; services at risk: match (3 of 12 replicas)"; m.Subject != want {
		t.Errorf("%q", m.Subject)
	}
	for _, want := range []string{"FIRING crit: feed ams1-A", "cause:    feed ams1-A", "evidence: 16 of 16", "RESOLVED warn: s01", "over 2026-11-27 12:00:00Z", "https://wiki.example/cause"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("no %q in\n%s", want, m.Text)
		}
	}
	over := told(t, &SMTP{}, func(m *Message) { m.Pages.Status = "resolved"; m.Pages.Alerts = m.Pages.Alerts[1:] })
	if over.Subject != "[resolved] s01: FAN1 5400 rpm" || strings.Contains(over.Subject, "risk") {
		t.Errorf("%q", over.Subject)
	}
}

// A template that fails on a page speaks in the words of the default, and what
// is too long is cut.
func TestTemplatesLoseNoPage(t *testing.T) {
	c := &Config{Name: "pager", Kind: &SMTP{}, Subject: `{{.Labels.site}} {{.Severity}}`, Text: `{{range 100000}}lorem ipsum {{end}}`}
	x, err := c.texts()
	if err != nil {
		t.Fatal(err)
	}
	m := &Message{Pages: sample("pager", t0)}
	if err := x.write(m); err != nil || m.Subject != "ams1 crit" || len(m.Text) > maxText || !strings.HasPrefix(m.Text, "lorem") {
		t.Errorf("%v %q, %d bytes", err, m.Subject, len(m.Text))
	}
	m = &Message{Pages: sample("pager", t0)}
	m.Pages.Labels = map[string]string{"rule": "cause"}
	if err := x.write(m); err == nil || !strings.HasPrefix(m.Subject, "[firing crit] feed") {
		t.Errorf("%v %q", err, m.Subject)
	}
}

func TestWebhookIsSigned(t *testing.T) {
	r, to := record(t, 200)
	k := &Webhook{URL: to, Secret: secret("key")}
	if _, err := k.sender().Send(t.Context(), told(t, k)); err != nil {
		t.Fatal(err)
	}
	at, sum, _ := strings.Cut(r.list[0].Header.Get("Plumb-Signature"), ",v1=")
	n, err := strconv.ParseInt(strings.TrimPrefix(at, "t="), 10, 64)
	if err != nil || Signature("key", time.Unix(n, 0), []byte(r.body[0])) != at+",v1="+sum || len(sum) != 64 || r.list[0].Header.Get("Idempotency-Key") != "abc" {
		t.Errorf("%v", r.list[0].Header)
	}
	// printf '1.x' | openssl dgst -sha256 -hmac key
	if got := Signature("key", time.Unix(1, 0), []byte("x")); got != "t=1,v1=fc4913c41a7bf793267e2a384f3261c9436ec2cd097bd745e7b0d99113f510ec" {
		t.Error(got)
	}
	var b Body
	if err := json.Unmarshal([]byte(r.body[0]), &b); err != nil || b.Schema != 1 || b.What != "alerts" || b.Severity != fleet.SeverityCrit || b.Alerts[0].ID != "cause:ams1-A" {
		t.Errorf("%+v %v", b, err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere, to := record(t, 200)
	s := httptest.NewServer(http.RedirectHandler(to, http.StatusTemporaryRedirect))
	defer s.Close()
	k := &Webhook{URL: s.URL}
	_, err := k.sender().Send(t.Context(), told(t, k))
	var r *Refusal
	if !errors.As(err, &r) || r.Verdict != Mend || !strings.Contains(r.Why, "redirects to 127.0.0.1") || len(elsewhere.list) != 0 {
		t.Errorf("%v, %d went elsewhere", err, len(elsewhere.list))
	}
}

func TestAlertmanagerAlerts(t *testing.T) {
	r, to := record(t, 200)
	k := &Alertmanager{URLs: []string{"http://127.0.0.1:1", to}, Link: "https://plumb.example", Auth: Auth{Username: "u", Password: secret("p")}}
	m := told(t, k, func(m *Message) {
		m.Pages.Alerts[0].Labels = map[string]string{"rule": "cause", "a-b": "1", "9": "2", "none": "", "ok_9": "3"}
	})
	if _, err := k.sender().Send(t.Context(), m); err != nil {
		t.Fatalf("one of two said yes, and %v", err)
	}
	var list []posted
	if err := json.Unmarshal([]byte(r.body[0]), &list); err != nil || r.list[0].URL.Path != "/api/v2/alerts" {
		t.Fatal(err, r.list[0].URL)
	}
	if l := list[0].Labels; len(l) != 4 || l["alertname"] != "cause" || l["a_b"] != "1" || l["_9"] != "2" || l["ok_9"] != "3" {
		t.Errorf("%v", l)
	}
	if a := list[0]; a.Annotations["blast"] == "" || a.Annotations["runbook"] == "" || a.GeneratorURL != "https://plumb.example" || !a.StartsAt.Equal(t0.Add(-time.Minute)) || time.Until(a.EndsAt) < 4*time.Minute || time.Until(a.EndsAt) > 5*time.Minute {
		t.Errorf("%+v", a)
	}
	if !list[1].EndsAt.Equal(t0) {
		t.Errorf("it is over at %v", list[1].EndsAt)
	}
	if u, p, _ := r.list[0].BasicAuth(); u != "u" || p != "p" {
		t.Error("it does not say who it is")
	}
	said, err := k.sender().(refresher).Refresh(t.Context(), func() []fleet.Pages { return []fleet.Pages{sample("am", t0), sample("am", t0)} })
	if err != nil || said != 4 {
		t.Errorf("%d said again, %v", said, err)
	}
	for _, u := range []string{"http://127.0.0.1:1"} {
		none := &Alertmanager{URLs: []string{u, u}}
		if _, err := none.sender().Send(t.Context(), m); err == nil {
			t.Error("nobody was told, and all is well")
		}
	}
}

func TestPagerDutyLife(t *testing.T) {
	r, to := record(t, 202)
	k := &PagerDuty{RoutingKey: secret("rk"), URL: to}
	s := k.sender()
	long := strings.Repeat("x", 400)
	for _, status := range []string{"firing", "resolved"} {
		if _, err := s.Send(t.Context(), told(t, k, func(m *Message) { m.Pages.Status, m.Pages.Group = status, long })); err != nil {
			t.Fatal(err)
		}
		if status == "resolved" {
			continue
		}
		p := sample("pd", t0)
		p.Group = long
		for i := range 3 { // nobody; then somebody acknowledged all of it, which is said once
			for k := range p.Alerts {
				if p.Alerts[k].AckedBy = ""; i > 0 {
					p.Alerts[k].AckedBy = "ann"
				}
			}
			if _, err := s.(refresher).Refresh(t.Context(), func() []fleet.Pages { return []fleet.Pages{p} }); err != nil {
				t.Fatal(err)
			}
		}
	}
	var actions []string
	for _, b := range r.body {
		var e event
		if err := json.Unmarshal([]byte(b), &e); err != nil || len(e.DedupKey) > 255 || e.RoutingKey != "rk" {
			t.Fatal(b, err)
		}
		actions = append(actions, e.Action)
		if e.Action == "trigger" && (e.Payload.Severity != "critical" || e.Payload.Source != "ams1-A" || e.Payload.Details.Alerts == nil || e.Links[0].Href == "") {
			t.Errorf("%+v", e.Payload)
		}
	}
	if !slices.Equal(actions, []string{"trigger", "acknowledge", "resolve"}) {
		t.Errorf("%v", actions)
	}
	m := told(t, k)
	for range 10 {
		m.Pages.Alerts = append(m.Pages.Alerts, m.Pages.Alerts...)
	}
	for i := range m.Pages.Alerts {
		m.Pages.Alerts[i].Evidence = long
	}
	if b, _ := json.Marshal(bounded(m)); len(b) > 512<<10 || bounded(m).More == 0 {
		t.Errorf("%d bytes", len(b))
	}
}

func TestSlackEscapes(t *testing.T) {
	r, to := record(t, 200)
	k := &Slack{URL: secret(to), Channel: "#ops"}
	_, err := k.sender().Send(t.Context(), told(t, k, func(m *Message) { m.Pages.Alerts[0].Summary = "<!channel> a & b " + strings.Repeat("ä", 5000) }))
	var b map[string]string
	if err != nil || json.Unmarshal([]byte(r.body[0]), &b) != nil || strings.Contains(b["text"], "<") || !strings.Contains(b["text"], "&lt;!channel&gt; a &amp; b") || len([]rune(b["text"])) > 2000 || b["channel"] != "#ops" {
		t.Errorf("%v %.200s", err, b["text"])
	}
}

// A mail is read back by an ordinary reader; nothing that a device says begins a
// line of its header, and a line that is a dot does not end it.
func TestMail(t *testing.T) {
	s := newMailServer(t, isOK)
	k := &SMTP{Address: s.address, From: "Plümb <plumb@example.org>", To: []string{"ops@example.org", "nobody@example.org", "Ann <ann@example.org>"}, Username: "u", Password: secret("hush"), TLS: s.trust}
	m := told(t, k, func(m *Message) {
		m.Key = "k1>\r\nBcc: x@evil.example"
		m.Pages.Alerts[0].Summary = "überhitzt\r\nBcc: x@evil.example\u2028y"
	})
	m.Text = "first\n.\n..two\nBcc: z\n" + strings.Repeat("long ", 300)
	answer, err := k.sender().Send(t.Context(), m)
	if err != nil || !strings.Contains(answer, "taken for 2 of 3; 550") {
		t.Fatal(answer, err)
	}
	raw := s.mails()[0]
	if regexp.MustCompile(`[^\r]\n`).MatchString(raw) {
		t.Error("a line end without its CR")
	}
	for _, line := range strings.Split(raw, "\r\n") {
		if len(line) > 200 || line == "." {
			t.Errorf("a line of %d: %.80s", len(line), line)
		}
	}
	got, err := mail.ReadMessage(strings.NewReader(strings.ReplaceAll(raw, "\r\n..", "\r\n.")))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := (&mime.WordDecoder{}).DecodeHeader(got.Header.Get("Subject"))
	if err != nil || !strings.Contains(subject, "überhitzt Bcc: x@evil.example") || got.Header.Get("Bcc") != "" {
		t.Errorf("%q %v %v", subject, err, got.Header)
	}
	if id := got.Header.Get("Message-Id"); id != "<k1___Bcc__x_evil.example@example.org>" {
		t.Error(id)
	}
	if at, err := got.Header.Date(); err != nil || !at.Equal(t0) {
		t.Error(at, err)
	}
	if from, err := got.Header.AddressList("From"); err != nil || from[0].Name != "Plümb" {
		t.Error(from, err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(got.Body))
	if err != nil || strings.ReplaceAll(string(text), "\r\n", "\n") != m.Text+"\n" && strings.ReplaceAll(string(text), "\r\n", "\n") != m.Text {
		t.Errorf("%q %v", text, err)
	}
}

// SMTPUTF8 is asked for where an address needs it, and nowhere else: a mail that
// asks for it goes no further than the first server without.
func TestMailAsksForUTF8(t *testing.T) {
	for to, want := range map[string]string{"ops@example.org": "MAIL FROM:<plumb@example.org>", "jörg@example.org": "MAIL FROM:<plumb@example.org> SMTPUTF8"} {
		s := newMailServer(t, isOK)
		k := &SMTP{Address: s.address, From: "Plümb <plumb@example.org>", To: []string{to}, TLS: s.trust}
		if _, err := k.sender().Send(t.Context(), told(t, k)); err != nil || !slices.Contains(s.say, want) {
			t.Errorf("%s: it said %q, want %q, %v", to, s.say, want, err)
		}
	}
}

func TestNothingInClear(t *testing.T) {
	s := newMailServer(t, isOK)
	s.noTLS = true
	k := &SMTP{Address: s.address, From: "plumb@example.org", To: []string{"ops@example.org"}, Username: "u", Password: secret("hush"), TLS: s.trust}
	var r *Refusal
	if _, err := k.sender().Send(t.Context(), told(t, k)); !errors.As(err, &r) || r.Verdict != Mend || !strings.Contains(r.Why, "STARTTLS") {
		t.Errorf("%v", err)
	}
	k.Insecure = true
	if _, err := k.sender().Send(t.Context(), told(t, k)); !errors.As(err, &r) || r.Verdict != Mend || !errors.Is(err, errPassword) {
		t.Errorf("%v", err)
	}
	for _, said := range s.say {
		if strings.Contains(said, base64.StdEncoding.EncodeToString([]byte("hush"))) || strings.Contains(said, "AUTH") {
			t.Errorf("it said %s", said)
		}
	}
	k.Username = ""
	if _, err := k.sender().Send(t.Context(), told(t, k)); err != nil || len(s.mails()) != 1 {
		t.Errorf("%v", err)
	}
}

func TestLogin(t *testing.T) {
	s := newMailServer(t, isOK)
	s.auth = "LOGIN"
	k := &SMTP{Address: s.address, From: "plumb@example.org", To: []string{"ops@example.org"}, Username: "ann", Password: secret("hush"), TLS: s.trust}
	if _, err := k.sender().Send(t.Context(), told(t, k)); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"ann", "hush"} {
		if !slices.Contains(s.say, base64.StdEncoding.EncodeToString([]byte(word))) {
			t.Errorf("%s was not said", word)
		}
	}
}

func TestSyslogMessages(t *testing.T) {
	to, err := syslog.Parse("udp://127.0.0.1:9", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := (&Syslog{Server: to, Facility: syslog.Daemon}).sender().(*logger)
	s.host = "h"
	m := told(t, &Syslog{}, func(m *Message) { m.Pages.Alerts[0].Evidence = strings.Repeat("lorem ", 1000) })
	got := string(s.message(m, &m.Pages.Alerts[0]))
	if !strings.HasPrefix(got, "<26>1 2026-11-27T12:00:00.000000Z h plumb ") || !strings.Contains(got, ` alert [plumb@32473 key="abc" alert="cause:ams1-A" status="firing" severity="crit" holds="17"`) || len(got) > maxDatagram || !strings.HasSuffix(got, "firing: feed ams1-A is behind 18 parts in trouble") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	if got := string(s.message(m, &m.Pages.Alerts[1])); !strings.HasPrefix(got, "<29>1 ") || !strings.Contains(got, `label.rule="cause"`) {
		t.Errorf("%s", got)
	}
}

// A program gets the message on its standard input and no secret of plumb's; one
// that takes too long is ended with all that it began.
func TestExec(t *testing.T) {
	t.Setenv("PLUMB_TEST_SECRET", "hush")
	t.Setenv("PLUMB_TEST_WANTED", "here")
	out := filepath.Join(t.TempDir(), "out")
	k := &Exec{Command: []string{"/bin/sh", "-c", `env > "$0"; cat >> "$0"; echo "a  $1"`, out, "$(id); x"}, Env: []string{"PLUMB_TEST_WANTED"}}
	answer, err := k.Send(t.Context(), told(t, k))
	text := fileOf(t, out)[0]
	if err != nil || answer != "exit 0: a $(id); x" || strings.Contains(text, "hush") || !strings.Contains(text, "PLUMB_TEST_WANTED=here") || !strings.Contains(text, "PLUMB_KEY=abc") || !strings.Contains(text, `"schema":1`) {
		t.Errorf("%q %v %.300s", answer, err, text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	slow := &Exec{Command: []string{"/bin/sh", "-c", `sleep 600 & echo $! > "$0"; sleep 600`, out}}
	if _, err := slow.Send(ctx, told(t, k)); err == nil || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	pid, err := strconv.Atoi(strings.TrimSpace(fileOf(t, out)[0]))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); !gone(pid); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what it began lives on")
		}
	}
	loud := &Exec{Command: []string{"/bin/sh", "-c", "yes | head -c 10000000; exit 3"}}
	var r *Refusal
	if _, err := loud.Send(t.Context(), told(t, k)); !errors.As(err, &r) || r.Verdict != Final || len(r.Why) > 400 {
		t.Errorf("%v", err)
	}
}

// gone reports whether a process is no more, or only waits to be buried.
func gone(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(b), ") Z ")
}

// A mail server that talks for ever is not listened to for ever.
func TestSMTPServerTalks(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go accept(l, func(c net.Conn) {
		for { // a line that does not end
			if _, err := c.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	k := &SMTP{Address: l.Addr().String(), From: "plumb@example.org", To: []string{"ops@example.org"}}
	if _, err := k.sender().Send(t.Context(), told(t, k)); err == nil || !strings.Contains(err.Error(), "says too much") {
		t.Errorf("%v", err)
	}
}

// FuzzAnswer: whatever a receiver says is bounded, one line, without control
// characters and without the secret.
func FuzzAnswer(f *testing.F) {
	f.Add("application/json", []byte(`{"message":"no","errors":["a","b"]}`))
	f.Add("text/html", []byte("<html>"))
	f.Add("", []byte("\x1b[31mhush-\x00hush\xff"))
	f.Fuzz(func(t *testing.T, kind string, text []byte) {
		why := words("500: "+wordsOf(kind, text), "hush-hush")
		if len([]rune(why)) > maxAnswer || strings.Contains(why, "hush-hush") || strings.ContainsFunc(why, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r <= 0x9f }) {
			t.Errorf("%q", why)
		}
	})
}

// A server that refuses says the path that it was asked for; where the address is
// the secret, no part of it that makes it one is told on.
func TestSecretAddress(t *testing.T) {
	const token = "B024BE7LD-xoxb/token-token+1"
	for _, path := range []string{"/services/T0/" + token, "/services/" + token + "?key=k3yk3yk3yk3y", "/hooks/a%20b-c3po-r2d2"} {
		for _, says := range []func(r *http.Request) string{
			func(r *http.Request) string { return "404 page not found: " + r.URL.Path },
			func(r *http.Request) string { return "cannot POST " + r.URL.RequestURI() },
			func(r *http.Request) string {
				b, _ := json.Marshal(map[string]string{"message": "no such hook: " + filepath.Base(r.URL.Path) + " " + r.URL.Query().Get("key")})
				return string(b)
			},
		} {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, says(r), http.StatusForbidden) }))
			_, err := (&Slack{URL: secret(s.URL + path)}).sender().Send(t.Context(), &Message{Text: "x"})
			s.Close()
			if err == nil || !strings.Contains(err.Error(), "403 Forbidden: ") || strings.Contains(err.Error(), "xoxb") || strings.Contains(err.Error(), "k3y") || strings.Contains(err.Error(), "c3po") || strings.Contains(err.Error(), "token") {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}
