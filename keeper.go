package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"plumb/fleet"
	"plumb/store"
)

// keeper stands between everybody who writes and the store, and knows whether
// the store takes what it is given. A full disk is one piece of news, not one
// for each of ten thousand targets: it is said once when it begins, once when
// it gets worse, stays on every screen, makes /readyz fail, and is said once
// more when it ends. Polls go on meanwhile: what they see is shown.
type keeper struct {
	*store.Store
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex // guards what follows
	since time.Time  // when the store began to refuse; zero: it takes everything
	last  time.Time  // when it last refused
	why   error
	lost  int  // observations not kept since then, whole or in part
	worse bool // not only readings are not kept
}

// calm is how long the store must take everything before it is said to write
// again: on a disk that is nearly full every other batch still fits.
const calm = 10 * time.Second

// Apply hands decisions to the store; what it refuses is the caller's to tell.
func (k *keeper) Apply(ctx context.Context, in ...fleet.Input) error {
	err := k.Store.Apply(ctx, in...)
	k.note(ctx, err, 0)
	return err
}

// keep is where polls end. One that is not kept is counted, not an error: the
// next poll of the target tells the same or better.
func (k *keeper) keep(ctx context.Context, o *fleet.Observation) error {
	k.note(ctx, k.Store.Apply(ctx, o), 1)
	return nil
}

func (k *keeper) note(ctx context.Context, err error, observations int) {
	if ctx.Err() != nil || errors.Is(err, store.ErrStopped) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch began := k.since.IsZero(); {
	case err == nil && (began || k.now().Sub(k.last) < calm):
	case err == nil:
		k.log.Info("the store writes again", "after", k.now().Sub(k.since).Round(time.Second), "polls_not_kept", k.lost)
		k.since, k.why, k.lost, k.worse = time.Time{}, nil, 0, false
	default:
		readings := errors.Is(err, store.ErrReadings)
		if began {
			k.since = k.now()
		}
		switch {
		case readings && began:
			k.log.Error("readings are not kept; facts, events, jobs and audit are", "err", err, "hint", hintOf(err))
		case !readings && !k.worse:
			k.log.Error("the store cannot write: what is seen is shown and not kept, actions are refused", "err", err, "hint", hintOf(err))
		}
		k.why, k.last, k.worse = err, k.now(), k.worse || !readings
		k.lost += observations
	}
}

// trouble is one line for screens while the store cannot write, else "".
func (k *keeper) trouble() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.since.IsZero() {
		return ""
	}
	what := "shown, not kept"
	if errors.Is(k.why, store.ErrReadings) {
		what = "readings are not kept"
	}
	if k.Store != nil {
		if t := k.Store.Trouble(); t != nil && t.Frozen {
			what = "nothing new is kept or shown"
		}
	}
	return fmt.Sprintf("%s since %s: %s", what, k.since.UTC().Format("15:04:05Z"), cause(k.why))
}

// cause is the system's own word for an error where it has one: the path of a
// file is for the log, not for a screen.
func cause(err error) string {
	var no syscall.Errno
	if errors.As(err, &no) {
		return no.Error()
	}
	return fleet.Clean(err.Error(), 80)
}
