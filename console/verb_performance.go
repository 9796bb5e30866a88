package console

import (
	"context"
	"fmt"

	"plumb/fleet"
	"plumb/fleet/performance"
	"plumb/views/export"
)

// runPerformance lists the checks of what works and works worse than it did, with
// what each found, learns still and could not see, or the findings of one.
func runPerformance(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.atMost(1); err != nil {
		return err
	}
	region := c.flags["region"]
	if err := knownRegion(s, region); err != nil {
		return err
	}
	checks := performance.CoverageIn(s, region)
	if len(c.words) == 0 {
		return c.writeLearners(s, checks)
	}
	i, err := c.checkOf(len(checks), func(i int) string { return checks[i].ID })
	if err != nil {
		return err
	}
	t, check := &checks[i], performance.CheckOf(checks[i].ID)
	text := t.Says() + ": " + fmt.Sprintf("%d learning still, ", t.Learning) + summary(t.Found, t.Decided, t.Passed, t.NotVisible, t.How, t.Fix)
	return c.writeCheck(s, check.Of, region, text)
}

// learnerLine is a check as people read it, a word first.
type learnerLine struct {
	ID         string         `json:"id"`
	Severity   fleet.Severity `json:"severity"`
	Says       string         `json:"says"`
	Passed     int            `json:"passed"`
	Found      int            `json:"found"`
	Decided    int            `json:"decided"`
	Learning   int            `json:"learning"`
	NotVisible int            `json:"not_visible"`
	How        string         `json:"how"`
}

func (c *verbCall) writeLearners(s *fleet.Snapshot, checks []performance.Tally) error {
	if c.format != export.Text {
		return write(c, s.At, checks)
	}
	rows := make([]learnerLine, len(checks))
	for i := range checks {
		t := &checks[i]
		rows[i] = learnerLine{t.ID, t.Severity, t.Says(), t.Passed, t.Found, t.Decided, t.Learning, t.NotVisible, t.How}
	}
	return write(c, s.At, rows)
}
