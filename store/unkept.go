package store

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"plumb/fleet"
)

// What happens when not everything can be kept, in this order.
//
// Readings give way first. They are not written, are counted, and leave a gap,
// never zeros; everything else is committed as ever. Requests that brought an
// observation are answered with ErrReadings, so that nobody takes a gap for
// kept; decisions succeed.
//
// When state.db cannot be written either, and the ballast has been thrown off,
// nothing is kept, and that is said to everyone who asks for it: a decision is
// refused, and because the step is pure it is folded again without the
// decisions, so that no screen shows a job or an acknowledgement that was
// refused. What is left, the observations, is published all the same: a wall
// that freezes at the moment of trouble is worse than one that says "shown, not
// kept". But the engine says a change once. So what it said is held in memory
// and commits with the first batch that fits; of one row the last stays. That
// memory is bounded, and when it is full the snapshot stands still: a change
// that is forgotten would never be said again.
//
// A process that dies meanwhile has lost nothing that was acknowledged. It
// starts from what was kept and learns the rest from the wires.

// Trouble says what is not kept at present.
type Trouble struct {
	Since    time.Time
	Err      error  // wraps what the system said
	Readings bool   // only readings are not kept
	Frozen   bool   // too much is held: nothing new is shown either
	Held     int    // changes, events and jobs in memory until they can be kept
	Lost     uint64 // readings not kept since then
}

// Trouble returns what is not kept at present, or nil.
func (s *Store) Trouble() *Trouble { return s.trouble.Load() }

// pause is readings that are not kept. It belongs to the writer.
type pause struct {
	since  time.Time // zero: they are kept
	why    error
	again  time.Duration // when to try again, by the steady clock
	values uint64        // that were not kept
}

// held is what was shown and could not be kept. It belongs to the writer.
type held struct {
	since time.Time // zero: everything is kept
	why   error
	again time.Duration
	out   fleet.Output
	size  int
	most  int // bytes that may be held
	lost  uint64
}

// maxHeld bounds what is held, in bytes.
const maxHeld = 64 << 20

// readingsPaused reports whether a batch is to go without its readings, and
// begins a pause where the disk is nearly full.
func (s *Store) readingsPaused(now time.Time, mono time.Duration) bool {
	p := &s.writer.pause
	s.room.look(mono)
	if p.since.IsZero() {
		if s.room.scarce() {
			s.pauseReadings(now, mono, fmt.Errorf("%d KiB are left: %w", s.room.free.Load()>>10, syscall.ENOSPC))
		}
		return !p.since.IsZero()
	}
	return mono < p.again || !s.room.ample()
}

// pauseReadings begins a pause, or makes it longer.
func (s *Store) pauseReadings(now time.Time, mono time.Duration, why error) {
	p := &s.writer.pause
	p.why, p.again = why, mono+s.pace.retry
	if !p.since.IsZero() {
		return
	}
	p.since = now
	s.remark("store", fmt.Sprintf("readings are not kept: %s", said(why)), fleet.SeverityCrit, true)
}

// drop counts readings that are not kept, in all and of this trouble.
func (s *Store) drop(readings []fleet.Readings, of *uint64) {
	for i := range readings {
		*of += uint64(len(readings[i].Values))
		s.stats.dropped.Add(uint64(len(readings[i].Values)))
	}
}

// resumed ends a pause: series.db has taken a batch.
func (s *Store) resumed(now time.Time) {
	p := &s.writer.pause
	if p.since.IsZero() {
		return
	}
	s.remark("store", fmt.Sprintf("readings were not kept from %s to %s (%d values): %s", clockTime(p.since), clockTime(now), p.values, said(p.why)), fleet.SeverityWarn, false)
	*p = pause{}
}

// with returns what was held, and behind it what a batch says.
func (h *held) with(out fleet.Output) fleet.Output {
	if h.since.IsZero() {
		return out
	}
	all := out
	all.Changes = append(h.out.Changes[:len(h.out.Changes):len(h.out.Changes)], out.Changes...)
	all.Events = append(h.out.Events[:len(h.out.Events):len(h.out.Events)], out.Events...)
	all.Jobs = append(h.out.Jobs[:len(h.out.Jobs):len(h.out.Jobs)], out.Jobs...)
	all.Audit = append(h.out.Audit[:len(h.out.Audit):len(h.out.Audit)], out.Audit...)
	all.Notices = append(h.out.Notices[:len(h.out.Notices):len(h.out.Notices)], out.Notices...)
	return all
}

