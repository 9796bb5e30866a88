package console

import (
	"context"
	"io"
	"sync"
	"time"
)

// watchedWriter writes to a client in pieces, each within a limit: whoever
// stops reading must not keep a place, and what it printed in memory, for ever.
type watchedWriter struct {
	to      io.Writer
	limit   time.Duration
	stalled func() // closes what the write hangs on
}

// watchedPiece is small enough for the slowest link to take within the limit.
const watchedPiece = 32 << 10

// Write implements io.Writer.
func (w *watchedWriter) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		watchdog := time.AfterFunc(w.limit, w.stalled)
		var k int
		k, err = w.to.Write(b[n:min(n+watchedPiece, len(b))])
		watchdog.Stop()
		n += k
	}
	return n, err
}

// screenWriter takes frames to a terminal on a goroutine of its own, one at a
// time. There is one buffer: whoever holds it may write into it, and while it
// is on its way there is none to be had, so the event loop never waits and
// never queues; it draws the newest state when the buffer is back.
type screenWriter struct {
	to      io.Writer
	stall   time.Duration
	stalled func() // closes what the write hangs on
	free    chan []byte
	work    chan []byte
	ended   chan struct{}
	once    sync.Once
}

// maxKept bounds the buffer that is kept between frames.
const maxKept = 64 << 10

// newScreenWriter starts a writer. stalled is called when one write takes
// longer than stall; it must make that write return.
func newScreenWriter(to io.Writer, stall time.Duration, stalled func()) *screenWriter {
	w := &screenWriter{to: to, stall: stall, stalled: stalled,
		free: make(chan []byte, 1), work: make(chan []byte, 1), ended: make(chan struct{})}
	w.free <- nil
	go w.run()
	return w
}

func (w *screenWriter) run() {
	defer close(w.ended)
	failed := false
	for b := range w.work {
		if !failed && len(b) > 0 {
			watchdog := time.AfterFunc(w.stall, w.stalled)
			_, err := w.to.Write(b)
			watchdog.Stop()
			failed = err != nil // the reader of the same channel ends the session
		}
		if cap(b) > maxKept {
			b = nil
		}
		w.free <- b[:0]
	}
}

// take returns the buffer, or false while a frame is on its way.
func (w *screenWriter) take() ([]byte, bool) {
	select {
	case b := <-w.free:
		return b, true
	default:
		return nil, false
	}
}

// send writes b, the buffer that take returned, and takes it back.
func (w *screenWriter) send(b []byte) { w.work <- b }

// wait blocks until take would succeed, or false when ctx ends.
func (w *screenWriter) wait(ctx context.Context) bool {
	select {
	case b := <-w.free:
		w.free <- b
		return true
	case <-ctx.Done():
		return false
	}
}

// closePatience bounds how long the end of a session waits for a terminal that
// does not read. The watchdog of the write that hangs goes on after it.
const closePatience = 2 * time.Second

// close writes the last bytes after the frame that is on its way and ends the
// writer.
func (w *screenWriter) close(last []byte) {
	w.once.Do(func() {
		select {
		case <-w.free:
			w.work <- last
		case <-time.After(closePatience):
		}
		close(w.work)
		select {
		case <-w.ended:
		case <-time.After(closePatience):
		}
	})
}
