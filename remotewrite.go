package main

import (
	"context"
	"sync"
	"time"

	"plumb/console/remotewrite"
)

// remoteWrite tells readings outside until the function that it returns is
// called. What is not told then is told after the next start.
func (h *house) remoteWrite(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, w := range h.writers {
		wg.Go(func() { w.Run(ctx) })
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// written is how the writers fare, for the metrics.
func (h *house) written() []remotewrite.Stats {
	out := make([]remotewrite.Stats, len(h.writers))
	for i, w := range h.writers {
		out[i] = w.Stats()
	}
	return out
}

// gathered is how long a commit may wait for company, and then some.
const gathered = 10 * time.Second
