package store

import (
	"bytes"
	"slices"
	"testing"

	"go.etcd.io/bbolt"
)

// The keys of some buckets are all that they hold, and no sum is of them. One
// that is lost, altered or too many is found by what does not agree with it.
func TestVerifyFindsMarksThatAreLostOrTooMany(t *testing.T) {
	dir := t.TempDir()
	fillEveryBucket(t, dir)
	later := func(k []byte) []byte { // by a step of the time that ends or begins it
		k = slices.Clone(k)
		k[len(k)-1]++
		return k
	}
	jobLater := func(k []byte) []byte {
		k = slices.Clone(k)
		k[7]++
		return k
	}
	for _, c := range []struct {
		name   string
		file   string
		bucket []byte
		do     func(b *bbolt.Bucket, k []byte) error
	}{
		{"an event lost", "state.db", bucketEventsOf, func(b *bbolt.Bucket, k []byte) error { return b.Delete(k) }},
		{"an event too many", "state.db", bucketEventsOf, func(b *bbolt.Bucket, k []byte) error { return b.Put(later(k), nil) }},
		{"an event that says more", "state.db", bucketEventsOf, func(b *bbolt.Bucket, k []byte) error { return b.Put(k, k) }},
		{"a job lost", "state.db", bucketJobTimes, func(b *bbolt.Bucket, k []byte) error { return b.Delete(k) }},
		{"a job a second time", "state.db", bucketJobTimes, func(b *bbolt.Bucket, k []byte) error { return b.Put(jobLater(k), nil) }},
		{"a job that says more", "state.db", bucketJobTimes, func(b *bbolt.Bucket, k []byte) error { return b.Put(k, k) }},
		{"a window lost", "series.db", bucketPending, func(b *bbolt.Bucket, k []byte) error { return b.Delete(k) }},
		{"a window too many", "series.db", bucketPending, func(b *bbolt.Bucket, k []byte) error { return b.Put(later(k), nil) }},
		{"a window that says more", "series.db", bucketPending, func(b *bbolt.Bucket, k []byte) error { return b.Put(k, k) }},
		{"notices that would have one number", "state.db", bucketOutbox, func(b *bbolt.Bucket, _ []byte) error { return b.SetSequence(b.Sequence() - 1) }},
		{"an index that counts", "state.db", bucketJobTimes, func(b *bbolt.Bucket, _ []byte) error { return b.SetSequence(1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			copied := t.TempDir()
			copyStore(t, dir, copied)
			change(t, copied, c.file, func(tx *bbolt.Tx) error {
				k, _ := tx.Bucket(c.bucket).Cursor().Last()
				if k == nil {
					t.Fatalf("bucket %s is empty", c.bucket)
				}
				return c.do(tx.Bucket(c.bucket), bytes.Clone(k))
			})
			wantDamage(t, copied, c.file)
		})
	}
}

// A bucket or a mark whose name was damaged is not one that is yet to be made:
// an empty one must not take its place.
func TestWhatHasAStrangeNameIsDamage(t *testing.T) {
	for _, c := range []struct {
		name, file string
		do         func(tx *bbolt.Tx) error
	}{
		{"a bucket of state.db", "state.db", func(tx *bbolt.Tx) error { return moveBucket(tx, bucketOrigins, []byte("orihins")) }},
		{"a bucket of series.db", "series.db", func(tx *bbolt.Tx) error { return moveBucket(tx, bucketImports, []byte("imposts")) }},
		{"the mark of the last batch", "state.db", func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucketMeta)
			v, err := unseal(keyBatch, b.Get(keyBatch))
			if err != nil {
				return err
			}
			if err := put(b, []byte("bauch"), slices.Clone(v)); err != nil {
				return err
			}
			return b.Delete(keyBatch)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			fillEveryBucket(t, dir)
			change(t, dir, c.file, c.do)
			wantDamage(t, dir, c.file)
		})
	}
}

// The last commit of a file whose newer meta page is torn is gone, and the
// store opens as of the one before. Verify says so until the next commit.
func TestVerifyFindsATornMetaPage(t *testing.T) {
	for page := range metaPages {
		for _, name := range []string{"state.db", "series.db"} {
			dir := t.TempDir()
			fillEveryBucket(t, dir)
			scribble(t, dir+"/"+name, int64(page*4096+metaOffset+20), 1)
			if r, err := Examine(t.Context(), dir); err != nil || r.OK() || r.Problems[0].File != name {
				t.Errorf("page %d of %s: %v, %v", page, name, r.Problems, err)
			}
		}
	}
}

// change does something to a file of a store that nobody has open.
func change(t *testing.T, dir, file string, do func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(dir+"/"+file, 0o600, options(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(do); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func moveBucket(tx *bbolt.Tx, from, to []byte) error {
	made, err := tx.CreateBucket(to)
	if err != nil {
		return err
	}
	if err := tx.Bucket(from).ForEach(func(k, v []byte) error { return made.Put(slices.Clone(k), slices.Clone(v)) }); err != nil {
		return err
	}
	return tx.DeleteBucket(from)
}
