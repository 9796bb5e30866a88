package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

func TestExamineWritesNothing(t *testing.T) {
	dir := t.TempDir()
	fillEveryBucket(t, dir)
	os.Remove(filepath.Join(dir, "lock"))
	before := contents(t, dir)
	report, err := Examine(t.Context(), dir)
	if err != nil || !report.OK() || report.Audit.Seq != 10 {
		t.Fatalf("Examine: %+v, %v", report, err)
	}
	after := contents(t, dir)
	if len(after) != len(before) {
		t.Errorf("files %d became %d", len(before), len(after))
	}
	for name, b := range before {
		if !bytes.Equal(after[name], b) {
			t.Errorf("%s has changed", name)
		}
	}
}

func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = b
	}
	return out
}

func TestExamineSaysWhyThereIsNothingToLookAt(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, []byte("x"))
	half := filepath.Join(dir, "half")
	foreign := filepath.Join(dir, "foreign")
	for _, d := range []string{half, foreign} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(half, "state.db"), []byte("x"))
	for _, name := range []string{"state.db", "series.db"} {
		db, err := bbolt.Open(filepath.Join(foreign, name), 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	open := start(t, filepath.Join(dir, "open"), testStep)
	for _, c := range []struct {
		dir  string
		is   error
		says string
	}{
		{filepath.Join(dir, "missing"), errNoStore, "no such directory"},
		{file, errNoStore, "it is a file"},
		{t.TempDir(), errNoStore, "no store in it"},
		{half, errNoStore, "state.db alone"},
		{foreign, ErrForeign, "another program's database"},
		{open.dir, ErrInUse, "in use by pid"},
	} {
		_, err := Examine(t.Context(), c.dir)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", filepath.Base(c.dir), err, c.says)
		}
		var h interface{ Hint() string }
		if !errors.As(err, &h) || h.Hint() == "" {
			t.Errorf("%s: %v has no hint", filepath.Base(c.dir), err)
		}
	}
}

// manyTargets is a store whose trees have branches.
func manyTargets(t *testing.T, dir string) {
	t.Helper()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.pace = pace{rows: 1, spread: 1, age: time.Hour, grace: time.Hour}
	o := run(t, s, dir, testStep)
	for i := range 6 {
		var p payload
		for n := range 60 {
			name := "ams1-r01-s" + string(rune('a'+n/26)) + string(rune('a'+n%26))
			p.Readings = append(p.Readings, reading(name, day0.Add(time.Duration(i)*time.Minute), fleet.Int(int64(n)), fleet.Int(int64(n*i))))
			p.Changes = append(p.Changes, fleet.Change{Target: name, Row: "serial", At: day0, Value: bytes.Repeat([]byte{'7'}, 200)})
		}
		o.apply(t, p)
	}
	o.stop()
}

// One page of a tree is torn. Open refuses the file; Examine says which readings
// of whom are lost, and counts what still reads.
func TestExamineOfADamagedFileSaysWhatIsLost(t *testing.T) {
	for _, c := range []struct{ file, bucket, lost, reads string }{
		{"series.db", "blocks", "readings of ams1-r01-s", "state/latest"},
		{"state.db", "latest", "facts of ams1-r01-s", "series/blocks"},
	} {
		t.Run(c.bucket, func(t *testing.T) {
			dir := t.TempDir()
			manyTargets(t, dir)
			whole, err := Examine(t.Context(), dir)
			if err != nil || !whole.OK() {
				t.Fatal(whole.Problems, err)
			}
			path := filepath.Join(dir, c.file)
			tearALeaf(t, path, c.bucket)
			torn := contents(t, dir)
			s, err := Open(t.Context(), testConfig(dir))
			if err == nil { // blocks are looked at when Run begins or somebody asks
				_, err = s.blocks(t.Context())
				s.Close()
			}
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("Open: %v", err)
			}
			report, err := Examine(t.Context(), dir)
			if err != nil || len(report.Problems) != 1 {
				t.Fatalf("Examine: %v, %v", report.Problems, err)
			}
			if p := report.Problems[0]; p.File != c.file || !strings.HasPrefix(p.What, c.lost) || !errors.Is(p.Err, ErrDamaged) {
				t.Errorf("%s", p)
			}
			name := strings.TrimSuffix(c.file, ".db") + "/" + c.bucket
			if n := report.Records[name]; n == 0 || n >= whole.Records[name] {
				t.Errorf("%d of %d records of %s read", n, whole.Records[name], name)
			}
			if n := report.Records[c.reads]; n != whole.Records[c.reads] {
				t.Errorf("%d of %d records of %s read, which is sound", n, whole.Records[c.reads], c.reads)
			}
			if !bytes.Equal(contents(t, dir)[c.file], torn[c.file]) {
				t.Error("the file has changed")
			}
			if _, err := Restore(t.Context(), dir, filepath.Join(dir, "new")); !errors.Is(err, ErrDamaged) {
				t.Errorf("it is restored: %v", err)
			}
			if !missing(filepath.Join(dir, "new", "state.db")) {
				t.Error("and something stands where it was restored to")
			}
		})
	}
}

