package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	sent      *sent      // nil: none
	urgent    bool       // a person waits for it
	refused   error      // it was left out of its batch
	done      chan error // of capacity one
}

// writer is what Run's goroutine owns.
type writer struct {
	mark      batchMark // of the last batch that state.db holds
	seq       uint64    // of the last batch, kept or not
	staleFrom uint64    // series.db may hold batches from here on that were not kept; 0: it holds none

	pause   pause          // of readings
	held    held           // what could not be kept
	remarks []fleet.Remark // for the next batch
	time    timekeeper

	wal []walEntry
	walScratch
	origins          origins
	enc              encoder
	grid             grid
	tiers            tierMaker
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
	sent        []*sent
	delivered   []string // notices that may leave the outbox
}

func (b *batch) extras(imports []importBlock) extras {
	x := extras{imports: imports}
	for _, r := range b.requests {
		if r.inventory != nil {
			x.inventories = append(x.inventories, r.inventory)
		}
		if r.sent != nil {
			x.sent = append(x.sent, r.sent)
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

// process commits a batch and answers its requests.
func (s *Store) process(b batch, step StepFunc) (out fleet.Output, published bool) {
	began := s.clock.mono()
	now := s.clock.wall().UTC()
	s.clockJumped(s.writer.time.tick(now, began))
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

// answer is what a request is told of its batch: one that brings no readings
// does not miss them.
func (r *request) answer(err error) error {
	if r.refused != nil {
		return r.refused
	}
	if !errors.Is(err, ErrReadings) || r.imports != nil {
		return err
	}
	for _, i := range r.in {
		if _, ok := i.(*fleet.Observation); ok {
			return err
		}
	}
	return nil
}

// commitBatch steps, commits and publishes. With ErrReadings everything but the
// readings was kept; with any other error nothing was, and published says
// whether it was shown all the same.
func (s *Store) commitBatch(b batch, step StepFunc, now time.Time, mono time.Duration) (out fleet.Output, published bool, err error) {
	w := &s.writer
	defer w.origins.forget()
	paused := s.readingsPaused(now, mono)
	in, imports, err := s.inputs(b, paused)
	if err != nil {
		return out, false, err
	}
	if h := &w.held; !h.since.IsZero() && mono < h.again {
		out, published = s.show(in, step, now, mono, h.why)
		return out, published, h.why
	}
	for _, r := range w.remarks {
		in = append(in, r)
	}
	remarks := len(w.remarks)
	prev := s.snap.Load()
	next := prev
	if len(in) > 0 {
		if next, out = step(prev, in, now); next == nil {
			next = prev
		}
	}
	seq := w.seq + 1
	err = s.commitFiles(seq, w.held.with(out), b.extras(imports), now, mono, paused)
	if err != nil && !errors.Is(err, ErrReadings) {
		if !ofDisk(err) { // then it is this batch that cannot be kept, and no other shall suffer from it
			return fleet.Output{}, false, err
		}
		out, published = s.show(in, step, now, mono, err)
		return out, published, err
	}
	w.seq = seq
	w.remarks = slices.Delete(w.remarks, 0, remarks)
	s.keptAgain(now)
	if len(in) > 0 {
		if next == prev {
			c := *prev
			next = &c
		}
		next.Version = seq
		s.publish(next)
	}
	return out, true, err
}

// inputs lists what a batch feeds the step, without what was applied before.
// While readings are paused it is also without what comes from other machines:
// that is taken whole or not at all, and they keep it until it is.
func (s *Store) inputs(b batch, paused bool) (in []fleet.Input, imports []importBlock, err error) {
	for _, r := range b.requests {
		imports = append(imports, r.imports...)
		for _, i := range r.in {
			if o, ok := i.(*fleet.Observation); ok {
				if paused && o.Origin.Cell != "" {
					r.refused = fmt.Errorf("store: commit: %w: %w", ErrReadings, s.writer.pause.why)
					continue
				}
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
// keep is not written: there is nothing that could be lost. ErrReadings says
// that the readings and imports of it were left out.
func (s *Store) commitFiles(seq uint64, out fleet.Output, x extras, now time.Time, mono time.Duration, paused bool) error {
	w := &s.writer
	rest := len(out.Changes) + len(out.Events) + len(out.Audit) + len(out.Jobs) + len(out.Notices) + len(x.inventories) + len(x.sent) + len(x.delivered) + len(w.origins.fresh)
	if rest+len(out.Readings)+len(x.imports) == 0 && (w.staleFrom == 0 || paused) {
		return nil
	}
	s.commit.Lock()
	defer s.commit.Unlock()
	var wrote written
	var missed error
	if paused {
		missed = w.pause.why
	} else if wrote, missed = s.commitSeries(seq, out.Readings, x.imports, now); missed != nil {
		if missed = named(missed); !ofDisk(missed) {
			return missed
		}
		s.pauseReadings(now, mono, missed)
	} else {
		s.resumed(now)
	}
	if missed != nil && len(w.origins.fresh) > 0 {
		return missed // what comes from another machine is taken whole: it sends it again
	}
	mark := batchMark{seq: seq, at: now, audit: w.mark.audit}
	if err := s.commitState(out, x, &mark); err != nil {
		return err
	}
	w.mark, w.time.changed = mark, false
	w.origins.committed()
	if missed == nil {
		w.staleFrom = 0
		s.install(seq, wrote)
		return nil
	}
	s.drop(out.Readings, &w.pause.values)
	if len(out.Readings)+len(x.imports) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrReadings, missed)
}

// commitState commits what a batch says to state.db, into the room of the
// ballast where there is no other.
func (s *Store) commitState(out fleet.Output, x extras, mark *batchMark) error {
	from := *mark
	var outbox moved
	commit := func() error {
		*mark, outbox = from, moved{}
		return update(s.state, func(tx *bbolt.Tx) error { return s.writeState(tx, out, x, mark, &outbox) })
	}
	err := named(commit())
	if err != nil && noRoom(err) && s.room.release() {
		err = named(commit())
	}
	if err == nil {
		s.backlog.move(outbox)
	}
	return err
}

// writeState writes what a batch says, but for its readings.
func (s *Store) writeState(tx *bbolt.Tx, out fleet.Output, x extras, mark *batchMark, outbox *moved) error {
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
	if err := putSent(tx, x.sent); err != nil {
		return err
	}
	refused, err := putNotices(tx, out.Notices, outbox)
	if err != nil {
		return err
	}
	s.stats.refused.Add(uint64(refused))
	if err := dropNotices(tx, x.delivered, outbox); err != nil {
		return err
	}
	if err := s.writer.origins.save(tx); err != nil {
		return err
	}
	if err := s.sweep(tx, mark.at); err != nil {
		return err
	}
	if err := s.saveClock(tx); err != nil {
		return err
	}
	return put(tx.Bucket(bucketMeta), keyBatch, mark.encode())
}

// sweep deletes a few events and changes that are too old, once a second.
func (s *Store) sweep(tx *bbolt.Tx, now time.Time) error {
	const events, changes = 64, 256
	w := &s.writer
	if wait := w.sweepAt.Sub(now); wait > 0 && wait <= time.Second { // more: the clock went back
		return nil
	}
	w.sweepAt = now.Add(time.Second)
	horizon := w.time.retention().Add(-s.cfg.Retention.longest())
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
