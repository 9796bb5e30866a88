package views

import (
	"strconv"
	"strings"
	"time"
)

// filter is a parsed filter: terms that must all hold.
//
//	web !spare state:crit,warn kind:pdu rack:r03 owner: vlan:208 age>1d
//
// A word is looked for in the row's main texts; "!" turns a term around; a
// field with nothing behind the colon asks whether it is empty.
type filter struct {
	text  string
	terms []term
}

type term struct {
	not   bool
	field string // "" for a word
	op    byte   // ':', '>' or '<'
	value string
	num   float64 // for > and <: seconds for ages, else the plain number
}

// record is a row that can be asked for its fields.
type record interface {
	// field returns the text of a field; false where the row has no such field.
	field(name string) (string, bool)
	// amount returns a field as a number: ages in seconds, power in watts.
	amount(name string) (float64, bool)
	// word reports whether one of the row's main texts holds w.
	word(w string) bool
}

func parseFilter(s string) filter {
	f := filter{text: s}
	for _, w := range strings.Fields(s) {
		t := term{op: ':'}
		if t.not = len(w) > 1 && w[0] == '!'; t.not {
			w = w[1:]
		}
		i := strings.IndexAny(w, ":<>")
		if i <= 0 {
			t.value = w
			f.terms = append(f.terms, t)
			continue
		}
		t.field, t.op, t.value = strings.ToLower(w[:i]), w[i], w[i+1:]
		if t.op != ':' {
			n, ok := amountOf(t.value)
			if !ok {
				continue // still being typed
			}
			t.num = n
		}
		f.terms = append(f.terms, t)
	}
	return f
}

// amountOf reads 90, 1.5k, 3d, 12h into a number; durations are seconds.
func amountOf(s string) (float64, bool) {
	unit := 1.0
	if s != "" {
		switch s[len(s)-1] {
		case 's':
		case 'm':
			unit = 60
		case 'h':
			unit = 3600
		case 'd':
			unit = 86400
		case 'w':
			unit = 7 * 86400
		case 'y':
			unit = 365.25 * 86400
		case 'k':
			unit = 1e3
		case 'M':
			unit = 1e6
		case 'G':
			unit = 1e9
		default:
			s += " "
		}
		s = s[:len(s)-1]
	}
	n, err := strconv.ParseFloat(s, 64)
	return n * unit, err == nil
}

// match reports whether a row passes.
func (f *filter) match(r record) bool {
	if len(f.terms) == 0 {
		return true
	}
	for i := range f.terms {
		if t := &f.terms[i]; t.holds(r) == t.not {
			return false
		}
	}
	return true
}

func (t *term) holds(r record) bool {
	if t.field == "" {
		return r.word(t.value)
	}
	if t.op != ':' {
		n, ok := r.amount(t.field)
		return ok && (t.op == '>' && n > t.num || t.op == '<' && n < t.num)
	}
	got, ok := r.field(t.field)
	if !ok || t.value == "" {
		return ok && got == ""
	}
	for rest := t.value; rest != ""; {
		var v string
		v, rest, _ = strings.Cut(rest, ",")
		if v != "" && holds(got, v) {
			return true
		}
	}
	return false
}

// holds reports whether text contains w, letters of ASCII in any case.
func holds(text, w string) bool {
	for i := 0; i+len(w) <= len(text); i++ {
		if strings.EqualFold(text[i:i+len(w)], w) {
			return true
		}
	}
	return false
}

// seconds turns an age into an amount.
func seconds(f Frame, t time.Time) (float64, bool) {
	return f.At.Sub(t).Seconds(), !t.IsZero()
}
