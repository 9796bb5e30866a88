package store

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Backup writes a copy of the store as of one batch into dir while writing goes
// on. dir is made where it is missing; where it holds a store already, the
// error is ErrExists. A copy that was cut short is not mistaken for a store:
// the files take their names only when both are whole and synced.
func (s *Store) Backup(ctx context.Context, dir string) error {
	_, was := os.Lstat(dir)
	if err := makeDir(dir); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	for _, name := range []string{"state.db", "series.db"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("backup: %s: %w", dir, ErrExists)
		}
	}
	err := s.asOfOneBatch(ctx, func(state, series *bbolt.Tx, j *journalView) error {
		if err := j.copyTo(ctx, dir); err != nil {
			return err
		}
		if err := copyFile(ctx, series, filepath.Join(dir, "series.db.part")); err != nil {
			return err
		}
		return copyFile(ctx, state, filepath.Join(dir, "state.db.part"))
	})
	// series.db takes its name first, and has it on disk before state.db takes
	// its own: alone it is an error at open, where state.db alone would pass for
	// a store without readings.
	for _, name := range []string{"series.db", "state.db"} {
		path := filepath.Join(dir, name)
		if err == nil {
			err = os.Rename(path+".part", path)
		}
		if err == nil {
			err = syncDir(dir)
		}
	}
	if err != nil {
		for _, name := range []string{"state.db", "series.db"} {
			os.Remove(filepath.Join(dir, name))
			os.Remove(filepath.Join(dir, name+".part"))
		}
		removeJournal(dir)
		if was != nil {
			os.Remove(dir) // made here, and nothing is in it
		}
		return fmt.Errorf("backup: %w", named(err))
	}
	return nil
}

func copyFile(ctx context.Context, tx *bbolt.Tx, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = tx.WriteTo(stoppable{ctx, f}); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// stoppable is a writer that ends with its context.
type stoppable struct {
	ctx context.Context
	w   io.Writer
}

func (s stoppable) Write(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.w.Write(b)
}
