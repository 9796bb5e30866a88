package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"plumb/console"
	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/store"
)

// past answers what the fleet was at a time: what the store remembers of it,
// laid over the inventory that was in force then. Inventories change seldom, so
// the last few stay laid out.
type past struct {
	store *store.Store

	mu    sync.Mutex // guards what follows
	kept  []grounded // the most recently used last
	first *fleet.Inventory

	depth depth
}

type grounded struct {
	id     store.InventoryID
	ground *engine.Ground
}

// maxGrounds bounds how many inventories are kept laid out.
const maxGrounds = 4

// at returns the fleet as of a time.
func (p *past) at(ctx context.Context, t time.Time) (*fleet.Snapshot, error) {
	since, err := p.since(ctx)
	if err != nil {
		return nil, err
	}
	if since.IsZero() || t.Before(since) {
		return nil, &console.TooEarlyError{Since: since}
	}
	mem, err := p.store.At(ctx, t)
	if err != nil {
		return nil, err
	}
	ground, err := p.ground(t)
	if err != nil {
		return nil, fmt.Errorf("the inventory of %s: %w", t.UTC().Format(time.RFC3339), err)
	}
	return ground.AsOf(mem, t), nil
}

// ground returns the inventory that was in force at a time. Where none is
// recorded yet it is the one this process started with.
func (p *past) ground(t time.Time) (*engine.Ground, error) {
	id, err := p.store.InventoryAt(t)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, g := range p.kept {
		if g.id == id {
			p.kept = append(append(p.kept[:i:i], p.kept[i+1:]...), g)
			return g.ground, nil
		}
	}
	inv := p.first
	if id != (store.InventoryID{}) {
		if inv, err = p.store.Inventory(id); err != nil {
			return nil, err
		}
	}
	g := grounded{id, engine.Lay(inv)}
	p.kept = append(p.kept, g)
	if len(p.kept) > maxGrounds {
		p.kept = append([]grounded(nil), p.kept[1:]...)
	}
	return g.ground, nil
}

// depth remembers how far back the store goes: that moves by the day, and to
// look at every target for each key would cost more than the answer is worth.
type depth struct {
	mu    sync.Mutex // guards what follows, and holds others back while one looks
	since time.Time
	asked time.Time
}

// depthFor is how long an answer is good; a store that is empty is asked again.
const depthFor = time.Hour

// since is the earliest moment that at can show, or zero.
func (p *past) since(ctx context.Context) (time.Time, error) {
	r := &p.depth
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.since.IsZero() && time.Since(r.asked) < depthFor {
		return r.since, nil
	}
	since, err := p.store.Oldest(ctx)
	if err != nil {
		return time.Time{}, err
	}
	r.since, r.asked = since, time.Now()
	return since, nil
}
