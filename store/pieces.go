package store

import (
	"encoding/binary"
	"math"
	"slices"

	"go.etcd.io/bbolt"
)

// A long block of a wide device takes tens of pages in a row, and a run of that
// length is seldom free again among the holes that short blocks leave: a file
// of years grows to a third more than lives in it. So a long block lies in
// pieces of one length, two to a page, and any page that is free holds any two.
// Their keys begin with the window and not with the target: what is new comes
// behind what is there, and what is too old goes from the front.
//
//	key    tier, window, target, layout, number of the piece
//	value  sum of the whole, its stretch of the whole
//	whole  length of the whole, length of all before the columns, the block
//
// Numbers are of 32 bits, big endian. The sum is of the key but for its number,
// and of the whole: pieces of two blocks never pass for one. Each piece has a
// sum of its own too, as every value has, so that one column is read without
// the pieces of others.
const (
	wholeKeyLen  = tierKeyLen
	pieceKeyLen  = wholeKeyLen + 4
	wholeHeadLen = 4 + 4

	// pieceRoom is how much of a block a piece holds at most. A byte more, and a
	// page of 4 KiB, the smallest there is, holds one piece and air.
	pieceRoom = (4096-pageHead)/2 - pageElement - pieceKeyLen - 2*sumLen

	maxAdded = 16 << 20 // bytes
)

// whole is what the keys of all pieces of a long block begin with.
func (k tierKey) whole() []byte {
	b := binary.BigEndian.AppendUint64(append(make([]byte, 0, pieceKeyLen), k.tier), uint64(k.window)^1<<63)
	b = binary.BigEndian.AppendUint32(b, k.target)
	return binary.BigEndian.AppendUint32(b, k.layout)
}

func (k tierKey) piece(i int) []byte { return binary.BigEndian.AppendUint32(k.whole(), uint32(i)) }

func readPieceKey(b []byte) (k tierKey, piece int, err error) {
	if len(b) != pieceKeyLen || b[0] == 0 || int(b[0]) > len(tiers) {
		return k, 0, damaged("piece key %x", b)
	}
	k = tierKey{tier: b[0], window: readMs(b[1:]), target: binary.BigEndian.Uint32(b[9:]), layout: binary.BigEndian.Uint32(b[13:])}
	n := binary.BigEndian.Uint32(b[wholeKeyLen:])
	if n > math.MaxInt32 || k.window > math.MaxInt64-tiers[k.tier-1].window {
		return k, 0, damaged("piece key %x", b)
	}
	return k, int(n), nil
}

// cuts says where a whole is cut: into as few pieces as hold it, of one length,
// or a byte more for the first of them.
type cuts struct{ total, pieces int }

func cutsOf(total int) cuts { return cuts{total, (total + pieceRoom - 1) / pieceRoom} }

// start is where a piece begins, or the last one ends.
func (c cuts) start(i int) int { return c.total/c.pieces*i + min(i, c.total%c.pieces) }

// of returns in which piece a byte lies.
func (c cuts) of(at int) int {
	size, longer := c.total/c.pieces, c.total%c.pieces
	if at < longer*(size+1) {
		return at / (size + 1)
	}
	return longer + (at-longer*(size+1))/size
}

// cut cuts a block into the values of its pieces, sealed.
func (k tierKey) cut(value []byte) ([][]byte, error) {
	b, err := readBlock(value)
	if err != nil {
		return nil, err
	}
	total := wholeHeadLen + len(value)
	whole := binary.BigEndian.AppendUint32(make([]byte, 0, total), uint32(total))
	whole = binary.BigEndian.AppendUint32(whole, uint32(total-len(b.data)))
	whole = append(whole, value...)
	sum, c := checksum(k.whole(), whole), cutsOf(total)
	values := make([][]byte, c.pieces)
	for i := range values {
		piece := whole[c.start(i):c.start(i+1)]
		v := binary.BigEndian.AppendUint32(make([]byte, 0, len(piece)+2*sumLen), sum)
		values[i] = seal(k.piece(i), append(v, piece...))
	}
	return values, nil
}

// putLong writes a long block in the place of the one that was there.
func putLong(b *bbolt.Bucket, k tierKey, value []byte) error {
	values, err := k.cut(value)
	if err != nil {
		return err
	}
	b.FillPercent = 1 // keys mostly grow
	for i, v := range values {
		if err := b.Put(k.piece(i), v); err != nil {
			return err
		}
	}
	return deleteFrom(b, k.piece(len(values)), k.whole())
}

