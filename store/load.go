package store

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// batchMark is what state.db says of the last batch that it had a part in. It is
// the truth about which of those happened.
type batchMark struct {
	seq   uint64
	at    time.Time
	audit AuditHead
}

func (m batchMark) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, m.seq)
	b = appendTime(b, m.at)
	b = binary.BigEndian.AppendUint64(b, m.audit.Seq)
	return append(b, m.audit.Hash...)
}

func readMark(tx *bbolt.Tx) (m batchMark, err error) {
	raw := tx.Bucket(bucketMeta).Get(keyBatch)
	m.audit.Hash = firstPrev
	if raw == nil {
		return m, nil
	}
	b, err := unseal(keyBatch, raw)
	if err != nil {
		return m, err
	}
	return decodeMark(b)
}

func decodeMark(b []byte) (m batchMark, err error) {
	if len(b) != 24+len(firstPrev) {
		return m, damaged("the mark of the last batch has %d bytes", len(b))
	}
	m.seq, m.at = binary.BigEndian.Uint64(b), readTime(b[8:])
	m.audit = AuditHead{Seq: binary.BigEndian.Uint64(b[16:]), Hash: string(b[24:])}
	return m, nil
}

// lastBatch returns the place of the last batch that happened: that of state.db's
// mark, or one after it that series.db alone holds.
func (s *Store) lastBatch(m batchMark) Place {
	if newest := s.targets.place(); newest.Seq > m.seq {
		return newest
	}
	return Place{m.seq, m.at}
}

// loadState reads where the last batch ended, and what waits in the outbox.
func (s *Store) loadState() error {
	return view(s.state, func(tx *bbolt.Tx) error {
		m, err := readMark(tx)
		s.writer.mark, s.writer.seq = m, m.seq
		s.targets.newest, s.targets.opened = Place{m.seq, m.at}, m.seq
		if err == nil {
			err = s.writer.time.load(tx)
			s.writer.time.wall = s.clock.wall().UTC()
			s.shareDoubt()
		}
		if err == nil {
			err = s.loadBacklog(tx)
		}
		return err
	})
}

// loadSeries reads the names of targets and series and the newest rows, of batches
// that happened. Those that are older and not yet in a block loadOlder reads.
func (s *Store) loadSeries(tx *bbolt.Tx, found *openRecords) error {
	for _, load := range []func(*bbolt.Tx) error{s.loadTargets, s.loadLayouts, s.loadLast} {
		if err := load(tx); err != nil {
			return err
		}
	}
	values, err := s.writtenAhead(tx, found.wal)
	if err == nil {
		err = s.loadWAL(values)
	}
	if err != nil {
		return err
	}
	return s.loadPending(found.pending)
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
func idKey(id uint32) []byte   { return binary.BigEndian.AppendUint32(nil, id) }

// numbered calls f with each value of a bucket whose keys are 1, 2, 3 ...
func numbered(b *bbolt.Bucket, f func(value []byte) error) error {
	n := uint32(0)
	return b.ForEach(func(k, raw []byte) error {
		n++
		if len(k) != 4 || binary.BigEndian.Uint32(k) != n {
			return damaged("number %d is missing", n)
		}
		v, err := unseal(k, raw)
		if err != nil {
			return err
		}
		return f(v)
	})
}

func (s *Store) loadTargets(tx *bbolt.Tx) error {
	return numbered(tx.Bucket(bucketTargets), func(v []byte) error {
		s.targets.add(decodeTarget(v))
		return nil
	})
}

func (s *Store) loadLayouts(tx *bbolt.Tx) error {
	return numbered(tx.Bucket(bucketLayouts), func(v []byte) error {
		keys, err := decodeLayout(v)
		if err == nil {
			s.layouts.add(sha256.Sum256(v), keys)
		}
		return err
	})
}

// loadLast reads the newest row of each target that is kept.
func (s *Store) loadLast(tx *bbolt.Tx) error {
	return tx.Bucket(bucketLast).ForEach(func(k, raw []byte) error {
		v, err := unseal(k, raw)
		if err != nil {
			return err
		}
		l, r, err := decodeLast(v)
		if err != nil || len(k) != 4 {
			return damaged("newest row %x", k)
		}
		t := s.targets.byID(binary.BigEndian.Uint32(k))
		r.layout = s.layouts.get(l)
		if t == nil || r.layout == nil {
			return damaged("newest row %x of an unknown target or layout", k)
		}
		r.body = slices.Clone(r.body)
		t.last, t.kept = r, true
		return nil
	})
}

// lastSeq marks a newest row that says of which batch it is, as all do from schema
// 7 on.
const lastSeq = 1 << 31

// encodeLast writes a newest row: layout, time, batch, body.
func encodeLast(r row) []byte {
	b := binary.BigEndian.AppendUint32(nil, r.layout.id|lastSeq)
	b = binary.BigEndian.AppendUint64(b, uint64(r.at))
	b = binary.BigEndian.AppendUint64(b, r.seq)
	return append(b, r.body...)
}

// decodeLast returns a newest row, whose body is a slice of b, and its layout.
func decodeLast(b []byte) (layout uint32, r row, err error) {
	if len(b) < 12 {
		return 0, r, damaged("a newest row of %d bytes", len(b))
	}
	layout, r.at, b = binary.BigEndian.Uint32(b), int64(binary.BigEndian.Uint64(b[4:])), b[12:]
	if layout&lastSeq != 0 {
		if len(b) < 8 {
			return 0, r, damaged("a newest row of %d bytes", 12+len(b))
		}
		layout, r.seq, b = layout&^lastSeq, binary.BigEndian.Uint64(b), b[8:]
	}
	r.body = b
	return layout, r, nil
}

func (s *Store) loadPending(keys [][]byte) error {
	for _, k := range keys {
		if len(k) != windowKeyLen {
			return damaged("pending window %x", k)
		}
		t := s.targets.byID(binary.BigEndian.Uint32(k))
		if t == nil {
			return damaged("pending window %x of an unknown target", k)
		}
		window := readMs(k[4:])
		t.await(window, window+windowMs+durMs(s.pace.grace))
	}
	return nil
}
