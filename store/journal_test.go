package store

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"plumb/fleet"
)

// saidRecord is what a record holds.
type saidRecord struct {
	seq   uint64
	value string
}

// readBack reads a journal, ends left out, as a start does.
func readBack(dir string, known journalRange) (j *journal, all []saidRecord, err error) {
	j, err = readJournal(dir, []byte("store"), known, known.from, known.to, func(r journalRecord) {
		if r.value != nil {
			all = append(all, saidRecord{r.seq, string(r.value)})
		}
	})
	return j, all, err
}

// recordOf is a value with room for the head of its record.
func recordOf(value []byte) []byte { return append(make([]byte, recordHead), value...) }

// newJournal is a journal of one file.
func newJournal(t testing.TB, dir string, size int64) *journal {
	t.Helper()
	j := &journal{dir: dir, id: []byte("store")}
	if err := j.grow(0, size); err != nil {
		t.Fatal(err)
	}
	j.knows(j.needed(0))
	t.Cleanup(func() { j.close(0) })
	return j
}

// A journal is written to, taken back, grown, shortened, closed and opened, in any
// order, with and without a death between: it holds what it should.
func TestJournalHoldsWhatItWasTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "plumb-journal")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		j := &journal{dir: dir, id: []byte("store")}
		defer func() { j.close(0) }()
		var want []saidRecord
		seq := uint64(0)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				value := []byte(strings.Repeat("x", rapid.SampledFrom([]int{1, 100, journalPage - recordHead, journalPage, 3 * journalPage, 9 * journalPage}).Draw(t, "size")))
				seq += uint64(rapid.IntRange(1, 3).Draw(t, "batches"))
				value[0] = byte(seq)
				if !j.takes(len(value)) {
					must(j.grow(len(value), 4*journalPage))
					if rapid.Bool().Draw(t, "the commit fails") {
						return
					}
					j.knows(j.needed(0))
				}
				must(j.append(seq, recordOf(value)))
				want = append(want, saidRecord{seq, string(value)})
			},
			"take back": func(t *rapid.T) {
				f := j.current()
				if f == nil || f.last.at == 0 || f.ended || len(want) == 0 || want[len(want)-1].seq != f.last.seq {
					t.Skip("nothing to take back")
				}
				must(j.takeBack(seq))
				if want[len(want)-1].seq >= seq {
					want = want[:len(want)-1]
				}
			},
			"shorten": func(t *rapid.T) {
				if len(want) == 0 {
					t.Skip("it is empty")
				}
				first := want[rapid.IntRange(0, len(want)-1).Draw(t, "first")].seq
				j.knows(j.needed(first))
				_, left, err := readBack(dir, j.known)
				must(err)
				if n := len(want) - len(left); n < 0 || !slices.Equal(left, want[n:]) || left[0].seq > first {
					t.Fatalf("%d records of %d are left, from batch %d on needed", len(left), len(want), first)
				}
				want = left
			},
			"open": func(t *rapid.T) {
				known := j.known
				if rapid.Bool().Draw(t, "closed") {
					must(j.close(0))
				}
				var err error
				j, _, err = readBack(dir, known)
				must(err)
				must(j.open())
			},
			"": func(t *rapid.T) {
				_, got, err := readBack(dir, j.known)
				must(err)
				if !slices.Equal(got, want) {
					t.Fatalf("%d records, not %d", len(got), len(want))
				}
			},
		})
	})
}

// A write that was cut takes nothing else along, whatever is left of it, and what
// comes next takes its place.
func TestJournalIsTornAtItsEndAlone(t *testing.T) {
	dir := t.TempDir()
	j := newJournal(t, dir, 16*journalPage)
	var want []saidRecord
	for n := range uint64(3) {
		value := bytes.Repeat([]byte{byte(n + 1)}, 3000*int(n+1))
		if err := j.append(n+1, recordOf(value)); err != nil {
			t.Fatal(err)
		}
		want = append(want, saidRecord{n + 1, string(value)})
	}
	path, whole := j.current().path, read(t, j.current().path)
	from, to := j.current().last.at, j.current().end
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		torn := slices.Clone(whole)
		for at := from; at < to; at += sector {
			if rng.IntN(2) == 0 {
				clear(torn[at : at+sector])
			}
		}
		write(t, path, torn)
		again, got, err := readBack(dir, j.known)
		if err != nil {
			t.Fatal(err)
		}
		left := want[:2]
		if bytes.Equal(torn, whole) {
			left = want
		}
		if !slices.Equal(got, left) {
			t.Fatalf("%d records, not %d", len(got), len(left))
		}
		if err := again.open(); err != nil {
			t.Fatal(err)
		}
		if err := again.append(9, recordOf([]byte("next"))); err != nil {
			t.Fatal(err)
		}
		if err := again.close(0); err != nil {
			t.Fatal(err)
		}
		_, next, err := readBack(dir, j.known)
		if err != nil || !slices.Equal(next, append(got, saidRecord{9, "next"})) {
			t.Fatalf("%d records after it, %v", len(next), err)
		}
	}
}