// add holds what a step said.
func (h *held) add(out fleet.Output) {
	h.out.Changes = append(h.out.Changes, out.Changes...)
	h.out.Events = append(h.out.Events, out.Events...)
	h.out.Jobs = append(h.out.Jobs, out.Jobs...)
	h.out.Audit = append(h.out.Audit, out.Audit...)
	h.out.Notices = append(h.out.Notices, out.Notices...)
	h.size += sizeOf(out)
}

// full reports whether no more may be held, after forgetting the versions of
// rows that later ones have replaced.
func (h *held) full() bool {
	if h.size < h.most {
		return false
	}
	type place struct {
		target string
		table  fleet.TableID
		row    string
	}
	last := make(map[place]int, len(h.out.Changes))
	for i, c := range h.out.Changes {
		last[place{c.Target, c.Table, c.Row}] = i
	}
	kept := h.out.Changes[:0]
	for i, c := range h.out.Changes {
		if last[place{c.Target, c.Table, c.Row}] == i {
			kept = append(kept, c)
		}
	}
	clear(h.out.Changes[len(kept):])
	h.out.Changes = kept
	h.size = sizeOf(h.out)
	return h.size >= h.most
}

func (h *held) count() int { return len(h.out.Changes) + len(h.out.Events) + len(h.out.Jobs) }

// sizeOf says roughly what an output takes in memory, without its readings.
func sizeOf(out fleet.Output) int {
	const each = 128
	n := 0
	for i := range out.Changes {
		n += each + len(out.Changes[i].Value) + len(out.Changes[i].Row)
	}
	for i := range out.Events {
		n += 2*each + len(out.Events[i].Text) + len(out.Events[i].Raw)
	}
	for i := range out.Notices {
		n += 2*each + len(out.Notices[i].Body)
	}
	return n + 8*each*(len(out.Jobs)+len(out.Audit))
}

// showable is what of a batch may be shown although it is not kept: what was
// seen, and the time. Whoever decides wants to know it kept, and what comes
// from another machine is sent again by it until it is.
func showable(in []fleet.Input) []fleet.Input {
	var out []fleet.Input
	for _, i := range in {
		switch x := i.(type) {
		case *fleet.Observation:
			if x.Origin.Cell == "" {
				out = append(out, i)
			}
		case fleet.Tick, fleet.Summary:
			out = append(out, i)
		}
	}
	return out
}

// show publishes what could not be kept. It reports whether it did.
func (s *Store) show(in []fleet.Input, step StepFunc, now time.Time, mono time.Duration, why error) (fleet.Output, bool) {
	w := &s.writer
	h := &w.held
	if h.since.IsZero() {
		h.since = now
	}
	h.why = why
	if mono >= h.again {
		h.again = mono + s.pace.retry
	}
	if in = showable(in); len(in) == 0 || h.full() {
		return fleet.Output{}, false
	}
	prev := s.snap.Load()
	next, out := step(prev, in, now)
	h.add(out)
	s.drop(out.Readings, &h.lost)
	if next != nil && next != prev {
		w.seq++ // numbers of batches may have holes
		next.Version = w.seq
		s.publish(next)
	}
	return out, true
}

// keptAgain forgets what was held: a batch has taken it.
func (s *Store) keptAgain(now time.Time) {
	h := &s.writer.held
	if h.since.IsZero() {
		return
	}
	s.remark("store", fmt.Sprintf("nothing was kept from %s to %s: %s; %d changes and events of that time were held and are kept now, %d readings are not",
		clockTime(h.since), clockTime(now), said(h.why), h.count(), h.lost), fleet.SeverityWarn, false)
	*h = held{most: h.most}
}

// tellTrouble makes the writer's view of trouble everybody's.
func (s *Store) tellTrouble() {
	w := &s.writer
	switch {
	case !w.held.since.IsZero():
		s.trouble.Store(&Trouble{Since: w.held.since, Err: w.held.why, Held: w.held.count(), Frozen: w.held.size >= w.held.most, Lost: w.held.lost + w.pause.values})
	case !w.pause.since.IsZero():
		s.trouble.Store(&Trouble{Since: w.pause.since, Err: w.pause.why, Readings: true, Lost: w.pause.values})
	case s.trouble.Load() != nil:
		s.trouble.Store(nil)
	}
}

// remark queues an event of the store's own. It takes the ordinary path, with
// the next batch.
func (s *Store) remark(kind, text string, sev fleet.Severity, asserted bool) {
	w := &s.writer
	w.remarks = append(w.remarks, fleet.Remark{Kind: kind, Text: text, Severity: sev, Asserted: asserted})
}

// said is the system's own word for an error: paths are for the log.
func said(err error) string {
	var no syscall.Errno
	if errors.As(err, &no) {
		return no.Error()
	}
	return fleet.Clean(err.Error(), 80)
}

func clockTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
