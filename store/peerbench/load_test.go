//go:build unix

// Package peerbench measures the store beside the time series database of
// Prometheus, as a library in the same process: the same samples in the same
// batches, once through each, in turns.
//
// It is a module of its own, so that what Prometheus needs is never among what
// plumb needs. It holds tests only.
//
// What is compared is a day of racks polled once a minute: what taking it in
// costs, with our synced commits on one side and one appender a
// batch with cached references, its write-ahead log and its compactions on the
// other; what a sample takes on disk once both have merged; and what reading
// one series over the day costs. The samples are made beforehand, exact numbers
// for us and floats for Prometheus, so that making them is on no one's bill. A
// batch brings readings and nothing else, as nearly all do where nothing happens.
package peerbench

import (
	"os"
	"runtime"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/rackload"
)

// begin is when time begins in a bubble.
var begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// fleetOf is a load: racks that are polled once a minute, for so long, and how
// many batches a minute's polls come in.
type fleetOf struct {
	racks   int
	span    time.Duration
	batches int
}

var (
	// Ten thousand devices have 167 polls a second, of which the store gathers
	// 128 into a batch. So many polls, of six racks, are a batch here.
	large = fleetOf{racks: 6, span: 24 * time.Hour, batches: 1}
	// A small fleet's batch is what comes within a tenth of a second.
	small = fleetOf{racks: 1, span: 24 * time.Hour, batches: 2}
)

// recorded is a load that was made beforehand.
type recorded struct {
	fleetOf
	racks    *rackload.Load
	batches  [][]poll           // in order of time
	readings [][]fleet.Readings // the same, as a step hands them to the store
	samples  int
}

// perBatch is how many samples a batch has.
func (r *recorded) perBatch() int { return r.samples / len(r.batches) }

// polls is how often each target is polled, but for a few at either end.
func (r *recorded) polls() int { return int(r.span/rackload.Interval) - 10 }

// poll is one target's answer. Targets counts from the first of the load.
type poll struct {
	target int
	fleet.Readings
	floats []float64
}

func (f fleetOf) record() *recorded {
	r := &recorded{fleetOf: f, racks: rackload.New(f.racks)}
	every := rackload.Interval / time.Duration(f.batches)
	for n := range int(f.span / every) {
		at := begin.Add(time.Duration(n) * every)
		var b []poll
		var readings []fleet.Readings
		for i := n % f.batches; i < len(r.racks.Targets); i += f.batches {
			p := poll{target: i, Readings: r.racks.Targets[i].Poll(at)}
			for _, v := range p.Values {
				p.floats = append(p.floats, v.Float())
			}
			r.samples += len(p.Values)
			b, readings = append(b, p), append(readings, p.Readings)
		}
		r.batches, r.readings = append(r.batches, b), append(r.readings, readings)
	}
	return r
}

// warm has the process pay for its memory before it is measured: one that has
// run for days uses its own again.
func warm() {
	const used = 512 << 20
	room := make([]byte, used)
	for i := 0; i < len(room); i += os.Getpagesize() {
		room[i] = 1
	}
	runtime.KeepAlive(room)
	runtime.GC()
}

func measuring(t *testing.T) {
	t.Helper()
	if os.Getenv("PLUMB_BENCH") == "" {
		t.Skip("a measurement: make bench-store")
	}
}
