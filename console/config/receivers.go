package config

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"hash"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumb/console/notify"
	"plumb/console/syslog"
	"plumb/fleet"
)

// receiverYAML is one receiver: its name, what is common to all, and one of the
// kinds with its own settings.
type receiverYAML struct {
	Name         ref               `yaml:"name"`
	Timeout      duration          `yaml:"timeout"`
	Heartbeat    duration          `yaml:"heartbeat"`
	Subject      prose             `yaml:"subject"`
	Text         prose             `yaml:"text"`
	Webhook      *webhookYAML      `yaml:"webhook"`
	Alertmanager *alertmanagerYAML `yaml:"alertmanager"`
	PagerDuty    *pagerDutyYAML    `yaml:"pagerduty"`
	Slack        *slackYAML        `yaml:"slack"`
	SMTP         *smtpYAML         `yaml:"smtp"`
	Syslog       *syslogYAML       `yaml:"syslog"`
	Exec         *execYAML         `yaml:"exec"`
	None         *noneYAML         `yaml:"none"`
	At           place
	digest       hash.Hash // of all that it says, for its revision
}

// fromYAML implements fromYAML: it decodes as other mappings do, and notes what
// it was decoded from.
func (y *receiverYAML) fromYAML(d *decoder, n *yaml.Node, what string) {
	y.digest = hmac.New(sha256.New, revisionKey)
	left := maxDigest
	digestNode(y.digest, n, &left)
	d.mapping(real(n), reflect.ValueOf(y).Elem(), what)
}

// maxDigest bounds the nodes of one receiver.
const maxDigest = 10_000

func digestNode(h hash.Hash, n *yaml.Node, left *int) {
	if *left--; *left < 0 {
		return
	}
	n = real(n)
	h.Write([]byte{byte(n.Kind)})
	h.Write([]byte(n.Tag + "\x00" + n.Value + "\x00"))
	for _, c := range n.Content {
		digestNode(h, c, left)
	}
	h.Write([]byte{0xff})
}

// prose is text of several lines.
type prose struct {
	text string
	at   place
}

func (p *prose) fromYAML(d *decoder, n *yaml.Node, what string) {
	bad := func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }
	switch {
	case n.Kind != yaml.ScalarNode:
		d.wrong(n, what, "text")
	case len(n.Value) > maxText || strings.ContainsFunc(n.Value, bad):
		d.errs.add(d.at(n), what, "holds control characters or is too long", "")
	case !isNull(n):
		*p = prose{n.Value, d.at(n)}
	}
}

type tlsYAML struct {
	CA         ref    `yaml:"ca"`   // who vouches for the server; left out: whom the system trusts
	Cert       ref    `yaml:"cert"` // ours, with its key
	Key        ref    `yaml:"key"`
	ServerName string `yaml:"server_name"` // the name in its certificate, where it is not that of the address
	Insecure   bool   `yaml:"insecure"`    // whoever answers is believed
	At         place
}

type webhookYAML struct {
	URL          ref      `yaml:"url"`
	URLEnv       ref      `yaml:"url_env"`
	URLFile      ref      `yaml:"url_file"`
	URLExec      args     `yaml:"url_exec"`
	SecretEnv    ref      `yaml:"secret_env"`
	SecretFile   ref      `yaml:"secret_file"`
	SecretExec   args     `yaml:"secret_exec"`
	Username     string   `yaml:"username"`
	PasswordEnv  ref      `yaml:"password_env"`
	PasswordFile ref      `yaml:"password_file"`
	PasswordExec args     `yaml:"password_exec"`
	BearerEnv    ref      `yaml:"bearer_env"`
	BearerFile   ref      `yaml:"bearer_file"`
	BearerExec   args     `yaml:"bearer_exec"`
	TLS          *tlsYAML `yaml:"tls"`
	At           place
}

type alertmanagerYAML struct {
	URL          oneOrMore `yaml:"url"`
	Link         string    `yaml:"link"`
	Username     string    `yaml:"username"`
	PasswordEnv  ref       `yaml:"password_env"`
	PasswordFile ref       `yaml:"password_file"`
	PasswordExec args      `yaml:"password_exec"`
	BearerEnv    ref       `yaml:"bearer_env"`
	BearerFile   ref       `yaml:"bearer_file"`
	BearerExec   args      `yaml:"bearer_exec"`
	TLS          *tlsYAML  `yaml:"tls"`
	At           place
}

type pagerDutyYAML struct {
	KeyEnv  ref      `yaml:"routing_key_env"`
	KeyFile ref      `yaml:"routing_key_file"`
	KeyExec args     `yaml:"routing_key_exec"`
	URL     ref      `yaml:"url"`
	Link    string   `yaml:"link"`
	TLS     *tlsYAML `yaml:"tls"`
	At      place
}

type slackYAML struct {
	URLEnv  ref      `yaml:"url_env"`
	URLFile ref      `yaml:"url_file"`
	URLExec args     `yaml:"url_exec"`
	Channel string   `yaml:"channel"`
	User    string   `yaml:"username"`
	TLS     *tlsYAML `yaml:"tls"`
	At      place
}

