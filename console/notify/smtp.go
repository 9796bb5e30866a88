package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"slices"
	"time"
)

// SMTP sends mail. Without TLS nothing is sent, unless the user says that it
// may be, and a password never.
type SMTP struct {
	Address  string // host:port; port 465 speaks TLS from the start, others by STARTTLS
	Implicit bool   // TLS from the start, also on another port
	Insecure bool   // TLS only where the server offers it, and no password without
	From     string
	To       []string
	Username string
	Password Secret
	TLS      *tls.Config
}

// Kind implements [Kind].
func (*SMTP) Kind() string        { return "smtp" }
func (*SMTP) defaultText() string { return defaultBody }
func (*SMTP) pages() bool         { return false }

// Validate implements [Kind].
func (k *SMTP) Validate() error {
	if _, _, err := net.SplitHostPort(k.Address); err != nil {
		return wrong("address: want HOST:PORT")
	}
	if _, err := mailbox(k.From); err != nil {
		return wrong("from: %v", err)
	}
	if len(k.To) == 0 {
		return wrong("has nobody to write to: add to: [ops@example.org]")
	}
	for _, to := range k.To {
		if _, err := mailbox(to); err != nil {
			return wrong("to: %v", err)
		}
	}
	if k.Username != "" && k.Password == nil {
		return wrong("has a username and no password: add password_env, password_file or password_exec")
	}
	return nil
}

func (k *SMTP) sender() Sender { return &mailer{k} }

type mailer struct{ *SMTP }

// Send implements [Sender]. A server that takes the message for some of its
// readers has taken it.
func (s *mailer) Send(ctx context.Context, m *Message) (answer string, err error) {
	password, err := s.Password.get(ctx)
	if err != nil {
		return "", err
	}
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + s.Username + "\x00" + password))
	secrets := []string{plain, base64.StdEncoding.EncodeToString([]byte(password)), password} // as AUTH says them
	answer, err = s.deliver(ctx, m, password)
	if err != nil {
		return "", judgeSMTP(ctx, err, secrets...)
	}
	return words(answer, secrets...), nil
}

func (s *mailer) deliver(ctx context.Context, m *Message, password string) (string, error) {
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return "", err
	}
	c, end, err := s.dial(ctx, host, s.Implicit || port == "465")
	if err != nil {
		return "", err
	}
	defer end()
	if err := c.Hello(helo()); err != nil {
		return "", err
	}
	if err := s.secure(c, host); err != nil {
		return "", err
	}
	if s.Username != "" {
		if err := s.login(c, host, password); err != nil {
			return "", err
		}
	}
	if err := s.from(c); err != nil {
		return "", err
	}
	taken, refused := s.recipients(c)
	if taken == 0 {
		return "", refused
	}
	w, err := c.Data()
	if err != nil {
		return "", err
	}
	if _, err := w.Write(s.mail(m)); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil { // the server's word on the whole message
		return "", err
	}
	_ = c.Quit() // it is taken already
	answer := fmt.Sprintf("taken for %d of %d", taken, len(s.To))
	if refused != nil {
		answer += "; " + refused.Error()
	}
	return answer, nil
}

// dial connects. Whatever is done on the connection ends with ctx.
func (s *mailer) dial(ctx context.Context, host string, implicit bool) (c *smtp.Client, end func(), err error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	end = func() { stop(); conn.Close() }
	wire := net.Conn(&bounding{conn, maxSMTP})
	if implicit {
		t := tls.Client(wire, s.tls(host))
		if err := t.HandshakeContext(ctx); err != nil {
			end()
			return nil, nil, err
		}
		wire = t
	}
	if c, err = smtp.NewClient(wire, host); err != nil {
		end()
		return nil, nil, err
	}
	return c, end, nil
}

// maxSMTP bounds what a server may say in one conversation, in bytes.
const maxSMTP = 256 << 10

// bounding is a connection on which the other side may say so much.
type bounding struct {
	net.Conn
	left int
}

var errTalks = errors.New("the server says too much")

