package store

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// A run of integers is stored in the smallest of a few codings. Arithmetic is
// modulo 2^64 throughout, so a counter that passes 2^63 or wraps costs nothing
// and loses nothing.
//
//	frame  varint min, width byte, packed (v - min)           constants: width 0
//	delta  varint first, varint least delta, width, packed    slopes: width 0
//	steps  varint first, varints of the differences           few values, unlike
//	rice   varint first, then see rice.go                     small steps, bursts
//	runs   varint first, then see runs.go                     long rests, rare jumps
//	scaled varint base, uvarint factor, a run of (v-base)/factor  whole steps of
//	       a sensor: half a degree, 75 rpm
//
// Blocks of version 1 have the first three only.
const (
	codeFrame  byte = 1
	codeDelta  byte = 2
	codeSteps  byte = 3
	codeRice   byte = 4
	codeRuns   byte = 5
	codeScaled byte = 6
)

// maxInts bounds a run; a two-hour window at one sample a second is 7,200.
const maxInts = 1 << 16

// intCoder writes runs of integers. It keeps scratch space and belongs to one
// goroutine.
type intCoder struct {
	brief  bool // frame or delta only: for what is soon written again
	quotes []int64
	deltas []int64
}

// intStats is what the choice of a coding goes by.
type intStats struct {
	least, most           int64 // of the values
	leastDelta, mostDelta int64
	stepBytes, runBytes   int
	folds                 uint64 // sum of the folded differences, modulo 2^64
}

// extremes returns the least and the most of at least one integer.
func extremes(v []int64) (least, most int64) {
	least, most = v[0], v[0]
	for _, x := range v[1:] {
		least, most = min(least, x), max(most, x)
	}
	return least, most
}

// constant reports whether at least one integer are all the same.
func constant(v []int64) bool {
	for _, x := range v[1:] {
		if x != v[0] {
			return false
		}
	}
	return true
}

// differ fills deltas with the differences of neighbours, of at least two
// integers, and finds the extremes of both on the way.
func (e *intCoder) differ(v []int64) (s intStats) {
	e.deltas = slices.Grow(e.deltas[:0], len(v)-1)[:len(v)-1]
	last, deltas := v[0], e.deltas
	s.least, s.most, s.leastDelta, s.mostDelta = last, last, math.MaxInt64, math.MinInt64
	for i, x := range v[1:] {
		d := x - last
		deltas[i], last = d, x
		s.least, s.most = min(s.least, x), max(s.most, x)
		s.leastDelta, s.mostDelta = min(s.leastDelta, d), max(s.mostDelta, d)
	}
	return s
}

// weigh adds what the codings of differences would take.
func (s *intStats) weigh(first int64, deltas []int64) {
	rest := 0
	for _, d := range deltas {
		if d == 0 {
			rest++
			continue
		}
		f := fold(d)
		n := uvarintLen(f)
		s.folds += f
		s.stepBytes += n
		s.runBytes += n + 1
		if rest >= 0x80 {
			s.runBytes += uvarintLen(uint64(rest)) - 1
		}
		s.stepBytes, rest = s.stepBytes+rest, 0
	}
	s.stepBytes += rest
	if rest > 0 {
		s.runBytes += uvarintLen(uint64(rest))
	}
	n := varintLen(first)
	s.stepBytes, s.runBytes = s.stepBytes+n, s.runBytes+n
}

func varintLen(v int64) int { return uvarintLen(fold(v)) }

func uvarintLen(u uint64) int { return (bits.Len64(u|1) + 6) / 7 }

// appendInts writes 1 to maxInts integers.
func (e *intCoder) appendInts(b []byte, v []int64) []byte {
	if constant(v) {
		return append(binary.AppendVarint(append(b, codeFrame), v[0]), 0)
	}
	if factor := e.factorOf(v); factor > 1 {
		b = binary.AppendVarint(append(b, codeScaled), v[0])
		b = binary.AppendUvarint(b, uint64(factor))
		base := v[0]
		e.quotes = slices.Grow(e.quotes[:0], len(v))[:len(v)]
		for i, x := range v {
			e.quotes[i] = (x - base) / factor
		}
		v = e.quotes
	}
	s := e.differ(v)
	frameWidth := packWidth(uint64(s.most) - uint64(s.least))
	deltaWidth := packWidth(uint64(s.mostDelta) - uint64(s.leastDelta))
	frame := varintLen(s.least) + 1 + packedLen(len(v), frameWidth)
	delta := varintLen(v[0]) + varintLen(s.leastDelta) + 1 + packedLen(len(v)-1, deltaWidth)
	best := min(frame, delta)
	if !e.brief {
		s.weigh(v[0], e.deltas)
		best = min(best, s.stepBytes, s.runBytes)
		if frameWidth > 1 && deltaWidth > 0 {
			if r := planRice(v, e.deltas, s, best); r.bytes < best {
				return r.append(b, v[0], e.deltas)
			}
		}
	}
	switch best {
	case frame:
		b = binary.AppendVarint(append(b, codeFrame), s.least)
		return appendPacked(append(b, byte(frameWidth)), v, s.least, frameWidth)
	case delta:
		b = binary.AppendVarint(append(b, codeDelta), v[0])
		b = binary.AppendVarint(b, s.leastDelta)
		return appendPacked(append(b, byte(deltaWidth)), e.deltas, s.leastDelta, deltaWidth)
	case s.runBytes:
		return appendRuns(b, v)
	}
	b = binary.AppendVarint(append(b, codeSteps), v[0])
	for _, d := range e.deltas {
		b = binary.AppendVarint(b, d)
	}
	return b
}

