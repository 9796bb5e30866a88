package store

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

func TestObservationsFromElsewhereApplyOnce(t *testing.T) {
	dir := t.TempDir()
	var applied []uint64
	step := func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
		for _, i := range in {
			if o, ok := i.(*fleet.Observation); ok {
				applied = append(applied, o.Origin.Epoch*100+o.Origin.Seq)
			}
		}
		return testStep(prev, nil, now)
	}
	send := func(o *opened, epoch uint64, seqs ...uint64) {
		t.Helper()
		for _, seq := range seqs {
			if err := o.Apply(t.Context(), &fleet.Observation{Origin: fleet.Origin{Cell: "ams", Epoch: epoch, Seq: seq}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	o := start(t, dir, step)
	send(o, 1, 1, 2, 2, 4, 3, 4, 1)
	send(o, 2, 1, 1)
	both := &fleet.Observation{Origin: fleet.Origin{Cell: "ams", Epoch: 2, Seq: 7}}
	if err := o.Apply(t.Context(), both, both); err != nil { // twice in one batch
		t.Fatal(err)
	}
	o.stop()
	send(start(t, dir, step), 1, 4, 5, 3)
	if want := []uint64{101, 102, 104, 103, 201, 207, 105}; !slices.Equal(applied, want) {
		t.Errorf("applied %v, want %v", applied, want)
	}
}

func TestRangesStayFewAndBounded(t *testing.T) {
	var r ranges
	for seq := uint64(1); seq <= 10; seq++ {
		r, _ = r.add(seq)
	}
	if len(r) != 1 || r[0] != (seqRange{1, 10}) {
		t.Errorf("in order: %v", r)
	}
	for seq := uint64(100); seq < 100+4*maxRanges; seq += 2 {
		r, _ = r.add(seq)
	}
	if len(r) != maxRanges {
		t.Errorf("%d ranges", len(r))
	}
	if back, err := decodeRanges(r.encode()); err != nil || !slices.Equal(back, r) {
		t.Errorf("decodeRanges: %v", err)
	}
	if _, isNew := r.add(100 + 4*maxRanges - 2); isNew {
		t.Error("the newest is forgotten")
	}
}

// A watcher that never looks does not hold up the writer, and one that looks
// late gets the newest snapshot, once.
func TestWatchNeverBlocksTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := start(t, t.TempDir(), testStep)
		slow, fast := o.Watch(), o.Watch()
		defer slow.Close()
		defer fast.Close()
		for range 20 {
			if err := o.Apply(t.Context(), fleet.Tick{}); err != nil {
				t.Fatal(err)
			}
			if s, err := fast.Next(t.Context()); err != nil || s != o.Snapshot() {
				t.Fatalf("fast watcher: %v, %v", s, err)
			}
		}
		if s, err := slow.Next(t.Context()); err != nil || s != o.Snapshot() || s.Version < 20 {
			t.Fatalf("slow watcher: %+v, %v", s, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if s, err := slow.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("nothing new: %+v, %v", s, err)
		}
		woken := make(chan error)
		go func() { _, err := slow.Next(context.Background()); woken <- err }()
		synctest.Wait()
		slow.Close()
		if err := <-woken; !errors.Is(err, ErrStopped) {
			t.Errorf("Close: %v", err)
		}
		go func() { _, err := fast.Next(context.Background()); woken <- err }()
		synctest.Wait()
		o.stop()
		if err := <-woken; !errors.Is(err, ErrStopped) {
			t.Errorf("the store stops: %v", err)
		}
	})
}

func TestWakeFeedsATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ticks []time.Duration
		began := time.Now()
		o := start(t, t.TempDir(), func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
			for _, i := range in {
				if i == (fleet.Tick{}) {
					ticks = append(ticks, now.Sub(began).Truncate(time.Second))
				}
			}
			switch len(ticks) {
			case 1:
				return prev, fleet.Output{Wake: began.Add(10 * time.Second)}
			case 2:
				return prev, fleet.Output{Wake: began} // already past
			}
			return prev, fleet.Output{}
		})
		time.Sleep(time.Hour)
		synctest.Wait()
		o.stop()
		if want := []time.Duration{0, 10 * time.Second, 10 * time.Second}; !slices.Equal(ticks, want) {
			t.Errorf("ticks at %v, want %v", ticks, want)
		}
	})
}

func TestBatchesGatherButPeopleDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		cfg := testConfig(dir)
		cfg.Gather = 100 * time.Millisecond
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		var batches atomic.Int32
		o := run(t, s, dir, func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
			batches.Add(1)
			return prev, fleet.Output{}
		})
		time.Sleep(time.Second)
		before := batches.Load()
		done := make(chan error)
		for range 50 {
			go func() { done <- o.Apply(context.Background(), &fleet.Observation{}) }()
		}
		for range 50 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n := batches.Load() - before; n != 1 {
			t.Errorf("50 observations took %d batches, want 1", n)
		}
		began := time.Now()
		if err := o.Apply(t.Context(), fleet.Decision{Audit: []fleet.AuditEntry{{Who: "ann"}}}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("a decision waited %v", took)
		}
	})
}

