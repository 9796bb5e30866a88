package store

import (
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// A batch lies in several values. All of them come back at a start, and one that
// is missing between two others is found.
func TestABatchLiesInSeveralValues(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.pace.wal = 0 // a row each
	o := run(t, s, dir, testStep)
	names := []string{"s1", "s2", "s3"}
	var rows []fleet.Readings
	for i, name := range names {
		rows = append(rows, reading(name, day0, fleet.Int(int64(i))))
	}
	o.apply(t, payload{Readings: rows})
	if n := s.writer.wal; len(n) != 1 || n[0].values != 3 || n[0].live != 3 {
		t.Fatalf("a batch of three rows: %+v", n)
	}
	key := walKey(s.writer.wal[0].seq, 1)
	var value []byte
	write := func(f func(*bbolt.Bucket) error) {
		t.Helper()
		if err := s.series.Update(func(tx *bbolt.Tx) error { return f(tx.Bucket(bucketWAL)) }); err != nil {
			t.Fatal(err)
		}
	}
	write(func(b *bbolt.Bucket) error { value = slices.Clone(b.Get(key)); return b.Delete(key) })
	report, err := s.Verify(t.Context())
	if err != nil || len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Err.Error(), "does not follow") {
		t.Errorf("without the second value: %+v, %v", report.Problems, err)
	}
	write(func(b *bbolt.Bucket) error { return b.Put(key, value) })
	o.stop()

	again := start(t, dir, testStep)
	if n := again.writer.wal; len(n) != 1 || n[0].values != 3 || n[0].live != 3 {
		t.Errorf("after a start: %+v", n)
	}
	for i, name := range names {
		p, err := again.Series(t.Context(), name, gauge, day0, maxTime, 0)
		if err != nil || len(p) != 1 || p[0].Mean != fleet.Int(int64(i)) {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}
