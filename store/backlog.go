package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// The outbox is one list in the file. In memory each receiver has its own list
// of what waits for it, so that whoever tells one never walks over the thousands
// that wait for another one that is dead. It is made at open and moved on with
// each commit.

// backlog is what waits, by receiver, in the order in which it was said.
type backlog struct {
	sync.Mutex // guards what follows
	of         map[string][]fleet.Waiting
}

// moved is what one commit does to the outbox.
type moved struct {
	added   []fleet.Queued // without their bodies
	dropped map[uint64]bool
}

// loadBacklog reads what waits. What is damaged is left out: verify tells of it.
func (s *Store) loadBacklog(tx *bbolt.Tx) error {
	var m moved
	err := tx.Bucket(bucketOutbox).ForEach(func(k, raw []byte) error {
		v, err := unseal(k, raw)
		if err != nil || len(k) != 8 {
			return nil
		}
		if n, err := withoutBody(v); err == nil {
			m.added = append(m.added, fleet.Queued{Seq: binary.BigEndian.Uint64(k), Notice: n})
		}
		return nil
	})
	s.backlog.move(m)
	return err
}

// withoutBody reads a notice but for its body, which is nearly all of it. The
// marks are never within a text, where a quote has a backslash before it.
func withoutBody(v []byte) (n fleet.Notice, err error) {
	head, _, ok := bytes.Cut(v, []byte(`,"body":`))
	if !ok {
		err := json.Unmarshal(v, &n)
		n.Body = nil
		return n, err
	}
	err = json.Unmarshal(append(slices.Clone(head), '}'), &n)
	return n, err
}

// move takes what was committed.
func (b *backlog) move(m moved) {
	if len(m.added) == 0 && len(m.dropped) == 0 {
		return
	}
	b.Lock()
	defer b.Unlock()
	if b.of == nil {
		b.of = map[string][]fleet.Waiting{}
	}
	for _, n := range m.added {
		b.of[n.Receiver] = append(b.of[n.Receiver], fleet.Waiting{Seq: n.Seq, Key: n.Key, At: n.At, Expires: n.Expires})
	}
	if len(m.dropped) == 0 {
		return
	}
	for name, list := range b.of {
		if !holds(list, m.dropped) {
			continue
		}
		if list = slices.DeleteFunc(list, func(x fleet.Waiting) bool { return m.dropped[x.Seq] }); len(list) == 0 {
			delete(b.of, name)
			continue
		}
		b.of[name] = list
	}
}

// holds reports whether any of the places is in a list.
func holds(list []fleet.Waiting, places map[uint64]bool) bool {
	for seq := range places {
		if _, ok := slices.BinarySearchFunc(list, seq, func(x fleet.Waiting, seq uint64) int { return cmp.Compare(x.Seq, seq) }); ok {
			return true
		}
	}
	return false
}

// Backlogs returns what waits for whom, by name.
func (s *Store) Backlogs() []fleet.Backlog {
	s.backlog.Lock()
	defer s.backlog.Unlock()
	var out []fleet.Backlog
	for _, name := range slices.Sorted(maps.Keys(s.backlog.of)) {
		list := s.backlog.of[name]
		out = append(out, fleet.Backlog{Receiver: name, Waiting: len(list), Oldest: list[0].At, Newest: list[len(list)-1].Seq})
	}
	return out
}

// Waiting returns what waits for a receiver, the first said first, without
// reading it.
func (s *Store) Waiting(receiver string) []fleet.Waiting {
	s.backlog.Lock()
	defer s.backlog.Unlock()
	return slices.Clone(s.backlog.of[receiver])
}

// Notices returns what waits for a receiver after a place in the outbox, the
// first said first, at most limit. What is damaged is left out.
func (s *Store) Notices(ctx context.Context, receiver string, after uint64, limit int) ([]fleet.Queued, error) {
	seqs := s.backlog.after(receiver, after, limit)
	if len(seqs) == 0 {
		return nil, nil
	}
	var out []fleet.Queued
	err := view(s.state, func(tx *bbolt.Tx) error {
		box := tx.Bucket(bucketOutbox)
		for _, seq := range seqs {
			if err := ctx.Err(); err != nil {
				return err
			}
			k := seqKey(seq)
			raw := box.Get(k)
			if raw == nil {
				continue // it was told meanwhile
			}
			n, err := readNotice(k, raw)
			if errors.Is(err, ErrDamaged) {
				continue
			}
			if err != nil {
				return err
			}
			out = append(out, fleet.Queued{Seq: seq, Notice: n})
		}
		return nil
	})
	return out, err
}

func (b *backlog) after(receiver string, after uint64, limit int) []uint64 {
	b.Lock()
	defer b.Unlock()
	list := b.of[receiver]
	i, _ := slices.BinarySearchFunc(list, after+1, func(x fleet.Waiting, seq uint64) int { return cmp.Compare(x.Seq, seq) })
	var out []uint64
	for ; i < len(list) && len(out) < limit; i++ {
		out = append(out, list[i].Seq)
	}
	return out
}
