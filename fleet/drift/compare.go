package drift

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"plumb/fleet"
)

// Agrees reports whether an observed value is as expected, by the mode.
func Agrees(mode fleet.Mode, expected, observed string) bool {
	switch mode {
	case fleet.ModeIgnored:
		return true
	case fleet.ModeMinimum:
		return CompareVersions(observed, expected) >= 0
	case fleet.ModeSubset:
		return len(lacking(members(expected), members(observed))) == 0
	}
	return expected == observed
}

// members splits a list as facts write one: words, or words after commas.
func members(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// lacking returns those of want that are not in have.
func lacking(want, have []string) []string {
	var out []string
	for _, w := range want {
		if !slices.Contains(have, w) {
			out = append(out, w)
		}
	}
	return out
}

// CompareVersions orders versions as people read them: by their numbers, one
// after the other, and by letters where those differ: 2.9 is before 2.19, and
// 4.2rc1 before 4.2.
func CompareVersions(a, b string) int {
	x, y := pieces(a), pieces(b)
	for i := range max(len(x), len(y)) {
		switch {
		case i >= len(x):
			return -tail(y[i])
		case i >= len(y):
			return tail(x[i])
		}
		if c := comparePieces(x[i], y[i]); c != 0 {
			return c
		}
	}
	return 0
}

// tail is what a piece beyond the other version's end makes of the order: a
// further number is later, letters are what comes before a release. Zeros and a
// build's letter after a number ("1.0.2k") are told apart by neither, so a
// single letter is later.
func tail(p string) int {
	if isNumber(p) {
		if strings.Trim(p, "0") == "" {
			return 0
		}
		return 1
	}
	if len(p) == 1 {
		return 1
	}
	return -1
}

func comparePieces(a, b string) int {
	an, bn := isNumber(a), isNumber(b)
	switch {
	case an && bn:
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	case an:
		return 1 // a number is later than letters in its place
	case bn:
		return -1
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

func isNumber(p string) bool { return p != "" && p[0] >= '0' && p[0] <= '9' }

// pieces are the runs of digits and the runs of letters of a version.
func pieces(v string) []string {
	var out []string
	start, kind := 0, 0
	flush := func(end int) {
		if kind != 0 {
			out = append(out, v[start:end])
		}
	}
	for i, r := range v {
		k := 0
		switch {
		case r >= '0' && r <= '9':
			k = 1
		case unicode.IsLetter(r):
			k = 2
		}
		if k != kind {
			flush(i)
			start, kind = i, k
		}
	}
	flush(len(v))
	return out
}
