package config

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/fleet/security"
)

type policiesYAML struct {
	Drift           []facetYAML           `yaml:"drift"`
	Security        map[string]*checkYAML `yaml:"security"`
	Segments        []segmentYAML         `yaml:"segments"`
	Ports           []portYAML            `yaml:"ports"`
	AdminUsers      *int                  `yaml:"admin_users"`
	ManagementVLANs []int                 `yaml:"management_vlans"`
	PortMACs        *int                  `yaml:"port_macs"`
	Private         []map[string]string   `yaml:"private"`
	Freeze          []freezeYAML          `yaml:"freeze"`
	Budgets         *budgetsYAML          `yaml:"budgets"`
	Auto            []autoYAML            `yaml:"auto"`
	At              place
}

type facetYAML struct {
	Facet    ref               `yaml:"facet"`
	Select   map[string]string `yaml:"select"`
	Mode     ref               `yaml:"mode"`
	Owned    ref               `yaml:"owned"`
	Severity ref               `yaml:"severity"`
	Owner    string            `yaml:"owner"`
	Reason   string            `yaml:"reason"`
	Until    date              `yaml:"until"`
	At       place
}

type checkYAML struct {
	Off      bool   `yaml:"off"`
	Severity ref    `yaml:"severity"`
	Reason   string `yaml:"reason"`
	At       place
}

type segmentYAML struct {
	Name   ref               `yaml:"name"`
	Select map[string]string `yaml:"select"`
	VLANs  []int             `yaml:"vlans"`
	Never  []int             `yaml:"never"`
	Apart  map[string]string `yaml:"apart"`
	Reason string            `yaml:"reason"`
	At     place
}

var (
	severities = []string{"info", "warn", "crit"}
	modes      = []string{string(fleet.ModeExact), string(fleet.ModeMinimum), string(fleet.ModeSubset), string(fleet.ModeIgnored)}
	ownerships = []string{string(fleet.Owned), string(fleet.CoManaged), string(fleet.Volatile), string(fleet.Secret)}
	places     = []string{"kind", "model", "rack", "site", "region", "owner", "tenant", "env"}
)

// policies are the user's own rules for judgements.
func (b *builder) policies(y *policiesYAML) {
	p := &b.file.Inventory.Policies
	for i := range y.Drift {
		p.Facets = append(p.Facets, b.facetPolicy(&y.Drift[i]))
	}
	for _, id := range sortedKeys(y.Security) {
		b.checkPolicy(id, y.Security[id], y.At)
	}
	for i := range y.Auto {
		b.auto(&y.Auto[i])
	}
	for i := range y.Segments {
		p.Segments = append(p.Segments, b.segment(&y.Segments[i], y.Segments[:i]))
	}
	p.Ports = b.portPolicies(y.Ports)
	if n := y.AdminUsers; n != nil {
		if *n < 1 || *n > 63 {
			b.errs.add(y.At, "policies.admin_users", strconv.Itoa(*n)+" is not within 1 and 63", "")
		}
		p.AdminUsers = *n
	}
	if n := y.PortMACs; n != nil {
		if *n < 1 || *n > 100000 {
			b.errs.add(y.At, "policies.port_macs", strconv.Itoa(*n)+" is not within 1 and 100000", "")
		}
		p.PortMACs = *n
	}
	p.ManagementVLANs = b.vlans(y.ManagementVLANs, y.At, "policies.management_vlans")
	p.Private = b.private(y.Private, y.At)
	b.bounds(y)
}

func (b *builder) facetPolicy(y *facetYAML) fleet.FacetPolicy {
	const what = "policies.drift"
	p := fleet.FacetPolicy{Facet: y.Facet.name, Select: y.Select, Mode: fleet.Mode(y.Mode.name), Owned: fleet.Ownership(y.Owned.name),
		Owner: y.Owner, Reason: y.Reason, Until: y.Until.Time}
	if p.Facet == "" {
		b.errs.add(y.At, what, "has no facet", `say what it is about: facet: "bios.*"`)
		return p
	}
	at := what + ": facet " + quote(p.Facet)
	if _, err := path.Match(p.Facet, ""); err != nil {
		b.errs.add(y.Facet.at, at, "is not a pattern", `* stands for any text, ? for a letter, [ab] for one of them`)
	} else if name := closest(p.Facet, slices.Values(drift.Known())); name != "" && !drift.Ruled(p.Facet) {
		b.errs.add(y.Facet.at, at, "did you mean "+quote(name)+"?", "")
	}
	b.oneOf(y.Mode, at+": mode", modes)
	b.oneOf(y.Owned, at+": owned", ownerships)
	p.Severity, p.Graded = b.severity(y.Severity, at)
	b.selects(y.Select, y.At, at, false)
	switch {
	case p.Mode == fleet.ModeIgnored && (p.Owner == "" || p.Reason == "" || p.Until.IsZero()):
		b.errs.add(y.At, at, "is ignored without owner, reason and until", `who answers for it, why, and until when: {owner: ann, reason: "...", until: 2027-03-01}`)
	case p.Mode != fleet.ModeIgnored && !p.Until.IsZero():
		b.errs.add(y.At, at, "until goes with mode: ignored", "")
	case p.Mode == "" && p.Owned == "" && !p.Graded:
		b.errs.add(y.At, at, "changes nothing", "give it mode, owned or severity")
	}
	return p
}

