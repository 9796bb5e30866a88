package console

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"plumb/fleet"
	"plumb/fleet/security"
	"plumb/views/export"
)

// runSecurity lists the checks with what each found and could not see, or the
// findings of one.
func runSecurity(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.atMost(1); err != nil {
		return err
	}
	checks := security.Coverage(s)
	if len(c.words) == 0 {
		return write(c, s.At, checks, "fix")
	}
	i, err := c.checkOf(len(checks), func(i int) string { return checks[i].ID })
	if err != nil {
		return err
	}
	t := &checks[i]
	return c.writeCheck(s, t.ID, summary(t.Found, t.Decided, t.Passed, t.NotVisible, t.How, t.Fix))
}

// checkOf finds the check that is asked for among n, or says which is nearest.
func (c *verbCall) checkOf(n int, id func(i int) string) (int, error) {
	ids := make([]string, n)
	for i := range ids {
		if ids[i] = id(i); ids[i] == c.words[0] {
			return i, nil
		}
	}
	hint := c.Args[0] + " lists the checks"
	if near := export.Closest(ids, c.words[0]); near != "" {
		hint = "did you mean " + near + "?"
	}
	return 0, &Failure{"unknown", fmt.Sprintf("%s: no such check", fleet.Clean(c.words[0], 80)), hint}
}

// writeCheck prints the findings of a check, the worst first, and for people
// what it came to.
func (c *verbCall) writeCheck(s *fleet.Snapshot, id, summary string) error {
	rows := []export.Drift{}
	for f := range s.Findings() {
		if f.Facet == id || strings.HasPrefix(f.Facet, id+" ") {
			rows = append(rows, export.DriftOf(f, nil, c.now))
		}
	}
	slices.SortStableFunc(rows, func(a, b export.Drift) int { return int(b.Severity) - int(a.Severity) })
	if err := write(c, s.At, rows, "id", "kind", "class", "baselines", "confidence", "who", "why", "until", "stale_since", "ended_at", "facet"); err != nil {
		return err
	}
	if c.format == export.Text {
		_, err := fmt.Fprintln(c.Stdout, summary)
		return err
	}
	return nil
}

func summary(found, decided, passed, blind int, how, fix string) string {
	text := fmt.Sprintf("%d found, %d decided, %d passed, %d not visible; how: %s", found, decided, passed, blind, how)
	if fix != "" {
		text += "; fix: " + fix
	}
	return text
}
