package console

import (
	"context"
	"fmt"
	"strings"

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
	if c.flags["dry-run"] != "" {
		_, err := fmt.Fprintf(c.Stdout, "would %s %s (danger %d); nothing was done\n", kind, c.words[1], kind.Danger())
		return err
	}
	job, err := v.Execute(ctx, c.Caller, views.Execute{Action: kind, Targets: []string{c.words[1]}, Reason: c.flags["reason"], Version: s.Version})
	if err != nil {
		return &Failure{"denied", fmt.Sprintf("act %s %s: %v", kind, c.words[1], err), ""}
	}
	if c.format != export.Text {
		return export.Object(c.Stdout, c.format, c.now, job)
	}
	_, err = fmt.Fprintf(c.Stdout, "%s %s %s: %s\n", job.ID, job.Action, strings.Join(job.Targets, " "), job.State)
	return err
}
