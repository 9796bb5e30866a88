package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"plumb/console"
	"plumb/console/config"
	"plumb/fleet"
	"plumb/probes/sim"
	"plumb/probes/sim/world"
	"plumb/views/export"
)

type demoCmd struct {
	SSH      string `name:"ssh" default:"127.0.0.1:2222" help:"Where the console listens."`
	DB       string `name:"db" help:"Where the store lives; default: a new temporary directory."`
	Racks    int    `default:"24" help:"Racks in the simulated fleet, 1 to 200."`
	Fault    string `help:"Faults: none, list, or NAME[@TARGET][+DELAY],... ; default: one at a time, gently."`
	Metrics  string `help:"Where /metrics listens; default: nowhere."`
	NoTUI    bool   `name:"no-tui" help:"Do not open the console here."`
	Config   string `name:"config" type:"path" help:"A file with alerts of your own: rules, routes, receivers, maintenance; the verb reload reads it again."`
	PortBase int    `default:"20000" help:"First UDP port of the simulated devices."`
}

// Run starts the simulated fleet and, around it, the same plumb that serves a
// real one: the demo's configuration goes through the ordinary loader, and its
// machines are read over the ordinary wires.
func (c demoCmd) Run(ctx context.Context, s *streams) error {
	if c.Fault == "list" {
		_, err := io.WriteString(s.out, sim.FaultList())
		return err
	}
	if c.Racks < 1 || c.Racks > 200 {
		return usage(fmt.Errorf("demo: --racks %d: between 1 and 200 are possible", c.Racks), "without it there are 24")
	}
	if c.PortBase < 1024 || c.PortBase > 60000 {
		return usage(fmt.Errorf("demo: --port-base %d: between 1024 and 60000 is room for the simulated devices", c.PortBase), "without it they listen from 20000")
	}
	dir, err := c.place()
	if err != nil {
		return err
	}
	started := false
	defer func() {
		if !started && c.DB == "" {
			os.RemoveAll(dir) // nobody was told of it
		}
	}()
	tui := !c.NoTUI && isTerminal(s.out) && term.IsTerminal(int(os.Stdin.Fd()))
	log, closeLog, err := c.log(dir, s.err, tui)
	if err != nil {
		return err
	}
	defer closeLog()
	machines, err := sim.Start(ctx, sim.Options{Racks: c.Racks, Fault: c.Fault, Dir: dir, PortBase: c.PortBase, Logf: func(format string, args ...any) { log.Info(fmt.Sprintf(format, args...)) }})
	if err != nil {
		if err = fmt.Errorf("demo: %w", err); errors.Is(err, world.ErrFault) || errors.Is(err, world.ErrNoSuch) {
			return usage(err, "plumb demo --fault list names the faults and what each may strike")
		}
		return hint(err, "--port-base moves the simulated devices")
	}
	defer machines.Close()
	b, err := c.blueprint(ctx, dir, machines, log)
	if err != nil {
		return err
	}
	var progress atomic.Pointer[string]
	b.notice = func() string {
		if p := progress.Load(); p != nil {
			return *p
		}
		return ""
	}
	h, err := build(ctx, b)
	if err != nil {
		return err
	}
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	return h.run(ctx, func(ctx context.Context) {
		started = true
		collect(steadyGC)
		h.beside.Go(func() { fillPast(ctx, h, machines, &progress) })
		c.welcome(s.err, h, dir)
		if tui {
			h.beside.Go(func() {
				defer leave()
				h.local(ctx)
			})
		}
	})
}

