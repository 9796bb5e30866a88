package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"go.etcd.io/bbolt"
)

// A store that nobody has open can be looked at without opening it: nothing is
// made, migrated or written, and what Open refuses is still examined, record by
// record, as far as its pages can be followed.

// errNoStore says that there is nothing to look at.
var errNoStore = errors.New("there is no store")

// NoStoreError says that a directory holds no store.
type NoStoreError struct{ Dir, Why string }

func (e *NoStoreError) Error() string { return fmt.Sprintf("%s: %s", e.Dir, e.Why) }
func (e *NoStoreError) Unwrap() error { return errNoStore }

// Hint says what to do about it.
func (e *NoStoreError) Hint() string {
	return "name the directory that holds state.db and series.db: --db DIR (the demo of make run is ./plumb-data/demo)"
}

// Examine verifies a store, or a backup, that nobody has open. Its errors are
// *NoStoreError, *InUseError, *FileError or the system's; what is wrong inside
// the files stands in the report.
func Examine(ctx context.Context, dir string) (Report, error) {
	s, err := openClosed(ctx, dir, false)
	var fe *FileError
	if errors.As(err, &fe) && errors.Is(err, ErrDamaged) {
		return examineDamaged(ctx, dir)
	}
	if err != nil {
		return Report{}, err
	}
	defer s.release()
	return s.Verify(ctx)
}

// CopyClosed is Backup of a store that nobody has open.
func CopyClosed(ctx context.Context, from, to string) error {
	s, err := openClosed(ctx, from, true)
	if err != nil {
		return err
	}
	defer s.release()
	return s.Backup(ctx, to)
}

// Restore puts a backup into an empty or new directory, where root gives it to
// whom the directory belongs. The backup is verified first and must be whole. A
// restore that was cut short leaves nothing that passes for a store, and may
// simply be run again.
func Restore(ctx context.Context, from, to string) (Report, error) {
	left, err := os.ReadDir(to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Report{}, err
	}
	for _, e := range left {
		if !strings.HasSuffix(e.Name(), ".db.part") && !isJournal(e.Name()) { // of one that was cut short
			return Report{}, &NotEmptyError{Dir: to, Holds: e.Name()}
		}
	}
	report, err := Examine(ctx, from)
	switch {
	case errors.Is(err, ErrOlder):
		report, err = restoreOlder(ctx, from, to)
	case err == nil && !report.OK():
		err = fmt.Errorf("the backup %s is not whole: %w", from, ErrDamaged)
	case err == nil:
		err = CopyClosed(ctx, from, to)
	}
	if err != nil {
		return report, err
	}
	return report, ownWithin(to)
}

// restoreOlder restores a backup of an older schema. Its records can be checked
// only once they are of the present one, so this is done in the new place; what
// is not whole then does not stay.
func restoreOlder(ctx context.Context, from, to string) (report Report, err error) {
	if err := CopyClosed(ctx, from, to); err != nil {
		return report, err
	}
	cfg := Defaults()
	cfg.Dir = to
	s, err := Open(ctx, cfg)
	if err == nil {
		report, err = s.Verify(ctx)
		err = errors.Join(err, s.Close())
	}
	if err == nil && !report.OK() {
		err = fmt.Errorf("the backup %s is not whole: %w", from, ErrDamaged)
	}
	if err != nil {
		for _, name := range []string{"state.db", "series.db", "lock"} { // the first alone makes the rest no store
			os.Remove(filepath.Join(to, name))
		}
		removeJournal(to)
	}
	return report, err
}

// NotEmptyError says that nothing is written over.
type NotEmptyError struct{ Dir, Holds string }

func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("%s is not empty: it holds %s", e.Dir, e.Holds)
}
func (e *NotEmptyError) Unwrap() error { return ErrExists }

// Hint says what to do about it.
func (e *NotEmptyError) Hint() string { return "name a new directory; nothing is ever written over" }

// openClosed opens both files for reading only; those of an older schema only
// where older says so, for their records cannot be read as they are.
func openClosed(ctx context.Context, dir string, older bool) (_ *Store, err error) {
	if err := storeIn(dir); err != nil {
		return nil, err
	}
	s := &Store{cfg: Config{Dir: dir}}
	s.opening.ended = make(chan struct{})
	close(s.opening.ended) // there is no other way to open it
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	if s.lock, err = shareDir(dir); err != nil {
		return nil, err
	}
	if s.state, err = openRead(ctx, s.path("state.db"), stateSchema, stateBuckets, older); err != nil {
		return nil, err
	}
	if s.series, err = openRead(ctx, s.path("series.db"), seriesSchema, seriesBuckets, older); err != nil {
		return nil, err
	}
	if string(storeID(s.state)) != string(storeID(s.series)) {
		return nil, &FileError{s.path("series.db"), errStrangers}
	}
	s.journal = &journal{dir: dir, id: storeID(s.state)}
	err = view(s.series, func(tx *bbolt.Tx) (err error) {
		s.journal.known, err = journalOf(tx)
		return err
	})
	return s, fileError(s.path("series.db"), err)
}

