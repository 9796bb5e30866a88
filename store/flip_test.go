package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// One byte of a file is turned over, any byte of any page that a tree reaches,
// and of both meta pages. Opening or verifying must say so, of that file,
// unless nothing reads the byte: then the store must be whole. Pages that no
// tree reaches are wiped before, since an old copy can stand for a new one.
//
// make test takes some hundreds of bytes by chance, make crash all of them.
func TestCrashEveryFlippedByteIsFoundOrIsNotLive(t *testing.T) {
	dir := t.TempDir()
	fillEveryBucket(t, dir)
	fillBranches(t, dir)
	for _, name := range []string{"state.db", "series.db"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := openFlipper(t, dir, name)
			write(t, f.path, f.whole)
			if err := f.find(t.Context()); err != nil {
				t.Fatalf("a whole store: %v", err)
			}
			flips, dead := 0, 0
			for _, at := range f.places() {
				flips++
				b, mask := f.whole[at], byte(1+f.rng.IntN(255))
				f.whole[at] = b ^ mask
				write(t, f.path, f.whole)
				err := f.find(t.Context())
				f.whole[at] = b
				if live := f.live(at, b^mask); live != (err != nil) {
					t.Errorf("byte %d of page %d, %#x for %#x: live %v, found %v", at%f.size, at/f.size, b^mask, b, live, err)
				} else if !live {
					dead++
				}
			}
			t.Logf("%d bytes of %d pages, %d of them not live", flips, len(f.pages), dead)
			if dead == flips || dead == 0 {
				t.Error("there should be bytes of both kinds")
			}
		})
	}
}

// fillBranches adds branches to a tree of each file, and a value that is longer
// than a page.
func fillBranches(t testing.TB, dir string) {
	t.Helper()
	o := start(t, dir, testStep)
	for n := range 30 {
		at := day0.Add(time.Duration(n) * time.Minute)
		p := payload{Changes: []fleet.Change{{Target: "server-one", Row: "long", At: at, Value: bytes.Repeat([]byte{'7'}, 300+n/29*6000)}}}
		for row := range 6 {
			p.Readings = append(p.Readings, reading(fmt.Sprintf("server-%d-%d", n, row), at, fleet.Int(1)))
		}
		o.apply(t, p)
	}
	o.stop()
}

// flipper holds one file of a store in memory and on disk.
type flipper struct {
	t     *testing.T
	cfg   Config
	path  string
	whole []byte
	size  int
	pages []int // the meta pages, and where each node begins
	rng   *rand.Rand
}

