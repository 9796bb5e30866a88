package store

import "encoding/binary"

// A state that changed twice in a window, or an error counter that stood still
// but for one poll, is a few runs: how often a value stays, and then by how
// much the next one differs.
//
//	varint first, then until all are there
//	uvarint how many more of the same follow, varint difference of the next
//
// A run that lasts to the end has no next.

func appendRuns(b []byte, v []int64) []byte {
	b, rest := binary.AppendVarint(append(b, codeRuns), v[0]), 0
	for i := 1; i < len(v); i++ {
		if v[i] == v[i-1] {
			rest++
			continue
		}
		b = binary.AppendUvarint(b, uint64(rest))
		b, rest = binary.AppendVarint(b, v[i]-v[i-1]), 0
	}
	if rest > 0 {
		b = binary.AppendUvarint(b, uint64(rest))
	}
	return b
}

func readRuns(dst []int64, b []byte, n int, v int64) ([]int64, []byte, error) {
	dst = append(dst, v)
	for n--; n > 0; n-- {
		rest, more, err := readUvarint(b)
		if err != nil {
			return dst, nil, err
		}
		if rest > uint64(n) {
			return dst, nil, damaged("a run of %d among %d values", rest, n)
		}
		for range rest {
			dst = append(dst, v)
		}
		b, n = more, n-int(rest)
		if n == 0 {
			break
		}
		d, more, err := readVarint(b)
		if err != nil {
			return dst, nil, err
		}
		v, b = v+d, more
		dst = append(dst, v)
	}
	return dst, b, nil
}
