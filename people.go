package main

import (
	"context"
	"errors"
	"io"
	"time"

	"plumb/console"
	"plumb/console/remedy"
	"plumb/fleet"
	"plumb/fleet/runbook"
	"plumb/views"
)

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
