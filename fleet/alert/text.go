package alert

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// template is a text with {subject.field} and {fact(name)} in it. It is bounded
// and cannot loop: what a device says is put in as it is, cleaned.
type template struct {
	words []string
	gaps  []func(*scene) string // between the words
}

// parseText reads a text for rules on a subject.
func parseText(on, source string) (t template, err error) {
	rest := source
	for {
		head, tail, more := strings.Cut(rest, "{")
		t.words = append(t.words, head)
		if !more {
			return t, nil
		}
		name, tail, closed := strings.Cut(tail, "}")
		if !closed {
			return t, fmt.Errorf("%w: %q has a { without a }", ErrExpression, source)
		}
		gap, err := parseGap(on, strings.TrimSpace(name))
		if err != nil {
			return t, err
		}
		t.gaps = append(t.gaps, gap)
		rest = tail
	}
}

func parseGap(on, name string) (func(*scene) string, error) {
	within := scope(on)
	if within["device"] != nil {
		for _, f := range [...]struct {
			head string
			of   func(*scene, string) string
		}{
			{"fact(", func(x *scene, arg string) string { return x.device.Facts.Get(arg) }},
			{"tag(", func(x *scene, arg string) string { return x.device.Spec.Tags[arg] }},
		} {
			if arg, ok := strings.CutPrefix(name, f.head); ok && strings.HasSuffix(arg, ")") {
				arg = strings.Trim(strings.TrimSuffix(arg, ")"), `"' `)
				return func(x *scene) string { return or(f.of(x, arg)) }, nil
			}
		}
		if name == "device.reason" {
			return reasonOf, nil
		}
	}
	subject, key, _ := strings.Cut(name, ".")
	f, ok := within[subject][key]
	if !ok {
		return nil, fmt.Errorf("%w: {%s}: rules on %s have no such field", ErrExpression, fleet.Clean(name, 60), on)
	}
	if f.text != nil {
		return func(x *scene) string { return or(f.text(x)) }, nil
	}
	return f.show, nil
}

// reasonOf is the worst reason of a device's state.
func reasonOf(x *scene) string {
	if len(x.device.Reasons) == 0 {
		return "no reason known"
	}
	return x.device.Reasons[0]
}

func or(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// number prints a number as people read it.
func number(f float64) string {
	if math.IsNaN(f) {
		return "unknown"
	}
	return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64)
}

// of fills the text in.
func (t *template) of(x *scene) string {
	if len(t.words) == 0 {
		return ""
	}
	var b strings.Builder
	for i, w := range t.words {
		b.WriteString(w)
		if i < len(t.gaps) {
			b.WriteString(t.gaps[i](x))
		}
	}
	return fleet.Clean(b.String(), 2*fleet.MaxText)
}

// Reference lists what expressions and texts may read, for people: a line for
// each field, "device.inlet_c number air at the inlet, C".
func Reference() []string {
	var out []string
	for subject, list := range fields {
		for key, f := range list {
			out = append(out, strings.TrimSpace(subject+"."+key+" "+f.kind()+" "+f.help))
		}
	}
	for name, help := range functions {
		out = append(out, name+"(TEXT) of the device: "+help)
	}
	slices.Sort(out)
	return out
}
