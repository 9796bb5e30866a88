package main

import (
	"context"
	"strings"
	"time"

	"plumb/fleet"
)

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
	certs := certsAfter(*h.certsInUse.Load(), next.certs)
	h.certsInUse.Store(&certs)
	later = h.blueprint.frozen(next)
	warnUntold(h.log, inv)
	warnClear(h.log, next.inClear)
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
