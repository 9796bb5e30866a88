package store

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// The wall clock may jump: a battery that is empty, a first sync, a machine
// that slept, a hand on date(1). The steady clock does not, so that the two
// side by side show it.
//
// A jump must not cost anything that was kept. What is judged goes by the wall
// clock at once: ages and alerts of a fleet that is seen are those of the
// people who look at it. What is kept is protected from it:
//
//   - A version of a row is never older than the one it replaces (rows.go), so
//     that every row's history is in the order in which it was said.
//   - Counters have no rate across a jump, nor where two passes of the clock
//     over one hour lie in between each other: their readings there are null,
//     a gap. Gauges of both passes stay.
//   - Nothing expires by a clock that jumped ahead until it has been steady for
//     an hour, across restarts too. Until then retention goes by the time that
//     has passed.
//   - Batches and audit entries are in the order of their numbers, which know
//     no clock.
//
// Each jump is an event; a clock that flutters is said once a minute.
type clock struct {
	wall func() time.Time
	mono func() time.Duration // since any moment; never jumps
}

func systemClock() clock {
	began := time.Now()
	return clock{wall: time.Now, mono: func() time.Duration { return time.Since(began) }}
}

const (
	jumpLeast  = 2 * time.Second // between two batches; less is a clock being slewed
	jumpQuiet  = time.Minute     // between two events about jumps
	steadyFor  = time.Hour       // before retention trusts a clock that jumped ahead
	asleepMost = 7 * 24 * time.Hour
	passesMost = 16
)

// pass is a stretch of wall time that the clock went through steadily.
type pass struct{ from, to int64 } // Unix milliseconds

// timekeeper watches the clock from batch to batch. It belongs to the writer.
type timekeeper struct {
	wall time.Time     // of the last batch
	mono time.Duration // of the last batch

	number int    // of the present pass
	began  int64  // where it began, Unix milliseconds
	passes []pass // those before it

	// While trusted is set, retention goes by it and not by the wall clock.
	trusted time.Time
	steady  time.Time // wall time since when the clock has been steady

	saidAt  time.Duration
	unsaid  int
	jumped  time.Duration // of those, in all
	changed bool          // trusted or steady are to be written
}

// begin takes up from the mark of the last batch. Ahead of it by more than
// anybody leaves a console switched off, or behind it, the clock is doubted.
func (k *timekeeper) begin(last, now time.Time, mono time.Duration) (jump time.Duration) {
	k.wall, k.mono, k.began, k.saidAt = now, mono, toMs(now), mono-jumpQuiet
	if last.IsZero() {
		return 0
	}
	switch d := now.Sub(last); {
	case d < -jumpLeast:
		if d > -asleepMost {
			// Where that pass began is not known; a day before its end is enough
			// for what is still compared with each other.
			k.passes = append(k.passes, pass{toMs(last) - durMs(24*time.Hour), toMs(last)})
		}
		k.number++
		return d
	case d > asleepMost && k.trusted.IsZero():
		k.doubt(last, now)
	}
	return 0
}

// doubt keeps retention at a time from before the clock went ahead.
func (k *timekeeper) doubt(trusted, now time.Time) {
	if k.trusted.IsZero() {
		k.trusted = trusted
	}
	k.steady, k.changed = now, true
}

// tick takes the time of a batch and returns by how much the wall clock jumped
// since the one before it; 0: it did not.
func (k *timekeeper) tick(now time.Time, mono time.Duration) (jump time.Duration) {
	passed := mono - k.mono
	jump = now.Sub(k.wall.Add(passed))
	if !k.trusted.IsZero() {
		k.trusted = k.trusted.Add(passed)
	}
	if jump <= -jumpLeast || jump >= jumpLeast {
		if len(k.passes) == passesMost {
			k.passes = k.passes[1:]
		}
		k.passes = append(k.passes, pass{k.began, toMs(k.wall.Add(passed))})
		k.began, k.number = toMs(now), k.number+1
		if jump > 0 {
			k.doubt(k.wall.Add(passed), now)
		} else if !k.trusted.IsZero() {
			k.steady, k.changed = now, true
		}
	} else {
		jump = 0
	}
	k.wall, k.mono = now, mono
	if !k.trusted.IsZero() && (now.Sub(k.steady) >= steadyFor || now.Before(k.trusted)) {
		k.trusted, k.steady, k.changed = time.Time{}, time.Time{}, true
	}
	return jump
}

