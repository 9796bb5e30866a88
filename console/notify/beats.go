package notify

import (
	"context"
	"fmt"
	"time"

	"plumb/fleet"
)

// What is said again and again is never kept: the next word says the same.

// refreshEvery is how often what still fires is said again to receivers that
// forget.
const refreshEvery = time.Minute

// beats tells a receiver that plumb is alive, for as long as it is.
func (w *worker) beats() {
	every := w.config.Heartbeat
	if every == 0 {
		return
	}
	w.each(every, func(ctx context.Context) {
		if err := w.from.alive(time.Now()); err != nil {
			w.tally.beat(time.Now(), refusal(Retry, "no heartbeat: "+err.Error()), "", ResultHeartbeatFailed)
			return
		}
		now := time.Now()
		m := &Message{Key: fmt.Sprintf("heartbeat-%s-%d", idWord(w.config.Name), now.Unix()), What: WhatHeartbeat, At: now, Pages: beatPages(w.config.Name, now), Every: every}
		_, err := w.send(ctx, m)
		w.beat(err, ResultHeartbeat, ResultHeartbeatFailed)
	})
}

// refreshes says again what still fires.
func (w *worker) refreshes() {
	r, ok := w.sender.(refresher)
	if !ok {
		return
	}
	w.each(refreshEvery, func(ctx context.Context) {
		within, cancel := context.WithTimeout(ctx, w.config.timeout())
		defer cancel()
		said, err := r.Refresh(within, func() []fleet.Pages { return w.from.Standing(w.from.Outbox.Snapshot(), w.config.Name) })
		if err != nil {
			err = judge(within, err)
		}
		if said > 0 || err != nil {
			w.beat(err, ResultResent, ResultResendFailed)
		}
	})
}

func (w *worker) beat(err error, ok, failed string) {
	if w.ctx.Err() != nil {
		return
	}
	var r *Refusal
	if err != nil {
		r = judge(w.ctx, err)
	}
	w.tally.beat(time.Now(), r, ok, failed)
}

// each does something now and then every so often, until the worker stops.
func (w *worker) each(every time.Duration, do func(context.Context)) {
	t := time.NewTicker(every)
	defer t.Stop()
	for w.ctx.Err() == nil {
		do(w.ctx)
		select {
		case <-t.C:
		case <-w.ctx.Done():
		}
	}
}

// alive says why nobody should believe that plumb watches; nil: it does. A
// snapshot that is older than a few polls is no watching.
func (d *Deliverer) alive(now time.Time) error {
	if d.Alive != nil {
		if err := d.Alive(); err != nil {
			return err
		}
	}
	s := d.Outbox.Snapshot()
	if s == nil {
		return fmt.Errorf("starting")
	}
	if most := 5*s.Intervals[fleet.LaneFast] + time.Minute; s.Devices.Len() > 0 && !s.At.IsZero() && now.Sub(s.At) > most {
		return fmt.Errorf("nothing was seen for %s", now.Sub(s.At).Round(time.Second))
	}
	return nil
}
