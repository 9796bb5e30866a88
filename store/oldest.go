package store

import (
	"context"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// Oldest returns the earliest moment that At can show: the first at which any
// target was judged, but none that lies before what is kept; zero where none
// has been. Readings that were imported reach further back: of their time
// nothing else is known. It looks at every target: ask it once, not for each
// key.
func (s *Store) Oldest(ctx context.Context) (at time.Time, err error) {
	err = view(s.state, func(tx *bbolt.Tx) error {
		history, read := tx.Bucket(bucketHistory).Cursor(), newTableReader(tx)
		return tables(ctx, tx, func(target string, table fleet.TableID, v []byte) error {
			if table != fleet.TableStatus {
				return nil
			}
			return read.each(v, func(r tableRow) {
				for _, t := range [...]int64{r.at, firstVersion(history, rowKey(target, table, r.name), r.at)} {
					if t := time.Unix(0, t).UTC(); at.IsZero() || t.Before(at) {
						at = t
					}
				}
			})
		})
	})
	if horizon := s.keptBy().Add(-s.cfg.Retention.longest()); !at.IsZero() && at.Before(horizon) {
		at = horizon
	}
	return at, err
}

// firstVersion is when the earliest version of a row was written that the
// history holds, or otherwise.
func firstVersion(history *bbolt.Cursor, row []byte, otherwise int64) int64 {
	k, _ := history.Seek(append(row, 0))
	if k == nil || len(k) != len(row)+9 || !hasPrefix(k, append(row, 0)) {
		return otherwise
	}
	_, at, err := readPastKey(k)
	if err != nil {
		return otherwise
	}
	return at
}
