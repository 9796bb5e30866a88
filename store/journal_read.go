package store

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// readJournal reads the files from one to another of those that are known. each is
// called with every record, in order, whose value is good until it returns. The files
// are closed again; open opens the last one.
func readJournal(dir string, id []byte, known journalRange, from, to uint64, each func(journalRecord)) (*journal, error) {
	j := &journal{dir: dir, id: id, known: known}
	for n := max(from, 1); n <= to; n++ {
		f, err := j.read(n, n == known.to, each)
		if err != nil {
			return j, &FileError{journalPath(dir, n), err}
		}
		j.files = append(j.files, f)
		j.bytes.Add(f.size)
	}
	j.buf = nil // of the length of a file
	return j, nil
}

// behind puts the files of a journal before those of another, whose first record must
// follow its last.
func (j *journal) behind(older *journal) error {
	for _, f := range j.files {
		if f.last.at == 0 {
			continue
		}
		if prev := older.prev(); f.after != prev {
			return &FileError{f.path, damaged("its first batch is said to follow batch %d, and follows %d", f.after, prev)}
		}
		break
	}
	j.files = append(older.files, j.files...)
	j.bytes.Add(older.bytes.Load())
	return nil
}

// read reads one file. Only the last may end in what is torn.
func (j *journal) read(number uint64, last bool, each func(journalRecord)) (*journalFile, error) {
	file := &journalFile{number: number, path: journalPath(j.dir, number)}
	f, err := openJournal(file.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if j.buf, err = readJournalFile(f, j.buf); err != nil {
		return nil, err
	}
	return file, j.parse(file, j.buf, last, each)
}

func openJournal(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, damaged("it is missing")
	}
	return f, err
}

// readJournalFile reads a file into b, which it makes larger where it must.
func readJournalFile(f *os.File, b []byte) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return b, err
	}
	if info.Size() > journalMost || info.Size() < journalPage || info.Size()%journalPage != 0 {
		return b, damaged("it has %d bytes", info.Size())
	}
	b = slices.Grow(b[:0], int(info.Size()))[:info.Size()]
	_, err = io.ReadFull(io.NewSectionReader(f, 0, info.Size()), b)
	return b, err
}

// parse finds the records of a file.
func (j *journal) parse(file *journalFile, b []byte, last bool, each func(journalRecord)) error {
	if head := j.head(file.number); string(b[:len(head)]) != string(head) {
		return damaged("it does not begin as file %d of this store's journal does", file.number)
	}
	prev := j.prev()
	file.size, file.end = int64(len(b)), journalPage
	for file.end < file.size {
		r, ok := j.record(file.number, b, file.end)
		if !ok {
			break
		}
		if r.prev != prev && prev != 0 || r.seq < r.prev || r.seq == r.prev && r.value != nil {
			return damaged("batch %d is said to follow batch %d, and follows %d", r.seq, r.prev, prev)
		}
		each(r)
		if file.last.at == 0 {
			file.after = r.prev
		}
		prev, file.before, file.last, file.ended = r.seq, file.last, r, r.value == nil
		file.last.value = nil
		file.end += padded(len(r.value))
	}
	file.torn = !zero(b[file.end:])
	for at := file.end; file.torn && at < file.size; at += journalPage {
		if r, ok := j.record(file.number, b, at); ok && r.seq >= prev {
			return damaged("what follows batch %d cannot be read, and batch %d comes after it", prev, r.seq)
		}
	}
	if file.torn && !last {
		return damaged("what follows batch %d cannot be read", prev)
	}
	return nil
}

// record reads a record.
func (j *journal) record(number uint64, b []byte, at int64) (r journalRecord, ok bool) {
	head := b[at:]
	n := int64(binary.BigEndian.Uint32(head[4:]))
	if n > int64(len(head))-recordHead {
		return r, false
	}
	r = journalRecord{seq: binary.BigEndian.Uint64(head[8:]), prev: binary.BigEndian.Uint64(head[16:]), at: at}
	if n > 0 {
		r.value = head[recordHead : recordHead+n : recordHead+n]
	}
	return r, r.seq != 0 && binary.BigEndian.Uint32(head) == crc32.Update(j.seed(number), castagnoli, head[4:recordHead+n])
}

