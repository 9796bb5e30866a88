package store

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
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
func planRice(v, deltas []int64, s intStats, most int) rice {
	n := uint64(len(deltas))
	sum := uint64(v[len(v)-1]) - uint64(v[0]) - n*uint64(s.leastDelta)
	r := rice{fold: s.folds <= sum, least: s.leastDelta, bytes: math.MaxInt}
	sum = min(sum, s.folds)
	head := varintLen(v[0]) + 1
	if !r.fold {
		head += varintLen(r.least)
	}
	r.k = uint(min(max(bits.Len64(sum/n), 1)-1, riceMaxK))
	if head+int(n*uint64(r.k+1)/8) >= most {
		return r
	}
	has, less := r.bitsAt(deltas)
	if r.k > 0 && less < has {
		r.k, has = r.k-1, less
	}
	r.bytes = head + (has+7)/8
	return r
}

// bitsAt is what the differences take at r's k, and at one less.
func (r rice) bitsAt(deltas []int64) (n, less int) {
	k := r.k
	lower := max(k, 1) - 1
	if r.fold {
		for _, d := range deltas {
			u := fold(d)
			n, less = n+riceBits(u, k), less+riceBits(u, lower)
		}
		return n, less
	}
	for _, d := range deltas {
		u := uint64(d - r.least)
		n, less = n+riceBits(u, k), less+riceBits(u, lower)
	}
	return n, less
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
	b = slices.Grow(b, r.bytes+8)
	var w bitWriter
	mask := uint64(1)<<r.k - 1
	for _, d := range deltas {
		u := r.value(d)
		switch q := u >> r.k; {
		case q < riceMost && uint(q)+1+r.k <= 56:
			b, w = w.put(b, (u&mask)<<(q+1)|1<<q, uint(q)+1+r.k)
		case q < riceMost:
			b, w = w.put(b, 1<<q, uint(q)+1)
			b, w = w.put(b, u&mask, r.k)
		default:
			b, w = w.put(b, 1<<riceMost, riceMost+1)
			b, w = w.put(b, u&(1<<32-1), 32)
			b, w = w.put(b, u>>32, 32)
		}
	}
	return w.end(b)
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
	word, have := uint64(0), uint(0) // the bits from at on, and how many of them are good
	need := min(riceMost+1+k, 57)
	for range n - 1 {
		if have < need {
			word, have = loadBits(b, at), 57
		}
		q := uint(bits.TrailingZeros64(word))
		size := q + 1 + k
		var u uint64
		switch {
		case q > riceMost:
			return dst, nil, damaged("a Rice coding ends early")
		case q == riceMost:
			u = loadBits(b, at+riceMost+1)&(1<<32-1) | loadBits(b, at+riceMost+33)<<32
			size, have = riceMost+1+64, 0
		case size > have: // more than one load holds
			u = uint64(q)<<k | loadBits(b, at+q+1)&mask
			have = 0
		default:
			word >>= (q + 1) & 63
			u = uint64(q)<<(k&63) | word&mask
			word >>= k & 63
			have -= size
		}
		at += size
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
