package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// Report is what Verify found. The store is whole when Problems is empty.
type Report struct {
	Batch   uint64         // number of the last batch
	Records map[string]int // that are sound, by file and bucket: "state/latest"
	Rows    int            // newest rows
	Blocks  int
	Tiers   int       // blocks of the tiers
	Samples int       // values in blocks, nulls too
	Audit   AuditHead // end of the chain

	Walked     bool // the store could not be opened: records were looked at one by one, and not beside each other
	Unfinished int  // batches in series.db that did not reach state.db; no problem

	Problems []Problem // at most maxProblems
}

// OK reports whether nothing is wrong.
func (r *Report) OK() bool { return len(r.Problems) == 0 }

// Problem is one thing that is wrong, and where.
type Problem struct {
	File  string // state.db or series.db
	Where string // bucket and key, or "pages"
	What  string // what of the fleet's memory that is, in words: "readings of s1 from ... to ..."; "" where it cannot be told
	Err   error
}

func (p Problem) String() string {
	if p.What != "" {
		return fmt.Sprintf("%s: %s: %v (%s)", p.File, p.What, p.Err, p.Where)
	}
	return fmt.Sprintf("%s: %s: %v", p.File, p.Where, p.Err)
}

// maxProblems bounds a report: a torn file has as many as it has records.
const maxProblems = 100

// verifier walks both files as of one batch.
type verifier struct {
	ctx           context.Context
	state, series *bbolt.Tx

	statePath, seriesPath string

	report  Report
	layouts map[uint32][]fleet.SeriesKey
	targets uint32

	names   map[string]bool // rows of the table namesOf
	namesOf string

	tables *tableReader
	users  map[setName]uint64 // how many tables were met that name a set

	inForce map[InventoryID]int // how many times

	batch uint64 // whose write-ahead values are looked at
	value int    // the last of them

	journal  *journalView
	torn     bool   // it cannot be read to its end
	happened uint64 // the last batch that did

	long longBlock // whose pieces are looked at
}

// Verify checks every page, record, block and index of both files and the
// audit chain, while writing goes on. Its error says that it could not look;
// what is wrong stands in the report.
func (s *Store) Verify(ctx context.Context) (Report, error) {
	torn, err := s.tornMetas(ctx)
	if err != nil {
		return Report{}, err
	}
	v := &verifier{ctx: ctx, statePath: s.path("state.db"), seriesPath: s.path("series.db"), report: Report{Records: map[string]int{}}, layouts: map[uint32][]fleet.SeriesKey{}}
	for _, p := range torn {
		v.problem(p.File, p.Where, p.Err)
	}
	err = s.asOfOneBatch(ctx, func(state, series *bbolt.Tx, j *journalView) error {
		v.state, v.series, v.journal = state, series, j
		v.tables, v.users, v.inForce = newTableReader(state), map[setName]uint64{}, map[InventoryID]int{}
		v.run()
		return ctx.Err()
	})
	return v.report, err
}

// asOfOneBatch calls f with a read transaction of each file and the files of the
// journal, as of one batch.
func (s *Store) asOfOneBatch(ctx context.Context, f func(state, series *bbolt.Tx, j *journalView) error) error {
	var j *journalView
	defer func() {
		if j != nil {
			j.close()
		}
	}()
	return s.bothWith(ctx, func() { j = s.journal.view(s.writer.staleFrom) }, func(state, series *bbolt.Tx) error { return f(state, series, j) })
}

// bothWith is both with what lies in memory beside the files: look is called
// between two batches, when memory holds what the transactions do not.
func (s *Store) bothWith(ctx context.Context, look func(), f func(state, series *bbolt.Tx) error) error {
	blocks, err := s.blocks(ctx)
	if err != nil {
		return err
	}
	s.commit.Lock()
	state, endState, err := s.state.Begin()
	if err != nil {
		s.commit.Unlock()
		return err
	}
	defer endState()
	series, endSeries, err := blocks.Begin()
	look()
	s.commit.Unlock()
	if err != nil {
		return err
	}
	defer endSeries()
	return f(state, series)
}

func (v *verifier) problem(file, where string, err error) {
	if err != nil && len(v.report.Problems) < maxProblems {
		v.report.Problems = append(v.report.Problems, Problem{File: file, Where: where, Err: err})
	}
}

func (v *verifier) run() {
	if !v.pages("state.db", v.statePath, v.state) {
		return // series.db is judged by what state.db knows
	}
	v.step("state.db", "meta", v.mark)
	v.step("state.db", "outbox", v.counted)
	v.step("state.db", "audit", func() (err error) {
		v.report.Audit, err = verifyChain(v.ctx, v.state)
		return err
	})
	for _, b := range []struct {
		bucket []byte
		check  func(k, raw []byte) error
	}{
		{bucketLatest, v.latest}, {bucketSets, v.set}, {bucketSetRefs, v.setRef}, {bucketHistory, v.history}, {bucketGone, v.goneRow}, {bucketEvents, v.event}, {bucketEventsOf, v.eventOf},
		{bucketEventIDs, v.eventID}, {bucketJobs, v.job}, {bucketJobTimes, v.jobTime}, {bucketOrigins, v.origin}, {bucketOutbox, v.notice}, {bucketOutboxKeys, v.noticeKey},
		{bucketInventoryTimes, v.inventoryTime}, {bucketInventories, v.inventory},
		{bucketAudit, func(k, raw []byte) error { _, err := readAuditEntry(k, raw); return err }},
	} {
		v.bucket("state.db", v.state, b.bucket, b.check)
	}
	if !v.pages("series.db", v.seriesPath, v.series) {
		return
	}
	for _, b := range []struct {
		bucket []byte
		check  func(k, raw []byte) error
	}{
		{bucketTargets, v.target}, {bucketLayouts, v.layout}, {bucketWAL, v.wal}, {bucketBlocks, v.block}, {bucketTiers, v.tier}, {bucketLong, v.piece},
		{bucketPending, v.pending}, {bucketLast, v.last}, {bucketImports, func(k, raw []byte) error { _, err := readImport(k, raw); return err }},
	} {
		if v.bucket("series.db", v.series, b.bucket, b.check); string(b.bucket) == string(bucketLayouts) {
			v.readJournal()
		}
	}
	v.journalRows()
}

