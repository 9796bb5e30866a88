package store

import (
	"encoding/binary"
	"math/bits"
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

func appendPacked(b []byte, v []uint64, width uint) []byte {
	if width == 0 {
		return b
	}
	if width == 64 {
		for _, x := range v {
			b = binary.LittleEndian.AppendUint64(b, x)
		}
		return b
	}
	var acc uint64
	var have uint
	for _, x := range v {
		acc |= x << have
		for have += width; have >= 8; have -= 8 {
			b = append(b, byte(acc))
			acc >>= 8
		}
	}
	if have > 0 {
		b = append(b, byte(acc))
	}
	return b
}

// unpack reads n values of the width and adds each, as it is read, to dst. b
// holds at least packedLen bytes.
func unpack(dst []uint64, b []byte, n int, width uint) []uint64 {
	mask := uint64(1)<<width - 1
	switch width {
	case 0:
		for range n {
			dst = append(dst, 0)
		}
		return dst
	case 64:
		for i := range n {
			dst = append(dst, binary.LittleEndian.Uint64(b[8*i:]))
		}
		return dst
	}
	for i := range n {
		bit := uint(i) * width
		dst = append(dst, load64(b[bit/8:])>>(bit%8)&mask)
	}
	return dst
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
