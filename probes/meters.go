package probes

import (
	"sync"
	"time"

	"plumb/fleet"
)

// Buckets of poll durations in seconds, for the histogram.
var Buckets = [...]float64{0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30}

// Stats is what the scheduler has done since it started.
type Stats struct {
	Targets map[fleet.Source]int
	Polls   map[fleet.Source]map[string]uint64 // by result: ok or the error's kind
	Took    map[fleet.Source][len(Buckets) + 1]uint64
	TookSum map[fleet.Source]time.Duration
	Late    time.Duration // of the last poll that began: how long after it was due
	Running int
}

type meters struct {
	mu      sync.Mutex // guards all below
	polls   map[fleet.Source]map[string]uint64
	took    map[fleet.Source][len(Buckets) + 1]uint64
	sum     map[fleet.Source]time.Duration
	late    time.Duration
	running int
}

func (m *meters) began(_ fleet.Source, late time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.late = max(late, 0)
	m.running++
}

func (m *meters) ended(src fleet.Source, o *fleet.Observation, cancelled error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running--
	if cancelled != nil || o == nil {
		return
	}
	result := "ok"
	if o.Err != nil {
		result = o.Err.Kind()
	}
	if m.polls == nil {
		m.polls, m.took, m.sum = map[fleet.Source]map[string]uint64{}, map[fleet.Source][len(Buckets) + 1]uint64{}, map[fleet.Source]time.Duration{}
	}
	if m.polls[src] == nil {
		m.polls[src] = map[string]uint64{}
	}
	m.polls[src][result]++
	h, b := m.took[src], 0
	for b < len(Buckets) && o.Took.Seconds() > Buckets[b] {
		b++
	}
	h[b]++
	m.took[src] = h
	m.sum[src] += o.Took
}

// Stats returns a copy of the figures.
func (s *Scheduler) Stats() Stats {
	st := Stats{Targets: map[fleet.Source]int{}, Polls: map[fleet.Source]map[string]uint64{}, Took: map[fleet.Source][len(Buckets) + 1]uint64{}, TookSum: map[fleet.Source]time.Duration{}}
	s.mu.Lock()
	for n := range s.owners {
		st.Targets[n.source]++
	}
	s.mu.Unlock()
	m := &s.meters
	m.mu.Lock()
	defer m.mu.Unlock()
	st.Late, st.Running = m.late, m.running
	for src, by := range m.polls {
		st.Polls[src] = map[string]uint64{}
		for k, v := range by {
			st.Polls[src][k] = v
		}
		st.Took[src], st.TookSum[src] = m.took[src], m.sum[src]
	}
	return st
}
