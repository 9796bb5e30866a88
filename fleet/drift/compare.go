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
// after the other, and by letters where those differ: 2.9 is before 2.19,
// 4.2rc1 before 4.2, and 1.0.2 before 1.0.2k.
//
// Every piece has a place of its own, the end of the version too, so that the
// order is one whatever is held against what: words of more than one letter
// come before a release, a zero is as good as the end, a single letter is a
// build after it, and a further number is later than all of these.
func CompareVersions(a, b string) int {
	x, y := pieces(a), pieces(b)
	for i := range max(len(x), len(y)) {
		if c := comparePieces(at(x, i), at(y, i)); c != 0 {
			return c
		}
	}
	return 0
}

// at is piece i of a version, "" beyond its end.
func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// Places of pieces, the earliest first.
const (
	placeWord = iota
	placeEnd  // or zero
	placeLetter
	placeNumber
)

func placeOf(p string) int {
	switch {
	case strings.Trim(p, "0") == "":
		return placeEnd
	case isNumber(p):
		return placeNumber
	case len(p) == 1:
		return placeLetter
	}
	return placeWord
}

func comparePieces(a, b string) int {
	place := placeOf(a)
	if c := cmp.Compare(place, placeOf(b)); c != 0 {
		return c
	}
	switch place {
	case placeEnd:
		return 0
	case placeNumber:
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

func isNumber(p string) bool { return p != "" && p[0] >= '0' && p[0] <= '9' }

// pieces are the runs of digits and the runs of letters of a version, without
// the v that some write before it.
func pieces(v string) []string {
	if len(v) > 1 && (v[0] == 'v' || v[0] == 'V') && isNumber(v[1:]) {
		v = v[1:]
	}
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
