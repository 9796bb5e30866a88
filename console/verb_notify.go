package console

import (
	"context"
	"errors"
	"fmt"

	"plumb/console/notify"
	"plumb/fleet"
	"plumb/views/export"
)

// runNotify lists those who are told of alerts; test sends one of them a made-up
// page now, and prints its answer.
func runNotify(ctx context.Context, v *Verbs, c *verbCall) error {
	if v.Receivers == nil {
		return &Failure{"unavailable", "notify: this process tells nobody", ""}
	}
	switch {
	case len(c.words) == 0:
		rows := []export.Receiver{}
		for _, r := range v.Receivers() {
			rows = append(rows, export.ReceiverOf(&r, c.now))
		}
		return write(c, c.now, rows, "last_failed", "failing_s", "next_try", "last_heartbeat", "stuck_tries", "stuck_error", "set_aside")
	case c.words[0] != "test":
		return usage("notify, notify test RECEIVER", "notify: %s: no such word", fleet.Clean(c.words[0], 40))
	case len(c.words) != 2:
		return usage("notify lists them", "notify test: needs the name of one receiver")
	}
	return v.testReceiver(ctx, c, c.words[1])
}

// testReceiver is on record before and after: it reaches people.
func (v *Verbs) testReceiver(ctx context.Context, c *verbCall, name string) error {
	x := verb{name: "notify"}
	if c.Role < fleet.RoleAdmin {
		return v.deny(ctx, c, x, fmt.Sprintf("test needs role admin, you are %s", c.Role))
	}
	if c.Scope != nil { // a receiver tells of the whole fleet
		return v.deny(ctx, c, x, "test: who is told of the whole fleet is outside of your scope")
	}
	if err := v.record(ctx, c, x, "begun", ""); err != nil {
		return fmt.Errorf("notify test: the audit log does not take it, so nothing was sent: %w", err)
	}
	answer, err := v.TestReceiver(ctx, name)
	outcome, reason := "done", answer
	if err != nil {
		outcome, reason = "failed", err.Error()
	}
	if unkept := v.record(ctx, c, x, outcome, reason); unkept != nil {
		err = errors.Join(err, fmt.Errorf("notify test: the audit log does not take it: %w", unkept))
	}
	if errors.Is(err, notify.ErrReceiver) {
		var names []string
		for _, r := range v.Receivers() {
			names = append(names, r.Name)
		}
		return nearest(names, name, "receiver", "notify lists them")
	}
	if err != nil {
		return &Failure{"failed", "notify test: " + name + ": " + err.Error(), "nothing else was changed: what waits for it still waits"}
	}
	return c.say(name+" says: "+answer, struct {
		Receiver string `json:"receiver"`
		Answer   string `json:"answer"`
	}{name, answer})
}
