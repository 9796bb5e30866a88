package probes

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"plumb/fleet"
)

// Target is one thing to look at over one wire.
type Target struct {
	ID     string
	Source fleet.Source
	// Key changes when anything the probe is built from changes; a target
	// whose key stayed keeps its session over a reload.
	Key   string
	Build func() (fleet.Probe, error)
	// Pace is the target's own beat; nil: that of the lanes.
	Pace *Pace
}

// Pace is the beat of a target that has one of its own: all of it is read at
// each look, and it is a look of the fast lane.
type Pace struct {
	Every   time.Duration
	Timeout time.Duration // of one look
	// Retry is when the next look follows one whose word was not well, until
	// Attempts such looks in a row have settled it. 0: at the next beat.
	Retry    time.Duration
	Attempts int
}

type name struct {
	id     string
	source fleet.Source
}

// tellMost is how many times as many polls as may be under way may wait for the
// sink.
const tellMost = 4

// Sink takes an observation. It may block: a full store slows polling down.
type Sink func(context.Context, *fleet.Observation) error

// Scheduler polls targets until its context ends.
type Scheduler struct {
	cfg    Config
	sink   Sink
	log    *slog.Logger
	meters meters
	pulse  pulse

	live    chan struct{} // slots of the living, on their beat
	asked   chan struct{} // slots of the living that somebody asked for
	sick    chan struct{} // slots of the dead
	telling chan struct{} // slots of what was seen and waits for the sink

	mu     sync.Mutex // guards owners, byID, ending and ctx
	owners map[name]*owner
	byID   map[string][]*owner
	ending map[name]chan struct{} // gone of the last owner that was told to stop
	ctx    context.Context
	wg     sync.WaitGroup
}

// NewScheduler returns a scheduler that polls nothing until Run and SetTargets.
func NewScheduler(cfg Config, sink Sink, log *slog.Logger) (*Scheduler, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Scheduler{
		cfg: cfg, sink: sink, log: log, owners: make(map[name]*owner), ending: make(map[name]chan struct{}),
		pulse: pulse{began: time.Now()},
		live:  make(chan struct{}, cfg.Parallel), asked: make(chan struct{}, max(cfg.Parallel/2, 1)), sick: make(chan struct{}, cfg.Patients), telling: make(chan struct{}, tellMost*cfg.Parallel),
	}, nil
}

// Run polls until ctx ends, then waits until every probe is closed.
func (s *Scheduler) Run(ctx context.Context) {
	s.mu.Lock()
	s.ctx = ctx
	for _, o := range s.owners {
		s.start(o)
	}
	s.mu.Unlock()
	<-ctx.Done()
	s.wg.Wait()
}

// SetTargets replaces the targets. One whose key stayed is not disturbed; one
// that went is closed after its poll under way, and one whose key changed, or
// that comes back, is looked at only after that.
func (s *Scheduler) SetTargets(targets []Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := make(map[name]*owner, len(targets))
	for _, t := range targets {
		n := name{t.ID, t.Source}
		if o := s.owners[n]; o != nil && o.target.Key == t.Key {
			next[n] = o
			continue
		}
		o := &owner{s: s, target: t, nudged: make(chan struct{}, 1), acts: make(chan request), gone: make(chan struct{})}
		next[n] = o
	}
	for n, gone := range s.ending {
		select {
		case <-gone:
			delete(s.ending, n)
		default:
		}
	}
	for n, o := range s.owners {
		if next[n] != o && o.stop != nil {
			o.stop()
			s.ending[n] = o.gone
		}
	}
	for n, o := range next {
		if s.ctx != nil && s.owners[n] != o {
			o.after = s.ending[n]
			s.start(o)
		}
	}
	s.owners, s.byID = next, make(map[string][]*owner, len(next))
	for n, o := range next {
		s.byID[n.id] = append(s.byID[n.id], o)
	}
}

// start runs an owner; s.mu is held.
func (s *Scheduler) start(o *owner) {
	ctx, stop := context.WithCancel(s.ctx)
	o.stop = stop
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		defer close(o.gone)
		defer stop()
		o.run(ctx)
	}()
}

// Nudge asks that targets be polled now. It never blocks and never starts a
// second poll of a target.
func (s *Scheduler) Nudge(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		for _, o := range s.byID[id] {
			select {
			case o.nudged <- struct{}{}:
			default:
			}
		}
	}
}

// ErrNoActor says that nothing reaches the target that could act on it.
var ErrNoActor = errors.New("no wire that can do this")

// Act carries out one action on its target, between two polls of it. The wire
// is the one whose probe is an Actor and is named by source.
func (s *Scheduler) Act(ctx context.Context, source fleet.Source, id string, a fleet.Action) (fleet.Outcome, error) {
	s.mu.Lock()
	o := s.owners[name{id, source}]
	s.mu.Unlock()
	if o == nil {
		return fleet.Outcome{}, &fleet.ProbeError{Target: id, Op: string(a.Kind), Err: fmt.Errorf("%w: %w", fleet.ErrUnsupported, ErrNoActor)}
	}
	r := request{ctx: ctx, action: a, reply: make(chan reply, 1)}
	select {
	case o.acts <- r:
	case <-o.gone:
		return fleet.Outcome{}, &fleet.ProbeError{Target: id, Op: string(a.Kind), Err: fmt.Errorf("%w: the target left the inventory", fleet.ErrUnreachable)}
	case <-ctx.Done():
		return fleet.Outcome{}, &fleet.ProbeError{Target: id, Op: string(a.Kind), Err: fmt.Errorf("%w: waiting for a poll to end", fleet.ErrTimeout)}
	}
	got := <-r.reply // the owner always replies
	return got.outcome, got.err
}

// phase spreads targets over an interval by their id, the same after a restart.
func phase(id string, interval time.Duration) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(id))
	return time.Duration(h.Sum64() % uint64(max(interval, 1)))
}
