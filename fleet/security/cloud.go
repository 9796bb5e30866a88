package security

import (
	"slices"
	"strings"

	"plumb/fleet"
)

// CloudChecks are the checks of clouds.
var CloudChecks = []Check{
	{ID: "cloud.open-group", Title: "a management port is open to the world", Severity: fleet.SeverityCrit, How: "the rules of security groups", Fix: "allow the networks that need it, or take the rule away"},
}

// managementPorts must not be reachable from anywhere.
var managementPorts = []struct {
	port int64
	name string
}{{22, "SSH"}, {23, "telnet"}, {161, "SNMP"}, {623, "IPMI"}, {3389, "RDP"}}

// JudgeCloud tries the checks of clouds, as Judge does those of devices.
func JudgeCloud(c *fleet.Cloud, sc *Scene, exposed func(group string) bool) (looks []fleet.Look, looked, blind int) {
	for i := range CloudChecks {
		if check := &CloudChecks[i]; !sc.policy(check).Off {
			looks = append(looks, sc.cloudLooks(check, c, exposed)...)
		}
	}
	return looks, len(looks), unknown(looks)
}

// cloudLooks looks at every security group. A list that was not read, or long
// ago, is one look that saw nothing, beside those at what was found before.
// exposed says whether anything that is reachable from outside stands behind a
// group, by its name: a rule that nobody stands behind is worth a word and no
// more.
func (sc *Scene) cloudLooks(check *Check, c *fleet.Cloud, exposed func(group string) bool) []fleet.Look {
	if !sc.wholeTable(&c.Tables[fleet.TableSecurityGroups]) {
		looks := []fleet.Look{{Facet: check.ID}}
		for _, f := range c.Docket.Of() {
			if f.Kind == fleet.FindSecurity && check.of(f.Facet) {
				looks = append(looks, fleet.Look{Facet: f.Facet})
			}
		}
		return looks
	}
	looks := make([]fleet.Look, len(c.Groups))
	for i := range c.Groups {
		g := &c.Groups[i]
		looks[i] = fleet.Look{Facet: check.ID + " " + g.ID, Known: true}
		open := openTo(g)
		if open == nil {
			continue
		}
		list := strings.Join(open, ", ")
		f := sc.finding(check, fleet.ClassUnmanaged, list, "group "+g.Name+" lets anybody reach "+list)
		f.Evidence = "security group " + g.Name + " of project " + g.Project
		graded := sc.policy(check).Graded
		switch {
		case exposed != nil && exposed(g.Name):
			f.Text += ", and instances with public addresses stand behind it"
		case !graded:
			f.Severity = fleet.SeverityWarn
		}
		looks[i].Found = f
	}
	return looks
}

// openTo lists the management ports that a group opens to anywhere.
func openTo(g *fleet.SecurityGroup) []string {
	var out []string
	for i := range g.Rules {
		r := &g.Rules[i]
		if r.Direction != "ingress" || !anywhere(r.Remote) || r.Protocol != "" && r.Protocol != "tcp" && r.Protocol != "udp" {
			continue
		}
		for _, m := range managementPorts {
			if !covers(r, m.port) {
				continue
			}
			name := m.name + " (" + fleet.Int(m.port).String() + ")"
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

func anywhere(remote string) bool { return remote == "" || strings.HasSuffix(remote, "/0") }

func covers(r *fleet.SecurityRule, port int64) bool {
	if !r.PortMin.Known && !r.PortMax.Known {
		return true
	}
	low, high := int64(0), int64(65535)
	if r.PortMin.Known {
		low = int64(r.PortMin.Float())
	}
	if r.PortMax.Known {
		high = int64(r.PortMax.Float())
	}
	return low <= port && port <= high
}
