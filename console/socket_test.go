package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestPanicOverTheSocketStaysInside(t *testing.T) {
	dir := t.TempDir()
	log := &lines{}
	served := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		served <- ServeSocket(ctx, dir, func(_ context.Context, c VerbCall) int {
			if c.Args[0] == "panic" {
				panic("a verb fell over")
			}
			return 0
		}, slog.New(slog.NewTextHandler(log, nil)), func() {})
	}()
	eventually(t, 3*time.Second, "a socket", func() bool { _, err := os.Stat(filepath.Join(dir, SocketName)); return err == nil })
	var said bytes.Buffer
	code, err := CallSocket(ctx, dir, []string{"panic"}, false, 0, io.Discard, &said)
	if err != nil || code != exitFailed || !strings.Contains(said.String(), "hit a fault in plumb") || !log.has("goroutine ") {
		t.Errorf("exit %d, %v, said %q", code, err, said.String())
	}
	if code, err := CallSocket(ctx, dir, []string{"status"}, false, 0, io.Discard, io.Discard); err != nil || code != 0 {
		t.Errorf("afterwards: exit %d, %v", code, err)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestAcceptFails: a process out of file descriptors loses no more than new
// callers, for as long as that lasts.
func TestAcceptFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		tries := 0
		acceptCalls(ctx, func() (*net.UnixConn, error) { tries++; return nil, syscall.EMFILE }, nil, slog.New(slog.DiscardHandler))
		if ctx.Err() == nil || tries < 10 || tries > 1000 {
			t.Errorf("%d tries in a minute, ended early: %v", tries, ctx.Err() == nil)
		}
	})
}

// TestPathTooLongForASocket: the console does without, and callers are told.
func TestPathTooLongForASocket(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 110))
	log := &lines{}
	if err := ServeSocket(t.Context(), dir, nil, slog.New(slog.NewTextHandler(log, nil)), func() {}); err != nil || !log.has("too long") {
		t.Errorf("%v", err)
	}
	if _, err := CallSocket(t.Context(), dir, []string{"status"}, false, 0, io.Discard, io.Discard); !errors.Is(err, ErrNoProcess) || !strings.Contains(err.Error(), "at most") {
		t.Errorf("%v", err)
	}
}
