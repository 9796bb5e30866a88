package console

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

// How many entries of a kind that anybody can cause at will one user gets
// written one by one: a burst, then a trickle. The rest is counted and summed
// up once a minute, so that a loop can neither fill the store, nor push others
// out of the log, nor hide in it.
const (
	rationBurst   = 30
	rationEvery   = 10 * time.Second
	rationSum     = time.Minute
	maxRationed   = 4096 // users; more share one ration
	auditPatience = 5 * time.Second
)

// ration writes audit entries within each user's share.
type ration struct {
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

func newRation(write func(context.Context, fleet.AuditEntry) error, now func() time.Time) *ration {
	return &ration{write: write, now: now, shares: make(map[string]*share)}
}

// say writes the entry, or counts it when its user's share is used up or the
// store does not take it. It waits for the disk, within a bound, whether or
// not the one who caused the entry still does.
func (r *ration) say(ctx context.Context, e fleet.AuditEntry) (written bool, err error) {
	if !r.allow(e) {
		return false, nil
	}
	if err := writeAudit(ctx, r.write, e); err != nil {
		r.count(e)
		return false, err
	}
	return true, nil
}

// allow takes a piece of the user's share for an entry, or counts it.
func (r *ration) allow(e fleet.AuditEntry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	ok := r.share(e.Who).limit.AllowN(r.now(), 1)
	if !ok {
		r.add(e, 1, e.At)
	}
	return ok
}

// count sums the entry up without writing it.
func (r *ration) count(e fleet.AuditEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(e, 1, e.At)
}

// share returns the user's share. r.mu is held.
func (r *ration) share(who string) *share {
	s := r.shares[who]
	if s == nil && len(r.shares) >= maxRationed {
		who = ""
		s = r.shares[who]
	}
	if s == nil {
		s = &share{limit: rate.NewLimiter(rate.Every(rationEvery), rationBurst), over: make(map[deed]*excess)}
		r.shares[who] = s
	}
	return s
}

// add counts and sees to it that the sum is written. r.mu is held.
func (r *ration) add(e fleet.AuditEntry, n int, since time.Time) {
	over, k := r.share(e.Who).over, deed{e.Action, e.Outcome}
	if over[k] == nil {
		over[k] = &excess{since: since}
	}
	over[k].n += n
	if r.timer == nil {
		r.timer = time.AfterFunc(rationSum, func() { r.flush(context.Background()) })
	}
}

// flush writes the sums. What the store does not take stays for the next time.
func (r *ration) flush(ctx context.Context) {
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
		if s.limit.TokensAt(r.now()) >= rationBurst {
			delete(r.shares, who)
		}
	}
	r.mu.Unlock()
	for _, x := range sums {
		if err := writeAudit(ctx, r.write, x.AuditEntry); err != nil {
			r.mu.Lock()
			r.add(x.AuditEntry, x.n, x.since)
			r.mu.Unlock()
		}
	}
}

// writeAudit writes one entry, within a bound and to the end: who hangs up
// early must not stay out of the log.
func writeAudit(ctx context.Context, write func(context.Context, fleet.AuditEntry) error, e fleet.AuditEntry) error {
	if write == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditPatience)
	defer cancel()
	return write(ctx, e)
}
