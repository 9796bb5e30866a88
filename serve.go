package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"plumb/console"
	"plumb/console/config"
	"plumb/fleet"
	"plumb/probes"
)

type serveCmd struct {
	Config string `required:"" type:"path" help:"plumb.yaml."`
	logFlags
	eventFlags
}

// Run polls, stores and serves the console until it is told to stop.
func (c serveCmd) Run(ctx context.Context, s *streams) error {
	return runConfig(ctx, s, c, true)
}

type pollCmd struct{ serveCmd }

// Run polls and stores without a console.
func (c pollCmd) Run(ctx context.Context, s *streams) error {
	return runConfig(ctx, s, c.serveCmd, false)
}

func runConfig(ctx context.Context, s *streams, c serveCmd, withConsole bool) error {
	log, path := c.logger(s.err), c.Config
	f, err := config.Load(ctx, path)
	if err != nil {
		return &hinted{err: err, hint: "plumb check --config " + path + " checks without starting", code: 3}
	}
	b := fromFile(f, log)
	if !withConsole {
		b.ssh = nil
	}
	b.reload = func(ctx context.Context) (blueprint, error) {
		f, err := config.Load(ctx, path)
		if err != nil {
			return blueprint{}, err
		}
		return fromFile(f, log), nil
	}
	b.manager = managed(log)
	if b.events, err = c.open(s.out, log); err != nil {
		return err
	}
	h, err := build(ctx, b)
	if err != nil {
		return err
	}
	return h.run(ctx, func(ctx context.Context) {
		collect(steadyGC)
		if h.server != nil {
			fmt.Fprintf(s.err, "plumb %s: ssh -p %s %s\n", version, port(h.listener.Addr()), host(h.listener.Addr()))
		}
		warnUntold(log, b.inventory)
		for _, what := range unread(f) {
			log.Warn("the configuration says what this version does not act upon", "what", what)
		}
		warnClear(log, b.inClear)
		log.Info("running", "devices", len(b.inventory.Devices), "targets", len(b.targets), "store", b.store.Dir)
		h.beside.Go(func() { onHangup(ctx, func() { h.hangup(ctx) }) })
		if h.events != nil {
			h.beside.Go(func() { h.events.Run(ctx, h.store.Watch()) })
		}
	})
}

// warnUntold says that alerts are looked for and nobody is told of them.
func warnUntold(log *slog.Logger, inv *fleet.Inventory) {
	if a := inv.Alerting; len(a.Rules) > 0 && len(a.Receivers) == 0 {
		log.Warn("nobody is told of alerts: they are shown on screens only, because there are no receivers", "rules", len(a.Rules), "hint", "alerts.receivers, see docs/receivers.md; alerts.defaults: false switches the rules off")
	}
}

// warnClear says which secrets others on the way can read.
func warnClear(log *slog.Logger, list []string) {
	for _, what := range list {
		log.Warn("a secret leaves this machine in clear", "what", what)
	}
}

// unread lists what a configuration says and nothing acts upon yet: taken in
// silence it would be believed.
func unread(f *config.File) (out []string) {
	if f.Poll.TrapListen != "" {
		out = append(out, "poll.trap_listen: traps are not heard; polls are")
	}
	return out
}

// fromFile turns a configuration into a blueprint.
func fromFile(f *config.File, log *slog.Logger) blueprint {
	b := blueprint{inventory: f.Inventory, polls: f.Poll.Config, store: f.Store, sshAddr: f.SSH.Listen, metrics: f.Metrics.Listen, web: f.Metrics, runbooks: f.Runbooks, auto: f.Auto, audit: f.Audit, remote: f.RemoteWrite, receivers: f.Receivers, certs: f.Certificates, inClear: f.InClear, log: log}
	b.targets = probes.Targets(f.Inventory, f.Credential, b.polls)
	b.ssh = &console.ServerConfig{HostKey: f.SSH.HostKey, TrustedCA: f.SSH.TrustedCA, MaxSessions: f.SSH.MaxSessions, Idle: f.SSH.Idle}
	for _, u := range f.SSH.Users {
		bell, _ := console.ParseBell(u.Bell)
		b.ssh.Users = append(b.ssh.Users, console.User{Name: u.Name, Role: u.Role, Scope: u.Scope, Keys: u.Keys, Bell: bell})
	}
	return b
}

