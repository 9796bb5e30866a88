package drift

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// ports holds what every port is set to against what is intended of it and
// what it had before, and the access VLAN and the speed of those that something
// hangs on against what the ports around them have that carry the like.
func (j *judge) ports() {
	d := j.Device
	if len(d.Ports) == 0 {
		return
	}
	known := j.Readable(fleet.TablePorts)
	like := map[string]map[string]int{} // by what hangs there and the facet, the values
	roles := make([]string, len(d.Ports))
	for i := range d.Ports {
		p := &d.Ports[i]
		far, ok := j.Meant(p.Name)
		if !ok || far.Part == "" {
			continue
		}
		roles[i] = role(far.Part)
		count(like, roles[i]+" vlan", VLANText(p))
		count(like, roles[i]+" speed", SpeedText(p))
	}
	spoken, meant := j.spokenOf(), intentsOf(d.Spec, j.Policies, j.far)
	if len(meant.named) > 0 {
		j.lacking(meant, known)
	}
	for i := range d.Ports {
		p := &d.Ports[i]
		in := meant.of(p.Name)
		for k := range portFacets {
			f := &portFacets[k]
			value, there := f.value(p)
			switch {
			case !there:
			case roles[i] == "" && !spoken[p.Name] && in == (Intent{}): // most ports of a large switch
				j.pass(known)
			case f.like:
				j.port(p, f, value, in.Facet(f.name), like[roles[i]+" "+f.name], spoken[p.Name], known)
			default:
				j.port(p, f, value, in.Facet(f.name), nil, spoken[p.Name], known)
			}
		}
	}
}

