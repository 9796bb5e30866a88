//go:build unix

package store

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
	"plumb/internal/benchline"
	"plumb/internal/rackload"
)

// The load of whole racks over days is polled in the bubble's time: the store
// keeps house as it would, with every window merged when it is due, and the
// days pass as fast as the machine can write them.

// rackStep makes readings of the observations it is given.
func rackStep(l *rackload.Load) StepFunc {
	return func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
		next := *prev
		var out fleet.Output
		for _, i := range in {
			if o, ok := i.(*fleet.Observation); ok {
				out.Readings = append(out.Readings, l.Get(o.Target).Poll(o.At))
			}
		}
		return &next, out
	}
}

// startRacks runs a store that keeps house as a real one does. It must be
// called in a bubble.
func startRacks(t *testing.T, l *rackload.Load, keep Retention) *opened {
	cfg := testConfig(t.TempDir())
	cfg.Gather, cfg.Retention = time.Nanosecond, keep
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, s, cfg.Dir, rackStep(l))
}

// pollRacks polls every target once a minute for so long, in so many batches.
func (o *opened) pollRacks(t *testing.T, l *rackload.Load, d time.Duration, batches int) {
	every := rackload.Interval / time.Duration(batches)
	for n := range int(d / every) {
		var some []*rackload.Target
		for i := n % batches; i < len(l.Targets); i += batches {
			some = append(some, l.Targets[i])
		}
		o.pollOnce(t, some)
		time.Sleep(every)
	}
}

// pollOnce polls targets in one batch.
func (o *opened) pollOnce(t *testing.T, targets []*rackload.Target) {
	var in []fleet.Input
	for _, target := range targets {
		in = append(in, &fleet.Observation{Target: target.Name, At: time.Now()})
	}
	if err := o.Apply(t.Context(), in...); err != nil {
		t.Fatal(err)
	}
}

// rawUse is what the raw tier needs.
type rawUse struct {
	samples, value, pages int
	bySize                map[int][2]int // columns of the layout -> samples, bytes
}

func (o *opened) rawUse(t testing.TB, merged bool) (u rawUse) {
	u.bySize = map[int][2]int{}
	err := o.series.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketBlocks)
		st := b.Stats()
		u.pages = st.LeafAlloc + st.BranchAlloc
		return b.ForEach(func(k, raw []byte) error {
			s, err := openStored(k, raw)
			if err != nil {
				return err
			}
			n := s.rows * s.columns
			u.samples, u.value = u.samples+n, u.value+len(raw)
			x := u.bySize[s.columns]
			u.bySize[s.columns] = [2]int{x[0] + n, x[1] + len(raw)}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestMeasureRawTier says what a sample of a realistic rack costs in the file,
// pages and all, after a day in which windows have merged. One round is enough:
// sizes have no noise.
func TestMeasureRawTier(t *testing.T) {
	measuring(t)
	benchline.Print(benchline.Median(1, func() (lines []benchline.Line) {
		synctest.Test(t, func(t *testing.T) {
			l := rackload.New(1)
			o := startRacks(t, l, Defaults().Retention)
			o.pollRacks(t, l, 26*time.Hour, 5)
			u := o.rawUse(t, true)
			t.Logf("%d samples, %.3f B by value, %.3f B with pages", u.samples, float64(u.value)/float64(u.samples), float64(u.pages)/float64(u.samples))
			for n, x := range u.bySize {
				t.Logf("%4d columns: %.3f B a sample", n, float64(x[1])/float64(x[0]))
			}
			lines = []benchline.Line{{Bench: "store-raw-sample", Value: float64(u.pages) / float64(u.samples), Unit: "bytes", Goal: 0.8}}
		})
		return lines
	})...)
}

func measuring(t *testing.T) {
	t.Helper()
	if os.Getenv("PLUMB_BENCH") == "" {
		t.Skip("a measurement, and a benchmark cannot have a bubble: make bench-store")
	}
}
