package snmp

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumb/fleet"
)

// The poll that SNMP tools are compared by: sysUpTime and 14 columns.
var benchColumns = oids("1.3.6.1.2.1.2.2.1.7", "1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.2.2.1.13", "1.3.6.1.2.1.2.2.1.14", "1.3.6.1.2.1.2.2.1.16", "1.3.6.1.2.1.2.2.1.19",
	"1.3.6.1.2.1.2.2.1.20", "1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10", "1.3.6.1.2.1.31.1.1.1.15", "1.3.6.1.2.1.31.1.1.1.18", "1.3.6.1.2.1.31.1.1.1.19")

// TestMain runs the fake agent in a process of its own when asked to, so that
// a benchmark counts only the probe's CPU.
func TestMain(m *testing.M) {
	if os.Getenv("PLUMB_SNMP_FAKE") != "" {
		serveFakeForBench()
		return
	}
	os.Exit(m.Run())
}

func startBenchAgent(b *testing.B) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "PLUMB_SNMP_FAKE=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line := make([]byte, 64)
	n, err := out.Read(line)
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(string(line[:n]))
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchConfig(b *testing.B) Config {
	return Config{Target: "sw1", Address: startBenchAgent(b), Community: secret("public"), Timeout: 5 * time.Second}
}

// BenchmarkPoll is sysUpTime and 14 columns of 48 ports, on a fresh socket.
// The goal is 0.5 ms of CPU a poll.
func BenchmarkPoll(b *testing.B) {
	cfg := benchConfig(b).withDefaults()
	l := link{repetitions: maxRepetitions, width: maxWidth}
	b.ReportAllocs()
	start := cpuTime()
	b.ResetTimer()
	for range b.N {
		c, err := dial(b.Context(), &cfg, community("public"), &l)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.get(b.Context(), sysUpTime); err != nil {
			b.Fatal(err)
		}
		cells := 0
		w := c.walk(b.Context(), benchColumns, 48, func(int, oid, value) { cells++ })
		if w.is != fleet.Complete || cells != 14*48 {
			b.Fatalf("%+v, %d cells", w, cells)
		}
		c.close()
	}
	b.ReportMetric(float64(cpuTime()-start)/float64(b.N)/1e6, "cpu-ms/poll")
}

// BenchmarkObserveFast is the fast lane as the scheduler calls it.
func BenchmarkObserveFast(b *testing.B) {
	a, err := New(benchConfig(b))
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	if o, err := a.Observe(ctx, fleet.LaneSlow); err != nil || o.Err != nil {
		b.Fatal(err, o.Err)
	}
	b.ReportAllocs()
	start := cpuTime()
	b.ResetTimer()
	for range b.N {
		if o, err := a.Observe(ctx, fleet.LaneFast); err != nil || o.Err != nil || len(o.Ports) != 48 {
			b.Fatal(err, o.Err)
		}
	}
	b.ReportMetric(float64(cpuTime()-start)/float64(b.N)/1e6, "cpu-ms/poll")
}
