package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"go.etcd.io/bbolt"
)

// bbolt has a check of its own, and it cannot be used on a file that is being
// written: it compares the tree of a transaction with the list of free pages
// of this very moment, which the writer has moved on from and is changing
// while it is read. A page that the transaction still holds and a later commit
// gave up is then called "reachable freed", and the map that is read while it
// is written ends the process.
//
// This one needs no list of free pages. A read transaction pins the pages of
// its tree: nobody writes to them until it ends. So they are read from the
// file and checked against nothing but each other. The free pages need no
// check, since none is ever written down while plumb runs: what no tree
// reaches is free, by definition, when the file is opened (see options). What
// is read is bounded by the page it stands on, so that any bytes at all give
// an error, where bbolt would assert, fault or walk in circles.

// Layout of a page (bbolt/internal/common/page.go); integers are in the
// machine's own order.
const (
	pageHead    = 16 // id 8, flags 2, count 2, overflow 4
	pageElement = 16 // branch: position 4, key size 4, page 8; leaf: flags 4, position 4, key size 4, value size 4
	bucketHead  = 16 // root page 8, sequence 8

	branchFlag = 0x01
	leafFlag   = 0x02
	bucketFlag = 0x01 // of a leaf element

	maxDepth = 40 // levels of pages: a fan-out of two would fill 2^40 pages
)

// pageWalk walks every page of one file that a transaction can reach.
type pageWalk struct {
	ctx     context.Context
	file    io.ReaderAt
	size    int    // bytes of a page
	end     uint64 // the first page that the file does not use
	seen    []uint64
	room    [maxDepth][]byte
	tangled bool // pages lead in circles or out of the file: following them is not safe
	found   func(error)
	only    [][]byte // the buckets to walk; nil: all

	at   bounds                             // of the page that is looked at, for found to say what is behind it
	each func(bucket string, k, raw []byte) // nil: records are not read
}

// walkPages checks the pages below the root of a transaction and calls found
// with everything that is wrong. It reports whether the tree can be followed.
func walkPages(ctx context.Context, tx *bbolt.Tx, file io.ReaderAt, found func(error)) bool {
	size := tx.DB().Info().PageSize
	w := &pageWalk{ctx: ctx, file: file, size: size, end: uint64(tx.Size()) / uint64(size), found: found}
	w.seen = make([]uint64, w.end/64+1)
	w.tree(uint64(tx.Cursor().Bucket().Root()), bounds{holds: bucketFlag, leaves: new(int)}, 0)
	return !w.tangled
}

func (w *pageWalk) bad(id uint64, format string, args ...any) {
	w.found(damaged("page %d: %s", id, fmt.Sprintf(format, args...)))
}

// take marks pages as reached and reports whether they can be read.
func (w *pageWalk) take(id, n uint64) bool {
	if id < 2 || n > w.end || id+n > w.end {
		w.tangled = true
		w.bad(id, "a tree of pages 2 to %d leads here", w.end-1)
		return false
	}
	for p := id; p < id+n; p++ {
		if w.seen[p/64]&(1<<(p%64)) != 0 {
			w.tangled = true
			w.bad(p, "it is reached twice")
			return false
		}
		w.seen[p/64] |= 1 << (p % 64)
	}
	return true
}

// read returns a page with its overflow, of which values may not be read. The
// bytes are good until the next page of that depth is read.
func (w *pageWalk) read(id uint64, depth int) ([]byte, bool) {
	if depth >= maxDepth {
		w.tangled = true
		w.bad(id, "it lies %d levels deep", depth)
		return nil, false
	}
	if !w.take(id, 1) {
		return nil, false
	}
	b := w.grow(depth, w.size)
	if _, err := w.file.ReadAt(b, int64(id)*int64(w.size)); err != nil {
		w.bad(id, "%v", err)
		return nil, false
	}
	more := uint64(binary.NativeEndian.Uint32(b[12:]))
	if more == 0 {
		return b, true
	}
	if !w.take(id+1, more) {
		return nil, false
	}
	first := b
	b = w.grow(depth, w.size*int(1+more))
	copy(b, first)
	if w.each == nil && keysWithin(b, w.size) {
		return b, true // long values are the records' business: they carry sums
	}
	if _, err := w.file.ReadAt(b[w.size:], int64(id+1)*int64(w.size)); err != nil {
		w.bad(id, "%v", err)
		return nil, false
	}
	return b, true
}