type smtpYAML struct {
	Address      ref       `yaml:"address"`
	Implicit     bool      `yaml:"implicit_tls"`
	Insecure     bool      `yaml:"insecure"`
	From         string    `yaml:"from"`
	To           oneOrMore `yaml:"to"`
	Username     string    `yaml:"username"`
	PasswordEnv  ref       `yaml:"password_env"`
	PasswordFile ref       `yaml:"password_file"`
	PasswordExec args      `yaml:"password_exec"`
	TLS          *tlsYAML  `yaml:"tls"`
	At           place
}

type syslogYAML struct {
	Server   ref      `yaml:"server"`
	Facility *int     `yaml:"facility"`
	TLS      *tlsYAML `yaml:"tls"`
	At       place
}

type execYAML struct {
	Command args     `yaml:"command"`
	Env     []string `yaml:"env"`
	At      place
}

type noneYAML struct{ At place }

// oneOrMore is a list, or one item of it.
type oneOrMore []string

func (l *oneOrMore) fromYAML(d *decoder, n *yaml.Node, what string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for _, item := range items {
		if s, ok := d.text(real(item), what); ok {
			*l = append(*l, s)
		}
	}
}

// receivers reads those who are told, and returns their names.
func (b *builder) receivers(list []receiverYAML) (names []string) {
	for i := range list {
		y := &list[i]
		name := y.Name.name
		switch {
		case name == "" || name != fleet.Clean(name, 80) || strings.ContainsAny(name, " /:"):
			b.errs.add(y.At, "alerts.receivers", "a receiver needs a name without blanks, slashes and colons", "")
			continue
		case slices.Contains(names, name):
			b.errs.add(y.At, "alerts.receivers: "+quote(name), "stands twice", "")
			continue
		}
		names = append(names, name)
		if b.names {
			continue
		}
		if c, ok := b.receiver(y); ok {
			b.file.Receivers = append(b.file.Receivers, c)
		}
	}
	return names
}

// receiver reads one receiver. Its certificates are read now, and with each
// reload; its secrets when they are needed.
func (b *builder) receiver(y *receiverYAML) (c notify.Config, ok bool) {
	r := &receiver{builder: b, what: "alerts.receivers: " + quote(y.Name.name), digest: y.digest}
	kinds := r.kinds(y)
	switch len(kinds) {
	case 1:
	case 0:
		b.errs.add(y.At, r.what, "does not say how it is told: add one of "+strings.Join(notify.Kinds(), " "), `{name: `+y.Name.name+`, webhook: {url: "https://..."}}; none: {} tells nobody`)
		return c, false
	default:
		b.errs.add(y.At, r.what, "is told in more than one way", "make each a receiver, and a route with continue: true for each")
		return c, false
	}
	c = notify.Config{Name: y.Name.name, Kind: kinds[0], Timeout: y.Timeout.Duration, Heartbeat: y.Heartbeat.Duration, Subject: y.Subject.text, Text: y.Text.text}
	if r.failed {
		return c, false
	}
	if err := c.Validate(); err != nil {
		at := y.At
		if y.Subject.text != "" && strings.Contains(err.Error(), "subject: ") {
			at = y.Subject.at
		} else if y.Text.text != "" && strings.Contains(err.Error(), "text: ") {
			at = y.Text.at
		}
		b.errs.add(at, r.what, fleet.Clean(strings.TrimPrefix(err.Error(), notify.ErrConfig.Error()+": "), 300), "docs/receivers.md has every setting")
		return c, false
	}
	c.Revision = hex.EncodeToString(y.digest.Sum(nil)[:12])
	return c, true
}

// receiver is one that is being read.
type receiver struct {
	*builder
	what   string
	digest hash.Hash
	failed bool
}

// secret is where a secret of the receiver is; nil: nowhere.
func (r *receiver) secret(key string, from source) notify.Secret {
	s := r.builder.secret(r.what, key, r.dir, from)
	value, _ := r.env.LookupEnv(from.env.name)
	r.digest.Write([]byte(key + "\x00" + value + "\x00"))
	if from.file.name != "" {
		stamp, _ := r.env.Stat(inDir(r.dir, from.file.name))
		r.digest.Write([]byte(stamp))
	}
	if !s.Set() {
		return nil
	}
	return s.Get
}

// auth is how plumb says who it is.
func (r *receiver) auth(at place, username string, password, bearer source) notify.Auth {
	a := notify.Auth{Username: username, Password: r.secret("password", password), Bearer: r.secret("bearer", bearer)}
	why := ""
	switch {
	case a.Username != "" && a.Password == nil:
		why = "has a username and no password: add password_env, password_file or password_exec"
	case a.Username == "" && a.Password != nil:
		why = "has a password and no username"
	case a.Username != "" && a.Bearer != nil:
		why = "has a username and a bearer token: keep one"
	}
	if why != "" {
		r.fail(at, why)
	}
	return a
}

