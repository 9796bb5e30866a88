//go:build unix

package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"plumb/fleet"
)

// ptyText collects what a local console writes.
type ptyText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *ptyText) has(s string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Contains(p.b.String(), s)
}

func openPTY(t *testing.T) (master, tty *os.File, text *ptyText) {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	t.Cleanup(func() { _ = tty.Close(); _ = master.Close() })
	if err := pty.Setsize(master, &pty.Winsize{Cols: 100, Rows: 30}); err != nil {
		t.Fatal(err)
	}
	text = &ptyText{}
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			text.mu.Lock()
			text.b.Write(b[:n])
			text.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return master, tty, text
}

func TestLocalConsoleGivesTheTerminalBack(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	for name, c := range map[string]struct {
		poison bool
		leave  func(master io.Writer, cancel func())
		want   string
	}{
		"asked and answered": {false, func(m io.Writer, _ func()) { _, _ = io.WriteString(m, "qnqy") }, ""},
		"cancelled":          {false, func(_ io.Writer, cancel func()) { cancel() }, ""},
		"panic":              {true, func(io.Writer, func()) {}, "a fault in plumb"},
	} {
		t.Run(name, func(t *testing.T) {
			master, tty, text := openPTY(t)
			before, err := term.GetState(int(tty.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			b := newBell()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			registry := NewRegistry()
			ended := make(chan error, 1)
			go func() {
				ended <- RunLocal(ctx, LocalConfig{Caller: Caller{User: "local", Role: fleet.RoleAdmin, From: "local"}, In: tty, Out: tty,
					AskQuit: "q ends the demo", Notice: func() string { return "filling in history 40%" }},
					Deps{Watch: b.watch, Registry: registry, Log: slog.New(slog.DiscardHandler)})
			}()
			eventually(t, 5*time.Second, "the first view and the notice", func() bool { return text.has("LIVE") && text.has("history") })
			if c.poison {
				b.ring(poison())
			}
			c.leave(master, cancel)
			select {
			case err := <-ended:
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v", err)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("the console did not end")
			}
			eventually(t, 3*time.Second, "the screen is left", func() bool { return text.has(leaveScreen) })
			after, err := term.GetState(int(tty.Fd()))
			if err != nil || !reflect.DeepEqual(before, after) {
				t.Errorf("the terminal's modes are not what they were: %v", err)
			}
			if registry.size() != 0 || b.watchers() != 0 {
				t.Error("the session is still registered")
			}
		})
	}
}

func TestLocalConsoleNeedsATerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := RunLocal(context.Background(), LocalConfig{In: f, Out: f}, Deps{Watch: newBell().watch}); !errors.Is(err, ErrNoTerminal) {
		t.Errorf("%v", err)
	}
}
