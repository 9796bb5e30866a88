package store

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// What a table of definitions says is mostly the same for every device of one
// model. Such a set is kept once, by the hash of its bytes, with the number of
// tables that name it; the last to leave takes it along. So ten thousand
// servers of three models cost three lists of sensors on disk, and at a start
// three are decoded.

// setName is the first half of the SHA-256 of a set's bytes.
type setName [16]byte

func nameOfSet(b []byte) (n setName) {
	sum := sha256.Sum256(b)
	copy(n[:], sum[:])
	return n
}

// shares reports whether tables of an id share their sets. The others carry
// serial numbers, addresses or names of what hangs on them: no two are alike.
func shares(t fleet.TableID) bool {
	return t == fleet.TableSensors || t == fleet.TableOutlets || t == fleet.TableVLANs
}

// setStore is the shared sets of one transaction.
type setStore struct {
	sets, refs *bbolt.Bucket
}

func openSets(tx *bbolt.Tx) setStore {
	return setStore{tx.Bucket(bucketSets), tx.Bucket(bucketSetRefs)}
}

// get returns the bytes of a set, the database's own.
func (s setStore) get(name setName) ([]byte, error) {
	raw := s.sets.Get(name[:])
	if raw == nil {
		return nil, damaged("set %x is missing", name)
	}
	return unseal(name[:], raw)
}

// users returns how many tables name a set.
func (s setStore) users(name setName) (uint64, error) {
	raw := s.refs.Get(name[:])
	if raw == nil {
		return 0, nil
	}
	v, err := unseal(name[:], raw)
	if err != nil || len(v) != 8 {
		return 0, damaged("the users of set %x", name)
	}
	return binary.BigEndian.Uint64(v), nil
}

// join counts one more user of a set and keeps it where it is new.
func (s setStore) join(name setName, set []byte) error {
	n, err := s.users(name)
	if err != nil {
		return err
	}
	if n == 0 {
		if err := put(s.sets, name[:], slices.Clone(set)); err != nil {
			return err
		}
	}
	return put(s.refs, name[:], binary.BigEndian.AppendUint64(nil, n+1))
}

// leave counts one user less and lets go of a set that has none.
func (s setStore) leave(name setName) error {
	n, err := s.users(name)
	if err != nil {
		return err
	}
	if n > 1 {
		return put(s.refs, name[:], binary.BigEndian.AppendUint64(nil, n-1))
	}
	if err := s.refs.Delete(name[:]); err != nil {
		return err
	}
	return s.sets.Delete(name[:])
}

// tableReader decodes tables and each shared set once.
type tableReader struct {
	sets setStore
	seen map[setName]*fleet.RowSet
}

func newTableReader(tx *bbolt.Tx) *tableReader {
	return &tableReader{sets: openSets(tx), seen: map[setName]*fleet.RowSet{}}
}

// rows decodes a stored table.
func (r *tableReader) rows(h tableHead) (*fleet.RowSet, error) {
	if h.set != nil {
		return readSet(h.set, h.rows)
	}
	if set := r.seen[h.name]; set != nil {
		if len(set.Names) != h.rows {
			return nil, damaged("a table of %d rows shares a set of %d", h.rows, len(set.Names))
		}
		return set, nil
	}
	b, err := r.sets.get(h.name)
	if err != nil {
		return nil, err
	}
	set, err := readSet(b, h.rows)
	if err == nil {
		r.seen[h.name] = set
	}
	return set, err
}

// table decodes the value of a table.
func (r *tableReader) table(v []byte) (set *fleet.RowSet, times []int64, newest int64, err error) {
	h, err := readTable(v)
	if err != nil {
		return nil, nil, 0, err
	}
	if times, newest, err = h.times(); err != nil {
		return nil, nil, 0, err
	}
	set, err = r.rows(h)
	return set, times, newest, err
}

// each calls f with each row of a table's value.
func (r *tableReader) each(v []byte, f func(tableRow)) error {
	set, times, newest, err := r.table(v)
	if err != nil {
		return err
	}
	for i, name := range set.Names {
		at := newest
		if times != nil {
			at = times[i]
		}
		f(tableRow{name, at, set.Values[i]})
	}
	return nil
}
