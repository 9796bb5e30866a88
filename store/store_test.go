package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// The tests drive the store with a step function of their own: what a test
// wants the step to say travels inside an observation's events and facts, so
// that it passes the same doors as the real thing.

// payload is what the test step makes of one observation.
type payload struct {
	Changes  []fleet.Change
	Readings []fleet.Readings
	Events   []fleet.Event
	Jobs     []fleet.Job
	Audit    []fleet.AuditEntry
	Notices  []fleet.Notice
}

// obs wraps a payload.
func obs(t testing.TB, p payload) *fleet.Observation {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return &fleet.Observation{Target: "test", Facts: fleet.Facts{{Name: "payload", Value: string(b)}}}
}

// testStep unwraps payloads, keeps decisions, and ticks on request.
func testStep(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
	next := *prev
	next.At = now
	var out fleet.Output
	for _, i := range in {
		switch i := i.(type) {
		case *fleet.Observation:
			var p payload
			if err := json.Unmarshal([]byte(i.Facts.Get("payload")), &p); err != nil {
				panic(err)
			}
			out.Changes = append(out.Changes, p.Changes...)
			out.Readings = append(out.Readings, p.Readings...)
			out.Events = append(out.Events, p.Events...)
			out.Jobs = append(out.Jobs, p.Jobs...)
			out.Audit = append(out.Audit, p.Audit...)
			out.Notices = append(out.Notices, p.Notices...)
		case fleet.Remark:
			out.Events = append(out.Events, fleet.Event{ID: i.Kind + "@" + now.Format(time.RFC3339Nano) + i.Text, At: now, Target: "plumb", Source: "plumb", Type: i.Kind, Text: i.Text, Severity: i.Severity})
		case fleet.Decision:
			out.Audit = append(out.Audit, i.Audit...)
			if i.Job != nil {
				out.Jobs = append(out.Jobs, *i.Job)
			}
		}
	}
	return &next, out
}

// opened is a store with its writer running.
type opened struct {
	*Store
	dir  string
	stop func() // end the writer and close
}

func testConfig(dir string) Config {
	c := Defaults()
	c.Dir, c.Gather, c.Ballast = dir, time.Millisecond, -1
	return c
}

// start opens a store and runs it. When the test ends it is checked, page by
// page and record by record.
func start(t testing.TB, dir string, step StepFunc) *opened {
	t.Helper()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	return run(t, s, dir, step)
}

// startKeeping is start with a store that keeps every tier for d.
func startKeeping(t testing.TB, d time.Duration, step StepFunc) *opened {
	t.Helper()
	cfg := testConfig(t.TempDir())
	cfg.Retention = Retention{Raw: d, FiveMin: d, Hour: d}
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, s, cfg.Dir, step)
}

func run(t testing.TB, s *Store, dir string, step StepFunc) *opened {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, &fleet.Snapshot{Live: true}, step, nil) }()
	o := &opened{Store: s, dir: dir}
	stopped := false
	o.stop = func() {
		t.Helper()
		if stopped {
			return
		}
		stopped = true
		verifyClean(t, s)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		checkPages(t, s)
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	t.Cleanup(o.stop)
	return o
}

