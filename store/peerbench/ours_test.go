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
	samples int
	ingest  time.Duration // processor time
	commit  time.Duration // that 99 batches in 100 take at most, by the machine's clock; ours alone
	open    int64         // bytes of the values in memory that are not yet in a part; ours alone
	bytes   int           // on disk, of the samples
	read    time.Duration // processor time of one day of one series
}

const reads = 300

// ours takes a load in, and reads it where it is a day. The store lives in a
// bubble, whose time passes when nothing is left to do: it keeps house as it does
// in a day.
func ours(t *testing.T, load load) (u used) {
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
			if _, ok := in[0].(*fleet.Observation); !ok {
				return &next, fleet.Output{} // a tick
			}
			return &next, fleet.Output{Readings: now}
		}
		go func() { done <- s.Run(ctx, &fleet.Snapshot{Live: true}, step, nil) }()

		made := load.maker()
		var commits []time.Duration
		for {
			minute, ok := made.next()
			if !ok {
				break
			}
			began := benchline.CPU()
			for _, b := range minute {
				now = now[:0]
				for _, p := range b {
					now = append(now, p.Readings)
				}
				asked := benchline.Wall()
				if err := s.Apply(t.Context(), &fleet.Observation{Target: b[0].Target, At: time.Now()}); err != nil {
					t.Fatal(err)
				}
				commits = append(commits, benchline.Wall()-asked)
				time.Sleep(rackload.Interval / time.Duration(len(minute)))
			}
			u.ingest += benchline.CPU() - began
		}
		slices.Sort(commits)
		u.samples, u.commit, u.open = made.samples, commits[len(commits)*99/100], s.Stats().OpenBytes
		if load == day {
			u.read = readOurs(t, s, made, func(r fleet.Readings) { now = append(now[:0], r) })
		}
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

// readOurs has the last windows merged too, and reads.
func readOurs(t *testing.T, s *store.Store, made *maker, say func(fleet.Readings)) time.Duration {
	for range 5 * 60 {
		say(fleet.Readings{Target: "clock", At: time.Now(), Keys: made.Targets[0].Keys[:1], Values: []fleet.Num{fleet.Int(1)}})
		if err := s.Apply(t.Context(), &fleet.Observation{Target: "clock", At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
	}
	began := benchline.CPU()
	for i := range reads {
		target := made.Targets[i%20]
		p, err := s.Series(t.Context(), target.Name, target.Keys[i%len(target.Keys)], begin, begin.Add(made.span()), 0)
		if err != nil || len(p) < made.load.polls() {
			t.Fatal(len(p), err)
		}
	}
	return (benchline.CPU() - began) / reads
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