// storeIn says why a directory cannot be a store.
func storeIn(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &NoStoreError{dir, "there is no such directory"}
	case err != nil:
		return err
	case !info.IsDir():
		return &NoStoreError{dir, "it is a file, not the directory of a store"}
	}
	var found []string
	for _, name := range []string{"state.db", "series.db"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			found = append(found, name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	switch {
	case found == nil:
		return &NoStoreError{dir, "there is no store in it"}
	case len(found) == 1:
		return &NoStoreError{dir, "it holds " + found[0] + " alone: one half of a store is none"}
	}
	return nil
}

// shareDir holds off whoever wants to open the store, and makes no lock file
// where there is none, as in a backup.
func shareDir(dir string) (*os.File, error) {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &InUseError{Dir: dir, PID: readPID(f)}
		}
		return nil, err
	}
	return f, nil
}

func openRead(ctx context.Context, path string, version byte, buckets [][]byte, older bool) (_ *file, err error) {
	if err := inspect(ctx, path); err != nil {
		return nil, &FileError{path, err}
	}
	var db *bbolt.DB
	err = guard(func() error {
		o := options(0)
		o.ReadOnly = true
		if db, err = bbolt.Open(path, 0, o); err != nil {
			return err
		}
		err := db.View(func(tx *bbolt.Tx) error { return readable(tx, version, buckets) })
		if older && errors.Is(err, ErrOlder) {
			return nil
		}
		return err
	})
	if err == nil {
		return &file{path: path, db: db}, nil
	}
	if db != nil {
		db.Close()
	}
	return nil, &FileError{path, err}
}

// readable reports why a file's records cannot be read as they are.
func readable(tx *bbolt.Tx, version byte, buckets [][]byte) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return fmt.Errorf("%w: another program's database", ErrForeign)
	}
	has, err := unseal(keySchema, meta.Get(keySchema))
	switch {
	case err != nil:
		return damaged("its schema cannot be read")
	case len(has) != 1:
		return fmt.Errorf("%w: it names no schema", ErrForeign)
	case has[0] > version:
		return fmt.Errorf("%w: schema %d, this one knows %d", ErrSchema, has[0], version)
	case has[0] < version:
		return fmt.Errorf("%w: schema %d, this plumb reads %d", ErrOlder, has[0], version)
	}
	for _, b := range buckets {
		if tx.Bucket(b) == nil {
			return damaged("the bucket %s is missing", b)
		}
	}
	return schema{version: version, buckets: buckets}.known(tx)
}

// stretch is pages of a file that cannot be followed, and what lies there.
type stretch struct {
	file     string
	bucket   string
	from, to []byte
	err      error
}

// examineDamaged walks the pages of files that cannot be opened, past what is
// damaged, and checks each record that it reaches by itself.
func examineDamaged(ctx context.Context, dir string) (Report, error) {
	report := Report{Records: map[string]int{}, Walked: true}
	names := map[uint32]string{}
	var lost []stretch
	for _, file := range []string{"state.db", "series.db"} {
		damage, err := walkFile(ctx, filepath.Join(dir, file), func(bucket string, k, raw []byte) error {
			if marks(bucket) {
				report.Records[strings.TrimSuffix(file, ".db")+"/"+bucket]++
				return nil
			}
			v, err := unseal(k, raw)
			if err != nil {
				return err
			}
			if bucket == string(bucketTargets) {
				names[numberOf(k)], _ = decodeTarget(v)
			}
			report.Records[strings.TrimSuffix(file, ".db")+"/"+bucket]++
			return nil
		})
		if err != nil {
			return report, err
		}
		for _, d := range damage {
			d.file = file
			lost = append(lost, d)
		}
	}
	for _, d := range lost[:min(len(lost), maxProblems)] {
		where := "pages"
		if d.bucket != "" {
			where = "bucket " + d.bucket
		}
		report.Problems = append(report.Problems, Problem{File: d.file, Where: where, Err: d.err,
			What: describe(d.bucket, d.from, d.to, func(id uint32) string { return names[id] })})
	}
	var fe *FileError
	if err := examineJournal(dir, func(r journalRecord) { report.Records["series/journal"]++ }); errors.As(err, &fe) {
		report.Problems = append(report.Problems, Problem{filepath.Base(fe.Path), "records", "the newest readings", fe.Err})
	} else if err != nil {
		return report, err
	}
	if report.OK() { // the pages are sound and each record is: what failed is between them
		_, err := openClosed(ctx, dir, false)
		report.Problems = append(report.Problems, Problem{File: "both", Where: "records", Err: err})
	}
	return report, ctx.Err()
}

// marks reports whether a bucket's records are keys only, which carry no sum.
func marks(bucket string) bool {
	return oneOf([]byte(bucket), bucketEventsOf, bucketJobTimes, bucketPending)
}

// walkFile calls each with every record that can be reached and returns what
// cannot, or is not as it was written.
func walkFile(ctx context.Context, path string, each func(bucket string, k, raw []byte) error) (damage []stretch, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	meta, err := readMeta(f, info)
	if err != nil {
		return []stretch{{err: err}}, nil
	}
	end := min(meta.end, uint64(info.Size())/uint64(meta.pageSize)) // it may have been cut
	w := &pageWalk{ctx: ctx, file: f, size: meta.pageSize, end: end, seen: make([]uint64, end/64+1)}
	w.found = func(err error) {
		damage = append(damage, stretch{"", w.at.bucket, slices.Clone(w.at.least), slices.Clone(w.at.most), err})
	}
	w.each = func(bucket string, k, raw []byte) {
		if err := each(bucket, k, raw); err != nil {
			damage = append(damage, stretch{"", bucket, slices.Clone(k), slices.Clone(k), err})
		}
	}
	w.tree(meta.root, bounds{holds: bucketFlag, leaves: new(int)}, 0)
	return damage, nil
}
