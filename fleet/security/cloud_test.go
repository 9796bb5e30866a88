package security

import (
	"slices"
	"strings"
	"testing"

	"plumb/fleet"
)

func rule(dir, proto, remote string, low, high int64) fleet.SecurityRule {
	return fleet.SecurityRule{Direction: dir, Protocol: proto, Remote: remote, PortMin: fleet.Int(low), PortMax: fleet.Int(high)}
}

func TestOpenTo(t *testing.T) {
	all := fleet.SecurityRule{Direction: "ingress"}
	udp, icmp := all, all
	udp.Protocol, icmp.Protocol, icmp.Remote = "udp", "icmp", "0.0.0.0/0"
	for _, c := range []struct {
		rule fleet.SecurityRule
		want string
	}{
		{rule("ingress", "tcp", "0.0.0.0/0", 22, 22), "SSH (22)"},
		{rule("ingress", "tcp", "::/0", 22, 22), "SSH (22)"},
		{rule("ingress", "tcp", "", 22, 22), "SSH (22)"},
		{rule("ingress", "", "", 22, 22), "SSH (22)"},
		{all, "SSH (22), telnet (23), SNMP (161), IPMI (623), RDP (3389)"},
		{udp, "SNMP (161), IPMI (623)"},
		{rule("ingress", "tcp", "0.0.0.0/0", 1, 1024), "SSH (22), telnet (23)"},
		{rule("ingress", "udp", "0.0.0.0/0", 1, 1024), "SNMP (161), IPMI (623)"},
		{rule("ingress", "udp", "0.0.0.0/0", 22, 22), ""}, // nothing of ours listens there
		{rule("ingress", "tcp", "0.0.0.0/0", 161, 161), ""},
		{rule("ingress", "udp", "0.0.0.0/0", 27000, 27100), ""},
		{rule("egress", "tcp", "0.0.0.0/0", 22, 22), ""},
		{rule("ingress", "tcp", "10.0.0.0/8", 22, 22), ""},
		{rule("ingress", "tcp", "128.0.0.0/1", 22, 22), "SSH (22)"},
		{rule("ingress", "tcp", "16.0.0.0/7", 22, 22), "SSH (22)"},
		{rule("ingress", "tcp", "17.0.0.0/8", 22, 22), ""},
		{rule("ingress", "tcp", "2000::/3", 22, 22), "SSH (22)"},
		{rule("ingress", "tcp", "2001:db8::/32", 22, 22), ""},
		{rule("ingress", "tcp", "fc00::/7", 22, 22), ""}, // local to whoever uses it
		{rule("ingress", "tcp", "fc00::/6", 22, 22), "SSH (22)"},
		{rule("ingress", "tcp", "240.0.0.0/4", 22, 22), ""},
		{icmp, ""},
		{rule("ingress", "sctp", "0.0.0.0/0", 22, 22), ""},
		{rule("ingress", "tcp", "5e0b3fd0-0f43-4a7c-9dc6-0e9a6b6a2a30", 22, 22), ""}, // another group
	} {
		if open := strings.Join(openTo(&fleet.SecurityGroup{Rules: []fleet.SecurityRule{c.rule}}), ", "); open != c.want {
			t.Errorf("%+v opens %q, want %q", c.rule, open, c.want)
		}
	}
	halves := fleet.SecurityGroup{Rules: []fleet.SecurityRule{rule("ingress", "tcp", "0.0.0.0/1", 22, 22), rule("ingress", "tcp", "128.0.0.0/1", 22, 22)}}
	if open := openTo(&halves); !slices.Equal(open, []string{"SSH (22)"}) {
		t.Errorf("two halves of the world open %v", open)
	}
}

// cloudOf is a cloud whose groups and instances were read in full just now.
func cloudOf(groups ...fleet.SecurityGroup) *fleet.Cloud {
	c := &fleet.Cloud{Spec: &fleet.CloudSpec{Name: "stack", Region: "ams"}, Groups: groups}
	c.Tables[fleet.TableSecurityGroups] = fleet.TableState{Is: fleet.Complete, At: now}
	c.Tables[fleet.TableInstances] = fleet.TableState{Is: fleet.Complete, At: now}
	return c
}

func withInstances(sc *Scene, list ...fleet.Instance) *Scene {
	ids, rows := make([]string, len(list)), make([]fleet.InstanceState, len(list))
	for i := range list {
		ids[i], rows[i] = list[i].ID, fleet.InstanceState{Instance: list[i]}
	}
	table := fleet.NewTable(ids, rows)
	sc.Instances = &table
	return sc
}