func openFlipper(t *testing.T, from, name string) *flipper {
	t.Helper()
	f := &flipper{t: t, cfg: testConfig(t.TempDir()), rng: rand.New(rand.NewPCG(1, 2)), pages: []int{0, 1}}
	copyStore(t, from, f.cfg.Dir)
	f.path = filepath.Join(f.cfg.Dir, name)
	var err error
	if f.whole, err = os.ReadFile(f.path); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(f.path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	f.size = db.Info().PageSize
	err = db.View(func(tx *bbolt.Tx) error {
		f.whole = f.whole[:tx.Size()]
		_, heads := livePages(t.Context(), tx, f.whole)
		var live []uint64
		for _, id := range heads {
			f.pages = append(f.pages, int(id))
			for n := range len(f.pagesOf(int(id))) / f.size {
				live = append(live, id+uint64(n))
			}
		}
		wipeFree(f.whole, live, f.size)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// places lists the bytes to turn over: of what follows the last element of a
// node only some, since it is all the same.
func (f *flipper) places() (all []int) {
	for _, id := range f.pages {
		page := f.pagesOf(id)
		end := metaOffset + metaLen
		if id >= metaPages {
			end = nodeEnd(page)
		}
		for i := range page {
			if i < end || i%16 == 0 {
				all = append(all, id*f.size+i)
			}
		}
	}
	if crashAll() {
		return all
	}
	f.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:200]
}

// find opens the store, verifies it and examines it, and returns what is found
// by whoever finds it first.
func (f *flipper) find(ctx context.Context) error {
	examined := judge(Examine(ctx, f.cfg.Dir))
	s, err := Open(ctx, f.cfg)
	if err == nil {
		defer s.Close()
		_, err = s.blocks(ctx)
	}
	if err != nil {
		var file *FileError
		if !errors.As(err, &file) || file.Path != f.path {
			f.t.Errorf("Open = %v, want an error about %s", err, f.path)
		}
		return err
	}
	verified := judge(s.Verify(ctx))
	if _, err := s.Memory(ctx); verified == nil && err != nil {
		f.t.Errorf("a store that is whole cannot be read: %v", err)
	}
	return errors.Join(verified, examined)
}

// judge returns the first problem of a report.
func judge(r Report, err error) error {
	if err == nil && !r.OK() {
		err = r.Problems[0].Err
	}
	return err
}

// live reports whether anything reads a byte of the whole file, or whether b in
// its place says the same. Not read are
//
//   - the head of a meta page, and what follows its sum,
//   - what follows the last element of a node.
//
// Two things may have other values and say the same: the keys of a branch,
// where they still divide its children, and how far the outbox has counted,
// where that is not less than what it holds.
func (f *flipper) live(at int, b byte) bool {
	id, i := f.node(at)
	if id < metaPages {
		return i >= metaOffset && i < metaOffset+metaLen
	}
	page := f.pagesOf(id)
	if i >= nodeEnd(page) {
		return false
	}
	changed := bytes.Clone(page)
	changed[i] = b
	if page[8] == branchFlag {
		return !f.leadsAsBefore(page, changed)
	}
	return !f.countsOn(page, changed, i)
}

// node returns in which node a byte lies, and where.
func (f *flipper) node(at int) (id, i int) {
	for _, p := range f.pages {
		if p*f.size <= at {
			id = p
		}
	}
	return id, at - id*f.size
}

// pagesOf returns a node's page and those behind it, or a meta page.
func (f *flipper) pagesOf(id int) []byte {
	b := f.whole[id*f.size:]
	if id < metaPages {
		return b[:f.size]
	}
	return b[:f.size*(1+int(binary.NativeEndian.Uint32(b[12:])))]
}

// element is one of a node: child of a branch, value of a leaf.
type element struct {
	position   uint32
	key, value []byte
	child      uint64
	end        int
}

// elementsOf reads a node that may be damaged; ok is false where it cannot be
// read.
func elementsOf(page []byte) (out []element, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	for i := range int(binary.NativeEndian.Uint16(page[10:])) {
		b := page[pageHead+i*pageElement:]
		var e element
		var keySize, valueSize uint32
		if page[8] == branchFlag {
			e.position, keySize, e.child = binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint64(b[8:])
		} else {
			e.position, keySize, valueSize = binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[8:]), binary.NativeEndian.Uint32(b[12:])
		}
		rest := b[e.position:]
		e.key, e.value = rest[:keySize], rest[keySize:keySize+valueSize]
		e.end = pageHead + i*pageElement + int(e.position+keySize+valueSize)
		out = append(out, e)
	}
	return out, true
}

// nodeEnd is where a node's last element ends.
func nodeEnd(page []byte) int {
	e, _ := elementsOf(page)
	return e[len(e)-1].end
}

// leadsAsBefore reports whether a changed branch leads to the same places: it
// has the same children in the same place, and each key is not above what its
// child holds and above what the one before it holds.
func (f *flipper) leadsAsBefore(page, changed []byte) bool {
	was, _ := elementsOf(page)
	is, ok := elementsOf(changed)
	if !ok || len(was) != len(is) || !bytes.Equal(page[:pageHead], changed[:pageHead]) {
		return false
	}
	for i := range is {
		least, _ := f.span(int(was[i].child))
		if is[i].child != was[i].child || is[i].position != was[i].position || bytes.Compare(is[i].key, least) > 0 {
			return false
		}
		if is[i].end != was[i].end && i+1 < len(is) {
			return false // the next one does not follow
		}
		if i == 0 {
			continue
		}
		if _, most := f.span(int(was[i-1].child)); bytes.Compare(is[i].key, most) <= 0 {
			return false
		}
	}
	return true
}

// span returns the first and the last key below a node.
func (f *flipper) span(id int) (least, most []byte) {
	page := f.pagesOf(id)
	e, _ := elementsOf(page)
	least, most = e[0].key, e[len(e)-1].key
	if page[8] == branchFlag {
		_, most = f.span(int(e[len(e)-1].child))
	}
	return least, most
}

// countsOn reports whether a changed byte of a leaf is of how far the outbox
// has counted, and no less than before.
func (f *flipper) countsOn(page, changed []byte, i int) bool {
	elements, _ := elementsOf(page)
	for _, e := range elements {
		if string(e.key) != string(bucketOutbox) || binary.NativeEndian.Uint32(page[pageHead:]) != bucketFlag {
			continue
		}
		from := e.end - len(e.value) + 8
		return i >= from && i < from+8 && binary.NativeEndian.Uint64(changed[from:]) >= binary.NativeEndian.Uint64(page[from:])
	}
	return false
}
