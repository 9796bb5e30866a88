package store

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

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

// aloneMost is how many batches in a row series.db alone may hold. state.db
// drops what is too old with its commits, and write-ahead values stay until it
// has come to their number: by them a start finds the last batch.
const aloneMost = 32

// commitFiles commits the batch, series.db first. A batch of readings alone is
// committed there alone, which halves the syncs. A batch that has nothing to
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
	version := walShared
	if rest+len(x.imports) == 0 && w.alone < aloneMost && !w.time.changed {
		version = walAlone
	}
	var wrote written
	var missed error
	if paused {
		missed = w.pause.why
	} else if wrote, missed = s.commitSeries(version, seq, out.Readings, x.imports, now); missed != nil {
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
	if version == walAlone && !paused && missed == nil {
		w.alone++
		w.staleFrom = 0
		s.install(seq, wrote)
		return nil
	}
	mark := batchMark{seq: seq, at: now, audit: w.mark.audit}
	if err := s.commitState(out, x, &mark); err != nil {
		return err
	}
	w.mark, w.alone, w.time.changed = mark, 0, false
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
	if err := s.putSent(tx, x.sent); err != nil {
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