// lacking finds the ports that something is intended of by name and that are not
// there: a card that went, or a name that is mistyped.
func (j *judge) lacking(meant *intents, known bool) {
	there := map[string]bool{}
	for i := range j.Device.Ports {
		there[j.Device.Ports[i].Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(meant.named)) {
		if there[name] {
			continue
		}
		facet := "port " + name + " there"
		if !known {
			j.look(facet, false, nil)
			continue
		}
		f := &fleet.Finding{Facet: facet, Kind: fleet.FindConfig, Class: fleet.ClassMissing, Severity: fleet.SeverityWarn, Evidence: "ports of " + j.Device.Spec.ID}
		j.against(f, &fleet.Baseline{Name: fleet.BaseIntended, Expected: "there"}, fleet.ModeExact)
		j.verdict(f)
	}
}

// far names what is intended to hang on a port.
func (j *judge) far(port string) (device, part string, ok bool) {
	a, ok := j.Meant(port)
	if !ok {
		return "", "", false
	}
	return j.Name(a), a.Part, true
}

// portFacet is something that a port is set to.
type portFacet struct {
	name     string
	value    func(*fleet.Port) (value string, there bool) // there: it is known
	like     bool                                         // ports that carry the like should have the same
	severity fleet.Severity
}

var portFacets = [...]portFacet{
	{"vlan", valued(VLANText), true, fleet.SeverityWarn},
	{"speed", valued(SpeedText), true, fleet.SeverityWarn},
	{"admin", valued(AdminText), false, fleet.SeverityWarn},
	{"alias", AliasText, false, fleet.SeverityInfo}, // it passes no packets
}

// valued makes of a text that is empty where nothing is known one that says so.
func valued(text func(*fleet.Port) string) func(*fleet.Port) (string, bool) {
	return func(p *fleet.Port) (string, bool) {
		s := text(p)
		return s, s != ""
	}
}

// pass counts a facet of which nobody has anything to say.
func (j *judge) pass(known bool) {
	j.out.Looked++
	if !known {
		j.out.Blind++
	}
}

// spokenOf are the ports that the docket speaks of: what was found of them, what
// they were, what people ruled.
func (j *judge) spokenOf() map[string]bool {
	out := map[string]bool{}
	add := func(facet string) {
		if rest, ok := strings.CutPrefix(facet, "port "); ok {
			if i := strings.LastIndexByte(rest, ' '); i > 0 {
				out[rest[:i]] = true
			}
		}
	}
	for facet := range j.was {
		add(facet)
	}
	if d := j.docket; d != nil {
		for i := range d.Past {
			add(d.Past[i].Facet)
		}
		for i := range d.Rulings {
			add(d.Rulings[i].Facet)
		}
	}
	return out
}

// role is what a cable is for, by the name of its far end without the number:
// eth0 and eth1 carry the same, a BMC something else.
func role(part string) string { return strings.TrimRight(strings.ToLower(part), "0123456789/.-") }

func count(like map[string]map[string]int, key, value string) {
	if value == "" {
		return
	}
	if like[key] == nil {
		like[key] = map[string]int{}
	}
	like[key][value]++
}

// VLANText is a port's access VLAN; "" where it is not known.
func VLANText(p *fleet.Port) string {
	if p.VLAN == 0 {
		return ""
	}
	return strconv.Itoa(p.VLAN)
}

// SpeedText is the speed of a port that is up; a dark one has none to speak of.
func SpeedText(p *fleet.Port) string {
	if !p.Up() || !p.SpeedBps.Known || p.SpeedBps.N == 0 {
		return ""
	}
	return p.SpeedBps.String()
}

// AdminText is whether a port is switched on: up or down; "" where it is not
// known.
func AdminText(p *fleet.Port) string {
	if p.Admin == "up" || p.Admin == "down" {
		return p.Admin
	}
	return ""
}

// AliasText is a port's description, which may be empty, and whether the switch
// tells any.
func AliasText(p *fleet.Port) (alias string, there bool) { return p.Alias, !p.NoAlias }

func (j *judge) port(p *fleet.Port, what *portFacet, value string, meant *string, like map[string]int, spoken, known bool) {
	facet := "" // made only where it is needed: there are many ports
	name := func() string {
		if facet == "" {
			facet = "port " + p.Name + " " + what.name
		}
		return facet
	}
	expected, _, ok := others(like, value)
	differs := ok && expected != value
	if !differs && !spoken && (meant == nil || *meant == value) {
		j.pass(known)
		return
	}
	if !known {
		j.look(name(), false, nil)
		return
	}
	f := &fleet.Finding{Facet: name(), Kind: fleet.FindConfig, Class: fleet.ClassChanged, Observed: value, Severity: what.severity, Evidence: "ports of " + j.Device.Spec.ID}
	j.against(f, intendedPort(f, meant), fleet.ModeExact)
	if meant != nil && len(f.Baselines) == 0 {
		// Just as intended: that it was otherwise a week ago, or that its like
		// are, is how it came to be right.
		j.look(f.Facet, true, nil)
		return
	}
	j.againstWeek(f, fleet.ModeExact)
	if !differs && what.name == "vlan" {
		expected, differs = j.twin(f, p.Name)
	}
	if differs {
		f.Baselines = append(f.Baselines, fleet.Baseline{Name: fleet.BaseCohort, Expected: expected})
	}
	j.verdict(f)
}

// intendedPort is the inventory's word about a facet of a port, where what was
// found is not as it says.
func intendedPort(f *fleet.Finding, meant *string) *fleet.Baseline {
	if meant == nil || *meant == f.Observed {
		return nil
	}
	switch "" {
	case f.Observed:
		f.Class = fleet.ClassMissing
	case *meant:
		f.Class = fleet.ClassUnmanaged
	}
	return &fleet.Baseline{Name: fleet.BaseIntended, Expected: *meant}
}

// twin asks the other cables of the machine on a port that left its VLAN within
// a week: where they are still in the one that it left, that is a second
// witness. Alone they prove nothing, because either may be the one that is
// wrong.
func (j *judge) twin(f *fleet.Finding, port string) (vlan string, differs bool) {
	was, ok := j.former(f.Facet)
	if !ok || was == f.Observed || j.Twin == nil {
		return "", false
	}
	vlan = j.Twin(port)
	return vlan, vlan == was
}
