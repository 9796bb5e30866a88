package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
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
	m := &console.Meters{Snapshot: h.store.Snapshot, Probes: h.scheduler.Stats, Store: h.store.Stats, Registry: h.registry, Actions: h.acted.counts, Receivers: h.deliverer.States, Written: h.written, Ready: h.ready,
		Pages: console.NewPages(h.store.Snapshot, time.Now)}
	if h.events != nil {
		m.Dropped = h.events.Dropped
	}
	if h.web.TLS != nil {
		h.webLn = tls.NewListener(h.webLn, h.web.TLS)
	}
	h.http = &http.Server{Handler: console.Guarded(m.Handler(), h.web.Username, h.web.Password), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug)} // what strangers say to it is no news
	return nil
}
