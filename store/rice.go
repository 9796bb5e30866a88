package store

import (
	"encoding/binary"
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
// they overflow: that costs bytes only.
func planRice(v []int64, s intStats) rice {
	var foldSum, offSum uint64
	for i := 1; i < len(v); i++ {
		d := v[i] - v[i-1]
		foldSum += fold(d)
		offSum += uint64(d - s.leastDelta)
	}
	r := rice{fold: foldSum <= offSum, least: s.leastDelta}
	sum := min(foldSum, offSum)
	k := max(bits.Len64(sum/uint64(len(v)-1)), 1) - 1
	r.k, r.bytes = uint(k), 1<<62
	for try := max(k-2, 0); try <= min(k+1, riceMaxK); try++ {
		n := 0
		for i := 1; i < len(v); i++ {
			n += riceBits(r.value(v[i]-v[i-1]), uint(try))
		}
		if n < r.bytes {
			r.k, r.bytes = uint(try), n
		}
	}
	r.bytes = varintLen(v[0]) + 1 + (r.bytes+7)/8
	if !r.fold {
		r.bytes += varintLen(r.least)
	}
	return r
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

func (r rice) append(b []byte, v []int64) []byte {
	b = binary.AppendVarint(append(b, codeRice), v[0])
	if r.fold {
		b = append(b, byte(r.k)|folded)
	} else {
		b = binary.AppendVarint(append(b, byte(r.k)), r.least)
	}
	w := bitWriter{b: b}
	for i := 1; i < len(v); i++ {
		u := r.value(v[i] - v[i-1])
		if q := u >> r.k; q < riceMost {
			w.put(1<<q, uint(q)+1)
			w.put(u&(1<<r.k-1), r.k)
			continue
		}
		w.put(1<<riceMost, riceMost+1)
		w.put(u&(1<<32-1), 32)
		w.put(u>>32, 32)
	}
	return w.end()
}

// bitWriter appends bits, lowest first.
type bitWriter struct {
	b    []byte
	acc  uint64
	have uint // bits in acc, less than 8
}

// put appends the n lowest bits of v, which has no others. n is at most 56.
func (w *bitWriter) put(v uint64, n uint) {
	w.acc |= v << w.have
	for w.have += n; w.have >= 8; w.have -= 8 {
		w.b = append(w.b, byte(w.acc))
		w.acc >>= 8
	}
}

func (w *bitWriter) end() []byte {
	if w.have > 0 {
		return append(w.b, byte(w.acc))
	}
	return w.b
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
