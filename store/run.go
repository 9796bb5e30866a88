package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/fleet"
)

// StepFunc folds inputs into the next snapshot. It is a pure function; prev is
// not written, and the snapshot it returns is not written after it.
type StepFunc func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output)

// writer is what Run's goroutine owns.
type writer struct {
	mark      batchMark // of the last batch that state.db holds
	seq       uint64    // of the last batch, kept or not
	alone     int       // batches since then, which series.db alone holds
	staleFrom uint64    // series.db may hold batches from here on that were not kept; 0: it holds none

	pause   pause          // of readings
	held    held           // what could not be kept
	remarks []fleet.Remark // for the next batch
	time    timekeeper

	wal      []walEntry
	housed   time.Time // when series.db was last committed to
	unhoused int       // batches in the journal since then
	polls    int       // in them, and in that commit
	walScratch
	origins    origins
	enc        encoder
	grid       grid
	tiers      tierMaker
	round      round
	expireTurn int

	sweepAt     time.Time // when state.db is next swept of what is too old
	sweepBefore []byte    // where in the history to go on
	sweepGone   []byte    // where among the rows that are gone to go on
}

// Run is the one writer. It publishes first and then turns inputs into batches
// until ctx ends or Close is called; what is queued then is still committed. A
// batch that cannot be committed leaves everything as it was, is reported to
// those who handed it in, and does not stop Run. onNudge, which may be nil, is
// called with the targets that the step wants polled and must not block.
//
// Run returns ErrRunning where it has been called before, and a *FileError
// where series.db turns out not to be sound; else nil.
func (s *Store) Run(ctx context.Context, first *fleet.Snapshot, step StepFunc, onNudge func([]string)) error {
	s.life.Lock()
	if s.life.running || s.life.done {
		s.life.Unlock()
		return ErrRunning
	}
	s.life.running = true
	s.life.Unlock()
	defer s.end()

	if first == nil {
		first = &fleet.Snapshot{Live: true}
	}
	if first.Version < s.writer.seq {
		c := *first
		c.Version = s.writer.seq
		first = &c
	}
	s.publish(first)
	if ok, err := s.awaitSeries(ctx); !ok {
		return err
	}
	s.startClock()
	wake := time.NewTimer(0) // the first tick judges what was remembered
	defer wake.Stop()
	for {
		b, more := s.gather(ctx, wake.C)
		if !more && !s.writer.held.since.IsZero() {
			b.tick, s.writer.held.again = true, 0 // a last try for what is held
		}
		if len(b.requests) > 0 || b.tick {
			s.busy.begin(s.clock.mono())
			out, published := s.process(b, step)
			if published {
				setWake(wake, s.wakeIn(out.Wake), s.cfg.Gather)
			} else if b.tick {
				wake.Reset(time.Second) // the tick is not lost
			}
			if published && onNudge != nil && len(out.Nudges) > 0 {
				onNudge(out.Nudges)
			}
			s.busy.end()
		}
		if !more {
			return nil
		}
	}
}

// awaitSeries waits until series.db is open, and reports whether it is. What is
// handed in meanwhile waits in the queue. Whoever stops before then has not
// been told that anything was kept, and need not wait for it.
func (s *Store) awaitSeries(ctx context.Context) (ok bool, err error) {
	s.opening.start()
	select {
	case <-s.opening.ended:
		return s.opening.err == nil, s.opening.err
	case <-ctx.Done():
	case <-s.life.closing:
	}
	s.opening.stop()
	return s.opening.err == nil, nil
}

func (s *Store) end() {
	s.room.making.Wait()
	s.life.Lock()
	defer s.life.Unlock()
	s.life.running, s.life.done = false, true
	close(s.life.stopped)
}

// setWake arms the timer for the next tick, at least a batch away: a step that
// is never content must not spin. A negative wait is none.
func setWake(t *time.Timer, wait, least time.Duration) {
	t.Stop()
	if wait >= 0 {
		t.Reset(max(wait, least))
	}
}

// wakeIn is how long until the step wants a tick, or the store has something to
// say itself. It is reckoned from the time the step was told, so that a clock
// that jumps meanwhile does not put it off.
func (s *Store) wakeIn(at time.Time) time.Duration {
	switch {
	case len(s.writer.remarks) > 0 && s.writer.held.since.IsZero():
		return 0
	case at.IsZero():
		return -1
	}
	return max(at.Sub(s.writer.time.wall), 0)
}

// process commits a batch and answers its requests.
func (s *Store) process(b batch, step StepFunc) (out fleet.Output, published bool) {
	began := s.clock.mono()
	now := s.clock.wall().UTC()
	s.clockJumped(s.writer.time.tick(now, began))
	s.shareDoubt()
	out, published, err := s.commitBatch(b, step, now, began)
	switch {
	case err == nil:
		s.stats.batches.Add(1)
		took := s.clock.mono() - began
		s.stats.lastCommit.Store(int64(took))
		s.stats.commitTime.Add(int64(took))
		s.stats.commits.add(took)
	case errors.Is(err, ErrReadings):
		s.stats.batches.Add(1)
	default:
		s.stats.failed.Add(1)
	}
	s.tellTrouble()
	if err != nil {
		err = fmt.Errorf("store: commit: %w", err)
	}
	for _, r := range b.requests {
		r.done <- r.answer(err)
	}
	return out, published
}

// Apply hands inputs to the writer and waits until they are committed and
// synced, or refused. It blocks while the queue is full. When ctx ends first,
// the inputs may or may not be committed. Observations from other machines are
// applied once per (Cell, Epoch, Seq); a second time is a success. ErrReadings
// says that everything was kept but the readings.
func (s *Store) Apply(ctx context.Context, in ...fleet.Input) error {
	r := &request{in: in, done: make(chan error, 1)}
	for _, i := range in {
		switch i.(type) {
		case fleet.Decision, fleet.Reload:
			r.urgent = true
		}
	}
	return s.submit(ctx, r)
}

func (s *Store) submit(ctx context.Context, r *request) error {
	select {
	case <-s.life.stopped:
		return ErrStopped
	default:
	}
	select {
	case s.queue <- r:
	case <-s.life.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-s.life.stopped:
		select {
		case err := <-r.done:
			return err
		default:
			return ErrStopped
		}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close lets Run commit what is queued and return, and closes the files. A
// second Close does nothing.
func (s *Store) Close() error {
	s.life.Lock()
	select {
	case <-s.life.closing:
		s.life.Unlock()
		<-s.life.stopped
		return nil
	default:
	}
	close(s.life.closing)
	if !s.life.running && !s.life.done {
		s.life.done = true
		close(s.life.stopped)
	}
	s.life.Unlock()
	<-s.life.stopped
	return s.release()
}
