package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"plumb/fleet"
)

// Outbox is the store as those who send see it.
type Outbox interface {
	Snapshot() *fleet.Snapshot
	// Backlogs says what waits for whom, Waiting what waits for one, and Notices
	// reads some of it, all in the order in which it was said.
	Backlogs() []fleet.Backlog
	Waiting(receiver string) []fleet.Waiting
	Notices(ctx context.Context, receiver string, after uint64, limit int) ([]fleet.Queued, error)
	Apply(ctx context.Context, in ...fleet.Input) error
}

// Watch waits for snapshots; the first is the present one.
type Watch interface {
	Next(ctx context.Context) (*fleet.Snapshot, error)
	Close()
}

// Deps is what a deliverer stands on.
type Deps struct {
	Outbox Outbox
	Watch  func() Watch
	// Standing is what a receiver was told and still fires.
	Standing func(s *fleet.Snapshot, receiver string) []fleet.Pages
	// Alive says why plumb does not do its work; nil: it does. A heartbeat is
	// sent only while it does.
	Alive func() error
	Log   *slog.Logger
	// MaxWaiting bounds what waits for one receiver; 0: maxWaiting.
	MaxWaiting int
}

// maxWaiting bounds what waits for one receiver.
const maxWaiting = 10_000

// ErrReceiver says that there is no such receiver.
var ErrReceiver = errors.New("no such receiver")

// Deliverer sends what waits in the outbox to its receivers.
type Deliverer struct {
	Deps
	ledger *ledger

	mu      sync.Mutex // guards what follows
	order   []string
	workers map[string]*worker
	tallies map[string]*tally
	orphans map[string]bool // receivers that are not configured, and were told of
	launch  func(*worker)   // nil: Run has not begun, or is over

	news chan struct{} // how it goes with a receiver changed
}

// New makes a deliverer for receivers that were checked.
func New(deps Deps, list []Config) *Deliverer {
	if deps.MaxWaiting == 0 {
		deps.MaxWaiting = maxWaiting
	}
	d := &Deliverer{Deps: deps, workers: map[string]*worker{}, tallies: map[string]*tally{}, orphans: map[string]bool{}, news: make(chan struct{}, 1)}
	d.ledger = newLedger(deps.Outbox, deps.Log, d.tally)
	d.Set(list)
	return d
}

// tally is what is kept of a receiver, also of one that is not configured.
func (d *Deliverer) tally(name string) *tally {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tallyOf(name)
}

func (d *Deliverer) tallyOf(name string) *tally {
	if d.tallies[name] == nil {
		d.tallies[name] = newTally(name)
	}
	return d.tallies[name]
}

// Set replaces the receivers. One that did not change goes on undisturbed; what
// waits for one that did waits for its successor.
func (d *Deliverer) Set(list []Config) {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := make(map[string]*worker, len(list))
	d.order = nil
	for i := range list {
		c := list[i]
		d.order = append(d.order, c.Name)
		was := d.workers[c.Name]
		if was != nil && was.config.Revision == c.Revision && c.Revision != "" {
			next[c.Name] = was
			delete(d.workers, c.Name)
			continue
		}
		w := d.newWorker(c)
		next[c.Name] = w
		if d.launch != nil {
			if was != nil {
				w.after = was.ended
			}
			d.launch(w)
		}
	}
	for name, was := range d.workers { // those that are gone, and those that changed
		was.stop()
		if next[name] == nil {
			d.tallyOf(name).idle()
		}
	}
	d.workers = next
	d.orphans = map[string]bool{}
	d.changed()
}

func (d *Deliverer) newWorker(c Config) *worker {
	t, err := c.texts()
	if err != nil { // Validate was not asked; the page goes out in the words of the default
		d.Log.Error("a receiver's templates are not used", "receiver", c.Name, "err", err)
		t, _ = (&Config{Kind: c.Kind}).texts()
	}
	ctx, stop := context.WithCancel(context.Background())
	return &worker{
		config: c, sender: c.Kind.sender(), texts: t, tally: d.tallyOf(c.Name), from: d,
		bell: make(chan struct{}, 1), again: make(chan struct{}, 1), ctx: ctx, stop: stop, ended: make(chan struct{}),
	}
}

