package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
)

// Most batches bring readings and nothing else, and a commit of bbolt is dear
// for that: two syncs and a dozen pages. So they go into a journal, with one
// write and one sync, and a batch in so many commits to series.db and does the
// housekeeping of all of them (series_commit.go).
//
// The journal is files of a fixed length, filled with zeros when they are made,
// so that a sync has no more to do than to write what was written. They hold
// records in the order of the batches. Each begins on a page of its own: what
// was kept is never written to again, and a write that a power cut tears takes
// nothing else along. A record is
//
//	sum(4) length(4) batch(8) batch of the record before it(8) value
//
// with a sum over the identity of the store, the number of the file, and all
// that follows. One without a value is an end: the store was closed there. Only
// one record may be torn, which is the last and was not acknowledged. So what
// cannot be read and has a record, an end or a file behind it is damage.
//
// series.db says which files there are, from the oldest whose rows are not all
// in blocks to the one that is written to, and from which on a start needs them.
type journal struct {
	dir   string
	id    []byte // of the store
	files []*journalFile
	known journalRange // what series.db says
	bytes atomic.Int64 // that the files have
	views atomic.Int64 // of it, whose files stay as they are
	buf   []byte
	doubt bool // the last record could not be synced, or was not to be kept: it must be taken back
}

// journalRange is numbers of files, from 1; zero is none. From newest on there are
// all newest rows that series.db does not keep. All rows of batches before first are
// in blocks: read again, one of them would stand before what came later.
type journalRange struct{ from, to, newest, first uint64 }

// journalFile is one of the files, and how far it is written.
type journalFile struct {
	number uint64
	path   string
	f      *os.File // nil where it is not written to
	size   int64
	end    int64         // where the next record begins
	last   journalRecord // without its value; at is 0 where there is none
	before journalRecord // the one before it
	after  uint64        // batch of the record before its first
	ended  bool          // the last record is an end
	torn   bool          // something lies behind the end
}

// journalRecord is a record in its file. Value is a slice of what was read.
type journalRecord struct {
	seq, prev uint64
	at        int64
	value     []byte // nil: an end
}

const (
	journalPage  = 4 << 10
	journalSize  = 4 << 20 // of a file; more where one record needs it
	journalMost  = 1 << 28 // of a file
	journalMagic = "plumb journal 1\n"
	recordHead   = 4 + 4 + 8 + 8
)

const journalName = "series-%08d.log"

func journalPath(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf(journalName, number))
}

// journalNumber returns which file of the journal a name is of.
func journalNumber(name string) (number uint64, ok bool) {
	n, _ := fmt.Sscanf(name, journalName, &number)
	return number, n == 1 && name == fmt.Sprintf(journalName, number)
}

// isJournal reports whether a file of a store's directory is of the journal.
func isJournal(name string) bool {
	_, ok := journalNumber(name)
	return ok
}

// encode makes of a range what series.db holds of it.
func (r journalRange) encode() []byte {
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, r.from), r.to)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, r.newest), r.first)
}

func decodeJournalRange(b []byte) (r journalRange, err error) {
	if len(b) == 16 || len(b) == 32 {
		r = journalRange{from: binary.BigEndian.Uint64(b), to: binary.BigEndian.Uint64(b[8:])}
		r.newest = r.from // until schema 7
	}
	if len(b) == 32 {
		r.newest, r.first = binary.BigEndian.Uint64(b[16:]), binary.BigEndian.Uint64(b[24:])
	}
	if r.from == 0 || r.from > r.to || r.to-r.from > 1<<20 || r.newest < r.from || r.newest > r.to {
		return journalRange{}, damaged("the journal's files are %x", b)
	}
	return r, nil
}

// padded is the length of a record with a value of n bytes.
func padded(n int) int64 { return (recordHead + int64(n) + journalPage - 1) &^ (journalPage - 1) }

func (j *journal) seed(number uint64) uint32 {
	return crc32.Update(crc32.Checksum(j.id, castagnoli), castagnoli, binary.BigEndian.AppendUint64(nil, number))
}

