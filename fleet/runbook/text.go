package runbook

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm"

	"plumb/fleet"
)

// Text is text with expressions in it: "put ${target} back into VLAN
// ${expected(target, "vlan")}". An expression is text, a number or a list.
type Text struct {
	source string
	text   string // where there is no expression
	parts  []part
}

type part struct {
	text    string
	program *vm.Program // nil: text
}

func (t *Text) String() string { return t.source }

// Template reads text. The error says what is wrong with it in one line.
func Template(source string) (*Text, error) {
	t := &Text{source: source}
	if source != fleet.Clean(source, 4*fleet.MaxText) {
		return nil, errors.New("is too long or holds control characters")
	}
	for rest := source; rest != ""; {
		head, tail, has := strings.Cut(rest, "${")
		if head != "" {
			t.parts = append(t.parts, part{text: head})
		}
		if !has {
			break
		}
		inner, after, closed := strings.Cut(tail, "}")
		if !closed {
			return nil, errors.New("has a ${ without its }")
		}
		p, err := compile(inner)
		if err != nil {
			return nil, fmt.Errorf("${%s}: %w", inner, err)
		}
		t.parts, rest = append(t.parts, part{program: p}), after
	}
	if t.fixed() {
		t.text = source
	}
	return t, nil
}

// fixed reports whether the text is always the same.
func (t *Text) fixed() bool {
	for i := range t.parts {
		if t.parts[i].program != nil {
			return false
		}
	}
	return true
}

// Fill returns the text for a target. Everything that comes out of an
// expression is cleaned: it may be what a device said. The error says what is
// not known.
func (t *Text) Fill(s *fleet.Snapshot, target string) (string, error) {
	if t == nil {
		return "", nil
	}
	var b strings.Builder
	for i := range t.parts {
		p := &t.parts[i]
		if p.program == nil {
			b.WriteString(p.text)
			continue
		}
		words, err := values(p.program, s, target)
		if err != nil {
			return "", err
		}
		b.WriteString(strings.Join(words, " "))
	}
	return fleet.Clean(b.String(), 4*fleet.MaxText), nil
}

// List returns the ids that the text stands for: those of a list where the text
// is nothing else, one otherwise.
func (t *Text) List(s *fleet.Snapshot, target string) ([]string, error) {
	if len(t.parts) == 1 && t.parts[0].program != nil {
		return values(t.parts[0].program, s, target)
	}
	one, err := t.Fill(s, target)
	return []string{one}, err
}

// values are what an expression stands for, as words.
func values(p *vm.Program, s *fleet.Snapshot, target string) ([]string, error) {
	v, err := run(p, s, target, time.Time{})
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case string:
		return []string{fleet.Clean(x, fleet.MaxText)}, nil
	case int:
		return []string{strconv.Itoa(x)}, nil
	case float64:
		return []string{strconv.FormatFloat(x, 'f', -1, 64)}, nil
	case []string:
		return x, nil
	}
	return nil, fmt.Errorf("%T is no text, number or list", v)
}
