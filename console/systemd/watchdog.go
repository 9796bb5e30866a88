package systemd

import (
	"context"
	"log/slog"
	"time"
)

// Watched returns how long the manager waits for a sign of life, 0 where it
// does not wait for one.
func (n *Notifier) Watched() time.Duration {
	if n == nil {
		return 0
	}
	return n.watchdog
}

// Beat tells the manager twice in each of its intervals that plumb lives, for
// as long as heart has nothing against it, until ctx ends. Where it has, the
// manager is told nothing and does what it was set up to do: a process that
// cannot be trusted to work is worth more started anew.
func (n *Notifier) Beat(ctx context.Context, heart func() error, log *slog.Logger) {
	if n.Watched() == 0 {
		return
	}
	tick := time.NewTicker(n.watchdog / 2)
	defer tick.Stop()
	for sick := false; ; {
		switch err := heart(); {
		case err != nil && !sick:
			log.Error("the watchdog is told nothing until this ends", "err", err, "restart_within", n.watchdog)
			sick = true
		case err == nil:
			if sick {
				log.Info("the watchdog is told again that plumb works")
			}
			if err := n.say("WATCHDOG=1"); err != nil {
				log.Warn("the watchdog did not hear", "err", err)
			}
			sick = false
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
