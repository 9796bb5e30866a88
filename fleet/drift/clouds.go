package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// CloudCase is a cloud with all that its instances and security groups are held
// against.
type CloudCase struct {
	Cloud     *fleet.Cloud
	Instances []*fleet.Instance // of this cloud
	Policies  *fleet.Policies
	// Readable reports whether the last read of a table was good and is young
	// enough: what it does not show is then not there.
	Readable func(fleet.TableID) bool
}

// cloudJudge is a judgement of a cloud under way.
type cloudJudge struct {
	CloudCase
	ledger
	byID map[string]*fleet.Instance
}

// JudgeCloud holds instances and security groups against what a tool declares,
// against what people accepted and against last week. An instance that comes or
// goes is no drift unless somebody declares which there should be.
func JudgeCloud(c CloudCase) Judgement {
	j := &cloudJudge{CloudCase: c, ledger: newLedger(c.Cloud.Docket, func(facet string) *fleet.FacetPolicy { return cloudPolicy(c.Policies, c.Cloud.Spec, facet) })}
	j.instances()
	j.groups()
	j.unread(func(facet string) bool { return j.Readable(cloudTable(facet)) })
	return j.out
}

// cloudPolicy is the user's own word about a facet of a cloud. A selection of
// devices is not about clouds; {cloud: NAME} and {region: NAME} are.
func cloudPolicy(policies *fleet.Policies, c *fleet.CloudSpec, facet string) *fleet.FacetPolicy {
	for i := range policies.Facets {
		p := &policies.Facets[i]
		about := true
		for key, value := range p.Select {
			have := map[string]string{"cloud": c.Name, "region": c.Region}[key]
			about = about && have != "" && fleet.Like(value, have)
		}
		if about && fleet.Like(p.Facet, facet) {
			return p
		}
	}
	return nil
}

// cloudTable is the table that a facet of a cloud is read from.
func cloudTable(facet string) fleet.TableID {
	if strings.HasPrefix(facet, "group ") {
		return fleet.TableSecurityGroups
	}
	return fleet.TableInstances
}

// aspect is what of an instance is held against its baselines.
type aspect struct {
	name     string
	severity fleet.Severity
	of       func(*fleet.Instance) string
	declared func(*fleet.DeclaredInstance) string // "": not said
	noted    bool                                 // a change within a week is worth a word
	made     bool                                 // who changed it may be known
}

var aspects = []aspect{
	{"type", fleet.SeverityWarn, func(x *fleet.Instance) string { return x.Type }, func(d *fleet.DeclaredInstance) string { return d.Type }, true, true},
	{"image", fleet.SeverityWarn, func(x *fleet.Instance) string { return x.Image }, func(d *fleet.DeclaredInstance) string { return d.Image }, true, true},
	{"zone", fleet.SeverityInfo, func(x *fleet.Instance) string { return x.Zone }, func(d *fleet.DeclaredInstance) string { return d.Zone }, true, false},
	{"groups", fleet.SeverityWarn, func(x *fleet.Instance) string { return words(x.SecurityGroups) }, func(d *fleet.DeclaredInstance) string { return words(d.Groups) }, true, true},
	{"tags", fleet.SeverityInfo, func(x *fleet.Instance) string { return tagText(x.Tags) }, func(d *fleet.DeclaredInstance) string { return tagText(d.Tags) }, true, false},
	{"state", fleet.SeverityWarn, func(x *fleet.Instance) string { return x.RunState }, func(d *fleet.DeclaredInstance) string { return d.RunState }, false, false},
}

func words(list []string) string {
	list = slices.Clone(list)
	slices.Sort(list)
	return strings.Join(list, " ")
}

func tagText(tags map[string]string) string {
	out := make([]string, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, k+"="+tags[k])
	}
	return bounded(strings.Join(out, " "))
}

// longest is how long a value may be before its end is written as a digest: two
// that differ still do.
const longest = 2000

// digestMark stands before the digest.
const digestMark = " … sha256:"

