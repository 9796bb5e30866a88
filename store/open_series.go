package store

import (
	"context"
	"errors"
	"sync"

	"go.etcd.io/bbolt"
)

// series.db grows with every day that is kept, and nobody who starts should
// wait in proportion. What a start needs of it is little and lies together:
// the names, the newest row of each target, and the end of the journal. That is
// checked and read alone, through a read-only look at the file, and the first
// snapshot can stand. When Run begins, or somebody asks for a block, the rest of
// the journal is read, and the file is checked page by page and opened for
// writing, beside whoever is already looking; blocks and commits wait for the end
// of it.

// opening is series.db on its way to being open.
type opening struct {
	begin sync.Once
	do    func(context.Context)

	cancel context.CancelFunc
	ctx    context.Context
	ended  chan struct{} // closed when series.db is open, or never will be
	err    error         // why it is not; set before ended is closed
}

// start begins to open, or makes sure that it was begun.
func (o *opening) start() { o.begin.Do(func() { go o.do(o.ctx) }) }

// stop ends an opening that nobody needs any more, and waits for its end.
func (o *opening) stop() {
	if o.do == nil {
		return
	}
	o.cancel()
	o.start()
	<-o.ended
}

// startSeries reads what a start needs of series.db and begins to open it. A
// file that is new, or of an older schema, is opened before it returns.
func (s *Store) startSeries(ctx context.Context) error {
	path := s.path("series.db")
	ready, err := s.preload(ctx)
	if err != nil {
		return fileError(path, err)
	}
	// It goes on when whoever asked is gone; release ends it.
	s.opening.ctx, s.opening.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.opening.do = func(ctx context.Context) { s.openSeries(ctx, ready) }
	if ready {
		return nil
	}
	_, err = s.blocks(ctx)
	return err
}

// preload reads the start of series.db and reports whether it could: a file
// that is not there yet, or must be brought up to date, is to be opened first.
func (s *Store) preload(ctx context.Context) (ready bool, err error) {
	path := s.path("series.db")
	if missing(path) {
		return false, nil
	}
	// What most of the pages are of is taken along, and not looked for again in
	// a map, page by page.
	var found openRecords
	if err := inspectSome(ctx, path, found.take, bucketMeta, bucketTargets, bucketLayouts, bucketLast, bucketWAL, bucketPending); err != nil {
		return false, err
	}
	err = guard(func() error {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: options(0).Timeout, NoStatistics: true})
		if err != nil {
			return err
		}
		defer db.Close()
		return db.View(func(tx *bbolt.Tx) error {
			err := seriesFile.whole(tx, storeID(s.state))
			if errors.Is(err, ErrSchema) {
				return nil
			}
			if err == nil {
				ready, err = true, s.loadSeries(tx, &found)
			}
			return err
		})
	})
	return ready, err
}

var seriesFile = schema{seriesSchema, seriesBuckets, seriesMigrations}

// openSeries checks series.db, opens it for writing and drops what never
// happened.
func (s *Store) openSeries(ctx context.Context, loaded bool) {
	defer close(s.opening.ended)
	path := s.path("series.db")
	db, err := openFile(ctx, path, seriesMap, seriesFile, storeID(s.state))
	if err == nil && !loaded {
		err = view(db, func(tx *bbolt.Tx) error { return s.loadSeries(tx, recordsIn(tx)) })
	}
	if err == nil {
		err = guard(s.loadOlder)
	}
	if err == nil {
		err = s.journal.open()
	}
	if err == nil {
		err = s.dropBeyond(db, s.writer.seq)
	}
	s.series, s.opening.err = db, fileError(path, err)
}

// fileError names the file that an error is of, where it does not say so itself.
func fileError(path string, err error) error {
	var file *FileError
	var inUse *InUseError
	if err == nil || errors.As(err, &file) || errors.As(err, &inUse) {
		return err
	}
	return &FileError{path, err}
}

// blocks returns series.db, and waits for it to be open.
func (s *Store) blocks(ctx context.Context) (*file, error) {
	select {
	case <-s.opening.ended:
		return s.series, s.opening.err
	default:
	}
	s.opening.start()
	select {
	case <-s.opening.ended:
		return s.series, s.opening.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// viewSeries runs f in a read transaction of series.db.
func (s *Store) viewSeries(ctx context.Context, f func(*bbolt.Tx) error) error {
	db, err := s.blocks(ctx)
	if err != nil {
		return err
	}
	return view(db, f)
}