// Each byte of a journal that was closed is turned over: what it holds is not
// what it was only where that is said.
func TestJournalEveryFlippedByteIsFoundOrIsNotLive(t *testing.T) {
	dir := t.TempDir()
	j := newJournal(t, dir, 4*journalPage)
	for n := range uint64(4) {
		if !j.takes(2000) {
			if err := j.grow(2000, 4*journalPage); err != nil {
				t.Fatal(err)
			}
			j.knows(j.needed(0))
		}
		if err := j.append(n+1, recordOf(bytes.Repeat([]byte{byte(n + 1)}, 2000))); err != nil {
			t.Fatal(err)
		}
	}
	known := j.known
	if err := j.close(0); err != nil {
		t.Fatal(err)
	}
	_, want, err := readBack(dir, known)
	if err != nil || len(want) != 4 || known.from != 1 || known.to != 2 {
		t.Fatalf("%d records of %v, %v", len(want), known, err)
	}
	for n := known.from; n <= known.to; n++ {
		path := journalPath(dir, n)
		whole := read(t, path)
		found := 0
		for at := range whole {
			if at%journalPage > 64 && at%16 != 0 && whole[at] == 0 {
				continue // as its neighbours
			}
			whole[at] ^= 0x40
			write(t, path, whole)
			whole[at] ^= 0x40
			_, got, err := readBack(dir, known)
			switch {
			case err != nil:
				found++
				if !errors.Is(err, ErrDamaged) {
					t.Fatal(err)
				}
			case !slices.Equal(got, want):
				t.Fatalf("file %d, byte %d: %d records and no error", n, at, len(got))
			}
		}
		write(t, path, whole)
		if found < 2000 {
			t.Errorf("file %d: %d of %d bytes matter", n, found, len(whole))
		}
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzJournal reads any bytes as a file of a journal.
func FuzzJournal(f *testing.F) {
	j := newJournal(f, f.TempDir(), 4*journalPage)
	for n := range uint64(2) {
		if err := j.append(n+1, recordOf([]byte("value"))); err != nil {
			f.Fatal(err)
		}
	}
	b := read(f, j.current().path)
	f.Add(b)
	f.Add(b[:journalPage])
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append(b, make([]byte, journalPage-len(b)%journalPage)...)
		for _, last := range []bool{true, false} {
			j, size := &journal{id: []byte("store")}, 0
			file := &journalFile{number: 1}
			err := j.parse(file, b, last, func(r journalRecord) { size += len(r.value) })
			if size > len(b) || err == nil && file.end > file.size {
				t.Fatalf("%d bytes of records in %d, %+v", size, len(b), file)
			}
		}
	})
}

