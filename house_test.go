package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes"
	"plumb/store"
)

// emptyHouse is a house without devices and without a console.
func emptyHouse(t *testing.T) *house {
	t.Helper()
	b := blueprint{inventory: &fleet.Inventory{}, polls: probes.Defaults(), store: store.Defaults(), log: slog.New(slog.DiscardHandler)}
	b.store.Dir = t.TempDir()
	h, err := build(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestWhoComesAfterTheEndIsTold: somebody may still ask the store when the
// house is shut; that must not be a nil pointer.
func TestWhoComesAfterTheEndIsTold(t *testing.T) {
	h := emptyHouse(t)
	h.shut()
	if err := h.audit(t.Context(), fleet.AuditEntry{Action: "login"}); err == nil {
		t.Error("a closed store took an entry")
	}
	h.shut()
}

// TestTheEndWaits: what was started beside the parts has ended when run
// returns, before the store closes.
func TestTheEndWaits(t *testing.T) {
	h := emptyHouse(t)
	ctx, stop := context.WithCancel(t.Context())
	var ended atomic.Bool
	err := h.run(ctx, func(ctx context.Context) {
		h.beside.Go(func() {
			<-ctx.Done()
			if err := h.audit(context.WithoutCancel(ctx), fleet.AuditEntry{Who: "x", Action: "last"}); err != nil {
				t.Errorf("the store was closed first: %v", err)
			}
			ended.Store(true)
		})
		stop()
	})
	if err != nil || !ended.Load() {
		t.Errorf("%v, ended %v", err, ended.Load())
	}
}

// TestOneReloadAtATime: two at once must not mix, and one whose caller hangs
// up is done to the end.
func TestOneReloadAtATime(t *testing.T) {
	h := emptyHouse(t)
	ctx, stop := context.WithCancel(t.Context())
	var inside, most atomic.Int32
	h.reload = func(context.Context) (blueprint, error) {
		most.Store(max(most.Load(), inside.Add(1)))
		defer inside.Add(-1)
		<-time.After(20 * time.Millisecond) // long enough for the others to come
		next := h.blueprint
		next.inventory = &fleet.Inventory{Regions: []fleet.RegionSpec{{Name: "new"}}}
		return next, nil
	}
	ran := make(chan error, 1)
	running := make(chan struct{})
	go func() { ran <- h.run(ctx, func(context.Context) { close(running) }) }()
	<-running
	left, leave := context.WithCancel(ctx)
	leave()
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { _, err := h.reloadNow(left); errs <- err }()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if most.Load() != 1 {
		t.Errorf("%d reloads at once", most.Load())
	}
	intended := func(at time.Time) *fleet.Inventory {
		id, err := h.store.InventoryAt(at)
		if err != nil {
			t.Fatal(err)
		}
		inv, err := h.store.Inventory(id)
		if err != nil {
			t.Fatal(err)
		}
		return inv
	}
	if now := intended(time.Now()); len(now.Regions) != 1 || now.Regions[0].Name != "new" {
		t.Error("what was reloaded is not on record")
	}
	if before := intended(h.started); len(before.Regions) != 0 {
		t.Error("the past is shown with what was reloaded since")
	}
	stop()
	if err := <-ran; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
