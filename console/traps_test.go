//go:build unix

package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"plumb/fleet"
)

// Each test here is a trap somebody fell into with these libraries, measured
// on them, and fails when what closes it is taken out.

// TestSpinOnClosedChannel: a window channel that is read after its end without
// looking spins a core for ever.
func TestSpinOnClosedChannel(t *testing.T) {
	h := newHouse(t, nil)
	c := h.client("viewer") // keeps its connection, as a ControlMaster does
	d := h.show(c, 80, 24, "")
	d.sees("LIVE")
	_ = d.sess.Close()
	eventually(t, 3*time.Second, "the reader of window changes has ended", func() bool { return goroutines("console.follow") == 0 })
}

// TestClientKeepsConnectionAfterSession: the end of a session is not the end
// of its connection. Nothing of it may stay, and the next one must work.
func TestClientKeepsConnectionAfterSession(t *testing.T) {
	h := newHouse(t, nil)
	c := h.client("viewer")
	for range 3 {
		d := h.show(c, 80, 24, "")
		d.sees("LIVE")
		_ = d.sess.Close()
		eventually(t, 3*time.Second, "the session has ended", func() bool { return h.server.Registry().size() == 0 && h.bell.watchers() == 0 })
	}
	d := h.show(c, 80, 24, "")
	d.sees("LIVE")
	if err := d.in.Close(); err != nil { // end of input alone ends a screen too
		t.Fatal(err)
	}
	d.gone()
	eventually(t, 3*time.Second, "no goroutine of a session is left", func() bool {
		return goroutines("console.(*visit)")+goroutines("console.readKeys")+goroutines("console.(*screenWriter)")+goroutines("session).handleRequests") == 0
	})
}

// TestLostResizes: with a second reader of the window channel, or a queue that
// drops, a resize goes missing now and then. The newest must always show.
func TestLostResizes(t *testing.T) {
	h := newHouse(t, nil)
	d := h.show(h.client("viewer"), 80, 24, "")
	d.sees("LIVE")
	fits := func(cols, rows int) func() bool {
		return func() bool {
			lines := strings.Split(d.text(), "\n")
			return len(lines) == rows+1 && strings.HasSuffix(strings.TrimRight(lines[0], " "), "Z") && len([]rune(strings.TrimRight(lines[0], " "))) >= cols-2
		}
	}
	for i := range 12 {
		cols, rows := 81+7*i, 24+i
		d.resize(cols, rows)
		eventually(t, 2*time.Second, fmt.Sprintf("a header as wide as %d columns", cols), fits(cols, rows))
	}
	for i := range 300 { // a corner is dragged
		d.resize(100+i%50, 30+i%9)
	}
	d.resize(123, 33)
	eventually(t, 2*time.Second, "the last of 300 sizes", fits(123, 33))
}

