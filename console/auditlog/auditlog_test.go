package auditlog

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"plumb/console/syslog"
	"plumb/fleet"
	"plumb/store"
)

var t0 = time.Date(2026, 11, 22, 14, 0, 0, 5, time.UTC)

// chain is an audit log in memory.
type chain struct {
	mu   sync.Mutex
	list []fleet.AuditEntry
	sent map[string]uint64
}

func newChain(n int) *chain {
	c := &chain{sent: map[string]uint64{}}
	for i := range n {
		c.add("who"+fmt.Sprint(i), `said "no"] \o/ to ärger`)
	}
	return c
}

func (c *chain) add(who, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	prev := strings.Repeat("0", 64)
	if n := len(c.list); n > 0 {
		prev = c.list[n-1].Hash
	}
	e := fleet.AuditEntry{Seq: uint64(len(c.list) + 1), At: t0, Who: who, From: "local", Action: "reset", Target: "s01", Outcome: "denied", Reason: reason, Prev: prev}
	e.Hash = store.AuditHash(e)
	c.list = append(c.list, e)
}

func (c *chain) Audit(_ context.Context, from uint64, limit int) ([]fleet.AuditEntry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if from > uint64(len(c.list)) {
		return nil, nil
	}
	list := c.list[max(from, 1)-1:]
	return list[:min(len(list), limit)], nil
}

func (c *chain) Sent(to string) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent[to], nil
}

func (c *chain) KeepSent(_ context.Context, to string, seq uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent[to] = seq
	return nil
}

func hostKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// exporter is one that is stepped by hand, with a clock that is set by hand.
func exporter(t *testing.T, c Config, from *chain, now *time.Time) *Exporter {
	t.Helper()
	x := New(c, from, slog.New(slog.DiscardHandler), func() time.Time { return *now })[0]
	x.kept, _ = from.Sent(x.name)
	x.put = x.kept
	t.Cleanup(x.sink.close)
	return x
}

