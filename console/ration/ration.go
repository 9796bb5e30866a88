// Package ration writes audit entries that anybody can cause at will: tries that
// are denied or refused, logins of verbs. Each of them is worth an entry, and a
// loop of them is not worth a thousand: one that is written for every try fills
// the store, pushes others out of the log and hides what matters in it. So each
// user has a share that is written one by one; what is over it is counted and
// summed up once a minute, and nothing goes without a trace.
//
// What did happen (begun, done, failed) does not belong here: that is always
// written, entry by entry, before or with what it is about.
package ration

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"plumb/fleet"
)

// How many entries one user gets written one by one: a burst, then a trickle.
// The rest is counted and summed up.
const (
	Burst    = 30
	Every    = 10 * time.Second
	Sum      = time.Minute
	maxUsers = 4096 // more share one ration
)

// Patience is how long the store may take for an entry.
const Patience = 5 * time.Second

// Ration writes audit entries within each user's share. It may be used by many
// goroutines at once.
type Ration struct {
	write func(context.Context, fleet.AuditEntry) error
	now   func() time.Time

	mu     sync.Mutex // guards what follows
	shares map[string]*share
	timer  *time.Timer // runs while something is counted and not written
}

type share struct {
	limit *rate.Limiter
	over  map[deed]*excess
}

// deed is what entries are summed up by.
type deed struct{ action, outcome string }

type excess struct {
	n     int
	since time.Time
}

// New returns a ration that writes with write; nil: nowhere.
func New(write func(context.Context, fleet.AuditEntry) error, now func() time.Time) *Ration {
	return &Ration{write: write, now: now, shares: make(map[string]*share)}
}

// Say writes the entry, or counts it when its user's share is used up or the
// store does not take it. It waits for the disk, within a bound, whether or
// not the one who caused the entry still does.
func (r *Ration) Say(ctx context.Context, e fleet.AuditEntry) (written bool, err error) {
	if !r.Allow(e) {
		return false, nil
	}
	if err := Write(ctx, r.write, e); err != nil {
		r.Count(e)
		return false, err
	}
	return true, nil
}

// Allow takes a piece of the user's share for an entry, or counts it.
func (r *Ration) Allow(e fleet.AuditEntry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	ok := r.share(e.Who).limit.AllowN(r.now(), 1)
	if !ok {
		r.add(e, 1, e.At)
	}
	return ok
}

// Count sums the entry up without writing it.
func (r *Ration) Count(e fleet.AuditEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(e, 1, e.At)
}

// share returns the user's share. r.mu is held.
func (r *Ration) share(who string) *share {
	s := r.shares[who]
	if s == nil && len(r.shares) >= maxUsers {
		who = ""
		s = r.shares[who]
	}
	if s == nil {
		s = &share{limit: rate.NewLimiter(rate.Every(Every), Burst), over: make(map[deed]*excess)}
		r.shares[who] = s
	}
	return s
}

// add counts and sees to it that the sum is written. r.mu is held.
func (r *Ration) add(e fleet.AuditEntry, n int, since time.Time) {
	over, k := r.share(e.Who).over, deed{e.Action, e.Outcome}
	if over[k] == nil {
		over[k] = &excess{since: since}
	}
	over[k].n += n
	if r.timer == nil {
		r.timer = time.AfterFunc(Sum, func() { r.Flush(context.Background()) })
	}
}

// Flush writes the sums. What the store does not take stays for the next time.
func (r *Ration) Flush(ctx context.Context) {
	r.mu.Lock()
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	type sum struct {
		fleet.AuditEntry
		excess
	}
	var sums []sum
	for _, who := range slices.Sorted(maps.Keys(r.shares)) {
		s := r.shares[who]
		for k, x := range s.over {
			sums = append(sums, sum{fleet.AuditEntry{At: r.now().UTC(), Who: cmp.Or(who, "many users"), From: "plumb", Action: k.action, Target: "console", Outcome: k.outcome,
				Reason: fmt.Sprintf("%d more since %s, not written one by one", x.n, x.since.UTC().Format(time.RFC3339))}, *x})
		}
		clear(s.over)
		if s.limit.TokensAt(r.now()) >= Burst {
			delete(r.shares, who)
		}
	}
	r.mu.Unlock()
	for _, x := range sums {
		if err := Write(ctx, r.write, x.AuditEntry); err != nil {
			r.mu.Lock()
			r.add(x.AuditEntry, x.n, x.since)
			r.mu.Unlock()
		}
	}
}

// Write writes one entry, within a bound and to the end: who hangs up
// early must not stay out of the log.
func Write(ctx context.Context, write func(context.Context, fleet.AuditEntry) error, e fleet.AuditEntry) error {
	if write == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Patience)
	defer cancel()
	return write(ctx, e)
}
