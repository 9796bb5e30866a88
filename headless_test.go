package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
	"plumb/fleet/engine"
)

func TestLogFlags(t *testing.T) {
	for _, c := range []struct {
		flags logFlags
		want  string
	}{
		{logFlags{Log: "text", LogLevel: "warn"}, "level=WARN msg=w\n"},
		{logFlags{Log: "json", LogLevel: "info"}, `"level":"INFO","msg":"i"`},
		{logFlags{}, "level=INFO msg=i"},
	} {
		var b bytes.Buffer
		log := c.flags.logger(&b)
		log.Debug("d")
		log.Info("i")
		log.Warn("w")
		if !strings.Contains(b.String(), c.want) || strings.Contains(b.String(), "DEBUG") || c.flags.LogLevel == "warn" && strings.Contains(b.String(), "INFO") {
			t.Errorf("%+v: %q", c.flags, b.String())
		}
		if c.flags.Log == "json" && !json.Valid([]byte(strings.SplitN(b.String(), "\n", 2)[0])) {
			t.Errorf("%q is no JSON", b.String())
		}
	}
}

// TestTheManagerHears: ready only when there is a snapshot and the socket is
// there, reloads and the end as they happen.
func TestTheManagerHears(t *testing.T) {
	l := listenManager(t)
	h := emptyHouse(t)
	h.manager = managed(h.log)
	next := h.blueprint
	next.inventory = &fleet.Inventory{}
	h.reload = func(context.Context) (blueprint, error) { return next, nil }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx, nil) }()
	if got := hear(t, l); got != "READY=1" {
		t.Fatalf("%q first", got)
	}
	if h.store.Snapshot() == nil {
		t.Error("ready without a snapshot")
	}
	if _, err := os.Stat(filepath.Join(h.blueprint.store.Dir, "plumb.sock")); err != nil {
		t.Errorf("ready without its socket: %v", err)
	}
	hearUntil(t, l, "STATUS=0 devices, 0 crit, 0 warn, 0 not answering")
	if _, err := h.reloadNow(ctx); err != nil {
		t.Fatal(err)
	}
	hearUntil(t, l, "RELOADING=1")
	hearUntil(t, l, "READY=1")
	stop()
	hearUntil(t, l, "STOPPING=1")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func listenManager(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "1000000")
	t.Setenv("WATCHDOG_PID", "")
	return l
}

func hear(t *testing.T, l *net.UnixConn) string {
	t.Helper()
	if err := l.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 512)
	n, err := l.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func hearUntil(t *testing.T, l *net.UnixConn, want string) {
	t.Helper()
	for range 100 {
		if strings.HasPrefix(hear(t, l), want) {
			return
		}
	}
	t.Fatalf("%q was not said", want)
}

// TestAHungWriterStopsTheHeart: a writer that idles is sound, one that is at one
// batch for longer than any disk takes is not, and the heart beats again after it.
func TestAHungWriterStopsTheHeart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := emptyHouse(t)
		defer h.shut()
		hold := make(chan struct{})
		step := func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
			for _, i := range in {
				if r, ok := i.(fleet.Remark); ok && r.Kind == "hang" {
					<-hold
				}
			}
			return engine.Step(prev, in, now)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- h.store.Run(ctx, h.first, step, nil) }()
		time.Sleep(time.Hour)
		if err := h.heart(); err != nil {
			t.Errorf("idle: %v", err)
		}
		applied := make(chan error, 1)
		go func() { applied <- h.store.Apply(ctx, fleet.Remark{Kind: "hang", Text: "x"}) }()
		time.Sleep(5 * time.Second)
		if err := h.heart(); err != nil {
			t.Errorf("after what a slow disk takes: %v", err)
		}
		time.Sleep(hung)
		if err := h.heart(); err == nil || !strings.Contains(err.Error(), "writer") {
			t.Errorf("a writer that hangs: %v", err)
		}
		close(hold)
		if err := <-applied; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := h.heart(); err != nil {
			t.Errorf("it goes on: %v", err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