// factorOf returns the greatest number of which all differences are multiples,
// or 1 where writing it down would not pay or the differences do not fit.
func (e *intCoder) factorOf(v []int64) int64 {
	const few = 16
	if len(v) < few || e.brief {
		return 1
	}
	g := int64(0)
	for _, x := range v[1:] {
		d := x - v[0]
		if d == math.MinInt64 || (d < 0) != (x < v[0]) {
			return 1
		}
		if d = max(d, -d); g > 0 && d < 1<<32 && g < 1<<32 { // the usual case, and a quicker division
			if uint32(d)%uint32(g) == 0 {
				continue
			}
		}
		if g = gcd(d, g); g == 1 {
			return 1
		}
	}
	return max(g, 1)
}

// readInts appends n integers to dst and returns what follows them in b.
func readInts(dst []int64, b []byte, n int) (_ []int64, rest []byte, err error) {
	if len(b) == 0 || n < 1 || n > maxInts {
		return dst, nil, damaged("a column of %d integers in %d bytes", n, len(b))
	}
	code := b[0]
	first, b, err := readVarint(b[1:])
	if err != nil {
		return dst, nil, err
	}
	switch code {
	case codeFrame:
		return readFrame(dst, b, n, first)
	case codeDelta:
		step, b, err := readVarint(b)
		if err != nil {
			return dst, nil, err
		}
		return readDelta(dst, b, n, first, step)
	case codeSteps:
		dst = append(dst, first)
		for range n - 1 {
			var d int64
			if d, b, err = readVarint(b); err != nil {
				return dst, nil, err
			}
			first += d
			dst = append(dst, first)
		}
		return dst, b, nil
	case codeRice:
		return readRice(dst, b, n, first)
	case codeRuns:
		return readRuns(dst, b, n, first)
	case codeScaled:
		return readScaled(dst, b, n, first)
	}
	return dst, nil, damaged("integer coding %d is not known", code)
}

func readScaled(dst []int64, b []byte, n int, base int64) ([]int64, []byte, error) {
	factor, b, err := readUvarint(b)
	if err != nil {
		return dst, nil, err
	}
	if len(b) == 0 || b[0] == codeScaled {
		return dst, nil, damaged("a scaled run of a scaled run")
	}
	start := len(dst)
	dst, b, err = readInts(dst, b, n)
	for i := start; i < len(dst); i++ {
		dst[i] = base + dst[i]*int64(factor)
	}
	return dst, b, err
}

func readFrame(dst []int64, b []byte, n int, least int64) ([]int64, []byte, error) {
	packed, width, rest, err := readPacked(b, n)
	if err != nil {
		return dst, nil, err
	}
	if width == 0 {
		dst = slices.Grow(dst, n)
		for range n {
			dst = append(dst, least)
		}
		return dst, rest, nil
	}
	return unpack(dst, packed, n, width, least), rest, nil
}

func readDelta(dst []int64, b []byte, n int, v, step int64) ([]int64, []byte, error) {
	packed, width, rest, err := readPacked(b, n-1)
	if err != nil {
		return dst, nil, err
	}
	dst = append(dst, v)
	start := len(dst)
	dst = unpack(dst, packed, n-1, width, step)
	for i, d := range dst[start:] {
		v += d
		dst[start+i] = v
	}
	return dst, rest, nil
}

func readPacked(b []byte, n int) (packed []byte, width uint, rest []byte, err error) {
	if len(b) == 0 {
		return nil, 0, nil, damaged("a column ends before its width")
	}
	width = uint(b[0])
	size := packedLen(n, width)
	if width > 56 && width != 64 || len(b)-1 < size {
		return nil, 0, nil, damaged("%d values of %d bits in %d bytes", n, width, len(b)-1)
	}
	return b[1 : 1+size], width, b[1+size:], nil
}

func readVarint(b []byte) (int64, []byte, error) {
	v, n := binary.Varint(b)
	if n <= 0 {
		return 0, nil, damaged("a number ends early")
	}
	return v, b[n:], nil
}

func readUvarint(b []byte) (uint64, []byte, error) {
	if len(b) > 0 && b[0] < 0x80 { // nearly all are of one byte
		return uint64(b[0]), b[1:], nil
	}
	return readLongUvarint(b)
}

func readLongUvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, damaged("a number ends early")
	}
	return v, b[n:], nil
}