func TestFileIsWholeAndChecked(t *testing.T) {
	path, now := filepath.Join(t.TempDir(), "audit.ndjson"), t0
	c := newChain(450)
	x := exporter(t, Config{File: path, Key: hostKey(t)}, c, &now)
	for range 4 {
		x.step(t.Context())
	}
	r := checked(t, path, c)
	if r.Entries != 450 || r.From != 1 || r.To != 450 || r.Chain != 450 || r.Heads != 1 || len(r.Keys) != 1 || len(r.Problems) != 0 {
		t.Errorf("%+v", r)
	}
	// Another process goes on where this one left off; a line that was cut by a
	// power failure is written again; an hour later the head is signed again.
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"seq":451,"at":"2026`)
	f.Close()
	c.add("ann", "one more")
	x = exporter(t, Config{File: path, Key: x.key}, c, &now)
	x.step(t.Context())
	now = now.Add(headEach)
	x.step(t.Context())
	if r := checked(t, path, c); r.Entries != 451 || r.Heads != 3 || r.Again != 0 || len(r.Problems) != 0 {
		t.Errorf("%+v", r)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
}

func checked(t *testing.T, path string, c *chain) Report {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Check(t.Context(), bytes.NewReader(b), c.Audit)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTampering: whatever is changed in the file or in the store is found.
func TestTampering(t *testing.T) {
	path, now := filepath.Join(t.TempDir(), "audit.ndjson"), t0
	c := newChain(9)
	x := exporter(t, Config{File: path, Key: hostKey(t)}, c, &now)
	x.step(t.Context())
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(bytes.TrimSpace(whole), []byte("\n"))
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	shorter := newChain(7)
	for _, c := range []struct {
		name string
		file []byte
		own  *chain
		want string
	}{
		{"an entry says something else", bytes.Replace(whole, []byte("who3"), []byte("eve3"), 1), c, "does not have the hash"},
		{"an entry is missing", join(append(append([][]byte{}, lines[:3]...), lines[4:]...)...), c, "entry 3 is followed by 5"},
		{"the tail is missing", join(append(append([][]byte{}, lines[:8]...), lines[9])...), c, "its tail was cut"},
		{"the store's tail is missing", whole, shorter, "the store's chain ends at 7, the file at 9"},
		{"the head was forged", bytes.Replace(whole, []byte(`"head":{"seq":9`), []byte(`"head":{"seq":8`), 1), c, "not that of its key"},
		{"garbage", append([]byte("hello\n"), whole...), c, "line 1 is neither"},
		{"the store is another", whole, func() *chain { o := newChain(0); o.add("x", "y"); return o }(), "entry 1 of the store is not the one"},
	} {
		r, err := Check(t.Context(), bytes.NewReader(c.file), c.own.Audit)
		if err != nil || !strings.Contains(strings.Join(r.Problems, "; "), c.want) {
			t.Errorf("%s: %v %v, want %q", c.name, r.Problems, err, c.want)
		}
	}
}

// rfc5424 is the form of a message with one structured element (section 6).
var rfc5424 = regexp.MustCompile(`^<(\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]+ plumb \d+ (audit|head) \[plumb@32473((?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")+)\] \x{FEFF}.+$`)

func TestMessage(t *testing.T) {
	c := newChain(1)
	m := message("host", &c.list[0])
	got := rfc5424.FindSubmatch(m)
	if got == nil || string(got[1]) != "108" || !strings.Contains(string(got[3]), `reason="said \"no\"\] \\o/ to ärger"`) || !strings.Contains(string(got[3]), `at="2026-11-22T14:00:00.000000005Z"`) {
		t.Errorf("%s", m)
	}
	h, err := Sign(hostKey(t), 1, c.list[0].Hash, t0)
	if err != nil || rfc5424.Find(h.message("host", t0)) == nil {
		t.Errorf("%s, %v", h.message("host", t0), err)
	}
}

// collector is a TCP syslog server with octet counting (RFC 6587).
type collector struct {
	net.Listener
	got chan string
}

func listen(t *testing.T) *collector {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &collector{l, make(chan string, 1000)}
}

// serve takes one connection, reads n messages and hangs up; 0: all.
func (c *collector) serve(t *testing.T, n int) {
	conn, err := c.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for i := 0; n == 0 || i < n; i++ {
		var length int
		if _, err := fmt.Fscanf(in, "%d ", &length); err != nil {
			return
		}
		m := make([]byte, length)
		if _, err := io.ReadFull(in, m); err != nil {
			return
		}
		if !rfc5424.Match(m) {
			t.Errorf("%q", m)
		}
		c.got <- string(m)
	}
}

var seqOf = regexp.MustCompile(`seq="(\d+)"`)

// TestServerThatHangsUp: what it may not have read comes again, in order, and
// nothing is missing.
func TestServerThatHangsUp(t *testing.T) {
	l, now := listen(t), t0
	to, err := syslog.Parse("tcp://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := newChain(20)
	x := exporter(t, Config{Syslog: to}, c, &now)
	first := make(chan struct{})
	go func() { defer close(first); l.serve(t, 5) }()
	x.step(t.Context())
	<-first
	go l.serve(t, 0)
	seen := map[string]bool{}
	deadline := time.After(20 * time.Second)
	for len(seen) < 20 || c.sent[x.name] < 20 {
		now = now.Add(time.Second)
		x.step(t.Context())
	drain:
		for {
			select {
			case m := <-l.got:
				seen[seqOf.FindStringSubmatch(m)[1]] = true
			case <-deadline:
				t.Fatalf("%d of 20 arrived, %d kept", len(seen), c.sent[x.name])
			case <-time.After(5 * time.Millisecond):
				break drain
			}
		}
	}
}

// TestNobodyThere: nothing is remembered as sent that was not.
func TestNobodyThere(t *testing.T) {
	l, now := listen(t), t0
	l.Close()
	to, err := syslog.Parse("tcp://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := newChain(3)
	x := exporter(t, Config{Syslog: to}, c, &now)
	for range 3 {
		now = now.Add(time.Minute)
		if wait := x.step(t.Context()); wait < time.Second || c.sent[x.name] != 0 || x.down == "" {
			t.Errorf("waits %s, %d kept, %q", wait, c.sent[x.name], x.down)
		}
	}
}

func TestUDP(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	now := t0
	to, err := syslog.Parse("udp://"+l.LocalAddr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := newChain(2)
	x := exporter(t, Config{Syslog: to}, c, &now)
	x.step(t.Context())
	buf := make([]byte, maxLine)
	for _, want := range []string{"1", "2"} {
		n, _, err := l.ReadFrom(buf)
		if err != nil || !rfc5424.Match(buf[:n]) || seqOf.FindStringSubmatch(string(buf[:n]))[1] != want {
			t.Errorf("%q %v", buf[:n], err)
		}
	}
	if c.sent[x.name] != 2 {
		t.Errorf("%d kept", c.sent[x.name])
	}
}

// TestLinesAreThoseOfTheVerb: what audit --ndjson prints can be checked too.
func TestLinesAreThoseOfTheVerb(t *testing.T) {
	c := newChain(2)
	var b bytes.Buffer
	for _, e := range c.list {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	if r, err := Check(t.Context(), &b, nil); err != nil || r.Entries != 2 || len(r.Problems) != 0 {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := Check(t.Context(), strings.NewReader(strings.Repeat("x", maxLine+1)), nil); !errors.Is(err, bufio.ErrTooLong) {
		t.Error(err)
	}
}
