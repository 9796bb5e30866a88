package main

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"plumb/console"
)

// openWeb takes the address of /metrics and what else is read over HTTP.
func (h *house) openWeb() (err error) {
	if h.webLn, err = net.Listen("tcp", h.metrics); err != nil {
		return hint(fmt.Errorf("metrics: %w", err), "%s", addressHint(err, "--metrics HOST:PORT or metrics.listen"))
	}
	m := &console.Meters{Snapshot: h.store.Snapshot, Probes: h.scheduler.Stats, Store: h.store.Stats, Registry: h.registry, Actions: h.acted.counts, Written: h.written, Ready: h.ready,
		Pages: console.NewPages(h.store.Snapshot, time.Now)}
	if h.events != nil {
		m.Dropped = h.events.Dropped
	}
	h.web = &http.Server{Handler: m.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	return nil
}
