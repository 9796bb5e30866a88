package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"plumb/console/ration"
	"plumb/fleet"
)

// Bounds of verbs that build lists: all of them at once, those of one user,
// and how long one waits for its turn. Each may hold a rendering of the whole
// fleet in memory; a viewer with a loop must not stop the others' screens.
const (
	maxLists     = 8
	maxUserLists = 3
	listPatience = 10 * time.Second
)

// light are the verbs that build no list. Whoever is admin waits for nobody.
var light = []string{"status", "act", "watch", "who", "backup", "verify", "reload", "help", "version"}

// lists counts who builds lists; the zero lists is ready.
type lists struct {
	mu   sync.Mutex // guards what follows
	all  int
	by   map[string]int
	free chan struct{} // closed when a place was given back
}

// take waits for a place; it must be given back.
func (l *lists) take(ctx context.Context, user string) error {
	ctx, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	for {
		l.mu.Lock()
		if l.all < maxLists && l.by[user] < maxUserLists {
			if l.by == nil {
				l.by = make(map[string]int)
			}
			l.all++
			l.by[user]++
			l.mu.Unlock()
			return nil
		}
		if l.free == nil {
			l.free = make(chan struct{})
		}
		free := l.free
		l.mu.Unlock()
		select {
		case <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *lists) give(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.by[user]--; l.by[user] == 0 {
		delete(l.by, user)
	}
	if l.free != nil {
		close(l.free)
		l.free = nil
	}
}

// carryOut runs a verb that its caller may run: in its turn where it builds a
// list, and on record where it is an admin's.
func (v *Verbs) carryOut(ctx context.Context, c *verbCall, x verb) error {
	if c.Role < fleet.RoleAdmin && !slices.Contains(light, x.name) {
		if err := v.lists.take(ctx, c.User); err != nil {
			return &Failure{"unavailable", x.name + ": too many lists are being printed", "try again in a moment"}
		}
		defer v.lists.give(c.User)
	}
	if x.least < fleet.RoleAdmin || x.name == "approve" || x.name == "thaw" { // the executor says itself what came of these
		return v.vain(ctx, c, x, c.whole(x, x.run(ctx, v, c)))
	}
	if err := v.record(ctx, c, x, "begun", ""); err != nil && x.name == "reload" { // a backup is what saves a full disk
		return fmt.Errorf("%s: the audit log does not take it, so nothing was done: %w", x.name, err)
	}
	err := x.run(ctx, v, c)
	outcome, reason := "done", ""
	if err != nil {
		outcome, reason = "failed", err.Error()
	}
	if unkept := v.record(ctx, c, x, outcome, reason); unkept != nil {
		err = errors.Join(err, fmt.Errorf("%s: the audit log does not take it: %w", x.name, unkept))
	}
	return err
}

// whole fails a verb that wrote what it could, and not all.
func (c *verbCall) whole(x verb, err error) error {
	if err != nil || c.lost == nil {
		return err
	}
	return &Failure{"failed", x.name + ": not all can be read: " + c.lost.Error(), "plumb verify says what is lost"}
}

// vain writes down a try to act on what is not there, within the user's share:
// it never comes to the executor, which writes down all others. Who looks for
// names that exist leaves a trace.
func (v *Verbs) vain(ctx context.Context, c *verbCall, x verb, err error) error {
	f := (*Failure)(nil)
	if !slices.Contains(acting, x.name) || c.flags["dry-run"] != "" || !errors.As(err, &f) || f.Kind != "unknown" {
		return err
	}
	if _, unkept := v.denials().Say(ctx, v.entry(c, x, "refused", f.Message)); unkept != nil {
		return errors.Join(err, fmt.Errorf("%s: the audit log does not take it: %w", x.name, unkept))
	}
	return err
}

// acting are the verbs that ask for something to be done to what they name.
var acting = []string{"act", "run", "undo"}

func (v *Verbs) record(ctx context.Context, c *verbCall, x verb, outcome, reason string) error {
	return ration.Write(ctx, v.Audit, v.entry(c, x, outcome, reason))
}

func (v *Verbs) entry(c *verbCall, x verb, outcome, reason string) fleet.AuditEntry {
	return fleet.AuditEntry{At: v.now(), Who: c.User, From: c.From, Action: x.name, Target: fleet.Clean(strings.Join(c.words, " "), fleet.MaxText),
		Outcome: outcome, Reason: fleet.Clean(reason, fleet.MaxText)}
}

// deny refuses a verb and writes the try down, within the user's share.
func (v *Verbs) deny(ctx context.Context, c *verbCall, x verb, why string) error {
	written, err := v.denials().Say(ctx, v.entry(c, x, "denied", why))
	if err != nil {
		return fmt.Errorf("%s: refused, and the audit log does not take it: %w", x.name, err)
	}
	hint := "the try was written to the audit log"
	if !written {
		hint = "the try was counted for the audit log"
	}
	return &Failure{"denied", x.name + ": " + why, hint}
}

// denials is made when it is first needed: Verbs is filled in by its owner.
func (v *Verbs) denials() *ration.Ration {
	v.once.Do(func() { v.denied = ration.New(v.Audit, v.now) })
	return v.denied
}

// Flush writes what was counted and not yet said; for a clean stop.
func (v *Verbs) Flush(ctx context.Context) { v.denials().Flush(ctx) }
