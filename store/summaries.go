package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"plumb/fleet"
)

// Judgements that need the past do not open files: they are told of it. When
// windows of a target have been merged, their hours of a few series go to the
// writer as a [fleet.Summary], and after a start so do those of the last weeks.
//
// All of that is a reader's work. The writer notes a target whose window was
// merged and rings a bell; [Store.Summarise] reads the hours in short read
// transactions of its own, like any chart, and hands them in like any input. So
// neither a commit nor a reader waits for it, and where it is slow its list
// holds each target once, with the oldest hour that is owed.

// owed are the targets whose hours are to be told. The mutex guards from.
type owed struct {
	mu   sync.Mutex
	from map[string]int64 // ms
	bell chan struct{}    // of capacity one
}

func newOwed() *owed { return &owed{from: map[string]int64{}, bell: make(chan struct{}, 1)} }

// hold owes what lies from ms on of a target, without a ring: there is nothing
// to tell of it yet, and the next bell will do.
func (o *owed) hold(target string, from int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if was, ok := o.from[target]; !ok || from < was {
		o.from[target] = from
	}
}

// note owes what lies from ms on of a target. It never waits.
func (o *owed) note(target string, from int64) {
	o.hold(target, from)
	select {
	case o.bell <- struct{}{}:
	default:
	}
}

// take empties the list.
func (o *owed) take() map[string]int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.from
	o.from = map[string]int64{}
	return list
}

// summaryBatch is how many targets are told of at once: what they are judged by
// goes into one step, which must stay short.
const summaryBatch = 8

// Summarise tells the step of hours that have passed, until ctx ends or the
// store stops. It waits for Run to publish, so that wanted finds a snapshot, and
// tells first the last span of every target, then of each whatever was
// merged. wanted says which series of a target count; it must be safe to call
// from any goroutine. A target of which none count is asked for again with the
// next merge: it may not have been polled yet. What is damaged is counted and
// left out; any other error to read ends it.
func (s *Store) Summarise(ctx context.Context, span time.Duration, wanted func(target string) []fleet.SeriesKey) error {
	begun := s.Watch()
	_, err := begun.Next(ctx)
	begun.Close()
	if err != nil {
		return nil // it ended before there was anything to tell
	}
	select {
	case <-s.opening.ended:
	case <-ctx.Done():
		return nil
	}
	since := toMs(time.Now().Add(-span))
	for _, t := range s.targets.all() {
		s.owed.note(t.name, since)
	}
	if s.opening.err != nil {
		return nil // Run says it
	}
	for {
		select {
		case <-s.owed.bell:
		case <-s.life.stopped:
			return nil
		case <-ctx.Done():
			return nil
		}
		err := s.tell(ctx, s.owed.take(), wanted)
		switch {
		case ctx.Err() != nil, errors.Is(err, ErrStopped):
			return nil
		case err != nil:
			return err
		}
	}
}

// tell hands in the hours that are owed, a few targets at a time. What could not
// be committed is not tried again: the hours are on disk, and the next start
// reads them.
func (s *Store) tell(ctx context.Context, list map[string]int64, wanted func(string) []fleet.SeriesKey) error {
	names := make([]string, 0, len(list))
	for name := range list {
		names = append(names, name)
	}
	slices.Sort(names)
	for part := range slices.Chunk(names, summaryBatch) {
		var in []fleet.Input
		for _, name := range part {
			keys := wanted(name)
			if len(keys) == 0 {
				s.owed.hold(name, list[name])
				continue
			}
			sum, err := s.summary(ctx, name, keys, list[name])
			if err != nil {
				return fmt.Errorf("store: hours of %s: %w", name, err)
			}
			if len(sum.Series) > 0 {
				in = append(in, sum)
			}
		}
		if len(in) == 0 {
			continue
		}
		if err := s.Apply(ctx, in...); errors.Is(err, ErrStopped) || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// summary reads the whole hours of a target from ms on that the tiers hold. The
// hour that a window ends in is told with the next window.
func (s *Store) summary(ctx context.Context, name string, keys []fleet.SeriesKey, from int64) (fleet.Summary, error) {
	out := fleet.Summary{Target: name}
	t := s.targets.get(name)
	if t == nil || len(keys) == 0 {
		return out, nil
	}
	if _, err := s.blocks(ctx); err != nil {
		return out, err
	}
	hour := durMs(time.Hour)
	since, until := fromMs(bucket(from, hour)), fromMs(bucket(s.uncovered(t, toMs(s.clock.wall())), hour))
	for _, k := range keys {
		points, err := s.Series(ctx, name, k, since, until, time.Hour)
		if err != nil && !errors.Is(err, ErrDamaged) { // what is damaged is an hour without a sample
			return out, err
		}
		for _, p := range points {
			if p.Mean.Known {
				out.Series = append(out.Series, fleet.SeriesSummary{Key: k, From: p.At(), To: p.At().Add(time.Hour), Count: p.Count, Min: p.Min, Max: p.Max, Mean: p.Mean})
			}
		}
	}
	return out, nil
}
