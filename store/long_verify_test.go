package store

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// What is wrong with a long block is said once, by whose points and of when
// they are, and the series that lie in other pieces are read.
func TestVerifySaysOnceWhatIsWrongWithALongBlock(t *testing.T) {
	from := t.TempDir()
	fillEveryBucket(t, from)
	for _, c := range []struct {
		name  string
		do    func(b *bbolt.Bucket, key tierKey, last int) error
		reads bool // what lies in the other pieces
		says  string
	}{
		{"the first is missing", func(b *bbolt.Bucket, key tierKey, _ int) error { return b.Delete(key.piece(0)) }, false, "begins with piece 1"},
		{"one is missing", func(b *bbolt.Bucket, key tierKey, last int) error { return b.Delete(key.piece(last - 1)) }, true, "is missing"},
		{"two are missing", func(b *bbolt.Bucket, key tierKey, last int) error {
			return errors.Join(b.Delete(key.piece(last-1)), b.Delete(key.piece(last-2)))
		}, true, "is missing"},
		{"the last is missing", func(b *bbolt.Bucket, key tierKey, last int) error { return b.Delete(key.piece(last)) }, true, "is missing"},
		{"one too many", func(b *bbolt.Bucket, key tierKey, last int) error {
			return put(b, key.piece(last+1), slices.Clone(b.Get(key.piece(last))))
		}, true, "of"},
		{"the first is torn", func(b *bbolt.Bucket, key tierKey, _ int) error { return b.Put(key.piece(0), []byte("torn")) }, false, "checksum"},
		{"one is torn", func(b *bbolt.Bucket, key tierKey, last int) error { return b.Put(key.piece(last-1), make([]byte, 99)) }, true, "checksum"},
		{"one is another's", func(b *bbolt.Bucket, key tierKey, last int) error {
			v := slices.Clone(b.Get(key.piece(last)))
			v[0]++
			return put(b, key.piece(last), v[:len(v)-sumLen])
		}, true, "of another block"},
		{"one says something else", func(b *bbolt.Bucket, key tierKey, last int) error {
			v := slices.Clone(b.Get(key.piece(last)))
			v[len(v)-sumLen-1]++
			return put(b, key.piece(last), v[:len(v)-sumLen])
		}, true, "the block fails its checksum"},
		{"a strange key", func(b *bbolt.Bucket, key tierKey, _ int) error {
			return put(b, append(key.piece(0), 0), []byte("a piece"))
		}, true, "piece key"},
		{"a key before all", func(b *bbolt.Bucket, key tierKey, _ int) error {
			return put(b, append(key.piece(0)[:13], 0), []byte("a piece"))
		}, true, "piece key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			copyStore(t, from, dir)
			var begins int64
			change(t, dir, "series.db", func(tx *bbolt.Tx) error {
				b := tx.Bucket(bucketLong)
				k, _ := b.Cursor().Last()
				key, last, err := readPieceKey(k)
				if err != nil || last < 4 {
					t.Fatalf("the last is piece %d, %v", last, err)
				}
				begins = key.window
				return c.do(b, key, last)
			})
			s, err := Open(t.Context(), testConfig(dir))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			r, err := s.Verify(t.Context())
			if err != nil || len(r.Problems) != 1 {
				t.Fatalf("%d problems: %v, %v", len(r.Problems), r.Problems, err)
			}
			if p := r.Problems[0]; !strings.HasPrefix(p.What, "points of 5m0s of switch-one from ") || !strings.Contains(p.Err.Error(), c.says) {
				t.Errorf("%v, want %q", p, c.says)
			}
			key := wideReading("switch-one", day0, 1).Keys[0]
			in := seriesReader{Store: s, t: s.targets.get("switch-one"), key: key}
			p, err := in.tierPoints(t.Context(), tiers[0], begins, begins+tiers[0].window)
			if reads := err == nil && in.holes.n == 0 && len(p) > 0; reads != c.reads {
				t.Errorf("%d points of a series of the first piece, %v", len(p), err)
			}
			err = update(s.series, func(tx *bbolt.Tx) error { return s.expireTiers(tx, s.targets.get("switch-one"), math.MaxInt64/2) })
			if err != nil {
				t.Errorf("it stops the writer: %v", err)
			}
		})
	}
}