// current returns the file that is written to, or nil.
func (j *journal) current() *journalFile {
	if len(j.files) == 0 {
		return nil
	}
	return j.files[len(j.files)-1]
}

// prev returns the batch of the last record, or 0.
func (j *journal) prev() uint64 {
	for _, f := range slices.Backward(j.files) {
		if f.last.at != 0 {
			return f.last.seq
		}
	}
	return 0
}

// takes reports whether a record with a value of n bytes has its place in a
// file that series.db knows of.
func (j *journal) takes(n int) bool {
	f := j.current()
	return f != nil && f.number == j.known.to && f.end+padded(n) <= f.size
}

// append writes a record, whose head it fills in, and syncs it. Where it fails the
// record is taken back before the next one, or a commit of series.db.
func (j *journal) append(seq uint64, record []byte) error {
	if err := j.settle(); err != nil {
		return err
	}
	err := j.write(seq, record)
	if err != nil {
		err = errors.Join(err, j.settle())
	}
	return err
}

func (j *journal) write(seq uint64, record []byte) error {
	f := j.current()
	r := journalRecord{seq: seq, prev: j.prev(), at: f.end}
	j.seal(record, f.number, r)
	n := len(record) - recordHead
	if f.last.at == 0 {
		f.after = r.prev
	}
	j.doubt, f.before, f.last, f.ended, f.end = true, f.last, r, n == 0, f.end+padded(n)
	// What follows it on its last page is zero already.
	if _, err := f.f.WriteAt(record, r.at); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := f.sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.doubt = false
	return nil
}

// seal fills in the head of a record.
func (j *journal) seal(b []byte, file uint64, r journalRecord) {
	binary.BigEndian.PutUint32(b[4:], uint32(len(b)-recordHead))
	binary.BigEndian.PutUint64(b[8:], r.seq)
	binary.BigEndian.PutUint64(b[16:], r.prev)
	binary.BigEndian.PutUint32(b, crc32.Update(j.seed(file), castagnoli, b[4:]))
}

func (f *journalFile) sync() error {
	if neverSync {
		return nil
	}
	return syscall.Fdatasync(int(f.f.Fd()))
}

// takeBack has the last record not be there, if it is of a batch from seq on.
func (j *journal) takeBack(seq uint64) error {
	if f := j.current(); f != nil && f.last.at != 0 && f.last.seq >= seq {
		j.doubt = true
	}
	return j.settle()
}

// settle overwrites a record that must not be there.
func (j *journal) settle() error {
	if !j.doubt {
		return nil
	}
	f := j.current()
	n := f.end - f.last.at
	j.buf = slices.Grow(j.buf[:0], int(n))[:n]
	clear(j.buf)
	_, err := f.f.WriteAt(j.buf, f.last.at)
	if err == nil {
		err = f.sync()
	}
	if err != nil {
		return fmt.Errorf("taking back a record of the journal: %w", err)
	}
	f.end, f.last, f.ended, j.doubt = f.last.at, f.before, false, false
	return nil
}

