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
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
			p, err := s.tierPoints(t.Context(), s.targets.get("switch-one"), tiers[0], key, begins, begins+tiers[0].window)
			if reads := err == nil && len(p) > 0; reads != c.reads {
				t.Errorf("%d points of a series of the first piece, %v", len(p), err)
			}
			err = update(s.series, func(tx *bbolt.Tx) error { return s.expireTiers(tx, s.targets.get("switch-one"), math.MaxInt64/2) })
			if err != nil {
				t.Errorf("it stops the writer: %v", err)
			}
		})
	}
}

// The blocks of the oldest windows go, whosever they are and each with all its
// pieces, and no more in one batch than there is time for.
func TestLongBlocksGoFromTheOldest(t *testing.T) {
	longBucket(t, func(b *bbolt.Bucket) {
		width := tiers[0].window
		keys := func() (blocks []tierKey) {
			for k := range keysOf(b) {
				if key, _, err := readPieceKey(k); err != nil {
					t.Fatal(err)
				} else if !slices.Contains(blocks, key) {
					blocks = append(blocks, key)
				}
			}
			return blocks
		}
		var want []tierKey
		for day := range int64(4) {
			for target := range uint32(3) {
				key := tierKey{1, 1 + target, day * width, 1}
				if err := putLong(b, key, longTestBlock(t, 1200)); err != nil {
					t.Fatal(err)
				}
				want = append(want, key)
			}
		}
		hour := tierKey{2, 1, 0, 1}
		if err := putLong(b, hour, longTestBlock(t, 3)); err != nil {
			t.Fatal(err)
		}
		want = append(want, hour)
		for n := range 10 {
			if err := expireLong(b, tiers[0], 2*width); err != nil {
				t.Fatal(err)
			}
			want := want[min(n+1, 6):]
			if got := keys(); !slices.Equal(got, want) {
				t.Fatalf("after %d batches: %v, want %v", n+1, got, want)
			}
		}
	})
}

// What comes late and lies in a window behind the end of its long block, goes
// into a short one, and into the long one with the next window.
func TestWhatIsLateBehindALongBlockIsJoinedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t.TempDir())
		cfg.Retention = Retention{Raw: 60 * time.Hour, FiveMin: 60 * time.Hour, Hour: 60 * time.Hour}
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		o := run(t, s, cfg.Dir, testStep)
		began := time.Now().UTC() // midnight
		// The layout changes in the first day, which so has two long blocks.
		truth, last := []sample{}, wideReading("s1", began, 60).Keys[59]
		poll := func(at time.Time) {
			r := wideReading("s1", at, 60+min(1, int(at.Sub(began)/(8*time.Hour))))
			truth = append(truth, sample{toMs(at), r.Values[59]})
			o.apply(t, payload{Readings: []fleet.Readings{r}})
		}
		pollUntil := func(d time.Duration) {
			for time.Since(began) < d {
				poll(time.Now().UTC())
				time.Sleep(10 * time.Minute)
			}
		}
		days := func() (first []tierKey) {
			err := s.viewSeries(t.Context(), func(tx *bbolt.Tx) error {
				var w tierWalk
				w.begin(tiersIn(tx), tiers[0], s.targets.get("s1").id, toMs(began))
				for {
					ok, err := w.next(toMs(began) + tiers[0].window)
					if err != nil || !ok {
						return err
					}
					first = append(first, w.at.key)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			return first
		}
		pollUntil(16 * time.Hour)
		time.Sleep(8 * time.Hour)
		pollUntil(28 * time.Hour)
		if blocks := days(); len(blocks) != 2 {
			t.Fatalf("a day that is over lies in %v", blocks)
		}
		poll(began.Add(5*time.Hour + time.Second))
		pollUntil(32 * time.Hour)
		if blocks := days(); len(blocks) != 2 {
			t.Errorf("with a late poll inside of one it lies in %v", blocks)
		}
		wantWholeRows(t, s, toMs(began), truth[18])
		poll(began.Add(20 * time.Hour))
		pollUntil(36 * time.Hour)
		if blocks := days(); len(blocks) != 2 {
			t.Errorf("with a late poll it lies in %v", blocks)
		}
		compareSteps(t, s, last, 5*time.Minute, toMs(began), gaugePoints(inOrder(truth), durMs(5*time.Minute)))
	})
}

