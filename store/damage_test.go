package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// One byte of one live record of each bucket is turned over in the file, in
// every copy of it that the file holds. Opening or verifying must say so, name
// the file, and never panic.
func TestVerifyFindsAFlippedByteInEveryBucket(t *testing.T) {
	dir := t.TempDir()
	fillEveryBucket(t, dir)
	for _, file := range []struct {
		name    string
		buckets [][]byte
	}{
		{"state.db", append(slices.Clone(stateBuckets), bucketMeta)},
		{"series.db", append(slices.Clone(seriesBuckets), bucketMeta)},
	} {
		records := firstRecords(t, filepath.Join(dir, file.name), file.buckets)
		for _, bucket := range file.buckets {
			rec, ok := records[string(bucket)]
			if !ok {
				t.Errorf("%s: bucket %s is empty", file.name, bucket)
				continue
			}
			for _, where := range []string{"key", "value"} {
				if where == "value" && len(rec.value) == 0 {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", file.name, bucket, where), func(t *testing.T) {
					copied := t.TempDir()
					copyStore(t, dir, copied)
					flipInFile(t, filepath.Join(copied, file.name), rec, where)
					wantDamage(t, copied, file.name)
				})
			}
		}
	}
}

func fillEveryBucket(t testing.TB, dir string) {
	t.Helper()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.pace = pace{rows: 4, spread: 1, age: time.Hour, grace: 0}
	o := run(t, s, dir, testStep)
	const day, span = 24 * time.Hour, 200 * time.Minute
	begin := day0 // no midnight lies in what is polled of a day, whatever the hour is
	if next := begin.Truncate(day).Add(day); begin.Add(span).After(next) {
		begin = next.Add(-span)
	}
	for i := range 20 { // of two days: the second joins the short blocks of the first
		at := begin.Add(time.Duration(i%10)*span/10 - time.Duration(1-i/10)*day)
		o.apply(t, payload{Readings: []fleet.Readings{wideReading("switch-one", at, 120)}})
	}
	for i := range 10 {
		at := begin.Add(time.Duration(i) * span / 10)
		o.apply(t, payload{
			Changes: []fleet.Change{
				{Target: "server-one", Row: "firmware", At: at, Value: []byte(fmt.Sprintf(`"2.19.%d"`, i))},
				{Target: "server-one", Row: fmt.Sprintf("module-%d", i), At: at}, // gone
				{Target: fmt.Sprintf("server-%d", i%2), Table: fleet.TableSensors, Row: "20.0.01", At: at, Value: []byte(fmt.Sprintf(`{"name":"Inlet Temp %d"}`, i/2))},
			},
			Readings: []fleet.Readings{reading("server-one", at, fleet.Int(int64(7000+i*i)), fleet.Int(int64(i)<<40))},
			Events:   []fleet.Event{{ID: fmt.Sprintf("event-%04d", i), Target: "server-one", At: at, Text: "fan failure"}},
			Jobs:     []fleet.Job{{ID: fmt.Sprintf("job-%04d", i), Began: at, State: fleet.JobVerified}},
			Audit:    []fleet.AuditEntry{{Who: fmt.Sprintf("operator-%04d", i), At: at}},
			Notices:  []fleet.Notice{{Key: fmt.Sprintf("notice-%04d", i), Receiver: "pager", At: at, Body: []byte("fan failure")}},
		})
	}
	if err := o.Apply(t.Context(), &fleet.Observation{Facts: fleet.Facts{{Name: "payload", Value: "{}"}}, Origin: fleet.Origin{Cell: "amsterdam", Epoch: 77, Seq: 1234567}}); err != nil {
		t.Fatal(err)
	}
	if err := o.KeepInventory(t.Context(), &fleet.Inventory{Regions: []fleet.RegionSpec{{Name: "amsterdam"}}}, day0); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Backfill(t.Context(), "sim-history", slices.Values([]fleet.Readings{reading("server-one", begin.Add(-time.Hour), fleet.Int(1))})); err != nil {
		t.Fatal(err)
	}
	o.stop()
}

// wideReading is of so many gauges, of which no two say the same: their long
// blocks have pieces.
func wideReading(target string, at time.Time, series int) fleet.Readings {
	r := fleet.Readings{Target: target, At: at}
	rng := rand.New(rand.NewPCG(uint64(at.Unix()), 1))
	for i := range series {
		r.Keys = append(r.Keys, fleet.SeriesKey{Table: fleet.TableSensors, Row: fmt.Sprintf("20.1.%04x", i)})
		r.Values = append(r.Values, fleet.Int(rng.Int64N(1<<20)))
	}
	return r
}

type record struct{ key, value []byte }

// firstRecords returns the last record of each bucket: in the fullest page.
func firstRecords(t *testing.T, path string, buckets [][]byte) map[string]record {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	out := map[string]record{}
	err = db.View(func(tx *bbolt.Tx) error {
		for _, b := range buckets {
			if k, v := tx.Bucket(b).Cursor().Last(); k != nil {
				out[string(b)] = record{bytes.Clone(k), bytes.Clone(v)}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func copyStore(t testing.TB, from, to string) {
	t.Helper()
	for _, name := range filesOf(t, from) {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(to, name), b)
	}
}

// filesOf lists the files of a store: its two databases and those of its journal.
func filesOf(t testing.TB, dir string) []string {
	t.Helper()
	names := []string{"state.db", "series.db"}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if isJournal(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// flipInFile turns over the last byte of the key or the value wherever key and
// value stand side by side, which is how a bbolt leaf holds them.
func flipInFile(t *testing.T, path string, rec record, where string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole := append(bytes.Clone(rec.key), rec.value...)
	at := len(rec.key) - 1
	if where == "value" {
		at = len(whole) - 1
	}
	n := 0
	for from := 0; ; n++ {
		i := bytes.Index(b[from:], whole)
		if i < 0 {
			break
		}
		b[from+i+at] ^= 0x10
		from += i + len(whole)
	}
	if n == 0 {
		t.Fatalf("record %q is not in the file", rec.key)
	}
	write(t, path, b)
}

func wantDamage(t *testing.T, dir, file string) {
	t.Helper()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		var fe *FileError
		if !errors.As(err, &fe) || filepath.Base(fe.Path) != file {
			t.Errorf("Open = %v, want an error about %s", err, file)
		}
		return
	}
	defer s.Close()
	report, err := s.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if report.OK() {
		t.Fatal("nothing is found")
	}
	for _, p := range report.Problems {
		if p.File != file {
			t.Errorf("%v: want %s", p, file)
		}
	}
	_, _ = s.Memory(t.Context()) // an error or not, but no panic
}
