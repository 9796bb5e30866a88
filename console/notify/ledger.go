package notify

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"plumb/fleet"
)

// ledger takes notices out of the outbox that are done with. It gathers while
// the store commits, so that a storm does not cost a commit for each notice, and
// nobody who sends waits for a disk. What it has not yet written is remembered,
// so that a worker that is started anew does not tell it again.
type ledger struct {
	box     Outbox
	log     *slog.Logger
	tallyOf func(receiver string) *tally

	mu    sync.Mutex      // guards what follows
	done  []string        // keys that are to leave the outbox
	known map[string]bool // keys that were done with lately, and before then
	older map[string]bool
	since time.Time // when known was begun
	notes map[noteKey]*note
	words []fleet.Remark // that the store did not take yet

	bell chan struct{}
}

// noteKey is what words for the timeline are gathered by.
type noteKey struct{ receiver, result string }

// note is a word for the timeline: how often something came to pass, and the
// newest reason.
type note struct {
	n    int
	why  string
	said time.Time // when the last one was said
}

// noteEvery bounds how often the timeline hears the same of a receiver.
const noteEvery = time.Minute

func newLedger(box Outbox, log *slog.Logger, tallyOf func(string) *tally) *ledger {
	return &ledger{box: box, log: log, tallyOf: tallyOf, known: map[string]bool{}, notes: map[noteKey]*note{}, bell: make(chan struct{}, 1)}
}

// close takes notices as done with; each counts once. The timeline hears of
// those that were not told and that no later one says.
func (l *ledger) close(receiver, result, why string, keys ...string) {
	l.mu.Lock()
	fresh := 0
	for _, key := range keys {
		if !l.known[key] && !l.older[key] {
			l.known[key] = true
			l.done = append(l.done, key)
			fresh++
		}
	}
	if fresh > 0 && result != ResultSent && result != ResultReplaced {
		l.note(receiver, result, why, fresh)
	}
	l.mu.Unlock()
	if result != ResultSent {
		for range fresh {
			l.tallyOf(receiver).count(result)
		}
	}
	l.ring()
}

// say is a word for the timeline of no notice.
func (l *ledger) say(receiver, result, why string) {
	l.mu.Lock()
	l.note(receiver, result, why, 1)
	l.mu.Unlock()
	l.ring()
}

func (l *ledger) note(receiver, result, why string, n int) {
	k := noteKey{receiver, result}
	if l.notes[k] == nil {
		l.notes[k] = &note{}
	}
	l.notes[k].n += n
	l.notes[k].why = why
}

func (l *ledger) ring() {
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

// isDone reports whether a notice is done with, though it may still be in the
// outbox.
func (l *ledger) isDone(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known[key] || l.older[key]
}

// run writes until ctx ends.
func (l *ledger) run(ctx context.Context) {
	for {
		wait := noteEvery / 6
		if !l.write(ctx, false) {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-l.bell:
		case <-time.After(wait):
		}
	}
}

// write hands the store what there is, all of it where it is the last time. It
// reports whether the store took it; what it did not take is handed to it again.
func (l *ledger) write(ctx context.Context, last bool) bool {
	keys, remarks := l.take(last)
	var in []fleet.Input
	if len(keys) > 0 {
		in = append(in, fleet.Delivered{Keys: keys})
	}
	for _, r := range remarks {
		in = append(in, r)
	}
	if len(in) == 0 {
		return true
	}
	err := l.box.Apply(ctx, in...)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.done = append(keys, l.done...)
		l.words = remarks[:min(len(remarks), maxWords)]
		return false
	}
	l.forget(time.Now())
	return true
}

// memory is how long at least it is known of a notice that it left the outbox:
// longer than anybody holds on to a list of what waited.
const memory = 30 * time.Second

func (l *ledger) forget(now time.Time) {
	if now.Sub(l.since) < memory {
		return
	}
	l.older, l.known, l.since = l.known, make(map[string]bool, len(l.done)), now
	for _, key := range l.done {
		l.known[key] = true
	}
}

// maxWords bounds the words that wait for a store that takes nothing.
const maxWords = 100

// maxKeys bounds the notices that are taken out at once.
const maxKeys = 4096

func (l *ledger) take(last bool) (keys []string, remarks []fleet.Remark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.done), maxKeys)
	keys, l.done = slices.Clone(l.done[:n]), l.done[n:]
	remarks, l.words = l.words, nil
	now := time.Now()
	for k, x := range l.notes {
		if x.n == 0 || !last && now.Sub(x.said) < noteEvery {
			continue
		}
		remarks = append(remarks, fleet.Remark{Kind: "notify", Text: x.text(k), Severity: fleet.SeverityWarn, Asserted: true})
		l.log.Warn("notices not delivered", "receiver", k.receiver, "result", k.result, "n", x.n, "why", x.why)
		x.n, x.said = 0, now
	}
	return keys, remarks
}

// text says it in words.
func (x *note) text(k noteKey) string {
	what := map[string]string{
		ResultRefused: "refused for good by", ResultExpired: "no longer worth telling, and never taken by", ResultDropped: "dropped, because too many waited for", resultAside: "set aside, because it is not taken and others are, by",
		resultOrphan: "waiting for a receiver that is not configured any more:",
	}[k.result]
	s := "1 notice"
	if x.n != 1 {
		s = fmt.Sprint(x.n, " notices")
	}
	s += " " + what + " " + k.receiver
	if x.why != "" {
		s += ": " + x.why
	}
	return fleet.Clean(s, fleet.MaxText)
}

// resultAside is of a notice that others pass by; it is not counted.
const resultAside = "aside"

// resultOrphan is of notices whose receiver is gone; they are not counted by it.
const resultOrphan = "orphan"
