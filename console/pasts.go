package console

import (
	"context"
	"fmt"
	"sync"
	"time"

	"plumb/fleet"
)

// Bounds of what is kept of the past in memory. People who look into the same
// incident look at the same few moments, so one memory serves all sessions.
const (
	maxPasts       = 8
	maxPastDevices = 20_000 // in all of them together, beyond the newest two
	keepPast       = 2 * time.Minute
	settleAfter    = 10 * time.Second // what is younger may still be on its way to the store
	maxJourneys    = 2                // snapshots of the past in the making, of all sessions
)

// TooEarlyError says that a time lies before all that is kept.
type TooEarlyError struct{ Since time.Time }

func (e *TooEarlyError) Error() string {
	if e.Since.IsZero() {
		return "nothing of the past is kept yet"
	}
	return "nothing is kept from before " + e.Since.UTC().Format(dateTime)
}

// dateTime is how the console writes a moment, and one of the forms in which
// it takes one.
const dateTime = "2006-01-02 15:04:05Z"

// pasts makes snapshots of past times, a bounded number at once, and remembers
// the last few, so that stepping back and forth is instant. It is shared by
// sessions.
type pasts struct {
	deps   Deps
	places chan struct{}

	mu   sync.Mutex // guards kept
	kept []keptPast // the one used last is last
}

type keptPast struct {
	at    time.Time // asked for
	snap  *fleet.Snapshot
	until time.Time
}

func newPasts(deps Deps) *pasts {
	return &pasts{deps: deps, places: make(chan struct{}, maxJourneys)}
}

// get returns the fleet as of a time where it is remembered.
func (p *pasts) get(at time.Time) (*fleet.Snapshot, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, k := range p.kept {
		if k.at.Equal(at) && p.deps.Now().Before(k.until) {
			p.kept = append(append(p.kept[:i], p.kept[i+1:]...), k)
			return k.snap, true
		}
	}
	return nil, false
}

// fetch returns the fleet as of a time, and waits for its turn.
func (p *pasts) fetch(ctx context.Context, at time.Time) (*fleet.Snapshot, error) {
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	case <-ctx.Done():
		return nil, fmt.Errorf("others are travelling too: %w", ctx.Err())
	}
	if snap, ok := p.get(at); ok { // somebody else was there meanwhile
		return snap, nil
	}
	snap, err := p.deps.At(ctx, at)
	if err != nil {
		return nil, err
	}
	p.keep(at, snap)
	return snap, nil
}

func (p *pasts) keep(at time.Time, snap *fleet.Snapshot) {
	now := p.deps.Now()
	if now.Sub(at) < settleAfter {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = append(p.kept, keptPast{at, snap, now.Add(keepPast)})
	devices := 0
	for i := len(p.kept) - 1; i >= 0; i-- {
		devices += p.kept[i].snap.Devices.Len()
		if n := len(p.kept) - i; n > maxPasts || n > 2 && devices > maxPastDevices {
			p.kept = append([]keptPast(nil), p.kept[i+1:]...) // a new slice: the old one would hold what was dropped
			break
		}
	}
	time.AfterFunc(keepPast, p.expire)
}

// expire gives back what nobody may be handed any more.
func (p *pasts) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var left []keptPast
	for _, k := range p.kept {
		if p.deps.Now().Before(k.until) {
			left = append(left, k)
		}
	}
	p.kept = left
}
