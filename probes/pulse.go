package probes

import (
	"sync/atomic"
	"time"

	"plumb/fleet"
)

// pulse is the time since the scheduler was made, on the clock that never jumps,
// and when a poll last began or ended.
type pulse struct {
	began time.Time
	moved atomic.Int64
}

func (p *pulse) now() time.Duration { return time.Since(p.began) }
func (p *pulse) move()              { p.moved.Store(int64(p.now())) }

// until is how long an owner waits for a time, and notes when that will be.
func (o *owner) until(t time.Time) time.Duration {
	wait := max(time.Until(t), 0)
	o.wants.Store(int64(o.s.pulse.now()+wait) + 1)
	return wait
}

// Stuck returns for how long no poll has begun or ended although one was due or
// under way, and whether that is longer than any poll and any pause may take: then it is not
// the devices that do not answer. A poll that hangs beside others that do not is
// its own target's trouble.
func (s *Scheduler) Stuck() (still time.Duration, stuck bool) {
	first, most := int64(0), s.cfg.deadline(fleet.LaneSlow)+s.cfg.longest()
	s.mu.Lock()
	for _, o := range s.owners {
		most = max(most, o.deadline(fleet.LaneSlow)) // its pauses are in what it wants
		if w := o.wants.Load(); w != 0 && (first == 0 || w < first) {
			first = w
		}
	}
	s.mu.Unlock()
	if first == 0 {
		return 0, false
	}
	still = s.pulse.now() - time.Duration(max(first-1, s.pulse.moved.Load()))
	return max(still, 0), still > most
}