// checkPages is bbolt's own check, which knows what lies in memory too. It may
// run only while nobody writes.
func checkPages(t testing.TB, s *Store) {
	t.Helper()
	for _, db := range []*file{s.state, s.series} {
		err := db.View(func(tx *bbolt.Tx) error {
			for err := range tx.Check() {
				t.Errorf("bbolt's check of %s: %v", db.Path(), err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func verifyClean(t testing.TB, s *Store) Report {
	t.Helper()
	report, err := s.Verify(context.Background())
	if err != nil {
		t.Errorf("Verify: %v", err)
	}
	for _, p := range report.Problems {
		t.Errorf("Verify: %v", p)
	}
	return report
}

func (o *opened) apply(t testing.TB, p payload) {
	t.Helper()
	if err := o.Apply(t.Context(), obs(t, p)); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

var day0 = time.Now().UTC().Truncate(time.Hour).Add(-6 * time.Hour)

func TestAppliedIsThereAfterReopening(t *testing.T) {
	dir := t.TempDir()
	o := start(t, dir, testStep)
	keys := []fleet.SeriesKey{{Table: fleet.TableSensors, Row: "inlet"}, {Table: fleet.TablePorts, Row: "eth0", Field: fleet.FieldCounter}}
	o.apply(t, payload{
		Changes:  []fleet.Change{{Target: "s1", Table: fleet.TableFacts, Row: "model", At: day0, Value: []byte(`"R6515"`)}},
		Readings: []fleet.Readings{{Target: "s1", At: day0, Keys: keys, Values: []fleet.Num{fleet.Dec(215, -1), fleet.Int(-1)}}},
		Events:   []fleet.Event{{ID: "1", Target: "s1", At: day0, Severity: fleet.SeverityWarn, Text: "fan"}},
		Jobs: []fleet.Job{{ID: "j1", State: fleet.JobRunning, Began: day0}, {ID: "weighs", Action: fleet.ActReset, State: fleet.JobVerified, Began: day0},
			{ID: "harmless", Action: fleet.ActIdentify, State: fleet.JobVerified, Began: day0}, {ID: "old", Action: fleet.ActReset, State: fleet.JobVerified, Began: day0.Add(-30 * time.Hour)}},
		Audit: []fleet.AuditEntry{{Who: "ann", Action: "login", Outcome: "done", At: day0}},
	})
	version := o.Snapshot().Version
	o.stop()

	o = start(t, dir, testStep)
	m, err := o.Memory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.Version < version {
		t.Errorf("version %d after reopening, %d before", m.Version, version)
	}
	if len(m.Latest()) != 1 || string(m.Latest()[0].Value) != `"R6515"` || m.Latest()[0].Row != "model" || !m.Latest()[0].At.Equal(day0) {
		t.Errorf("latest = %+v", m.Latest())
	}
	if len(m.Readings) != 1 || m.Readings[0].Values[0] != fleet.Dec(215, -1) || m.Readings[0].Values[1] != fleet.Int(-1) || m.Readings[0].Keys[1] != keys[1] {
		t.Errorf("readings = %+v", m.Readings)
	}
	if len(m.Recent) != 1 || len(m.Jobs) != 2 || m.Jobs[0].ID != "weighs" || m.Jobs[1].ID != "j1" {
		t.Errorf("recent = %+v, jobs = %+v", m.Recent, m.Jobs)
	}
	points, err := o.Series(t.Context(), "s1", keys[0], day0, day0.Add(time.Hour), 0)
	if err != nil || len(points) != 1 || points[0].Mean != fleet.Dec(215, -1) {
		t.Errorf("points = %+v, %v", points, err)
	}
	if a, err := o.Audit(t.Context(), 0, 0); err != nil || len(a) != 1 || a[0].Who != "ann" {
		t.Errorf("audit = %+v, %v", a, err)
	}
}

func TestSecondProcessIsToldWhoHoldsTheStore(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, testStep)
	_, err := Open(t.Context(), testConfig(dir))
	var inUse *InUseError
	if !errors.As(err, &inUse) || !errors.Is(err, ErrInUse) || inUse.PID != os.Getpid() || inUse.Hint() == "" {
		t.Fatalf("Open = %v, want in use by %d", err, os.Getpid())
	}
}

func TestForeignAndDamagedFilesAreRefused(t *testing.T) {
	whole := func(t *testing.T) string {
		dir := t.TempDir()
		o := start(t, dir, testStep)
		for i := range 50 {
			o.apply(t, payload{Changes: []fleet.Change{{Target: fmt.Sprint(i), Row: "x", Value: make([]byte, 3000)}}})
		}
		o.stop()
		return dir
	}
	for _, c := range []struct {
		name string
		do   func(t *testing.T, path string)
		want error
	}{
		{"text", func(t *testing.T, p string) { write(t, p, []byte("hello, this is not a database at all")) }, ErrForeign},
		{"zeros", func(t *testing.T, p string) { write(t, p, make([]byte, 64<<10)) }, ErrForeign},
		{"cut", func(t *testing.T, p string) { truncate(t, p, 20<<10) }, ErrDamaged},
		{"metas", func(t *testing.T, p string) { scribble(t, p, 40, 64); scribble(t, p, 4096+40, 64) }, ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := whole(t)
			c.do(t, filepath.Join(dir, "state.db"))
			s, err := Open(t.Context(), testConfig(dir))
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, c.want) {
				t.Fatalf("Open = %v, want %v", err, c.want)
			}
			var file *FileError
			if !errors.As(err, &file) || file.Hint() == "" {
				t.Errorf("%v has no hint", err)
			}
		})
	}
	t.Run("state missing", func(t *testing.T) {
		dir := whole(t)
		if err := os.Remove(filepath.Join(dir, "state.db")); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), testConfig(dir)); !errors.Is(err, ErrDamaged) {
			t.Fatalf("Open = %v", err)
		}
	})
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, n int64) {
	t.Helper()
	if err := os.Truncate(path, n); err != nil {
		t.Fatal(err)
	}
}

func scribble(t *testing.T, path string, at, n int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, n)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	for i := range b {
		b[i] ^= 0x5a
	}
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}