// TestIdleMeansLastKey: a screen that refreshes is never idle for a timeout of
// the connection. Idle is the time since the last key.
func TestIdleMeansLastKey(t *testing.T) {
	var ahead atomic.Int64
	h := newHouse(t, func(c *ServerConfig, d *Deps) {
		c.Idle, c.IdleWarn = 10*time.Minute, time.Minute
		d.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	d := h.show(h.client("viewer"), 80, 24, "")
	wall := h.show(h.client("wall"), 80, 24, "")
	d.sees("LIVE")
	refreshing, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		for v := uint64(2); pause(refreshing, 20*time.Millisecond); v++ {
			h.bell.ring(testSnapshot(v))
		}
	}()
	ahead.Store(int64(9*time.Minute + 30*time.Second))
	d.sees("press any key to stay")
	d.press("j")
	eventually(t, 3*time.Second, "the warning goes", func() bool { return !strings.Contains(d.text(), "press any key") })
	ahead.Store(int64(18 * time.Minute))
	eventually(t, 3*time.Second, "a new second", func() bool { return h.server.Registry().size() == 2 })
	ahead.Store(int64(20 * time.Minute))
	d.gone()
	if !d.sent("no key for 10m") {
		t.Errorf("the user was not told why: %q", d.raw.String())
	}
	select {
	case <-wall.done:
		t.Error("a wall went idle")
	default:
	}
}

// TestStalledClient: a client that stops reading holds whoever writes to it.
// It must lose its connection and hold nobody else meanwhile.
func TestStalledClient(t *testing.T) {
	h := newHouse(t, func(c *ServerConfig, _ *Deps) { c.Stall = 400 * time.Millisecond })
	c := h.client("viewer")
	ch, reqs, err := c.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go ssh.DiscardRequests(reqs)
	pty := struct {
		Term                   string
		Cols, Rows, Wide, High uint32
		Modes                  string
	}{"xterm-direct", 600, 200, 0, 0, "\x00"}
	for _, r := range []struct {
		name    string
		payload []byte
	}{{"pty-req", ssh.Marshal(pty)}, {"shell", nil}} {
		if ok, err := ch.SendRequest(r.name, true, r.payload); !ok || err != nil {
			t.Fatal(r.name, ok, err)
		}
	}
	other := h.show(h.client("viewer"), 80, 24, "")
	other.sees("LIVE")
	closed := make(chan error, 1)
	go func() { closed <- c.Wait() }()
	repaint := time.NewTicker(2 * time.Millisecond)
	defer repaint.Stop()
	limit := time.After(30 * time.Second)
	for v := uint64(2); ; v++ {
		select {
		case <-closed:
			eventually(t, 3*time.Second, "the session has ended", func() bool { return h.server.Registry().size() == 1 })
			eventually(t, 3*time.Second, "its end is audited", func() bool {
				out := h.audited("logout", "done")
				return len(out) == 1 && strings.Contains(out[0].Reason, "stopped reading")
			})
			eventually(t, 3*time.Second, "no writer hangs", func() bool { return goroutines("console.(*screenWriter).run") == 1 })
			other.press("?")
			other.sees("help")
			return
		case <-repaint.C:
			_, _ = io.WriteString(ch, "\x0c")
		case <-limit:
			t.Fatal("a client that does not read kept its connection")
		}
	}
}

// TestSIGTERMStopsEverything: each bubbletea program takes the signal for
// itself, and the server then goes on. Here it ends screens, verbs,
// connections without sessions and half-open ones, and says so.
func TestSIGTERMStopsEverything(t *testing.T) {
	h := newHouse(t, nil)
	ctx, restore := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer restore()
	go func() { <-ctx.Done(); h.stop() }() // as main does
	d := h.show(h.client("viewer"), 80, 24, "")
	d.sees("LIVE")
	verb := h.show(h.client("viewer"), 80, 24, "wait")
	verb.sees("waiting")
	h.client("admin") // a connection without a session
	half, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	began := time.Now()
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-h.served:
		if err != nil {
			t.Error(err)
		}
		h.served <- nil
	case <-time.After(5 * time.Second):
		t.Fatal("the server did not stop within 5 s")
	}
	t.Logf("stopped after %s", time.Since(began).Round(time.Millisecond))
	d.gone()
	verb.gone()
	if d.alt() || !d.sent("the server is going down") {
		t.Errorf("the screen was not left with a word: alt %v, %q", d.alt(), d.raw.String())
	}
	_ = half.SetReadDeadline(time.Now().Add(3 * time.Second))
	if _, err := io.ReadAll(half); err != nil && errors.Is(err, context.DeadlineExceeded) {
		t.Error("a connection in its handshake stayed open")
	}
	if n := len(h.audited("logout", "done")); n != 2 {
		t.Errorf("%d logouts audited before the server was gone, want 2", n)
	}
	if c, err := net.Dial("tcp", h.addr); err == nil {
		_ = c.Close()
		t.Error("the port still answers")
	}
}

