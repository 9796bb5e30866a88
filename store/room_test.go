package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumb/fleet"
)

// smallDisk is a filesystem of its own with so many bytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := mountSmall(dir, size); err != nil {
		t.Skip("needs to mount a small tmpfs, which only root may: ", err)
	}
	t.Cleanup(func() { unmountSmall(dir) })
	return dir
}

// fillDisk leaves a disk with so many free bytes and returns how to free it.
func fillDisk(t *testing.T, dir string, leave int64) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "other-peoples-file")
	free, err := freeBytes(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := allocate(f, free-leave); err != nil {
		t.Fatal(err)
	}
	return func() { os.Remove(path) }
}

// diskStore opens a store on a small disk whose clock advances by three seconds
// with every batch: each is late enough for a retry.
func diskStore(t *testing.T, dir string, ballast, low int64, most int) *opened {
	t.Helper()
	c := testConfig(filepath.Join(dir, "db"))
	c.Ballast = ballast
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.room.low, s.writer.held.most = low, most
	began, mono := time.Now(), time.Duration(0)
	s.clock = clock{
		mono: func() time.Duration { mono += 3 * time.Second; return mono }, // the writer alone asks
		wall: func() time.Time { return began.Add(mono) },
	}
	o := run(t, s, c.Dir, testStep)
	if err := s.Apply(t.Context(), fleet.Tick{}); err != nil {
		t.Fatal(err)
	}
	return o
}

func polled(i int) fleet.Readings {
	r := fleet.Readings{Target: "s1", At: day0.Add(time.Duration(i) * time.Second)}
	for c := range 2000 {
		r.Keys = append(r.Keys, fleet.SeriesKey{Table: fleet.TableSensors, Row: strings.Repeat("x", 3) + string(rune('a'+c%26)) + time.Duration(c).String()})
		r.Values = append(r.Values, fleet.Int(int64(i*c)*7919))
	}
	return r
}

func fact(i int) fleet.Change {
	return fleet.Change{Target: "s1", Row: "fact", At: day0.Add(time.Duration(i) * time.Second), Value: bytes.Repeat([]byte{'1'}, 4000)}
}

func TestStateHasPriorityOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, "48m")
	o := diskStore(t, dir, 4<<20, 2<<20, maxHeld)
	o.room.making.Wait()
	if !o.Stats().Ballast {
		t.Fatal("there is no ballast on a disk with room for it")
	}
	for i := range 5 {
		o.apply(t, payload{Readings: []fleet.Readings{polled(i)}, Changes: []fleet.Change{fact(i)}})
	}
	empty := fillDisk(t, dir, 1<<20) // below the mark

	// Readings pause, and that is said; what matters goes on.
	ctx := t.Context()
	for i := 5; i < 300; i++ {
		err := o.Apply(ctx, obs(t, payload{Readings: []fleet.Readings{polled(i)}, Changes: []fleet.Change{fact(i)}, Events: []fleet.Event{{Target: "s1", ID: time.Duration(i).String(), At: day0}}}))
		if !errors.Is(err, ErrReadings) || !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("Apply %d = %v, want ErrReadings for want of room", i, err)
		}
		if o.Snapshot().Version < uint64(i) {
			t.Fatalf("the snapshot stands still at %d", o.Snapshot().Version)
		}
	}
	if err := o.Apply(ctx, fleet.Decision{Audit: []fleet.AuditEntry{{Who: "ann", Action: "act"}}}); err != nil {
		t.Errorf("a decision is refused while only readings are not kept: %v", err)
	}
	far := obs(t, payload{Readings: []fleet.Readings{polled(0)}, Audit: []fleet.AuditEntry{{Who: "far"}}})
	far.Origin = fleet.Origin{Cell: "ams", Epoch: 1, Seq: 1}
	if err := o.Apply(ctx, far); !errors.Is(err, ErrReadings) {
		t.Errorf("what another machine sends is taken without its readings: %v", err)
	}
	if tr := o.Trouble(); tr == nil || !tr.Readings || tr.Lost < 290*2000 {
		t.Errorf("trouble is %+v", tr)
	}
	if o.Stats().Ballast {
		t.Error("300 versions of a fact fit into one free megabyte: the ballast was never needed")
	}
	if h, err := o.History(ctx, "s1", fleet.TableFacts, time.Time{}); err != nil || len(h) != 300 {
		t.Errorf("%d versions of 300, %v", len(h), err)
	}
	verifyClean(t, o.Store)

	// Room again: it resumes by itself and says what is missing.
	empty()
	o.apply(t, payload{Readings: []fleet.Readings{polled(1000)}})
	o.apply(t, payload{}) // with this one the end is told
	if tr := o.Trouble(); tr != nil {
		t.Errorf("still in trouble: %+v", tr)
	}
	wantTold(t, o, "readings are not kept: no space left on device", "readings were not kept from ")
	if err := o.Apply(ctx, far); err != nil {
		t.Errorf("it sends it again: %v", err)
	}
	if a, err := o.Audit(ctx, 0, 0); err != nil || len(a) != 2 || a[1].Who != "far" {
		t.Errorf("audit %v, %v", a, err)
	}
	p := o.read(t, polled(0).Keys[1], day0, day0.Add(time.Hour), 0)
	if len(p) != 6 {
		t.Errorf("%d points, want five before, none meanwhile and one after", len(p))
	}
	o.room.making.Wait()
	if o.apply(t, payload{}); !o.Stats().Ballast {
		o.room.making.Wait()
		if !o.Stats().Ballast {
			t.Error("the ballast is not made again")
		}
	}
}

func TestOpenOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, "32m")
	o := diskStore(t, dir, 4<<20, 2<<20, maxHeld)
	o.room.making.Wait()
	o.stop()
	fillDisk(t, dir, 0)
	o = diskStore(t, dir, 4<<20, 2<<20, maxHeld)
	if o.Stats().Ballast {
		t.Error("the ballast is still there, and nothing else fits")
	}
	if err := o.Apply(t.Context(), fleet.Decision{Audit: []fleet.AuditEntry{{Who: "ann"}}}); err != nil {
		t.Errorf("a decision does not fit into the room of the ballast: %v", err)
	}
}

func wantTold(t *testing.T, o *opened, want ...string) {
	t.Helper()
	events, err := o.Events(t.Context(), "plumb", time.Time{}, time.Time{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range events {
		all = append(all, e.Text)
	}
	for _, w := range want {
		if n := strings.Count(strings.Join(all, "\n"), w); n != 1 {
			t.Errorf("%q is told %d times in %q", w, n, all)
		}
	}
}

// When nothing fits any more, decisions are refused, what is seen is shown, and
// what was shown is kept once there is room.
func TestWhatCannotBeKeptIsShownAndHeld(t *testing.T) {
	dir := smallDisk(t, "32m")
	o := diskStore(t, dir, -1, 0, maxHeld)
	o.apply(t, payload{Readings: []fleet.Readings{polled(0)}, Changes: []fleet.Change{fact(0)}})
	empty := fillDisk(t, dir, 256<<10)
	ctx := t.Context()
	at, version := 0, uint64(0)
	var unkept error
	for i := 1; i < 500 && at == 0; i++ {
		err := o.Apply(ctx, obs(t, payload{Changes: []fleet.Change{fact(i)}}))
		if err != nil {
			at, unkept, version = i, err, o.Snapshot().Version
		}
	}
	if at == 0 || !errors.Is(unkept, syscall.ENOSPC) || errors.Is(unkept, ErrReadings) {
		t.Fatalf("change %d: %v, want a disk that is full", at, unkept)
	}
	for i := at + 1; i < at+20; i++ {
		if err := o.Apply(ctx, obs(t, payload{Changes: []fleet.Change{fact(i)}, Readings: []fleet.Readings{polled(i)}})); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	if got := o.Snapshot().Version; got < version+19 {
		t.Errorf("the snapshot moved from %d to %d: it stands still", version, got)
	}
	job := fleet.Job{ID: "refused", Began: day0}
	if err := o.Apply(ctx, fleet.Decision{Job: &job, Audit: []fleet.AuditEntry{{Who: "ann"}}}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a decision that cannot be kept: %v", err)
	}
	if tr := o.Trouble(); tr == nil || tr.Readings || tr.Held < 20 {
		t.Errorf("trouble is %+v", tr)
	}
	if h, err := o.History(ctx, "s1", fleet.TableFacts, time.Time{}); err != nil || len(h) != at {
		t.Errorf("%d versions are kept of %d that were acknowledged, %v", len(h), at, err)
	}
	if err := o.Backup(ctx, filepath.Join(dir, "copy")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a backup into a full disk: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "copy*", "*")); len(left) > 0 {
		t.Errorf("it leaves %v", left)
	}
	verifyClean(t, o.Store)
	empty()
	if err := o.Apply(ctx, fleet.Decision{Audit: []fleet.AuditEntry{{Who: "bob"}}}); err != nil {
		t.Fatal(err)
	}
	o.apply(t, payload{})
	if h, err := o.History(ctx, "s1", fleet.TableFacts, time.Time{}); err != nil || len(h) != at+20 {
		t.Errorf("%d versions, want all %d that were shown, %v", len(h), at+20, err)
	}
	if a, err := o.Audit(ctx, 0, 0); err != nil || len(a) != 1 || a[0].Who != "bob" {
		t.Errorf("audit %v, %v: ann was told that it was refused", a, err)
	}
	if o.Trouble() != nil {
		t.Errorf("still in trouble: %+v", o.Trouble())
	}
	wantTold(t, o, "nothing was kept from ")
	o.stop()
	start(t, o.dir, testStep)
}

func TestHeldForgetsOnlyWhatWasReplaced(t *testing.T) {
	h := held{most: 100 * 4000}
	for i := range 150 {
		h.add(fleet.Output{Changes: []fleet.Change{fact(i)}})
	}
	if h.full() || len(h.out.Changes) != 1 || !h.out.Changes[0].At.Equal(fact(149).At) {
		t.Errorf("%d versions of one row are held, full is %v", len(h.out.Changes), h.full())
	}
	for i := range 150 {
		c := fact(i)
		c.Row = time.Duration(i).String()
		h.add(fleet.Output{Changes: []fleet.Change{c}})
	}
	if !h.full() || len(h.out.Changes) != 151 {
		t.Errorf("%d rows are held, full is %v: a change that is forgotten is never said again", len(h.out.Changes), h.full())
	}
}

// A snapshot must not get ahead of what can be said again.
func TestTheSnapshotStandsStillWhenTooMuchIsHeld(t *testing.T) {
	dir := smallDisk(t, "32m")
	o := diskStore(t, dir, -1, 0, 1<<20)
	o.apply(t, payload{})
	empty := fillDisk(t, dir, 0)
	last := uint64(0)
	for i := range 600 {
		c := fact(i)
		c.Row = time.Duration(i).String()
		_ = o.Apply(t.Context(), obs(t, payload{Changes: []fleet.Change{c}}))
		if v := o.Snapshot().Version; v == last && o.Trouble() != nil && o.Trouble().Frozen {
			empty()
			o.apply(t, payload{})
			if o.Trouble() != nil {
				t.Errorf("still in trouble: %+v", o.Trouble())
			}
			return
		} else {
			last = v
		}
	}
	t.Error("600 rows of 4 KB went on being shown with a megabyte to hold them")
}

// On a disk that never had room for a ballast nobody waits for its room.
func TestReadingsWaitForTheRoomOfABallastThatWasThrownOff(t *testing.T) {
	r := room{size: 32 << 20, low: 16 << 20}
	r.free.Store(40 << 20)
	if !r.ample() {
		t.Error("40 MiB are not enough where there never was a ballast")
	}
	r.path = filepath.Join(t.TempDir(), ballastName)
	r.make()
	if info, err := os.Stat(r.path); err != nil || info.Size() != r.size || !r.ballast.Load() {
		t.Fatalf("ballast %v, %v", info, err)
	}
	if !r.release() || r.ample() {
		t.Error("readings would take the room that the ballast has just left")
	}
	if r.release() {
		t.Error("it is thrown off twice")
	}
	if r.make(); !r.ample() {
		t.Error("it is there again")
	}
}

func TestErrorsOfADiskAreTold(t *testing.T) {
	for _, c := range []struct {
		err        error
		disk, full bool
	}{
		{&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, true, true},
		{errors.New("file resize error: truncate x: no space left on device"), true, true}, // bbolt's words
		{errors.New("file sync error: sync x: input/output error"), true, false},
		{syscall.EDQUOT, true, true},
		{syscall.EROFS, true, false},
		{damaged("page 7"), false, false},
		{context.Canceled, false, false},
	} {
		if err := named(c.err); ofDisk(err) != c.disk || noRoom(err) != c.full {
			t.Errorf("%v: of the disk %v, full %v", c.err, ofDisk(err), noRoom(err))
		}
	}
}
