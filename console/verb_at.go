package console

import (
	"context"
	"errors"
	"slices"

	"plumb/fleet"
)

// dated are the verbs that can look at a past time: those that print the
// fleet, and those that print what happened until then.
var dated = []string{"status", "regions", "racks", "devices", "device", "sensors", "ports", "links", "trace", "whatif", "causes", "instances", "clouds", "services", "drift", "security", "lifecycle", "performance", "alerts", "silences", "events", "series", "predictions", "capacity", "place", "report", "jobs", "runbooks"}

// travel takes a call with --at to its time: its now is then, and what it
// prints is drawn from the snapshot as of then.
func (v *Verbs) travel(ctx context.Context, c *verbCall, x verb) error {
	text, has := c.flags["at"]
	if !has {
		return nil
	}
	if !slices.Contains(dated, x.name) {
		return usage("help "+x.name, "%s: takes no --at", x.name)
	}
	at, err := ParseTime(text, c.now)
	if err != nil {
		return usage("RFC 3339, HH:MM[:SS] in UTC, '2026-11-26 14:02', or -2h", "--at %s: not a time", fleet.Clean(text, 40))
	}
	if at.After(c.now) {
		return usage("", "--at %s: lies ahead", fleet.Clean(text, 40))
	}
	if v.At == nil {
		return &Failure{"unavailable", "--at: there is no memory in this process", ""}
	}
	var early *TooEarlyError
	switch c.past, err = v.At(ctx, at); {
	case errors.As(err, &early):
		return &Failure{"unknown", "--at " + fleet.Clean(text, 40) + ": " + err.Error(), "events and series may reach further back: --since"}
	case err != nil:
		return err
	}
	c.now = at
	return nil
}

// shown is the snapshot that a call prints: the present, or that of its --at.
func (v *Verbs) shown(c *verbCall) (*fleet.Snapshot, error) {
	if c.past != nil {
		return c.past, nil
	}
	return v.snapshot()
}
