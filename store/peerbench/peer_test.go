//go:build unix

package peerbench

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"plumb/internal/benchline"
)

const peer = "prometheus tsdb"

// TestMeasureBesideTSDB takes a day in through both, in turns: in the batches of
// a large fleet, and in those of a small one.
func TestMeasureBesideTSDB(t *testing.T) {
	measuring(t)
	load := large.record()
	t.Logf("a large fleet: %d series, %d samples a batch, %d in all", load.racks.Series(), load.perBatch(), load.samples)
	benchline.Print(benchline.Median(3, func() []benchline.Line {
		we, they := load.both(t)
		return []benchline.Line{
			load.ingest("store-peer-ingest", we, they, 6),
			{Bench: "store-commit-p99", Value: we.commit.Seconds() * 1e3, Unit: "ms", Goal: 100, Note: diskOf(t)},
			load.bytes("store-peer-sample", we, they),
			{Bench: "store-peer-read-day", Value: micros(we.read), Unit: "cpu_us", Peer: peer, PeerValue: micros(they.read), Goal: 1, OfRatio: true},
		}
	})...)
	load = small.record()
	t.Logf("a small fleet: %d series, %d samples a batch, %d in all", load.racks.Series(), load.perBatch(), load.samples)
	benchline.Print(benchline.Median(3, func() []benchline.Line {
		we, they := load.both(t)
		return []benchline.Line{load.ingest("store-peer-ingest-small", we, they, 1)}
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
func (r *recorded) both(t *testing.T) (we, they used) {
	warm()
	we = ours(t, r)
	warm()
	return we, theirs(t, r)
}

func (r *recorded) ingest(name string, we, they used, goal float64) benchline.Line {
	perSecond := func(u used) float64 { return float64(r.samples) / u.ingest.Seconds() }
	return benchline.Line{Bench: name, Value: perSecond(we), Unit: "samples/cpu_s", Peer: peer, PeerValue: perSecond(they), Goal: goal, OfRatio: true, Higher: true}
}

func (r *recorded) bytes(name string, we, they used) benchline.Line {
	perSample := func(u used) float64 { return float64(u.bytes) / float64(r.samples) }
	return benchline.Line{Bench: name, Value: perSample(we), Unit: "bytes", Peer: peer, PeerValue: perSample(they), Goal: 1, OfRatio: true}
}

func micros(d time.Duration) float64 { return d.Seconds() * 1e6 }
