package store

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// commitTimes are how long the last commits took.
type commitTimes struct {
	mu   sync.Mutex // guards what follows
	last [256]time.Duration
	n    int // all of them
}

func (c *commitTimes) add(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last[c.n%len(c.last)] = took
	c.n++
}

// p99 is what one in a hundred of the last commits took longer than.
func (c *commitTimes) p99() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(c.n, len(c.last))
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(c.last[:n]))
	return sorted[n*99/100]
}

type counters struct {
	batches, failed, samples, refused, broken atomic.Uint64
	dropped, unreadable                       atomic.Uint64
	met                                       atomic.Bool
	lastCommit, commitTime                    atomic.Int64 // ns
	commits                                   commitTimes
}

// Stats is what the store says of itself, for metrics.
type Stats struct {
	StateBytes   int64         // size of state.db
	SeriesBytes  int64         // size of series.db
	JournalBytes int64         // of its journal
	LastCommit   time.Duration // of the last batch: step, both commits, publishing
	CommitTime   time.Duration // of all batches since the start
	CommitP99    time.Duration // 99th percentile of the last 256 batches
	Batches      uint64        // since the start
	Failed       uint64        // batches that could not be committed
	QueueDepth   int           // Apply calls that wait
	Samples      uint64        // values since the start
	OpenRows     int           // polls in memory, not yet in a block
	OpenBytes    int64         // what their values take in memory
	Targets      int
	Layouts      int
	Refused      uint64 // rows, events, jobs and notices that could not be kept: names that are too long, lengths that differ
	Dropped      uint64 // values that were not kept, for want of room or because the disk failed
	Free         int64  // bytes left for this process on the store's disk; -1: not known
	Ballast      bool   // the room that is thrown off when the disk is full is there
	Broken       uint64 // records that housekeeping found damaged and left alone
	Met          bool   // a reader has met damage
	Unreadable   uint64 // polls in memory that could not be read, and are not kept
}

// Stats returns the store's figures.
func (s *Store) Stats() Stats {
	journal := int64(0)
	select {
	case <-s.opening.ended:
		if s.journal != nil {
			journal = s.journal.bytes.Load()
		}
	default:
	}
	st := Stats{
		JournalBytes: journal,
		StateBytes:   fileSize(s.path("state.db")), SeriesBytes: fileSize(s.path("series.db")),
		LastCommit: time.Duration(s.stats.lastCommit.Load()), CommitTime: time.Duration(s.stats.commitTime.Load()),
		CommitP99: s.stats.commits.p99(),
		Batches:   s.stats.batches.Load(), Failed: s.stats.failed.Load(), QueueDepth: len(s.queue),
		Dropped: s.stats.dropped.Load(), Free: s.room.free.Load(), Ballast: s.room.ballast.Load(),
		Samples: s.stats.samples.Load(), Refused: s.stats.refused.Load(), Broken: s.stats.broken.Load(),
		Met: s.stats.met.Load(), Unreadable: s.stats.unreadable.Load(),
	}
	s.layouts.mu.RLock()
	st.Layouts = len(s.layouts.list)
	s.layouts.mu.RUnlock()
	s.targets.mu.RLock()
	defer s.targets.mu.RUnlock()
	st.Targets = len(s.targets.list)
	st.OpenRows, st.OpenBytes = s.targets.rows, s.targets.bytes
	return st
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
