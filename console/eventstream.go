package console

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"
)

// EventStream writes each change of the fleet to a file or a pipe, one JSON
// object a line, as the verb watch prints them.
//
// Whoever reads may stop reading. Changes wait for them in a bounded queue;
// what does not fit is dropped and counted, and the count stands in the stream
// where the lines are missing. Nothing else waits: polls end in the store, and
// the store rings a bell.
type EventStream struct {
	path string // "-": standard output
	log  *slog.Logger
	now  func() time.Time

	mu      sync.Mutex // guards what follows
	queue   []streamLine
	bytes   int
	dropped uint64        // since the last line in the queue
	total   uint64        // dropped since the start
	more    chan struct{} // of capacity one
	reopen  chan struct{} // of capacity one

	// What follows is the writer's.
	out  io.WriteCloser
	torn bool // the last line was written in part
	down bool // that lines cannot be written was said
}

// streamLine is a line, and how many were dropped before it.
type streamLine struct {
	text   []byte
	before uint64
}

// Bounds of what waits for a reader.
const (
	maxStreamBytes = 4 << 20
	streamFarewell = time.Second     // what the last lines have at the end
	streamRetry    = 5 * time.Second // after a write that failed
)

// NewEventStream opens a stream, so that what cannot be written to says so at
// the start.
func NewEventStream(path string, stdout io.Writer, log *slog.Logger, now func() time.Time) (*EventStream, error) {
	e := &EventStream{path: path, log: log, now: now, more: make(chan struct{}, 1), reopen: make(chan struct{}, 1)}
	if path == "-" {
		e.out = keptOpen{stdout}
		return e, nil
	}
	var err error
	if e.out, err = openStream(path); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return e, nil
}

// keptOpen is a writer that is not ours to close.
type keptOpen struct{ io.Writer }

func (keptOpen) Close() error { return nil }

// openStream does not wait: a named pipe that nobody reads is an error, and a
// write to one that is full does not hold a thread.
func openStream(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o640)
}

// Reopen lets go of the file, which was renamed, and writes to a new one of its
// name from the next line on.
func (e *EventStream) Reopen() {
	select {
	case e.reopen <- struct{}{}:
	default:
	}
	e.ring()
}

// Dropped returns how many lines were dropped since the start.
func (e *EventStream) Dropped() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.total
}

// Run writes until ctx ends, and then what is queued if that goes quickly.
func (e *EventStream) Run(ctx context.Context, w Watch) {
	defer w.Close()
	writing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.write(writing)
	}()
	eachChange(ctx, w, func(line []byte) bool { e.put(line); return true })
	stop()
	select {
	case <-done:
	case <-time.After(streamFarewell): // its reader does not read: the process ends without it
	}
}

func (e *EventStream) put(line []byte) {
	e.mu.Lock()
	if e.bytes+len(line) > maxStreamBytes {
		e.dropped++
		e.total++
	} else {
		e.queue = append(e.queue, streamLine{line, e.dropped})
		e.bytes += len(line)
		e.dropped = 0
	}
	e.mu.Unlock()
	e.ring()
}

func (e *EventStream) ring() {
	select {
	case e.more <- struct{}{}:
	default:
	}
}

// take empties the queue; with it comes what was dropped after its last line.
func (e *EventStream) take() (lines []streamLine, after uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	lines, after = e.queue, e.dropped
	e.queue, e.bytes, e.dropped = nil, 0, 0
	return lines, after
}

// write is the stream's own goroutine: it alone may wait for a reader.
func (e *EventStream) write(ctx context.Context) {
	defer func() { e.out.Close() }()
	for ended := false; !ended; {
		select {
		case <-e.more:
		case <-ctx.Done():
			ended = true
		}
		select {
		case <-e.reopen:
			e.fresh()
		default:
		}
		lines, after := e.take()
		if n, err := e.lines(lines); err != nil {
			e.lost(ctx, err, lines[n:], after)
		} else if err := e.sayDropped(after); err != nil {
			e.lost(ctx, err, nil, after)
		}
	}
}

// lines writes lines and returns how many were written. Of the one that failed
// nothing is to be said any more that was said in the stream.
func (e *EventStream) lines(list []streamLine) (n int, err error) {
	for n = range list {
		if err := e.sayDropped(list[n].before); err != nil {
			return n, err
		}
		list[n].before = 0
		if err := e.line(list[n].text); err != nil {
			return n, err
		}
	}
	return len(list), nil
}

func (e *EventStream) line(text []byte) error {
	if e.torn {
		text = append([]byte{'\n'}, text...) // what is left of a line is no part of the next
	}
	n, err := e.out.Write(text)
	switch {
	case err != nil:
		e.torn = e.torn || n > 0
		return err
	case e.down:
		e.log.Info("events: lines are written again", "to", e.path)
	}
	e.torn, e.down = false, false
	return nil
}

// sayDropped says in the stream how many lines are missing at this place.
func (e *EventStream) sayDropped(n uint64) error {
	if n == 0 {
		return nil
	}
	return e.line(lineOf(struct {
		watched
		N uint64 `json:"n"`
	}{watched{e.now().UTC(), "stream", "plumb", "dropped"}, n}))
}

// lost counts lines that could not be written, and tries the file anew after a
// while: a disk gets room, a pipe gets another reader. What was dropped before
// them, and before is not yet said, is counted already.
func (e *EventStream) lost(ctx context.Context, err error, list []streamLine, before uint64) {
	for _, l := range list {
		before += l.before
	}
	e.mu.Lock()
	e.dropped += uint64(len(list)) + before
	e.total += uint64(len(list))
	e.mu.Unlock()
	e.trouble(err)
	select {
	case <-time.After(streamRetry):
		e.fresh()
	case <-ctx.Done():
	}
}

// fresh opens the file by its name once more; where that fails the old one stays.
func (e *EventStream) fresh() {
	if e.path == "-" {
		return
	}
	next, err := openStream(e.path)
	if err != nil {
		e.trouble(err)
		return
	}
	e.out.Close()
	e.out, e.torn = next, false
}

// trouble says once that lines cannot be written.
func (e *EventStream) trouble(err error) {
	if !e.down {
		e.log.Error("events: lines are dropped and counted until they can be written", "to", e.path, "err", err)
	}
	e.down = true
}