func zero(b []byte) bool {
	for len(b) >= 8 {
		if binary.NativeEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	return strings.Trim(string(b), "\x00") == ""
}

// journalView is the files of the journal as of one batch. They are open: what
// is removed meanwhile can still be read.
type journalView struct {
	*journal
	of   *journal
	open []*os.File
	err  error         // what is not in open
	ends []int64       // 0: the file's own
	last journalRecord // of the last file, where an end must follow it in a copy
}

// view opens the files to read them, but for a record that was not kept: of a batch
// from stale on, where that is not 0. What is wrong is told by those who read.
func (j *journal) view(stale uint64) *journalView {
	v := &journalView{journal: &journal{dir: j.dir, id: j.id, known: j.known}, of: j}
	j.views.Add(1)
	for n := j.known.from; n <= j.known.to && n > 0; n++ {
		f, err := openJournal(journalPath(j.dir, n))
		if err != nil {
			v.err = &FileError{journalPath(j.dir, n), err}
			return v
		}
		v.open, v.ends = append(v.open, f), append(v.ends, 0)
		for _, file := range j.files {
			if file.number == n {
				v.ends[len(v.ends)-1] = file.end
				if v.last = file.last; file.ended {
					v.last = journalRecord{}
				} else if stale != 0 && file.last.at != 0 && file.last.seq >= stale {
					v.ends[len(v.ends)-1] = file.last.at
					v.last = journalRecord{seq: file.last.prev}
				}
			}
		}
	}
	return v
}

// read calls each with every record. An error is a *FileError.
func (v *journalView) read(each func(journalRecord)) error {
	v.files = nil
	for i, f := range v.open {
		b, err := readJournalFile(f, nil)
		if err != nil {
			return &FileError{f.Name(), err}
		}
		if v.ends[i] > 0 {
			b = b[:min(v.ends[i], int64(len(b)))]
		}
		file := &journalFile{number: v.known.from + uint64(i)}
		if err := v.parse(file, b, i == len(v.open)-1, each); err != nil {
			return &FileError{f.Name(), err}
		}
		v.files = append(v.files, file)
	}
	return v.err
}

// copyTo copies the files into another directory, synced, with an end behind what
// was there at the time.
func (v *journalView) copyTo(ctx context.Context, dir string) error {
	if v.err != nil {
		return v.err
	}
	for i, f := range v.open {
		to, err := os.OpenFile(filepath.Join(dir, filepath.Base(f.Name())), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		from := io.NewSectionReader(f, 0, journalMost)
		if v.ends[i] > 0 {
			from = io.NewSectionReader(f, 0, v.ends[i])
		}
		if _, err = io.Copy(stoppable{ctx, to}, from); err == nil && v.last.seq > 0 && i == len(v.open)-1 {
			end := journalRecord{seq: v.last.seq, prev: v.last.seq}
			page := make([]byte, journalPage)
			v.seal(page[:recordHead], v.known.to, end)
			_, err = to.Write(page)
		}
		if err == nil {
			err = to.Sync()
		}
		if err = errors.Join(err, to.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (v *journalView) close() {
	v.of.views.Add(-1)
	for _, f := range v.open {
		f.Close()
	}
}

// examineJournal checks the files of a directory each by itself, where nothing
// says which of them are needed. An error is a *FileError.
func examineJournal(dir string, each func(journalRecord)) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		number, ok := journalNumber(e.Name())
		if !ok || err != nil {
			continue
		}
		j := &journal{dir: dir, id: journalID(filepath.Join(dir, e.Name()))}
		if _, e := j.read(number, true, each); e != nil {
			err = &FileError{journalPath(dir, number), e}
		}
	}
	return err
}

// journalID returns of which store a file says it is.
func journalID(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, len(journalMagic)+1+math.MaxUint8)
	n, _ := io.ReadFull(f, b)
	if b = b[:n]; n <= len(journalMagic) || n <= len(journalMagic)+int(b[len(journalMagic)]) {
		return nil
	}
	b = b[len(journalMagic):]
	return b[1 : 1+b[0]]
}

// removeJournal removes what a copy that was cut short left of a journal.
func removeJournal(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if isJournal(e.Name()) {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
