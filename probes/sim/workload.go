package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"plumb/probes/sim/world"
)

// workloads are the endpoints of the services, as a load balancer in front of
// their replicas shows them: one HTTP server with a page for each, and a TCP
// port of its own for those that speak something else.
type workloads struct {
	web  net.Listener
	http *http.Server
	tcp  map[int]net.Addr // by service
}

// startWorkloads opens them on the first free ports from one up.
func (f *Fleet) startWorkloads(ctx context.Context, from int) error {
	f.workloads.tcp = map[int]net.Addr{}
	next := from
	open := func() (net.Listener, error) {
		for ; next < min(from+200, 1<<16); next++ {
			if ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", next)); err == nil {
				next++
				return ln, nil
			}
		}
		return nil, fmt.Errorf("sim: no free TCP port for workloads from %d up", from)
	}
	ln, err := open()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	for n := range f.World.Services {
		switch s := &f.World.Services[n]; s.Asked() {
		case "http":
			mux.HandleFunc("GET /"+s.Name+"/healthz", func(w http.ResponseWriter, r *http.Request) { f.serveHealth(w, r, n) })
		case "tcp":
			port, err := open()
			if err != nil {
				return errors.Join(err, ln.Close())
			}
			f.workloads.tcp[n] = port.Addr()
			f.serving.Go(func() { f.serveTCP(ctx, port, n) })
		}
	}
	f.workloads.web, f.workloads.http = ln, &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	f.serving.Go(func() { _ = f.workloads.http.Serve(ln) })
	return nil
}

func (f *Fleet) serveHealth(w http.ResponseWriter, r *http.Request, n int) {
	st := f.World.Workload(n, f.opt.Now())
	select {
	case <-time.After(min(st.Latency, time.Second)):
	case <-r.Context().Done():
		return
	}
	switch {
	case st.Sick:
		http.Error(w, "deadlock in the session pool", http.StatusInternalServerError)
	case !st.OK():
		http.Error(w, fmt.Sprintf("%d of %d backends up, %d are needed", st.Serving, st.Total, st.Floor), http.StatusServiceUnavailable)
	default:
		fmt.Fprintf(w, "ok: %d of %d backends up\n", st.Serving, st.Total)
	}
}

// tcpBeat is how often a port is opened or shut as its workload lives.
const tcpBeat = 200 * time.Millisecond

// serveTCP takes connections as long as the workload is well, and has the port
// shut otherwise: what comes then is refused.
func (f *Fleet) serveTCP(ctx context.Context, ln net.Listener, n int) {
	at := ln.Addr().String()
	accept := func(ln net.Listener) {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}
	f.serving.Go(func() { accept(ln) })
	tick := time.NewTicker(tcpBeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if ln != nil {
				_ = ln.Close()
			}
			return
		case <-tick.C:
		}
		ok := f.World.Workload(n, f.opt.Now()).OK()
		switch {
		case ok && ln == nil:
			if again, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at); err == nil {
				ln = again
				f.serving.Go(func() { accept(again) })
			}
		case !ok && ln != nil:
			_ = ln.Close()
			ln = nil
		}
	}
}

// health is the setting that asks a service's workload, "" where nothing answers
// for it.
func (f *Fleet) health(n int, s *world.Service) string {
	if s.Floor == 0 {
		return "" // a fleet so small that nothing carries it
	}
	switch s.Asked() {
	case "http":
		return fmt.Sprintf("{http: %q, every: 10s}", "http://"+f.workloads.web.Addr().String()+"/"+s.Name+"/healthz")
	case "tcp":
		return fmt.Sprintf("{tcp: %q, every: 10s}", f.workloads.tcp[n].String())
	}
	return ""
}