// TestNoUsersRefusesToStart: without an authentication handler the library
// lets everybody in, and it writes a host key to wherever it was started.
func TestNoUsersRefusesToStart(t *testing.T) {
	key := newSigner(t).PublicKey()
	user := []User{{Name: "ann", Role: fleet.RoleViewer, Keys: []ssh.PublicKey{key}}}
	host := t.TempDir() + "/host"
	for name, cfg := range map[string]ServerConfig{
		"no users":      {HostKey: host},
		"only a CA":     {HostKey: host, TrustedCA: []ssh.PublicKey{key}},
		"no key":        {HostKey: host, Users: []User{{Name: "ann", Role: fleet.RoleViewer}}},
		"no role":       {HostKey: host, Users: []User{{Name: "ann", Keys: user[0].Keys}}},
		"no name":       {HostKey: host, Users: []User{{Role: fleet.RoleViewer, Keys: user[0].Keys}}},
		"twice":         {HostKey: host, Users: append(user, user...)},
		"no host key":   {Users: user},
		"relative path": {HostKey: "host", Users: user},
	} {
		_, err := NewServer(cfg, Deps{Watch: newBell().watch, Verb: func(context.Context, VerbCall) int { return 0 }})
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h := newHouse(t, nil)
	if _, err := ssh.Dial("tcp", h.addr, &ssh.ClientConfig{User: "admin", HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 3 * time.Second,
		Auth: []ssh.AuthMethod{ssh.Password(""), ssh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return nil, nil })}}); err == nil {
		t.Error("let in without a key")
	}
}

