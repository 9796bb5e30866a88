package store

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Integers are packed at a fixed width of 0..56 or 64 bits, lowest bit first.
// Widths between are rounded up, so that one 8-byte load holds any value.

func packWidth(most uint64) uint {
	w := uint(bits.Len64(most))
	if w > 56 {
		return 64
	}
	return w
}

func packedLen(n int, width uint) int { return (n*int(width) + 7) / 8 }

// appendPacked packs what each value is above the least.
func appendPacked(b []byte, v []int64, least int64, width uint) []byte {
	switch width {
	case 0:
		return b
	case 64:
		for _, x := range v {
			b = binary.LittleEndian.AppendUint64(b, uint64(x-least))
		}
		return b
	}
	w := newBits(b, packedLen(len(v), width))
	for _, x := range v {
		w.put(uint64(x-least), width)
	}
	return w.end()
}

// unpack reads n values of the width and adds each, and the least, to dst. b
// holds at least packedLen bytes.
func unpack(dst []int64, b []byte, n int, width uint, least int64) []int64 {
	dst = slices.Grow(dst, n)
	mask := uint64(1)<<width - 1
	switch width {
	case 0:
		for range n {
			dst = append(dst, least)
		}
		return dst
	case 64:
		for i := range n {
			dst = append(dst, least+int64(binary.LittleEndian.Uint64(b[8*i:])))
		}
		return dst
	}
	for i := range n {
		bit := uint(i) * width
		dst = append(dst, least+int64(load64(b[bit/8:])>>(bit%8)&mask))
	}
	return dst
}

// bitWriter appends bits, lowest first. There is room behind what it has
// written for the eight bytes that each put writes, of which it keeps the full
// ones.
type bitWriter struct {
	b    []byte
	acc  uint64
	have uint // bits in acc, less than 8
}

// newBits begins behind b; bytes is about what is to come.
func newBits(b []byte, bytes int) bitWriter { return bitWriter{b: slices.Grow(b, bytes+8)} }

// put appends the n lowest bits of v, which has no others. n is at most 56.
func (w *bitWriter) put(v uint64, n uint) {
	w.acc |= v << w.have
	w.have += n
	w.b = binary.LittleEndian.AppendUint64(w.b, w.acc)
	full := w.have / 8
	w.b = w.b[:uint(len(w.b))-8+full]
	w.acc >>= 8 * full // by 56 at most: acc has 63 bits
	w.have %= 8
}

func (w *bitWriter) end() []byte {
	if w.have > 0 {
		return append(w.b, byte(w.acc))
	}
	return w.b
}

// load64 loads up to 8 bytes; beyond the end are zeros.
func load64(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	var pad [8]byte
	copy(pad[:], b)
	return binary.LittleEndian.Uint64(pad[:])
}
