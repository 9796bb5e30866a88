package store

import (
	"context"
	"sync"

	"plumb/fleet"
)

// Watch wakes one reader when there is a newer snapshot. Its bell holds one
// ring: a slow reader skips snapshots, and the writer never waits. A Watch
// belongs to one goroutine, but for Close.
type Watch struct {
	from *Store
	bell chan struct{}
	seen *fleet.Snapshot

	once   sync.Once
	closed chan struct{}
}

type watches struct {
	sync.Mutex // guards set
	set        map[*Watch]struct{}
}

// Watch begins to watch. The first Next returns the present snapshot at once.
func (s *Store) Watch() *Watch {
	w := &Watch{from: s, bell: make(chan struct{}, 1), closed: make(chan struct{})}
	s.watches.Lock()
	defer s.watches.Unlock()
	if s.watches.set == nil {
		s.watches.set = make(map[*Watch]struct{})
	}
	s.watches.set[w] = struct{}{}
	return w
}

// Next waits for a snapshot that Next has not yet returned, and returns the
// newest. It ends with ctx's error, or with ErrStopped after Close or when the
// store has stopped and there is nothing newer.
func (w *Watch) Next(ctx context.Context) (*fleet.Snapshot, error) {
	for {
		if now := w.from.snap.Load(); now != nil && now != w.seen {
			w.seen = now
			return now, nil
		}
		select {
		case <-w.bell:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-w.closed:
			return nil, ErrStopped
		case <-w.from.life.stopped:
			if now := w.from.snap.Load(); now == nil || now == w.seen {
				return nil, ErrStopped
			}
		}
	}
}

// Close ends the watch and wakes a Next that waits.
func (w *Watch) Close() {
	w.once.Do(func() {
		close(w.closed)
		w.from.watches.Lock()
		defer w.from.watches.Unlock()
		delete(w.from.watches.set, w)
	})
}

// Snapshot returns the newest snapshot, or nil before Run has begun.
func (s *Store) Snapshot() *fleet.Snapshot { return s.snap.Load() }

// publish shows a snapshot to everyone and rings every bell.
func (s *Store) publish(next *fleet.Snapshot) {
	s.snap.Store(next)
	s.watches.Lock()
	defer s.watches.Unlock()
	for w := range s.watches.set {
		select {
		case w.bell <- struct{}{}:
		default:
		}
	}
}