// changed rings for a report of how it goes with the receivers.
func (d *Deliverer) changed() {
	select {
	case d.news <- struct{}{}:
	default:
	}
}

// farewell is how long what is under way has when plumb stops. What does not
// arrive then waits in the store.
const farewell = 2 * time.Second

// Run sends until ctx ends; what is under way then has a moment to arrive.
func (d *Deliverer) Run(ctx context.Context) {
	var workers, others sync.WaitGroup
	d.mu.Lock()
	d.launch = func(w *worker) { workers.Go(w.run) }
	for _, w := range d.workers {
		d.launch(w)
	}
	d.mu.Unlock()
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriting()
	others.Go(func() { d.ledger.run(writing) })
	others.Go(func() { d.watch(ctx) })
	others.Go(func() { d.report(ctx) })
	others.Go(func() { d.keepHouse(ctx) })
	<-ctx.Done()
	d.mu.Lock()
	d.launch = nil
	for _, w := range d.workers {
		w.stop()
	}
	d.mu.Unlock()
	workers.Wait()
	stopWriting()
	others.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	d.ledger.write(last, true)
}

// watch rings for receivers for whom something new waits.
func (d *Deliverer) watch(ctx context.Context) {
	w := d.Watch()
	defer w.Close()
	seen := map[string]uint64{}
	for {
		if _, err := w.Next(ctx); err != nil {
			return
		}
		for _, b := range d.Outbox.Backlogs() {
			if b.Newest <= seen[b.Receiver] {
				continue
			}
			seen[b.Receiver] = b.Newest
			d.mu.Lock()
			to := d.workers[b.Receiver]
			d.mu.Unlock()
			if to != nil {
				to.ring()
			}
			if b.Waiting > d.MaxWaiting {
				d.trim(b)
			}
		}
	}
}

// reportEvery bounds how often the engine is told how it goes.
const reportEvery = 2 * time.Second

// report tells the engine how it goes with the receivers when that changes: one
// that takes nothing is a subject of rules.
func (d *Deliverer) report(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.news:
		}
		if err := d.Outbox.Apply(ctx, fleet.Receipts{Receivers: d.receipts()}); err != nil && ctx.Err() == nil {
			d.changed() // the store does not take it now
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(reportEvery):
		}
	}
}

func (d *Deliverer) receipts() []fleet.ReceiverState {
	out := []fleet.ReceiverState{}
	for _, s := range d.States() {
		if s.Kind == "" {
			continue
		}
		r := fleet.ReceiverState{Name: s.Name, Kind: s.Kind, Failing: s.Failing, Waiting: s.Waiting, Oldest: s.Oldest}
		if !s.Failing.IsZero() {
			r.Error = s.LastError
		}
		out = append(out, r)
	}
	return out
}

// States is how it goes with every receiver, in the user's order; after them
// those that are not configured any more and for whom something waits.
func (d *Deliverer) States() []State {
	waits := map[string]fleet.Backlog{}
	var names []string
	for _, b := range d.Outbox.Backlogs() {
		waits[b.Receiver] = b
		names = append(names, b.Receiver)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []State
	for _, name := range slices.Concat(d.order, slices.DeleteFunc(names, func(n string) bool { return d.workers[n] != nil })) {
		s := d.tallyOf(name).state()
		if w := d.workers[name]; w != nil {
			s.Kind, s.Heartbeat = w.config.Kind.Kind(), w.config.Heartbeat
		}
		b := waits[name]
		s.Waiting, s.Oldest = b.Waiting, b.Oldest
		out = append(out, s)
	}
	return out
}

// Test sends a made-up page now and returns the receiver's answer. One that
// takes it is asked for what waits at once.
func (d *Deliverer) Test(ctx context.Context, name string) (answer string, err error) {
	d.mu.Lock()
	w := d.workers[name]
	d.mu.Unlock()
	if w == nil {
		return "", fmt.Errorf("%w: %s", ErrReceiver, fleet.Clean(name, 80))
	}
	now := time.Now()
	m := &Message{Key: fmt.Sprintf("test-%s-%d", idWord(name), now.UnixNano()), What: WhatTest, At: now, Pages: testPages(name, now)}
	if answer, err = w.send(ctx, m); err == nil {
		w.retry()
	}
	return answer, err
}

// Names lists the receivers, in the user's order.
func (d *Deliverer) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.order)
}
