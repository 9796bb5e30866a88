package console

import (
	"context"
	"fmt"
	"io"
	"time"

	"plumb/fleet"
	reports "plumb/fleet/report"
	"plumb/views/export"
)

const (
	autoSpan = 24 * time.Hour
	// autoEntries bounds the audit entries that the report reads.
	autoEntries = 50_000
)

// reportAuto writes what plumb did by itself and what it would have done.
func (v *Verbs) reportAuto(ctx context.Context, c *verbCall, s *fleet.Snapshot) error {
	span, err := c.span(autoSpan)
	if err != nil {
		return err
	}
	a := v.Memory.Answer(ctx, fleet.Query{Kind: fleet.QueryAudit, Span: span, Limit: autoEntries}, c.now)
	if a.Err != nil {
		return fmt.Errorf("report auto: audit: %w", a.Err)
	}
	r := reports.AutoOf(a.Audit, c.now.Add(-span), c.now)
	if c.format == export.JSON || c.format == export.NDJSON {
		return export.Object(c.Stdout, c.format, s.At, r)
	}
	_, err = io.WriteString(c.Stdout, r.Markdown())
	return err
}
