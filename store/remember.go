package store

import (
	"context"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// readAheadTables reads the tables beside the opening of series.db. What it
// cannot read Memory reads again, and says why.
func (s *Store) readAheadTables(ctx context.Context) <-chan []fleet.Rows {
	done := make(chan []fleet.Rows, 1)
	go func() {
		var rows []fleet.Rows
		_ = view(s.state, func(tx *bbolt.Tx) (err error) {
			if rows, err = readLatest(ctx, tx); err != nil {
				rows = nil
			}
			return err
		})
		done <- rows
	}()
	return done
}

// takeAhead gives away what Open read, once, and not when Run may have changed
// it since.
func (s *Store) takeAhead() []fleet.Rows {
	s.life.Lock()
	defer s.life.Unlock()
	rows := s.ahead
	s.ahead = nil
	if s.life.running || s.life.done {
		return nil
	}
	return rows
}

// Memory returns what the store remembers: the newest of every row, reading
// and job that weighs, for the engine to make the first snapshot from. It is called before
// Run; later it gives the present.
func (s *Store) Memory(ctx context.Context) (fleet.Memory, error) {
	var m fleet.Memory
	err := view(s.state, func(tx *bbolt.Tx) error {
		mark, err := readMark(tx)
		if err != nil {
			return err
		}
		last := s.lastBatch(mark)
		m.Version, m.At = last.Seq, last.At
		if m.Tables = s.takeAhead(); m.Tables == nil {
			if m.Tables, err = readLatest(ctx, tx); err != nil {
				return err
			}
		}
		weighs := func(j *fleet.Job) bool { return j.Weighs(m.At) }
		if m.Jobs, err = readJobs(ctx, tx, time.Time{}, maxTime, 0, weighs); err != nil {
			return err
		}
		m.Recent, err = s.readEvents(ctx, tx, eventQuery{until: maxTime, limit: fleet.MaxRecent, least: fleet.SeverityWarn})
		return s.skipDamage(err)
	})
	if err == nil {
		m.Readings, err = s.lastReadings(ctx)
	}
	return m, err
}

// lastReadings decodes the newest row of every target. Targets of one layout
// share one slice of keys.
func (s *Store) lastReadings(ctx context.Context) ([]fleet.Readings, error) {
	s.targets.mu.RLock()
	defer s.targets.mu.RUnlock()
	out := make([]fleet.Readings, 0, len(s.targets.list))
	for _, t := range s.targets.list {
		if t.last.layout == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r := fleet.Readings{Target: t.name, At: fromMs(t.last.at), Keys: t.last.layout.keys, Values: make([]fleet.Num, len(t.last.layout.keys))}
		if err := readBody(t.last.body, r.Values); err == nil {
			out = append(out, r)
		} else if err = s.skipDamage(err); err != nil {
			return nil, err
		}
	}
	return out, nil
}
