package notify

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"plumb/fleet"
)

// postfix is a real Postfix on loopback, all of it in one directory, that
// delivers mail to example.org into Maildirs.
type postfix struct {
	t        *testing.T
	dir      string
	starttls string // where TLS and a password are asked for
	implicit string // the same with TLS from the start
	plain    string // where neither is
	trust    *tls.Config
	grey     atomic.Int64 // readers to be put off yet
}

const mainCF = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/data/log
maillog_file_prefixes = %[1]s
mail_owner = postfix
myhostname = mail.example.org
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
smtpd_peername_lookup = no
virtual_mailbox_domains = example.org
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = inline:{ ops@example.org=ops/, ann@example.org=ann/ }
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_tls_cert_file = %[1]s/cert.pem
smtpd_tls_key_file = %[1]s/key.pem
smtpd_tls_security_level = encrypt
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = example.org
cyrus_sasl_config_path = %[1]s/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_policy_service inet:%[2]s, permit_sasl_authenticated, reject
`

const masterCF = `%[1]s inet n - n - - smtpd
%[2]s inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
%[3]s inet n - n - - smtpd -o smtpd_tls_security_level=none -o smtpd_sasl_auth_enable=no -o smtpd_relay_restrictions=permit_mynetworks,reject -o smtpd_recipient_restrictions=permit_mynetworks,reject
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
`

const saslConf = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: %s/sasl/db\n"

const mailPassword = "geheim-ärger" // of the user plumb

func startPostfix(t *testing.T) *postfix {
	needPeer(t, "apt-get install postfix sasl2-bin libsasl2-modules", "postconf", "saslpasswd2")
	if os.Geteuid() != 0 {
		t.Skip("Postfix starts as root only")
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { // Postfix works as users of its own
		t.Fatal(err)
	}
	p := &postfix{t: t, dir: dir, starttls: freeAddress(t), implicit: freeAddress(t), plain: freeAddress(t), trust: vouched(t, dir, "mail.example.org")}
	p.make("postfix", "data")
	p.make("nobody", "mail")
	p.make("root", "sasl", "queue", "queue/pid")
	for _, name := range strings.Fields("active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace") {
		p.make("postfix", "queue/"+name)
	}
	p.write("main.cf", mainCF, dir, p.policy())
	p.write("master.cf", masterCF, p.starttls, p.implicit, p.plain)
	p.write("sasl/smtpd.conf", saslConf, dir)
	p.run(mailPassword, "saslpasswd2", "-p", "-c", "-f", p.path("sasl", "db"), "-u", "example.org", "plumb")
	p.run("", "chown", "postfix", p.path("sasl", "db"))
	p.start()
	return p
}

// start starts it without its many checks, and ends it with the test.
func (p *postfix) start() {
	where, err := exec.Command("postconf", "-h", "daemon_directory").Output()
	if err != nil {
		p.t.Fatal(err)
	}
	master := exec.Command(filepath.Join(strings.TrimSpace(string(where)), "master"), "-d", "-c", p.dir)
	master.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it ends its group when it ends
	if err := master.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = master.Process.Signal(syscall.SIGTERM)
		_ = master.Wait()
	})
	answers(p.t, p.starttls, p.log)
}

// make makes directories that belong to a user.
func (p *postfix) make(owner string, names ...string) {
	p.t.Helper()
	u, err := user.Lookup(owner)
	if err != nil {
		p.t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	for _, name := range names {
		if err := errors.Join(os.Mkdir(p.path(name), 0o755), os.Chown(p.path(name), uid, -1)); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *postfix) path(names ...string) string {
	return filepath.Join(append([]string{p.dir}, names...)...)
}

func (p *postfix) write(name, format string, a ...any) {
	p.t.Helper()
	if err := os.WriteFile(p.path(name), fmt.Appendf(nil, format, a...), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *postfix) run(in, name string, arg ...string) {
	p.t.Helper()
	cmd := exec.Command(name, arg...)
	cmd.Stdin = strings.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v: %s; %s", name, err, out, p.log())
	}
}

func (p *postfix) log() string {
	b, _ := os.ReadFile(p.path("data", "log"))
	return string(b)
}

// policy is what Postfix asks about each reader (SMTPD_POLICY_README), as it
// asks a greylist.
func (p *postfix) policy() (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { l.Close() })
	go accept(l, func(c net.Conn) {
		for in := bufio.NewScanner(c); in.Scan(); {
			if in.Text() != "" {
				continue
			}
			action := "DUNNO"
			if p.grey.Add(-1) >= 0 {
				action = "DEFER_IF_PERMIT 4.2.0 Greylisted, come again"
			}
			_, _ = io.WriteString(c, "action="+action+"\n\n")
		}
	})
	return l.Addr().String()
}

// kind is a receiver that may come in.
func (p *postfix) kind(address string) *SMTP {
	return &SMTP{Address: address, From: "plumb <plumb@example.org>", To: []string{"ops@example.org"}, Username: "plumb", Password: secret(mailPassword), TLS: p.trust}
}

// inbox waits for so many mails to a reader, and reads and takes them away.
func (p *postfix) inbox(t *testing.T, reader string, n int) (got []*mail.Message) {
	t.Helper()
	var files []string
	until(t, 15*time.Second, fmt.Sprintf("%d mails for %s", n, reader), p.log, func() bool {
		files, _ = filepath.Glob(p.path("mail", reader, "new", "*"))
		return len(files) >= n
	})
	if len(files) != n {
		t.Errorf("%d mails for %s, want %d", len(files), reader, n)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		got = append(got, m)
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

// text is a mail's, as people read it.
func text(t *testing.T, m *mail.Message) string {
	t.Helper()
	b, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Error(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// called gives a message a key.
func called(key string) func(*Message) { return func(m *Message) { m.Key = key } }

// TestPeerPostfix: mails reach the Maildir of a real Postfix whole, and what it
// says means what it shall.
func TestPeerPostfix(t *testing.T) {
	p := startPostfix(t)
	t.Run("arrives whole", func(t *testing.T) { mailArrives(t, p) })
	t.Run("one thread", func(t *testing.T) { mailThreads(t, p) })
	t.Run("kept out", func(t *testing.T) { mailKeptOut(t, p) })
	t.Run("some readers", func(t *testing.T) { mailSomeReaders(t, p) })
	t.Run("greylisted", func(t *testing.T) { mailGreylisted(t, p) })
	t.Run("lost yes", func(t *testing.T) { mailTwice(t, p) })
}

func mailArrives(t *testing.T, p *postfix) {
	long := strings.Repeat("länger als eine Zeile ", 200)
	for name, address := range map[string]string{"STARTTLS": p.starttls, "implicit": p.implicit} {
		k := p.kind(address)
		k.Implicit = name == "implicit"
		k.To = append(k.To, `"Änn, who is on call" <ann@example.org>`)
		m := told(t, k, called("key-"+name))
		m.Subject = "Ärger in Łódź: " + strings.Repeat("温度 ", 30) + "heiß"
		m.Text = long + "\n.\n..stuffed\nFrom here\n\ttab and = and trailing \n"
		if _, err := newTestWorker(t, Config{Name: "mail", Kind: k}).send(t.Context(), m); err != nil {
			t.Fatalf("%s: %v; %s", name, err, p.log())
		}
		for _, reader := range []string{"ops", "ann"} {
			mail := p.inbox(t, reader, 1)[0]
			subject, err := new(mime.WordDecoder).DecodeHeader(mail.Header.Get("Subject"))
			if err != nil || subject != m.Subject {
				t.Errorf("%s: subject %q, want %q, %v", name, subject, m.Subject, err)
			}
			if got := text(t, mail); got != m.Text {
				t.Errorf("%s: text %q, want %q", name, got, m.Text)
			}
			to, err := mail.Header.AddressList("To")
			if err != nil || len(to) != 2 || to[1].Name != "Änn, who is on call" || to[1].Address != "ann@example.org" {
				t.Errorf("%s: to %v, %v", name, to, err)
			}
			for header, want := range map[string]string{"Message-Id": "<key-" + name + "@example.org>", "Auto-Submitted": "auto-generated", "Importance": "high", "Content-Type": "text/plain; charset=utf-8"} {
				if got := mail.Header.Get(header); got != want {
					t.Errorf("%s: %s is %q, want %q", name, header, got, want)
				}
			}
			if got := mail.Header.Get("Received"); !strings.Contains(got, "with ESMTPSA ") { // RFC 3848: TLS and AUTH; UTF8SMTPSA is RFC 6531's
				t.Errorf("%s: received %q", name, got)
			}
		}
	}
}

func mailThreads(t *testing.T, p *postfix) {
	k := p.kind(p.starttls)
	w := newTestWorker(t, Config{Name: "mail", Kind: k})
	var ids, threads []string
	for key, status := range map[string]string{"fires": "firing", "is-over": "resolved"} {
		if _, err := w.send(t.Context(), told(t, k, called(key), func(m *Message) { m.Pages.Status = status })); err != nil {
			t.Fatal(err)
		}
		h := p.inbox(t, "ops", 1)[0].Header
		ids, threads = append(ids, h.Get("Message-Id")), append(threads, h.Get("References"))
	}
	if ids[0] == ids[1] || threads[0] != threads[1] || !strings.HasSuffix(threads[0], "@example.org>") {
		t.Errorf("ids %q, references %q", ids, threads)
	}
}

func mailKeptOut(t *testing.T, p *postfix) {
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	for what, c := range map[string]struct {
		change func(*SMTP)
		as     any
		says   string
	}{
		"a wrong password":      {func(k *SMTP) { k.Password = secret("hush-hush") }, nil, "535"},
		"no password":           {func(k *SMTP) { k.Username, k.Password = "", nil }, nil, "554"},
		"another name":          {func(k *SMTP) { k.TLS = k.TLS.Clone(); k.TLS.ServerName = "other.example.org" }, &name, "other.example.org"},
		"nobody vouches for it": {func(k *SMTP) { k.TLS = &tls.Config{} }, &unknown, "unknown authority"},
		"a port without TLS":    {func(k *SMTP) { k.Address = p.plain }, nil, "no STARTTLS"},
	} {
		k := p.kind(p.starttls)
		c.change(k)
		_, err := newTestWorker(t, Config{Name: "mail", Kind: k}).send(t.Context(), told(t, k, called("never")))
		want := Mend
		if what == "no password" { // Postfix says that of the message
			want = Final
		}
		var r *Refusal
		if !errors.As(err, &r) || r.Verdict != want || !strings.Contains(r.Why, c.says) || strings.Contains(r.Why, "hush-hush") || c.as != nil && !errors.As(err, c.as) {
			t.Errorf("%s: %#v", what, err)
		}
	}
	p.inbox(t, "ops", 0)
}

func mailSomeReaders(t *testing.T, p *postfix) {
	k := p.kind(p.starttls)
	k.To = []string{"nobody@example.org", "ops@example.org"}
	answer, err := newTestWorker(t, Config{Name: "mail", Kind: k}).send(t.Context(), told(t, k, called("some")))
	if err != nil || !strings.Contains(answer, "taken for 1 of 2; 550") {
		t.Errorf("%q, %v", answer, err)
	}
	p.inbox(t, "ops", 1)
	k.To = k.To[:1]
	_, err = newTestWorker(t, Config{Name: "mail", Kind: k}).send(t.Context(), told(t, k, called("none")))
	var r *Refusal
	if !errors.As(err, &r) || r.Verdict != Final {
		t.Errorf("nobody reads it: %#v", err)
	}
}

// delivers runs a deliverer with one receiver until its box is empty, and
// returns how it went.
func delivers(t *testing.T, p *postfix, k *SMTP, key string) State {
	t.Helper()
	b := &box{}
	d := New(Deps{Outbox: b, Watch: b.watch, Log: slog.New(slog.DiscardHandler), Standing: func(*fleet.Snapshot, string) []fleet.Pages { return nil }}, []Config{{Name: "mail", Kind: k}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	body, _ := json.Marshal(sample("mail", time.Now()))
	b.put("mail", key, func(n *fleet.Notice) { n.Body = body })
	until(t, 20*time.Second, "the mail is taken", p.log, func() bool { return len(b.Backlogs()) == 0 })
	cancel()
	<-done
	return d.States()[0]
}

func mailGreylisted(t *testing.T, p *postfix) {
	p.grey.Store(1)
	k := p.kind(p.starttls)
	_, err := newTestWorker(t, Config{Name: "mail", Kind: k}).send(t.Context(), told(t, k, called("put-off")))
	var r *Refusal
	if !errors.As(err, &r) || r.Verdict != Retry || !strings.Contains(r.Why, "4.2.0") || !strings.Contains(r.Why, "Greylisted") {
		t.Errorf("%#v", err)
	}
	p.grey.Store(2)
	s := delivers(t, p, k, "grey")
	if left := p.grey.Load(); left >= 0 {
		t.Errorf("%d tries were put off", 2-left)
	}
	if got := p.inbox(t, "ops", 1)[0].Header.Get("Message-Id"); got != "<grey@example.org>" {
		t.Error(got)
	}
	if s.Counts[ResultSent] != 1 || s.Counts[ResultRetried] != 2 {
		t.Errorf("%v", s.Counts)
	}
}

// mailTwice: the way breaks between the end of a mail and the server's yes, so it
// is sent again, as the same mail.
func mailTwice(t *testing.T, p *postfix) {
	k := p.kind(swallowing(t, p.plain))
	k.Insecure, k.Username, k.Password = true, "", nil
	delivers(t, p, k, "twice")
	for _, m := range p.inbox(t, "ops", 2) {
		if got := m.Header.Get("Message-Id"); got != "<twice@example.org>" {
			t.Error(got)
		}
	}
}

// swallowing is a way to an SMTP server that breaks once, with the server's
// answer to the first mail.
func swallowing(t *testing.T, to string) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var broken atomic.Bool
	go accept(l, func(c net.Conn) {
		s, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer s.Close()
		go func() { _, _ = io.Copy(s, c) }()
		for in, data := bufio.NewReader(s), false; ; {
			line, err := in.ReadString('\n')
			if err != nil || data && broken.CompareAndSwap(false, true) {
				return
			}
			data = strings.HasPrefix(line, "354")
			_, _ = io.WriteString(c, line)
		}
	})
	return l.Addr().String()
}