func (b *builder) checkPolicy(id string, y *checkYAML, at place) {
	what := "policies.security: " + quote(id)
	if y == nil {
		b.errs.add(at, what, "is empty", "give it severity, or off: true with a reason")
		return
	}
	if !slices.Contains(security.IDs(), id) {
		b.errs.add(y.At, what, "no such check: "+didYouMean(id, slices.Values(security.IDs()), "the verb security lists them"), "")
		return
	}
	p := fleet.CheckPolicy{Off: y.Off, Reason: y.Reason}
	p.Severity, p.Graded = b.severity(y.Severity, what)
	if p.Off && p.Reason == "" {
		b.errs.add(y.At, what, "is off without a reason", "")
	}
	if !p.Off && !p.Graded {
		b.errs.add(y.At, what, "changes nothing", "give it severity, or off: true with a reason")
	}
	if b.file.Inventory.Policies.Checks == nil {
		b.file.Inventory.Policies.Checks = map[string]fleet.CheckPolicy{}
	}
	b.file.Inventory.Policies.Checks[id] = p
}

func (b *builder) segment(y *segmentYAML, before []segmentYAML) fleet.Segment {
	what := "policies.segments: " + quote(y.Name.name)
	s := fleet.Segment{Name: y.Name.name, Select: y.Select, Apart: y.Apart, Reason: y.Reason}
	if s.Name == "" {
		b.errs.add(y.At, "policies.segments", "has no name", "")
		return s
	}
	if slices.ContainsFunc(before, func(o segmentYAML) bool { return o.Name.name == s.Name }) {
		b.errs.add(y.Name.at, what, "stands twice", "")
	}
	s.VLANs, s.Never = b.vlans(y.VLANs, y.At, what+": vlans"), b.vlans(y.Never, y.At, what+": never")
	if len(s.Select) == 0 {
		b.errs.add(y.At, what, "selects nothing", "say whom it is about: select: {part: bmc} or {role: game}")
	}
	if len(s.VLANs)+len(s.Never)+len(s.Apart) == 0 {
		b.errs.add(y.At, what, "asks for nothing", "say vlans, never or apart")
	}
	for _, v := range s.VLANs {
		if slices.Contains(s.Never, v) {
			b.errs.add(y.At, what, "VLAN "+strconv.Itoa(v)+" is in vlans and in never", "")
		}
	}
	b.selects(s.Select, y.At, what+": select", true)
	b.selects(s.Apart, y.At, what+": apart", true)
	return s
}

func (b *builder) severity(r ref, what string) (s fleet.Severity, given bool) {
	b.oneOf(r, what+": severity", severities)
	return s, r.name != "" && s.UnmarshalText([]byte(r.name)) == nil
}

// vlans holds VLAN numbers against IEEE 802.1Q: 1 to 4094.
func (b *builder) vlans(list []int, at place, what string) []int {
	for _, v := range list {
		if v < 1 || v > 4094 {
			b.errs.add(at, what, strconv.Itoa(v)+" is not a VLAN: want 1 to 4094", "")
		}
	}
	return list
}

// selects checks, once all devices are known, that what a selection names is
// there: a rule about nobody would look like one that everybody keeps.
func (b *builder) selects(sel map[string]string, at place, what string, parts bool) {
	b.after = append(b.after, func() {
		for _, key := range sortedKeys(sel) {
			value := sel[key]
			if _, err := path.Match(value, ""); err != nil {
				b.errs.add(at, what, quote(value)+" is not a pattern", `* stands for any text, ? for a letter, [ab] for one of them`)
				continue
			}
			if key == "part" && parts {
				if value != "bmc" {
					b.errs.add(at, what, "part is bmc or nothing", "")
				}
				continue
			}
			b.selectsSome(key, value, at, what)
		}
	})
}

func (b *builder) selectsSome(key, value string, at place, what string) {
	have, tags := map[string]bool{}, map[string]bool{}
	for i := range b.file.Inventory.Devices {
		d := &b.file.Inventory.Devices[i]
		for tag := range d.Tags {
			tags[tag] = true
		}
		if v := d.Carries(key); v != "" {
			have[v] = true
		}
	}
	switch {
	case len(have) == 0 && !slices.Contains(places, key):
		all := slices.Concat(places, slices.Sorted(maps.Keys(tags)))
		b.errs.add(at, what, "no device has a tag "+quote(key)+b.orDid(key, slices.Values(all)), "")
	case !strings.ContainsAny(value, "*?[") && !have[value]:
		b.errs.add(at, what, "no device has "+key+" "+quote(value)+b.orDid(value, maps.Keys(have)), "")
	}
}