// retention is the time by which things expire.
func (k *timekeeper) retention() time.Time {
	if k.trusted.IsZero() {
		return k.wall
	}
	return k.trusted
}

// keptBy is that time for those who read: what is older than its tier is kept counts
// as gone. It may be called from any goroutine.
func (s *Store) keptBy() time.Time { return s.clock.wall().Add(-time.Duration(s.doubt.Load())) }

// shareDoubt tells them what the writer thinks of the clock.
func (s *Store) shareDoubt() {
	k := &s.writer.time
	s.doubt.Store(int64(k.wall.Sub(k.retention())))
}

// again reports whether the clock has been at a time before, in another pass.
func (k *timekeeper) again(ms int64) bool {
	for _, p := range k.passes {
		if ms >= p.from && ms <= p.to {
			return true
		}
	}
	return false
}

// clockJumped says so, in one event for all jumps of a minute.
func (s *Store) clockJumped(jump time.Duration) {
	k := &s.writer.time
	if jump != 0 {
		k.unsaid, k.jumped = k.unsaid+1, k.jumped+jump
	}
	if k.unsaid == 0 || k.mono-k.saidAt < jumpQuiet {
		return
	}
	text := "clock jumped " + jumpText(k.jumped)
	if k.unsaid > 1 {
		text = fmt.Sprintf("clock jumped %d times, %s in all", k.unsaid, jumpText(k.jumped))
	}
	if !k.trusted.IsZero() {
		text += "; nothing expires by it until it has been steady for " + steadyFor.String()
	}
	s.remark("clock", text, fleet.SeverityWarn, true)
	k.saidAt, k.unsaid, k.jumped = k.mono, 0, 0
}

func jumpText(d time.Duration) string {
	if d < 0 {
		return "back " + (-d).Round(time.Second).String()
	}
	return "ahead " + d.Round(time.Second).String()
}

// withoutCounters returns the values of a row with null for every counter.
func withoutCounters(r fleet.Readings) []fleet.Num {
	out := append([]fleet.Num(nil), r.Values...)
	for i, k := range r.Keys {
		if k.Kind() == fleet.Counter {
			out[i] = fleet.Num{}
		}
	}
	return out
}

// steadied returns the values of a row that may stand beside those before it:
// the first of a target after a jump, and all where the clock has been already,
// are without counters.
func (s *Store) steadied(t *target, r fleet.Readings) []fleet.Num {
	k := &s.writer.time
	if k.number == 0 || t.pass == k.number && !k.again(toMs(r.At)) {
		return r.Values
	}
	t.pass = k.number
	return withoutCounters(r)
}

// startClock takes up the time from where the last batch left it.
func (s *Store) startClock() {
	w := &s.writer
	trusting := w.time.trusted.IsZero()
	last := s.lastBatch(w.mark).At
	jump := w.time.begin(last, s.clock.wall().UTC(), s.clock.mono())
	s.shareDoubt()
	if trusting && !w.time.trusted.IsZero() {
		s.remark("clock", fmt.Sprintf("the last batch is of %s; nothing expires until the clock has been steady for %v", clockTime(last), steadyFor), fleet.SeverityInfo, false)
	}
	s.clockJumped(jump)
}

// load reads what retention goes by while it does not trust the clock.
func (k *timekeeper) load(tx *bbolt.Tx) error {
	raw := tx.Bucket(bucketMeta).Get(keyClock)
	if raw == nil {
		return nil
	}
	v, err := unseal(keyClock, raw)
	if err == nil && len(v) != 16 {
		err = damaged("the doubt about the clock has %d bytes", len(v))
	}
	if err == nil {
		k.trusted, k.steady = readTime(v), readTime(v[8:])
	}
	return err
}

// saveClock writes it with the batch that changes it, so that a restart does
// not make a false clock trusted.
func (s *Store) saveClock(tx *bbolt.Tx) error {
	k := &s.writer.time
	switch {
	case !k.changed:
		return nil
	case k.trusted.IsZero():
		return tx.Bucket(bucketMeta).Delete(keyClock)
	}
	return put(tx.Bucket(bucketMeta), keyClock, appendTime(appendTime(nil, k.trusted), k.steady))
}
