package console

import (
	"context"
	"fmt"
	"slices"

	"plumb/fleet"
	"plumb/fleet/trace"
	"plumb/views"
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
		row := causeRow(s, &x)
		if c.format == export.Text {
			row.Explains = firstFew(named(s, row.Explains))
		}
		rows = append(rows, row)
	}
	return write(c, s.At, rows, "also")
}

// causeRow is a cause as it is written. A port that is up and drops frames is as
// bad as it makes its switch, and not ok.
func causeRow(s *fleet.Snapshot, x *trace.Cause) export.Cause {
	row := export.NewCause(x.ID, string(x.Kind), x.Share, x.Since)
	row.State, row.Explains, row.Confidence, row.Evidence = views.CauseState(s, x), x.Explains, x.Confidence, x.Evidence
	row.Also = []string{}
	for _, l := range x.Also {
		row.Also = append(row.Also, l.ID)
	}
	return row
}

// named puts the names of instances in the place of their ids.
func named(s *fleet.Snapshot, ids []string) []string {
	out := slices.Clone(ids)
	for i, id := range out {
		if x := s.Instances.Get(id); x != nil && x.Name != "" {
			out[i] = x.Name
		}
	}
	return out
}

// firstFew is a list as people read it.
func firstFew(ids []string) []string {
	if len(ids) <= membersShown {
		return ids
	}
	return append(slices.Clone(ids[:membersShown]), fmt.Sprintf("and %d more", len(ids)-membersShown))
}
