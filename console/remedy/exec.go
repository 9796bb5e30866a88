package remedy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/runbook"
	"plumb/internal/program"
)

// execWithin is how long a program may take where its runbook does not say.
const execWithin = time.Minute

// exec runs a program of a runbook: the one that stands in the user's file, with
// arguments as they are and never through a shell, without plumb's environment,
// which may hold secrets. Its standard output is what it has to say; an exit
// code other than 0 is a failure. It is audited before and after, like an act.
func (x *bookRun) exec(ctx context.Context, m runbook.Move) (string, error) {
	if f := x.ledger.Snapshot().Freeze; f.Holds(x.now()) {
		return "", fmt.Errorf("%w: frozen by %s: %s", ErrRefused, f.By, f.Reason)
	}
	what := fleet.Clean(strings.Join(m.Argv, " "), fleet.MaxText)
	r := Request{Person: x.errand.Person, Action: "exec"}
	if err := x.auditExec(ctx, r, "begun", what); err != nil {
		return "", fmt.Errorf("%w: the audit log does not take it, so nothing was done: %w", ErrRefused, err)
	}
	text, err := execute(ctx, m.Argv, m.Within)
	outcome, said := "done", text
	if err != nil {
		outcome, said = "failed", err.Error()
	}
	if kept := x.auditExec(ctx, r, outcome, what+": "+said); kept != nil {
		x.log.Error("outcome of a program not kept", "job", x.job.ID, "err", kept)
	}
	return text, err
}

func (x *bookRun) auditExec(ctx context.Context, r Request, outcome, reason string) error {
	ctx, cancel := context.WithTimeout(ctx, keepWithin)
	defer cancel()
	return x.ledger.Apply(ctx, fleet.Decision{Audit: []fleet.AuditEntry{x.entry(r, x.errand.Target, outcome, reason)}})
}

// execute runs a program and returns the beginning of what it said.
func execute(ctx context.Context, argv []string, within time.Duration) (string, error) {
	if within == 0 {
		within = execWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	p, err := program.Run(ctx, argv, nil, nil)
	text := fleet.Clean(strings.TrimSpace(p.Out), fleet.MaxText)
	switch {
	case ctx.Err() != nil:
		return text, fmt.Errorf("%s: not done within %s", argv[0], within)
	case err != nil && p.Err != "":
		return text, fmt.Errorf("%s: %w: %s", argv[0], err, fleet.Clean(p.Err, fleet.MaxText))
	case err != nil:
		return text, fmt.Errorf("%s: %w", argv[0], err)
	case text == "":
		text = "done"
	}
	return text, nil
}
