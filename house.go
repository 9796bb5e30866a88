package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"plumb/console"
	"plumb/console/auditlog"
	"plumb/console/config"
	"plumb/console/notify"
	"plumb/console/remedy"
	"plumb/console/remotewrite"
	"plumb/console/systemd"
	"plumb/fleet"
	"plumb/fleet/engine"
	"plumb/fleet/performance"
	"plumb/fleet/runbook"
	"plumb/probes"
	"plumb/store"
	"plumb/views/export"
)

// blueprint is everything a house is built from.
type blueprint struct {
	inventory *fleet.Inventory
	targets   []probes.Target
	polls     probes.Config
	store     store.Config
	ssh       *console.ServerConfig // nil: no console
	sshAddr   string
	metrics   string         // address; empty: none
	web       config.Metrics // who may read there, and how; its address is metrics
	runbooks  []*runbook.Book
	auto      []runbook.Policy
	audit     auditlog.Config
	receivers []notify.Config // who is told of alerts
	certs     []config.Certificate
	inClear   []string // secrets that others are shown over http
	remote    []remotewrite.Config
	log       *slog.Logger
	faults    func() []export.Fault
	notice    func() string // what stays in every screen's alert row; nil: nothing
	reload    func(ctx context.Context) (blueprint, error)
	manager   *systemd.Notifier    // nil: nobody manages this process
	events    *console.EventStream // nil: none
}

// house is a running plumb: both straight paths, wired once.
type house struct {
	blueprint
	store      *keeper
	scheduler  *probes.Scheduler
	executor   *remedy.Executor
	registry   *console.Registry
	derived    *console.Derived
	deliverer  *notify.Deliverer
	verbs      *console.Verbs
	server     *console.Server
	listener   net.Listener
	http       *http.Server
	webLn      net.Listener
	ownCerts   ownCerts
	first      *fleet.Snapshot
	past       *past
	acted      tally
	certsInUse atomic.Pointer[[]config.Certificate] // of plumb's own
	writers    []*remotewrite.Writer
	started    time.Time
	recorded   sync.Once // that inventory is what it started with

	reloading sync.Mutex     // one reload at a time
	beside    sync.WaitGroup // what started was told to do beside the parts; it ends with its context
}

