package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"plumb/fleet"
)

// ErrFormat is a state that cannot be read, or not by this version.
var ErrFormat = errors.New("not the output of `terraform show -json`")

// Bounds of a state: deeper modules or more resources are refused, not cut.
const (
	maxDepth     = 32
	maxResources = 500_000
)

type state struct {
	Format string  `json:"format_version"`
	Values *values `json:"values"`
}

type values struct {
	Root module `json:"root_module"`
}

type module struct {
	Resources []resource `json:"resources"`
	Children  []module   `json:"child_modules"`
}

// resource is one that Terraform manages. Values that Sensitive marks are
// dropped before anything else is done with them.
type resource struct {
	Address   string                     `json:"address"`
	Mode      string                     `json:"mode"` // managed or data
	Type      string                     `json:"type"`
	Values    map[string]json.RawMessage `json:"values"`
	Sensitive map[string]json.RawMessage `json:"sensitive_values"`
}

// Parse reads the output of `terraform show -json` (state representation,
// format 1.x). It takes instances, security groups and their rules of the
// OpenStack and AWS providers; other resources are passed over. Errors are ErrFormat
// with the place. An empty state declares nothing.
func Parse(text []byte) (*fleet.Declared, error) {
	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch major, _, _ := strings.Cut(s.Format, "."); {
	case s.Format == "":
		return nil, fmt.Errorf("%w: it has no format_version", ErrFormat)
	case major != "1":
		return nil, fmt.Errorf("%w: format %s, this reads 1.x", ErrFormat, fleet.Clean(s.Format, 20))
	}
	r := reader{out: &fleet.Declared{}, groups: map[string]int{}}
	if s.Values != nil {
		if err := r.module(&s.Values.Root, 0); err != nil {
			return nil, err
		}
	}
	return r.done(), nil
}

type reader struct {
	out    *fleet.Declared
	groups map[string]int // by id, in out.Groups
	rules  []groupRule
	seen   int
}

// groupRule is a rule whose group may come later.
type groupRule struct {
	group string
	rule  fleet.SecurityRule
}

func (r *reader) module(m *module, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: modules are nested deeper than %d", ErrFormat, maxDepth)
	}
	for i := range m.Resources {
		if r.seen++; r.seen > maxResources {
			return fmt.Errorf("%w: more than %d resources", ErrFormat, maxResources)
		}
		if err := r.resource(&m.Resources[i]); err != nil {
			return err
		}
	}
	for i := range m.Children {
		if err := r.module(&m.Children[i], depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) resource(x *resource) error {
	if x.Mode == "data" {
		return nil
	}
	x.redact()
	var err error
	switch x.Type {
	case "openstack_compute_instance_v2":
		err = r.instance(x)
	case "openstack_networking_secgroup_v2":
		err = r.group(x)
	case "openstack_networking_secgroup_rule_v2":
		err = r.rule(x)
	case "aws_instance":
		err = r.instanceAWS(x)
	case "aws_security_group":
		err = r.groupAWS(x)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFormat, fleet.Clean(x.Address, fleet.MaxText), err)
	}
	return nil
}

// redact drops what is marked as sensitive: the mark is true, or an object or a
// list with a true somewhere inside. A map loses only the keys that are marked.
func (x *resource) redact() {
	for name, mark := range x.Sensitive {
		if !marked(mark) {
			continue
		}
		var keys, of map[string]json.RawMessage
		if json.Unmarshal(mark, &keys) != nil || json.Unmarshal(x.Values[name], &of) != nil {
			delete(x.Values, name)
			continue
		}
		for key, m := range keys {
			if marked(m) {
				delete(of, key)
			}
		}
		x.Values[name], _ = json.Marshal(of)
	}
}

func marked(mark json.RawMessage) bool { return strings.Contains(string(mark), "true") }

// take decodes attributes by their names; what is absent or null stays as it is.
func (x *resource) take(into map[string]any) error {
	for name, to := range into {
		raw, ok := x.Values[name]
		if !ok || string(raw) == "null" {
			continue
		}
		if err := json.Unmarshal(raw, to); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (r *reader) done() *fleet.Declared {
	for _, x := range r.rules {
		if i, ok := r.groups[x.group]; ok {
			r.out.Groups[i].Rules = append(r.out.Groups[i].Rules, x.rule)
		}
	}
	return r.out
}

func clean(s string) string { return fleet.Clean(s, fleet.MaxText) }
