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
	b = slices.Grow(b, packedLen(len(v), width)+8)
	var w bitWriter
	for _, x := range v {
		b, w = w.put(b, uint64(x-least), width)
	}
	return w.end(b)
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
	start := len(dst)
	dst = dst[:start+n]
	acc, have := uint64(0), uint(0) // of the bits that were loaded, those that are left
	for i := range dst[start:] {
		u := acc
		if have < width {
			next := load64(b)
			b = b[min(8, len(b)):]
			u |= next << (have & 63)
			acc = next >> ((width - have) & 63)
			have += 64
		} else {
			acc >>= width & 63
		}
		have -= width
		dst[start+i] = least + int64(u&mask)
	}
	return dst
}

// bitWriter appends bits, lowest first, eight bytes at a time. It is handed on
// from call to call, with what it writes to, so that it lives in registers.
type bitWriter struct {
	acc  uint64
	have uint // bits in acc, less than 64
}

// put appends the n lowest bits of v, which has no others. n is at most 63.
func (w bitWriter) put(b []byte, v uint64, n uint) ([]byte, bitWriter) {
	w.acc |= v << (w.have & 63)
	if w.have += n; w.have >= 64 {
		b = binary.LittleEndian.AppendUint64(b, w.acc)
		w.have -= 64
		w.acc = v >> ((n - w.have) & 63)
	}
	return b, w
}

// end appends what is left.
func (w bitWriter) end(b []byte) []byte {
	for bit := uint(0); bit < w.have; bit += 8 {
		b = append(b, byte(w.acc>>bit))
	}
	return b
}

// load64 loads up to 8 bytes; beyond the end are zeros.
func load64(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	return loadShort(b)
}

// loadShort loads less than 8 bytes, with two loads that overlap.
func loadShort(b []byte) uint64 {
	switch n := len(b); {
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<(8*(n-4))
	case n >= 2:
		return uint64(binary.LittleEndian.Uint16(b)) | uint64(binary.LittleEndian.Uint16(b[n-2:]))<<(8*(n-2))
	case n == 1:
		return uint64(b[0])
	}
	return 0
}
