package store

import (
	"math/bits"

	"plumb/fleet"
)

// One value of a column is read without the others: the fleet as of a time
// needs one row of every block there was, and reads nothing else of them.

// pick returns value i of a column of n rows.
func pick(b []byte, n, i int) (fleet.Num, error) {
	if len(b) == 0 || n < 1 || n > maxInts || i < 0 || i >= n {
		return fleet.Num{}, damaged("value %d of a column of %d rows in %d bytes", i, n, len(b))
	}
	kind, b := b[0], b[1:]
	switch kind {
	case columnEmpty:
		return fleet.Num{}, nil
	case columnMixed:
		return bodyAt(b, i)
	case columnDense, columnGappy:
	default:
		return fleet.Num{}, damaged("column kind %d is not known", kind)
	}
	if len(b) == 0 || !scaleOK(int8(b[0])) {
		return fleet.Num{}, damaged("a column has no proper scale")
	}
	scale, b := int8(b[0]), b[1:]
	if kind == columnGappy {
		size := (n + 7) / 8
		if len(b) < size {
			return fleet.Num{}, damaged("a column ends inside its bitmap")
		}
		bitmap := b[:size]
		if bitmap[i/8]&(1<<(i%8)) == 0 {
			return fleet.Num{}, nil
		}
		n, b = countBits(bitmap, n), b[size:]
		i = rank(bitmap, i)
	}
	v, err := pickInt(b, n, i)
	return fleet.Num{N: v, Scale: scale, Known: err == nil}, err
}

// rank counts the bits before bit i.
func rank(bitmap []byte, i int) (n int) {
	for _, c := range bitmap[:i/8] {
		n += bits.OnesCount8(c)
	}
	return n + bits.OnesCount8(bitmap[i/8]&(1<<(i%8)-1))
}

// pickInt returns integer i of a run of n.
func pickInt(b []byte, n, i int) (int64, error) {
	if len(b) == 0 || i < 0 || i >= n {
		return 0, damaged("integer %d of %d in %d bytes", i, n, len(b))
	}
	code := b[0]
	v, b, err := readVarint(b[1:])
	if err != nil {
		return 0, err
	}
	switch code {
	case codeFrame:
		packed, width, _, err := readPacked(b, n)
		if err != nil {
			return 0, err
		}
		return v + int64(pickPacked(packed, i, width)), nil
	case codeDelta:
		step, b, err := readVarint(b)
		if err != nil {
			return 0, err
		}
		packed, width, _, err := readPacked(b, n-1)
		if err != nil {
			return 0, err
		}
		v += int64(i) * step
		if width > 0 {
			for k := range i {
				v += int64(pickPacked(packed, k, width))
			}
		}
		return v, nil
	case codeSteps:
		for range i {
			var d int64
			if d, b, err = readVarint(b); err != nil {
				return 0, err
			}
			v += d
		}
		return v, nil
	case codeRice:
		var room [256]int64
		first, _, err := readRice(room[:0], b, i+1, v)
		if err != nil {
			return 0, err
		}
		return first[i], nil
	case codeRuns:
		return pickRun(b, i, v)
	case codeScaled:
		return pickScaled(b, n, i, v)
	}
	return 0, damaged("integer coding %d is not known", code)
}

// pickRun returns value i of runs that begin with v.
func pickRun(b []byte, i int, v int64) (int64, error) {
	for i > 0 {
		rest, more, err := readUvarint(b)
		if err != nil {
			return 0, err
		}
		if rest >= uint64(i) {
			return v, nil
		}
		d, more, err := readVarint(more)
		if err != nil {
			return 0, err
		}
		v, b, i = v+d, more, i-int(rest)-1
	}
	return v, nil
}

func pickScaled(b []byte, n, i int, base int64) (int64, error) {
	factor, b, err := readUvarint(b)
	if err != nil {
		return 0, err
	}
	if len(b) == 0 || b[0] == codeScaled {
		return 0, damaged("a scaled run of a scaled run")
	}
	v, err := pickInt(b, n, i)
	return base + v*int64(factor), err
}

// pickPacked returns packed value i.
func pickPacked(b []byte, i int, width uint) uint64 {
	switch width {
	case 0:
		return 0
	case 64:
		return load64(b[8*i:])
	}
	bit := uint(i) * width
	return load64(b[bit/8:]) >> (bit % 8) & (1<<width - 1)
}
