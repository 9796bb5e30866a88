package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// longTestBlock is a block of so many series of ten steps.
func longTestBlock(t testing.TB, series int) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(series), 1))
	var times []int64
	for i := range int64(10) {
		times = append(times, i*tiers[0].step)
	}
	value, err := new(encoder).block(times, series, func(_ int, dst *cells) error {
		for range times {
			dst.add(fleet.Int(rng.Int64N(1 << 20)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// longBucket is a bucket of pieces in a file of its own.
func longBucket(t testing.TB, do func(b *bbolt.Bucket)) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "long.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket(bucketLong)
		if err == nil {
			do(b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever its length, a block comes back as it was, whole or column by column,
// and so does a shorter one in its place.
func TestLongBlockComesBackFromItsPieces(t *testing.T) {
	key, other := tierKey{tier: 1, target: 7, layout: 3}, tierKey{tier: 1, target: 7, layout: 4}
	longBucket(t, func(b *bbolt.Bucket) {
		if err := putLong(b, other, longTestBlock(t, 9)); err != nil {
			t.Fatal(err)
		}
		var l longBlock
		for _, series := range []int{1, 3, 60, 61, 62, 63, 200, 2000, 900, 64, 2} {
			value := longTestBlock(t, series)
			if err := putLong(b, key, value); err != nil {
				t.Fatal(err)
			}
			if ok, err := l.find(b, key); !ok || err != nil {
				t.Fatal(ok, err)
			}
			want, err := readBlock(value)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []int{0, series / 2, series - 1} {
				if err := l.need(c, c+1); err != nil || !bytes.Equal(l.column(c), want.column(c)) {
					t.Errorf("%d series: column %d is not what it was, %v", series, c, err)
				}
			}
			if read := len(l.has) - len(slices.DeleteFunc(slices.Clone(l.has), func(has bool) bool { return has })); series == 2000 && read > len(l.has)/2 {
				t.Errorf("three columns took %d pieces of %d", read, len(l.has))
			}
			if err := l.all(); err != nil || !bytes.Equal(l.whole[wholeHeadLen:], value) {
				t.Errorf("%d series are not what they were, %v", series, err)
			}
			n := 0
			for k := range keysOf(b) {
				if hasPrefix(k, key.whole()) {
					n++
				}
			}
			if n != len(l.has) {
				t.Errorf("%d series: %d pieces are there of %d", series, n, len(l.has))
			}
			if err := l.need(series, series+1); !errors.Is(err, ErrDamaged) {
				t.Errorf("a column behind the last: %v", err)
			}
		}
		if ok, err := l.find(b, other); !ok || err != nil || l.all() != nil {
			t.Error("the block beside it is gone")
		}
		if ok, err := l.find(b, tierKey{tier: 1, target: 7, layout: 5}); ok || err != nil {
			t.Errorf("a block that was never written: %v, %v", ok, err)
		}
	})
}

// Every byte lies in one piece, pieces differ by a byte at most, and no piece
// is longer than its room.
func TestCuts(t *testing.T) {
	for total := 1; total < 5*pieceRoom; total++ {
		c := cutsOf(total)
		if c.start(0) != 0 || c.start(c.pieces) != total {
			t.Fatalf("%d bytes: pieces from %d to %d", total, c.start(0), c.start(c.pieces))
		}
		for i := range c.pieces {
			from, end := c.start(i), c.start(i+1)
			if n := end - from; n > pieceRoom || n != total/c.pieces && n != total/c.pieces+1 {
				t.Fatalf("%d bytes: piece %d has %d", total, i, n)
			}
			if c.of(from) != i || c.of(end-1) != i {
				t.Fatalf("%d bytes: piece %d is taken for %d and %d", total, i, c.of(from), c.of(end-1))
			}
		}
	}
}

// Two of the longest pieces fill a page of the file, and one byte more would
// leave half of each empty.
func TestTwoPiecesFillAPage(t *testing.T) {
	if size := os.Getpagesize(); size != 4096 {
		t.Skipf("pages of %d bytes", size)
	}
	fill := func(more int) (pages int) {
		longBucket(t, func(b *bbolt.Bucket) {
			b.FillPercent = 1
			for i := range 100 {
				key := tierKey{tier: 1, target: 1, layout: 1}.piece(i)
				if err := b.Put(key, make([]byte, pieceRoom+2*sumLen+more)); err != nil {
					t.Fatal(err)
				}
			}
			db := b.Tx().DB()
			b.Tx().OnCommit(func() {
				if err := db.View(func(tx *bbolt.Tx) error {
					st := tx.Bucket(bucketLong).Stats()
					pages = st.LeafPageN + st.LeafOverflowN
					return nil
				}); err != nil {
					t.Error(err)
				}
			})
		})
		return pages
	}
	if n := fill(0); n > 52 {
		t.Errorf("100 pieces take %d pages", n)
	}
	if n := fill(1); n < 70 {
		t.Errorf("100 pieces of a byte more take %d pages: the bound is too low", n)
	}
}

// A piece that is missing, doubled or of another block is damage, and the
// columns that lie in others are read.
func TestAPieceThatIsNotItsOwnIsDamage(t *testing.T) {
	key, other := tierKey{tier: 1, target: 7, layout: 3}, tierKey{tier: 1, target: 7, layout: 4}
	const series = 400
	for _, c := range []struct {
		name string
		do   func(b *bbolt.Bucket, last int) error
	}{
		{"missing", func(b *bbolt.Bucket, last int) error { return b.Delete(key.piece(last)) }},
		{"another's", func(b *bbolt.Bucket, last int) error { return b.Put(key.piece(last), b.Get(other.piece(last))) }},
		{"another's, with its sum put right", func(b *bbolt.Bucket, last int) error {
			v := slices.Clone(b.Get(other.piece(last)))
			return put(b, key.piece(last), v[:len(v)-sumLen])
		}},
		{"another place's, with its sum put right", func(b *bbolt.Bucket, last int) error {
			v := slices.Clone(b.Get(key.piece(1)))
			return put(b, key.piece(last), append(v[:len(v)-sumLen], 0))
		}},
		{"empty", func(b *bbolt.Bucket, last int) error { return put(b, key.piece(last), nil) }},
		{"of a byte", func(b *bbolt.Bucket, last int) error { return b.Put(key.piece(last), []byte{1}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			longBucket(t, func(b *bbolt.Bucket) {
				value := longTestBlock(t, series)
				for i, k := range []tierKey{key, other} {
					if err := putLong(b, k, longTestBlock(t, series+i)); err != nil {
						t.Fatal(err)
					}
				}
				want, err := readBlock(value)
				if err != nil {
					t.Fatal(err)
				}
				var l longBlock
				if _, err := l.find(b, key); err != nil {
					t.Fatal(err)
				}
				if err := c.do(b, len(l.has)-1); err != nil {
					t.Fatal(err)
				}
				if _, err := l.find(b, key); err != nil {
					t.Fatal(err)
				}
				if err := l.need(5, 6); err != nil || !bytes.Equal(l.column(5), want.column(5)) {
					t.Errorf("a column of other pieces: %v", err)
				}
				for name, err := range map[string]error{"the last column": l.need(series-1, series), "all": l.all()} {
					if !errors.Is(err, ErrDamaged) {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		})
	}
}

// What a first piece says of the length of the whole is believed only as far as
// there can be one, and of its head only where the block agrees.
func TestAFirstPieceMayNotSayAnything(t *testing.T) {
	key := tierKey{tier: 1, target: 7, layout: 3}
	values, err := key.cut(longTestBlock(t, 3))
	if err != nil || len(values) != 1 {
		t.Fatal(len(values), err)
	}
	for _, c := range []struct {
		name        string
		total, head int64 // -1: as it is
	}{{"4 GiB", math.MaxUint32, -1}, {"nothing", 0, 0}, {"a head alone", 8, 8}, {"a head longer than the whole", -1, math.MaxUint32}, {"a head too short", -1, 9}, {"a head too long", -1, 60}, {"a byte more", int64(len(values[0])), -1}} {
		longBucket(t, func(b *bbolt.Bucket) {
			v := slices.Clone(values[0][:len(values[0])-sumLen])
			if c.total >= 0 {
				binary.BigEndian.PutUint32(v[sumLen:], uint32(c.total))
			}
			if c.head >= 0 {
				binary.BigEndian.PutUint32(v[sumLen+4:], uint32(c.head))
			}
			if err := put(b, key.piece(0), v); err != nil {
				t.Fatal(err)
			}
			var l longBlock
			if _, err := l.find(b, key); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %v", c.name, err)
			}
			if cap(l.whole) > 1<<20 {
				t.Errorf("%s: room for %d bytes", c.name, cap(l.whole))
			}
		})
	}
}

// FuzzPieces reads a block of two pieces that say anything, behind sums that
// are right.
func FuzzPieces(f *testing.F) {
	key := tierKey{tier: 1, target: 7, layout: 3}
	values, err := key.cut(longTestBlock(f, 100))
	if err != nil || len(values) < 2 {
		f.Fatal(len(values), err)
	}
	f.Add(values[0][:len(values[0])-sumLen], values[1][:len(values[1])-sumLen])
	whole, err := key.cut(longTestBlock(f, 3))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[0][:len(whole[0])-sumLen], []byte{})
	f.Add([]byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9, 2}, []byte{0, 0, 0, 0, 1})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 13, 0, 0, 0, 8, 2, 1, 1, 1, 1}, []byte{})
	db, err := bbolt.Open(filepath.Join(f.TempDir(), "long.db"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	f.Fuzz(func(t *testing.T, first, second []byte) {
		tx, err := db.Begin(true)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		b, err := tx.CreateBucket(bucketLong)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range [][]byte{first, second} {
			if err := put(b, key.piece(i), slices.Clone(v)); err != nil {
				t.Fatal(err)
			}
		}
		var l longBlock
		ok, err := l.find(b, key)
		wantDamaged(t, err)
		if !ok || err != nil {
			return
		}
		for c := range min(l.columns, 64) {
			if err := l.need(c, c+1); err != nil {
				wantDamaged(t, err)
				continue
			}
			_, err := l.appendColumn(nil, c)
			wantDamaged(t, err)
		}
		wantDamaged(t, l.need(l.columns-1, l.columns+1))
		wantDamaged(t, l.all())
	})
}
