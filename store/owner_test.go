package store

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The store of a service is the service's also after root worked on it.
func TestRootLeavesAStoreToItsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives files away: run as root")
	}
	const service = 64774
	dir := t.TempDir()
	db, backup, empty := filepath.Join(dir, "db"), filepath.Join(dir, "backup"), filepath.Join(dir, "empty")
	fillEveryBucket(t, db)
	give := func(path string) {
		if err := os.Chown(path, service, service); err != nil {
			t.Fatal(err)
		}
	}
	give(db)
	roots := filepath.Join(dir, "roots")
	write(t, roots, nil)
	if err := os.Symlink(roots, filepath.Join(db, "link")); err != nil {
		t.Fatal(err)
	}
	if err := ownWithin(db); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(roots); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("what a link leads to was given away: %v, %v", info, err)
	}
	if _, _, err := Compact(t.Context(), testConfig(db)); err != nil {
		t.Fatal(err)
	}
	if err := CopyClosed(t.Context(), db, backup); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	give(empty)
	if _, err := Restore(t.Context(), backup, empty); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(db, "state.db"), filepath.Join(db, "series.db"), filepath.Join(empty, "state.db"), filepath.Join(empty, "series.db")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != service || st.Gid != service || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is of %d:%d, mode %v", path, st.Uid, st.Gid, info.Mode())
		}
	}
}
