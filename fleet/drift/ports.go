package drift

import (
	"strconv"
	"strings"

	"plumb/fleet"
)

// ports holds the access VLAN and the speed of every port that something hangs
// on against what the ports around it have that carry the like, and against
// what the port itself had before.
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
	spoken := j.spokenOf()
	for i := range d.Ports {
		p := &d.Ports[i]
		if roles[i] == "" && !spoken[p.Name] { // most ports of a large switch
			j.pass(p.VLAN != 0, known)
			j.pass(p.Up() && p.SpeedBps.Known && p.SpeedBps.N != 0, known)
			continue
		}
		j.port(p, "vlan", VLANText(p), like[roles[i]+" vlan"], spoken[p.Name], known)
		j.port(p, "speed", SpeedText(p), like[roles[i]+" speed"], spoken[p.Name], known)
	}
}

// pass counts a facet of which nobody has anything to say; there is false where
// it has no value.
func (j *judge) pass(there, known bool) {
	if !there {
		return
	}
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

func (j *judge) port(p *fleet.Port, what, value string, like map[string]int, spoken, known bool) {
	if value == "" {
		return
	}
	facet := "" // made only where it is needed: there are many ports
	name := func() string {
		if facet == "" {
			facet = "port " + p.Name + " " + what
		}
		return facet
	}
	expected, _, ok := others(like, value)
	differs := ok && expected != value
	if !differs && !spoken {
		j.pass(true, known)
		return
	}
	if !known {
		j.look(name(), false, nil)
		return
	}
	f := &fleet.Finding{Facet: name(), Kind: fleet.FindConfig, Class: fleet.ClassChanged, Observed: value, Severity: fleet.SeverityWarn, Evidence: "ports of " + j.Device.Spec.ID}
	j.against(f, nil, fleet.ModeExact)
	j.againstWeek(f, fleet.ModeExact)
	if !differs && what == "vlan" {
		expected, differs = j.twin(f, p.Name)
	}
	if differs {
		f.Baselines = append(f.Baselines, fleet.Baseline{Name: fleet.BaseCohort, Expected: expected})
	}
	j.verdict(f)
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
