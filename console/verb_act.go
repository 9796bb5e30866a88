package console

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/console/remedy"
	"plumb/fleet"
	"plumb/views"
	"plumb/views/export"
)

// runAct asks for one action. By verb there is nobody to confirm, so a reason
// is asked for instead; everything else is judged as for a key.
func runAct(ctx context.Context, v *Verbs, c *verbCall) error {
	if v.Execute == nil {
		return &Failure{"unavailable", "act: this process does not act", ""}
	}
	if err := c.want(2, "ACTION and TARGET"); err != nil {
		return err
	}
	s, err := v.snapshot()
	if err != nil {
		return err
	}
	kind := fleet.ActionKind(c.words[0])
	if kind.Danger() > 2 {
		return &Failure{"unknown", fmt.Sprintf("act: %s: no such action", fleet.Clean(c.words[0], 40)), "identify power-on power-off soft-off power-cycle reset port-up port-down"}
	}
	device, _, _ := strings.Cut(c.words[1], "/")
	if _, err := deviceOf(s, device); err != nil {
		return err
	}
	if c.flags["reason"] == "" {
		return usage(`act `+c.words[0]+` `+c.words[1]+` --reason "..."`, "act: needs --reason: it is what the audit log will say")
	}
	e := views.Execute{Action: kind, Targets: []string{c.words[1]}, Reason: c.flags["reason"], Version: s.Version}
	if c.flags["dry-run"] != "" {
		return v.dryRun(c, e)
	}
	job, err := v.Execute(ctx, c.Caller, e)
	if err != nil {
		return refusal(c, err)
	}
	if c.flags["wait"] != "" {
		if job, err = v.settled(ctx, job); err != nil {
			return err
		}
		c.code = exitFailed
		if job.State == fleet.JobVerified {
			c.code = exitOK
		}
	}
	if c.format != export.Text {
		return export.Object(c.Stdout, c.format, c.now, job)
	}
	text := ""
	if n := len(job.Steps); c.flags["wait"] != "" && n > 0 {
		text = ": " + job.Steps[n-1].Text
	}
	_, err = fmt.Fprintf(c.Stdout, "%s %s %s: %s%s\n", job.ID, job.Action, strings.Join(job.Targets, " "), job.State, text)
	return err
}

// dryRun says what would be done, or why it would be refused.
func (v *Verbs) dryRun(c *verbCall, e views.Execute) error {
	if v.Check != nil {
		if err := v.Check(c.Caller, e); err != nil {
			return refusal(c, err)
		}
	}
	if c.format != export.Text {
		return export.Object(c.Stdout, c.format, c.now, struct {
			Action  fleet.ActionKind `json:"action"`
			Targets []string         `json:"targets"`
			Danger  fleet.Danger     `json:"danger"`
			DryRun  bool             `json:"dry_run"`
		}{e.Action, e.Targets, e.Action.Danger(), true})
	}
	_, err := fmt.Fprintf(c.Stdout, "would %s %s (danger %d); nothing was done\n", e.Action, e.Targets[0], e.Action.Danger())
	return err
}

// refusal tells a person's lack of a right from a moment that does not fit.
func refusal(c *verbCall, err error) error {
	kind := "refused"
	if errors.Is(err, remedy.ErrDenied) {
		kind = "denied"
	}
	return &Failure{kind, fmt.Sprintf("act %s %s: %v", c.words[0], c.words[1], err), ""}
}

// settled waits until a job is over, whatever came of it.
func (v *Verbs) settled(ctx context.Context, job fleet.Job) (fleet.Job, error) {
	if v.Watch == nil {
		return job, &Failure{"unavailable", "act --wait: nothing to watch in this process", "jobs shows what came of " + job.ID}
	}
	w := v.Watch()
	defer w.Close()
	for {
		s, err := w.Next(ctx)
		if err != nil {
			return job, fmt.Errorf("act --wait: %s goes on, but nobody waits for it any more: %w", job.ID, err)
		}
		for _, j := range s.Jobs {
			if j.ID == job.ID && j.State != fleet.JobRunning && j.State != fleet.JobAccepted {
				return j, nil
			}
		}
	}
}