// grow makes another file, for a record with a value of n bytes. It is written
// to when series.db knows of it.
func (j *journal) grow(n int, size int64) error {
	if size = max(size, journalPage+padded(n)); size > journalMost {
		return fmt.Errorf("a batch of %d bytes: %w", n, syscall.EFBIG)
	}
	if err := j.settle(); err != nil {
		return err
	}
	if f := j.current(); f != nil && f.number > j.known.to && f.end+padded(n) <= f.size {
		return nil // made before, in a batch that failed
	}
	number := uint64(1)
	if f := j.current(); f != nil {
		number = f.number + 1
	}
	path := journalPath(j.dir, number)
	f, err := os.OpenFile(path+".part", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err = f.Truncate(size); err == nil {
		err = fill(f, size)
	}
	if err == nil {
		_, err = f.WriteAt(j.head(number), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(path+".part", path)
	}
	if err == nil {
		if err = syncDir(j.dir); err != nil {
			os.Remove(path)
		}
	}
	if err != nil {
		os.Remove(path + ".part")
		return errors.Join(err, f.Close())
	}
	j.files = append(j.files, &journalFile{number: number, path: path, f: f, size: size, end: journalPage})
	j.bytes.Add(size)
	return nil
}

// head is the beginning of a file.
func (j *journal) head(number uint64) []byte {
	b := append([]byte(journalMagic), byte(len(j.id)))
	b = append(b, j.id...)
	b = binary.BigEndian.AppendUint64(b, number)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// files that series.db is to know of, without those whose records are all of
// batches before one.
func (j *journal) needed(first uint64) journalRange {
	if len(j.files) == 0 {
		return journalRange{}
	}
	from := 0
	for from < len(j.files)-1 && (j.files[from].last.seq < first || j.files[from].number < j.known.from) {
		from++
	}
	return journalRange{from: j.files[from].number, to: j.current().number}
}

// beyond returns the batch before which all must become parts, so that no more than
// so many bytes of the journal are needed.
func (j *journal) beyond(most int64) (seq uint64) {
	total := j.bytes.Load()
	for _, f := range j.files {
		if total <= most || f == j.current() {
			break
		}
		seq, total = max(seq, f.last.seq+1), total-f.size
	}
	return seq
}

// knows takes over what series.db now says, and removes the files that nobody
// needs any more: not even the commit before, to which bbolt goes back where the
// meta page of this one is damaged. One that cannot be removed is removed by the
// next open.
func (j *journal) knows(r journalRange) {
	from := j.known.from
	j.known = r
	for len(j.files) > 0 && j.files[0].number < from {
		f := j.files[0]
		if f.f != nil {
			f.f.Close()
		}
		j.reuse(f.path)
		j.bytes.Add(-f.size)
		j.files = j.files[1:]
	}
	for i, f := range j.files {
		if f.f != nil && i < len(j.files)-1 {
			f.f.Close()
			f.f = nil
		}
	}
}

// reuse keeps a file that is not needed any more to become the next one, where there
// is none kept yet and nobody reads it: overwriting takes the system less than making.
// Where that fails the next one is made.
func (j *journal) reuse(path string) {
	next := journalPath(j.dir, j.current().number+1) + ".part"
	if _, err := os.Lstat(next); err == nil || j.views.Load() > 0 || os.Rename(path, next) != nil {
		os.Remove(path)
	}
}

// open makes ready to write, after readJournal: it removes files that are needed no
// more or were never whole, and what a death tore. A file beyond those that series.db
// knows of stays until the journal comes to its number: where series.db has lost its
// last commit, it may hold what was kept.
func (j *journal) open() error {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, part := strings.CutSuffix(e.Name(), ".part")
		if number, ok := journalNumber(name); ok && (part || number < j.known.from) {
			if err := os.Remove(filepath.Join(j.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	f := j.current()
	if f == nil {
		return nil
	}
	if f.f, err = os.OpenFile(f.path, os.O_RDWR, 0); err != nil || !f.torn {
		return err
	}
	if _, err = f.f.WriteAt(make([]byte, f.size-f.end), f.end); err == nil {
		err = f.sync()
	}
	f.torn = err != nil
	return err
}

// close writes the end and closes the files. A record that was not kept, of a batch
// from stale on where that is not 0, must not stand before it.
func (j *journal) close(stale uint64) (err error) {
	f := j.current()
	if f == nil || f.f == nil {
		return nil
	}
	if stale != 0 {
		err = j.takeBack(stale)
	} else {
		err = j.settle()
	}
	if err == nil && f.last.at != 0 && !f.ended && j.takes(0) {
		err = j.write(f.last.seq, make([]byte, recordHead))
	}
	for _, f := range j.files {
		if f.f != nil {
			err = errors.Join(err, f.f.Close())
			f.f = nil
		}
	}
	return err
}
