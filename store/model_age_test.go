package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"plumb/fleet"
)

// What the twin knows of age: what the store must still have, and what it must
// no longer have once it was let work.

// drawRetention lets one run keep everything, and another hours.
func drawRetention(t *rapid.T) Retention {
	if rapid.Bool().Draw(t, "keeps all") {
		return Defaults().Retention
	}
	return Retention{Raw: 4 * time.Hour, FiveMin: 6 * time.Hour, Hour: 8 * time.Hour}
}

// horizon is the time since when everything that is kept so long is there.
func (m *twin) horizon(keep time.Duration) time.Time { return time.Now().UTC().Add(-keep) }

// age lets the longest retention pass, and then enough batches for all that is
// too old to be found and deleted.
func (m *twin) age(t *rapid.T) {
	longest := m.keeps.longest()
	if longest > 24*time.Hour {
		return // years of hours would be longer than a test
	}
	time.Sleep(longest + time.Hour)
	for range 40 {
		time.Sleep(2 * time.Second)
		var p payload
		for _, target := range modelTargets {
			p.Readings = append(p.Readings, m.drawReadings(t, target, m.now()))
		}
		m.apply(t, modelObs(p))
		m.rows(t) // state.db is swept when it has a part in a batch
	}
	m.checkNothingOld(t)
	maps.DeleteFunc(m.events, func(_ string, e fleet.Event) bool { return e.At.Before(m.horizon(longest)) }) // they may be told again
}

func (m *twin) checkNothingOld(t *rapid.T) {
	since := m.horizon(m.keeps.longest())
	err := view(m.s.state, func(tx *bbolt.Tx) error {
		if k, _ := tx.Bucket(bucketEvents).Cursor().First(); k != nil && readTime(k).Before(since) {
			t.Errorf("an event of %v is left", readTime(k))
		}
		if n := keysBefore(tx.Bucket(bucketInventoryTimes), appendTime(nil, since)); n > 1 {
			t.Errorf("%d inventories of before %v are left, want the last alone", n, since)
		}
		versions := map[string]int{}
		err := tx.Bucket(bucketHistory).ForEach(func(k, _ []byte) error {
			row, at, err := readPastKey(k)
			if err == nil && at < unixNano(since) {
				versions[string(row)]++
			}
			return err
		})
		for row, n := range versions {
			if n > 1 {
				t.Errorf("%d versions of %q from before %v are left, want the last alone", n, row, since)
			}
		}
		if err != nil {
			return err
		}
		return tx.Bucket(bucketGone).ForEach(func(k, raw []byte) error {
			at, err := readGone(k, raw)
			if err == nil && at < unixNano(since) {
				t.Errorf("%q, gone since %v, is not forgotten", k, fromNs(at))
			}
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	m.checkNoOldBlocks(t)
}

func (m *twin) checkNoOldBlocks(t *rapid.T) {
	kept := func(level int) int64 { return toMs(m.horizon(0)) - m.keeps.most().at(level) }
	err := m.s.viewSeries(context.Background(), func(tx *bbolt.Tx) error {
		for k := range keysOf(tx.Bucket(bucketBlocks)) {
			if key, err := readBlockKey(k); err != nil || key.window+windowMs < kept(0)-durMs(time.Hour) {
				t.Errorf("a block of %v is left, %v", fromMs(key.window), err)
			}
		}
		for k := range keysOf(tx.Bucket(bucketTiers)) {
			key, tier, err := readTierKey(k)
			if err != nil || key.window+tier.window < kept(int(key.tier))-durMs(time.Hour) {
				t.Errorf("a block of tier %d of %v is left, %v", key.tier, fromMs(key.window), err)
			}
		}
		for k := range keysOf(tx.Bucket(bucketLong)) {
			key, _, err := readPieceKey(k)
			if err != nil || key.window+tiers[key.tier-1].window < kept(int(key.tier))-durMs(time.Hour) {
				t.Errorf("a long block of tier %d of %v is left, %v", key.tier, fromMs(key.window), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// keysOf ranges over the keys of a bucket.
func keysOf(b *bbolt.Bucket) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		c := b.Cursor()
		for k, _ := c.First(); k != nil && yield(k); k, _ = c.Next() {
		}
	}
}

func keysBefore(b *bbolt.Bucket, end []byte) (n int) {
	for k := range keysOf(b) {
		if string(k) < string(end) {
			n++
		}
	}
	return n
}

// intention is an inventory and since when it is in force.
type intention struct {
	since time.Time
	name  string
}

func (m *twin) intend(t *rapid.T) {
	x := intention{m.now(), rapid.SampledFrom([]string{"ams", "fra", "lhr"}).Draw(t, "inventory")}
	if rapid.IntRange(0, 3).Draw(t, "clock") == 0 {
		x.since = x.since.Add(-time.Hour) // a clock that went back
	}
	inv := &fleet.Inventory{Regions: []fleet.RegionSpec{{Name: x.name}}}
	if err := m.s.KeepInventory(context.Background(), inv, x.since); err != nil {
		t.Fatal(err)
	}
	if n := len(m.intended); n > 0 {
		last := m.intended[n-1]
		if last.name == x.name {
			return
		}
		if !x.since.After(last.since) {
			x.since = last.since.Add(1)
		}
	}
	m.intended = append(m.intended, x)
}

// checkIntended compares what was in force at a time: before the first that is
// kept it is the first.
func (m *twin) checkIntended(t *rapid.T) {
	if len(m.intended) == 0 {
		return
	}
	at := time.Now().UTC().Add(-time.Duration(rapid.IntRange(-2, 400).Draw(t, "minutes ago")) * time.Minute)
	want := m.intended[0].name
	if i := slices.IndexFunc(m.intended, func(x intention) bool { return x.since.After(at) }); i > 0 {
		want = m.intended[i-1].name
	} else if i < 0 {
		want = m.intended[len(m.intended)-1].name
	}
	id, err := m.s.InventoryAt(at)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := m.s.Inventory(id)
	if err != nil || inv.Regions[0].Name != want {
		t.Fatalf("in force at %v: %+v, want %s, %v", at, inv, want, err)
	}
}
