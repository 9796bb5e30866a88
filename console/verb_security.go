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
	id := c.words[0]
	i := slices.IndexFunc(checks, func(t security.Tally) bool { return t.ID == id })
	if i < 0 {
		ids := make([]string, len(checks))
		for k := range checks {
			ids[k] = checks[k].ID
		}
		hint := "security lists the checks"
		if near := export.Closest(ids, id); near != "" {
			hint = "did you mean " + near + "?"
		}
		return &Failure{"unknown", fmt.Sprintf("%s: no such check", fleet.Clean(id, 80)), hint}
	}
	rows := []export.Drift{}
	for f := range s.Findings() {
		if f.Kind == fleet.FindSecurity && (f.Facet == id || strings.HasPrefix(f.Facet, id+" ")) {
			rows = append(rows, export.DriftOf(f, nil, c.now))
		}
	}
	slices.SortStableFunc(rows, func(a, b export.Drift) int { return int(b.Severity) - int(a.Severity) })
	if err := write(c, s.At, rows, "id", "kind", "class", "baselines", "confidence", "who", "why", "until", "stale_since", "ended_at", "facet"); err != nil {
		return err
	}
	if c.format == export.Text {
		t := checks[i]
		_, err = fmt.Fprintf(c.Stdout, "%d found, %d decided, %d passed, %d not visible; how: %s; fix: %s\n", t.Found, t.Decided, t.Passed, t.NotVisible, t.How, t.Fix)
	}
	return err
}
