package store

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// StepFunc folds inputs into the next snapshot. It is a pure function; prev is
// not written, and the snapshot it returns is not written after it.
type StepFunc func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output)

// request is one Apply, or one chunk of an import, on its way to the writer.
type request struct {
	in        []fleet.Input
	imports   []importBlock
	inventory *inventory // nil: none
	urgent    bool       // a person waits for it
	done      chan error // of capacity one
}

// writer is what Run's goroutine owns.
type writer struct {
	mark  batchMark // of the last batch that state.db holds
	seq   uint64    // of the last batch, kept or not
	stale bool      // series.db may hold a batch that state.db does not

	wal              []walEntry
	origins          origins
	enc              encoder
	turn, expireTurn int

	sweepAt     time.Time // when state.db is next swept of what is too old
	sweepBefore []byte    // where in the history to go on
	sweepGone   []byte    // where among the rows that are gone to go on
}

// maxBatch bounds the inputs of one batch, and importBytes the imports.
const (
	maxBatch    = 4096
	importBytes = 1 << 20
)

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
	wake := time.NewTimer(0) // the first tick judges what was remembered
	defer wake.Stop()
	for {
		b, more := s.gather(ctx, wake.C)
		if len(b.requests) > 0 || b.tick {
			out, published := s.process(b, step)
			if published {
				setWake(wake, out.Wake, s.cfg.Gather)
			} else if b.tick {
				wake.Reset(time.Second) // the tick is not lost
			}
			if published && onNudge != nil && len(out.Nudges) > 0 {
				onNudge(out.Nudges)
			}
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
	s.life.Lock()
	defer s.life.Unlock()
	s.life.running, s.life.done = false, true
	close(s.life.stopped)
}

// setWake arms the timer for the next tick, at least a batch away: a step that
// is never content must not spin.
func setWake(t *time.Timer, at time.Time, least time.Duration) {
	t.Stop()
	if !at.IsZero() {
		t.Reset(max(time.Until(at), least))
	}
}

// batch is what one commit will hold.
type batch struct {
	requests []*request
	tick     bool
	inputs   int
	bytes    int // of imports
}

// extras is what a batch keeps that no step said.
type extras struct {
	imports     []importBlock
	inventories []*inventory
	delivered   []string // notices that may leave the outbox
}

func (b *batch) extras(imports []importBlock) extras {
	x := extras{imports: imports}
	for _, r := range b.requests {
		if r.inventory != nil {
			x.inventories = append(x.inventories, r.inventory)
		}
		for _, i := range r.in {
			if d, ok := i.(fleet.Delivered); ok {
				x.delivered = append(x.delivered, d.Keys...)
			}
		}
	}
	return x
}

// add takes a request and reports whether the batch may wait for more.
func (b *batch) add(r *request) bool {
	b.requests = append(b.requests, r)
	b.inputs += len(r.in)
	for _, i := range r.imports {
		b.bytes += len(i.value)
	}
	return !r.urgent && b.inputs < maxBatch && b.bytes < importBytes
}

// gather waits for the first request or tick, and then up to Gather for more;
// not if a person waits. more is false when it is time to stop: the batch then
// holds what was left in the queue.
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
	for {
		select {
		case r := <-s.queue:
			if !b.add(r) {
				return b, true
			}
		case <-wake:
			b.tick = true
		case <-timer.C:
			return b, true
		case <-ctx.Done():
			return b, true // the next call drains
		case <-s.life.closing:
			return b, true
		}
	}
}

// drain takes what is queued without waiting, and asks to be called again for
// as long as there is more than fits one batch.
func (s *Store) drain() (b batch, more bool) {
	for {
		select {
		case r := <-s.queue:
			if !b.add(r) {
				return b, true
			}
		default:
			return b, false
		}
	}
}

// process commits a batch and acknowledges its requests.
func (s *Store) process(b batch, step StepFunc) (fleet.Output, bool) {
	began := time.Now()
	out, err := s.commitBatch(b, step, began.UTC())
	if err != nil {
		s.stats.failed.Add(1)
		err = fmt.Errorf("store: commit: %w", err)
	} else {
		s.stats.batches.Add(1)
		took := time.Since(began)
		s.stats.lastCommit.Store(int64(took))
		s.stats.commitTime.Add(int64(took))
	}
	for _, r := range b.requests {
		r.done <- err
	}
	return out, err == nil
}