// inClear notes where a password or a token is shown to who is on the way.
func (r *receiver) inClear(a notify.Auth, at place, key, url string) {
	if a.Password != nil || a.Bearer != nil {
		r.clear(at, r.what+": "+key, url)
	}
}

func (r *receiver) fail(at place, why string) {
	r.failed = true
	r.errs.add(at, r.what, why, "")
}

// tls reads certificates; nil: as the system has it.
func (r *receiver) tls(y *tlsYAML) *tls.Config {
	if y == nil {
		return nil
	}
	c := &tls.Config{ServerName: y.ServerName, InsecureSkipVerify: y.Insecure} // the user said so in as many words
	c.RootCAs = r.authorities(y.CA, r.what+": tls.ca", r.dir)
	for _, f := range []ref{y.CA, y.Cert, y.Key} {
		if f.name != "" {
			text, _ := r.env.ReadFile(inDir(r.dir, f.name))
			r.digest.Write(text)
		}
	}
	if y.Insecure && y.CA.name != "" {
		r.fail(y.At, "tls.insecure believes whoever answers, and tls.ca does not: keep one")
	}
	pair, ok := r.keyPair(certFiles{y.Cert, y.Key, "tls.cert", "tls.key"}, y.At, r.what, r.dir)
	if !ok {
		r.failed = true
	} else if pair != nil {
		c.Certificates = []tls.Certificate{*pair}
	}
	return c
}

// kinds are the ways in which it is told; there should be one.
func (r *receiver) kinds(y *receiverYAML) (out []notify.Kind) {
	if k := y.Webhook; k != nil {
		w := &notify.Webhook{URL: k.URL.name, URLSecret: r.secret("url", source{env: k.URLEnv, file: k.URLFile, command: k.URLExec}), Secret: r.secret("secret", source{env: k.SecretEnv, file: k.SecretFile, command: k.SecretExec}),
			Auth: r.auth(k.At, k.Username, source{env: k.PasswordEnv, file: k.PasswordFile, command: k.PasswordExec}, source{env: k.BearerEnv, file: k.BearerFile, command: k.BearerExec}), TLS: r.tls(k.TLS)}
		if w.URL != "" && w.URLSecret != nil {
			r.fail(k.At, "url is said to be in more than one place")
		}
		r.inClear(w.Auth, k.URL.at, "webhook.url", w.URL)
		out = append(out, w)
	}
	if k := y.Alertmanager; k != nil {
		auth := r.auth(k.At, k.Username, source{env: k.PasswordEnv, file: k.PasswordFile, command: k.PasswordExec}, source{env: k.BearerEnv, file: k.BearerFile, command: k.BearerExec})
		for _, u := range k.URL {
			r.inClear(auth, k.At, "alertmanager.url", u)
		}
		out = append(out, &notify.Alertmanager{URLs: k.URL, Link: k.Link, Auth: auth, TLS: r.tls(k.TLS)})
	}
	if k := y.PagerDuty; k != nil {
		out = append(out, &notify.PagerDuty{RoutingKey: r.secret("routing_key", source{env: k.KeyEnv, file: k.KeyFile, command: k.KeyExec}), URL: k.URL.name, Link: k.Link, TLS: r.tls(k.TLS)})
		r.clear(k.URL.at, r.what+": pagerduty.url", k.URL.name)
	}
	if k := y.Slack; k != nil {
		out = append(out, &notify.Slack{URL: r.secret("url", source{env: k.URLEnv, file: k.URLFile, command: k.URLExec}), Channel: k.Channel, User: k.User, TLS: r.tls(k.TLS)})
	}
	if k := y.SMTP; k != nil {
		out = append(out, &notify.SMTP{Address: r.address(k.Address, r.what+": smtp.address", "587"), Implicit: k.Implicit, Insecure: k.Insecure, From: k.From, To: k.To,
			Username: k.Username, Password: r.secret("password", source{env: k.PasswordEnv, file: k.PasswordFile, command: k.PasswordExec}), TLS: r.tls(k.TLS)})
	}
	if k := y.Syslog; k != nil {
		out = append(out, r.syslog(k))
	}
	if k := y.Exec; k != nil {
		if len(k.Command.list) > 0 {
			if err := r.env.LookPath(k.Command.list[0]); err != nil {
				r.fail(k.Command.at, "exec.command: no program "+quote(k.Command.list[0]))
			}
		}
		out = append(out, &notify.Exec{Command: k.Command.list, Env: k.Env})
	}
	if y.None != nil {
		out = append(out, notify.None{})
	}
	return out
}

func (r *receiver) syslog(y *syslogYAML) *notify.Syslog {
	k := &notify.Syslog{Facility: syslog.Daemon, TLS: r.tls(y.TLS)}
	if y.Facility != nil {
		k.Facility = syslog.Facility(*y.Facility)
	}
	if y.Server.name != "" {
		to, err := syslog.Parse(y.Server.name, nil)
		if err != nil {
			r.fail(y.Server.at, "syslog.server "+quote(y.Server.name)+": "+err.Error())
		}
		k.Server = to
	}
	return k
}
