package config

import (
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumb/fleet"
)

// decoder walks YAML nodes into the structs of schema.go, strictly: a key that
// no field has is a mistake, as is one that stands twice.
type decoder struct {
	file   string
	errs   *Errors
	budget int // nodes left to visit: what aliases may multiply is bounded
	fields map[reflect.Type]*structFields
}

// fromYAML is what types with a form of their own implement.
type fromYAML interface {
	fromYAML(d *decoder, n *yaml.Node, what string)
}

// structFields are the fields of a struct by key. A field of type place takes
// where the mapping began.
type structFields struct {
	byKey map[string]int
	place int // -1: none

	// what names each field in messages while the struct itself is named
	// within: joined once, not once for each of 10,000 devices.
	within string
	what   []string
}

// named returns what names field i, with this key, of a struct called within.
func (f *structFields) named(within, key string, i int) string {
	if f.within != within {
		f.within = within
		clear(f.what)
	}
	if f.what[i] == "" {
		f.what[i] = join(within, key)
	}
	return f.what[i]
}

var placeType = reflect.TypeFor[place]()

func (d *decoder) fieldsOf(t reflect.Type) *structFields {
	if f := d.fields[t]; f != nil {
		return f
	}
	f := &structFields{byKey: make(map[string]int), place: -1, what: make([]string, t.NumField())}
	for i := range t.NumField() {
		switch key := t.Field(i).Tag.Get("yaml"); {
		case key != "":
			f.byKey[key] = i
		case t.Field(i).Type == placeType:
			f.place = i
		}
	}
	if d.fields == nil {
		d.fields = make(map[reflect.Type]*structFields)
	}
	d.fields[t] = f
	return f
}

func (d *decoder) at(n *yaml.Node) place { return place{d.file, n.Line, n.Column} }

// into decodes n into what to points to.
func (d *decoder) into(n *yaml.Node, to any, what string) {
	d.decode(n, reflect.ValueOf(to).Elem(), what)
}

// decode decodes n into v; what names v in messages.
func (d *decoder) decode(n *yaml.Node, v reflect.Value, what string) {
	if d.budget--; d.budget <= 0 {
		if d.budget == 0 {
			d.errs.add(d.at(n), what, "aliases unfold to too much", "write out what is meant, or use fewer aliases inside of aliases")
		}
		return
	}
	n = real(n)
	if own, ok := v.Addr().Interface().(fromYAML); ok {
		own.fromYAML(d, n, what)
		return
	}
	if isNull(n) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), what)
	case reflect.Struct:
		d.mapping(n, v, what)
	case reflect.Slice:
		d.sequence(n, v, what)
	case reflect.Map:
		d.dictionary(n, v, what)
	case reflect.String:
		if s, ok := d.text(n, what); ok {
			v.SetString(s)
		}
	case reflect.Bool:
		b, err := strconv.ParseBool(n.Value)
		if n.ShortTag() != "!!bool" || err != nil {
			d.wrong(n, what, "true or false")
			return
		}
		v.SetBool(b)
	case reflect.Int:
		d.integer(n, v, what)
	default:
		panic(fmt.Sprintf("config: no form for %v", v.Type()))
	}
}

func (d *decoder) integer(n *yaml.Node, v reflect.Value, what string) {
	i, err := strconv.ParseInt(n.Value, 10, 32)
	if n.Kind != yaml.ScalarNode || err != nil || i < 0 {
		d.wrong(n, what, "a whole number")
		return
	}
	v.SetInt(i)
}

// mapping decodes a mapping into a struct.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value, what string) {
	f := d.fieldsOf(v.Type())
	if f.place >= 0 {
		at := d.at(n)
		*v.Field(f.place).Addr().Interface().(*place) = at
	}
	for key, value := range d.pairs(n, what) {
		i, ok := f.byKey[key.Value]
		if !ok {
			d.unknownKey(key, maps.Keys(f.byKey), what)
			continue
		}
		d.decode(value, v.Field(i), f.named(what, key.Value, i))
	}
}

func (d *decoder) unknownKey(key *yaml.Node, valid iter.Seq[string], what string) {
	why := "no such setting here"
	if what != "" {
		why = "no such setting in " + what
	}
	if !d.errs.full() {
		why = didYouMean(key.Value, valid, why)
	}
	d.errs.add(d.at(key), "unknown key "+quote(key.Value), why, "")
}

// join names a setting inside of another; items of lists are named by the list.
func join(what, key string) string {
	if what == "" {
		return key
	}
	return what + "." + key
}

// pairs yields the keys and values of a mapping once each; a merge key (<<)
// gives what the mapping itself does not say.
func (d *decoder) pairs(n *yaml.Node, what string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(k, v *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			d.wrong(n, what, "a mapping (key: value)")
			return
		}
		var merged []*yaml.Node
		seen := keysSeen{nodes: n.Content}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if key.Kind != yaml.ScalarNode {
				d.wrong(key, what, "a plain key")
				continue
			}
			if key.ShortTag() == "!!merge" {
				merged = append(merged, mappings(real(value))...)
				continue
			}
			if line := seen.before(key.Value, i); line > 0 {
				d.errs.add(d.at(key), "key "+quote(key.Value), fmt.Sprintf("stands twice, first on line %d", line), "")
				continue
			}
			if !yield(key, value) {
				return
			}
		}
		for _, m := range merged { // the first mapping that says something counts
			for i := 0; i+1 < len(m.Content); i += 2 {
				key := m.Content[i]
				if key.Kind != yaml.ScalarNode || seen.before(key.Value, len(seen.nodes)) > 0 {
					continue
				}
				if !yield(key, m.Content[i+1]) {
					return
				}
			}
			seen.nodes = append(slices.Clip(seen.nodes), m.Content...)
		}
	}
}

