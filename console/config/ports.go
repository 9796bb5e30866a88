package config

import (
	"path"
	"regexp"
	"strings"

	"plumb/fleet"
)

// portYAML is what is intended of a port of a device, or of ports of many.
type portYAML struct {
	Port   ref               `yaml:"port"`
	Select map[string]string `yaml:"select"` // under policies only
	VLAN   *int              `yaml:"vlan"`
	Admin  ref               `yaml:"admin"`
	Alias  *string           `yaml:"alias"`
	At     place
}

var admins = []string{"up", "down"}

// placeholders are what looks like one in an intended alias.
var placeholders = regexp.MustCompile(`\{[^{}]*\}`)

// ports are what is intended of the ports of one device.
func (b *builder) ports(list []portYAML, what string) []fleet.PortSpec {
	var out []fleet.PortSpec
	seen := map[string]place{}
	for i := range list {
		y := &list[i]
		s, ok := b.portSpec(y, what+": ports")
		if !ok {
			continue
		}
		if first, again := seen[s.Name]; again {
			b.errs.add(y.Port.at, what+": ports", "port "+quote(s.Name)+" stands twice, first at "+first.String(), "")
			continue
		}
		seen[s.Name] = y.Port.at
		if len(y.Select) > 0 {
			b.errs.add(y.At, what+": ports", "select goes with policies.ports: here the device is known", "")
		}
		out = append(out, s)
	}
	return out
}

// portPolicies are what is intended of ports of many devices.
func (b *builder) portPolicies(list []portYAML) []fleet.PortPolicy {
	var out []fleet.PortPolicy
	for i := range list {
		s, ok := b.portSpec(&list[i], "policies.ports")
		if !ok {
			continue
		}
		b.selects(list[i].Select, list[i].At, "policies.ports: port "+quote(s.Name), false)
		out = append(out, fleet.PortPolicy{PortSpec: s, Select: list[i].Select})
	}
	return out
}

func (b *builder) portSpec(y *portYAML, what string) (s fleet.PortSpec, ok bool) {
	if y.Port.name == "" {
		b.errs.add(y.At, what, "has no port", `say which: port: Ethernet3, or port: "Ethernet*"`)
		return s, false
	}
	s = fleet.PortSpec{Name: y.Port.name, Admin: y.Admin.name, Alias: y.Alias}
	what += ": port " + quote(s.Name)
	if _, err := path.Match(s.Name, ""); err != nil {
		b.errs.add(y.Port.at, what, "is not a pattern", `* stands for any text, ? for a letter, [ab] for one of them`)
		return s, false
	}
	if y.VLAN != nil {
		s.VLAN = b.vlans([]int{*y.VLAN}, y.At, what+": vlan")[0]
	}
	b.oneOf(y.Admin, what+": admin", admins)
	if y.Alias != nil {
		b.alias(*y.Alias, y.At, what+": alias")
	}
	if y.VLAN == nil && y.Alias == nil && s.Admin == "" {
		b.errs.add(y.At, what, "intends nothing", "say vlan, admin or alias")
	}
	return s, true
}

// alias checks that an intended alias can be written. How long one is whose far
// end is filled in is known when it is.
func (b *builder) alias(text string, at place, what string) {
	for _, p := range placeholders.FindAllString(text, -1) {
		if p != fleet.FarDevice && p != fleet.FarPort {
			b.errs.add(at, what, "nothing stands for "+quote(p), "there are "+fleet.FarDevice+" and "+fleet.FarPort+", the far end of the intended cable")
			return
		}
	}
	if plain := strings.NewReplacer(fleet.FarDevice, "x", fleet.FarPort, "x").Replace(text); !fleet.WritableAlias(plain) {
		b.errs.add(at, what, quote(text)+" is no alias: at most 64 printable ASCII characters", "")
	}
}
