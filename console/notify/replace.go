package notify

import (
	"hash/maphash"
	"slices"
	"time"

	"plumb/fleet"
)

// What waits for a receiver that takes nothing need not wait twice. A notice that
// says of each of its alerts what a later one says too, with nothing else said of
// them in between, leaves the outbox: it would tell nobody anything. The later one
// is kept then already, so that a process that dies loses neither. What is over is
// said once, so a notice that says so stays, and so does one that was tried: its
// receiver may have it.

// saying is what a notice says, without its texts.
type saying struct {
	words []word
	ends  bool // of an alert it says that it is over
}

// word is what is said of one alert of a group. They are hashes: there may be half
// a million of them.
type word struct{ about, says uint64 }

var seed = maphash.MakeSeed()

// sayingOf reads what a notice says; one that cannot be read says nothing.
func sayingOf(n *fleet.Notice) (s saying) {
	m, err := messageOf(n)
	if err != nil {
		return s
	}
	type about struct{ group, id string }
	type says struct {
		status   string
		severity fleet.Severity
		since    int64
	}
	for i := range m.Pages.Alerts {
		p := &m.Pages.Alerts[i]
		s.ends = s.ends || p.Status == "resolved"
		s.words = append(s.words, word{maphash.Comparable(seed, about{m.Pages.Group, p.ID}), maphash.Comparable(seed, says{p.Status, p.Severity, p.Since.UnixNano()})})
	}
	return s
}

// echo is what is said of an alert after a notice, and until when that waits.
type echo struct {
	says    uint64
	expires time.Time // zero: it never does
}

// again reports whether all of a notice that waits until a time is said again, by
// what waits no less long.
func (s *saying) again(after map[uint64]echo, expires time.Time) bool {
	return len(s.words) > 0 && !slices.ContainsFunc(s.words, func(x word) bool {
		e, ok := after[x.about]
		return !ok || e.says != x.says || !e.expires.IsZero() && (expires.IsZero() || e.expires.Before(expires))
	})
}

// replace takes out of the outbox what later notices say again. trying is the
// place of the one whose turn it is.
func (w *worker) replace(trying uint64) {
	if w.read() != nil {
		return // the next try reads on
	}
	waiting := w.from.Outbox.Waiting(w.config.Name)
	known := make(map[uint64]saying, len(waiting))
	after, spare := map[uint64]echo{}, []string{}
	for _, x := range slices.Backward(waiting) {
		s, ok := w.says[x.Seq]
		if !ok || w.from.ledger.isDone(x.Key) {
			continue
		}
		known[x.Seq] = s
		if !s.ends && x.Seq != trying && !w.heads(x.Seq) && s.again(after, x.Expires) {
			spare = append(spare, x.Key)
			continue
		}
		for _, y := range s.words {
			after[y.about] = echo{y.says, x.Expires}
		}
	}
	w.says = known
	if len(spare) > 0 {
		w.from.ledger.close(w.config.Name, ResultReplaced, "", spare...)
	}
}

// read notes what those that wait say, as far as that is not known.
func (w *worker) read() error {
	if w.says == nil {
		w.says = map[uint64]saying{}
	}
	for {
		list, err := w.from.Outbox.Notices(w.ctx, w.config.Name, w.readTo, readSome)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			w.says[list[i].Seq], w.readTo = sayingOf(&list[i].Notice), list[i].Seq
		}
	}
}

// heads reports whether a notice is the first of a group that was set aside.
func (w *worker) heads(seq uint64) bool {
	return slices.ContainsFunc(w.aside, func(a *aside) bool { return len(a.list) > 0 && a.list[0] == seq })
}
