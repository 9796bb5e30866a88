package store

import (
	"encoding/binary"
	"math"
	"math/bits"
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

type intStats struct {
	least, most           int64 // of the values
	leastDelta, mostDelta int64
	stepBytes, runBytes   int
}

func measure(v []int64) intStats {
	s := intStats{least: v[0], most: v[0]}
	for i := 1; i < len(v); i++ {
		d := v[i] - v[i-1]
		if i == 1 {
			s.leastDelta, s.mostDelta = d, d
		}
		s.least, s.most = min(s.least, v[i]), max(s.most, v[i])
		s.leastDelta, s.mostDelta = min(s.leastDelta, d), max(s.mostDelta, d)
		s.stepBytes += varintLen(d)
	}
	s.runBytes = runBytes(v)
	return s
}

func varintLen(v int64) int { return uvarintLen(fold(v)) }

func uvarintLen(u uint64) int { return (bits.Len64(u|1) + 6) / 7 }

// appendInts writes 1 to maxInts integers; scratch is reused between calls.
func appendInts(b []byte, v []int64, scratch *[]uint64) []byte {
	if factor := factorOf(v); factor > 1 {
		b = binary.AppendVarint(append(b, codeScaled), v[0])
		b = binary.AppendUvarint(b, uint64(factor))
		base, u := v[0], make([]int64, len(v))
		for i, x := range v {
			u[i] = (x - base) / factor
		}
		v = u
	}
	s := measure(v)
	frameWidth := packWidth(uint64(s.most) - uint64(s.least))
	deltaWidth := packWidth(uint64(s.mostDelta) - uint64(s.leastDelta))
	frame := varintLen(s.least) + 1 + packedLen(len(v), frameWidth)
	delta := varintLen(v[0]) + varintLen(s.leastDelta) + 1 + packedLen(len(v)-1, deltaWidth)
	steps := varintLen(v[0]) + s.stepBytes
	best := min(frame, delta, steps, s.runBytes)
	if frameWidth > 0 && deltaWidth > 0 {
		if r := planRice(v, s); r.bytes < best {
			return r.append(b, v)
		}
	}
	u := (*scratch)[:0]
	switch best {
	case frame:
		for _, x := range v {
			u = append(u, uint64(x)-uint64(s.least))
		}
		b = binary.AppendVarint(append(b, codeFrame), s.least)
		b = appendPacked(append(b, byte(frameWidth)), u, frameWidth)
	case delta:
		for i := 1; i < len(v); i++ {
			u = append(u, uint64(v[i]-v[i-1])-uint64(s.leastDelta))
		}
		b = binary.AppendVarint(append(b, codeDelta), v[0])
		b = binary.AppendVarint(b, s.leastDelta)
		b = appendPacked(append(b, byte(deltaWidth)), u, deltaWidth)
	case s.runBytes:
		b = appendRuns(b, v)
	default:
		b = binary.AppendVarint(append(b, codeSteps), v[0])
		for i := 1; i < len(v); i++ {
			b = binary.AppendVarint(b, v[i]-v[i-1])
		}
	}
	*scratch = u
	return b
}

// factorOf returns the greatest number of which all differences are multiples,
// or 1 where writing it down would not pay or the differences do not fit.
func factorOf(v []int64) int64 {
	const few = 16
	if len(v) < few {
		return 1
	}
	g := int64(0)
	for _, x := range v[1:] {
		d := x - v[0]
		if d == math.MinInt64 || (d < 0) != (x < v[0]) {
			return 1
		}
		if g = gcd(max(d, -d), g); g == 1 {
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
	var room [128]uint64 // a window at one poll a minute
	for _, u := range unpack(room[:0], packed, n, width) {
		dst = append(dst, least+int64(u))
	}
	return dst, rest, nil
}

func readDelta(dst []int64, b []byte, n int, v, step int64) ([]int64, []byte, error) {
	packed, width, rest, err := readPacked(b, n-1)
	if err != nil {
		return dst, nil, err
	}
	dst = append(dst, v)
	var room [128]uint64
	for _, u := range unpack(room[:0], packed, n-1, width) {
		v += step + int64(u)
		dst = append(dst, v)
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
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, damaged("a number ends early")
	}
	return v, b[n:], nil
}