// TestWhoStandsBehind holds that a group is critical only where an instance with
// a public address is certainly in it.
func TestWhoStandsBehind(t *testing.T) {
	open := []fleet.SecurityRule{rule("ingress", "tcp", "0.0.0.0/0", 22, 22)}
	group := func(id, project string) fleet.SecurityGroup {
		return fleet.SecurityGroup{ID: id, Name: "mgmt", Project: project, Rules: open}
	}
	guest := func(project string, groups ...string) fleet.Instance {
		return fleet.Instance{ID: "i", Cloud: "stack", Project: project, Public: []string{"198.51.100.7"}, SecurityGroups: groups}
	}
	inside := guest("p", "mgmt")
	inside.Public = nil
	elsewhere := guest("p", "mgmt")
	elsewhere.Cloud = "other"
	one, two := []fleet.SecurityGroup{group("a", "p")}, []fleet.SecurityGroup{group("a", "p"), group("b", "q")}
	for name, c := range map[string]struct {
		groups []fleet.SecurityGroup
		guests []fleet.Instance
		want   string // of each group: crit, warn, or warn? where it is not known
	}{
		"nobody":                           {one, nil, "warn"},
		"one":                              {one, []fleet.Instance{guest("p", "default", "mgmt")}, "crit"},
		"without a public address":         {one, []fleet.Instance{inside}, "warn"},
		"in another cloud":                 {one, []fleet.Instance{elsewhere}, "warn"},
		"in another group":                 {one, []fleet.Instance{guest("p", "default")}, "warn"},
		"in the group of its project":      {two, []fleet.Instance{guest("p", "mgmt")}, "crit warn"},
		"of a project nobody tells":        {two, []fleet.Instance{guest("", "mgmt")}, "warn? warn?"},
		"of no project, in the only one":   {one, []fleet.Instance{guest("", "mgmt")}, "crit"},
		"in two of the same name":          {[]fleet.SecurityGroup{group("a", "p"), group("b", "p")}, []fleet.Instance{guest("p", "mgmt")}, "warn? warn?"},
		"in one that another project has":  {one, []fleet.Instance{guest("q", "mgmt")}, "warn?"},
		"of which the cloud tells nothing": {two, []fleet.Instance{guest("p")}, "warn? warn"},
	} {
		cloud := cloudOf(c.groups...)
		looks, looked, blind := JudgeCloud(cloud, withInstances(scene(nil), c.guests...))
		if got := graded(looks); got != c.want || looked != len(c.groups) || blind != 0 {
			t.Errorf("%s: %s, want %s; looked at %d, blind to %d", name, got, c.want, looked, blind)
		}
		cloud.Tables[fleet.TableInstances].Is = fleet.Partial
		looks, _, _ = JudgeCloud(cloud, withInstances(scene(nil), c.guests...))
		if got, want := graded(looks), partly.Replace(c.want); got != want {
			t.Errorf("%s, of a list that is not whole: %s, want %s", name, got, want)
		}
	}
}

// partly is what becomes of grades where the list of instances is not whole.
var partly = strings.NewReplacer("warn?", "warn?", "warn", "warn?")

