package store

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

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
		o := startKeeping(t, 60*time.Hour, testStep)
		s := o.Store
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
		days := func() []tierKey { return blocksOf(t, s, "s1", tiers[0], toMs(began)) }
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
