package console

import (
	"context"

	"plumb/fleet/lifecycle"
)

// runLifecycle lists what is looked for beside what is broken, with what each
// check found and could not see, or the findings of one.
func runLifecycle(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.atMost(1); err != nil {
		return err
	}
	checks := lifecycle.Coverage(s, c.now)
	if len(c.words) == 0 {
		return write(c, s.At, checks, "fix")
	}
	i, err := c.checkOf(len(checks), func(i int) string { return checks[i].ID })
	if err != nil {
		return err
	}
	t := &checks[i]
	return c.writeCheck(s, ofCheck(t.ID), "", summary(t.Found, t.Decided, t.Passed, t.NotVisible, t.How, t.Fix))
}
