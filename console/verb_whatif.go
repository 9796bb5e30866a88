package console

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/views"
	"plumb/views/export"
)

// deltaRow is one row of capacity as it would be, beside what it is. Numbers are
// null where they are not known.
type deltaRow struct {
	Scope      capacity.Scope    `json:"scope"`
	ID         string            `json:"id"`
	Resource   capacity.Resource `json:"resource"`
	Class      string            `json:"class"`
	UsedBefore fleet.Num         `json:"used_before"`
	Used       fleet.Num         `json:"used"`
	Total      fleet.Num         `json:"total"`
	Unit       string            `json:"unit"`
	FreeBefore fleet.Num         `json:"free_before"`
	Free       fleet.Num         `json:"free"`
	OverBefore bool              `json:"over_before"`
	Over       bool              `json:"over"`
	Worst      string            `json:"worst"`
}

// whatIfAdd prints the rows of capacity that more servers would change. It exits
// 1 where some of them find no place, or a limit that holds today would break.
func whatIfAdd(s *fleet.Snapshot, c *verbCall) error {
	q, rack, err := views.ParseAdd(s, c.words[1:], c.flags)
	if err != nil {
		return usage("whatif add 12 --units 1 --watts 450 --in fra1", "whatif add: %v", err)
	}
	change, err := capacity.AddTo(s, q, rack)
	if errors.Is(err, capacity.ErrRack) {
		return &Failure{"unknown", err.Error(), "racks lists them"}
	} else if err != nil {
		return err
	}
	rows, breaks := []deltaRow{}, 0
	for i := range change.Deltas {
		d := &change.Deltas[i]
		if d.Breaks() {
			breaks++
		}
		rows = append(rows, deltaRow{d.After.Scope, d.After.ID, d.After.Resource, d.After.Class, d.Before.Used, d.After.Used, d.After.Total, d.After.Unit,
			d.Before.Free, d.After.Free, d.Before.Over, d.After.Over, d.After.Worst})
	}
	if err := write(c, s.At, rows); err != nil {
		return err
	}
	if change.Short > 0 || breaks > 0 {
		c.code = exitFailed
	}
	if c.format != export.Text {
		return nil
	}
	_, err = fmt.Fprintf(c.Stdout, "%d of %d would stand: %s; %d would break a limit that holds today\n", change.Placed, q.Servers, addsText(change.Adds), breaks)
	return err
}

// addsText says how many would stand where.
func addsText(adds []capacity.Add) string {
	parts := make([]string, len(adds))
	for i, a := range adds {
		parts[i] = strconv.Itoa(a.Servers) + " in " + a.Rack
	}
	if len(parts) == 0 {
		return "nowhere"
	}
	return strings.Join(parts, ", ")
}
