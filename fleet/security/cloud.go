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

// JudgeCloud looks at a cloud's security groups. exposed says whether anything
// that is reachable from outside stands behind a group, by its name: a rule
// that nobody stands behind is worth a word and no more.
func JudgeCloud(c *fleet.Cloud, p *fleet.Policies, exposed func(group string) bool) (looks []fleet.Look, looked, blind int) {
	check := &CloudChecks[0]
	if p.Checks[check.ID].Off {
		return nil, 0, 0
	}
	known := c.Tables[fleet.TableSecurityGroups].Is == fleet.Complete
	if !known {
		for _, f := range c.Docket.Of() {
			if f.Kind == fleet.FindSecurity {
				looks = append(looks, fleet.Look{Facet: f.Facet})
			}
		}
		return looks, 1, 1
	}
	for i := range c.Groups {
		g := &c.Groups[i]
		looked++
		open := openTo(g)
		if open == nil {
			continue
		}
		list := strings.Join(open, ", ")
		f := &fleet.Finding{Kind: fleet.FindSecurity, Class: fleet.ClassUnmanaged, Observed: list, Evidence: "security group " + g.Name + " of project " + g.Project,
			Severity: fleet.SeverityWarn, Confidence: fleet.ConfidenceHigh, Text: "group " + g.Name + " lets anybody reach " + list, Fix: check.Fix}
		if exposed(g.Name) {
			f.Severity = fleet.SeverityCrit
			f.Text += ", and instances with public addresses stand behind it"
		}
		if r := p.Checks[check.ID]; r.Graded {
			f.Severity = r.Severity
		}
		looks = append(looks, fleet.Look{Facet: check.ID + " " + g.ID, Known: true, Found: f})
	}
	return looks, looked, 0
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

func cloudTally(c Check, s *fleet.Snapshot) Tally {
	t := Tally{ID: c.ID, Title: c.Title, Severity: c.Severity, How: c.How, Fix: c.Fix}
	for _, x := range s.Clouds.All() {
		if x.Tables[fleet.TableSecurityGroups].Is != fleet.Complete {
			t.NotVisible++
			continue
		}
		bad := 0
		for _, f := range x.Docket.Of() {
			if strings.HasPrefix(f.Facet, c.ID+" ") {
				bad++
				t.found(&f)
			}
		}
		t.Passed += max(len(x.Groups)-bad, 0)
	}
	return t
}
