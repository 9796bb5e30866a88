//go:build unix

package store

import (
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"plumb/internal/benchline"
	"plumb/internal/rackload"
)

// TestMeasureFile says how large the file is for what lives in it, after four
// times the longest retention: bbolt never gives pages back, so what counts is
// that it uses them again. Every tier is kept for at least a window of its own,
// and so holds long blocks and short ones; that of hours has windows of two days
// here, not of fourteen.
func TestMeasureFile(t *testing.T) {
	measuring(t)
	usual := tiers
	defer func() { tiers = usual }()
	const day = 24 * time.Hour
	tiers[1].window = durMs(2 * day)
	measureFile(t, "store-file-over-live", 12, Retention{Raw: day, FiveMin: 2 * day, Hour: 2 * day}, rackload.Interval)
}

// TestMeasureFileOfYears is TestMeasureFile with what is kept by default, two
// years of it: a rack is polled every five minutes for eight years. It takes
// half an hour.
func TestMeasureFileOfYears(t *testing.T) {
	measuring(t)
	if os.Getenv("PLUMB_YEARS") == "" {
		t.Skip("takes half an hour: PLUMB_YEARS=1")
	}
	measureFile(t, "store-file-of-years-over-live", 1, Defaults().Retention, 5*time.Minute)
}

// measureFile polls racks for four times as long as hours are kept, and prints
// what the file is over what lives in it, and what that is made of.
func measureFile(t *testing.T, name string, racks int, keep Retention, every time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		l := rackload.New(racks)
		o := startRacks(t, l, keep)
		over := func(a, b int) float64 { return 100 * (float64(a)/float64(b) - 1) }
		for n := range 4 {
			for range int(keep.Hour / every) {
				o.pollOnce(t, l.Targets)
				time.Sleep(every)
			}
			file, alloc, inuse := o.fileUse(t)
			t.Logf("%d retentions: file %d KB, pages in use %d KB, bytes in use %d KB: %.1f %% over", n+1, file>>10, alloc>>10, inuse>>10, over(file, inuse))
		}
		file, alloc, inuse := o.fileUse(t)
		benchline.Print(
			benchline.Line{Bench: name, Value: over(file, inuse), Unit: "percent", Goal: 20},
			benchline.Line{Bench: "store-page-air", Value: over(alloc, inuse), Unit: "percent", Goal: 20},
			benchline.Line{Bench: "store-free-pages", Value: over(file, alloc), Unit: "percent", Goal: 20})
	})
}

// fileUse returns the size of series.db, what its pages in use take, and how
// much of those is filled.
func (o *opened) fileUse(t *testing.T) (file, alloc, inuse int) {
	err := o.series.View(func(tx *bbolt.Tx) error {
		file = int(tx.Size())
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			st := b.Stats()
			t.Logf("%8s: %6d KB of pages, %6d KB filled, %d leaves of which %d overflow", name, (st.LeafAlloc+st.BranchAlloc)>>10, (st.LeafInuse+st.BranchInuse)>>10, st.LeafPageN, st.LeafOverflowN)
			alloc, inuse = alloc+st.LeafAlloc+st.BranchAlloc, inuse+st.LeafInuse+st.BranchInuse
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return file, alloc, inuse
}

// TestMeasureOpenRows says what the rows that are not yet in a block take of the
// memory of a fleet of 10,000 devices.
func TestMeasureOpenRows(t *testing.T) {
	measuring(t)
	synctest.Test(t, func(t *testing.T) {
		l := rackload.New(435)
		o := startRacks(t, l, Defaults().Retention)
		before := liveHeap()
		most, rows := uint64(0), 0
		for range 18 { // of nine minutes: until windows are merged as fast as they fill
			o.pollRacks(t, l, 9*time.Minute, 5)
			if now := liveHeap() - before; now > most {
				most, rows = now, int(o.Stats().OpenRows)
			}
		}
		per := float64(most) / float64(len(l.Targets))
		t.Logf("%d devices, %d series: %d rows, %.0f bytes a device", len(l.Targets), l.Series(), rows, per)
		benchline.Print(
			benchline.Line{Bench: "store-open-device", Value: per, Unit: "bytes", Goal: 10_000},
			benchline.Line{Bench: "store-open-500000", Value: float64(most) / float64(l.Series()) * 500_000 / (1 << 20), Unit: "MiB", Goal: 100})
	})
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
