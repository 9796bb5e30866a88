package console

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"plumb/fleet"
)

// turns is a watch over snapshots that a test hands in.
type turns chan *fleet.Snapshot

func (w turns) Next(ctx context.Context) (*fleet.Snapshot, error) {
	select {
	case s := <-w:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (turns) Close() {}

// fleetOf are n devices in one state.
func fleetOf(n int, state fleet.State) *fleet.Snapshot {
	ids, rows := make([]string, n), make([]fleet.Device, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("s%05d", i)
		rows[i] = fleet.Device{State: state, Reasons: []string{strings.Repeat("because of ", 20)}}
	}
	return &fleet.Snapshot{At: time.Unix(1_700_000_000, 0), Devices: fleet.NewTable(ids, rows)}
}

type streamed struct {
	Kind, ID, What string
	N              int
}

func readLines(t *testing.T, r io.Reader) (out []streamed) {
	t.Helper()
	in := bufio.NewScanner(r)
	for in.Scan() {
		var l streamed
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			t.Fatalf("%q: %v", in.Text(), err)
		}
		out = append(out, l)
	}
	return out
}

// A reader that stops holds nobody; what it misses is counted where it is missing.
func TestEventStreamWithAReaderThatStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	e, err := NewEventStream(path, nil, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	w, ended := make(turns), make(chan struct{})
	go func() { e.Run(ctx, w); close(ended) }()
	const devices, rounds = 5000, 8
	for i := range rounds { // 300 bytes a line: three times what may wait
		select {
		case w <- fleetOf(devices, []fleet.State{fleet.StateOK, fleet.StateCrit}[i%2]):
		case <-time.After(20 * time.Second):
			t.Fatal("the reader holds up the snapshots")
		}
	}
	eventually(t, 10*time.Second, "lines are dropped", func() bool { return e.Dropped() > 0 })
	lines := make(chan []streamed)
	go func() { lines <- readLines(t, reader) }()
	eventually(t, 10*time.Second, "what waited is written", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.bytes == 0 && e.dropped == 0
	})
	w <- fleetOf(1, fleet.StateOK)
	w <- fleetOf(2, fleet.StateOK)
	stop()
	<-ended
	total, dropped, last := 0, 0, streamed{}
	for _, l := range <-lines {
		if l.What == "dropped" {
			dropped += l.N
		} else {
			total++
		}
		last = l
	}
	// Every device changes each round; then all but one go, and one comes.
	if want := devices*(rounds-1) + devices - 1 + 1 + 1; total+dropped != want || dropped == 0 || uint64(dropped) != e.Dropped() {
		t.Errorf("%d lines and %d dropped (%d counted), want %d together", total, dropped, e.Dropped(), want)
	}
	if last.Kind != "device" || last.What != "added" {
		t.Errorf("the last line is %+v", last)
	}
}

// After a rename the next line is in a new file, and none is in both.
func TestEventStreamReopens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	e, err := NewEventStream(path, nil, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	w, ended := make(turns), make(chan struct{})
	go func() { e.Run(ctx, w); close(ended) }()
	size := func(name string) int64 {
		info, err := os.Stat(name)
		if err != nil {
			return -1
		}
		return info.Size()
	}
	w <- fleetOf(1, fleet.StateOK)
	w <- fleetOf(1, fleet.StateCrit)
	eventually(t, 5*time.Second, "a line", func() bool { return size(path) > 0 })
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o137 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	e.Reopen()
	eventually(t, 5*time.Second, "a new file", func() bool { return size(path) == 0 })
	w <- fleetOf(1, fleet.StateWarn)
	eventually(t, 5*time.Second, "a line in it", func() bool { return size(path) > 0 })
	stop()
	<-ended
	for name, want := range map[string]string{path + ".1": "ok → crit", path: "crit → warn"} {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if l := readLines(t, f); len(l) != 1 || !strings.HasPrefix(l[0].What, want) {
			t.Errorf("%s: %+v, want %s", filepath.Base(name), l, want)
		}
		f.Close()
	}
}

// A disk that is full tears a line; the next one begins by itself.
func TestEventStreamAfterATornLine(t *testing.T) {
	out := &tearing{}
	e := &EventStream{path: "-", log: slog.New(slog.DiscardHandler), now: time.Now, out: keptOpen{out}}
	if err := e.line([]byte("{\"a\":1}\n")); err == nil {
		t.Fatal("no error")
	}
	if err := e.line([]byte("{\"b\":1}\n")); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "{\"a\n{\"b\":1}\n" {
		t.Errorf("%q", got)
	}
}

// tearing takes three bytes of the first write.
type tearing struct {
	strings.Builder
	torn bool
}

func (w *tearing) Write(b []byte) (int, error) {
	if !w.torn {
		w.torn = true
		w.Builder.Write(b[:3])
		return 3, syscall.ENOSPC
	}
	return w.Builder.Write(b)
}

// failing is a writer that refuses so many times.
type failing struct {
	io.Writer
	times int
}

func (f *failing) Write(p []byte) (int, error) {
	if f.times--; f.times >= 0 {
		return 0, io.ErrShortWrite
	}
	return f.Writer.Write(p)
}

// What cannot be written is counted once, with what had been dropped before it.
func TestEventStreamCountsOnce(t *testing.T) {
	for _, c := range []struct {
		name          string
		refuses       int // at the first so many writes
		said, dropped uint64
	}{
		{"nothing fails", 0, 6, 6},
		{"the word about what is missing", 1, 6 + 2, 6 + 2},
		{"and again", 2, 6 + 2, 6 + 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				e, err := NewEventStream("-", &failing{&out, c.refuses}, slog.New(slog.DiscardHandler), time.Now)
				if err != nil {
					t.Fatal(err)
				}
				line := lineOf(watched{Kind: "device", ID: "s01", What: "added"})
				e.queue, e.dropped, e.total = []streamLine{{line, 3}, {line, 2}}, 1, 6
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() { e.write(ctx); close(ended) }()
				for range c.refuses + 1 {
					e.ring()
					time.Sleep(2 * streamRetry)
				}
				stop()
				<-ended
				said := uint64(0)
				for _, l := range readLines(t, &out) {
					said += uint64(l.N)
				}
				if said != c.said || e.Dropped() != c.dropped {
					t.Errorf("%d are said to be missing and %d counted, want %d and %d", said, e.Dropped(), c.said, c.dropped)
				}
			})
		})
	}
}
