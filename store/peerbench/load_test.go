//go:build unix

// Package peerbench measures the store beside the time series database of
// Prometheus, as a library in the same process: the same samples in the same
// batches, once through each, in turns.
//
// It is a module of its own, so that what Prometheus needs is never among what
// plumb needs. It holds tests only.
//
// What is compared is racks polled once a minute: what taking that in costs, with
// our synced commits on one side and one appender a batch with cached references,
// its write-ahead log and its compactions on the other; and of a day of a few
// racks, what a sample takes on disk once both have merged, and what reading one
// series over that day costs. Samples are made minute by minute, exact numbers for
// us and floats for Prometheus, and making them is on no one's bill. A batch brings
// readings and nothing else, as nearly all do where nothing happens.
//
// What a sample costs depends on how many series there are: those of a fleet do
// not fit the processor's caches. So the large fleet is one.
package peerbench

import (
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/rackload"
)

// begin is when time begins in a bubble.
var begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// load is racks that are polled once a minute, for so many minutes, in batches of
// so many polls.
type load struct {
	racks, minutes, batch int
}

var (
	// Ten thousand devices have 167 polls a second, of which the store gathers
	// 128 into a batch.
	large = load{racks: 400, minutes: 4 * 60, batch: 126}
	// A small fleet's batch is what comes within a tenth of a second.
	small = load{racks: 48, minutes: 4 * 60, batch: 11}
	// A day is read, and merged to the last window.
	day = load{racks: 6, minutes: 24 * 60, batch: 126}
)

func (l load) span() time.Duration { return time.Duration(l.minutes) * rackload.Interval }

// polls is how often each target is polled, but for a few at either end.
func (l load) polls() int { return l.minutes - 10 }

// maker makes a load, minute by minute.
type maker struct {
	load
	*rackload.Load
	begun   int // minutes
	samples int // so far
	polls   []poll
}

// poll is one target's answer. Targets counts from the first of the load.
type poll struct {
	target int
	fleet.Readings
	floats []float64
}

func (l load) maker() *maker {
	m := &maker{load: l, Load: rackload.New(l.racks)}
	for i, t := range m.Targets {
		n := len(t.Keys)
		m.polls = append(m.polls, poll{target: i, Readings: fleet.Readings{Values: make([]fleet.Num, n)}, floats: make([]float64, n)})
	}
	return m
}

// batches is how many make a minute.
func (m *maker) batches() int { return (len(m.polls) + m.batch - 1) / m.batch }

// next makes the polls of the next minute, in the room of those of the last one.
func (m *maker) next() (batches [][]poll, ok bool) {
	if m.begun == m.minutes {
		return nil, false
	}
	for i := range m.polls {
		p := &m.polls[i]
		at := time.Duration(m.begun)*rackload.Interval + rackload.Interval*time.Duration(i/m.batch)/time.Duration(m.batches())
		p.Readings = m.Targets[i].PollInto(p.Values, begin.Add(at))
		for k, v := range p.Values {
			p.floats[k] = v.Float()
		}
		m.samples += len(p.Values)
	}
	m.begun++
	return slices.Collect(slices.Chunk(m.polls, m.batch)), true
}

// size has the process be as large as one that watches such a fleet, before it is
// measured: it pays for its memory once, and collects as rarely. What it returns
// is to be kept alive.
func size() []byte {
	held := touched(256 << 20)
	runtime.KeepAlive(touched(512 << 20))
	runtime.GC()
	return held
}

func touched(size int) []byte {
	b := make([]byte, size)
	for i := 0; i < len(b); i += os.Getpagesize() {
		b[i] = 1
	}
	return b
}

func measuring(t *testing.T) {
	t.Helper()
	if os.Getenv("PLUMB_BENCH") == "" {
		t.Skip("a measurement: make bench-store")
	}
}
