package console

import (
	"context"
	"fmt"
	"slices"

	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/views"
	"plumb/views/export"
)

// jobVerb makes the verb that says one word about one job.
func jobVerb(word string, reason bool) func(ctx context.Context, v *Verbs, c *verbCall) error {
	return func(ctx context.Context, v *Verbs, c *verbCall) error {
		if v.Job == nil {
			return &Failure{"unavailable", word + ": this process does not act", ""}
		}
		if err := c.want(1, "JOB"); err != nil {
			return err
		}
		if reason && c.flags["reason"] == "" {
			return usage(word+" "+c.words[0]+` --reason "..."`, "%s: needs --reason: it is what the other person reads", word)
		}
		job, err := v.Job(ctx, c.Caller, views.JobWord{Word: word, Job: c.words[0], Reason: c.flags["reason"]})
		if err != nil {
			return refusal(c, err)
		}
		return v.tell(ctx, c, job)
	}
}

// runUndo asks for what takes a job back, through the same door as any other
// action.
func runUndo(ctx context.Context, v *Verbs, c *verbCall) error {
	if v.Execute == nil {
		return &Failure{"unavailable", "undo: this process does not act", ""}
	}
	if err := c.want(1, "JOB"); err != nil {
		return err
	}
	s, err := v.snapshot()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.Jobs, func(j fleet.Job) bool { return j.ID == c.words[0] })
	if i < 0 {
		return &Failure{"unknown", fmt.Sprintf("undo: %s: no such job", fleet.Clean(c.words[0], 40)), "jobs lists them"}
	}
	a, ok := plan.UndoOf(&s.Jobs[i])
	if !ok {
		return &Failure{"refused", fmt.Sprintf("undo %s: nothing takes back %s", s.Jobs[i].ID, s.Jobs[i].Action), ""}
	}
	e := views.Execute{Action: a.Action, Args: a.Args, Targets: a.Targets, Reason: c.flags["reason"], Typed: c.flags["serial"], Undoes: s.Jobs[i].ID, Version: s.Version}
	if c.flags["dry-run"] != "" {
		return v.dryRun(c, e)
	}
	if e.Reason == "" {
		e.Reason = "undo of " + s.Jobs[i].ID
	}
	job, err := v.Execute(ctx, c.Caller, e)
	if err != nil {
		return refusal(c, err)
	}
	return v.tell(ctx, c, job)
}

// runFreeze throws the switch that stops everything; runThaw takes it back.
func runFreeze(ctx context.Context, v *Verbs, c *verbCall) error {
	f := fleet.Freeze{By: c.User, Reason: c.flags["reason"], At: c.now.UTC()}
	if text := c.flags["for"]; text != "" {
		d, err := ParseDuration(text)
		if err != nil || d <= 0 {
			return usage("30m 2h 3d", "--for %s: not a duration", fleet.Clean(text, 20))
		}
		f.Until = f.At.Add(d)
	}
	return v.switchFreeze(ctx, c, f, "frozen: no action is begun")
}

func runThaw(ctx context.Context, v *Verbs, c *verbCall) error {
	return v.switchFreeze(ctx, c, fleet.Freeze{Reason: c.flags["reason"]}, "thawed: actions are possible again")
}

func (v *Verbs) switchFreeze(ctx context.Context, c *verbCall, f fleet.Freeze, text string) error {
	if v.Freeze == nil {
		return &Failure{"unavailable", c.Args[0] + ": this process does not act", ""}
	}
	if err := c.atMost(0); err != nil {
		return err
	}
	if f.Reason == "" {
		return usage(c.Args[0]+` --reason "..."`, "%s: needs --reason: it is what everybody will read", c.Args[0])
	}
	if err := v.Freeze(ctx, c.Caller, f); err != nil {
		return refusal(c, err)
	}
	if c.format != export.Text {
		return export.Object(c.Stdout, c.format, c.now, f)
	}
	_, err := fmt.Fprintln(c.Stdout, text)
	return err
}