// place is the demo's directory.
func (c demoCmd) place() (string, error) {
	if c.DB == "" {
		return os.MkdirTemp("", "plumb-demo-")
	}
	dir, err := filepath.Abs(c.DB)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// log goes to a file where the terminal shows the console.
func (c demoCmd) log(dir string, stderr io.Writer, tui bool) (*slog.Logger, func(), error) {
	if !tui {
		return logger(stderr), func() {}, nil
	}
	f, err := os.OpenFile(filepath.Join(dir, "plumb.log"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, nil, err
	}
	return logger(f), func() { f.Close() }, nil
}

// blueprint writes the demo's plumb.yaml and reads it back by the loader that
// every configuration goes through.
func (c demoCmd) blueprint(ctx context.Context, dir string, world *sim.Fleet, log *slog.Logger) (blueprint, error) {
	users, err := demoUsers(dir)
	if err != nil {
		return blueprint{}, err
	}
	path := filepath.Join(dir, "plumb.yaml")
	text, err := world.ConfigYAML()
	if err != nil {
		return blueprint{}, fmt.Errorf("demo: %w", err)
	}
	text = append(text, demoSSH(c.SSH, dir)...)
	if c.Config != "" {
		text = fmt.Appendf(text, "include: [%q]\n", c.Config)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return blueprint{}, err
	}
	load := func(ctx context.Context) (blueprint, error) {
		f, err := config.Load(ctx, path)
		if err != nil && c.Config == "" {
			err = fmt.Errorf("the demo's own configuration: %w", err)
		}
		if err != nil {
			return blueprint{}, err
		}
		return c.furnish(fromFile(f, log), dir, world, users), nil
	}
	b, err := load(ctx)
	if err == nil && c.Config != "" {
		b.reload = load
	}
	return b, err
}

// furnish is a blueprint with what no file says of the demo.
func (c demoCmd) furnish(b blueprint, dir string, world *sim.Fleet, users []console.User) blueprint {
	b.store.Dir, b.metrics = dir, c.Metrics
	if c.DB == "" {
		b.store.Ballast = -1 // a store that is thrown away needs none, and temporary places may be memory
	}
	b.ssh.Users, b.ssh.AnyName = users, ownKeys()
	b.ssh.HostKey = filepath.Join(dir, "host_ed25519")
	b.ssh.MaxSessionsPerUser, b.ssh.MaxConnsPerUser = 500, 500 // a user of the demo is a role, and many people
	b.faults = func() []export.Fault { return truth(world) }
	return b
}

// demoSSH is the door's part of the demo's plumb.yaml.
func demoSSH(listen, dir string) []byte {
	out := fmt.Sprintf("ssh:\n  listen: %q\n  host_key: %q\n  users:\n", listen, filepath.Join(dir, "host_ed25519"))
	for _, role := range []fleet.Role{fleet.RoleWall, fleet.RoleViewer, fleet.RoleOperator, fleet.RoleAdmin} {
		out += fmt.Sprintf("    - {name: %s, role: %s, keys_file: %q}\n", role, role, filepath.Join(dir, "keys", role.String()+".pub"))
	}
	return []byte(out)
}

func (c demoCmd) welcome(w io.Writer, h *house, dir string) {
	a := h.listener.Addr()
	fmt.Fprintf(w, "plumb demo: %d devices; store in %s\n", len(h.inventory.Devices), dir)
	fmt.Fprintf(w, "  ssh -p %s -i %s admin@%s\n", port(a), filepath.Join(dir, "keys", "admin"), host(a))
	fmt.Fprintf(w, "  ssh -p %s -i %s -t wall@%s wall\n", port(a), filepath.Join(dir, "keys", "wall"), host(a))
}

// local shows the console in the terminal that started the demo, as admin.
func (h *house) local(ctx context.Context) {
	err := console.RunLocal(ctx, console.LocalConfig{
		Caller: console.Caller{User: "local", Role: fleet.RoleAdmin, From: "local"}, In: os.Stdin, Out: os.Stdout,
		AskQuit: "q ends the demo and every ssh session on it", Notice: h.notice,
	}, h.deps())
	if err != nil && !errors.Is(err, context.Canceled) {
		h.log.Error("console", "err", err)
	}
}

// historyPoints is how many moments of each device the past holds: two hours by
// the minute, the rest of the day by five.
const historyPoints = 120 + 264

// fillPast waits until every device was read once, then fills in the past that
// nobody polled. Only series that ordinary polls made are filled.
func fillPast(ctx context.Context, h *house, world *sim.Fleet, progress *atomic.Pointer[string]) {
	say := func(format string, args ...any) { t := fmt.Sprintf(format, args...); progress.Store(&t) }
	say("waiting for the first poll of every device")
	w := h.store.Watch()
	defer w.Close()
	deadline := time.Now().Add(15 * time.Second)
	var snap *fleet.Snapshot
	for {
		s, err := w.Next(ctx)
		if err != nil {
			return
		}
		snap = s
		seen := 0
		for _, d := range s.Devices.All() {
			if len(d.Series) > 0 {
				seen++
			}
		}
		if seen == s.Devices.Len() || time.Now().After(deadline) {
			break
		}
	}
	keys := func(target string) []fleet.SeriesKey {
		if d := snap.Devices.Get(target); d != nil {
			return d.Series
		}
		return nil
	}
	began := time.Now()
	total, done := 0, 0
	for id := range snap.Devices.All() {
		if len(keys(id)) > 0 {
			total += historyPoints
		}
	}
	rows := func(yield func(fleet.Readings) bool) {
		for r := range world.History(began, keys) {
			if done++; done%2000 == 0 {
				say("filling in the last day: %d %%", 100*done/max(total, 1))
			}
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
	n, err := h.store.Backfill(ctx, "sim-history", rows)
	switch {
	case err == nil:
		h.log.Info("history filled in", "rows", n, "took", time.Since(began).Round(time.Millisecond))
	case ctx.Err() == nil:
		h.log.Error("history not filled in", "err", err)
	}
	debug.FreeOSMemory() // a day of everything went through
	say("")
}

// truth is what the simulator did to the fleet, as rows.
func truth(world *sim.Fleet) []export.Fault {
	list := world.Faults()
	rows := make([]export.Fault, len(list))
	for i, f := range list {
		rows[i] = export.Fault(f)
	}
	return rows
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func host(a net.Addr) string { h, _, _ := net.SplitHostPort(a.String()); return h }
func port(a net.Addr) string { _, p, _ := net.SplitHostPort(a.String()); return p }
