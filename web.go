package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"plumb/console"
	"plumb/console/config"
)

// openWeb takes the address of /metrics and what else is read over HTTP.
func (h *house) openWeb() error {
	if err := h.listenWeb(); err != nil {
		return err
	}
	m := &console.Meters{Snapshot: h.store.Snapshot, Probes: h.scheduler.Stats, Store: h.store.Stats, Registry: h.registry, Actions: h.acted.counts, Receivers: h.deliverer.States, Written: h.written, Ready: h.ready,
		Pages: console.NewPages(h.store.Snapshot, time.Now)}
	if h.events != nil {
		m.Dropped = h.events.Dropped
	}
	h.http = &http.Server{Handler: console.Guarded(m.Handler(), h.web.Username, h.web.Password), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug)} // what strangers say to it is no news
	return nil
}

// listenWeb takes the address, and shows its certificate.
func (h *house) listenWeb() (err error) {
	if h.webLn, err = net.Listen("tcp", h.metrics); err != nil {
		return hint(fmt.Errorf("metrics: %w", err), "%s", addressHint(err, "--metrics HOST:PORT or metrics.listen"))
	}
	if open(h.webLn.Addr(), h.web) {
		h.log.Warn("whoever reaches the address of metrics reads where everything is and how it fares", "listen", h.webLn.Addr().String(), "hint", "metrics.credential says who may, metrics.client_ca_file whose certificates")
	}
	if h.web.TLS != nil {
		own := &ownCert{setting: "metrics: cert_file", cert: h.web.CertFile, key: h.web.KeyFile, log: h.log}
		h.ownCerts = append(h.ownCerts, own)
		h.webLn = tls.NewListener(h.webLn, own.asServer(h.web.TLS))
	}
	return nil
}

// open reports whether others than this machine may read without saying who they
// are.
func open(at net.Addr, m config.Metrics) bool {
	tcp, is := at.(*net.TCPAddr)
	return (!is || !tcp.IP.IsLoopback()) && m.Password == nil && (m.TLS == nil || m.TLS.ClientAuth != tls.RequireAndVerifyClientCert)
}
