package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"
)

// How far the audit log, and readings, have been told outside is kept with them:
// whoever tells goes on from there, and what was told and not yet kept is told
// again.

// keySent is the mark of it: destination -> a number that only grows, JSON. It
// is there once something was sent.
var keySent = []byte("sent")

// maxDestinations bounds the destinations that are remembered. There are far
// fewer at a time (two of the audit log, two marks of each of eight receivers of
// readings): the rest had other names once, and where there is no room one of
// those is forgotten.
const maxDestinations = 64

// sent says that a destination has everything up to a number.
type sent struct {
	to  string
	seq uint64
}

// Sent returns up to which number a destination is known to have what it is
// told, such as entries of the audit log; 0: nothing.
func (s *Store) Sent(to string) (seq uint64, err error) {
	s.asked.Store(to, nil)
	err = view(s.state, func(tx *bbolt.Tx) error {
		all, err := readSent(tx)
		seq = all[to]
		return err
	})
	return seq, err
}

// ErrDestinations says that as many destinations are in use as can be remembered,
// and that a new one is not.
var ErrDestinations = errors.New("too many destinations are remembered")

// KeepSent records how far a destination has what it is told. It never goes back.
// Run must be running. Of a destination too many it returns [ErrDestinations].
func (s *Store) KeepSent(ctx context.Context, to string, seq uint64) error {
	s.asked.Store(to, nil)
	err := view(s.state, func(tx *bbolt.Tx) error {
		all, err := readSent(tx)
		if _, known := all[to]; err == nil && !known && len(all) >= maxDestinations && s.unused(all) == "" {
			return fmt.Errorf("%w: %d", ErrDestinations, len(all))
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.submit(ctx, &request{sent: &sent{to, seq}, done: make(chan error, 1)})
}

// unused is a destination that nobody has asked for since the store was opened;
// "": all are in use.
func (s *Store) unused(all map[string]uint64) string {
	for _, to := range slices.Sorted(maps.Keys(all)) {
		if _, used := s.asked.Load(to); !used {
			return to
		}
	}
	return ""
}

func readSent(tx *bbolt.Tx) (map[string]uint64, error) {
	all := map[string]uint64{}
	raw := tx.Bucket(bucketMeta).Get(keySent)
	if raw == nil {
		return all, nil
	}
	v, err := unseal(keySent, raw)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(v, &all); err != nil {
		return nil, damaged("the mark of what was sent: %v", err)
	}
	return all, nil
}

func (s *Store) putSent(tx *bbolt.Tx, list []*sent) error {
	if len(list) == 0 {
		return nil
	}
	all, err := readSent(tx)
	if err != nil {
		return err
	}
	for _, x := range list {
		if _, known := all[x.to]; !known && len(all) >= maxDestinations {
			delete(all, s.unused(all))
		}
		if _, known := all[x.to]; known || len(all) < maxDestinations {
			all[x.to] = max(all[x.to], x.seq)
		}
	}
	value, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return put(tx.Bucket(bucketMeta), keySent, value)
}
