package notify

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumb/console/syslog"
	"plumb/fleet"
)

// rsyslog is a real rsyslogd on loopback that writes what it read as JSON.
type rsyslog struct {
	dir       string
	trust     *x509.CertPool
	addresses map[string]string // by scheme
	cmd       *exec.Cmd
}

const rsyslogConf = `global(workDirectory="%[1]s" maxMessageSize="16k" parser.escapeControlCharactersOnReceive="off" net.enableDNS="off" localHostname="here"
  defaultNetstreamDriverCAFile="%[1]s/ca.pem" defaultNetstreamDriverCertFile="%[1]s/cert.pem" defaultNetstreamDriverKeyFile="%[1]s/key.pem")
module(load="imudp")
module(load="imtcp")
module(load="mmpstrucdata")
input(type="imudp" address="127.0.0.1" port="%[2]s" ruleset="all")
input(type="imtcp" address="127.0.0.1" port="%[3]s" ruleset="all")
input(type="imtcp" address="127.0.0.1" port="%[4]s" ruleset="all" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="parsed" type="list" option.jsonf="on") {
  property(outname="input" name="inputname" format="jsonf")
  property(outname="pri" name="pri" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="pid" name="procid" format="jsonf")
  property(outname="id" name="msgid" format="jsonf")
  property(outname="text" name="msg" format="jsonf")
  property(outname="sd" name="$!rfc5424-sd" format="jsonf")
}
ruleset(name="all") {
  action(type="mmpstrucdata")
  action(type="omfile" file="%[1]s/got" template="parsed")
}
`

// parsed is a message as rsyslog read it.
type parsed struct {
	PRI, Time, Host, App, PID, ID, Text string
	SD                                  elements
}

// elements are structured data: parameters by element and name. rsyslog writes
// them as JSON in a string.
type elements map[string]map[string]string

// UnmarshalJSON implements [json.Unmarshaler].
func (e *elements) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), (*map[string]map[string]string)(e))
}

func startRsyslog(t *testing.T) *rsyslog {
	needPeer(t, "apt-get install rsyslog rsyslog-openssl", "rsyslogd")
	dir := t.TempDir()
	r := &rsyslog{dir: dir, trust: vouched(t, dir, "log.example.org").RootCAs, addresses: map[string]string{}}
	arg := []any{dir}
	for _, scheme := range []string{"udp", "tcp", "tls"} {
		address := freeAddress(t)
		r.addresses[scheme] = address
		arg = append(arg, address[strings.LastIndex(address, ":")+1:])
	}
	if err := os.WriteFile(filepath.Join(dir, "conf"), fmt.Appendf(nil, rsyslogConf, arg...), 0o600); err != nil {
		t.Fatal(err)
	}
	r.start(t)
	t.Cleanup(func() { r.stop(syscall.SIGKILL) })
	return r
}