func (s *Store) commitBatch(b batch, step StepFunc, now time.Time) (fleet.Output, error) {
	w := &s.writer
	defer w.origins.forget()
	in, imports, err := s.inputs(b)
	if err != nil {
		return fleet.Output{}, err
	}
	prev := s.snap.Load()
	next, out := prev, fleet.Output{}
	if len(in) > 0 {
		if next, out = step(prev, in, now); next == nil {
			next = prev
		}
	}
	seq := w.seq + 1
	if err := s.commitFiles(seq, out, b.extras(imports), now); err != nil {
		return fleet.Output{}, err
	}
	w.seq = seq
	if len(in) > 0 {
		if next == prev {
			c := *prev
			next = &c
		}
		next.Version = seq
		s.publish(next)
	}
	return out, nil
}

// inputs lists what a batch feeds the step, without what was applied before.
func (s *Store) inputs(b batch) (in []fleet.Input, imports []importBlock, err error) {
	for _, r := range b.requests {
		imports = append(imports, r.imports...)
		for _, i := range r.in {
			if o, ok := i.(*fleet.Observation); ok {
				take, err := s.take(o.Origin)
				if err != nil {
					return nil, nil, err
				}
				if !take {
					continue
				}
			}
			in = append(in, i)
		}
	}
	if b.tick {
		in = append(in, fleet.Tick{})
	}
	return in, imports, nil
}

// commitFiles commits the batch, series.db first. A batch that has nothing to
// keep is not written: there is nothing that could be lost.
func (s *Store) commitFiles(seq uint64, out fleet.Output, x extras, now time.Time) error {
	w := &s.writer
	nothing := len(out.Changes)+len(out.Readings)+len(out.Events)+len(out.Audit)+len(out.Jobs)+len(out.Notices)+len(x.imports)+len(x.inventories)+len(x.delivered)+len(w.origins.fresh) == 0
	if nothing && !w.stale {
		return nil
	}
	s.commit.Lock()
	defer s.commit.Unlock()
	rows, err := s.commitSeries(seq, out.Readings, x.imports, now)
	if err != nil {
		return err
	}
	mark := batchMark{seq: seq, at: now, audit: w.mark.audit}
	if err := update(s.state, func(tx *bbolt.Tx) error { return s.writeState(tx, out, x, &mark) }); err != nil {
		return err
	}
	w.mark, w.stale = mark, false
	w.origins.committed()
	s.install(seq, rows)
	return nil
}

// writeState writes what a batch says, but for its readings.
func (s *Store) writeState(tx *bbolt.Tx, out fleet.Output, x extras, mark *batchMark) error {
	for _, inv := range x.inventories {
		if err := putInventory(tx, inv); err != nil {
			return err
		}
	}
	if err := s.putChanges(tx, out.Changes, mark.at); err != nil {
		return err
	}
	if err := s.putEvents(tx, out.Events, mark.at); err != nil {
		return err
	}
	if err := s.putJobs(tx, out.Jobs); err != nil {
		return err
	}
	if err := putAudit(tx, out.Audit, &mark.audit, mark.at); err != nil {
		return err
	}
	refused, err := putNotices(tx, out.Notices)
	if err != nil {
		return err
	}
	s.stats.refused.Add(uint64(refused))
	if err := dropNotices(tx, x.delivered); err != nil {
		return err
	}
	if err := s.writer.origins.save(tx); err != nil {
		return err
	}
	if err := s.sweep(tx, mark.at); err != nil {
		return err
	}
	return put(tx.Bucket(bucketMeta), keyBatch, mark.encode())
}

// sweep deletes a few events and changes that are too old, once a second.
func (s *Store) sweep(tx *bbolt.Tx, now time.Time) error {
	const events, changes = 64, 256
	w := &s.writer
	if now.Before(w.sweepAt) {
		return nil
	}
	w.sweepAt = now.Add(time.Second)
	horizon := now.Add(-s.cfg.Retention.longest())
	if err := expireEvents(tx, horizon, events); err != nil {
		return err
	}
	if err := expireInventories(tx, horizon); err != nil {
		return err
	}
	var err error
	if w.sweepGone, err = expireGone(tx, w.sweepGone, horizon, events); err != nil {
		return err
	}
	w.sweepBefore, err = expireHistory(tx, w.sweepBefore, horizon, changes)
	return err
}

// Apply hands inputs to the writer and waits until they are committed and
// synced, or refused. It blocks while the queue is full. When ctx ends first,
// the inputs may or may not be committed. Observations from other machines are
// applied once per (Cell, Epoch, Seq); a second time is a success.
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
