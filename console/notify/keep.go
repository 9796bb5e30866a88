package notify

import (
	"context"
	"slices"
	"time"

	"plumb/fleet"
)

// houseEvery is how often the outbox is looked through for what nobody sends any
// more.
const houseEvery = 15 * time.Second

// keepHouse ends what is no longer worth telling, also behind a notice that is
// not taken and for receivers that are not there any more, and what is too much.
func (d *Deliverer) keepHouse(ctx context.Context) {
	t := time.NewTicker(houseEvery)
	defer t.Stop()
	for {
		for _, b := range d.Outbox.Backlogs() {
			d.expire(b.Receiver)
			d.trim(b)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// expire ends notices that are no longer worth telling, and says once that a
// receiver is not there for whom something waits.
func (d *Deliverer) expire(receiver string) {
	now := time.Now()
	list := d.Outbox.Waiting(receiver)
	var keys []string
	for _, x := range list {
		if !x.Expires.IsZero() && !now.Before(x.Expires) {
			keys = append(keys, x.Key)
		}
	}
	d.mu.Lock()
	configured, told := d.workers[receiver] != nil, d.orphans[receiver]
	d.orphans[receiver] = d.orphans[receiver] || !configured
	d.mu.Unlock()
	if !configured && !told {
		d.ledger.say(receiver, resultOrphan, "they wait until they expire, or until it is there again")
	}
	if len(keys) == 0 {
		return
	}
	why := d.tally(receiver).state().LastError
	if !configured {
		why = "it is not configured any more"
	}
	d.ledger.close(receiver, ResultExpired, why, keys...)
}

// trim drops what is too much, the oldest first.
func (d *Deliverer) trim(b fleet.Backlog) {
	if b.Waiting <= d.MaxWaiting {
		return
	}
	list := slices.DeleteFunc(d.Outbox.Waiting(b.Receiver), func(x fleet.Waiting) bool { return d.ledger.isDone(x.Key) })
	much := len(list) - d.MaxWaiting
	if much <= 0 {
		return
	}
	keys := make([]string, much)
	for i := range keys {
		keys[i] = list[i].Key
	}
	d.ledger.close(b.Receiver, ResultDropped, d.tally(b.Receiver).state().LastError, keys...)
}