func (r *rsyslog) start(t *testing.T) {
	t.Helper()
	out, err := os.OpenFile(filepath.Join(r.dir, "out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	r.cmd = exec.Command("rsyslogd", "-n", "-f", filepath.Join(r.dir, "conf"), "-i", filepath.Join(r.dir, "pid"))
	r.cmd.Stdout, r.cmd.Stderr = out, out
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers(t, r.addresses["tcp"], r.says)
	answers(t, r.addresses["tls"], r.says)
	until(t, 20*time.Second, "somebody reads datagrams", r.says, func() bool {
		c, err := net.ListenPacket("udp", r.addresses["udp"])
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

// halt has it read nothing any more: a signal may find its threads at work.
func (r *rsyslog) halt(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	until(t, 10*time.Second, "all of its threads stand still", r.says, func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", r.cmd.Process.Pid))
		if err != nil || len(threads) == 0 {
			t.Fatalf("%v, %v", threads, err)
		}
		for _, thread := range threads {
			stat, err := os.ReadFile(thread) // id (name) state ...
			if err == nil && !bytes.HasPrefix(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" T ")) {
				return false
			}
		}
		return true
	})
}

func (r *rsyslog) stop(how os.Signal) {
	_ = r.cmd.Process.Signal(how)
	_ = r.cmd.Wait()
}

func (r *rsyslog) says() string {
	out, _ := os.ReadFile(filepath.Join(r.dir, "out"))
	got, _ := os.ReadFile(filepath.Join(r.dir, "got"))
	return fmt.Sprintf("it says %q and wrote %q", out, got)
}

// got is what it wrote, a message a line; the last line may be half written.
func (r *rsyslog) got(t *testing.T) (list []parsed) {
	t.Helper()
	b, _ := os.ReadFile(filepath.Join(r.dir, "got"))
	for line := range bytes.Lines(b) {
		var p parsed
		if !bytes.HasSuffix(line, []byte("\n")) {
			return list
		}
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		list = append(list, p)
	}
	return list
}

// with returns the one message with a key.
func (r *rsyslog) with(t *testing.T, key string) parsed {
	t.Helper()
	var found []parsed
	until(t, 10*time.Second, key+" arrives", r.says, func() bool {
		found = nil
		for _, p := range r.got(t) {
			if p.SD["plumb@32473"]["key"] == key {
				found = append(found, p)
			}
		}
		return len(found) > 0
	})
	if len(found) != 1 {
		t.Errorf("%s arrived %d times", key, len(found))
	}
	return found[0]
}

func (r *rsyslog) kind(t *testing.T, scheme string) *Syslog {
	t.Helper()
	to, err := syslog.Parse(scheme+"://"+r.addresses[scheme], r.trust)
	if err != nil {
		t.Fatal(err)
	}
	return &Syslog{Server: to, Facility: syslog.Daemon}
}

// alone is a page of one alert.
func alone(summary string) fleet.Pages {
	p := sample("log", time.Now())
	p.Alerts = p.Alerts[:1]
	p.Alerts[0].Summary = summary
	return p
}

// TestPeerRsyslog: a real rsyslogd reads what plumb writes, and what it was
// told while it was killed or started anew is told again.
func TestPeerRsyslog(t *testing.T) {
	r := startRsyslog(t)
	t.Run("arrives whole", func(t *testing.T) { syslogArrives(t, r) })
	t.Run("strangers", func(t *testing.T) { syslogStrangers(t, r) })
	t.Run("killed unread", func(t *testing.T) { syslogUnread(t, r) })
	t.Run("restarts", func(t *testing.T) { syslogRestarts(t, r) })
}

func syslogArrives(t *testing.T, r *rsyslog) {
	for scheme, size := range map[string]int{"udp": 200, "tcp": 6000, "tls": 6000} { // a datagram holds 2048 bytes
		summary := "Łódź 温度: \"heiß\"]\\\nsecond line\n\tthird 12 <5> " + strings.Repeat("é", size/2)
		m := &Message{Key: "whole-" + scheme, What: WhatAlerts, At: time.Date(2026, 11, 22, 14, 0, 0, 123456000, time.UTC), Pages: alone(summary)}
		page := &m.Pages.Alerts[0]
		page.Evidence = `a "quoted" [thing] \o/ ärger`
		w := newTestWorker(t, Config{Name: "log", Kind: r.kind(t, scheme)})
		if _, err := w.send(t.Context(), m); err != nil {
			t.Fatalf("%s: %v; %s", scheme, err, r.says())
		}
		w.sender.(closer).Close()
		got := r.with(t, m.Key)
		if want := "\ufeff" + "firing: " + summary; got.Text != want {
			t.Errorf("%s: text %q, want %q", scheme, got.Text, want)
		}
		if got.PRI != "26" || got.Time != "2026-11-22T14:00:00.123456Z" || got.Host != syslog.Hostname() || got.App != "plumb" || got.PID != strconv.Itoa(os.Getpid()) || got.ID != "alert" {
			t.Errorf("%s: head %+v", scheme, got)
		}
		sd := got.SD["plumb@32473"]
		for name, want := range map[string]string{"alert": page.ID, "status": "firing", "severity": "crit", "holds": "17", "cause": page.Cause, "blast": page.Blast, "evidence": page.Evidence, "runbook": page.Runbook, "label.rack": "ams1/r01", "label.tenant": "acme"} {
			if sd[name] != want {
				t.Errorf("%s: %s is %q, want %q", scheme, name, sd[name], want)
			}
		}
	}
}

func syslogStrangers(t *testing.T, r *rsyslog) {
	k := r.kind(t, "tls")
	k.TLS = vouched(t, t.TempDir(), "log.example.org")
	var unknown x509.UnknownAuthorityError
	var refused *Refusal
	_, err := newTestWorker(t, Config{Name: "log", Kind: k}).send(t.Context(), told(t, k, called("stranger")))
	if !errors.As(err, &unknown) || !errors.As(err, &refused) || refused.Verdict != Mend {
		t.Errorf("an authority of somebody else: %#v", err)
	}
	for _, p := range r.got(t) {
		if p.SD["plumb@32473"]["key"] == "stranger" {
			t.Errorf("%+v", p)
		}
	}
}

// syslogUnread: what was written to an rsyslog that hangs, and is killed before
// it read it, is sent again. Had it hung for longer than plumb waits after a
// message, the message were lost: its kernel had taken it.
func syslogUnread(t *testing.T, r *rsyslog) {
	for _, scheme := range []string{"tcp", "tls"} {
		k := r.kind(t, scheme)
		w := newTestWorker(t, Config{Name: "log", Kind: k})
		for n, caught := 0, false; !caught; n++ {
			if n == 5 {
				t.Skip("this machine is too slow to kill it in time")
			}
			m := told(t, k, called(fmt.Sprintf("unread-%s-%d", scheme, n)))
			m.Pages.Alerts = m.Pages.Alerts[:1]
			if _, err := w.send(t.Context(), told(t, k, called("before"))); err != nil { // it is connected
				t.Fatal(err)
			}
			r.halt(t)
			end := make(chan error, 1)
			began := time.Now()
			go func() { _, err := w.send(t.Context(), m); end <- err }()
			<-time.After(settle / 5)
			r.stop(syscall.SIGKILL)
			caught = time.Since(began) < settle
			err := <-end
			if refused := (*Refusal)(nil); caught && (!errors.As(err, &refused) || refused.Verdict != Retry) {
				t.Errorf("%s: %#v", scheme, err)
			}
			r.start(t)
			if err != nil {
				_, err = w.send(t.Context(), m)
			}
			if caught && err == nil {
				r.with(t, m.Key)
			}
		}
		w.sender.(closer).Close()
	}
}

// syslogRestarts: over a connection every notice that was on its way when rsyslog
// ended or was killed arrives, some of them again. What rsyslog read and had not
// written when it was killed is its own to lose: syslog has no word by which it
// could be asked (RFC 5424 section 8.5).
func syslogRestarts(t *testing.T, r *rsyslog) {
	const each = 12
	b := &box{}
	var list []Config
	for _, scheme := range []string{"tcp", "tls"} {
		list = append(list, Config{Name: scheme, Kind: r.kind(t, scheme)})
	}
	d := New(Deps{Outbox: b, Watch: b.watch, Log: slog.New(slog.DiscardHandler), Standing: func(*fleet.Snapshot, string) []fleet.Pages { return nil }}, list)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	defer func() { cancel(); <-done }()
	for n := range each {
		for _, c := range list {
			body, _ := json.Marshal(alone(fmt.Sprint("notice ", n)))
			b.put(c.Name, fmt.Sprintf("%s-%d", c.Name, n), func(n *fleet.Notice) { n.Body = body })
		}
	}
	waiting := func() (n int) {
		for _, l := range b.Backlogs() {
			n += l.Waiting
		}
		return n
	}
	for _, how := range []os.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		was := waiting()
		until(t, 20*time.Second, "some are told", r.says, func() bool { return waiting() <= was-4 })
		if waiting() == 0 {
			t.Error("all was told before it ended")
		}
		r.stop(how)
		r.start(t)
	}
	until(t, 30*time.Second, "all are told", r.says, func() bool { return waiting() == 0 })
	seen := map[string]int{}
	again := 0
	until(t, 5*time.Second, "all are written", r.says, func() bool {
		clear(seen)
		again = 0
		for _, p := range r.got(t) {
			key := p.SD["plumb@32473"]["key"]
			if seen[key]++; seen[key] > 1 {
				again++
			}
		}
		missing := 0
		for _, c := range list {
			for n := range each {
				if seen[fmt.Sprintf("%s-%d", c.Name, n)] == 0 {
					missing++
				}
			}
		}
		return missing == 0
	})
	for _, s := range d.States() {
		t.Logf("%s: %v", s.Name, s.Counts)
	}
	t.Logf("%d of %d arrived again", again, each*len(list))
}
