//go:build unix

package peerbench

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"plumb/internal/benchline"
)

const peer = "prometheus tsdb"

// TestMeasureBesideTSDB takes what a large fleet says in through both, in turns.
func TestMeasureBesideTSDB(t *testing.T) {
	measuring(t)
	benchline.Print(benchline.Median(3, func() []benchline.Line {
		we, they := large.both(t)
		t.Logf("%d samples in batches of %d polls; %d KiB of them in memory, not yet in a part", we.samples, large.batch, we.open>>10)
		return []benchline.Line{
			ingest("store-peer-ingest", we, they, 6),
			{Bench: "store-commit-p99", Value: we.commit.Seconds() * 1e3, Unit: "ms", Goal: 100, Note: diskOf(t)},
		}
	})...)
}

// TestMeasureSmallBatchesBesideTSDB takes in what a small fleet says.
func TestMeasureSmallBatchesBesideTSDB(t *testing.T) {
	measuring(t)
	benchline.Print(benchline.Median(3, func() []benchline.Line {
		we, they := small.both(t)
		return []benchline.Line{ingest("store-peer-ingest-small", we, they, 1)}
	})...)
}

// TestMeasureADayBesideTSDB weighs a day that is merged, and reads it.
func TestMeasureADayBesideTSDB(t *testing.T) {
	measuring(t)
	benchline.Print(benchline.Median(3, func() []benchline.Line {
		we, they := day.both(t)
		perSample := func(u used) float64 { return float64(u.bytes) / float64(u.samples) }
		return []benchline.Line{
			{Bench: "store-peer-sample", Value: perSample(we), Unit: "bytes", Peer: peer, PeerValue: perSample(they), Goal: 1, OfRatio: true},
			{Bench: "store-peer-read-day", Value: micros(we.read), Unit: "cpu_us", Peer: peer, PeerValue: micros(they.read), Goal: 1, OfRatio: true},
		}
	})...)
}

// diskOf says what tests write to.
func diskOf(t *testing.T) string {
	dir := t.TempDir()
	out, err := exec.Command("df", "-T", dir).Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	fields := strings.Fields(lines[len(lines)-1])
	if err != nil || len(fields) < 2 {
		return "a disk that df does not name"
	}
	return fields[1] + " on " + fields[0]
}

// both takes a load in through both.
func (l load) both(t *testing.T) (we, they used) {
	held := size()
	defer runtime.KeepAlive(held)
	we = ours(t, l)
	runtime.GC()
	return we, theirs(t, l)
}

func ingest(name string, we, they used, goal float64) benchline.Line {
	perSecond := func(u used) float64 { return float64(u.samples) / u.ingest.Seconds() }
	return benchline.Line{Bench: name, Value: perSecond(we), Unit: "samples/cpu_s", Peer: peer, PeerValue: perSecond(they), Goal: goal, OfRatio: true, Higher: true}
}

func micros(d time.Duration) float64 { return d.Seconds() * 1e6 }
