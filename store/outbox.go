package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// What must be told to somebody outside lies in the outbox from the commit of
// the step that said it until the commit of the step that heard it arrived. A
// process that dies in between tells it twice and never not at all; its key
// lets the receiver know it again.

// putNotices numbers notices by the bucket's own counter, which goes on over
// restarts: they leave in the order in which they were said.
func putNotices(tx *bbolt.Tx, list []fleet.Notice, m *moved) (refused int, err error) {
	box, keys := tx.Bucket(bucketOutbox), tx.Bucket(bucketOutboxKeys)
	for _, n := range list {
		value, err := json.Marshal(n)
		if err != nil {
			return refused, err
		}
		if n.Key == "" || !nameOK(n.Key) || len(value) > maxValue {
			refused++
			continue
		}
		if keys.Get([]byte(n.Key)) != nil {
			continue // it waits already
		}
		seq, err := box.NextSequence()
		if err != nil {
			return refused, err
		}
		k := seqKey(seq)
		if err := put(box, k, value); err != nil {
			return refused, err
		}
		if err := put(keys, []byte(n.Key), slices.Clone(k)); err != nil {
			return refused, err
		}
		n.Body = nil
		m.added = append(m.added, fleet.Queued{Seq: seq, Notice: n})
	}
	return refused, nil
}

// dropNotices takes out what was delivered. A key that does not wait is none
// the worse for being named: it was named before.
func dropNotices(tx *bbolt.Tx, delivered []string, m *moved) error {
	box, keys := tx.Bucket(bucketOutbox), tx.Bucket(bucketOutboxKeys)
	for _, key := range delivered {
		raw := keys.Get([]byte(key))
		if raw == nil {
			continue
		}
		seq, err := unseal([]byte(key), raw)
		if err != nil {
			return err
		}
		if len(seq) != 8 {
			return damaged("the index of the outbox names no place")
		}
		if err := box.Delete(slices.Clone(seq)); err != nil {
			return err
		}
		if m.dropped == nil {
			m.dropped = map[uint64]bool{}
		}
		m.dropped[binary.BigEndian.Uint64(seq)] = true
		if err := keys.Delete([]byte(key)); err != nil {
			return err
		}
	}
	return nil
}

func readNotice(k, raw []byte) (n fleet.Notice, err error) {
	v, err := unseal(k, raw)
	if err != nil {
		return n, err
	}
	if err := json.Unmarshal(v, &n); err != nil {
		return n, damaged("notice %x: %v", k, err)
	}
	return n, nil
}

// Outbox returns what waits to be told, the first said first, at most limit.
func (s *Store) Outbox(ctx context.Context, limit int) ([]fleet.Notice, error) {
	var out []fleet.Notice
	err := view(s.state, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketOutbox).Cursor()
		for k, raw := c.First(); k != nil && len(out) < limit; k, raw = c.Next() {
			n, err := readNotice(k, raw)
			if err != nil {
				return err
			}
			out = append(out, n)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return nil
	})
	return out, err
}

func (v *verifier) notice(k, raw []byte) error {
	n, err := readNotice(k, raw)
	if err != nil {
		return err
	}
	at := v.state.Bucket(bucketOutboxKeys).Get([]byte(n.Key))
	if at == nil {
		return damaged("the notice is not in its index")
	}
	if seq, err := unseal([]byte(n.Key), at); err != nil || string(seq) != string(k) {
		return damaged("the index of the notice leads elsewhere")
	}
	return nil
}

func (v *verifier) noticeKey(k, raw []byte) error {
	seq, err := unseal(k, raw)
	if err != nil {
		return err
	}
	if len(seq) != 8 || binary.BigEndian.Uint64(seq) == 0 || v.state.Bucket(bucketOutbox).Get(seq) == nil {
		return damaged("the index names no notice")
	}
	return nil
}
