package security

import (
	"strings"

	"plumb/fleet"
)

// CloudChecks are the checks of clouds, in the order in which they are listed.
var CloudChecks = []Check{
	{ID: "cloud.open-group", Title: "a management port is open to the world", Severity: fleet.SeverityCrit, How: "the rules of security groups; a network wider than an IPv4 /8 or an IPv6 /16 counts as anywhere",
		Fix: "allow the networks that need it, or take the rule away", cloud: openGroups, inCloud: fleet.TableSecurityGroups},
	{ID: "cloud.public-address", Title: "an instance that is to be private has a public address", Severity: fleet.SeverityWarn, How: "the addresses of instances that policies name private",
		Fix: "take the address away, or say in policies that it is meant", cloud: publicAddresses, inCloud: fleet.TableInstances, unaskedIn: unintended},
}

// JudgeCloud tries the checks of clouds, as Judge does those of devices.
func JudgeCloud(c *fleet.Cloud, sc *Scene) (looks []fleet.Look, looked, blind int) {
	for i := range CloudChecks {
		if check := &CloudChecks[i]; !sc.policy(check).Off {
			looks = append(looks, check.cloud(check, c, sc)...)
		}
	}
	return looks, len(looks), unknown(looks)
}

// openGroups looks at every security group. A list that was not read, or long
// ago, is one look that saw nothing, beside those at what was found before.
func openGroups(check *Check, c *fleet.Cloud, sc *Scene) []fleet.Look {
	if !sc.wholeTable(&c.Tables[fleet.TableSecurityGroups]) {
		return unread(check, c.Docket)
	}
	looks := make([]fleet.Look, len(c.Groups))
	var behind []standing // looked for where anything is open
	for i := range c.Groups {
		g := &c.Groups[i]
		looks[i] = fleet.Look{Facet: check.ID + " " + g.ID, Known: true}
		open := openTo(g)
		if open == nil {
			continue
		}
		if behind == nil {
			behind = sc.behind(c)
		}
		looks[i].Found = sc.openGroup(check, g, strings.Join(open, ", "), behind[i])
	}
	return looks
}

// unread is what is said of a target that cannot be read: one look that saw
// nothing, and one at each thing that was found before.
func unread(check *Check, d *fleet.Docket) []fleet.Look {
	looks := []fleet.Look{{Facet: check.ID}}
	for i := range d.Of() {
		if f := &d.Findings[i]; f.Kind == fleet.FindSecurity && check.of(f.Facet) && f.Facet != check.ID {
			looks = append(looks, fleet.Look{Facet: f.Facet})
		}
	}
	return looks
}

// openGroup is an open group, graded by who stands behind it: critical is only
// what is certain to be reached.
func (sc *Scene) openGroup(check *Check, g *fleet.SecurityGroup, open string, who standing) *fleet.Finding {
	f := sc.finding(check, fleet.ClassUnmanaged, open, "group "+g.Name+" lets anybody reach "+open)
	f.Evidence = "security group " + g.Name + " of project " + g.Project
	switch who {
	case someone:
		f.Text += ", and instances with public addresses stand behind it"
		return f
	case notKnown:
		f.Text += "; who stands behind it is not known"
	}
	if !sc.policy(check).Graded {
		f.Severity = fleet.SeverityWarn
	}
	return f
}