// tearALeaf writes zeros over the head of the second leaf of a bucket's tree.
func tearALeaf(t *testing.T, path, bucket string) {
	t.Helper()
	var page int64
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	size := int64(db.Info().PageSize)
	err = db.View(func(tx *bbolt.Tx) error {
		page = int64(tx.Bucket([]byte(bucket)).Root())
		return nil
	})
	db.Close()
	if err != nil || page == 0 {
		t.Fatalf("root of %s: page %d, %v", bucket, page, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	root := make([]byte, size)
	if _, err := f.ReadAt(root, page*size); err != nil || binary.NativeEndian.Uint16(root[8:]) != branchFlag {
		t.Fatalf("the tree of %s has no branch: %v", bucket, err)
	}
	leaf := int64(binary.NativeEndian.Uint64(root[pageHead+pageElement+8:]))
	if _, err := f.WriteAt(make([]byte, 64), leaf*size); err != nil {
		t.Fatal(err)
	}
}

// A record alone is named as what it is.
func TestVerifyNamesWhatIsDamaged(t *testing.T) {
	dir := t.TempDir()
	fillEveryBucket(t, dir)
	recs := firstRecords(t, filepath.Join(dir, "series.db"), seriesBuckets)
	flipInFile(t, filepath.Join(dir, "series.db"), recs["blocks"], "value")
	report, err := Examine(t.Context(), dir)
	if err != nil || len(report.Problems) != 1 {
		t.Fatalf("%v, %v", report.Problems, err)
	}
	if got := report.Problems[0].What; !strings.HasPrefix(got, "readings of server-one from ") {
		t.Errorf("it is called %q", got)
	}
}

func TestRestoreTakesOnlyAnEmptyPlace(t *testing.T) {
	dir := t.TempDir()
	fillEveryBucket(t, filepath.Join(dir, "db"))
	copied := filepath.Join(dir, "copy")
	if err := CopyClosed(t.Context(), filepath.Join(dir, "db"), copied); err != nil {
		t.Fatal(err)
	}
	if err := CopyClosed(t.Context(), filepath.Join(dir, "db"), copied); !errors.Is(err, ErrExists) {
		t.Errorf("a copy over a copy: %v", err)
	}
	var full *NotEmptyError
	if _, err := Restore(t.Context(), copied, filepath.Join(dir, "db")); !errors.As(err, &full) {
		t.Errorf("over a store: %v", err)
	}
	// What a killed restore leaves is no store, and no hindrance.
	cut := filepath.Join(dir, "cut")
	if err := os.Mkdir(cut, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(cut, "series.db.part"), []byte("half"))
	if _, err := Examine(t.Context(), cut); !errors.Is(err, errNoStore) {
		t.Errorf("half a restore: %v", err)
	}
	report, err := Restore(t.Context(), copied, cut)
	if err != nil || !report.OK() {
		t.Fatalf("Restore: %v, %v", report.Problems, err)
	}
	if left := contents(t, cut); len(left) != 2 {
		t.Errorf("%d files", len(left))
	}
	start(t, cut, testStep)
}

// A backup of an older schema is restored, and brought up to date on the way.
func TestRestoreOfAnOlderBackup(t *testing.T) {
	for _, version := range []string{"v1", "v2", "v3", "v4", "v5", "v6"} {
		from, to := unpackFixture(t, version), filepath.Join(t.TempDir(), "new")
		before := contents(t, from)
		if _, err := Examine(t.Context(), from); !errors.Is(err, ErrOlder) {
			t.Errorf("%s: Examine: %v", version, err)
		}
		report, err := Restore(t.Context(), from, to)
		if err != nil || !report.OK() || report.Audit.Seq == 0 {
			t.Errorf("%s: Restore: %v, %v", version, report.Problems, err)
		}
		for name, b := range before {
			if !bytes.Equal(contents(t, from)[name], b) {
				t.Errorf("%s: the backup's %s has changed", version, name)
			}
		}
	}
}
