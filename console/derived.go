package console

import (
	"context"
	"fmt"
	"sync"
	"time"

	"plumb/fleet"
	"plumb/views"
)

// Bounds of what is kept: judgements, and of each of them past times.
const (
	maxDerived      = 64
	maxDerivedPasts = 4
)

// Derived makes the judgements over a whole snapshot that views name
// ([fleet.QueryDerived]), each once for everybody who looks: off the screen's
// loop, one at a time, and of the present no more often than
// [views.Derivation.Every] says. Ten people who look at one judgement cost what
// one does. What it keeps it keeps by version and by time: a snapshot is not
// held alive by what was made of it.
type Derived struct {
	ask func(context.Context, fleet.Query, time.Time) fleet.Answer
	now func() time.Time

	mu sync.Mutex // guards by
	by map[fleet.Query]*derivedOne
}

// derivedOne is one judgement with what was made of it. Who holds turn may
// read and write the rest.
type derivedOne struct {
	turn  chan struct{}
	live  made
	pasts []made // the one made last is last
}

// made is a value with what it was made of.
type made struct {
	value   any
	version uint64
	of      time.Time // the snapshot's
	until   time.Time // it is good until then; zero: it was never made
}

// NewDerived returns a memory with nothing in it. ask brings what a judgement
// wants to know of the past.
func NewDerived(ask func(context.Context, fleet.Query, time.Time) fleet.Answer, now func() time.Time) *Derived {
	return &Derived{ask: ask, now: now, by: make(map[fleet.Query]*derivedOne)}
}

// of answers a derived query for a snapshot: from memory, or it is made now.
func (d *Derived) of(ctx context.Context, s *fleet.Snapshot, q fleet.Query) fleet.Answer {
	j, ok := views.DerivationOf(q)
	if !ok {
		return fleet.Answer{Err: fmt.Errorf("no judgement %q", q.Target)}
	}
	e := d.one(q)
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return fleet.Answer{Err: ctx.Err()}
	}
	if v, ok := e.find(s, d.now()); ok {
		return fleet.Answer{Derived: v}
	}
	until := d.now().Add(j.Every)
	value := j.Of(s, s.At, func(q fleet.Query) fleet.Answer {
		a := d.ask(ctx, q, s.At)
		if a.Err != nil { // it is made of less than there is
			until = d.now().Add(min(retryAfter, j.Every))
		}
		return a
	})
	if ctx.Err() != nil { // what it asked for may be missing
		return fleet.Answer{Err: ctx.Err()}
	}
	e.keep(s, made{value, s.Version, s.At, until})
	return fleet.Answer{Derived: value}
}

// one returns the memory of a judgement. What people asked once, and nobody
// asks now, makes room for the next question.
func (d *Derived) one(q fleet.Query) *derivedOne {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.by[q]
	if e == nil {
		for old := range d.by {
			if len(d.by) >= maxDerived && old.Arg != "" {
				delete(d.by, old)
			}
		}
		e = &derivedOne{turn: make(chan struct{}, 1)}
		d.by[q] = e
	}
	return e
}

// find returns what was made of the snapshot, or of the present not long ago.
func (e *derivedOne) find(s *fleet.Snapshot, now time.Time) (any, bool) {
	if s.Live {
		return e.live.value, !e.live.until.IsZero() && (e.live.version >= s.Version || now.Before(e.live.until))
	}
	for _, m := range e.pasts {
		if m.of.Equal(s.At) && m.version == s.Version {
			return m.value, true
		}
	}
	return nil, false
}

func (e *derivedOne) keep(s *fleet.Snapshot, m made) {
	if s.Live {
		e.live = m
		return
	}
	if len(e.pasts) == maxDerivedPasts {
		e.pasts = append([]made(nil), e.pasts[1:]...)
	}
	e.pasts = append(e.pasts, m)
}
