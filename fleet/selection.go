package fleet

import (
	"path"
	"strings"
)

// Like holds a name against a pattern of path.Match in which a slash is a
// letter like others: names of ports and racks have them.
func Like(pattern, name string) bool {
	switch i := strings.IndexAny(pattern, `*?[\\`); {
	case i < 0:
		return pattern == name
	case i == len(pattern)-1 && pattern[i] == '*': // most patterns are a beginning
		return strings.HasPrefix(name, pattern[:i])
	}
	if strings.Contains(name, "/") {
		pattern, name = strings.ReplaceAll(pattern, "/", "\x1f"), strings.ReplaceAll(name, "/", "\x1f")
	}
	ok, _ := path.Match(pattern, name)
	return ok
}

// Selects reports whether a device carries everything that is selected, each
// by name (see Carries) and a value or a pattern (see Like). Nothing selected
// is everything.
func Selects(sel map[string]string, d *DeviceSpec) bool {
	for k, v := range sel {
		if !Like(v, d.Carries(k)) {
			return false
		}
	}
	return true
}

// Carries is what a device has under a name: kind, model, rack, site, region,
// owner, tenant and env are these, every other name is that of a tag.
func (d *DeviceSpec) Carries(name string) string {
	switch name {
	case "kind":
		return string(d.Kind)
	case "model":
		return d.Model
	case "rack":
		return d.Rack
	case "site":
		return d.Site
	case "region":
		return d.Region
	case "owner":
		return d.Owner
	case "tenant":
		return d.Tenant
	case "env":
		return d.Env
	}
	return d.Tags[name]
}
