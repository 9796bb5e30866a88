package console

import (
	"context"
	"fmt"
	"slices"

	"plumb/fleet/trace"
	"plumb/views/export"
)

// runCauses lists the few parts that explain what is wrong, the one that
// explains most first. Scripts get every id, people the first few.
func runCauses(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	if err := c.atMost(0); err != nil {
		return err
	}
	rows := []export.Cause{}
	for _, x := range trace.Causes(s, c.now) {
		row := causeRow(&x)
		if c.format == export.Text {
			row.Explains = firstFew(row.Explains)
		}
		rows = append(rows, row)
	}
	return write(c, s.At, rows, "also")
}

func causeRow(x *trace.Cause) export.Cause {
	row := export.NewCause(x.ID, string(x.Kind), x.Share, x.Since)
	row.State, row.Explains, row.Confidence, row.Evidence = x.State, x.Explains, x.Confidence, x.Evidence
	row.Also = []string{}
	for _, l := range x.Also {
		row.Also = append(row.Also, l.ID)
	}
	return row
}

// firstFew is a list as people read it.
func firstFew(ids []string) []string {
	if len(ids) <= membersShown {
		return ids
	}
	return append(slices.Clone(ids[:membersShown]), fmt.Sprintf("and %d more", len(ids)-membersShown))
}
