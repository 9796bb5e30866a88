package store

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// unpackFixture lays a store of testdata into a directory of its own.
func unpackFixture(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	packed, err := os.ReadDir(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range packed {
		file := strings.TrimSuffix(e.Name(), ".gz")
		f, err := os.Open(filepath.Join("testdata", name, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, file), b)
	}
	return dir
}

// The store of schema 1 held ten versions of a firmware, a serial number said
// ten times, and an optic that came and went four times and is gone.
func TestStoreOfSchema1IsOpenedWithAllItKnew(t *testing.T) {
	dir := unpackFixture(t, "v1")
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, round := range []string{"migrated", "opened again"} {
		s, err := Open(t.Context(), crashConfig(dir))
		if err != nil {
			t.Fatalf("%s: %v", round, err)
		}
		if r := verifyClean(t, s); r.Rows != 2 || r.Audit.Seq != 10 || r.Records["state/gone"] != 1 || r.Records["series/pending"] == 0 {
			t.Errorf("%s: %d rows, %d entries, %d gone", round, r.Rows, r.Audit.Seq, r.Records["state/gone"])
		}
		m, err := s.Memory(t.Context())
		if err != nil || len(m.Latest()) != 2 || string(m.Latest()[0].Value) != `"2.19.9"` || string(m.Latest()[1].Value) != `"X7"` {
			t.Errorf("%s: %v, %v", round, m.Latest(), err)
		}
		if h, err := s.History(t.Context(), "server-one", fleet.TableFacts, time.Time{}); err != nil || len(h) != 11 {
			t.Errorf("%s: %d versions of facts, %v", round, len(h), err)
		}
		h, err := s.History(t.Context(), "server-one", fleet.TableEntities, time.Time{})
		if err != nil || len(h) != 8 || h[7].Value != nil || h[6].Value == nil {
			t.Errorf("%s: %v, %v", round, h, err)
		}
		for minutes, want := range map[int]string{0: `"2.19.0"`, 59: `"2.19.2"`, 600: `"2.19.9"`} {
			m, err := s.At(t.Context(), day.Add(time.Duration(minutes)*time.Minute))
			if err != nil || string(m.Latest()[0].Value) != want {
				t.Errorf("%s: after %d minutes %v, %v", round, minutes, m.Latest(), err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The stores of schema 2 and of series schemas 3 to 5 hold what fillFixture says.
func TestStoresOfLaterSchemasAreOpenedWithAllTheyKnew(t *testing.T) {
	for _, version := range []string{"v2", "v3", "v4", "v5", "v6"} {
		t.Run(version, func(t *testing.T) { opensFixture(t, unpackFixture(t, version)) })
	}
}

func opensFixture(t *testing.T, dir string) {
	for _, round := range []string{"migrated", "opened again"} {
		s, err := Open(t.Context(), crashConfig(dir))
		if err != nil {
			t.Fatalf("%s: %v", round, err)
		}
		if r := verifyClean(t, s); r.Rows != 4 || r.Audit.Seq != 10 || r.Records["state/gone"] != 1 || r.Records["state/events"] != 10 || r.Records["state/jobs"] != 10 || r.Records["state/origins"] != 1 {
			t.Errorf("%s: %d rows, %d entries, %v", round, r.Rows, r.Audit.Seq, r.Records)
		}
		for minutes, want := range map[int]string{0: `"2.19.0"`, 59: `"2.19.5"`, 600: `"2.19.9"`} {
			m, err := s.At(t.Context(), fixtureDay.Add(time.Duration(minutes)*time.Minute))
			if err != nil || len(m.Latest()) < 4 || string(m.Latest()[0].Value) != want {
				t.Errorf("%s: after %d minutes %v, %v", round, minutes, m.Latest(), err)
			}
		}
		for key, want := range map[fleet.SeriesKey]int{gauge: 48, octets: 48} {
			p, err := s.samples(t.Context(), "server-one", key, toMs(fixtureDay), toMs(fixtureDay.Add(24*time.Hour)))
			known := 0
			for _, x := range p {
				if x.v.Known {
					known++
				}
			}
			if err != nil || known != want {
				t.Errorf("%s: %d samples of %v, %v", round, known, key, err)
			}
		}
		imports, err := s.Sources(t.Context())
		if err != nil || len(imports) != 1 || imports[0].Rows != 1 {
			t.Errorf("%s: imports %v, %v", round, imports, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
