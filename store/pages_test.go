package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// A store that is being written is whole at every moment. The writer here
// frees and takes pages as fast as it can, while two readers verify: what the
// check says of a page must not depend on what came after its transaction.
func TestVerifyWhileWritingFindsNothing(t *testing.T) {
	s, err := Open(t.Context(), testConfig(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	s.pace = pace{rows: 3, spread: 3, age: time.Second, fresh: time.Second, grace: 0}
	o := run(t, s, s.cfg.Dir, testStep)
	stop := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 2 {
		target := string(rune('a' + w))
		writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				at := day0.Add(time.Duration(n) * time.Minute)
				p := payload{
					Changes:  []fleet.Change{{Target: target, Row: string(rune('a' + n%26)), At: at, Value: bytes.Repeat([]byte{'7'}, 1+n%900)}},
					Readings: []fleet.Readings{reading(target, at, fleet.Int(int64(n)), fleet.Int(int64(n)<<40))},
					Audit:    []fleet.AuditEntry{{Who: target}},
				}
				if err := o.Apply(t.Context(), obs(t, p)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	const batches, checks = 300, 20
	for range 2 {
		readers.Go(func() {
			for n := 0; n < checks || s.Stats().Batches < batches; n++ {
				if verifyClean(t, s); t.Failed() {
					return
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	writers.Wait()
}

// fillPages adds branches, and values that are longer than a page.
func fillPages(t *testing.T, dir string) {
	t.Helper()
	o := start(t, dir, testStep)
	for n := range 60 {
		p := payload{Readings: []fleet.Readings{reading("server-one", day0.Add(time.Duration(n)*time.Minute), fleet.Int(int64(n)))}}
		for row := range 8 {
			p.Changes = append(p.Changes, fleet.Change{Target: "server-one", Row: fmt.Sprintf("row-%02d", row), At: day0.Add(time.Duration(n) * time.Minute), Value: bytes.Repeat([]byte{'7'}, 1+n*n*(row&1)*3)})
			p.Readings = append(p.Readings, reading(fmt.Sprintf("server-%d-%d", n, row), day0, fleet.Int(1)))
		}
		o.apply(t, p)
	}
	o.stop()
}

// structure lists what of a page is structure: its head and its elements.
func structure(page []byte) int {
	return min(len(page), pageHead+pageElement*int(page[10]))
}

// Every damaged byte of a page's head or elements is found, or does no harm.
// Nothing panics and nothing goes round
// for ever.
func TestWalkFindsDamagedStructure(t *testing.T) {
	dir := t.TempDir()
	fillEveryBucket(t, dir)
	fillPages(t, dir)
	for _, name := range []string{"state.db", "series.db"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			tx, err := db.Begin(false)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if problems := walk(t.Context(), tx, whole); len(problems) > 0 {
				t.Fatalf("a whole file: %v", problems)
			}
			live, heads := livePages(t.Context(), tx, whole)
			if len(heads) < 5 {
				t.Fatalf("%d nodes", len(heads))
			}
			size := db.Info().PageSize
			wipeFree(whole, live, size)
			rng := rand.New(rand.NewPCG(1, 2))
			for range 4000 {
				page := int(heads[rng.IntN(len(heads))]) * size
				at := page + rng.IntN(structure(whole[page:page+size]))
				bit := byte(1) << rng.IntN(8)
				whole[at] ^= bit
				if problems := walk(t.Context(), tx, whole); len(problems) == 0 && !harmless(whole, page, at) {
					t.Errorf("page at %d, byte %d, bit %#x: nothing is found", page, at-page, bit)
				}
				whole[at] ^= bit
			}
		})
	}
}

// wipeFree fills the pages that no tree reaches: an old copy of a page can
// stand for the new one, and only what the records say of each other tells.
func wipeFree(file []byte, live []uint64, size int) {
	for id := 2; id < len(file)/size; id++ {
		if _, ok := slices.BinarySearch(live, uint64(id)); !ok {
			clear(file[id*size : (id+1)*size])
		}
	}
}

// harmless reports whether a changed byte is the size of a leaf's last key or
// value, which the checksums of the records find, or of a branch's last key: a
// shorter one that still divides its children leads to the same places.
func harmless(file []byte, page, at int) bool {
	last := page + pageHead + pageElement*(int(file[page+10])-1)
	if file[page+8] == leafFlag {
		return at >= last+8
	}
	return at >= last+4 && at < last+8
}

func walk(ctx context.Context, tx *bbolt.Tx, file []byte) (problems []error) {
	walkPages(ctx, tx, bytes.NewReader(file), func(err error) { problems = append(problems, err) })
	return problems
}

// livePages returns the pages that the trees reach, ascending, and those of
// them that begin a node.
func livePages(ctx context.Context, tx *bbolt.Tx, file []byte) (ids, heads []uint64) {
	r := noting{bytes.NewReader(file), tx.DB().Info().PageSize, map[uint64]bool{}}
	walkPages(ctx, tx, r, func(error) {})
	for _, id := range slices.Sorted(maps.Keys(r.seen)) {
		if ids = append(ids, id); binary.NativeEndian.Uint64(file[int(id)*r.size:]) == id {
			heads = append(heads, id)
		}
	}
	return ids, heads
}

// noting remembers which pages were read.
type noting struct {
	*bytes.Reader
	size int
	seen map[uint64]bool
}

func (n noting) ReadAt(b []byte, off int64) (int, error) {
	for i := range len(b) / n.size {
		n.seen[uint64(off)/uint64(n.size)+uint64(i)] = true
	}
	return n.Reader.ReadAt(b, off)
}
