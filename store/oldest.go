package store

import (
	"context"
	"time"
)

// Oldest returns the earliest moment of which readings are kept, of whatever
// target and in whatever tier, or zero where nothing has been read yet. It
// looks at every target: ask it now and then, not for each key.
func (s *Store) Oldest(ctx context.Context) (time.Time, error) {
	first, found := int64(0), false
	for _, t := range s.targets.all() {
		ms, ok, err := s.reach(ctx, t)
		if err != nil {
			return time.Time{}, err
		}
		if ok && (!found || ms < first) {
			first, found = ms, true
		}
		if err := ctx.Err(); err != nil {
			return time.Time{}, err
		}
	}
	if !found {
		return time.Time{}, nil
	}
	return fromMs(first), nil
}
