package fleet

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Num is an exact decimal that may be unknown: N * 10^Scale. Sensor values,
// watts and rates are Nums, because a float64 silently loses counters above
// 2^53 and prints 21.400000000000002. The zero Num is null.
type Num struct {
	N     int64
	Scale int8 // power of ten, -18..18
	Known bool
}

// Int returns the known whole number n.
func Int(n int64) Num { return Num{N: n, Known: true} }

// maxDecimals is how many decimals a number may have: what 64 bits hold.
const maxDecimals = 18

// Dec returns the known number n * 10^scale. What does not fit 64 bits as a
// whole number is null, for it could be printed and never be read again, and
// what lies behind the 18th decimal is rounded.
func Dec(n int64, scale int8) Num {
	x := Num{N: n, Scale: scale, Known: true}
	switch {
	case scale < -maxDecimals:
		return x.Rescale(-maxDecimals)
	case scale > 0 && !x.Rescale(0).Known:
		return Num{}
	}
	return x
}

// FromFloat rounds f to the given number of decimals (0..9). NaN, infinities
// and what does not fit become null.
func FromFloat(f float64, decimals int) Num {
	decimals = max(0, min(decimals, 9))
	r := math.Round(f * math.Pow10(decimals))
	if math.IsNaN(r) || math.Abs(r) >= 1<<62 {
		return Num{}
	}
	return Num{N: int64(r), Scale: int8(-decimals), Known: true}
}

// Float returns the value as a float64; null is NaN.
func (n Num) Float() float64 {
	if !n.Known {
		return math.NaN()
	}
	if n.Scale < 0 {
		return float64(n.N) / math.Pow10(-int(n.Scale))
	}
	return float64(n.N) * math.Pow10(int(n.Scale))
}

// Rescale returns the number at another scale, rounded half away from zero.
// What would overflow becomes null.
func (n Num) Rescale(scale int8) Num {
	for n.Known && n.Scale < scale {
		q, r := n.N/10, n.N%10 // N+5 could overflow
		switch {
		case r >= 5:
			q++
		case r <= -5:
			q--
		}
		n.N, n.Scale = q, n.Scale+1
	}
	for n.Known && n.Scale > scale {
		if n.N > math.MaxInt64/10 || n.N < math.MinInt64/10 {
			return Num{}
		}
		n.N, n.Scale = n.N*10, n.Scale-1
	}
	return n
}

// String prints the exact decimal, or "null".
func (n Num) String() string { return string(n.append(nil)) }

func (n Num) append(b []byte) []byte {
	if !n.Known {
		return append(b, "null"...)
	}
	if n.Scale >= 0 {
		b = strconv.AppendInt(b, n.N, 10)
		if n.N != 0 {
			for range n.Scale {
				b = append(b, '0')
			}
		}
		return b
	}
	u := uint64(n.N)
	if n.N < 0 {
		b, u = append(b, '-'), -u
	}
	var room [maxDecimals + 22]byte // zeros in front, then what 64 bits take
	digits := strconv.AppendUint(room[maxDecimals+1:maxDecimals+1], u, 10)
	from, to := maxDecimals+1, maxDecimals+1+len(digits)
	places := min(-int(n.Scale), maxDecimals)
	for to-from <= places {
		from--
		room[from] = '0'
	}
	whole, frac := room[from:to-places], bytes.TrimRight(room[to-places:to], "0")
	b = append(b, whole...)
	if len(frac) > 0 {
		b = append(append(b, '.'), frac...)
	}
	return b
}

// AppendText appends what String prints (encoding.TextAppender); it fails never.
func (n Num) AppendText(b []byte) ([]byte, error) { return n.append(b), nil }

// MarshalJSON writes the exact decimal, or null.
func (n Num) MarshalJSON() ([]byte, error) { return n.append(nil), nil }

// UnmarshalJSON reads a decimal without exponent, or null.
func (n *Num) UnmarshalJSON(b []byte) error {
	v, err := ParseNum(string(b))
	if err != nil {
		return err
	}
	*n = v
	return nil
}

// ParseNum reads "null" or a decimal such as -12.5 exactly. It refuses
// exponents and more than 18 significant digits of fraction.
func ParseNum(s string) (Num, error) {
	if s == "null" {
		return Num{}, nil
	}
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > maxDecimals {
		return Num{}, fmt.Errorf("%w: %q has more than %d decimals", ErrWord, Clean(s, 40), maxDecimals)
	}
	if frac != "" && (frac[0] < '0' || frac[0] > '9') {
		return Num{}, fmt.Errorf("%w: %q is not a decimal number", ErrWord, Clean(s, 40))
	}
	v, err := strconv.ParseInt(whole+frac, 10, 64)
	if err != nil {
		return Num{}, fmt.Errorf("%w: %q is not a decimal number", ErrWord, Clean(s, 40))
	}
	return Num{N: v, Scale: int8(-len(frac)), Known: true}, nil
}

// Cmp compares two known numbers: -1, 0 or +1. It compares exactly when both
// have one scale, else as float64.
func (n Num) Cmp(m Num) int {
	if n.Scale == m.Scale {
		switch {
		case n.N < m.N:
			return -1
		case n.N > m.N:
			return 1
		}
		return 0
	}
	switch a, b := n.Float(), m.Float(); {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
