package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"go.etcd.io/bbolt"
)

// A commit of bbolt writes its pages, syncs, writes its meta page, and syncs
// again. When any but the last of these fails, the file is what it was. When
// the last one fails, the commit is in doubt: the meta page is in the system's
// cache, where every later transaction finds it, and may never reach the disk,
// because a failed sync is not tried again by the system. To go on from there
// would be wrong twice. The batch that was reported as failed would be there
// for those who read, and its numbers would be given to the next one. And the
// pages that only the old tree uses would count as free and be written to,
// while the old tree may be all that the disk has.
//
// So what is in doubt is taken back first: the meta pages are written as they
// were and synced, and the file is opened anew, which finds its free pages by
// the tree that counts. Until that has succeeded nothing is written. A power
// cut in between leaves the old tree or the new one, whole: the new tree's
// pages were synced before its meta page was written, and nobody writes to
// either's.

// file is one of the two files. One goroutine writes.
type file struct {
	path    string
	mapSize int
	raw     *os.File // for the meta pages

	// mu is held for reading by each transaction, and for writing while db is
	// replaced.
	mu sync.RWMutex
	db *bbolt.DB

	doubt  []byte // the meta pages before a commit that is in doubt, else nil
	before []byte // space for the meta pages before a commit
}

// metaPages is how many meta pages a file of bbolt begins with.
const metaPages = 2

// open opens the file itself.
func (f *file) open() (err error) {
	if f.db, err = bbolt.Open(f.path, 0o600, options(f.mapSize)); err != nil {
		return err
	}
	f.db.AllocSize = growBy
	if f.raw == nil {
		f.raw, err = os.OpenFile(f.path, os.O_RDWR, 0)
	}
	return err
}

// Path returns where the file is.
func (f *file) Path() string { return f.path }

// Close waits for the transactions and closes the file. It may be called twice.
func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	if f.db != nil {
		errs = append(errs, f.db.Close())
	}
	if f.raw != nil {
		errs = append(errs, f.raw.Close())
		f.raw = nil
	}
	return errors.Join(errs...)
}

// Begin begins a read transaction. end ends it.
func (f *file) Begin() (tx *bbolt.Tx, end func(), err error) {
	f.mu.RLock()
	if tx, err = f.db.Begin(false); err != nil {
		f.mu.RUnlock()
		return nil, nil, err
	}
	return tx, func() { tx.Rollback(); f.mu.RUnlock() }, nil
}

// View calls fn with a read transaction.
func (f *file) View(fn func(*bbolt.Tx) error) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.db.View(fn)
}

// Update commits what fn writes. Where it returns an error, the file is as it
// was, or is made so before the next transaction that writes.
func (f *file) Update(fn func(*bbolt.Tx) error) error {
	if err := f.settle(); err != nil {
		return err
	}
	before, err := f.metas(f.before)
	if err != nil {
		return err
	}
	f.before = before
	if err = f.db.Update(fn); err == nil {
		return nil
	}
	if after, e := f.metas(nil); e == nil && bytes.Equal(before, after) {
		return err
	}
	f.doubt, f.before = before, nil
	return errors.Join(err, f.settle())
}

// metas reads the meta pages into b, which it makes larger where it must.
func (f *file) metas(b []byte) ([]byte, error) {
	n := metaPages * f.db.Info().PageSize
	b = slices.Grow(b[:0], n)[:n]
	_, err := f.raw.ReadAt(b, 0)
	return b, err
}

// settle takes back a commit that is in doubt. It waits for those who read.
func (f *file) settle() error {
	if f.doubt == nil {
		return nil
	}
	_, err := f.raw.WriteAt(f.doubt, 0)
	if err == nil {
		err = f.raw.Sync()
	}
	if err == nil {
		err = f.reopen()
	}
	if err != nil {
		return fmt.Errorf("taking back a commit whose sync failed: %w", err)
	}
	f.doubt = nil
	return nil
}

func (f *file) reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.db.Close(); err != nil {
		return err
	}
	db, err := bbolt.Open(f.path, 0o600, options(f.mapSize))
	if err != nil {
		return err // f.db is closed, and says so to those who read
	}
	db.AllocSize = growBy
	f.db = db
	return nil
}

// makeFile makes a new file, which takes its name when it is whole and synced:
// a power cut leaves the file or none, and not one that passes for another
// program's.
func makeFile(path string, want schema, id []byte) error {
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // of one that was cut short
	}
	db, err := bbolt.Open(part, 0o600, options(0))
	if err != nil {
		return err
	}
	db.AllocSize = growBy
	err = db.Update(func(tx *bbolt.Tx) error { return prepare(tx, want, id) })
	if err = errors.Join(err, db.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		os.Remove(part)
		return err
	}
	return syncDir(filepath.Dir(path))
}

// makeDir makes a directory and those above it, and syncs each into the one
// that names it: a synced file is lost with its directory.
func makeDir(dir string) error {
	var made []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, os.ErrNotExist) || d == filepath.Dir(d) {
			break
		}
		made = append(made, d)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, d := range made {
		if err := syncDir(filepath.Dir(d)); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes the names in a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
