package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"plumb/fleet"
)

// Store is an open store. All methods may be called from any goroutine; Run
// runs once.
type Store struct {
	cfg     Config
	pace    pace
	lock    *os.File
	state   *file
	series  *file // see blocks
	journal *journal
	opening opening
	ahead   []fleet.Rows // what Memory is about to ask for, until then

	targets targets
	asked   sync.Map // destinations that somebody in this process tells, by name; see Sent
	layouts layouts

	queue chan *request

	clock clock
	doubt atomic.Int64 // ns by which retention lags behind the clock, see keptBy
	busy  busy
	room  *room

	snap    atomic.Pointer[fleet.Snapshot]
	trouble atomic.Pointer[Trouble]
	watches watches
	owed    *owed
	backlog backlog // of the outbox
	stats   counters

	// commit is held while a batch is between its two commits, and by those
	// who need both files as of one batch.
	commit sync.Mutex

	life struct {
		sync.Mutex    // guards running and closed
		running, done bool
		closing       chan struct{} // closed by Close
		stopped       chan struct{} // closed when Run has returned, or by Close where it never ran
	}

	writer writer // owned by Run's goroutine once Run began
}

// Buckets of state.db.
var (
	bucketMeta           = []byte("meta")
	bucketLatest         = []byte("latest")          // target 0 table            -> its newest rows, see table.go
	bucketSets           = []byte("sets")            // hash                      -> rows that tables share, see sets.go
	bucketSetRefs        = []byte("set-refs")        // hash                      -> how many tables do
	bucketHistory        = []byte("history")         // target 0 table row 0 time -> what it was, JSON; empty: gone
	bucketGone           = []byte("gone")            // target 0 table row        -> since when it is gone
	bucketEvents         = []byte("events")          // time target 0 id          -> JSON
	bucketEventsOf       = []byte("events-of")       // target 0 time id          -> nothing
	bucketEventIDs       = []byte("event-ids")       // target 0 id               -> time
	bucketAudit          = []byte("audit")           // seq                       -> JSON
	bucketJobs           = []byte("jobs")            // id                        -> JSON
	bucketJobTimes       = []byte("job-times")       // began id                  -> nothing
	bucketOrigins        = []byte("origins")         // cell 0 epoch              -> ranges of seq
	bucketOutbox         = []byte("outbox")          // number -> JSON
	bucketOutboxKeys     = []byte("outbox-keys")     // key -> number
	bucketInventories    = []byte("inventories")     // hash -> gzip of JSON
	bucketInventoryTimes = []byte("inventory-times") // time -> hash
	stateBuckets         = [][]byte{bucketLatest, bucketSets, bucketSetRefs, bucketHistory, bucketGone, bucketEvents, bucketEventsOf, bucketEventIDs, bucketAudit, bucketJobs, bucketJobTimes, bucketOrigins, bucketOutbox, bucketOutboxKeys, bucketInventories, bucketInventoryTimes}
	bucketTargets        = []byte("targets") // number                    -> name, see encodeTarget
	bucketLayouts        = []byte("layouts") // number                    -> keys
	bucketWAL            = []byte("wal")     // seq, and from 1 on a number -> rows; most are in the journal
	bucketBlocks         = []byte("blocks")  // see blockKey              -> block
	bucketTiers          = []byte("tiers")   // see tierKey              -> block
	bucketLong           = []byte("long")    // see pieces.go            -> piece of a block
	bucketPending        = []byte("pending") // target window             -> nothing: parts to merge
	bucketLast           = []byte("last")    // target                    -> newest row, but for one that a start finds in the journal
	bucketImports        = []byte("imports") // source 0 target           -> from, to, rows
	seriesBuckets        = [][]byte{bucketTargets, bucketLayouts, bucketWAL, bucketBlocks, bucketTiers, bucketLong, bucketPending, bucketLast, bucketImports}
	keySchema, keyID     = []byte("schema"), []byte("id")
	keyBatch             = []byte("batch")
	keyClock             = []byte("clock")   // only while retention does not trust the clock: trusted, steady since
	keyJournal           = []byte("journal") // of series.db: the first and the last of its files
)

// stateSchema and seriesSchema are what this plumb writes. Older ones are
// brought up to it when they are opened, see migrate.go.
const (
	stateSchema  = 3
	seriesSchema = 7
)