// keysWithin reports whether a leaf has nothing but values behind its first n
// bytes.
func keysWithin(b []byte, n int) bool {
	count := int(binary.NativeEndian.Uint16(b[10:]))
	if binary.NativeEndian.Uint16(b[8:]) != leafFlag || pageHead+count*pageElement > n {
		return false
	}
	for i := range count {
		e := b[pageHead+i*pageElement:]
		end := uint64(pageHead+i*pageElement) + uint64(binary.NativeEndian.Uint32(e[4:])) + uint64(binary.NativeEndian.Uint32(e[8:]))
		if end > uint64(n) || binary.NativeEndian.Uint32(e) != 0 {
			return false
		}
	}
	return true
}

func (w *pageWalk) grow(depth, n int) []byte {
	if cap(w.room[depth]) < n {
		w.room[depth] = make([]byte, n)
	}
	return w.room[depth][:n]
}

// bounds is what a page's place in the tree says of it.
type bounds struct {
	least, most []byte // its keys lie between them, the first inclusive; nil: no bound
	holds       uint32 // flags of its leaves' elements: the root holds buckets, a bucket records
	bucket      string // whose tree it is; "" of the root
	leaves      *int   // levels down to its tree's first leaf, which all others share; 0: not yet known
	inline      bool   // it lies in its bucket's record, and fills it
}

// tree checks the page id and everything below it.
func (w *pageWalk) tree(id uint64, within bounds, depth int) {
	if w.ctx.Err() != nil {
		return
	}
	w.at = within
	b, ok := w.read(id, depth)
	if !ok {
		return
	}
	if has := binary.NativeEndian.Uint64(b); has != id {
		w.bad(id, "it says it is page %d", has)
		return
	}
	switch flags := binary.NativeEndian.Uint16(b[8:]); flags {
	case branchFlag:
		w.branch(id, b, within, depth)
	case leafFlag:
		w.leaf(id, b, within, depth)
	default:
		w.bad(id, "it is neither branch nor leaf (flags %#x)", flags)
	}
}

// elements reads the elements of a page. bbolt writes what they hold right
// behind them, in their order and without a hole, on as few pages as it needs:
// so a count, a size or a position that changed does not fit the others.
func (w *pageWalk) elements(id uint64, b []byte, inline bool, each func(i int, e []byte) (position uint32, keySize, valueSize uint64)) (keys, values [][]byte, ok bool) {
	n := int(binary.NativeEndian.Uint16(b[10:]))
	if pageHead+n*pageElement > len(b) {
		w.bad(id, "%d elements in %d bytes", n, len(b))
		return nil, nil, false
	}
	keys, values = make([][]byte, n), make([][]byte, n)
	at := uint64(pageHead + n*pageElement)
	for i := range n {
		from := uint64(pageHead + i*pageElement)
		position, keySize, valueSize := each(i, b[from:from+pageElement])
		if from+uint64(position) != at || at+keySize+valueSize > uint64(len(b)) {
			w.bad(id, "element %d is not where the one before it ends", i)
			return nil, nil, false
		}
		keys[i], values[i] = b[at:at+keySize:at+keySize], b[at+keySize:at+keySize+valueSize:at+keySize+valueSize]
		at += keySize + valueSize
	}
	if len(b) > w.size && at <= uint64(len(b)-w.size) || inline && at != uint64(len(b)) {
		w.bad(id, "%d bytes on pages for %d", at, len(b))
		return nil, nil, false
	}
	return keys, values, true
}

