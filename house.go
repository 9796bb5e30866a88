package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
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
	"plumb/views"
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
	store     *keeper
	scheduler *probes.Scheduler
	executor  *remedy.Executor
	registry  *console.Registry
	derived   *console.Derived
	deliverer *notify.Deliverer
	verbs     *console.Verbs
	server    *console.Server
	listener  net.Listener
	http      *http.Server
	webLn     net.Listener
	first     *fleet.Snapshot
	past      *past
	acted     tally
	writers   []*remotewrite.Writer
	started   time.Time
	recorded  sync.Once // that inventory is what it started with

	reloading sync.Mutex     // one reload at a time
	beside    sync.WaitGroup // what started was told to do beside the parts; it ends with its context
}

// build opens the store, makes the first snapshot from what it remembers, and
// takes every address, so that what cannot work says so before anything runs.
func build(ctx context.Context, b blueprint) (_ *house, err error) {
	h := &house{blueprint: b, registry: console.NewRegistry()}
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

// ledger is the store as the executor sees it.
type ledger struct{ *keeper }

func (l ledger) Watch() remedy.Watch { return l.Store.Watch() }

func person(by console.Caller) remedy.Person {
	p := remedy.Person{User: by.User, From: by.From, Role: by.Role}
	if by.Scope != nil {
		p.Within, p.Cloud = by.Scope.Device, by.Scope.Cloud
	}
	return p
}

func request(by console.Caller, e views.Execute) remedy.Request {
	return remedy.Request{Person: person(by), Action: e.Action, Args: e.Args, Targets: e.Targets, Reason: e.Reason, Typed: e.Typed, BreakGlass: e.BreakGlass, Undoes: e.Undoes}
}

func (h *house) execute(ctx context.Context, by console.Caller, e views.Execute) (fleet.Job, error) {
	return h.executor.Run(ctx, request(by, e))
}

// plan is execute without doing anything.
func (h *house) plan(by console.Caller, e views.Execute) fleet.Plan {
	return h.executor.Plan(request(by, e))
}

func errand(by console.Caller, r views.RunBook) remedy.Errand {
	return remedy.Errand{Person: person(by), Book: r.Book, Target: r.Target, Reason: r.Reason}
}

func (h *house) runBook(ctx context.Context, by console.Caller, r views.RunBook) (fleet.Job, error) {
	return h.executor.RunBook(ctx, errand(by, r))
}

// rehearse is runBook without doing anything.
func (h *house) rehearse(by console.Caller, r views.RunBook) ([]runbook.Line, error) {
	return h.executor.Rehearse(errand(by, r))
}

// job takes a word about a job.
func (h *house) job(ctx context.Context, by console.Caller, w views.JobWord) (fleet.Job, error) {
	switch w.Word {
	case "approve":
		return h.executor.Approve(ctx, person(by), w.Job)
	case "refuse":
		return h.executor.Decline(ctx, person(by), w.Job, w.Reason)
	case "answer":
		return h.executor.Answer(ctx, person(by), w.Job, w.Reason)
	}
	return h.executor.Cancel(ctx, person(by), w.Job)
}

func (h *house) freeze(ctx context.Context, by console.Caller, f fleet.Freeze) error {
	return h.executor.Freeze(ctx, person(by), f)
}

// rule takes what a person decided about findings: the rulings and their audit
// entries are one commit.
func (h *house) rule(ctx context.Context, by console.Caller, r views.Rule) error {
	s := h.store.Snapshot()
	if s == nil {
		return errors.New("starting")
	}
	d, err := console.Rule(s, by, r, time.Now())
	if errors.Is(err, console.ErrMayNot) {
		return errors.Join(err, h.audit(ctx, console.Denied(by, r, err, time.Now())))
	}
	if err != nil {
		return err
	}
	return h.store.Apply(ctx, d)
}

// say takes what a person says about alerts: it and its audit entries are one
// commit.
func (h *house) say(ctx context.Context, by console.Caller, w views.AlertWord) (string, error) {
	s := h.store.Snapshot()
	if s == nil {
		return "", errors.New("starting")
	}
	d, said, err := console.Say(s, by, w, time.Now())
	if errors.Is(err, console.ErrMayNot) {
		return "", errors.Join(err, h.audit(ctx, console.DeniedWord(by, w, err, time.Now())))
	}
	if err != nil {
		return "", err
	}
	return said, h.store.Apply(ctx, d)
}

// decide makes a decision durable.
func (h *house) decide(ctx context.Context, d fleet.Decision) error { return h.store.Apply(ctx, d) }

func (h *house) audit(ctx context.Context, e fleet.AuditEntry) error {
	return h.store.Apply(ctx, fleet.Decision{Audit: []fleet.AuditEntry{e}})
}

// mostAudited bounds the entries that are read back at once.
const mostAudited = 50_000

// audited are the audit entries of a span until now.
func (h *house) audited(ctx context.Context, span time.Duration) ([]fleet.AuditEntry, error) {
	a := h.store.Answer(ctx, fleet.Query{Kind: fleet.QueryAudit, Span: span, Limit: mostAudited}, time.Now())
	return a.Audit, a.Err
}

func (h *house) verify(ctx context.Context, w io.Writer) error {
	r, err := h.store.Verify(ctx)
	if err != nil {
		return err
	}
	return printReport(w, r)
}

func (h *house) ready() error {
	if h.store.Snapshot() == nil {
		return errors.New("starting")
	}
	if t := h.store.trouble(); t != "" {
		return errors.New(t)
	}
	return nil
}

// reloadWithin bounds how long the store may take for a new inventory.
const reloadWithin = 30 * time.Second

// reloadNow applies a changed configuration; a broken one changes nothing. It
// returns the settings that were changed and wait for a restart. What can be
// refused is tried first, what is durable comes next, and people and polls
// follow, so that nothing is half new. Whoever asked may leave meanwhile.
func (h *house) reloadNow(ctx context.Context) (later []string, err error) {
	h.reloading.Lock()
	defer h.reloading.Unlock()
	defer h.reloads()()
	next, err := h.reload(ctx)
	if err != nil {
		return nil, err
	}
	inv := next.inventory
	inv.Intervals = h.inventory.Intervals // polls keep their beat until a restart, and ages are judged by it
	people := h.server != nil && next.ssh != nil
	if people {
		if err := h.server.CheckUsers(next.ssh.Users, next.ssh.AnyName, next.ssh.TrustedCA); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reloadWithin)
	defer cancel()
	if err := h.store.Apply(ctx, fleet.Reload{Inventory: inv}); err != nil {
		return nil, err
	}
	h.recordFirst(ctx)
	if err := h.store.KeepInventory(ctx, inv, time.Now()); err != nil {
		return nil, err
	}
	if people {
		if err := h.server.SetUsers(next.ssh.Users, next.ssh.AnyName, next.ssh.TrustedCA); err != nil {
			return nil, err
		}
	}
	h.scheduler.SetTargets(next.targets)
	h.executor.SetBooks(next.runbooks)
	h.executor.SetPolicies(next.auto)
	h.deliverer.Set(next.receivers)
	later = h.blueprint.frozen(next)
	warnUntold(h.log, inv)
	h.log.Info("configuration reloaded", "devices", len(inv.Devices), "clouds", len(inv.Clouds), "waits_for_restart", strings.Join(later, " "))
	return later, nil
}

// recordFirst puts the inventory that this process started with on record, so
// that the past is shown as it was intended then.
func (h *house) recordFirst(ctx context.Context) {
	h.recorded.Do(func() {
		if err := h.store.KeepInventory(ctx, h.inventory, h.started); err != nil && ctx.Err() == nil {
			h.log.Error("the inventory is not on record: the past will be shown with another", "err", err)
		}
	})
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

// hangup is reloadNow as SIGHUP asks for it, on record like the verb.
func (h *house) hangup(ctx context.Context) {
	if h.events != nil {
		h.events.Reopen()
	}
	record := func(outcome, reason string) error {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return h.audit(within, fleet.AuditEntry{At: time.Now().UTC(), Who: "local", From: "local", Action: "reload", Target: "SIGHUP", Outcome: outcome, Reason: fleet.Clean(reason, fleet.MaxText)})
	}
	err := record("begun", "")
	if err == nil {
		_, err = h.reloadNow(ctx)
		outcome, reason := "done", ""
		if err != nil {
			outcome, reason = "failed", err.Error()
		}
		if unkept := record(outcome, reason); unkept != nil {
			h.log.Error("reload: its end is not on record", "err", unkept)
		}
	}
	if err != nil {
		h.log.Error("reload: nothing was changed", "err", err)
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