// expireLong deletes the long blocks of a tier that begin before the horizon,
// the oldest first: as many as have expireMost pieces, and one at least. A key
// that cannot be read stays, for verify to find.
func expireLong(b *bbolt.Bucket, tier tier, horizon int64) error {
	var old [][]byte
	var last tierKey
	c := b.Cursor()
	for k, _ := c.Seek([]byte{tier.id}); hasPrefix(k, []byte{tier.id}); k, _ = c.Next() {
		key, _, err := readPieceKey(k)
		if err != nil {
			continue
		}
		if key.window >= horizon || key != last && len(old) >= expireMost {
			break
		}
		old, last = append(old, slices.Clone(k)), key
	}
	for _, k := range old {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// longBlock is a long block as it lies in the file. The columns of its block
// hold what was written only after need or all.
type longBlock struct {
	block
	key   tierKey
	c     *bbolt.Cursor
	sum   uint32
	cuts  cuts
	head  int // bytes of the whole before the columns
	whole []byte
	has   []bool // of each piece, whether it stands in whole
}

// open reads a long block up to its columns, of which k and raw is the first
// piece. Space is used again.
func (l *longBlock) open(c *bbolt.Cursor, k, raw []byte) error {
	key, i, err := readPieceKey(k)
	if err != nil {
		return err
	}
	if i != 0 {
		return damaged("a long block begins with piece %d", i)
	}
	first, err := readPiece(k, raw)
	if err != nil {
		return err
	}
	l.c = c
	if err := l.begin(key, first, c.Bucket().Tx()); err != nil {
		return err
	}
	if err := l.fetch(0, l.head); err != nil {
		return err
	}
	return l.parse()
}

// begin makes room for a block of which it has the first piece: for no more than
// the file holds, and what a batch that has not committed may have added.
func (l *longBlock) begin(key tierKey, first []byte, tx *bbolt.Tx) error {
	if len(first) <= sumLen+wholeHeadLen {
		return damaged("a first piece of %d bytes", len(first))
	}
	total, head := int64(binary.BigEndian.Uint32(first[sumLen:])), int64(binary.BigEndian.Uint32(first[sumLen+4:]))
	if total <= wholeHeadLen || total > tx.Size()+maxAdded || head > total {
		return damaged("a long block of %d bytes, %d of them before its columns", total, head)
	}
	l.key, l.sum, l.cuts, l.head = key, binary.BigEndian.Uint32(first), cutsOf(int(total)), int(head)
	l.whole = slices.Grow(l.whole[:0], int(total))[:total]
	l.has = slices.Grow(l.has[:0], l.cuts.pieces)[:l.cuts.pieces]
	clear(l.has)
	return l.take(0, first)
}

// parse reads the block up to its columns.
func (l *longBlock) parse() (err error) {
	if l.block, err = readBlock(l.whole[wholeHeadLen:]); err == nil && len(l.data) != len(l.whole)-l.head {
		err = damaged("a long block with columns of %d bytes, not %d", len(l.data), len(l.whole)-l.head)
	}
	return err
}

// find opens the long block of a key, where there is one.
func (l *longBlock) find(b *bbolt.Bucket, key tierKey) (ok bool, err error) {
	c := b.Cursor()
	k, raw := c.Seek(key.whole())
	if !hasPrefix(k, key.whole()) {
		return false, nil
	}
	return true, l.open(c, k, raw)
}

// openShort opens a block that lies in one piece, with all its columns.
func (l *longBlock) openShort(k, raw []byte) (err error) {
	l.whole = l.whole[:0]
	_, l.block, err = openTier(k, raw)
	return err
}

// readPiece returns the sum of the whole and the stretch that a piece holds.
func readPiece(k, raw []byte) ([]byte, error) {
	v, err := unseal(k, raw)
	if err == nil && len(v) <= sumLen {
		err = damaged("piece %x holds nothing", k)
	}
	return v, err
}

// take puts a piece into its place.
func (l *longBlock) take(i int, piece []byte) error {
	from, end := l.cuts.start(i), l.cuts.start(i+1)
	if len(piece) != sumLen+end-from || binary.BigEndian.Uint32(piece) != l.sum {
		return damaged("piece %d of %d is of another block", i, l.cuts.pieces)
	}
	copy(l.whole[from:end], piece[sumLen:])
	l.has[i] = true
	return nil
}

// fetch reads the pieces that hold some of the whole.
func (l *longBlock) fetch(from, end int) error {
	if from >= end {
		return nil
	}
	at := -1 // the piece on which the cursor stands
	for i := l.cuts.of(from); i <= l.cuts.of(end-1); i++ {
		if l.has[i] {
			continue
		}
		key := l.key.piece(i)
		k, raw := l.next(at == i-1, key)
		if at = i; string(k) != string(key) {
			return damaged("piece %d of %d is missing", i, l.cuts.pieces)
		}
		v, err := readPiece(k, raw)
		if err != nil {
			return err
		}
		if err := l.take(i, v); err != nil {
			return err
		}
	}
	return nil
}

func (l *longBlock) next(follows bool, key []byte) (k, raw []byte) {
	if follows {
		return l.c.Next()
	}
	return l.c.Seek(key)
}

// need reads the columns from first on, up to end.
func (l *longBlock) need(first, end int) error {
	if len(l.whole) == 0 {
		return nil
	}
	if first < 0 || end > l.columns || first >= end {
		return damaged("a block of %d columns has none from %d to %d", l.columns, first, end)
	}
	data := len(l.whole) - len(l.data)
	from, _ := l.span(first)
	_, to := l.span(end - 1)
	return l.fetch(data+from, data+to)
}

// all reads all columns.
func (l *longBlock) all() error { return l.fetch(0, len(l.whole)) }
