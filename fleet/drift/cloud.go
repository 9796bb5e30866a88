package drift

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"plumb/fleet"
)

// CloudKinds are the findings that this judge makes of a cloud.
var CloudKinds = []fleet.FindingKind{fleet.FindConfig}

// Facets of what stands in a cloud: "instance ID type", "group ID rules". A name
// may be given twice, an id is not; the text says the name.
const (
	ofInstance = "instance "
	ofGroup    = "group "
)

// InstanceFacets are what an instance is made of, by facet: what somebody chose
// and the cloud does not move by itself. What a cloud does not tell is left
// out. Hosts are no part of it: guests are moved to keep them running.
func InstanceFacets(x *fleet.Instance) map[string]string {
	out := make(map[string]string, 4)
	put := func(what, value string) {
		if value != "" {
			out[ofInstance+x.ID+" "+what] = value
		}
	}
	put("type", x.Type)
	put("image", x.Image)
	if x.SecurityGroups != nil {
		put("groups", strings.Join(slices.Sorted(slices.Values(x.SecurityGroups)), " "))
	}
	if len(x.Tags) > 0 {
		var list []string
		for _, k := range slices.Sorted(maps.Keys(x.Tags)) {
			list = append(list, k+"="+x.Tags[k])
		}
		put("tags", bounded(list, " "))
	}
	return out
}

// GroupFacet is the facet of a security group's rules.
func GroupFacet(g *fleet.SecurityGroup) string { return ofGroup + g.ID + " rules" }

// RulesText is a security group as people write its rules, in an order of its
// own: ids come and go with every change.
func RulesText(g *fleet.SecurityGroup) string {
	list := make([]string, 0, len(g.Rules))
	for i := range g.Rules {
		list = append(list, ruleText(&g.Rules[i]))
	}
	slices.Sort(list)
	return bounded(slices.Compact(list), ", ")
}

func ruleText(r *fleet.SecurityRule) string {
	text := r.Direction + " " + or(r.Protocol, "any")
	switch {
	case r.PortMin.Known && r.PortMax.Known && r.PortMin.Cmp(r.PortMax) != 0:
		text += " " + r.PortMin.String() + "-" + r.PortMax.String()
	case r.PortMin.Known:
		text += " " + r.PortMin.String()
	}
	remote := r.Remote
	if remote == "" {
		remote = "anywhere " + r.Family
	}
	return strings.TrimSpace(text + " " + remote)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// maxValue bounds a list as a value: a longer one is told from another by its
// sum.
const maxValue = 400

func bounded(list []string, sep string) string {
	text := strings.Join(list, sep)
	if len(text) <= maxValue {
		return text
	}
	h := fnv.New64a()
	h.Write([]byte(text))
	return fmt.Sprintf("%d entries, sum %016x", len(list), h.Sum64())
}

// CloudCase is a cloud with what it holds.
type CloudCase struct {
	Cloud     *fleet.Cloud
	Instances []*fleet.Instance
	// Readable reports whether the last read of a table was good.
	Readable func(fleet.TableID) bool
}

// JudgeCloud holds what was made of instances and groups against what they were
// before and what people accepted. Like everything that changes by hand, only
// what changed within a week or was ruled on has anything to be held against.
func JudgeCloud(c CloudCase) Judgement {
	j := &judge{Case: Case{Device: &fleet.Device{Docket: c.Cloud.Docket}, Readable: c.Readable}}
	j.out.Kinds = CloudKinds
	j.was = map[string]bool{}
	for _, f := range c.Cloud.Docket.Of() {
		if slices.Contains(CloudKinds, f.Kind) {
			j.was[f.Facet] = true
		}
	}
	asked := j.asked()
	known := c.Readable(fleet.TableInstances)
	for _, x := range c.Instances {
		if !asked[ofInstance+x.ID] { // nearly all: they are counted and not spelled out
			n := chosenOf(x)
			j.out.Looked += n
			if !known {
				j.out.Blind += n
			}
			continue
		}
		for facet, value := range InstanceFacets(x) {
			j.chosen(asked, facet, value, or(x.Name, x.ID), "instances of "+c.Cloud.Spec.Name, known)
		}
	}
	for i := range c.Cloud.Groups {
		g := &c.Cloud.Groups[i]
		j.chosen(asked, GroupFacet(g), RulesText(g), "group "+or(g.Name, g.ID), "security groups of "+c.Cloud.Spec.Name, c.Readable(fleet.TableSecurityGroups))
	}
	for facet := range j.was { // a part that a list in part does not show may be there
		table := fleet.TableInstances
		if strings.HasPrefix(facet, ofGroup) {
			table = fleet.TableSecurityGroups
		}
		if !c.Readable(table) {
			j.out.Looks = append(j.out.Looks, fleet.Look{Facet: facet})
		}
	}
	slices.SortFunc(j.out.Looks, func(a, b fleet.Look) int { return strings.Compare(a.Facet, b.Facet) })
	return j.out
}

// asked are the facets that have anything to be held against, and the things
// they are of.
func (j *judge) asked() map[string]bool {
	out := map[string]bool{}
	add := func(facet string) {
		out[facet] = true
		if i := strings.LastIndexByte(facet, ' '); i > 0 {
			out[facet[:i]] = true
		}
	}
	if d := j.Device.Docket; d != nil {
		for i := range d.Past {
			add(d.Past[i].Facet)
		}
		for i := range d.Rulings {
			add(d.Rulings[i].Facet)
		}
	}
	for facet := range j.was {
		add(facet)
	}
	return out
}

// chosenOf counts the facets of an instance.
func chosenOf(x *fleet.Instance) (n int) {
	for _, is := range [...]bool{x.Type != "", x.Image != "", len(x.SecurityGroups) > 0, len(x.Tags) > 0} {
		if is {
			n++
		}
	}
	return n
}

// chosen judges something that somebody chose.
func (j *judge) chosen(asked map[string]bool, facet, value, name, evidence string, known bool) {
	if !asked[facet] || !known {
		j.look(facet, known, nil)
		return
	}
	f := &fleet.Finding{Facet: facet, Kind: fleet.FindConfig, Class: fleet.ClassChanged, Observed: value, Severity: fleet.SeverityWarn, Evidence: evidence}
	j.against(f, nil, fleet.ModeExact)
	j.againstWeek(f, fleet.ModeExact)
	if len(f.Baselines) > 0 {
		f.Text = name + ": " + facet[strings.LastIndexByte(facet, ' ')+1:] + " " + difference(f.Baselines[0].Expected, value)
	}
	j.verdict(f)
}

// difference says of two lists what came and went, and of two words both.
func difference(was, is string) string {
	sep := ", "
	if !strings.Contains(was+is, sep) {
		return "is " + shown(is) + ", was " + shown(was)
	}
	a, b := strings.Split(was, sep), strings.Split(is, sep)
	var parts []string
	if list := lacking(b, a); len(list) > 0 {
		parts = append(parts, "added "+strings.Join(list, sep))
	}
	if list := lacking(a, b); len(list) > 0 {
		parts = append(parts, "removed "+strings.Join(list, sep))
	}
	return strings.Join(parts, "; ")
}
