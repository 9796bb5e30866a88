package config

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"plumb/console/auditlog"
	"plumb/console/notify"
	"plumb/console/remotewrite"
	"plumb/fleet"
	"plumb/fleet/runbook"
	"plumb/probes"
	"plumb/store"
)

// File is a configuration that has been checked. It is never written after it
// was loaded.
type File struct {
	Inventory   *fleet.Inventory
	Store       store.Config // Dir is absolute
	SSH         SSH          // zero where the file has no ssh part: then nobody can be let in
	Poll        Poll
	Credentials map[string]Credential
	Metrics     Metrics
	Audit       auditlog.Config  // without its key
	Auto        []runbook.Policy // what is begun without a person
	RemoteWrite []remotewrite.Config
	Runbooks    []*runbook.Book // those that come with plumb, and the user's own
	Receivers   []notify.Config // who is told of alerts
	// Certificates are those that the file names with their keys.
	Certificates []Certificate
	// InClear names the secrets that other machines are shown over http, each with
	// its place and key.
	InClear []string
}

// Credential returns what a name stands for, as probes take it.
func (f *File) Credential(name string) (probes.Credential, bool) {
	c, ok := f.Credentials[name]
	return c.Probe(), ok
}

// SSH is the console's door.
type SSH struct {
	Listen      string        // host:port
	HostKey     string        // absolute path of a private key; it need not exist yet
	MaxSessions int           // 0: the server's default
	Idle        time.Duration // since the last key; 0: the server's default
	Users       []User
	TrustedCA   []ssh.PublicKey // sign user certificates whose principals are names of Users
}

// User is somebody who may come in.
type User struct {
	Name  string
	Role  fleet.Role
	Scope *fleet.Scope // what they may write to; nil: everything
	Keys  []ssh.PublicKey
	Bell  string // off crit warn; "": off
}

// Poll is how targets are polled, and where traps are taken.
type Poll struct {
	probes.Config
	TrapListen string // host:port; "": nowhere
}

// Metrics is where metrics are served, and to whom.
type Metrics struct {
	Listen string      // host:port; "": nowhere
	TLS    *tls.Config // nil: in clear
	// CertFile and KeyFile are where its certificate was read from.
	CertFile, KeyFile string
	// Username and Password are for Basic; a Password alone is a bearer token.
	// nil: for everybody who reaches the address.
	Username   string
	Password   func(context.Context) (string, error)
	PasswordAt string // where it is said to be, in words
}

// builder turns the parts of a file into a File.
type builder struct {
	env   Env
	errs  *Errors
	files []string // as errors name them, the main file first
	dir   string   // of the file that has the alerts
	names bool     // of receivers only the names count: days are made up, and nobody is told
	file  *File
	first struct{ store, ssh, poll, metrics, alerts, policies, audit place }

	ids         map[string]named // devices, clouds, feeds, services
	regions     map[string]place
	sites       map[string]place
	credentials map[string]place
	plugs       map[string]place // outlets and ports that have a plug
	books       map[string]place // the user's own runbooks
	after       []func()         // checks that need everything to be known

	builtInRules []string // the names of the alert rules that plumb comes with, wanted or not
}

// named is something with an id.
type named struct {
	is string // device, cloud, feed, service
	at place
	n  int // its place in the inventory's list
}

func (b *builder) build(parts []part) *File {
	b.file = &File{
		Inventory: &fleet.Inventory{}, Store: store.Defaults(), Poll: Poll{Config: probes.Defaults()},
		Credentials: make(map[string]Credential),
	}
	b.ids, b.regions = make(map[string]named), make(map[string]place)
	b.sites, b.credentials = make(map[string]place), make(map[string]place)
	b.file.Runbooks, b.books = b.shipped(), make(map[string]place)
	for _, p := range parts {
		if p.fileYAML != nil {
			b.part(p)
		}
	}
	if b.first.alerts == (place{}) {
		b.alerting(nil)
	}
	if b.file.Store.Dir == "" {
		b.file.Store.Dir = inDir(parts[0].dir, "plumb-data")
	}
	for _, check := range b.after {
		check()
	}
	b.file.Inventory.Intervals = [3]time.Duration{b.file.Poll.Interval, b.file.Poll.Tables, b.file.Poll.Slow}
	return b.file
}

