package drift

import (
	"slices"
	"strings"
	"testing"

	"plumb/fleet"
)

// stack is a cloud with one instance and one group, as tests change it.
func stack() (*fleet.Cloud, *fleet.Instance) {
	rule := func(proto string, port int64, from string) fleet.SecurityRule {
		return fleet.SecurityRule{ID: from, Direction: "ingress", Family: "ipv4", Protocol: proto, PortMin: fleet.Int(port), PortMax: fleet.Int(port), Remote: from}
	}
	c := &fleet.Cloud{Spec: &fleet.CloudSpec{Name: "os"}, Docket: &fleet.Docket{},
		Groups: []fleet.SecurityGroup{{ID: "g1", Name: "web", Rules: []fleet.SecurityRule{rule("tcp", 443, "0.0.0.0/0"), rule("tcp", 8080, "10.0.0.0/8")}}}}
	x := &fleet.Instance{ID: "i1", Name: "match-1", Type: "m1.large", Image: "img-1", SecurityGroups: []string{"web", "default"}, Tags: map[string]string{"service": "match", "env": "prod"}}
	return c, x
}

func TestJudgeCloud(t *testing.T) {
	was := func(c *fleet.Cloud, facet, value string) {
		c.Docket.Past = append(c.Docket.Past, fleet.Former{Facet: facet, Value: value, At: t0})
	}
	for _, c := range []struct {
		name string
		set  func(c *fleet.Cloud, x *fleet.Instance)
		want string
		says string
	}{
		{"nothing changed", func(*fleet.Cloud, *fleet.Instance) {}, "", ""},
		{"another type", func(c *fleet.Cloud, x *fleet.Instance) { was(c, "instance i1 type", "m1.small") }, "instance i1 type changed info low last_week=m1.small", "match-1: type is m1.large, was m1.small"},
		{"another image", func(c *fleet.Cloud, x *fleet.Instance) { was(c, "instance i1 image", "img-0") }, "instance i1 image changed info low last_week=img-0", "match-1: image is img-1, was img-0"},
		{"as it was", func(c *fleet.Cloud, x *fleet.Instance) { was(c, "instance i1 type", "m1.large") }, "", ""},
		{"groups in another order", func(c *fleet.Cloud, x *fleet.Instance) { was(c, "instance i1 groups", "default web") }, "", ""},
		{"a group taken away", func(c *fleet.Cloud, x *fleet.Instance) { was(c, "instance i1 groups", "db default web") }, "instance i1 groups changed info low last_week=db default web", "match-1: groups"},
		{"another tag", func(c *fleet.Cloud, x *fleet.Instance) { was(c, "instance i1 tags", "env=test service=match") }, "instance i1 tags changed info low last_week=env=test service=match", "was env=test"},
		{"a rule added", func(c *fleet.Cloud, x *fleet.Instance) { was(c, "group g1 rules", "ingress tcp 443 0.0.0.0/0") },
			"group g1 rules changed info low last_week=ingress tcp 443 0.0.0.0/0", "group web: rules added ingress tcp 8080 10.0.0.0/8"},
		{"a rule made anew under another id", func(c *fleet.Cloud, x *fleet.Instance) {
			was(c, "group g1 rules", RulesText(&c.Groups[0]))
			c.Groups[0].Rules[0].ID = "new"
			slices.Reverse(c.Groups[0].Rules)
		}, "", ""},
		{"not as accepted", func(c *fleet.Cloud, x *fleet.Instance) {
			c.Docket.Rulings = []fleet.Ruling{{Facet: "instance i1 type", Verdict: fleet.FindingAccepted, Value: "m1.tiny"}}
		}, "instance i1 type changed warn high last_accepted=m1.tiny", ""},
		{"an instance that went", func(c *fleet.Cloud, x *fleet.Instance) { was(c, "instance i2 type", "m1.small") }, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cloud, x := stack()
			c.set(cloud, x)
			j := JudgeCloud(CloudCase{Cloud: cloud, Instances: []*fleet.Instance{x}, Readable: func(fleet.TableID) bool { return true }})
			if got := told(j); got != c.want {
				t.Fatalf("found %q, want %q", got, c.want)
			}
			if c.want != "" && !strings.Contains(j.Looks[0].Found.Text, c.says) {
				t.Errorf("says %q, want %q in it", j.Looks[0].Found.Text, c.says)
			}
			if j.Looked != 5 || j.Blind != 0 {
				t.Errorf("looked at %d, blind to %d, want 5 and 0", j.Looked, j.Blind)
			}
		})
	}
}

// TestACloudReadInPart: what cannot be read neither finds nor clears, and what
// is no longer there is over.
func TestACloudReadInPart(t *testing.T) {
	cloud, x := stack()
	cloud.Docket.Past = []fleet.Former{{Facet: "instance i1 type", Value: "m1.small", At: t0}, {Facet: "group g1 rules", Value: "none", At: t0}}
	judge := func(list []*fleet.Instance, lacks ...fleet.TableID) Settled {
		j := JudgeCloud(CloudCase{Cloud: cloud, Instances: list, Readable: func(t fleet.TableID) bool { return !slices.Contains(lacks, t) }})
		return Settle(cloud.Docket, "os", j, t0)
	}
	all := []*fleet.Instance{x}
	if s := judge(all, fleet.TableInstances, fleet.TableSecurityGroups); len(s.Begun) != 0 {
		t.Errorf("nothing was read, and %v are found", names(s.Begun))
	}
	cloud.Docket = judge(all).Docket
	if len(cloud.Docket.Findings) != 2 {
		t.Fatalf("%v are found, want two", names(cloud.Docket.Findings))
	}
	cloud.Groups = nil
	if s := judge(nil, fleet.TableInstances, fleet.TableSecurityGroups); len(s.Ended) != 0 {
		t.Errorf("nothing was read, and %v are over", names(s.Ended))
	}
	if s := judge(nil, fleet.TableSecurityGroups); len(s.Ended) != 1 || s.Ended[0].Facet != "instance i1 type" {
		t.Errorf("the instance went, and %v are over", names(s.Ended))
	}
}

func TestALongListIsToldFromAnotherByItsSum(t *testing.T) {
	g := fleet.SecurityGroup{}
	for i := range int64(200) {
		g.Rules = append(g.Rules, fleet.SecurityRule{Direction: "ingress", Protocol: "tcp", PortMin: fleet.Int(i), PortMax: fleet.Int(i), Remote: "10.0.0.0/8"})
	}
	was := RulesText(&g)
	g.Rules[100].Remote = "0.0.0.0/0"
	if is := RulesText(&g); is == was || len(is) > maxValue || !strings.HasPrefix(is, "200 entries") {
		t.Errorf("%q and %q", was, is)
	}
}