func (w *pageWalk) branch(id uint64, b []byte, within bounds, depth int) {
	var children []uint64
	keys, _, ok := w.elements(id, b, false, func(_ int, e []byte) (uint32, uint64, uint64) {
		children = append(children, binary.NativeEndian.Uint64(e[8:]))
		return binary.NativeEndian.Uint32(e), uint64(binary.NativeEndian.Uint32(e[4:])), 0
	})
	if !ok {
		return
	}
	if len(keys) == 0 {
		w.bad(id, "a branch without a child")
		return
	}
	w.ordered(id, keys, within)
	for i, child := range children {
		below := bounds{least: keys[i], most: within.most, holds: within.holds, bucket: within.bucket, leaves: within.leaves}
		if i+1 < len(keys) {
			below.most = keys[i+1]
		}
		w.tree(child, below, depth+1)
	}
}

func (w *pageWalk) leaf(id uint64, b []byte, within bounds, depth int) {
	if *within.leaves == 0 {
		*within.leaves = depth + 1
	} else if *within.leaves != depth+1 {
		w.bad(id, "a leaf at another depth than the first of its tree")
	}
	var flags []uint32
	keys, values, ok := w.elements(id, b, within.inline, func(_ int, e []byte) (uint32, uint64, uint64) {
		flags = append(flags, binary.NativeEndian.Uint32(e))
		return binary.NativeEndian.Uint32(e[4:]), uint64(binary.NativeEndian.Uint32(e[8:])), uint64(binary.NativeEndian.Uint32(e[12:]))
	})
	if !ok {
		return
	}
	if len(keys) == 0 && !within.inline && depth > 0 { // a root without buckets is another program's
		w.bad(id, "a leaf without a record")
	}
	w.ordered(id, keys, within)
	for i, f := range flags {
		if f != within.holds {
			w.bad(id, "element %d has flags %#x", i, f)
		} else if f == bucketFlag {
			w.bucket(id, keys[i], values[i], depth)
		} else if w.each != nil {
			w.each(within.bucket, keys[i], values[i])
		}
	}
}

// bucket checks the tree that a leaf's element names, or holds where it is small.
func (w *pageWalk) bucket(id uint64, name, value []byte, depth int) {
	if w.only != nil && !oneOf(name, w.only...) {
		return
	}
	if len(value) < bucketHead {
		w.bad(id, "bucket %q has %d bytes", name, len(value))
		return
	}
	if counted := binary.NativeEndian.Uint64(value[8:]); counted != 0 && !bytes.Equal(name, bucketOutbox) {
		w.bad(id, "bucket %q has counted to %d, and none but the outbox counts", name, counted)
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		if len(value) != bucketHead {
			w.bad(id, "bucket %q has %d bytes beside a tree", name, len(value))
		}
		w.tree(root, bounds{bucket: string(name), leaves: new(int)}, depth+1)
		return
	}
	if inline := value[bucketHead:]; depth+1 >= maxDepth || !inlineHead(inline) {
		w.bad(id, "bucket %q holds no proper page", name)
	} else {
		w.at = bounds{bucket: string(name)}
		w.leaf(id, inline, bounds{bucket: string(name), leaves: new(int), inline: true}, depth+1)
	}
}

// inlineHead reports whether a page may lie in a bucket's record: it is a leaf,
// with neither a number nor pages behind it.
func inlineHead(b []byte) bool {
	return len(b) >= pageHead && binary.NativeEndian.Uint64(b) == 0 && binary.NativeEndian.Uint16(b[8:]) == leafFlag && binary.NativeEndian.Uint32(b[12:]) == 0
}

// ordered checks that keys ascend within their bounds.
func (w *pageWalk) ordered(id uint64, keys [][]byte, within bounds) {
	for i, k := range keys {
		if i > 0 && bytes.Compare(keys[i-1], k) >= 0 {
			w.bad(id, "key %d (%x) does not follow the one before it", i, k)
			return
		}
	}
	if len(keys) == 0 {
		return
	}
	if within.least != nil && bytes.Compare(keys[0], within.least) < 0 ||
		within.most != nil && bytes.Compare(keys[len(keys)-1], within.most) >= 0 {
		w.bad(id, "its keys are not those that its branch says")
	}
}
