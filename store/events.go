package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// Events are kept by time, with an index by target and time and one by target
// and id. The last makes a second read of the same SEL do nothing: the first
// telling of an event stays.

// eventBound is how many events a query returns that names no limit.
const eventBound = 500

func eventKey(at time.Time, target, id string) []byte {
	b := make([]byte, 0, 8+len(target)+1+len(id))
	b = append(append(appendTime(b, at), target...), 0)
	return append(b, id...)
}

func eventOfKey(at time.Time, target, id string) []byte {
	b := make([]byte, 0, 8+len(target)+1+len(id))
	b = appendTime(append(append(b, target...), 0), at)
	return append(b, id...)
}

func nameKey(parts ...string) []byte {
	var b []byte
	for i, p := range parts {
		if i > 0 {
			b = append(b, 0)
		}
		b = append(b, p...)
	}
	return b
}

func (s *Store) putEvents(tx *bbolt.Tx, events []fleet.Event, now time.Time) error {
	for _, e := range events {
		if e.At.IsZero() {
			e.At = now
		}
		e.At = e.At.UTC().Round(0)
		value, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if e.ID == "" { // a source without ids: what it says is its id
			sum := sha256.Sum256(value)
			e.ID = hex.EncodeToString(sum[:12])
			if value, err = json.Marshal(e); err != nil {
				return err
			}
		}
		if !nameOK(e.Target) || !nameOK(e.ID) || len(value) > maxValue {
			s.stats.refused.Add(1)
			continue
		}
		if err := putEvent(tx, e, value); err != nil {
			return err
		}
	}
	return nil
}

func putEvent(tx *bbolt.Tx, e fleet.Event, value []byte) error {
	ids, idKey := tx.Bucket(bucketEventIDs), nameKey(e.Target, e.ID)
	if ids.Get(idKey) != nil {
		return nil
	}
	if err := put(ids, idKey, appendTime(nil, e.At)); err != nil {
		return err
	}
	if err := tx.Bucket(bucketEventsOf).Put(eventOfKey(e.At, e.Target, e.ID), nil); err != nil {
		return err
	}
	return put(tx.Bucket(bucketEvents), eventKey(e.At, e.Target, e.ID), value)
}

// expireEvents deletes at most n events that are older than the horizon.
func expireEvents(tx *bbolt.Tx, horizon time.Time, n int) error {
	events := tx.Bucket(bucketEvents)
	var old [][]byte
	c := events.Cursor()
	for k, _ := c.First(); k != nil && len(old) < n && readTime(k).Before(horizon); k, _ = c.Next() {
		old = append(old, slices.Clone(k))
	}
	for _, k := range old {
		target, id, ok := cut(k[8:])
		if !ok {
			return damaged("event key %x", k)
		}
		if err := events.Delete(k); err != nil {
			return err
		}
		if err := tx.Bucket(bucketEventsOf).Delete(eventOfKey(readTime(k), target, string(id))); err != nil {
			return err
		}
		if err := tx.Bucket(bucketEventIDs).Delete(nameKey(target, string(id))); err != nil {
			return err
		}
	}
	return nil
}

// eventQuery selects events with since <= at <= until, newest first.
type eventQuery struct {
	target       string // "": of all
	since, until time.Time
	limit        int
	least        fleet.Severity
}

// readEvents leaves out what is damaged, and says so with the rest.
func (s *Store) readEvents(ctx context.Context, tx *bbolt.Tx, q eventQuery) ([]fleet.Event, error) {
	if q.limit <= 0 {
		q.limit = eventBound
	}
	events := tx.Bucket(bucketEvents)
	index, prefix := events, []byte(nil)
	if q.target != "" {
		index, prefix = tx.Bucket(bucketEventsOf), nameKey(q.target, "")
	}
	var out []fleet.Event
	var h holes
	c := index.Cursor()
	for k, raw := lastAtOrBefore(c, prefix, q.until); k != nil && len(out) < q.limit; k, raw = c.Prev() {
		if !hasPrefix(k, prefix) || len(k) < len(prefix)+8 || readTime(k[len(prefix):]).Before(q.since) {
			break
		}
		if q.target != "" {
			k = eventKey(readTime(k[len(prefix):]), q.target, string(k[len(prefix)+8:]))
			raw = events.Get(k)
		}
		e, err := readEvent(k, raw)
		if err == nil && e.Severity >= q.least {
			out = append(out, e)
		}
		if err = h.pass(err, func() string { return describe(string(bucketEvents), k, k, nil) }); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	if err := h.err(); err != nil {
		s.stats.met.Store(true)
		return out, err
	}
	return out, nil
}

func readEvent(k, raw []byte) (e fleet.Event, err error) {
	v, err := unseal(k, raw)
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(v, &e); err != nil {
		return e, damaged("event %x: %w", k, err)
	}
	return e, nil
}

// lastAtOrBefore puts the cursor on the last key with the prefix whose time,
// which follows the prefix, is not after t.
func lastAtOrBefore(c *bbolt.Cursor, prefix []byte, t time.Time) (key, value []byte) {
	after := appendTime(slices.Clone(prefix), t)
	after = append(after, bytes.Repeat([]byte{0xff}, 8)...)
	if k, _ := c.Seek(after); k == nil {
		return c.Last()
	}
	return c.Prev()
}

// Events returns the events of a target ("" for all) with since <= at <=
// until, newest first. A zero since or until is open; limit 0 is 500.
func (s *Store) Events(ctx context.Context, target string, since, until time.Time, limit int) ([]fleet.Event, error) {
	if until.IsZero() {
		until = maxTime
	}
	var out []fleet.Event
	err := view(s.state, func(tx *bbolt.Tx) (err error) {
		out, err = s.readEvents(ctx, tx, eventQuery{target: target, since: since, until: until, limit: limit})
		return err
	})
	return out, err
}
