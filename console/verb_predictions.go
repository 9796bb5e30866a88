package console

import (
	"context"
	"fmt"

	"plumb/fleet/performance"
	"plumb/views/export"
)

// runPredictions lists what was foretold and, for people, how often that was
// right: a forecast without its record is an opinion.
func runPredictions(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.atMost(0); err != nil {
		return err
	}
	if err := write(c, s.At, export.Predictions(s), "scored"); err != nil || c.format != export.Text {
		return err
	}
	_, err = fmt.Fprintln(c.Stdout, performance.Score(s))
	return err
}
