package alert

import "math"

// Truth is what a look comes to.
type Truth int8

// Truths. The zero value is that nobody can tell.
const (
	False   Truth = -1
	Unknown Truth = 0
	True    Truth = 1
)

func (t Truth) String() string { return [...]string{"false", "unknown", "true"}[t+1] }

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Kleene's strong logic: and is the lesser, or the greater, not the negative.

func both(a, b Truth) Truth   { return min(a, b) }
func either(a, b Truth) Truth { return max(a, b) }

// compare holds two numbers against each other; NaN is not known.
func compare(op string, a, b float64) Truth {
	if math.IsNaN(a) || math.IsNaN(b) {
		return Unknown
	}
	switch op {
	case "<":
		return truth(a < b)
	case "<=":
		return truth(a <= b)
	case ">":
		return truth(a > b)
	case ">=":
		return truth(a >= b)
	case "==":
		return truth(a == b)
	}
	return truth(a != b)
}
