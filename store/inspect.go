package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
)

// bbolt trusts its files: where one is torn it asserts, or faults in its map.
// What is here keeps that from ending the process.

// guard runs f and turns a panic, or a fault in the map of a file that was cut
// under us, into an error. bbolt asserts where it finds the impossible.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged("%v", p)
		}
	}()
	return f()
}

// view runs f in a read transaction. Damage is an error, never a crash.
func view(db *file, f func(*bbolt.Tx) error) error {
	return guard(func() error { return db.View(f) })
}

func update(db *file, f func(*bbolt.Tx) error) error {
	return guard(func() error { return db.Update(f) })
}

// readAheadMax bounds what is read ahead of one file.
const readAheadMax = 512 << 20

// readAhead reads a file once from front to back: bbolt maps it with random
// access advice, which makes the first walk of a cold file twenty times slower.
func readAhead(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if warm(f) {
		return nil
	}
	buf := make([]byte, 1<<20)
	for n := 0; n < readAheadMax; {
		if err := ctx.Err(); err != nil {
			return err
		}
		k, err := f.Read(buf)
		if n += k; errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// warm reports whether a file seems to lie in the system's memory: bytes from
// all over it come at once. Wrong guesses cost time, nothing else.
func warm(f *os.File) bool {
	const spots, atOnce = 64, 100 * time.Microsecond
	info, err := f.Stat()
	if err != nil {
		return false
	}
	var b [1]byte
	for i := range int64(spots) {
		began := time.Now()
		if _, err := f.ReadAt(b[:], info.Size()/spots*i); err != nil || time.Since(began) > atOnce {
			return false
		}
	}
	return true
}

const (
	metaMagic   = 0xED0CDAED // bbolt's
	metaOffset  = 16         // behind the page head
	metaLen     = 64
	metaVersion = 2
	metaPageMax = 64 << 10
)

// fileMeta is what the newer whole meta page of a file says.
type fileMeta struct {
	pageSize  int
	root, end uint64 // pages: of the root bucket, and behind the last in use
}

// readMeta finds the newer whole meta page of a file.
func readMeta(f *os.File, info os.FileInfo) (meta fileMeta, err error) {
	if !info.Mode().IsRegular() {
		return meta, fmt.Errorf("%w: not a regular file", ErrForeign)
	}
	valid := false
	var txid uint64
	for off := int64(0); off < 2*metaPageMax && off < info.Size(); off += 1024 {
		m := make([]byte, metaLen)
		if _, err := f.ReadAt(m, off+metaOffset); err != nil {
			break
		}
		le := binary.LittleEndian
		if le.Uint32(m) != metaMagic {
			continue
		}
		size := int(le.Uint32(m[8:]))
		if off != 0 && int64(size) != off || size < 1024 || size > metaPageMax {
			continue
		}
		if !soundMeta(m) {
			meta.pageSize = cmp.Or(meta.pageSize, size)
			continue
		}
		if valid && size != meta.pageSize || size&(size-1) != 0 {
			return meta, damaged("a meta page says that pages have %d bytes", size) // bbolt takes one at its word
		}
		meta.pageSize = size
		if id := le.Uint64(m[48:]); !valid || id > txid {
			valid, txid, meta.root, meta.end = true, id, le.Uint64(m[16:]), le.Uint64(m[40:])
		}
	}
	switch {
	case meta.pageSize == 0:
		return meta, fmt.Errorf("%w: it does not begin as a bbolt file does", ErrForeign)
	case !valid:
		return meta, damaged("neither of its two meta pages is whole")
	}
	return meta, nil
}

// soundMeta reports whether a meta page is one, and agrees with its sum.
func soundMeta(m []byte) bool {
	le := binary.LittleEndian
	return le.Uint32(m) == metaMagic && le.Uint32(m[4:]) == metaVersion && le.Uint64(m[56:]) == fnv64(m[:56])
}

// inspect refuses a file that bbolt would stumble over. It follows every page
// below the root before bbolt does. bbolt looks for free pages with a second
// goroutine that goes on while the first panics over a damaged page and unmaps
// the file: that ends the process, and no recover can help it.
func inspect(ctx context.Context, path string) error {
	return inspectFile(ctx, path, func(*pageWalk) {})
}

// inspectSome is inspect for some of a file's buckets: enough for who reads
// these and does not write. It calls each with what lies in them, good until it
// returns; nothing of that was checked yet but its place.
func inspectSome(ctx context.Context, path string, each func(bucket string, k, raw []byte), buckets ...[]byte) error {
	return inspectFile(ctx, path, func(w *pageWalk) { w.only, w.each = buckets, each })
}

func inspectFile(ctx context.Context, path string, how func(*pageWalk)) error {
	if missing(path) {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	m, err := readMeta(f, info)
	if err != nil {
		return err
	}
	if has := uint64(info.Size()) / uint64(m.pageSize); has < m.end { // a map of it would fault far from here
		return damaged("it has %d pages of the %d it says it uses", has, m.end)
	}
	var first error
	w := &pageWalk{ctx: ctx, file: &chunks{file: f}, size: m.pageSize, end: m.end, seen: make([]uint64, m.end/64+1), found: func(err error) {
		if first == nil {
			first = err
		}
	}}
	how(w)
	w.tree(m.root, bounds{holds: bucketFlag, leaves: new(int)}, 0)
	if err := ctx.Err(); err != nil {
		return err
	}
	return first
}

func fnv64(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// chunks reads a file in larger pieces than it is asked for, and keeps the
// last: pages that follow each other in a tree mostly do so in the file.
type chunks struct {
	file io.ReaderAt
	from int64
	buf  []byte
}

const chunkLen = 128 << 10

func (c *chunks) ReadAt(b []byte, off int64) (int, error) {
	if off < c.from || off+int64(len(b)) > c.from+int64(len(c.buf)) {
		if len(b) > chunkLen/2 {
			return c.file.ReadAt(b, off)
		}
		if c.buf == nil {
			c.buf = make([]byte, chunkLen)
		}
		n, err := c.file.ReadAt(c.buf[:chunkLen], off)
		if c.from, c.buf = off, c.buf[:n]; n < len(b) {
			return copy(b, c.buf), err
		}
	}
	return copy(b, c.buf[off-c.from:]), nil
}
