package console

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Bounds of a scrape: how many are rendered at once, how many wait for that, how
// long, and how many one peer has open, waiting or reading.
const (
	maxScrapes  = 2
	maxQueue    = 64
	maxOfPeer   = 16 // a job for each class
	queueWithin = 10 * time.Second
)

var errBusy = errors.New("too many scrapes are under way: give each class a job of its own, or scrape less often")

// scrapeQueue gives out the places for rendering, in the order of coming, one
// place to a peer. A place is held while there is work for the processor, and
// never while a reader takes its time.
type scrapeQueue struct {
	mu      sync.Mutex // guards what follows
	open    map[netip.Prefix]int
	busy    []netip.Prefix // whose scrapes are rendered now
	waiting []*scrapeTurn
}

type scrapeTurn struct {
	who  netip.Prefix
	come chan struct{} // closed when it has its place
}

// enter counts a peer in; leave, which is to be called once, counts it out.
func (q *scrapeQueue) enter(who netip.Prefix) (leave func(), err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open[who] >= maxOfPeer {
		return nil, errBusy
	}
	if q.open == nil {
		q.open = make(map[netip.Prefix]int)
	}
	q.open[who]++
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.open[who]--; q.open[who] == 0 {
			delete(q.open, who)
		}
	}, nil
}

// place waits for a place; back, which is to be called once, gives it back. The
// error is errBusy, or that of ctx.
func (q *scrapeQueue) place(ctx context.Context, who netip.Prefix) (back func(), err error) {
	turn := &scrapeTurn{who: who, come: make(chan struct{})}
	q.mu.Lock()
	full := len(q.waiting) >= maxQueue
	if !full {
		q.waiting = append(q.waiting, turn)
		q.next()
	}
	q.mu.Unlock()
	if full {
		return nil, errBusy
	}
	back = func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		i := slices.Index(q.busy, who)
		q.busy = slices.Delete(q.busy, i, i+1)
		q.next()
	}
	late := time.NewTimer(queueWithin)
	defer late.Stop()
	select {
	case <-turn.come:
		return back, nil
	case <-late.C:
		err = errBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	q.mu.Lock()
	i := slices.Index(q.waiting, turn)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	q.mu.Unlock()
	if i < 0 { // it came while we left
		back()
	}
	return nil, err
}

// next gives places to those who wait; the caller has the lock.
func (q *scrapeQueue) next() {
	for i := 0; i < len(q.waiting) && len(q.busy) < maxScrapes; {
		turn := q.waiting[i]
		if slices.Contains(q.busy, turn.who) {
			i++
			continue
		}
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.busy = append(q.busy, turn.who)
		close(turn.come)
	}
}
