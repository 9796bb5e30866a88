package store

import (
	"context"
	"time"
)

// A commit costs what its syncs cost, whatever it holds. A small fleet is shown
// what it says within Gather. One of thousands of devices has more than a
// hundred polls a second: there a batch waits on for a good number of them, at
// most ten times as long. A person never waits, nor does a tick that is due.
const (
	crowd      = 12  // inputs within Gather: many, and more to come
	crowdMost  = 128 // inputs that are worth a commit; half of the polls that may be under way
	gatherMost = 10  // times Gather
)

// gather waits for the first request or tick, and then for more. more is false
// when it is time to stop: the batch then holds what was left in the queue.
func (s *Store) gather(ctx context.Context, wake <-chan time.Time) (b batch, more bool) {
	select {
	case r := <-s.queue:
		if !b.add(r) {
			return b, true
		}
	case <-wake:
		b.tick = true
	case <-ctx.Done():
		return s.drain()
	case <-s.life.closing:
		return s.drain()
	}
	timer := time.NewTimer(s.cfg.Gather)
	defer timer.Stop()
	for stretched := false; ; {
		select {
		case r := <-s.queue:
			if !b.add(r) || stretched && b.inputs >= crowdMost {
				return b, true
			}
		case <-wake:
			if b.tick = true; stretched {
				return b, true
			}
		case <-timer.C:
			if stretched || b.tick || b.inputs < crowd || b.inputs >= crowdMost {
				return b, true
			}
			stretched = true
			timer.Reset((gatherMost - 1) * s.cfg.Gather)
		case <-ctx.Done():
			return b, true // the next call drains
		case <-s.life.closing:
			return b, true
		}
	}
}