// onHangup runs do for each SIGHUP until ctx ends.
func onHangup(ctx context.Context, do func()) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			do()
		}
	}
}

func logger(w io.Writer) *slog.Logger { return logFlags{}.logger(w) }

type checkCmd struct {
	Config  string `required:"" type:"path" help:"plumb.yaml."`
	Connect bool   `help:"Also reach every target once. Exits 1 where one does not answer or is warn, 2 where a workload is crit, 3 where one does not know."`
}

// Run checks a configuration, and with --connect every target in it.
func (c checkCmd) Run(ctx context.Context, s *streams) error {
	f, err := config.Load(ctx, c.Config)
	if err != nil {
		return unsound(err)
	}
	inv := f.Inventory
	fmt.Fprintf(s.out, "%s: %s, %s, %s, %s, %s, %s: sound\n", filepath.Base(c.Config),
		fleet.Count(len(inv.Regions), "region"), fleet.Count(len(inv.Racks), "rack"), fleet.Count(len(inv.Devices), "device"),
		fleet.Count(len(inv.Clouds), "cloud"), fleet.Count(len(inv.Services), "service"), fleet.Count(len(f.SSH.Users), "user"))
	for _, what := range unread(f) {
		fmt.Fprintf(s.out, "not acted upon: %s\n", what)
	}
	for _, what := range f.InClear {
		fmt.Fprintf(s.out, "in clear: %s\n", what)
	}
	if !c.Connect {
		return nil
	}
	return reachAll(ctx, s, fromFile(f, logger(io.Discard)))
}

// checkParallel bounds how many targets are tried at once.
const checkParallel = 32

// reachAll looks at every target once and prints those that could not be read, and
// the workloads that are not well.
func reachAll(ctx context.Context, s *streams, b blueprint) error {
	var mu sync.Mutex // guards failed and the output
	var wg sync.WaitGroup
	failed, ill, done, slots := 0, map[coded]int{}, 0, make(chan struct{}, checkParallel)
	progress := func() {} // only where somebody watches, and not among the output
	if isTerminal(s.err) {
		progress = func() { fmt.Fprintf(s.err, "\r%d of %d targets tried \x1b[K", done, len(b.targets)) }
		defer fmt.Fprint(s.err, "\r\x1b[K")
	}
	for _, t := range b.targets {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			why, code := reach(ctx, t, b.polls.Timeout)
			mu.Lock()
			defer mu.Unlock()
			done++
			defer progress()
			if why == "" {
				return
			}
			if code > 0 {
				ill[code]++
			} else {
				failed++
			}
			if isTerminal(s.err) {
				fmt.Fprint(s.err, "\r\x1b[K")
			}
			fmt.Fprintf(s.out, "%-24s %-9s %s\n", t.ID, t.Source, fleet.Clean(why, 4*fleet.MaxText))
		})
	}
	wg.Wait()
	notWell := ""
	if n := ill[1] + ill[2] + ill[3]; n > 0 {
		notWell = ", " + fleet.Count(n, "workload") + " not well"
	}
	fmt.Fprintf(s.out, "%d of %d targets answer%s\n", len(b.targets)-failed, len(b.targets), notWell)
	switch {
	case ill[2] > 0:
		return coded(2)
	case failed+ill[1] > 0:
		return coded(1)
	case ill[3] > 0:
		return coded(3)
	}
	return nil
}

// reach says why a target could not be read, or what its workload says and the
// exit code of that where it is not well.
func reach(ctx context.Context, t probes.Target, timeout time.Duration) (why string, code coded) {
	p, err := t.Build()
	if err != nil {
		return err.Error(), 0
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(ctx, 6*timeout)
	defer cancel()
	o, err := p.Observe(ctx, fleet.LaneFast)
	switch {
	case err != nil:
		return err.Error(), 0
	case o.Err != nil:
		return o.Err.Op + ": " + o.Err.Err.Error(), 0
	case errors.As(wordOf(o), &code):
		state, text, _ := o.Word()
		return state.String() + ": " + text, code
	}
	return "", 0
}
