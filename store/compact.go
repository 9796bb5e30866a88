package store

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// compactTx bounds what one transaction of a copy holds in memory, in bytes.
const compactTx = 16 << 20

// Compact writes both files of a store anew, without the free pages that
// deleting leaves, and returns how many bytes they had and have. Nobody may
// have the store open. What is damaged is not copied: the error then wraps
// ErrDamaged and the store is left as it was, as it is with any other error.
//
// Each file takes the place of its old self in one rename, with the same owner
// and records, so that a stop between the two does no harm.
func Compact(ctx context.Context, cfg Config) (before, after int64, err error) {
	if err := storeIn(cfg.Dir); err != nil { // Open would make one
		return 0, 0, err
	}
	s, err := Open(ctx, cfg)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.release()) }()
	report, err := s.Verify(ctx)
	if err != nil {
		return 0, 0, named(err)
	}
	if !report.OK() {
		return 0, 0, fmt.Errorf("%s: %w", report.Problems[0], ErrDamaged)
	}
	for _, db := range []*file{s.series, s.state} {
		path := db.Path()
		before += fileSize(path)
		if err = compactFile(ctx, db, path+".part"); err == nil {
			err = ownAs(path+".part", path)
		}
		if err == nil {
			err = db.Close() // its lock is on the old file
		}
		if err == nil {
			err = os.Rename(path+".part", path)
		}
		if err != nil {
			os.Remove(path + ".part")
			return 0, 0, named(err)
		}
		after += fileSize(path)
	}
	return before, after, syncDir(s.cfg.Dir)
}

func compactFile(ctx context.Context, from *file, path string) error {
	os.Remove(path) // of a copy that was cut short
	to, err := bbolt.Open(path, 0o600, options(0))
	if err != nil {
		return err
	}
	to.AllocSize = 1 << 20
	err = guard(func() error { return bbolt.Compact(to, from.db, compactTx) })
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close(), ctx.Err())
}
