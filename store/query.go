package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// auditBound and historyBound are how many a query returns that names no limit.
const (
	auditBound   = 500
	historyBound = 2000
)

// Answer looks up what a view asks for, as of at: Span reaches back from
// there, and a Span of 0 reaches to the beginning. Failures stand in
// Answer.Err. It may be called from any goroutine and never holds up the writer.
func (s *Store) Answer(ctx context.Context, q fleet.Query, at time.Time) (a fleet.Answer) {
	since := time.Time{}
	if q.Span > 0 {
		since = at.Add(-q.Span)
	}
	switch q.Kind {
	case fleet.QuerySeries:
		a.Points, a.Seam, a.Err = s.answerSeries(ctx, q, since, at)
		return besideDamage(a, len(a.Points))
	case fleet.QueryEvents, fleet.QueryAudit, fleet.QueryJobs, fleet.QueryHistory:
	default:
		a.Err = fmt.Errorf("store: query kind %d is not known", q.Kind)
		return a
	}
	bound := func(most int) int {
		if q.Limit > 0 {
			return q.Limit
		}
		return most
	}
	a.Err = view(s.state, func(tx *bbolt.Tx) (err error) {
		switch q.Kind {
		case fleet.QueryEvents:
			a.Events, err = s.readEvents(ctx, tx, eventQuery{target: q.Target, since: since, until: at, limit: bound(eventBound)})
		case fleet.QueryAudit:
			a.Audit, err = auditUntil(ctx, tx, since, at, bound(auditBound))
		case fleet.QueryJobs:
			a.Jobs, err = readJobs(ctx, tx, since, at, bound(jobBound), nil)
			for i := range a.Jobs {
				a.Jobs[i] = a.Jobs[i].AsOf(at)
			}
		case fleet.QueryHistory:
			a.Changes, err = readHistory(ctx, tx, q.Target, q.Table, since, at, bound(historyBound))
		}
		return err
	})
	if q.Kind != fleet.QueryAudit && !since.IsZero() {
		a.Seam = since.Before(s.keptBy().Add(-s.cfg.Retention.longest()))
	}
	return besideDamage(a, len(a.Events))
}

// besideDamage makes of an answer that failed for damage one without what is damaged,
// where something was read.
func besideDamage(a fleet.Answer, read int) fleet.Answer {
	if read > 0 && errors.Is(a.Err, ErrDamaged) {
		a.Lost, a.Err = a.Err, nil
	}
	return a
}

// answerSeries includes a sample at exactly the frame's time. Seam is set where
// the series begins after the oldest time that was asked for.
func (s *Store) answerSeries(ctx context.Context, q fleet.Query, since, at time.Time) (points []fleet.Point, seam bool, err error) {
	t := s.targets.get(q.Target)
	if t == nil {
		return nil, true, nil
	}
	oldest, ok, err := s.reach(ctx, t)
	if err != nil || !ok {
		return nil, true, err
	}
	if keep := s.cfg.Retention.of(q.Key.Kind()).longest(); keep < s.cfg.Retention.most().longest() {
		oldest = max(oldest, toMs(s.keptBy().Add(-keep))) // others of the target reach further back
	}
	seam = toMs(since) < oldest
	points, err = s.Series(ctx, q.Target, q.Key, since, at.Add(time.Millisecond), q.Step)
	if q.Limit > 0 && len(points) > q.Limit {
		points = points[len(points)-q.Limit:]
	}
	return points, seam, err
}
