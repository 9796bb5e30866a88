package fleet

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText bounds one piece of device text, in bytes.
const MaxText = 256

// Clean makes device text safe to store and to show: it drops C0 and C1
// controls, DEL, line separators, bidirectional overrides and other format
// characters, replaces invalid UTF-8, trims surrounding space, and cuts at
// limit bytes on a rune boundary. Every probe passes every string that came
// from a wire through it, once, where it enters; nothing after that trusts or
// escapes again.
func Clean(s string, limit int) string {
	if clean(s) && len(s) <= limit {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	b.Grow(min(len(s), limit))
	for _, r := range s {
		if drop(r) {
			continue
		}
		if b.Len()+utf8.RuneLen(r) > limit {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// CleanMarked is Clean with U+FFFD in the place of every character that it
// drops: the text is then seen not to be what the device has.
func CleanMarked(s string, limit int) string {
	if !clean(s) {
		s = strings.Map(func(r rune) rune {
			if drop(r) {
				return utf8.RuneError
			}
			return r
		}, s)
	}
	return Clean(s, limit)
}

func clean(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f {
			return false
		}
	}
	return true
}

func drop(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// Scrub takes secrets out of a text that somebody else wrote and who was told
// them. What is shorter than four bytes is no secret.
func Scrub(s string, secrets ...string) string {
	for _, x := range secrets {
		if len(x) >= 4 {
			s = strings.ReplaceAll(s, x, "(secret)")
		}
	}
	return s
}

// Count writes a number with its noun: "1 rack", "3 switches", "2 power supplies".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	switch head, isY := strings.CutSuffix(noun, "y"); {
	case isY && !strings.ContainsAny(head[max(0, len(head)-1):], "aeiou"):
		noun = head + "ie"
	case strings.HasSuffix(noun, "s"), strings.HasSuffix(noun, "ch"):
		noun += "e"
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
