//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"plumb/internal/benchline"
)

// BenchmarkDemo starts the binary that make build left, as a user would, and
// measures the promises that the demo makes: how soon it listens and has its
// history, how soon a screen and the effect of a key are there, and what all
// of it takes. Processor time and memory are the process's own, read from
// /proc; the clients are in another process, this one. It takes four minutes.
func BenchmarkDemo(b *testing.B) {
	const rounds = 3
	bin, err := filepath.Abs("plumb")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(bin); err != nil {
		b.Skip("make build first: ", err)
	}
	for b.Loop() {
		var d *demoProcess
		benchline.Print(benchline.Median(rounds, func() []benchline.Line {
			if d != nil {
				d.stop()
			}
			d = startDemo(b, bin)
			return []benchline.Line{
				{Bench: "demo-listening", Value: d.listening.Seconds(), Unit: "s", Goal: 2},
				{Bench: "demo-history", Value: d.historyAfter().Seconds(), Unit: "s", Goal: 30},
			}
		})...)
		benchline.Print(benchline.Median(rounds, func() []benchline.Line {
			return []benchline.Line{{Bench: "demo-first-frame", Value: milliseconds(d.firstFrame()), Unit: "ms", Goal: 300}}
		})...)
		benchline.Print(d.keys(20, 200)...)
		d.wait(d.screen(), time.Minute) // caches of the start and of 20 sessions are let go
		benchline.Print(benchline.Median(rounds, d.minute)...)
		benchline.Print(benchline.Line{Bench: "demo-memory-peak", Value: d.memory("VmHWM"), Unit: "MB", Goal: 400})
		d.stop()
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// demoProcess is a demo that runs in a process of its own.
type demoProcess struct {
	b         *testing.B
	cmd       *exec.Cmd
	addr, db  string
	began     time.Time
	listening time.Duration // from exec until an SSH server says its version
	filled    chan time.Duration
}

func startDemo(b *testing.B, bin string) *demoProcess {
	b.Helper()
	p, err := freePort()
	if err != nil {
		b.Fatal(err)
	}
	d := &demoProcess{b: b, addr: "127.0.0.1:" + strconv.Itoa(p), db: b.TempDir(), filled: make(chan time.Duration, 1)}
	d.cmd = exec.Command(bin, "demo", "--no-tui", "--fault", "none", "--db", d.db, "--ssh", d.addr, "--port-base", "47000")
	says, err := d.cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	d.began = time.Now()
	if err := d.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(d.stop)
	go func() {
		for s := bufio.NewScanner(says); s.Scan(); {
			if strings.Contains(s.Text(), "history filled in") {
				d.filled <- time.Since(d.began)
			}
		}
	}()
	for d.listening == 0 {
		if d.answers() {
			d.listening = time.Since(d.began)
		} else if time.Since(d.began) > 30*time.Second {
			b.Fatal("the demo does not listen")
		}
	}
	return d
}

// answers reports whether an SSH server says its version.
func (d *demoProcess) answers() bool {
	c, err := net.DialTimeout("tcp", d.addr, time.Second)
	if err != nil {
		<-time.After(2 * time.Millisecond)
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	word := make([]byte, 4)
	_, err = io.ReadFull(c, word)
	return err == nil && string(word) == "SSH-"
}

func (d *demoProcess) historyAfter() time.Duration {
	select {
	case t := <-d.filled:
		return t
	case <-time.After(2 * time.Minute):
		d.b.Fatal("the history is not filled in")
		return 0
	}
}

func (d *demoProcess) stop() {
	if d.cmd.ProcessState != nil {
		return
	}
	_ = d.cmd.Process.Signal(os.Interrupt)
	if err := d.cmd.Wait(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			d.b.Error(err)
		}
	}
}

// screen is one session with a terminal of 160x50.
type screen struct {
	client *ssh.Client
	keys   io.Writer
	out    chan []byte
}

func (d *demoProcess) screen() *screen {
	key, err := os.ReadFile(filepath.Join(d.db, "keys", "operator"))
	if err != nil {
		d.b.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(key)
	if err != nil {
		d.b.Fatal(err)
	}
	c, err := ssh.Dial("tcp", d.addr, &ssh.ClientConfig{
		User: "operator", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second,
	})
	if err != nil {
		d.b.Fatal(err)
	}
	s := &screen{client: c, out: make(chan []byte, 1024)}
	sess, err := c.NewSession()
	if err != nil {
		d.b.Fatal(err)
	}
	if err := sess.RequestPty("xterm-256color", 50, 160, ssh.TerminalModes{}); err != nil {
		d.b.Fatal(err)
	}
	sess.Stdout = s
	if s.keys, err = sess.StdinPipe(); err != nil {
		d.b.Fatal(err)
	}
	if err := sess.Shell(); err != nil {
		d.b.Fatal(err)
	}
	return s
}

func (s *screen) Write(p []byte) (int, error) {
	s.out <- bytes.Clone(p)
	return len(p), nil
}

// next waits for output that holds what; everything holds "".
func (s *screen) next(b *testing.B, what string) {
	b.Helper()
	var got []byte
	for limit := time.After(10 * time.Second); ; {
		select {
		case p := <-s.out:
			if got = append(got, p...); bytes.Contains(got, []byte(what)) {
				return
			}
		case <-limit:
			b.Fatalf("no %q in %d bytes", what, len(got))
		}
	}
}

// rest takes what is under way until the screen is quiet for a moment.
func (s *screen) rest() {
	for {
		select {
		case <-s.out:
		case <-time.After(60 * time.Millisecond):
			return
		}
	}
}

// firstFrame is from the first packet of a client to a screen with its regions
// on it: connection, key exchange, login and drawing.
func (d *demoProcess) firstFrame() time.Duration {
	began := time.Now()
	s := d.screen()
	defer s.client.Close()
	s.next(d.b, "ams")
	return time.Since(began)
}

// keys opens sessions and measures in one of them, on the list of devices, how
// long each press takes to show.
func (d *demoProcess) keys(sessions, presses int) []benchline.Line {
	var all []*screen
	for range sessions {
		s := d.screen()
		defer s.client.Close()
		s.next(d.b, "ams")
		all = append(all, s)
	}
	for _, s := range all[1:] {
		go func() {
			for range s.out { // until the benchmark ends
			}
		}()
	}
	mine := all[0]
	fmt.Fprint(mine.keys, "3")
	var took []time.Duration
	for i := range presses {
		mine.rest()
		began := time.Now()
		fmt.Fprint(mine.keys, [2]string{"j", "k"}[i/8%2])
		mine.next(d.b, "")
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	at := func(q float64) float64 { return milliseconds(took[int(q*float64(len(took)-1))]) }
	return []benchline.Line{
		{Bench: "demo-key-echo-p50", Value: at(0.5), Unit: "ms", Goal: 50},
		{Bench: "demo-key-echo-p99", Value: at(0.99), Unit: "ms", Goal: 50},
	}
}

// wait reads a session's screen for a while, as a terminal does.
func (d *demoProcess) wait(s *screen, while time.Duration) {
	for end := time.After(while); ; {
		select {
		case <-s.out:
		case <-end:
			s.client.Close()
			return
		}
	}
}

// minute is what the demo takes in a minute with one session.
func (d *demoProcess) minute() []benchline.Line {
	s := d.screen()
	s.rest()
	before, began := d.cpu(), time.Now()
	d.wait(s, time.Minute)
	used := (d.cpu() - before).Seconds() / time.Since(began).Minutes()
	return []benchline.Line{
		{Bench: "demo-cpu", Value: used, Unit: "cpu_s/min", Goal: 36},
		{Bench: "demo-memory", Value: d.memory("VmRSS"), Unit: "MB", Goal: 400},
	}
}

// cpu is the processor time of the process: utime and stime of proc_pid_stat(5),
// in hundredths of a second.
func (d *demoProcess) cpu() time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		d.b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		d.b.Fatalf("/proc: %q", raw)
	}
	user, err1 := strconv.Atoi(f[11])
	system, err2 := strconv.Atoi(f[12])
	if err := errors.Join(err1, err2); err != nil {
		d.b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory is a field of proc_pid_status(5) in MB of 2^20 bytes. What the process
// has touched of the store's files counts in VmRSS.
func (d *demoProcess) memory(field string) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.b.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == field+":" {
			if kB, err := strconv.ParseFloat(f[1], 64); err == nil {
				return kB / 1024
			}
		}
	}
	d.b.Fatalf("no %s", field)
	return 0
}
