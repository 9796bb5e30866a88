package store

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// A Rice coding writes a small number in few bits and a large one in as many as
// it needs: the upper bits as so many zeros and a one, then the lower k bits as
// they are. A fixed width must fit the largest of a window, and real readings
// mostly rest, step by one, and now and then jump.
//
//	varint first, k byte, varint offset unless folded, bits
//
// Coded are the differences of neighbours: less the offset where all are alike
// or larger (a counter that runs), or folded (0, -1, 1, -2, ...) where they go
// up and down, as the upper bit of the k byte says. What would take more
// than riceMost zeros is written as riceMost zeros, a one, and 64 bits.
const (
	riceMost = 24
	folded   = 1 << 7 // in the k byte: no offset follows
	riceMaxK = 56
)

// rice says how a run is Rice coded best, and in how many bytes.
type rice struct {
	k     uint
	fold  bool
	least int64
	bytes int
}

func fold(d int64) uint64   { return uint64(d)<<1 ^ uint64(d>>63) }
func unfold(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// planRice finds the better of the two ways and a k near its best, for a run
// that is no constant and no slope. The sums of what is coded may be off where
// they overflow: that costs bytes only. A plan that cannot take fewer than most
// bytes is not made.
func planRice(first int64, deltas []int64, s intStats, most int) rice {
	n := uint64(len(deltas))
	sum := uint64(0)
	for _, d := range deltas {
		sum += uint64(d)
	}
	sum -= n * uint64(s.leastDelta)
	r := rice{fold: s.folds <= sum, least: s.leastDelta, bytes: math.MaxInt}
	sum = min(sum, s.folds)
	head := varintLen(first) + 1
	if !r.fold {
		head += varintLen(r.least)
	}
	r.k = uint(min(max(bits.Len64(sum/n), 1)-1, riceMaxK))
	if head+int(n*uint64(r.k+1)/8) >= most {
		return r
	}
	has := r.bitsAt(deltas)
	if r.k > 0 {
		less := r
		less.k--
		if bits := less.bitsAt(deltas); bits < has {
			r, has = less, bits
		}
	}
	r.bytes = head + (has+7)/8
	return r
}

// bitsAt is what the differences take at r's k.
func (r rice) bitsAt(deltas []int64) (n int) {
	if r.fold {
		for _, d := range deltas {
			n += riceBits(fold(d), r.k)
		}
		return n
	}
	for _, d := range deltas {
		n += riceBits(uint64(d-r.least), r.k)
	}
	return n
}

func (r rice) value(d int64) uint64 {
	if r.fold {
		return fold(d)
	}
	return uint64(d - r.least)
}

func riceBits(u uint64, k uint) int {
	if q := u >> k; q < riceMost {
		return int(q) + 1 + int(k)
	}
	return riceMost + 1 + 64
}

func (r rice) append(b []byte, first int64, deltas []int64) []byte {
	b = binary.AppendVarint(append(b, codeRice), first)
	if r.fold {
		b = append(b, byte(r.k)|folded)
	} else {
		b = binary.AppendVarint(append(b, byte(r.k)), r.least)
	}
	w := newBits(b, r.bytes)
	mask := uint64(1)<<r.k - 1
	for _, d := range deltas {
		u := r.value(d)
		switch q := u >> r.k; {
		case q < riceMost && uint(q)+1+r.k <= 56:
			w.put((u&mask)<<(q+1)|1<<q, uint(q)+1+r.k)
		case q < riceMost:
			w.put(1<<q, uint(q)+1)
			w.put(u&mask, r.k)
		default:
			w.put(1<<riceMost, riceMost+1)
			w.put(u&(1<<32-1), 32)
			w.put(u>>32, 32)
		}
	}
	return w.end()
}

// readRice reads what follows the first value of a run of n.
func readRice(dst []int64, b []byte, n int, v int64) ([]int64, []byte, error) {
	if len(b) == 0 {
		return dst, nil, damaged("a column ends before its width")
	}
	k, fold, least := uint(b[0]&^folded), b[0]&folded != 0, int64(0)
	b = b[1:]
	if k > riceMaxK {
		return dst, nil, damaged("a Rice coding of %d bits", k)
	}
	if !fold {
		var err error
		if least, b, err = readVarint(b); err != nil {
			return dst, nil, err
		}
	}
	dst = append(dst, v)
	mask, at, end := uint64(1)<<k-1, uint(0), uint(len(b))*8
	for range n - 1 {
		word := loadBits(b, at)
		q := uint(bits.TrailingZeros64(word))
		u := uint64(q)<<k | word>>(q+1)&mask
		switch {
		case q > riceMost || at+q >= end:
			return dst, nil, damaged("a Rice coding ends early")
		case q == riceMost:
			u = loadBits(b, at+riceMost+1)&(1<<32-1) | loadBits(b, at+riceMost+33)<<32
			at += riceMost + 1 + 64
		case q+1+k > 56: // more than one load holds
			u = uint64(q)<<k | loadBits(b, at+q+1)&mask
			at += q + 1 + k
		default:
			at += q + 1 + k
		}
		if fold {
			v += unfold(u)
		} else {
			v += least + int64(u)
		}
		dst = append(dst, v)
	}
	if at > end {
		return dst, nil, damaged("a Rice coding ends early")
	}
	return dst, b[(at+7)/8:], nil
}

// loadBits loads at least 57 bits from a bit on; beyond the end are zeros.
func loadBits(b []byte, at uint) uint64 {
	if at/8 >= uint(len(b)) {
		return 0
	}
	return load64(b[at/8:]) >> (at % 8)
}