// Sizes of the address space that is mapped at once. Growing a map needs every
// reader to finish first, so it is made large; it costs no memory and no disk.
// Where addresses have 32 bits there is room for 256 MiB each.
const (
	wide      = ^uint(0) >> 63 // 1 where addresses have 64 bits
	stateMap  = 1 << (28 + 2*wide)
	seriesMap = 1 << (28 + 5*wide)
)

// growBy is how much a file grows at a time. bbolt's own 16 MiB make the files
// of a small fleet mostly air.
const growBy = 2 << 20

// options of both files.
//
//   - FreelistArrayType takes the first free pages that fit. What is written is
//     of every length, and a file whose free pages are taken from anywhere, as
//     the map does, grows to twice what lives in it. A commit pays for the list
//     with about two milliseconds for each gigabyte that is free.
//   - PageSize is the system's. Pages of 1 KiB make a file a sixth smaller, and
//     put both meta pages, and what was committed long ago beside what is being
//     written, into one sector of the disk: one that is lost in a power cut takes
//     all of it.
//   - NoFreelistSync does not write the list of free pages with every commit;
//     it is found again at open by walking the pages. SAFE: nothing is lost.
//   - NoSync and NoGrowSync STAY FALSE. WITH EITHER, A POWER CUT LOSES OR
//     BREAKS WHAT WAS ACKNOWLEDGED.
func options(mapSize int) *bbolt.Options {
	return &bbolt.Options{
		Timeout:         time.Second,
		FreelistType:    bbolt.FreelistArrayType,
		NoFreelistSync:  true,
		InitialMmapSize: mapSize,
		NoStatistics:    true,
		NoSync:          neverSync,
	}
}

// neverSync is set by one test alone, which shows that a store that does not
// sync would be found out.
var neverSync bool

// Open opens the store in cfg.Dir and makes it where there is none. The errors
// are *InUseError, *FileError, or the system's.
func Open(ctx context.Context, cfg Config) (_ *Store, err error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := makeDir(cfg.Dir); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{cfg: cfg, pace: usualPace, queue: make(chan *request, cfg.Queue), owed: newOwed()}
	s.opening.ended = make(chan struct{})
	s.life.closing, s.life.stopped = make(chan struct{}), make(chan struct{})
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	s.clock, s.writer.held.most = systemClock(), maxHeld
	if s.lock, err = lockDir(cfg.Dir); err != nil {
		return nil, err
	}
	s.room = openRoom(cfg)
	s.room.makeWay()
	fresh := missing(s.path("state.db"))
	if fresh && !missing(s.path("series.db")) {
		return nil, &FileError{s.path("state.db"), damaged("it is missing beside series.db")}
	}
	if s.state, err = openFile(ctx, s.path("state.db"), stateMap, schema{stateSchema, stateBuckets, stateMigrations}, nil); err != nil {
		return nil, err
	}
	if err := guard(s.loadState); err != nil {
		return nil, &FileError{s.path("state.db"), err}
	}
	ahead := s.readAheadTables(ctx)
	err = s.startSeries(ctx)
	s.ahead = <-ahead
	if err != nil {
		return nil, err
	}
	return s, nil
}

var errStrangers = damaged("state.db and series.db are of different stores")

func (s *Store) path(name string) string { return filepath.Join(s.cfg.Dir, name) }

func missing(path string) bool {
	info, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0
}

// openFile opens one file, after a look at it that bbolt does not take, and
// makes its schema where it is new. id, where given, is what the file must
// carry: the two files of one store know each other by it.
func openFile(ctx context.Context, path string, mapSize int, want schema, id []byte) (_ *file, err error) {
	if missing(path) {
		if err := makeFile(path, want, id); err != nil {
			return nil, &FileError{path, err}
		}
	}
	if err := readAhead(ctx, path); err != nil {
		return nil, &FileError{path, err}
	}
	if err := inspect(ctx, path); err != nil {
		return nil, &FileError{path, err}
	}
	db := &file{path: path, mapSize: mapSize}
	err = guard(func() error {
		err := db.open()
		if errors.Is(err, berrors.ErrInvalid) || errors.Is(err, berrors.ErrChecksum) || errors.Is(err, berrors.ErrVersionMismatch) {
			return fmt.Errorf("%w: %w", ErrForeign, err)
		}
		if errors.Is(err, berrors.ErrTimeout) {
			return &InUseError{Dir: filepath.Dir(path)}
		}
		if err != nil {
			return err
		}
		err = db.View(func(tx *bbolt.Tx) error { return want.whole(tx, id) })
		if err == nil || errors.Is(err, ErrForeign) || errors.Is(err, ErrDamaged) {
			return err
		}
		return db.Update(func(tx *bbolt.Tx) error { return prepare(tx, want, id) })
	})
	var inUse *InUseError
	if err == nil {
		return db, nil
	}
	db.Close()
	if errors.As(err, &inUse) {
		return nil, inUse
	}
	return nil, &FileError{path, err}
}