func (b *builder) part(p part) {
	if p.Store != nil && b.once("store", &b.first.store, p.Store.At) {
		b.store(p.Store, p.dir)
	}
	if p.SSH != nil && b.once("ssh", &b.first.ssh, p.SSH.At) {
		b.ssh(p.SSH, p.dir)
	}
	if p.Poll != nil && b.once("poll", &b.first.poll, p.Poll.At) {
		b.poll(p.Poll)
	}
	if p.Metrics != nil && b.once("metrics", &b.first.metrics, p.Metrics.At) {
		b.metrics(p.Metrics, p.dir)
	}
	if p.Alerts != nil && b.once("alerts", &b.first.alerts, p.Alerts.At) {
		b.dir = p.dir
		b.alerting(p.Alerts)
	}
	if p.Policies != nil && b.once("policies", &b.first.policies, p.Policies.At) {
		b.policies(p.Policies)
	}
	if p.Audit != nil && b.once("audit", &b.first.audit, p.Audit.At) {
		b.audit(p.Audit, p.dir)
	}
	b.remoteWrites(p.RemoteWrite, p.dir)
	b.runbooks(p.Runbooks, p.dir)
	for _, name := range sortedKeys(p.Credentials) {
		b.addCredential(name, p.Credentials[name], p)
	}
	for i := range p.Regions {
		b.region(&p.Regions[i])
	}
	for i := range p.Clouds {
		b.cloud(&p.Clouds[i], p.dir)
	}
	for i := range p.Services {
		b.service(&p.Services[i], p.dir)
	}
}

// once complains about a part that a second file has too.
func (b *builder) once(what string, first *place, at place) bool {
	if *first != (place{}) {
		b.errs.add(at, what, "stands twice, first at "+first.String(), "")
		return false
	}
	*first = at
	return true
}

func (b *builder) addCredential(name string, y *credentialYAML, p part) {
	if y == nil {
		b.errs.add(p.At, "credential "+quote(name), "is empty", "")
		y = &credentialYAML{Version: ref{name: "2c"}, Plain: true, Community: hidden{value: "-"}, At: p.At}
	}
	if first, ok := b.credentials[name]; ok {
		b.errs.add(y.At, "credential "+quote(name), "stands twice, first at "+first.String(), "")
		return
	}
	b.credentials[name] = y.At
	b.file.Credentials[name] = b.credential(name, y, p.dir)
}

func (b *builder) store(y *storeYAML, dir string) {
	c := &b.file.Store
	if y.Dir.name != "" {
		c.Dir = inDir(dir, y.Dir.name)
	}
	if r := y.Retention; r != nil {
		r.Raw.to(&c.Retention.Raw)
		r.FiveMin.to(&c.Retention.FiveMin)
		r.Hour.to(&c.Retention.Hour)
		r.Gauges.to(&c.Retention.Gauges)
		r.Counters.to(&c.Retention.Counters)
		r.States.to(&c.Retention.States)
	}
	if y.Ballast != nil {
		switch n := *y.Ballast; {
		case n < 0 || n > 1<<20:
			b.errs.add(y.At, "store.ballast_mib", fmt.Sprintf("%d is not within 0 and 1048576", n), "")
		case n == 0:
			c.Ballast = -1
		default:
			c.Ballast = int64(n) << 20
		}
	}
	check := *c
	check.Dir = "x" // its default comes later
	if err := check.Validate(); err != nil {
		b.errs.add(y.At, "store", strings.ReplaceAll(strings.ReplaceAll(err.Error(), "store: ", ""), "\n", "; "), "")
	}
}

func (b *builder) poll(y *pollYAML) {
	c := &b.file.Poll
	y.Interval.to(&c.Interval)
	y.Timeout.to(&c.Timeout)
	c.Tables, c.Slow = max(c.Tables, c.Interval), max(c.Slow, c.Interval)
	y.Tables.to(&c.Tables)
	c.Slow = max(c.Slow, c.Tables)
	y.Slow.to(&c.Slow)
	c.TrapListen = b.address(y.TrapListen, "poll.trap_listen", "162")
	if err := c.Validate(); err != nil {
		b.errs.add(y.At, "poll", strings.TrimPrefix(err.Error(), probes.ErrConfig.Error()+": "), "")
	}
}