func bounded(s string) string {
	if len(s) <= longest {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return strings.ToValidUTF8(s[:longest], "") + digestMark + hex.EncodeToString(sum[:8])
}

func instanceFacet(id, aspect string) string { return "instance " + id + " " + aspect }

// NoteInstance tells the facets of an instance that another read shows
// otherwise, with what they were.
func NoteInstance(was, is *fleet.Instance, note func(facet, value string)) {
	for i := range aspects {
		a := &aspects[i]
		if before, after := a.of(was), a.of(is); a.noted && before != after && before != "" && after != "" {
			note(instanceFacet(is.ID, a.name), before)
		}
	}
}

// instances judges all that is declared, changed within a week or ruled on; of
// the rest nobody can say that it should be otherwise.
func (j *cloudJudge) instances() {
	known := j.Readable(fleet.TableInstances)
	asked := j.asked()
	declared := j.Cloud.Spec.Declared
	if len(asked) == 0 && declared == nil {
		j.out.Looked += len(aspects) * len(j.Instances)
		if !known {
			j.out.Blind += len(aspects) * len(j.Instances)
		}
		return
	}
	j.byID = make(map[string]*fleet.Instance, len(j.Instances))
	for _, x := range j.Instances {
		j.byID[x.ID] = x
	}
	meant := map[string]*fleet.DeclaredInstance{}
	if declared != nil {
		for i := range declared.Instances {
			meant[declared.Instances[i].ID] = &declared.Instances[i]
		}
		j.presence(declared, meant, known)
	}
	for _, x := range j.Instances {
		if d := meant[x.ID]; d != nil || asked[x.ID] {
			j.instance(x, d, known)
			continue
		}
		j.out.Looked += len(aspects)
		if !known {
			j.out.Blind += len(aspects)
		}
	}
}

// asked are the instances that something was found of, that changed or that
// people ruled on.
func (j *cloudJudge) asked() map[string]bool {
	out := map[string]bool{}
	add := func(facet string) {
		if rest, ok := strings.CutPrefix(facet, "instance "); ok {
			id, _, _ := strings.Cut(rest, " ")
			out[id] = true
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

// presence finds what is declared and not there, and what is there and not
// declared.
func (j *cloudJudge) presence(declared *fleet.Declared, meant map[string]*fleet.DeclaredInstance, known bool) {
	find := func(id string, class fleet.Class, observed, expected, text string) {
		f := &fleet.Finding{Facet: "instance " + id, Kind: fleet.FindInventory, Class: class, Observed: observed, Severity: fleet.SeverityWarn, Evidence: declared.Source + ", servers of " + j.Cloud.Spec.Name, Text: text}
		j.against(f, &fleet.Baseline{Name: fleet.BaseIntended, Expected: expected}, fleet.ModeExact)
		j.verdict(f)
	}
	for i := range declared.Instances {
		d := &declared.Instances[i]
		switch {
		case !known:
			j.look("instance "+d.ID, false, nil)
		case j.byID[d.ID] == nil:
			find(d.ID, fleet.ClassMissing, "", d.Name, d.Name+" is not there: "+d.Resource+" declares it")
		default:
			j.look("instance "+d.ID, true, nil)
		}
	}
	for _, x := range j.Instances {
		if !declared.Whole || meant[x.ID] != nil {
			continue
		}
		if !known {
			j.look("instance "+x.ID, false, nil)
			continue
		}
		// All of them observe the same: somebody who works beside the tool is one cause.
		find(x.ID, fleet.ClassUnmanaged, "not declared", "", label(x)+" is not declared: "+declared.Source+" knows nothing of it")
	}
}

func label(x *fleet.Instance) string {
	if x.Name == "" {
		return x.ID
	}
	return x.Name
}

func (j *cloudJudge) instance(x *fleet.Instance, d *fleet.DeclaredInstance, known bool) {
	for i := range aspects {
		a := &aspects[i]
		facet, value := instanceFacet(x.ID, a.name), a.of(x)
		if !known || value == "" {
			j.look(facet, false, nil)
			continue
		}
		f := &fleet.Finding{Facet: facet, Kind: fleet.FindConfig, Class: fleet.ClassChanged, Observed: value, Severity: a.severity, Evidence: "servers of " + j.Cloud.Spec.Name}
		var intended *fleet.Baseline
		if d != nil {
			if expected := a.declared(d); expected != "" {
				if expected == value {
					j.look(facet, true, nil)
					continue
				}
				intended = &fleet.Baseline{Name: fleet.BaseIntended, Expected: expected}
				f.Evidence = j.Cloud.Spec.Declared.Source + ": " + d.Resource + ", " + f.Evidence
			}
		}
		j.against(f, intended, fleet.ModeExact)
		j.againstWeek(f, fleet.ModeExact)
		f.Text = sentence(label(x)+" "+a.name, f)
		if a.made && x.ChangedBy != "" {
			f.Who = x.ChangedBy + " at " + x.ChangedAt.UTC().Format("2006-01-02 15:04Z")
		}
		j.verdict(f)
	}
}

// RulesText is a security group's rules as one value: the order in which they
// are told, and their ids, are nobody's intention. Letting everything out is
// what groups are made with, and is left out.
func RulesText(rules []fleet.SecurityRule) string {
	var out []string
	for i := range rules {
		if text := ruleText(&rules[i]); text != everythingOut {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return bounded(strings.Join(slices.Compact(out), "; "))
}

const everythingOut = "egress any to anywhere"

func ruleText(r *fleet.SecurityRule) string {
	protocol, remote, way := r.Protocol, r.Remote, " from "
	if protocol == "" || protocol == "any" {
		protocol = "any"
	}
	if remote == "" || remote == "0.0.0.0/0" || remote == "::/0" {
		remote = "anywhere"
		if r.Family == "ipv6" && r.Direction == "ingress" {
			remote = "anywhere (ipv6)"
		}
	}
	if r.Direction == "egress" {
		way = " to "
	}
	return r.Direction + " " + protocol + portText(r) + way + remote
}

func portText(r *fleet.SecurityRule) string {
	low, high := r.PortMin, r.PortMax
	switch {
	case !low.Known && !high.Known:
		return ""
	case low == high || !high.Known:
		return " " + low.String()
	case !low.Known:
		return " 0-" + high.String()
	}
	return " " + low.String() + "-" + high.String()
}

// NewRules are the rules of a group that a baseline does not have, which is a
// text as [RulesText] writes it.
func NewRules(g *fleet.SecurityGroup, before string) []fleet.SecurityRule {
	if strings.Contains(before, digestMark) { // its end is not known
		return nil
	}
	had := strings.Split(before, "; ")
	var out []fleet.SecurityRule
	for i := range g.Rules {
		if text := ruleText(&g.Rules[i]); text != everythingOut && !slices.Contains(had, text) {
			out = append(out, g.Rules[i])
		}
	}
	return out
}

func groupFacet(id string) string { return "group " + id + " rules" }

// NoteGroup tells that another read shows other rules of a group, with what
// they were.
func NoteGroup(was, is *fleet.SecurityGroup, note func(facet, value string)) {
	if before := RulesText(was.Rules); before != RulesText(is.Rules) {
		note(groupFacet(is.ID), before)
	}
}

func (j *cloudJudge) groups() {
	known := j.Readable(fleet.TableSecurityGroups)
	meant := map[string]*fleet.DeclaredGroup{}
	if d := j.Cloud.Spec.Declared; d != nil {
		for i := range d.Groups {
			meant[d.Groups[i].ID] = &d.Groups[i]
		}
	}
	for i := range j.Cloud.Groups {
		g := &j.Cloud.Groups[i]
		j.group(g, meant[g.ID], known)
		delete(meant, g.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(meant)) {
		d := meant[id]
		facet := "group " + id
		if !known {
			j.look(facet, false, nil)
			continue
		}
		f := &fleet.Finding{Facet: facet, Kind: fleet.FindConfig, Class: fleet.ClassMissing, Severity: fleet.SeverityWarn, Evidence: j.Cloud.Spec.Declared.Source,
			Text: "security group " + d.Name + " is not there: " + d.Resource + " declares it"}
		j.against(f, &fleet.Baseline{Name: fleet.BaseIntended, Expected: d.Name}, fleet.ModeExact)
		j.verdict(f)
	}
}

func (j *cloudJudge) group(g *fleet.SecurityGroup, d *fleet.DeclaredGroup, known bool) {
	facet := groupFacet(g.ID)
	if !known {
		j.look(facet, false, nil)
		return
	}
	f := &fleet.Finding{Facet: facet, Kind: fleet.FindConfig, Class: fleet.ClassChanged, Observed: RulesText(g.Rules), Severity: fleet.SeverityWarn, Evidence: "security groups of " + j.Cloud.Spec.Name}
	var intended *fleet.Baseline
	if d != nil {
		expected := RulesText(d.Rules)
		if expected == f.Observed {
			j.look(facet, true, nil)
			return
		}
		intended = &fleet.Baseline{Name: fleet.BaseIntended, Expected: expected}
		f.Evidence = j.Cloud.Spec.Declared.Source + ": " + d.Resource + ", " + f.Evidence
	}
	j.against(f, intended, fleet.ModeExact)
	j.againstWeek(f, fleet.ModeExact)
	f.Class = fleet.ClassChanged // rules that were none before are no other kind of change
	if len(f.Baselines) > 0 {
		f.Text = "security group " + g.Name + ": " + ruleChange(f.Baselines[0].Expected, f.Observed)
	}
	j.verdict(f)
}

// ruleChange says which rules are new and which are gone.
func ruleChange(before, after string) string {
	had, has := strings.Split(before, "; "), strings.Split(after, "; ")
	var parts []string
	for _, rule := range has {
		if rule != "" && !slices.Contains(had, rule) {
			parts = append(parts, "new "+rule)
		}
	}
	for _, rule := range had {
		if rule != "" && !slices.Contains(has, rule) {
			parts = append(parts, "gone "+rule)
		}
	}
	const most = 4
	if n := len(parts); n > most {
		parts = append(parts[:most], "and "+strconv.Itoa(n-most)+" more")
	}
	return strings.Join(parts, ", ")
}
