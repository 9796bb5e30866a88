package store

import (
	"encoding/binary"
	"maps"
	"slices"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// Observations from other machines carry an origin, and each (cell, epoch,
// seq) is applied once, in whatever order they come. What has been applied is
// kept as ranges: one range for a cell that delivers in order.

type ranges []seqRange

type seqRange struct{ from, to uint64 } // both inclusive

// maxRanges bounds what is kept of one epoch. Beyond it the two lowest ranges
// become one, and what was missing between them is taken as applied.
const maxRanges = 1024

// add returns the ranges with seq, and whether it was new. The receiver is not
// written.
func (r ranges) add(seq uint64) (ranges, bool) {
	i, found := slices.BinarySearchFunc(r, seq, func(x seqRange, seq uint64) int {
		switch {
		case x.to < seq:
			return -1
		case x.from > seq:
			return 1
		}
		return 0
	})
	if found {
		return r, false
	}
	out := slices.Insert(slices.Clone(r), i, seqRange{seq, seq})
	if i+1 < len(out) && out[i+1].from == seq+1 {
		out[i].to = out[i+1].to
		out = slices.Delete(out, i+1, i+2)
	}
	if i > 0 && out[i-1].to+1 == seq {
		out[i-1].to = out[i].to
		out = slices.Delete(out, i, i+1)
	}
	if len(out) > maxRanges {
		out[1].from = out[0].from
		out = out[1:]
	}
	return out, true
}

func (r ranges) encode() []byte {
	b := make([]byte, 0, 16*len(r)+sumLen)
	for _, x := range r {
		b = binary.BigEndian.AppendUint64(b, x.from)
		b = binary.BigEndian.AppendUint64(b, x.to)
	}
	return b
}

func decodeRanges(b []byte) (ranges, error) {
	if len(b)%16 != 0 || len(b) > 16*maxRanges {
		return nil, damaged("origin of %d bytes", len(b))
	}
	r := make(ranges, 0, len(b)/16)
	for ; len(b) > 0; b = b[16:] {
		x := seqRange{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
		if x.from > x.to || len(r) > 0 && x.from <= r[len(r)-1].to {
			return nil, damaged("origin ranges are out of order")
		}
		r = append(r, x)
	}
	return r, nil
}

// origins knows what was applied of each cell and epoch. It belongs to the
// writer and reads from the file what it has not yet seen.
type origins struct {
	known map[string]ranges
	fresh map[string]ranges // changed by the present batch
}

func originKey(o fleet.Origin) string {
	return string(binary.BigEndian.AppendUint64(append([]byte(o.Cell), 0), o.Epoch))
}

// take reports whether an observation is to be applied.
func (s *Store) take(o fleet.Origin) (bool, error) {
	if o.Cell == "" {
		return true, nil
	}
	if !nameOK(o.Cell) {
		s.stats.refused.Add(1)
		return false, nil
	}
	w, key := &s.writer.origins, originKey(o)
	has, ok := w.fresh[key]
	if !ok {
		has, ok = w.known[key]
	}
	if !ok {
		err := view(s.state, func(tx *bbolt.Tx) error {
			raw := tx.Bucket(bucketOrigins).Get([]byte(key))
			if raw == nil {
				return nil
			}
			v, err := unseal([]byte(key), raw)
			if err == nil {
				has, err = decodeRanges(v)
			}
			return err
		})
		if err != nil {
			return false, err
		}
	}
	next, isNew := has.add(o.Seq)
	if isNew {
		if w.fresh == nil {
			w.fresh = make(map[string]ranges)
		}
		w.fresh[key] = next
	}
	return isNew, nil
}

func (o *origins) save(tx *bbolt.Tx) error {
	for key, r := range o.fresh {
		if err := put(tx.Bucket(bucketOrigins), []byte(key), r.encode()); err != nil {
			return err
		}
	}
	return nil
}

// committed keeps what the batch changed, forget drops it.
func (o *origins) committed() {
	if o.known == nil {
		o.known = make(map[string]ranges)
	}
	maps.Copy(o.known, o.fresh)
	o.fresh = nil
}

func (o *origins) forget() { o.fresh = nil }