func graded(looks []fleet.Look) string {
	var words []string
	for _, l := range looks {
		switch word := l.Found.Severity.String(); {
		case strings.HasSuffix(l.Found.Text, "who stands behind it is not known"):
			words = append(words, word+"?")
		default:
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// TestACloudIsNotVisible holds that groups that were not read, or long ago, pass
// nothing, and that what was found of them stays.
func TestACloudIsNotVisible(t *testing.T) {
	group := fleet.SecurityGroup{ID: "g", Name: "mgmt", Rules: []fleet.SecurityRule{rule("ingress", "tcp", "", 22, 22)}}
	for name, state := range map[string]fleet.TableState{"failed": {Is: fleet.Failed, At: now}, "partial": {Is: fleet.Partial, At: now}, "never": {}, "long ago": {Is: fleet.Complete, At: now.Add(-3 * 60 * 1e9)}} {
		cloud := cloudOf(group, fleet.SecurityGroup{ID: "h"})
		cloud.Tables[fleet.TableSecurityGroups] = state
		cloud.Docket = &fleet.Docket{Findings: []fleet.Finding{{Kind: fleet.FindSecurity, Facet: "cloud.open-group g", Target: "stack", State: fleet.FindingOpen}}}
		looks, looked, blind := JudgeCloud(cloud, withInstances(scene(nil)))
		if looked != 2 || blind != 2 || looks[1].Facet != "cloud.open-group g" {
			t.Errorf("%s: %+v", name, looks)
		}
	}
}

func TestPoliciesOfClouds(t *testing.T) {
	group := fleet.SecurityGroup{ID: "g", Name: "mgmt", Project: "p", Rules: []fleet.SecurityRule{rule("ingress", "tcp", "", 22, 22)}}
	guest := fleet.Instance{ID: "i", Cloud: "stack", Project: "p", Public: []string{"198.51.100.7"}, SecurityGroups: []string{"mgmt"}}
	judged := func(p fleet.CheckPolicy) (*fleet.Snapshot, []fleet.Look) {
		s := &fleet.Snapshot{At: now, Intervals: scene(nil).Intervals, Topology: &fleet.Topology{Policies: &fleet.Policies{Checks: map[string]fleet.CheckPolicy{"cloud.open-group": p}}}}
		c := cloudOf(group, fleet.SecurityGroup{ID: "h"})
		looks, _, _ := JudgeCloud(c, withInstances(SceneOf(s), guest))
		c.Docket = &fleet.Docket{}
		for _, l := range looks {
			if l.Found != nil {
				f := *l.Found
				f.Facet, f.State = l.Facet, fleet.FindingOpen
				c.Docket.Findings = append(c.Docket.Findings, f)
			}
		}
		s.Clouds = fleet.NewTable([]string{"stack"}, []fleet.Cloud{*c})
		return s, looks
	}
	tally := func(s *fleet.Snapshot) Tally {
		list := Coverage(s)
		return list[slices.IndexFunc(list, func(t Tally) bool { return t.ID == "cloud.open-group" })]
	}
	s, looks := judged(fleet.CheckPolicy{Off: true, Reason: "lab"})
	if got := tally(s); len(looks) != 0 || got.Off != "lab" || got.Passed+got.Found+got.NotVisible != 0 {
		t.Errorf("off: %+v, %+v", looks, got)
	}
	s, looks = judged(fleet.CheckPolicy{Severity: fleet.SeverityInfo, Graded: true})
	if got := tally(s); looks[0].Found.Severity != fleet.SeverityInfo || got.Severity != fleet.SeverityInfo || got.Found != 1 || got.Passed != 1 {
		t.Errorf("graded: %+v, %+v", looks[0].Found, got)
	}
}

// TestWhatIsToBePrivate holds that only those are judged of which somebody said
// what is intended, and that the others are counted as such.
func TestWhatIsToBePrivate(t *testing.T) {
	guest := func(id, service, env string, public ...string) fleet.Instance {
		return fleet.Instance{ID: id, Name: id, Cloud: "stack", Service: service, Tags: map[string]string{"env": env}, Public: public}
	}
	guests := []fleet.Instance{guest("db", "orders-db", "prod", "198.51.100.7"), guest("db2", "orders-db", "prod"), guest("web", "shop", "prod", "198.51.100.8"), guest("lab", "", "lab", "198.51.100.9")}
	for name, c := range map[string]struct {
		private  []map[string]string
		found    string
		looked   int
		notAsked int
	}{
		"nobody says":  {nil, "", 0, 4},
		"says nothing": {[]map[string]string{{}}, "", 0, 4},
		"a service":    {[]map[string]string{{"service": "*-db"}}, "db", 2, 2},
		"a tag":        {[]map[string]string{{"env": "lab"}}, "lab", 1, 3},
		"both":         {[]map[string]string{{"env": "lab"}, {"service": "orders-db"}}, "db lab", 3, 1},
		"all of it":    {[]map[string]string{{"env": "prod", "service": "shop", "cloud": "stack", "region": "ams"}}, "web", 1, 3},
		"nowhere":      {[]map[string]string{{"cloud": "other"}}, "", 0, 4},
	} {
		s := &fleet.Snapshot{At: now, Intervals: scene(nil).Intervals, Topology: &fleet.Topology{Policies: &fleet.Policies{Private: c.private}}}
		cloud := cloudOf()
		s.Instances = *withInstances(scene(nil), guests...).Instances
		looks, looked, blind := JudgeCloud(cloud, SceneOf(s))
		var found []string
		for _, l := range looks {
			if l.Found != nil {
				found = append(found, strings.TrimPrefix(l.Facet, "cloud.public-address "))
			}
		}
		if got := strings.Join(found, " "); got != c.found || looked != c.looked || blind != 0 {
			t.Errorf("%s: found %q, want %q; looked at %d, want %d", name, got, c.found, looked, c.looked)
		}
		s.Clouds = fleet.NewTable([]string{"stack"}, []fleet.Cloud{*cloud})
		list := Coverage(s)
		if got := list[slices.IndexFunc(list, func(t Tally) bool { return t.ID == "cloud.public-address" })]; got.NotAsked != c.notAsked {
			t.Errorf("%s: %d not asked, want %d", name, got.NotAsked, c.notAsked)
		}
		cloud.Tables[fleet.TableInstances].Is = fleet.Partial
		if looks, _, blind := JudgeCloud(cloud, SceneOf(s)); c.private != nil && (blind != 1 || looks[0].Known) {
			t.Errorf("%s, of a list that is not whole: %+v", name, looks)
		}
	}
}
