package console

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/fleet"
)

// errNoEvent says that there is no event to go to.
var errNoEvent = errors.New("no event")

// Bounds of one search for an event.
const (
	seekPage  = 500
	seekPages = 20
)

// seeker looks for events beside a time: warnings and faults first, anything
// else only where there are none, for what is in order says little.
type seeker struct {
	ask    func(context.Context, fleet.Query, time.Time) fleet.Answer
	target string // "": of all
	now    time.Time
}

// seek returns the event n places before from (n below zero) or after it.
func (k seeker) seek(ctx context.Context, from time.Time, n int) (e fleet.Event, err error) {
	for ; n < 0 && err == nil; n++ {
		e, err = k.before(ctx, from)
		from = e.At
	}
	for ; n > 0 && err == nil; n-- {
		e, err = k.after(ctx, from)
		from = e.At
	}
	return e, err
}

// before pages back from a time, newest first.
func (k seeker) before(ctx context.Context, from time.Time) (fleet.Event, error) {
	var other *fleet.Event
	until := from.Add(-time.Millisecond) // what happened in the moment shown is shown
	for range seekPages {
		a := k.ask(ctx, fleet.Query{Kind: fleet.QueryEvents, Target: k.target, Limit: seekPage}, until)
		if a.Err != nil {
			return fleet.Event{}, a.Err
		}
		for i := range a.Events {
			if e := &a.Events[i]; e.Severity >= fleet.SeverityWarn {
				return *e, nil
			} else if other == nil {
				other = e
			}
		}
		if len(a.Events) < seekPage {
			break
		}
		until = a.Events[len(a.Events)-1].At.Add(-time.Nanosecond)
	}
	return k.otherwise(other, "before")
}

// after looks through stretches that grow, because answers come newest first
// and the event wanted is the oldest: a stretch that holds more than a page is
// halved.
func (k seeker) after(ctx context.Context, from time.Time) (fleet.Event, error) {
	var other *fleet.Event
	since := from.Add(time.Millisecond)
	for stretch, tries := time.Minute, 0; !since.After(k.now) && tries < 4*seekPages; tries++ {
		until := since.Add(stretch)
		if until.After(k.now) {
			until = k.now
		}
		a := k.ask(ctx, fleet.Query{Kind: fleet.QueryEvents, Target: k.target, Span: max(until.Sub(since), 1), Limit: seekPage}, until)
		if a.Err != nil {
			return fleet.Event{}, a.Err
		}
		if len(a.Events) >= seekPage && stretch > time.Second {
			stretch /= 2
			continue
		}
		for i := len(a.Events) - 1; i >= 0; i-- {
			if e := &a.Events[i]; e.Severity >= fleet.SeverityWarn {
				return *e, nil
			} else if other == nil {
				other = e
			}
		}
		since = until.Add(time.Nanosecond)
		stretch *= 2
	}
	return k.otherwise(other, "after")
}

// otherwise is the event that is no warning, or that there is none.
func (k seeker) otherwise(e *fleet.Event, way string) (fleet.Event, error) {
	if e != nil {
		return *e, nil
	}
	if k.target != "" {
		return fleet.Event{}, fmt.Errorf("%w of %s %s this", errNoEvent, k.target, way)
	}
	return fleet.Event{}, fmt.Errorf("%w %s this", errNoEvent, way)
}