func TestNudgesComeAfterTheCommit(t *testing.T) {
	s, err := Open(t.Context(), testConfig(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	nudged := make(chan []string, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() {
		ran <- s.Run(ctx, &fleet.Snapshot{}, func(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
			next, out := testStep(prev, in, now)
			for _, j := range out.Jobs {
				out.Nudges = append(out.Nudges, j.Targets...)
			}
			return next, out
		}, func(targets []string) {
			if jobs, err := s.Jobs(context.Background(), 0); err != nil || len(jobs) != 1 {
				t.Errorf("nudged before the job is kept: %v, %v", jobs, err)
			}
			nudged <- targets
		})
	}()
	if err := s.Apply(t.Context(), fleet.Decision{Job: &fleet.Job{ID: "j1", Targets: []string{"s1"}, State: fleet.JobAccepted, Began: day0}}); err != nil {
		t.Fatal(err)
	}
	if got := <-nudged; !slices.Equal(got, []string{"s1"}) {
		t.Errorf("nudged %v", got)
	}
	if err := s.Run(ctx, &fleet.Snapshot{}, testStep, nil); !errors.Is(err, ErrRunning) {
		t.Errorf("a second Run = %v", err)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Errorf("Run = %v", err)
	}
	if err := s.Apply(t.Context(), fleet.Tick{}); !errors.Is(err, ErrStopped) {
		t.Errorf("Apply after the end = %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error("second Close:", err)
	}
}

// What is queued when Run is told to stop is still committed.
func TestTheQueueIsCommittedAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s, err := Open(t.Context(), testConfig(dir))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 20)
		for range 20 {
			go func() {
				done <- s.Apply(context.Background(), fleet.Decision{Audit: []fleet.AuditEntry{{Who: "ann"}}})
			}()
		}
		synctest.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Run(ended, &fleet.Snapshot{}, testStep, nil); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if a, err := s.Audit(t.Context(), 0, 0); err != nil || len(a) != 20 {
			t.Errorf("%d entries, %v", len(a), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A batch that cannot be committed is refused whole, between the two commits
// too, and the next one goes through; nothing of the first is seen then or
// after a restart.
func TestAFailedCommitLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	o := start(t, dir, testStep)
	o.apply(t, payload{Readings: []fleet.Readings{reading("s1", day0, fleet.Int(1))}})
	before := o.Snapshot()

	// Without its meta bucket, state.db refuses what series.db has taken.
	swap := func(f func(tx *bbolt.Tx) error) {
		t.Helper()
		if err := o.state.Update(f); err != nil {
			t.Fatal(err)
		}
	}
	swap(func(tx *bbolt.Tx) error {
		return tx.DeleteBucket(bucketJobTimes)
	})
	bad := obs(t, payload{
		Readings: []fleet.Readings{reading("s1", day0.Add(time.Minute), fleet.Int(2))},
		Jobs:     []fleet.Job{{ID: "j", Began: day0}},
	})
	bad.Origin = fleet.Origin{Cell: "ams", Epoch: 1, Seq: 1}
	if err := o.Apply(t.Context(), bad); err == nil {
		t.Fatal("Apply = nil, and the job cannot have been kept")
	}
	if o.Snapshot() != before {
		t.Error("the snapshot of a refused batch is published")
	}
	swap(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(bucketJobTimes)
		return err
	})
	o.apply(t, payload{Audit: []fleet.AuditEntry{{Who: "ann"}}})
	if p := o.read(t, gauge, day0, day0.Add(time.Hour), 0); len(p) != 1 {
		t.Errorf("%d points, want that of the first batch alone", len(p))
	}
	o.stop()
	o = start(t, dir, testStep)
	if p := o.read(t, gauge, day0, day0.Add(time.Hour), 0); len(p) != 1 {
		t.Errorf("%d points after reopening, want 1", len(p))
	}
	if err := o.Apply(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	if p := o.read(t, gauge, day0, day0.Add(time.Hour), 0); len(p) != 2 {
		t.Errorf("%d points, want 2: what was refused was not applied, and comes again", len(p))
	}
}

func TestBackupIsAWholeStoreWhileWriting(t *testing.T) {
	o := start(t, t.TempDir(), testStep)
	ctx, cancel := context.WithCancel(t.Context())
	wrote := make(chan int)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			o.apply(t, payload{
				Readings: []fleet.Readings{reading("s1", day0.Add(time.Duration(n)*time.Second), fleet.Int(int64(n)))},
				Audit:    []fleet.AuditEntry{{Who: "ann"}},
			})
		}
		wrote <- n
	}()
	dir := t.TempDir()
	for o.Snapshot() == nil || o.Snapshot().Version < 100 {
		w := o.Watch()
		if _, err := w.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.Close()
	}
	if err := o.Backup(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := o.Backup(t.Context(), dir); !errors.Is(err, ErrExists) {
		t.Errorf("a second Backup = %v", err)
	}
	cancel()
	n := <-wrote

	b := start(t, dir, testStep)
	a, err := b.Audit(t.Context(), 0, 0)
	if err != nil || len(a) < 50 || len(a) > n {
		t.Errorf("the copy holds %d of %d entries, %v", len(a), n, err)
	}
	if p := b.read(t, gauge, day0, day0.Add(24*time.Hour), 0); len(p) != len(a) {
		t.Errorf("the copy holds %d polls and %d entries, which came together", len(p), len(a))
	}
}
