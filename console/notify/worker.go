package notify

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"plumb/fleet"
)

// worker tells one receiver.
type worker struct {
	config Config
	sender Sender
	texts  *texts
	tally  *tally
	from   *Deliverer

	// Only run and what it calls touch these.
	aside  []*aside          // groups that wait by themselves
	says   map[uint64]saying // what waits says, by its place
	readTo uint64            // up to which place says is known

	bell  chan struct{}   // something new waits
	again chan struct{}   // try now, whatever was waited for
	after <-chan struct{} // its predecessor's end; nil: it has none
	ended chan struct{}   // closed when nothing of it is under way

	ctx  context.Context // its own life, which ends by stop
	stop context.CancelFunc
}

// Waits between tries: any time up to a bound that doubles (full jitter), so
// that receivers that come back are not met by everybody at once.
const (
	firstWait = time.Second
	longWait  = 5 * time.Minute
	leastWait = 50 * time.Millisecond
	badRead   = 5 * time.Second // after the outbox could not be read
	readSome  = 32              // notices at once
)

// run tells what waits until stop is called.
func (w *worker) run() {
	defer close(w.ended)
	defer func() {
		if c, ok := w.sender.(closer); ok {
			c.Close()
		}
	}()
	if w.after != nil {
		<-w.after
	}
	var beats sync.WaitGroup
	defer beats.Wait()
	beats.Go(w.beats)
	beats.Go(w.refreshes)
	place := uint64(0)
	defer w.tally.unstick()
	for w.ctx.Err() == nil {
		w.tryAside()
		list, err := w.from.Outbox.Notices(w.ctx, w.config.Name, place, readSome)
		switch {
		case w.ctx.Err() != nil:
			return
		case err != nil:
			w.from.Log.Error("the outbox cannot be read", "receiver", w.config.Name, "err", err)
			w.pause(badRead)
			continue
		case len(list) == 0:
			w.rest()
			continue
		}
		for i := range list {
			if !w.deliver(&list[i]) {
				return
			}
			place = list[i].Seq
			w.tryAside()
		}
	}
}

// rest waits until there is something new.
func (w *worker) rest() {
	var due <-chan time.Time
	if next := w.nextAside(); !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		due = t.C
	} else if w.tally.idle() {
		w.from.changed()
	}
	select {
	case <-w.bell:
	case <-due:
	case <-w.again:
		w.hurry()
	case <-w.ctx.Done():
	}
}

func (w *worker) ring() {
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

func (w *worker) retry() {
	select {
	case w.again <- struct{}{}:
	default:
	}
}

// pause waits, or less where somebody knows that it is of use to try now. It
// reports whether to go on.
func (w *worker) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-w.again:
	case <-w.ctx.Done():
	}
	return w.ctx.Err() == nil
}

// deliver tells one notice until the receiver says yes or it is no use. It
// reports whether to go on with the next.
func (w *worker) deliver(n *fleet.Queued) bool {
	ledger, name := w.from.ledger, w.config.Name
	m, err := messageOf(&n.Notice)
	if err != nil {
		ledger.close(name, ResultRefused, err.Error(), n.Key)
		return true
	}
	if a := w.asideOf(m); a != nil {
		a.list = append(a.list, n.Seq)
		return true
	}
	defer w.tally.unstuck(n.Key)
	for try := 0; w.ctx.Err() == nil; try++ {
		began := time.Now()
		switch {
		case ledger.isDone(n.Key), !w.waits(n): // told by a predecessor, or dropped
			return true
		case !n.Expires.IsZero() && !began.Before(n.Expires):
			ledger.close(name, ResultExpired, w.tally.state().LastError, n.Key)
			return true
		}
		_, err := w.send(w.ctx, m)
		now := time.Now()
		if err == nil {
			w.taken(n)
			return true
		}
		if w.ctx.Err() != nil {
			return false // whatever it said: it is told again after the start
		}
		r := judge(w.ctx, err)
		wait := waitFor(r, try)
		if w.tally.no(began, now, r, now.Add(wait)) {
			w.from.Log.Warn("receiver takes no notices", "receiver", name, "err", r.Why)
			w.from.changed()
		}
		if r.Verdict == Final {
			ledger.close(name, ResultRefused, r.Why, n.Key)
			return true
		}
		w.tally.stuck(n.Key, w.stuckOn(n, m, try+1, r.Why))
		if r.Answered && try+1 >= enoughAnswers && w.passOver(n, m, try+1, now.Add(wait), r.Why) {
			w.tally.stuck(n.Key, w.stuckOn(n, m, try+1, r.Why))
			return true
		}
		w.replace(n.Seq)
		w.pause(w.waitUntil(n, wait))
	}
	return false
}

// taken notes that the receiver said yes.
func (w *worker) taken(n *fleet.Queued) {
	w.from.ledger.close(w.config.Name, ResultSent, "", n.Key)
	if w.tally.yes(time.Now()) {
		w.from.Log.Info("receiver takes notices again", "receiver", w.config.Name)
		w.from.changed()
	}
}

// waits reports whether a notice is still in the outbox. It is asked after the
// ledger, which forgets a notice only once the outbox has.
func (w *worker) waits(n *fleet.Queued) bool {
	list, err := w.from.Outbox.Notices(w.ctx, w.config.Name, n.Seq-1, 1)
	return err != nil || len(list) == 1 && list[0].Seq == n.Seq
}

// waitFor is how long to wait after a try that was not taken, the first being 0.
// What a person has to mend is tried slowly from the start; what the receiver
// asked for counts where it is longer.
func waitFor(r *Refusal, try int) time.Duration {
	most := longWait
	if r.Verdict == Retry {
		most = min(firstWait<<min(try, 16), longWait)
	}
	wait := leastWait + rand.N(most)
	if r.Verdict == Mend {
		wait = most/2 + rand.N(most/2)
	}
	return max(wait, r.After)
}

// send makes one try. When the worker is stopped, what is under way has a moment
// to arrive.
func (w *worker) send(ctx context.Context, m *Message) (answer string, err error) {
	if m.Subject == "" { // else it was tried before
		if err := w.texts.write(m); err != nil {
			w.from.Log.Warn("notice in the words of the default", "receiver", w.config.Name, "err", err)
		}
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.config.timeout())
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(farewell, cancel)
		context.AfterFunc(within, func() { t.Stop() })
	})
	defer stop()
	answer, err = w.sender.Send(within, m)
	if err != nil {
		err = judge(within, err)
	}
	return answer, err
}
