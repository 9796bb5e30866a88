package store

import (
	"sync/atomic"
	"time"
)

// busy says since when the writer is at one batch. It is what tells a writer
// that idles, which is sound, from one that hangs.
type busy struct{ since atomic.Int64 } // on the monotonic clock, plus one; 0: it idles

func (b *busy) begin(now time.Duration) { b.since.Store(int64(now) + 1) }
func (b *busy) end()                    { b.since.Store(0) }

// Busy returns how long the batch has taken so far that is being committed; 0
// where none is. A disk that refuses makes no batch long, one that does not
// answer does.
func (s *Store) Busy() time.Duration {
	since := s.busy.since.Load()
	if since == 0 {
		return 0
	}
	return max(s.clock.mono()-time.Duration(since-1), 0)
}
