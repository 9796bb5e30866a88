package remotewrite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"plumb/fleet"
	"plumb/store"
)

// Source is the store as a writer sees it.
type Source interface {
	Snapshot() *fleet.Snapshot
	Here() store.Place
	ReadingsSince(ctx context.Context, q store.Since, yield func(fleet.Readings) error) (store.Place, error)
	Sent(to string) (uint64, error)
	KeepSent(ctx context.Context, to string, seq uint64) error
	Apply(ctx context.Context, in ...fleet.Input) error
}

// How a writer goes about its work.
const (
	beat       = time.Second     // between two looks
	slice      = 5 * time.Minute // of what is caught up with at once
	keepEach   = 5 * time.Second // between two notes of how far it is
	maxSamples = 5000            // of a request, and one row more
	minPause   = 500 * time.Millisecond
	maxPause   = 30 * time.Second
	farewell   = 2 * time.Second // what the last samples have at the end
	sayEach    = 10 * time.Minute
)

// Writer tells one receiver.
type Writer struct {
	cfg    Config
	from   Source
	late   time.Duration // a row is at most this much older than its commit
	log    *slog.Logger
	client *http.Client
	enc    *encoder

	// What follows is Run's.
	place  store.Place
	kept   store.Place // as far as that is on record
	keptAt time.Time
	rows   []record // the request that is being filled
	count  int      // samples in it
	body   []byte
	packed []byte
	// recent are the times, in milliseconds, of the rows that went out of late: a
	// reader who was away finds them once more in blocks.
	recent map[string][]int64
	saidAt time.Time // that samples were refused
	away   time.Time // since when the receiver does not answer; zero: it does
	told   bool      // that it does not was put in the timeline

	mu    sync.Mutex // guards stats
	stats Stats
}

// record is what of one row is told.
type record struct {
	body    []byte
	samples int
	target  string
	at      int64 // Unix milliseconds
}

// Stats is what a writer has done since it started.
type Stats struct {
	Name     string
	Sent     uint64 // samples that the receiver took
	Refused  uint64 // samples that it did not want
	Nameless uint64 // samples of parts that left the inventory
	Failed   uint64 // requests that were worth another try
	Behind   time.Duration
}

// New returns a writer. late is how long a poll may take at most.
func New(c Config, from Source, late time.Duration, log *slog.Logger) *Writer {
	return &Writer{cfg: c, from: from, late: late, log: log.With("remote_write", c.Name), client: newClient(&c), enc: newEncoder(&c.Match, c.Labels),
		recent: map[string][]int64{}, stats: Stats{Name: c.Name}}
}

// Stats returns the figures.
func (w *Writer) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}

func (w *Writer) tally(f func(*Stats)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.stats)
}

// Run tells until ctx ends. What is new then is told if that goes quickly; what
// is not is told after the next start.
func (w *Writer) Run(ctx context.Context) {
	defer w.client.CloseIdleConnections()
	if err := w.resume(); err != nil {
		w.log.Error("where it left off is not known; it begins with what is read from now on", "err", err)
	}
	for {
		more := w.step(ctx)
		wait := beat
		if more {
			wait = 0
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
			defer cancel()
			w.step(last)
			w.keep(last, true)
			return
		case <-time.After(wait):
		}
	}
}

// resume finds where it left off. A receiver that is new begins with what is
// read from now on.
func (w *Writer) resume() error {
	w.place = w.from.Here()
	if w.place.At.IsZero() {
		w.place.At = time.Now()
	}
	seq, err := w.from.Sent(w.mark("seq"))
	if err != nil {
		return err
	}
	ms, err := w.from.Sent(w.mark("ms"))
	if err != nil || seq == 0 || ms == 0 {
		return err
	}
	w.place = store.Place{Seq: seq, At: time.UnixMilli(int64(ms)).UTC()}
	w.kept = w.place
	return nil
}

// mark names one of the two numbers that a place is kept as. They need not be
// kept in one piece: whichever is older only makes more come twice.
func (w *Writer) mark(what string) string { return "remote_write " + w.cfg.Name + " " + what }

// keep notes how far it is, now and then.
func (w *Writer) keep(ctx context.Context, now bool) {
	if w.place == w.kept || !now && time.Since(w.keptAt) < keepEach {
		return
	}
	w.keptAt = time.Now()
	err := errors.Join(
		w.from.KeepSent(ctx, w.mark("ms"), uint64(max(w.place.At.UnixMilli(), 1))),
		w.from.KeepSent(ctx, w.mark("seq"), max(w.place.Seq, 1)))
	if err == nil {
		w.kept = w.place
	}
}

// step tells what is new and reports whether there is more at once. While it
// catches up it goes a slice at a time, so that little is told again when it is
// killed.
func (w *Writer) step(ctx context.Context) (more bool) {
	if w.from.Snapshot() == nil { // it starts
		return false
	}
	q := store.Since{From: w.place, Late: w.late}
	here := w.from.Here()
	if here.At.Sub(w.place.At) > 2*slice {
		q.Until, more = w.place.At.Add(slice), true
	}
	next, err := w.from.ReadingsSince(ctx, q, func(r fleet.Readings) error { return w.row(ctx, &r) })
	if err = errors.Join(err, w.flush(ctx)); err != nil {
		if ctx.Err() == nil {
			w.log.Error("readings cannot be read", "err", err)
		}
		return false
	}
	w.place = next
	w.forget(next.At.Add(-w.late))
	w.keep(ctx, false)
	now := w.from.Here() // what a receiver that came back took may have been read long ago
	w.tally(func(s *Stats) { s.Behind = max(now.At.Sub(next.At), 0) })
	return more
}

