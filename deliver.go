package main

import (
	"context"
	"sync"

	"plumb/console/notify"
	"plumb/fleet/alert"
	"plumb/views/export"
)

// makeDeliverer makes who tells the receivers.
func (h *house) makeDeliverer() *notify.Deliverer {
	return notify.New(notify.Deps{
		Outbox: h.store, Watch: func() notify.Watch { return h.store.Watch() },
		Standing: alert.Standing, Alive: h.ready, Log: h.log,
	}, h.receivers)
}

// deliver tells the receivers until the function that it returns is called.
func (h *house) deliver(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { h.deliverer.Run(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// receiverRows is how it goes with the receivers.
func (h *house) receiverRows() []export.Receipt {
	list := h.deliverer.States()
	rows := make([]export.Receipt, len(list))
	for i := range list {
		s := &list[i]
		rows[i] = export.Receipt{Name: s.Name, Kind: s.Kind, Waiting: s.Waiting, Oldest: s.Oldest, LastOK: s.LastOK, LastFailed: s.LastFailed, Failing: s.Failing, NextTry: s.NextTry, LastBeat: s.LastBeat, Error: s.LastError,
			Sent: s.Counts[notify.ResultSent], Retried: s.Counts[notify.ResultRetried], Failed: s.Counts[notify.ResultRefused] + s.Counts[notify.ResultExpired] + s.Counts[notify.ResultDropped]}
		for k, x := range s.Stuck {
			if k == 0 {
				rows[i].StuckOn, rows[i].StuckTries, rows[i].StuckError = x.What, x.Tries, x.Error
			}
			if x.Aside {
				rows[i].SetAside++
			}
		}
	}
	return rows
}

// testReceiver sends a made-up page now.
func (h *house) testReceiver(ctx context.Context, name string) (string, error) {
	return h.deliverer.Test(ctx, name)
}