// TestPreAuthLimits: a limiter that acts after authentication lets a stranger
// take every place before it.
func TestPreAuthLimits(t *testing.T) {
	h := newHouse(t, func(c *ServerConfig, _ *Deps) {
		c.MaxPending, c.MaxPendingPerIP, c.Handshake = 6, 4, 700*time.Millisecond
	})
	var held []net.Conn
	for range 4 {
		c, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if line := firstLine(t, c); !strings.HasPrefix(line, "SSH-2.0-plumb") {
			t.Fatalf("got %q", line)
		}
		held = append(held, c)
	}
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if line := firstLine(t, c); !strings.Contains(line, "too many connections") {
		t.Errorf("the fifth of one address was not turned away: %q", line)
	}
	if n := h.server.TurnedAway(); n != 1 {
		t.Errorf("%d turned away, want 1", n)
	}
	began := time.Now()
	_ = held[0].SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadAll(held[0]); err != nil {
		t.Errorf("a handshake that never came was not ended: %v", err)
	}
	t.Logf("ended after %s", time.Since(began).Round(time.Millisecond))
	eventually(t, 3*time.Second, "the places are free again", func() bool {
		c, err := h.dial("viewer", h.keys["viewer"])
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func firstLine(t *testing.T, c net.Conn) string {
	_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
	var line []byte
	b := make([]byte, 1)
	for {
		if _, err := c.Read(b); err != nil {
			t.Fatalf("%v after %q", err, line)
		}
		if line = append(line, b[0]); b[0] == '\n' {
			return string(line)
		}
	}
}

// TestEnvFlood: the library keeps every variable it is sent, 20,000 and more.
func TestEnvFlood(t *testing.T) {
	h := newHouse(t, nil)
	s, err := h.client("viewer").NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if s.Setenv("LANG", "C.UTF-8") != nil || s.Setenv("LC_ALL", "C.UTF-8") != nil {
		t.Error("a locale was refused")
	}
	if s.Setenv("LD_PRELOAD", "x") == nil || s.Setenv("TMUX", "x") == nil || s.Setenv("LANG", strings.Repeat("x", 10_000)) == nil {
		t.Error("what we do not read was taken")
	}
	taken := 0
	for i := range 2_000 {
		if s.Setenv(fmt.Sprintf("LC_%d", i), "x") == nil {
			taken++
		}
	}
	if taken >= maxEnv {
		t.Errorf("%d variables taken", taken)
	}
	if out, err := s.Output("version"); err != nil || !strings.Contains(string(out), "version") {
		t.Errorf("%q, %v", out, err)
	}
}

// TestWindowChangesAreReadForVerbsToo: a verb on a terminal has no use for its
// size, and the library stands still when nobody takes it.
func TestWindowChangesAreReadForVerbsToo(t *testing.T) {
	h := newHouse(t, nil)
	c := h.client("viewer")
	d := h.show(c, 80, 24, "wait")
	d.sees("waiting")
	for i := range 200 {
		d.resize(80+i, 24)
	}
	_ = d.sess.Close()
	eventually(t, 3*time.Second, "nothing of the session hangs", func() bool {
		return h.server.Registry().size() == 0 && goroutines("session).handleRequests") == 0
	})
}

// TestNoColorAnyValue: NO_COLOR=yes is a value like any other (no-color.org).
func TestNoColorAnyValue(t *testing.T) {
	h := newHouse(t, nil)
	for _, v := range []string{"yes", "0", "false", "1"} {
		d := h.show(h.client("viewer"), 100, 30, "", "LC_PLUMB", "x", "NO_COLOR", v)
		d.sees("LIVE")
		d.mu.Lock()
		out := d.raw.String()
		d.mu.Unlock()
		for _, bad := range []string{"38;5;", "48;5;", "38;2;", ";31", ";32", ";36"} {
			if strings.Contains(out, bad) {
				t.Errorf("NO_COLOR=%s: colour %q was sent", v, bad)
			}
		}
	}
	d := h.show(h.client("viewer"), 100, 30, "")
	d.sees("LIVE")
	if !d.sent("38;5;") {
		t.Error("without it there is no colour either: the test tests nothing")
	}
}

// TestPanicStaysInside: a panic ends one session with one sentence; the stack
// is in the log, and nobody else notices.
func TestPanicStaysInside(t *testing.T) {
	h := newHouse(t, nil)
	c := h.client("viewer")
	other := h.show(c, 80, 24, "")
	other.sees("LIVE")

	verb := h.show(c, 80, 24, "panic")
	verb.gone()
	broken := h.show(c, 80, 24, "")
	broken.sees("LIVE")
	h.bell.ring(poison())
	broken.gone()
	other.gone()
	for name, d := range map[string]*display{"verb": verb, "screen": broken} {
		if exitCode(d.err) != exitFailed || !d.sent("hit a fault in plumb") || d.alt() || d.sent("goroutine ") {
			t.Errorf("%s: %v, alt %v, %q", name, d.err, d.alt(), d.raw.String())
		}
	}
	if !h.log.has("goroutine ") {
		t.Error("no stack in the log")
	}
	h.bell.ring(testSnapshot(100))
	h.show(c, 80, 24, "").sees("LIVE")
}

// TestPanicInACommandStaysInside: what runs beside the event loop can fall over
// too, and bubbletea's own net prints its stack to the server's stderr.
func TestPanicInACommandStaysInside(t *testing.T) {
	h := newHouse(t, func(_ *ServerConfig, d *Deps) {
		d.Answer = func(context.Context, fleet.Query, time.Time) fleet.Answer { panic("an answer fell over") }
	})
	d := h.show(h.client("viewer"), 80, 24, "")
	d.gone()
	if exitCode(d.err) != exitFailed || !d.sent("hit a fault in plumb") || d.alt() {
		t.Errorf("%v, alt %v, %q", d.err, d.alt(), d.raw.String())
	}
	if !h.log.has("an answer fell over") {
		t.Error("not in the log")
	}
}

// TestKeepaliveEndsSilentClients: a client that is stopped keeps its socket
// open for ever; it answers no request either.
func TestKeepaliveEndsSilentClients(t *testing.T) {
	h := newHouse(t, func(c *ServerConfig, _ *Deps) { c.Keepalive = 60 * time.Millisecond })
	tcp, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	conn, chans, reqs, err := ssh.NewClientConn(tcp, h.addr, &ssh.ClientConfig{User: "viewer", HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		Auth: []ssh.AuthMethod{ssh.PublicKeys(h.keys["viewer"])}})
	if err != nil {
		t.Fatal(err)
	}
	silent := ssh.NewClient(conn, chans, make(chan *ssh.Request)) // reqs are never answered
	d := h.show(silent, 80, 24, "")
	d.sees("LIVE")
	d.gone()
	<-reqs
	lively := h.show(h.client("viewer"), 80, 24, "")
	lively.sees("LIVE")
	began := time.Now()
	eventually(t, 3*time.Second, "ten intervals pass", func() bool { return time.Since(began) > 600*time.Millisecond })
	select {
	case <-lively.done:
		t.Error("a client that answers lost its connection")
	default:
	}
}
