//go:build unix

package console

import (
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"plumb/internal/benchline"
)

// Measurements of the console over real SSH on loopback; the clients run in
// the same process, so their share of CPU and memory is in the figures.

// probe is a client that only notes when bytes arrive.
type probe struct {
	sess *ssh.Session
	in   io.WriteCloser

	mu   sync.Mutex
	last time.Time
	n    int
	more chan struct{}
}

func (p *probe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.n = time.Now(), p.n+len(b)
	select {
	case p.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (p *probe) bytes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}

func (h *house) probe(c *ssh.Client, cols, rows int, command string) *probe {
	s, err := c.NewSession()
	if err != nil {
		h.t.Fatal(err)
	}
	p := &probe{sess: s, more: make(chan struct{}, 1)}
	if err := s.RequestPty("xterm-256color", rows, cols, ssh.TerminalModes{}); err != nil {
		h.t.Fatal(err)
	}
	p.in, _ = s.StdinPipe()
	s.Stdout = p
	if command == "" {
		err = s.Shell()
	} else {
		err = s.Start(command)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// crowdOf opens n sessions, ten a connection, and waits until each shows something.
func (h *house) crowdOf(n, cols, rows int, command string) []*probe {
	var all []*probe
	var c *ssh.Client
	for i := range n {
		if i%maxPerConn == 0 {
			c = h.client("viewer")
		}
		all = append(all, h.probe(c, cols, rows, command))
	}
	eventually(h.t, 20*time.Second, "all sessions show something", func() bool {
		for _, p := range all {
			if p.bytes() == 0 {
				return false
			}
		}
		return true
	})
	return all
}

// BenchmarkFirstFrame is from a client's first packet to its first screen.
func BenchmarkFirstFrame(b *testing.B) {
	h := newHouse(b, nil)
	for b.Loop() {
		benchline.Print(benchline.Median(9, func() []benchline.Line {
			began := time.Now()
			c := h.client("viewer")
			defer c.Close()
			p := h.probe(c, 160, 50, "")
			select {
			case <-p.more:
			case <-time.After(10 * time.Second):
				b.Fatal("no screen")
			}
			return []benchline.Line{{Bench: "console-first-frame", Value: ms(time.Since(began)), Unit: "ms", Goal: 300}}
		})...)
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// BenchmarkKeyToEcho is the time from a key press to the bytes that show it,
// with 20 sessions open and a new snapshot four times a second.
func BenchmarkKeyToEcho(b *testing.B) {
	h := newHouse(b, nil)
	all := h.crowdOf(20, 160, 50, "")
	done := make(chan struct{})
	defer close(done)
	go func() {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for v := uint64(2); ; v++ {
			select {
			case <-tick.C:
				h.bell.ring(testSnapshot(v))
			case <-done:
				return
			}
		}
	}()
	p := all[7]
	_, _ = io.WriteString(p.in, "3") // the devices, where a key moves the caret
	settle(b, p)
	pace := time.NewTicker(23 * time.Millisecond) // a fast typist
	defer pace.Stop()
	for b.Loop() {
		benchline.Print(benchline.Median(3, func() []benchline.Line {
			took := make([]time.Duration, 150)
			for i := range took {
				<-pace.C
				took[i] = p.press(b, [2]string{"j", "k"}[i/8%2])
			}
			slices.Sort(took)
			at := func(q float64) float64 { return ms(took[int(q*float64(len(took)-1))]) }
			return []benchline.Line{
				{Bench: "console-key-echo-p50", Value: at(0.5), Unit: "ms", Goal: 5},
				{Bench: "console-key-echo-p99", Value: at(0.99), Unit: "ms", Goal: 50},
			}
		})...)
	}
}

// press sends a key and waits for the next bytes.
func (p *probe) press(b *testing.B, key string) time.Duration {
	select {
	case <-p.more:
	default:
	}
	began := time.Now()
	_, _ = io.WriteString(p.in, key)
	select {
	case <-p.more:
	case <-time.After(time.Second):
		b.Fatal("no echo")
	}
	return time.Since(began)
}

func settle(b *testing.B, p *probe) {
	eventually(b, 5*time.Second, "the screen rests", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return time.Since(p.last) > 100*time.Millisecond
	})
}

// BenchmarkIdleSession is what a session costs that only shows the clock and a
// new snapshot every second.
func BenchmarkIdleSession(b *testing.B) {
	const sessions, span = 40, 6 * time.Second
	h := newHouse(b, nil)
	all := h.crowdOf(sessions, 160, 50, "")
	for b.Loop() {
		benchline.Print(benchline.Median(3, func() []benchline.Line {
			frames, _ := h.server.Registry().Frames()
			began, used, bytes := time.Now(), benchline.CPU(), 0
			for _, p := range all {
				bytes -= p.bytes()
			}
			v := uint64(time.Now().Unix())
			eventually(b, 2*span, "the span passes", func() bool {
				if n := uint64(time.Now().Unix()); n > v {
					v = n
					h.bell.ring(testSnapshot(v))
				}
				return time.Since(began) > span
			})
			for _, p := range all {
				bytes += p.bytes()
			}
			minutes := time.Since(began).Minutes() * sessions
			drawn, _ := h.server.Registry().Frames()
			b.ReportMetric(float64(drawn-frames)/minutes, "frames/session/min")
			return []benchline.Line{
				{Bench: "console-idle-cpu", Value: ms(benchline.CPU()-used) / minutes, Unit: "cpu_ms/session/min", Goal: 150},
				{Bench: "console-idle-bytes", Value: float64(bytes) / minutes, Unit: "bytes/session/min", Goal: 20_000},
			}
		})...)
	}
}

// BenchmarkMemoryPerSession is the live heap and the stacks of a screen of
// 200x60, less what a session without a screen takes (connection and client).
func BenchmarkMemoryPerSession(b *testing.B) {
	const sessions = 60
	perSession := func(command string) float64 {
		h := newHouse(b, nil)
		before := inUse()
		all := h.crowdOf(sessions, 200, 60, command)
		after := inUse()
		for _, p := range all {
			_ = p.sess.Close()
		}
		h.stop()
		h.served <- <-h.served
		return float64(after-before) / sessions / 1024
	}
	for b.Loop() {
		benchline.Print(benchline.Median(3, func() []benchline.Line {
			bare, screen := perSession("wait"), perSession("")
			return []benchline.Line{{Bench: "console-memory-200x60", Value: screen - bare, Unit: "KiB/session", Goal: 600}}
		})...)
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