// wantWholeRows reads the long blocks of s1 with all their columns: its last
// series as of a sample, and where they are thinned.
func wantWholeRows(t *testing.T, s *Store, begins int64, want sample) {
	t.Helper()
	err := s.viewSeries(t.Context(), func(tx *bbolt.Tx) error {
		target := s.targets.get("s1")
		r := pastReader{store: s, tiers: tiersIn(tx), at: want.at}
		row, err := r.stepRow(target, tiers[0])
		if err != nil {
			return err
		}
		if len(row.Values) != 60 || row.Values[59].Float() != want.v.Float() {
			t.Errorf("as of a sample of %v: %v", want.v, row.Values)
		}
		l := levelOf(tx, target, 1, begins)
		for range 2 {
			b, ok, err := l.next(begins + tiers[0].window)
			if err != nil || !ok {
				t.Fatalf("a block to thin: %v, %v", ok, err)
			}
			if v, err := b.appendColumn(nil, b.columns-2); err != nil || slices.Contains(v, fleet.Num{}) {
				t.Errorf("means of the last series: %v, %v", v, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Schema 4 kept long blocks among the short ones. They are read, written again
// where something came late, and go when their time has passed.
func TestLongBlocksOfSchema4(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t.TempDir())
		cfg.Retention = Retention{Raw: 60 * time.Hour, FiveMin: 60 * time.Hour, Hour: 60 * time.Hour}
		open := func() *opened {
			s, err := Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			return run(t, s, cfg.Dir, testStep)
		}
		began := time.Now().UTC() // midnight
		truth := []sample{}
		o := open()
		poll := func(at time.Time) {
			v := fleet.Int(int64(len(truth) % 7))
			truth = append(truth, sample{toMs(at), v})
			o.apply(t, payload{Readings: []fleet.Readings{reading("s1", at, v)}})
		}
		pollUntil := func(d time.Duration) {
			for time.Since(began) < d {
				poll(time.Now().UTC())
				time.Sleep(2 * time.Minute)
			}
		}
		// blocks counts the long ones of the first day, by bucket.
		blocks := func() (whole, pieces int) {
			err := o.viewSeries(t.Context(), func(tx *bbolt.Tx) error {
				in := tiersIn(tx)
				for k := range keysOf(in.short) {
					if key, tier, err := readTierKey(k); err == nil && tier.id == 1 && key.window == toMs(began) {
						whole++
					}
				}
				for k := range keysOf(in.long) {
					if key, i, err := readPieceKey(k); err == nil && i == 0 && key.tier == 1 && key.window == toMs(began) {
						pieces++
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return whole, pieces
		}
		pollUntil(30 * time.Hour)
		if whole, pieces := blocks(); whole != 0 || pieces != 1 {
			t.Fatalf("%d long blocks in one, %d in pieces", whole, pieces)
		}
		o.stop()
		change(t, cfg.Dir, "series.db", asSchema4)
		o = open()
		if whole, pieces := blocks(); whole != 1 || pieces != 0 {
			t.Fatalf("as of schema 4: %d long blocks in one, %d in pieces", whole, pieces)
		}
		check := func() {
			t.Helper()
			compareSteps(t, o.Store, gauge, 5*time.Minute, toMs(began), gaugePoints(inOrder(truth), durMs(5*time.Minute)))
		}
		check()
		poll(began.Add(5*time.Hour + time.Second))
		pollUntil(52 * time.Hour)
		if whole, pieces := blocks(); whole != 1 || pieces != 0 {
			t.Errorf("after a late poll: %d long blocks in one, %d in pieces", whole, pieces)
		}
		check()
		pollUntil(120 * time.Hour)
		if whole, pieces := blocks(); whole != 0 || pieces != 0 {
			t.Errorf("past its time: %d long blocks in one, %d in pieces", whole, pieces)
		}
	})
}

// asSchema4 makes of a file one that schema 4 might have left.
func asSchema4(tx *bbolt.Tx) error {
	in := tiersIn(tx)
	for k := range keysOf(in.long) {
		key, i, err := readPieceKey(k)
		if err != nil {
			return err
		}
		if i > 0 {
			continue
		}
		var l longBlock
		if _, err := l.find(in.long, key); err != nil {
			return err
		}
		if err := l.all(); err != nil {
			return err
		}
		if err := put(in.short, key.encode(), l.whole[wholeHeadLen:]); err != nil {
			return err
		}
	}
	if err := tx.DeleteBucket(bucketLong); err != nil {
		return err
	}
	return put(tx.Bucket(bucketMeta), keySchema, []byte{4})
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
