package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"plumb/fleet"
)

// date is a day: 2027-03-01.
type date struct{ time.Time }

func (t *date) fromYAML(d *decoder, n *yaml.Node, what string) {
	s, ok := d.text(n, what)
	if !ok {
		return
	}
	v, err := time.Parse(time.DateOnly, s)
	if err != nil {
		d.errs.add(d.at(n), what, quote(s)+" is not a date like 2027-03-01", "")
		return
	}
	t.Time = v
}

// hidden is a secret in clear: its text is never shown.
type hidden struct {
	value string
	at    place
}

func (h *hidden) fromYAML(d *decoder, n *yaml.Node, what string) {
	if n.Kind != yaml.ScalarNode {
		d.errs.add(d.at(n), what, "want text", "")
		return
	}
	if !isNull(n) {
		*h = hidden{n.Value, d.at(n)}
	}
}

// args is a program with its arguments: a list, or one word.
type args struct {
	list []string
	at   place
}

func (a *args) fromYAML(d *decoder, n *yaml.Node, what string) {
	a.at = d.at(n)
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for _, item := range items {
		if item = real(item); item.Kind != yaml.ScalarNode || item.Value == "" || strings.ContainsRune(item.Value, 0) {
			d.errs.add(d.at(item), what, "want a list: the program and its arguments", "")
			return
		}
		a.list = append(a.list, item.Value)
	}
}

// expectations are facts as they are meant to be, by dotted name. A mapping
// with min or subset is a bound; any other mapping groups further facts:
// {bios: {boot_mode: uefi}} expects bios.boot_mode.
type expectations map[string]fleet.Expectation

// expectDepth bounds how deep facts are grouped.
const expectDepth = 5

func (x *expectations) fromYAML(d *decoder, n *yaml.Node, what string) {
	if isNull(n) {
		return
	}
	*x = make(expectations)
	x.group(d, n, what, "", expectDepth)
}

func (x *expectations) group(d *decoder, n *yaml.Node, what, prefix string, depth int) {
	if depth == 0 {
		d.errs.add(d.at(n), what, "facts are grouped too deep", "")
		return
	}
	for key, value := range d.pairs(n, what) {
		value = real(value)
		name := join(prefix, key.Value)
		switch {
		case value.Kind == yaml.MappingNode && isBound(value):
			x.bound(d, value, join(what, key.Value), name)
		case value.Kind == yaml.MappingNode:
			x.group(d, value, join(what, key.Value), name, depth-1)
		default:
			if s, ok := d.text(value, join(what, key.Value)); ok {
				(*x)[name] = fleet.Expectation{Exact: s}
			}
		}
	}
}

func isBound(n *yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i].Value; k == "min" || k == "subset" {
			return true
		}
	}
	return false
}

func (x *expectations) bound(d *decoder, n *yaml.Node, what, name string) {
	var b struct {
		Min    string   `yaml:"min"`
		Subset []string `yaml:"subset"`
	}
	d.into(n, &b, what)
	if (b.Min == "") == (b.Subset == nil) {
		d.errs.add(d.at(n), what, "want either min or subset", "")
		return
	}
	(*x)[name] = fleet.Expectation{Min: b.Min, Subset: b.Subset}
}

// sortedKeys is the order in which maps of the file are gone through, so that
// the same file gives the same errors.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