// step runs one check inside guard: a torn page may panic in bbolt.
func (v *verifier) step(file, where string, f func() error) {
	if v.ctx.Err() == nil {
		v.problem(file, where, guard(f))
	}
}

// pages checks the structure of a file and reports whether its trees can be
// followed: where pages lead in circles, bbolt would never come back.
func (v *verifier) pages(file, path string, tx *bbolt.Tx) (sound bool) {
	v.step(file, "pages", func() error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		sound = walkPages(v.ctx, tx, f, func(err error) { v.problem(file, "pages", err) })
		return nil
	})
	if !sound && v.ctx.Err() == nil {
		v.problem(file, "records", damaged("they are not looked at: the pages cannot be followed"))
	}
	return sound
}

func (v *verifier) bucket(file string, tx *bbolt.Tx, name []byte, check func(k, raw []byte) error) {
	v.step(file, string(name), func() error {
		b := tx.Bucket(name)
		if b == nil {
			return damaged("the bucket is missing")
		}
		n := 0
		err := b.ForEach(func(k, raw []byte) error {
			if err := guard(func() error { return check(k, raw) }); err == nil {
				n++
			} else if len(v.report.Problems) < maxProblems {
				v.report.Problems = append(v.report.Problems, Problem{file, fmt.Sprintf("%s %q", name, k), v.words(string(name), k), err})
			}
			return v.ctx.Err()
		})
		v.report.Records[file[:len(file)-len(".db")]+"/"+string(name)] = n
		return err
	})
}

// words says what a record is, where its key can be read.
func (v *verifier) words(bucket string, k []byte) (what string) {
	_ = guard(func() error {
		what = describe(bucket, k, k, func(id uint32) string {
			if v.series == nil {
				return ""
			}
			raw := v.series.Bucket(bucketTargets).Get(idKey(id))
			v, err := unseal(idKey(id), raw)
			if err != nil {
				return ""
			}
			name, _ := decodeTarget(v)
			return name
		})
		return nil
	})
	return what
}

func (v *verifier) mark() error {
	m, err := readMark(v.state)
	v.report.Batch, v.happened = m.seq, m.seq
	if err == nil {
		_, err = readSent(v.state)
	}
	return err
}

func (v *verifier) event(k, raw []byte) error {
	e, err := readEvent(k, raw)
	if err != nil {
		return err
	}
	if string(eventKey(e.At, e.Target, e.ID)) != string(k) {
		return damaged("the event is not what its key says")
	}
	if v.state.Bucket(bucketEventsOf).Get(eventOfKey(e.At, e.Target, e.ID)) == nil || v.state.Bucket(bucketEventIDs).Get(nameKey(e.Target, e.ID)) == nil {
		return damaged("the event is not in its indexes")
	}
	return nil
}

func (v *verifier) eventOf(k, raw []byte) error {
	if len(raw) > 0 {
		return errNoMark
	}
	target, rest, ok := cut(k)
	if !ok || len(rest) < 8 || v.state.Bucket(bucketEvents).Get(eventKey(readTime(rest), target, string(rest[8:]))) == nil {
		return damaged("the index names no event")
	}
	return nil
}

func (v *verifier) eventID(k, raw []byte) error {
	at, err := unseal(k, raw)
	if err != nil {
		return err
	}
	target, id, ok := cut(k)
	if !ok || len(at) != 8 || v.state.Bucket(bucketEvents).Get(eventKey(readTime(at), target, string(id))) == nil {
		return damaged("the index names no event")
	}
	return nil
}

func (v *verifier) job(k, raw []byte) error {
	j, err := readJob(k, raw)
	if err == nil && (j.ID != string(k) || v.state.Bucket(bucketJobTimes).Get(jobTimeKey(j)) == nil) {
		err = damaged("the job is not in its index")
	}
	return err
}

func (v *verifier) jobTime(k, raw []byte) error {
	if len(raw) > 0 {
		return errNoMark
	}
	if len(k) < 8 {
		return damaged("a job without a time")
	}
	j, err := readJob(k[8:], v.state.Bucket(bucketJobs).Get(k[8:]))
	if err != nil || string(jobTimeKey(j)) != string(k) {
		return damaged("the index names no job of this time")
	}
	return nil
}

func (v *verifier) origin(k, raw []byte) error {
	b, err := unseal(k, raw)
	if err == nil {
		_, err = decodeRanges(b)
	}
	return err
}

func (v *verifier) target(k, raw []byte) error {
	_, err := unseal(k, raw)
	if v.targets++; err == nil && (len(k) != 4 || binary.BigEndian.Uint32(k) != v.targets) {
		err = damaged("the numbers have a hole")
	}
	return err
}

func (v *verifier) layout(k, raw []byte) error {
	b, err := unseal(k, raw)
	if err != nil {
		return err
	}
	keys, err := decodeLayout(b)
	if err == nil && len(k) == 4 {
		v.layouts[binary.BigEndian.Uint32(k)] = keys
	}
	return err
}
