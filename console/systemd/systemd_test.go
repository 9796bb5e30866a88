package systemd

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// manager is the service manager's end.
func manager(t *testing.T, watchdog string) (*net.UnixConn, *Notifier) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", watchdog)
	t.Setenv("WATCHDOG_PID", "")
	n, err := FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	return l, n
}

func hear(t *testing.T, l *net.UnixConn, within time.Duration) (string, bool) {
	t.Helper()
	if err := l.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 512)
	n, err := l.Read(b)
	return string(b[:n]), err == nil
}

func TestWords(t *testing.T) {
	l, n := manager(t, "")
	for _, c := range []struct {
		say  func() error
		want string
	}{
		{n.Ready, "READY=1"},
		{n.Stopping, "STOPPING=1"},
		{func() error { return n.Status("522 devices,\n3 crit") }, "STATUS=522 devices, 3 crit"},
	} {
		if err := c.say(); err != nil {
			t.Fatal(err)
		}
		if got, _ := hear(t, l, time.Second); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if err := n.Status("522 devices, 3 crit"); err != nil {
		t.Fatal(err)
	}
	before, err := monotonic()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Reloading(); err != nil {
		t.Fatal(err)
	}
	got, _ := hear(t, l, time.Second)
	usec, ok := strings.CutPrefix(got, "RELOADING=1\nMONOTONIC_USEC=")
	if at, err := strconv.ParseInt(usec, 10, 64); !ok || err != nil || at < before || at > before+1e6 {
		t.Errorf("%q, want the present moment, and no status twice", got)
	}
}

func TestNobodyAsked(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	n, err := FromEnvironment()
	if n != nil || err != nil {
		t.Fatalf("%v, %v", n, err)
	}
	if err := errors.Join(n.Ready(), n.Reloading(), n.Stopping(), n.Status("x")); err != nil || n.Watched() != 0 {
		t.Error(err, n.Watched())
	}
	n.Beat(t.Context(), func() error { t.Error("asked"); return nil }, slog.New(slog.DiscardHandler))
}

func TestBadEnvironment(t *testing.T) {
	for _, c := range [][3]string{{"relative", "", ""}, {"/nowhere/at/all", "", ""}, {"@plumb-test", "soon", ""}} {
		if c[0] == "@plumb-test" {
			l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: c[0], Net: "unixgram"})
			if err != nil {
				t.Skip("no abstract sockets here:", err)
			}
			defer l.Close()
		}
		t.Setenv("NOTIFY_SOCKET", c[0])
		t.Setenv("WATCHDOG_USEC", c[1])
		t.Setenv("WATCHDOG_PID", c[2])
		if _, err := FromEnvironment(); err == nil {
			t.Errorf("%v is taken", c)
		}
	}
}

// The watchdog of another process is none of ours.
func TestAnothersWatchdog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "1000000")
	t.Setenv("WATCHDOG_PID", "1")
	if n, err := FromEnvironment(); err != nil || n.Watched() != 0 {
		t.Errorf("%v, %v", n.Watched(), err)
	}
}

// A heart that stops beating is not petted, and is again when it beats again.
func TestBeatFollowsTheHeart(t *testing.T) {
	l, n := manager(t, "100000")
	var sick atomic.Bool
	go n.Beat(t.Context(), func() error {
		if sick.Load() {
			return fmt.Errorf("the writer hangs")
		}
		return nil
	}, slog.New(slog.DiscardHandler))
	beats := func() int {
		count := 0
		for {
			got, ok := hear(t, l, 300*time.Millisecond)
			if !ok || count >= 3 {
				return count
			}
			if got != "WATCHDOG=1" {
				t.Fatalf("%q", got)
			}
			count++
		}
	}
	if got := beats(); got < 3 {
		t.Errorf("%d beats of a sound heart", got)
	}
	sick.Store(true)
	if got := beats(); got > 2 { // what was under way
		t.Errorf("%d beats of a sick one", got)
	}
	sick.Store(false)
	if got := beats(); got < 3 {
		t.Errorf("%d beats after it was well again", got)
	}
}