// schema is what a file must look like: its version, its buckets, and how
// version n becomes n+1, from version 1.
type schema struct {
	version byte
	buckets [][]byte
	steps   []func(*bbolt.Tx) error
}

// whole reports, as an error, what prepare would have to write or to refuse. A
// file that is as it should be is opened without writing to it.
func (s schema) whole(tx *bbolt.Tx, id []byte) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return fmt.Errorf("%w: another program's database", ErrForeign)
	}
	version, err := unseal(keySchema, meta.Get(keySchema))
	if err != nil || len(version) != 1 || version[0] != s.version {
		return ErrSchema
	}
	has, err := unseal(keyID, meta.Get(keyID))
	if err != nil {
		return err
	}
	if id != nil && string(has) != string(id) {
		return errStrangers
	}
	if err := s.known(tx); err != nil {
		return err
	}
	for _, name := range s.buckets {
		if tx.Bucket(name) == nil {
			return ErrSchema
		}
	}
	return nil
}

// known reports as damage what a file of this schema never holds. A bucket or a
// mark whose name was damaged would else pass for one that is not there yet,
// and an empty one would take its place.
func (s schema) known(tx *bbolt.Tx) error {
	err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
		if !oneOf(name, bucketMeta) && !oneOf(name, s.buckets...) {
			return damaged("it has a bucket %q, which is none of its own", name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return tx.Bucket(bucketMeta).ForEach(func(k, raw []byte) error {
		if !oneOf(k, keySchema, keyID, keyBatch, keyClock, keySent, keyJournal) {
			return damaged("it has a mark %q, which is none of its own", k)
		}
		_, err := unseal(k, raw)
		return err
	})
}

func oneOf(name []byte, list ...[]byte) bool {
	return slices.ContainsFunc(list, func(b []byte) bool { return bytes.Equal(b, name) })
}

// prepare checks the schema of a file, brings an older one up to it, or writes
// it where the file is new.
func prepare(tx *bbolt.Tx, want schema, id []byte) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		var err error
		if meta, err = tx.CreateBucket(bucketMeta); err != nil {
			return err
		}
		if id == nil {
			id = []byte(rand.Text())
		}
		if err := put(meta, keyID, id); err != nil {
			return err
		}
		if err := put(meta, keySchema, []byte{want.version}); err != nil {
			return err
		}
	}
	version, err := unseal(keySchema, meta.Get(keySchema))
	if err != nil || len(version) != 1 {
		return fmt.Errorf("%w: it names no schema", ErrForeign)
	}
	if version[0] > want.version {
		return fmt.Errorf("%w: schema %d, this one knows %d", ErrSchema, version[0], want.version)
	}
	has, err := unseal(keyID, meta.Get(keyID))
	if err != nil {
		return err
	}
	if id != nil && string(has) != string(id) {
		return errStrangers
	}
	for _, name := range want.buckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	for has := version[0]; has < want.version; has++ {
		if has == 0 || int(has) > len(want.steps) {
			return fmt.Errorf("%w: schema %d", ErrForeign, has)
		}
		if err := want.steps[has-1](tx); err != nil {
			return fmt.Errorf("from schema %d to %d: %w", has, has+1, err)
		}
	}
	return put(meta, keySchema, []byte{want.version})
}

func put(b *bbolt.Bucket, key, value []byte) error { return b.Put(key, seal(key, value)) }

func storeID(db *file) (id []byte) {
	_ = db.View(func(tx *bbolt.Tx) error {
		v, err := unseal(keyID, tx.Bucket(bucketMeta).Get(keyID))
		id = append(id, v...)
		return err
	})
	return id
}

// release gives back what Open took.
func (s *Store) release() error {
	s.opening.stop()
	var errs []error
	if s.journal != nil {
		errs = append(errs, s.journal.close(s.writer.staleFrom))
	}
	for _, db := range []*file{s.series, s.state} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