// row adds a row to the request, and sends that where it is full.
func (w *Writer) row(ctx context.Context, r *fleet.Readings) error {
	d := w.from.Snapshot().Devices.Get(r.Target)
	if d == nil || !w.cfg.Match.device(d.Spec) || w.went(r) {
		return nil
	}
	b, n, nameless := w.enc.row(nil, d, r)
	if nameless > 0 {
		w.tally(func(s *Stats) { s.Nameless += uint64(nameless) })
	}
	if n == 0 {
		return nil
	}
	w.rows, w.count = append(w.rows, record{b, n, r.Target, r.At.UnixMilli()}), w.count+n
	if w.count >= maxSamples {
		return w.flush(ctx)
	}
	return nil
}

// went reports whether a row went out not long ago.
func (w *Writer) went(r *fleet.Readings) bool {
	return slices.Contains(w.recent[r.Target], r.At.UnixMilli())
}

// forget lets go of what will not be asked for again.
func (w *Writer) forget(before time.Time) {
	ms := before.UnixMilli()
	for target, list := range w.recent {
		kept := list[:0]
		for _, x := range list {
			if x > ms {
				kept = append(kept, x)
			}
		}
		if len(kept) == 0 {
			delete(w.recent, target)
		} else {
			w.recent[target] = kept
		}
	}
}

// flush sends the request that was filled. It returns when the receiver has it
// or does not want it; an error says that ctx ended, and what did not go is told
// again.
func (w *Writer) flush(ctx context.Context) error {
	rows := w.rows
	w.rows, w.count = w.rows[:0], 0
	if len(rows) == 0 {
		return nil
	}
	return w.deliver(ctx, rows)
}

// deliver sends rows, and where the receiver refuses them, halves of them.
func (w *Writer) deliver(ctx context.Context, rows []record) error {
	w.body = w.body[:0]
	samples := 0
	for _, r := range rows {
		w.body, samples = append(w.body, r.body...), samples+r.samples
	}
	err := w.persist(ctx, w.body)
	var no *refused
	switch {
	case err == nil:
		w.tally(func(s *Stats) { s.Sent += uint64(samples) })
	case !errors.As(err, &no):
		return err
	case len(rows) > 1:
		half := len(rows) / 2
		if err := w.deliver(ctx, rows[:half]); err != nil {
			return err
		}
		return w.deliver(ctx, rows[half:])
	default:
		w.drop(ctx, samples, no)
	}
	for _, r := range rows {
		w.recent[r.target] = append(w.recent[r.target], r.at)
	}
	return nil
}

// persist sends a body until the receiver takes or refuses it.
func (w *Writer) persist(ctx context.Context, body []byte) error {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		err := w.post(ctx, body)
		var no *refused
		if err == nil || errors.As(err, &no) {
			w.answers(ctx)
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.tally(func(s *Stats) { s.Failed++; s.Behind = max(w.from.Here().At.Sub(w.place.At), 0) })
		w.silent(ctx, err)
		wait := pause
		var b *busy
		if errors.As(err, &b) {
			wait = max(wait, b.after)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// silent says, once, that the receiver does not take anything; in the timeline
// when that lasts.
func (w *Writer) silent(ctx context.Context, err error) {
	if w.away.IsZero() {
		w.away = time.Now()
		w.log.Error("nothing is lost, it is told when it can be", "err", err)
	}
	if !w.told && time.Since(w.away) > time.Minute {
		w.told = w.remark(ctx, "remote-write", fleet.SeverityWarn, true, "%s takes no readings: %s", w.cfg.Name, fleet.Clean(err.Error(), 120))
	}
}

func (w *Writer) answers(ctx context.Context) {
	if w.away.IsZero() {
		return
	}
	w.log.Info("it takes readings again", "after", time.Since(w.away).Round(time.Second))
	if w.told {
		w.remark(ctx, "remote-write", fleet.SeverityInfo, false, "%s takes readings again after %v", w.cfg.Name, time.Since(w.away).Round(time.Second))
	}
	w.away, w.told = time.Time{}, false
}

// drop counts what the receiver does not want, and says so now and then.
func (w *Writer) drop(ctx context.Context, samples int, why *refused) {
	w.tally(func(s *Stats) { s.Refused += uint64(samples) })
	if !w.saidAt.IsZero() && time.Since(w.saidAt) < sayEach {
		return
	}
	w.saidAt = time.Now()
	w.log.Warn("samples were refused and are dropped; more of it is only counted for a while", "samples", samples, "err", why)
	w.remark(ctx, "refused", fleet.SeverityInfo, true, "%s refuses readings: %s", w.cfg.Name, fleet.Clean(why.Error(), 120))
}

// remark puts a sentence into the timeline, if the store takes it. Its kind names
// the receiver: what one says takes back nothing that another said.
func (w *Writer) remark(ctx context.Context, kind string, severity fleet.Severity, asserted bool, format string, args ...any) bool {
	within, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return w.from.Apply(within, fleet.Remark{Kind: kind + " " + w.cfg.Name, Text: fmt.Sprintf(format, args...), Severity: severity, Asserted: asserted}) == nil
}
