//go:build unix

package peerbench

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
	"plumb/internal/benchline"
	"plumb/internal/rackload"
	"plumb/store"
)

// used is what one side needed.
type used struct {
	ingest time.Duration // processor time
	commit time.Duration // that 99 batches in 100 take at most, by the machine's clock; ours alone
	bytes  int           // on disk, of the samples
	read   time.Duration // processor time of one day of one series
}

const reads = 300

// ours takes a load in and reads it. The store lives in a bubble, whose time
// passes when nothing is left to do: it keeps house as it does in a day.
func ours(t *testing.T, load *recorded) (u used) {
	synctest.Test(t, func(t *testing.T) {
		cfg := store.Defaults()
		cfg.Dir, cfg.Gather = t.TempDir(), time.Nanosecond // the load comes in batches
		s, err := store.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		var now []fleet.Readings // what the batch on its way holds
		step := func(prev *fleet.Snapshot, in []fleet.Input, _ time.Time) (*fleet.Snapshot, fleet.Output) {
			next := *prev
			out := fleet.Output{Readings: now}
			now = nil
			return &next, out
		}
		go func() { done <- s.Run(ctx, &fleet.Snapshot{Live: true}, step, nil) }()

		began := benchline.CPU()
		var commits []time.Duration
		for i, b := range load.batches {
			now = load.readings[i]
			asked := benchline.Wall()
			if err := s.Apply(t.Context(), &fleet.Observation{Target: b[0].Target, At: time.Now()}); err != nil {
				t.Fatal(err)
			}
			commits = append(commits, benchline.Wall()-asked)
			time.Sleep(rackload.Interval / time.Duration(load.fleetOf.batches))
		}
		u.ingest = benchline.CPU() - began
		slices.Sort(commits)
		u.commit = commits[len(commits)*99/100]

		// The last windows are merged too.
		for range 5 * 60 {
			now = []fleet.Readings{{Target: "clock", At: time.Now(), Keys: load.batches[0][0].Keys[:1], Values: []fleet.Num{fleet.Int(1)}}}
			if err := s.Apply(t.Context(), &fleet.Observation{Target: "clock", At: time.Now()}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		began = benchline.CPU()
		for i := range reads {
			target := load.racks.Targets[i%20]
			p, err := s.Series(t.Context(), target.Name, target.Keys[i%len(target.Keys)], begin, begin.Add(load.span), 0)
			if err != nil || len(p) < load.polls() {
				t.Fatal(len(p), err)
			}
		}
		u.read = (benchline.CPU() - began) / reads
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		u.bytes = blockPages(t, filepath.Join(cfg.Dir, "series.db"))
	})
	return u
}

// blockPages is what the pages of the raw tier take, with all that is empty in
// them.
func blockPages(t *testing.T, path string) (n int) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		st := tx.Bucket([]byte("blocks")).Stats()
		n = st.LeafAlloc + st.BranchAlloc
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