// keysSeen finds keys that a mapping has already: small ones, which nearly all
// are, by looking through them, large ones by an index.
type keysSeen struct {
	nodes []*yaml.Node
	line  map[string]int
	upTo  int // nodes that are in line
}

// before returns the line of the key among the first n nodes, or 0.
func (s *keysSeen) before(key string, n int) int {
	if n <= 64 {
		for i := 0; i < n; i += 2 {
			if s.nodes[i].Value == key && s.nodes[i].Kind == yaml.ScalarNode {
				return s.nodes[i].Line
			}
		}
		return 0
	}
	if s.line == nil {
		s.line = make(map[string]int, len(s.nodes)/2)
	}
	for ; s.upTo < n; s.upTo += 2 {
		if k := s.nodes[s.upTo]; k.Kind == yaml.ScalarNode && s.line[k.Value] == 0 {
			s.line[k.Value] = k.Line
		}
	}
	return s.line[key]
}

// mappings returns what a merge key merges: one mapping or a list of them.
func mappings(n *yaml.Node) []*yaml.Node {
	switch n.Kind {
	case yaml.MappingNode:
		return []*yaml.Node{n}
	case yaml.SequenceNode:
		var list []*yaml.Node
		for _, m := range n.Content {
			if m = real(m); m.Kind == yaml.MappingNode {
				list = append(list, m)
			}
		}
		return list
	}
	return nil
}

func (d *decoder) sequence(n *yaml.Node, v reflect.Value, what string) {
	if n.Kind != yaml.SequenceNode {
		d.wrong(n, what, "a list")
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.decode(item, list.Index(i), what)
	}
	v.Set(list)
}

func (d *decoder) dictionary(n *yaml.Node, v reflect.Value, what string) {
	if texts, ok := v.Addr().Interface().(*map[string]string); ok {
		*texts = make(map[string]string, len(n.Content)/2)
		for key, value := range d.pairs(n, what) {
			if s, ok := d.text(real(value), what); ok {
				(*texts)[key.Value] = s
			}
		}
		return
	}
	m := reflect.MakeMap(v.Type())
	for key, value := range d.pairs(n, what) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.decode(value, item, join(what, key.Value))
		m.SetMapIndex(reflect.ValueOf(key.Value), item)
	}
	v.Set(m)
}

// text returns the text of a scalar of any type, as it was written; false for
// null, and after complaining for what is no scalar.
func (d *decoder) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		d.wrong(n, what, "text")
		return "", false
	}
	if isNull(n) {
		return "", false
	}
	if n.Value != fleet.Clean(n.Value, maxText) {
		d.errs.add(d.at(n), what, quote(n.Value)+" holds control characters, stray spaces or is too long", "")
		return "", false
	}
	return n.Value, true
}

// maxText bounds one piece of text; SSH certificates and keys are the longest.
const maxText = 16 << 10

// wrong says that n has not the form that is wanted. The value is shown only
// where it cannot be a secret.
func (d *decoder) wrong(n *yaml.Node, what, want string) {
	got := map[yaml.Kind]string{yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list", yaml.ScalarNode: quote(n.Value)}[n.Kind]
	if what == "" {
		what = "the file"
	}
	if n.Kind == yaml.ScalarNode && strings.HasPrefix(what, "credentials") {
		got = "something else"
	}
	d.errs.add(d.at(n), what, "want "+want+", got "+got, "")
}

// real follows an alias to what it stands for.
func real(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// ref is text that has to be found again when it turns out to name nothing.
type ref struct {
	name string
	at   place
}

func (r *ref) fromYAML(d *decoder, n *yaml.Node, what string) {
	if s, ok := d.text(n, what); ok {
		*r = ref{s, d.at(n)}
	}
}

// halves is a number of rack units in halves: 1, 2.5.
type halves struct {
	n   fleet.HalfU
	set bool
	at  place
}

func (h *halves) fromYAML(d *decoder, n *yaml.Node, what string) {
	s, ok := d.text(n, what)
	if !ok {
		return
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f > 1000 || f*2 != float64(int(f*2)) {
		d.errs.add(d.at(n), what, quote(s)+" is not a number of rack units in whole or half ones", "")
		return
	}
	*h = halves{fleet.HalfU(f * 2), true, d.at(n)}
}

// decimal is an exact number that may be left out.
type decimal struct{ fleet.Num }

func (x *decimal) fromYAML(d *decoder, n *yaml.Node, what string) {
	s, ok := d.text(n, what)
	if !ok {
		return
	}
	v, err := fleet.ParseNum(s)
	if err != nil || !v.Known || v.N < 0 {
		d.errs.add(d.at(n), what, quote(s)+" is not a number like 32 or 2.5", "")
		return
	}
	x.Num = v
}