// build opens the store, makes the first snapshot from what it remembers, and
// takes every address, so that what cannot work says so before anything runs.
func build(ctx context.Context, b blueprint) (_ *house, err error) {
	h := &house{blueprint: b, registry: console.NewRegistry()}
	h.certsInUse.Store(&b.certs)
	defer func() {
		if err != nil {
			h.shut()
		}
	}()
	ground := make(chan *engine.Ground, 1) // laid out while the store opens
	go func() { ground <- engine.Lay(b.inventory) }()
	st, err := store.Open(ctx, b.store)
	if err != nil {
		return nil, err
	}
	h.store = &keeper{Store: st, log: b.log, now: time.Now}
	h.derived = console.NewDerived(h.store.Answer, time.Now)
	mem, err := h.store.Memory(ctx)
	if err != nil {
		return nil, err
	}
	h.started = time.Now()
	h.first = (<-ground).Restore(mem, time.Now())
	h.past = &past{store: st, first: b.inventory}
	if h.scheduler, err = probes.NewScheduler(b.polls, h.store.keep, b.log); err != nil {
		return nil, err
	}
	h.scheduler.SetTargets(b.targets)
	h.executor = remedy.New(ledger{h.store}, h.scheduler, b.log, time.Now)
	h.executor.SetBooks(b.runbooks)
	h.executor.SetPolicies(b.auto)
	h.deliverer = h.makeDeliverer()
	h.verbs = h.makeVerbs()
	for _, c := range b.remote {
		if c.CertFile != "" {
			var own *ownCert
			own, c.TLS = watched(c, b.log)
			h.ownCerts = append(h.ownCerts, own)
		}
		h.writers = append(h.writers, remotewrite.New(c, h.store, b.polls.Longest()+gathered, b.log))
	}
	if b.ssh != nil {
		if err = h.openDoor(); err != nil {
			return nil, err
		}
	}
	if b.metrics != "" {
		if err = h.openWeb(); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func (h *house) openDoor() (err error) {
	if h.server, err = console.NewServer(*h.ssh, h.deps()); err != nil {
		return err
	}
	if h.listener, err = net.Listen("tcp", h.sshAddr); err != nil {
		return hint(fmt.Errorf("ssh: %w", err), "%s", addressHint(err, "--ssh HOST:PORT or ssh.listen"))
	}
	return nil
}

// addressHint says what is wrong with an address to listen at.
func addressHint(err error, where string) string {
	if errors.Is(err, syscall.EADDRINUSE) {
		return "another process has that address; " + where + " names another"
	}
	return where + " names an address of this machine, such as 127.0.0.1:2222"
}

// deps is what the console may ask of the house.
func (h *house) deps() console.Deps {
	return console.Deps{
		Watch:    func() console.Watch { return h.store.Watch() },
		Answer:   h.store.Answer,
		At:       h.past.at,
		Since:    h.past.since,
		Execute:  h.execute,
		Job:      h.job,
		Books:    h.executor.Books,
		RunBook:  h.runBook,
		Rule:     h.rule,
		Say:      h.say,
		Verb:     h.verbs.Run,
		Audit:    h.audit,
		Notice:   h.notice,
		Trouble:  h.store.trouble,
		Registry: h.registry,
		Derived:  h.derived,
		Log:      h.log,
	}
}

func (h *house) makeVerbs() *console.Verbs {
	v := &console.Verbs{
		Memory: h.store, Watch: func() console.Watch { return h.store.Watch() }, Registry: h.registry,
		Execute: h.execute, Rule: h.rule, Decide: h.decide, Plan: h.plan, Job: h.job, Books: h.executor.Books, Rehearse: h.rehearse, RunBook: h.runBook, Freeze: h.freeze, Audit: h.audit, Faults: h.faults, Backup: h.store.Backup, Verify: h.verify, VerifyAudit: h.verifyAudit, Version: version,
		At: h.past.at, Receivers: h.receiverRows, TestReceiver: h.testReceiver,
	}
	if h.reload != nil {
		v.Reload = h.reloadNow
	}
	return v
}

// summarise tells the engine the hours of the past that performance is judged
// by.
func (h *house) summarise(ctx context.Context) {
	wanted := func(target string) []fleet.SeriesKey {
		if d := h.store.Snapshot().Devices.Get(target); d != nil {
			return performance.Wanted(d)
		}
		return nil
	}
	if err := h.store.Summarise(ctx, fleet.PastHours*time.Hour, wanted); err != nil {
		h.log.Error("performance is not judged until the next start: its history cannot be read", "err", err)
	}
}

// run keeps the house until ctx ends, then empties it from the outside in:
// people first, then polls, then actions under way, the store last.
func (h *house) run(ctx context.Context, started func(context.Context)) error {
	defer h.shut()
	inner, stopStore := context.WithCancel(context.WithoutCancel(ctx))
	defer stopStore()
	polls, stopPolls := context.WithCancel(inner)
	defer stopPolls()
	people, sendHome := context.WithCancel(ctx)
	defer sendHome()

	failed := make(chan error, 8)
	part := func(name string, run func() error) chan struct{} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := run(); err != nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		}()
		return done
	}
	storeDone := part("store", func() error {
		return h.store.Run(inner, h.first, h.acted.heard(engine.Step), func(ids []string) { h.scheduler.Nudge(ids...) })
	})
	h.beside.Go(func() { h.recordFirst(people) })
	h.beside.Go(func() { h.summarise(people) })
	if err := h.executor.Adopt(inner, h.first.Jobs); err != nil {
		h.log.Error("jobs of an earlier process not settled", "err", err)
	}
	pollsDone := part("polls", func() error { h.scheduler.Run(polls); return nil })
	exporters := h.exportAudit(inner)
	messengers := h.deliver(inner)
	writers := h.remoteWrite(inner)
	h.beside.Go(func() { remedy.NewAuto(h.executor, h.audited, h.log).Run(people) })
	bound := make(chan struct{})
	doors := []chan struct{}{part("control socket", func() error {
		return console.ServeSocket(people, h.blueprint.store.Dir, h.verbs.Run, h.log, func() { close(bound) })
	})}
	if h.server != nil {
		doors = append(doors, part("ssh", func() error { return h.server.Serve(people, h.listener) }))
	}
	if h.http != nil {
		doors = append(doors, part("metrics", func() error {
			if err := h.http.Serve(h.webLn); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}))
	}
	h.beside.Go(func() { h.report(people, bound) })
	h.beside.Go(func() { h.watchSelf(people) })
	if started != nil {
		started(people)
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	h.tell(h.manager.Stopping())
	sendHome()
	if h.http != nil {
		h.http.Close()
	}
	for _, d := range doors {
		<-d
	}
	h.executor.Close()
	h.beside.Wait()
	h.verbs.Flush(inner)
	stopPolls()
	<-pollsDone
	h.executor.Wait()
	h.executor.Flush(inner)
	messengers()
	exporters()
	writers()
	stopStore()
	<-storeDone
	return err
}

// shut closes what was opened; it may be called more than once. The store stays
// where it is: whoever still asks it is told that it is closed.
func (h *house) shut() {
	if h.listener != nil {
		h.listener.Close()
	}
	if h.webLn != nil {
		h.webLn.Close()
	}
	if h.store != nil {
		if err := h.store.Close(); err != nil && !strings.Contains(err.Error(), "closed") {
			h.log.Error("store not closed cleanly", "err", err)
		}
	}
}
