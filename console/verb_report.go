package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"plumb/fleet"
	reports "plumb/fleet/report"
	"plumb/views/export"
)

const (
	reportSpan = 30 * 24 * time.Hour
	// reportEvents bounds the events that a report reads; one that met the
	// bound says from when on it knows.
	reportEvents = 50_000
)

// runReport writes what somebody who was not there needs to know: as Markdown,
// or the same numbers as JSON.
func runReport(ctx context.Context, v *Verbs, c *verbCall) error {
	if len(c.words) != 1 || !slices.Contains([]string{"ops", "design", "auto", "handover"}, c.words[0]) {
		return usage("report ops, report handover, report design, report auto", "report: needs the word ops, handover, design or auto")
	}
	if c.format == export.CSV {
		return usage("--md or --json", "report: many tables are no CSV")
	}
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	switch c.words[0] {
	case "auto":
		return v.reportAuto(ctx, c, s)
	case "handover":
		return v.reportShift(ctx, c, s)
	}
	in, err := v.reported(ctx, c, s)
	if err != nil {
		return err
	}
	as := c.format == export.JSON || c.format == export.NDJSON
	if c.words[0] == "design" {
		d := reports.DesignOf(in)
		if as {
			return export.Object(c.Stdout, c.format, s.At, d)
		}
		_, err = io.WriteString(c.Stdout, d.Markdown())
		return err
	}
	o := reports.OpsOf(in)
	if as {
		return export.Object(c.Stdout, c.format, s.At, o)
	}
	_, err = io.WriteString(c.Stdout, o.Markdown(s))
	return err
}

// reportShift writes what whoever is called next needs to know of alerts.
func (v *Verbs) reportShift(ctx context.Context, c *verbCall, s *fleet.Snapshot) error {
	span, err := c.span(reports.ShiftSpan)
	if err != nil {
		return err
	}
	in := reports.Input{Snap: s, Now: c.now, Since: c.now.Add(-span)}
	events := v.Memory.Answer(ctx, fleet.Query{Kind: fleet.QueryEvents, Span: span, Limit: reportEvents}, c.now)
	if events.Err != nil {
		return fmt.Errorf("report handover: events: %w", events.Err)
	}
	in.Events, in.Cut, c.lost = events.Events, len(events.Events) == reportEvents, events.Lost
	r := reports.ShiftOf(in)
	if c.format == export.JSON || c.format == export.NDJSON {
		return export.Object(c.Stdout, c.format, s.At, r)
	}
	_, err = io.WriteString(c.Stdout, r.Markdown())
	return err
}

// reported gathers what a report is made of.
func (v *Verbs) reported(ctx context.Context, c *verbCall, s *fleet.Snapshot) (in reports.Input, err error) {
	span, err := c.span(reportSpan)
	if err != nil {
		return in, err
	}
	in = reports.Input{Snap: s, Now: c.now, Since: c.now.Add(-span)}
	events := v.Memory.Answer(ctx, fleet.Query{Kind: fleet.QueryEvents, Span: span, Limit: reportEvents}, c.now)
	if events.Err != nil {
		return in, fmt.Errorf("report: events: %w", events.Err)
	}
	in.Events, in.Cut, c.lost = events.Events, len(events.Events) == reportEvents, events.Lost
	jobs := v.Memory.Answer(ctx, fleet.Query{Kind: fleet.QueryJobs, Limit: eventsLimit}, c.now)
	if jobs.Err != nil {
		return in, fmt.Errorf("report: jobs: %w", jobs.Err)
	}
	in.Jobs = jobs.Jobs
	if in.Then, err = v.before(ctx, in.Since); err != nil {
		return in, err
	}
	in.Capacity = v.capacity(ctx, s, c.now)
	return in, nil
}

// before is the fleet as of a time, nil where nobody remembers it.
func (v *Verbs) before(ctx context.Context, t time.Time) (*fleet.Snapshot, error) {
	if v.At == nil {
		return nil, nil
	}
	s, err := v.At(ctx, t)
	if early := new(TooEarlyError); errors.As(err, &early) {
		return nil, nil
	}
	return s, err
}
