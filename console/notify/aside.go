package notify

import (
	"slices"
	"time"

	"plumb/fleet"
)

// One notice may be what a receiver cannot digest: it answers 500 to it whenever
// it comes, and takes every other one. Alertmanager tries each group by itself,
// so that one does not hold the others, and people who come from there expect
// that. So a notice that was answered so several times has one of another group
// tried beside it; where that is taken, the first is set aside with all that
// follows of its group, tried by itself until it is taken or expires, and the
// rest goes on. Where the other one is not taken either, the receiver is ill and
// everything waits in order.
const enoughAnswers = 5

// aside is one group that waits by itself.
type aside struct {
	group string
	key   string   // of the first, as it is shown
	list  []uint64 // what waits, by sequence, in order
	tries int
	next  time.Time
}

// asideOf is the group of a message where it was set aside; nil: it was not.
func (w *worker) asideOf(m *Message) *aside {
	for _, a := range w.aside {
		if a.group == m.Pages.Group {
			return a
		}
	}
	return nil
}

// passOver tries a notice of another group after one that is not taken. It
// reports whether that was taken, and the first set aside.
func (w *worker) passOver(n *fleet.Queued, m *Message, tries int, next time.Time, why string) bool {
	list, err := w.from.Outbox.Notices(w.ctx, w.config.Name, n.Seq, readSome)
	if err != nil {
		return false
	}
	for i := range list {
		other, err := messageOf(&list[i].Notice)
		if err != nil || other.Pages.Group == m.Pages.Group || w.asideOf(other) != nil || !w.worth(&list[i]) {
			continue
		}
		if _, err := w.send(w.ctx, other); err != nil {
			return false
		}
		w.taken(&list[i])
		w.aside = append(w.aside, &aside{group: m.Pages.Group, key: n.Key, list: []uint64{n.Seq}, tries: tries, next: next})
		w.from.ledger.say(w.config.Name, resultAside, why)
		return true
	}
	return false
}

// worth reports whether a notice is still to be told.
func (w *worker) worth(n *fleet.Queued) bool {
	return !w.from.ledger.isDone(n.Key) && (n.Expires.IsZero() || time.Now().Before(n.Expires))
}

// tryAside tries the groups that are set aside and due, each until it is not
// taken again.
func (w *worker) tryAside() {
	for _, a := range w.aside {
		for len(a.list) > 0 && w.ctx.Err() == nil && !time.Now().Before(a.next) {
			w.tryOne(a)
		}
	}
	w.aside = slices.DeleteFunc(w.aside, func(a *aside) bool { return len(a.list) == 0 })
}

func (w *worker) tryOne(a *aside) {
	found, err := w.from.Outbox.Notices(w.ctx, w.config.Name, a.list[0]-1, 1)
	if err != nil {
		a.next = time.Now().Add(badRead)
		return
	}
	drop := func() { a.list, a.tries, a.next = a.list[1:], 0, time.Time{} }
	if len(found) == 0 || found[0].Seq != a.list[0] {
		w.tally.stuck(a.key, nil)
		drop()
		return
	}
	n := &found[0]
	m, err := messageOf(&n.Notice)
	a.key = n.Key
	switch {
	case err != nil:
		w.from.ledger.close(w.config.Name, ResultRefused, err.Error(), n.Key)
	case w.from.ledger.isDone(n.Key):
	case !w.worth(n):
		w.from.ledger.close(w.config.Name, ResultExpired, w.tally.state().LastError, n.Key)
	default:
		if _, err := w.send(w.ctx, m); err == nil {
			w.taken(n)
			break
		} else if w.ctx.Err() != nil {
			return
		} else if r := judge(w.ctx, err); r.Verdict == Final {
			w.from.ledger.close(w.config.Name, ResultRefused, r.Why, n.Key)
		} else {
			a.next = time.Now().Add(w.waitUntil(n, waitFor(r, a.tries)))
			a.tries++
			w.tally.again(r, w.stuckOn(n, m, a.tries, r.Why))
			return
		}
	}
	w.tally.stuck(n.Key, nil)
	drop()
}

// waitUntil bounds a wait by when the notice expires.
func (w *worker) waitUntil(n *fleet.Queued, wait time.Duration) time.Duration {
	if n.Expires.IsZero() {
		return wait
	}
	return min(wait, max(time.Until(n.Expires), 0)+leastWait)
}

// nextAside is when the next group that is set aside is to be tried; zero: none.
func (w *worker) nextAside() (t time.Time) {
	for _, a := range w.aside {
		if t.IsZero() || a.next.Before(t) {
			t = a.next
		}
	}
	return t
}

// hurry has what is set aside tried now.
func (w *worker) hurry() {
	for _, a := range w.aside {
		a.next = time.Time{}
	}
}

func (w *worker) stuckOn(n *fleet.Queued, m *Message, tries int, why string) *Stuck {
	return &Stuck{Key: n.Key, What: fleet.Clean(m.Subject, maxAnswer), Since: n.At, Tries: tries, Error: why, Aside: w.asideOf(m) != nil}
}
