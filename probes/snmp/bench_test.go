package snmp

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/benchline"
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

func benchConfig(b *testing.B) Config {
	return Config{Target: "sw1", Address: startBenchAgent(b), Community: secret("public"), Timeout: 5 * time.Second}
}

// BenchmarkPoll is sysUpTime and 14 columns of 48 ports, on a fresh socket,
// beside snmpbulkwalk of the two tables that hold them, where it is installed.
func BenchmarkPoll(b *testing.B) {
	const polls = 500
	cfg := benchConfig(b).withDefaults()
	l := link{repetitions: maxRepetitions, width: maxWidth}
	peer, err := exec.LookPath("snmpbulkwalk")
	if err != nil {
		b.Log("no peer: apt-get install snmp")
	}
	for b.Loop() {
		benchline.Print(benchline.Median(3, func() []benchline.Line {
			began := benchline.CPU()
			for range polls {
				pollOnce(b, &cfg, &l)
			}
			line := benchline.Line{Bench: "snmp-poll-48-ports", Value: (benchline.CPU() - began).Seconds() * 1e3 / polls, Unit: "cpu_ms/poll", Goal: 0.5}
			if peer != "" {
				line.Peer = "snmpbulkwalk"
				line.PeerValue = walkers(b, peer, cfg.Address, "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1").Seconds() * 1e3
			}
			return []benchline.Line{line}
		})...)
	}
}

func pollOnce(b *testing.B, cfg *Config, l *link) {
	c, err := dial(b.Context(), cfg, community("public"), l)
	if err != nil {
		b.Fatal(err)
	}
	defer c.close()
	if _, err := c.get(b.Context(), sysUpTime); err != nil {
		b.Fatal(err)
	}
	cells := 0
	w := c.walk(b.Context(), benchColumns, 48, func(int, oid, value) { cells++ })
	if w.is != fleet.Complete || cells != 14*48 {
		b.Fatalf("%+v, %d cells", w, cells)
	}
}

// walkers is the CPU time of a walk of each table, without loading MIBs.
func walkers(b *testing.B, tool, address string, tables ...string) (used time.Duration) {
	for _, t := range tables {
		cmd := exec.CommandContext(b.Context(), tool, "-v2c", "-c", "public", "-m", "", "-On", "-Cr25", address, t)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("snmpbulkwalk: %v\n%s", err, out)
		}
		used += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	return used
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
	start := benchline.CPU()
	b.ResetTimer()
	for range b.N {
		if o, err := a.Observe(ctx, fleet.LaneFast); err != nil || o.Err != nil || len(o.Ports) != 48 {
			b.Fatal(err, o.Err)
		}
	}
	b.ReportMetric(float64(benchline.CPU()-start)/float64(b.N)/1e6, "cpu-ms/poll")
}