// Read implements io.Reader.
func (b *bounding) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTalks
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func (s *mailer) tls(host string) *tls.Config {
	c := tlsOf(s.TLS)
	c.ServerName = cmp.Or(c.ServerName, host)
	return c
}

var errPlain = errors.New("the server offers no STARTTLS, and nothing is sent without; insecure: true sends it all the same")

func (s *mailer) secure(c *smtp.Client, host string) error {
	if _, is := c.TLSConnectionState(); is {
		return nil
	}
	if ok, _ := c.Extension("STARTTLS"); ok {
		return c.StartTLS(s.tls(host))
	}
	if !s.Insecure {
		return mend(errPlain)
	}
	return nil
}

var errPassword = errors.New("a password is not sent without TLS")

func (s *mailer) login(c *smtp.Client, host, password string) error {
	if _, is := c.TLSConnectionState(); !is {
		return mend(errPassword)
	}
	_, how := c.Extension("AUTH")
	var auth smtp.Auth = smtp.PlainAuth("", s.Username, password, host)
	if !offers(how, "PLAIN") && offers(how, "LOGIN") {
		auth = &loginAuth{s.Username, password}
	}
	if err := c.Auth(auth); err != nil {
		return &authError{err}
	}
	return nil
}

// authError is a word of the server on who we are.
type authError struct{ error }

func (e *authError) Unwrap() error { return e.error }

// from says who writes. net/smtp asks for SMTPUTF8 wherever it is offered, and a
// server that hands the mail on to one without it may then send it back; what
// plumb writes is ASCII, and only an address may need it (RFC 6531).
func (s *mailer) from(c *smtp.Client) error {
	from, _ := mailbox(s.From)
	if slices.ContainsFunc(slices.Concat(s.To, []string{s.From}), func(text string) bool { box, _ := mailbox(text); return !isASCII(box.Address) }) {
		return c.Mail(from.Address)
	}
	id, err := c.Text.Cmd("MAIL FROM:<%s>", from.Address)
	if err != nil {
		return err
	}
	c.Text.StartResponse(id)
	defer c.Text.EndResponse(id)
	_, _, err = c.Text.ReadResponse(250)
	return err
}

// recipients names the readers, and returns why the last one was refused.
func (s *mailer) recipients(c *smtp.Client) (taken int, refused error) {
	for _, to := range s.To {
		box, _ := mailbox(to)
		if err := c.Rcpt(box.Address); err != nil {
			refused = err
			continue
		}
		taken++
	}
	return taken, refused
}

// judgeSMTP reads a reply: 5xx is final (RFC 5321 section 4.2.1), but for those
// that say that we are not let in.
func judgeSMTP(ctx context.Context, err error, secrets ...string) *Refusal {
	var r *Refusal
	var said *textproto.Error
	if errors.As(err, &r) || !errors.As(err, &said) {
		r = judge(ctx, err)
		r.Why = words(r.Why, secrets...)
		return r
	}
	r = &Refusal{Verdict: Retry, Why: words(said.Error(), secrets...), err: err}
	var auth *authError
	switch {
	case said.Code/100 == 4:
	case errors.As(err, &auth), said.Code == 530, said.Code == 534, said.Code == 535, said.Code == 538:
		r.Verdict = Mend
	case said.Code/100 == 5:
		r.Verdict = Final
	}
	return r
}

// helo is our name as RFC 5321 takes one.
func helo() string {
	name, err := os.Hostname()
	if err != nil || !isDomain(name) {
		return "localhost"
	}
	return name
}

// loginAuth is the LOGIN that some servers offer alone.
type loginAuth struct{ username, password string }

// Start implements [smtp.Auth].
func (a *loginAuth) Start(s *smtp.ServerInfo) (string, []byte, error) {
	if !s.TLS {
		return "", nil, errPassword
	}
	return "LOGIN", nil, nil
}

// Next implements [smtp.Auth]: the server asks for the name, then the password,
// in words that nobody agreed on.
func (a *loginAuth) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	if a.username != "" {
		name := a.username
		a.username = ""
		return []byte(name), nil
	}
	return []byte(a.password), nil
}

// mailAt is when a message says it was written.
func mailAt(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700") }
