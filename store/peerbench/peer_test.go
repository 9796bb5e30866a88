//go:build unix

package peerbench

import (
	"runtime"
	"testing"
	"time"

	"plumb/internal/benchline"
)

// TestMeasureBesideTSDB takes a day in through both, in turns.
func TestMeasureBesideTSDB(t *testing.T) {
	measuring(t)
	const peer = "prometheus tsdb"
	load := record(24 * time.Hour)
	perSecond := func(d time.Duration) float64 { return float64(load.samples) / d.Seconds() }
	perSample := func(n int) float64 { return float64(n) / float64(load.samples) }
	micros := func(d time.Duration) float64 { return d.Seconds() * 1e6 }
	benchline.Print(benchline.Median(3, func() []benchline.Line {
		runtime.GC()
		we := ours(t, load)
		runtime.GC()
		they := theirs(t, load)
		return []benchline.Line{
			{Bench: "store-peer-ingest", Value: perSecond(we.ingest), Unit: "samples/cpu_s", Peer: peer, PeerValue: perSecond(they.ingest), Goal: 6, OfRatio: true, Higher: true},
			{Bench: "store-peer-sample", Value: perSample(we.bytes), Unit: "bytes", Peer: peer, PeerValue: perSample(they.bytes), Goal: 1, OfRatio: true},
			{Bench: "store-peer-read-day", Value: micros(we.read), Unit: "cpu_us", Peer: peer, PeerValue: micros(they.read), Goal: 1, OfRatio: true},
		}
	})...)
}