// busyJournal is a store whose journal takes most batches, in small files.
func busyJournal(t *testing.T, dir string, batches int) *opened {
	t.Helper()
	s, err := Open(t.Context(), testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	s.pace.house, s.pace.journal, s.pace.rows, s.pace.spread = 7, 4*journalPage, 20, 1
	o := run(t, s, dir, testStep)
	for n := range batches {
		o.apply(t, pollOf(n))
	}
	return o
}

// Readings go to the journal; what became parts leaves it; all of it is there
// after a death, and after an end.
func TestReadingsGoThroughTheJournal(t *testing.T) {
	const batches = 150
	o := busyJournal(t, t.TempDir(), batches)
	in := 0
	for _, e := range o.writer.wal {
		if e.values == 0 {
			in++
		}
	}
	if j := o.journal.known; in == 0 || j.from < 10 || j.to-j.from > 12 {
		t.Errorf("%d batches in the journal, whose files are %v", in, j)
	}
	for name, dir := range map[string]string{"death": o.died(t), "backup": backedUp(t, o), "end": func() string { o.stop(); return o.dir }()} {
		t.Run(name, func(t *testing.T) {
			if r, err := Examine(t.Context(), dir); err != nil || !r.OK() || r.Records["series/journal"] == 0 {
				t.Errorf("examined: %v, %v, %v", r.Problems, r.Records, err)
			}
			again := start(t, dir, testStep)
			if p := again.read(t, gauge, day0, maxTime, 0); len(p) != batches || p[batches-1].Mean != fleet.Int(batches-1) {
				t.Errorf("%d of %d polls", len(p), batches)
			}
			again.apply(t, pollOf(batches))
			if p := again.read(t, gauge, day0, maxTime, 0); len(p) != batches+1 {
				t.Errorf("%d polls with another one", len(p))
			}
			verifyClean(t, again.Store)
		})
	}
}

func backedUp(t *testing.T, o *opened) string {
	t.Helper()
	dir := t.TempDir()
	if err := o.Backup(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A journal that is damaged, or of which a file is missing, is an error that names
// the file, in a store and in a backup of it.
func TestADamagedJournalIsNamed(t *testing.T) {
	o := busyJournal(t, t.TempDir(), 60)
	copied := backedUp(t, o)
	known := o.journal.known
	o.stop()
	for name, harm := range map[string]func(path string){
		"missing": func(path string) { os.Remove(path) },
		"cut":     func(path string) { os.Truncate(path, 100) },
		"turned": func(path string) {
			b := read(t, path)
			b[journalPage+recordHead] ^= 1
			write(t, path, b)
		},
		"empty": func(path string) { os.Truncate(path, 0) },
	} {
		for _, from := range []string{o.dir, copied} {
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				copyStore(t, from, dir)
				path := journalPath(dir, known.from)
				harm(path)
				r, err := Examine(t.Context(), dir)
				if err != nil || r.OK() || r.Problems[0].File != filepath.Base(path) {
					t.Errorf("examined: %v, %v", r.Problems, err)
				}
				s, err := Open(t.Context(), testConfig(dir))
				var file *FileError
				if !errors.As(err, &file) || file.Path != path || !errors.Is(err, ErrDamaged) {
					t.Errorf("opened: %v", err)
				}
				if err == nil {
					s.Close()
				}
				if _, err := Restore(t.Context(), dir, t.TempDir()); !errors.Is(err, ErrDamaged) {
					t.Errorf("restored: %v", err)
				}
			})
		}
	}
}

// Where no file of a journal can be made series.db takes what comes.
func TestWithoutAJournalNothingIsLost(t *testing.T) {
	dir := t.TempDir()
	o := start(t, dir, testStep)
	o.apply(t, pollOf(0))
	if err := os.MkdirAll(filepath.Join(journalPath(dir, 1), "here"), 0o700); err != nil { // no file can take this name
		t.Fatal(err)
	}
	const batches = 40
	for n := 1; n < batches; n++ {
		o.apply(t, pollOf(n))
	}
	if p := o.read(t, gauge, day0, maxTime, 0); len(p) != batches || len(o.journal.files) != 0 {
		t.Errorf("%d of %d polls, %d files", len(p), batches, len(o.journal.files))
	}
}

// A file that is not needed any more becomes the next one, zero throughout, unless
// somebody reads it.
func TestAFileOfTheJournalIsUsedAgain(t *testing.T) {
	for _, read := range []bool{false, true} {
		dir := t.TempDir()
		j := newJournal(t, dir, 4*journalPage)
		grow := func() {
			t.Helper()
			if err := j.grow(1, 4*journalPage); err != nil {
				t.Fatal(err)
			}
		}
		say := func(seq uint64) {
			t.Helper()
			if err := j.append(seq, recordOf(bytes.Repeat([]byte{byte(seq)}, 3000))); err != nil {
				t.Fatal(err)
			}
		}
		for seq := range uint64(6) {
			if seq%3 == 0 && seq > 0 {
				grow()
				j.knows(j.needed(0))
			}
			say(seq + 1)
		}
		var view *journalView
		if read {
			view = j.view(0)
		}
		was := inode(t, journalPath(dir, 1))
		j.knows(j.needed(4)) // the first is needed no more, but for the commit before
		j.knows(j.needed(4))
		grow()
		j.knows(j.needed(4))
		if again := inode(t, journalPath(dir, 3)) == was; again == read {
			t.Errorf("read: %v, used again: %v", read, again)
		}
		if b, err := os.ReadFile(journalPath(dir, 3)); err != nil || !zero(b[journalPage:]) {
			t.Errorf("the next file is not empty, %v", err)
		}
		say(7)
		_, got, err := readBack(dir, j.known)
		if err != nil || len(got) != 4 {
			t.Errorf("%d records, %v", len(got), err)
		}
		if read {
			var seen int
			if err := view.read(func(journalRecord) { seen++ }); err != nil || seen != 6 {
				t.Errorf("who reads it sees %d records, %v", seen, err)
			}
			view.close()
		}
	}
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}
