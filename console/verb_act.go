package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"plumb/console/remedy"
	"plumb/fleet"
	"plumb/fleet/plan"
	"plumb/views"
	"plumb/views/export"
)

// runAct asks for an action on one or more targets. By verb there is nobody to
// confirm, so a reason is asked for instead; everything else is judged as for a
// key.
func runAct(ctx context.Context, v *Verbs, c *verbCall) error {
	if v.Execute == nil {
		return &Failure{"unavailable", "act: this process does not act", ""}
	}
	s, err := v.snapshot()
	if err != nil {
		return err
	}
	e, err := actAsked(c, s)
	if err != nil {
		return err
	}
	if c.flags["dry-run"] != "" {
		return v.dryRun(c, e)
	}
	if e.Reason == "" {
		return usage(`act `+strings.Join(c.words, " ")+` --reason "..."`, "act: needs --reason: it is what the audit log will say")
	}
	job, err := v.Execute(ctx, c.Caller, e)
	if err != nil {
		return refusal(c, err)
	}
	return v.tell(ctx, c, job)
}

// actAsked reads ACTION TARGET... NAME=VALUE...: what names an argument of the
// action is one, all other words are targets.
func actAsked(c *verbCall, s *fleet.Snapshot) (e views.Execute, err error) {
	if len(c.words) < 2 {
		return e, usage("help act", "act: needs ACTION and TARGET")
	}
	e = views.Execute{Action: fleet.ActionKind(c.words[0]), Reason: c.flags["reason"], Typed: c.flags["serial"], BreakGlass: c.flags["break-glass"] != "", Version: s.Version}
	spec := e.Action.Spec()
	if spec == nil {
		var names []string
		for i := range fleet.Actions {
			names = append(names, string(fleet.Actions[i].Kind))
		}
		hint := strings.Join(names, " ")
		if near := export.Closest(names, c.words[0]); near != "" {
			hint = "did you mean " + near + "?"
		}
		return e, &Failure{"unknown", fmt.Sprintf("act: %s: no such action", fleet.Clean(c.words[0], 40)), hint}
	}
	for _, w := range c.words[1:] {
		name, value, is := strings.Cut(w, "=")
		if is && spec.HasArg(name) {
			if e.Args == nil {
				e.Args = map[string]string{}
			}
			e.Args[name] = value
			continue
		}
		e.Targets = append(e.Targets, w)
	}
	if len(e.Targets) == 0 {
		return e, usage("help act", "act %s: names no target", e.Action)
	}
	if spec.On <= fleet.OnPort || spec.On == fleet.OnHost { // a device is part of its name: say which is nearest
		for _, t := range e.Targets {
			device, _, _ := strings.Cut(t, "/")
			if spec.On == fleet.OnHost {
				device = t // it may be CLOUD/HOST
			}
			if _, err := deviceOf(s, device); err != nil {
				return e, err
			}
		}
	}
	return e, nil
}

// tell prints a job, with --wait when it is over.
func (v *Verbs) tell(ctx context.Context, c *verbCall, job fleet.Job) (err error) {
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
	if n := len(job.Steps); n > 0 && (c.flags["wait"] != "" || job.State == fleet.JobProposed) {
		text = ": " + job.Steps[n-1].Text
	}
	if job.State == fleet.JobProposed {
		text += "; an admin may say: approve " + job.ID
	}
	_, err = fmt.Fprintf(c.Stdout, "%s %s %s: %s%s\n", job.ID, job.Action, strings.Join(job.Targets, " "), job.State, text)
	return err
}

// dryRun prints the plan: what would be done, and what speaks against it.
func (v *Verbs) dryRun(c *verbCall, e views.Execute) error {
	if v.Plan == nil {
		return &Failure{"unavailable", "act --dry-run: this process makes no plans", ""}
	}
	p := v.Plan(c.Caller, e)
	if p.Stops() != nil {
		c.code = exitFailed
	}
	if c.format != export.Text {
		return export.Object(c.Stdout, c.format, c.now, p)
	}
	_, err := io.WriteString(c.Stdout, planText(&p))
	return err
}

// planText is a plan as people read it.
func planText(p *fleet.Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, danger %d of 3, plan %s\n", p.Action, p.Danger, p.Hash)
	for _, t := range p.Targets {
		fmt.Fprintf(&b, "  %s  %s", t.ID, t.Place)
		if t.Serial != "" {
			fmt.Fprintf(&b, "  serial %s", t.Serial)
		}
		fmt.Fprintf(&b, "  %s", t.Before)
		if t.After != "" {
			fmt.Fprintf(&b, " -> %s", t.After)
		}
		b.WriteByte('\n')
	}
	for _, id := range p.Reverts {
		fmt.Fprintf(&b, "puts right: %s\n", id)
	}
	if len(p.Waves) > 1 {
		fmt.Fprintf(&b, "waves: %s\n", strings.Trim(fmt.Sprint(p.Waves), "[]"))
	}
	for _, l := range [...]struct {
		label string
		ids   []string
	}{{"lost", p.Lost}, {"no longer redundant", p.Weaker}} {
		if len(l.ids) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", l.label, strings.Join(l.ids, " "))
		}
	}
	for _, h := range p.Services {
		fmt.Fprintf(&b, "service %s: %d -> %d replicas, floor %d\n", h.Service, h.Before, h.After, h.Floor)
	}
	for _, g := range p.Guards {
		fmt.Fprintf(&b, "%-8s %-10s %s\n", g.Verdict, g.ID, g.Text)
	}
	if p.Undo != "" {
		fmt.Fprintf(&b, "undo: %s\n", p.Undo)
	} else {
		b.WriteString("undo: none\n")
	}
	switch want := plan.Challenge(p); {
	case p.Stops() != nil:
		b.WriteString("would be refused; nothing was done\n")
	case p.NeedsApproval() && want != "":
		fmt.Fprintf(&b, "would wait for a second person; needs --serial %q; nothing was done\n", want)
	case p.NeedsApproval():
		b.WriteString("would wait for a second person; nothing was done\n")
	default:
		b.WriteString("would be done; nothing was done\n")
	}
	return b.String()
}

// refusal tells a person's lack of a right from a moment that does not fit.
func refusal(c *verbCall, err error) error {
	kind := "refused"
	if errors.Is(err, remedy.ErrDenied) {
		kind = "denied"
	}
	hint := ""
	if c.Args[0] == "act" {
		hint = "add --dry-run for the whole plan"
	}
	return &Failure{kind, fmt.Sprintf("%s %s: %v", c.Args[0], fleet.Clean(strings.Join(c.words, " "), 120), err), hint}
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
			if j.ID == job.ID && j.State.Over() {
				return j, nil
			}
		}
	}
}
