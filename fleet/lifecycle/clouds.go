package lifecycle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/capacity"
)

// clouds looks at each cloud.
func (v *survey) clouds() {
	groups, quotas := v.groups(), map[string][]capacity.Row{}
	for _, r := range capacity.Quotas(v.s) {
		quotas[r.ID] = append(quotas[r.ID], r)
	}
	for n := range v.s.Clouds.Len() {
		c := v.s.Clouds.At(n)
		t := Target{ID: c.Spec.Name}
		t.Looks = append(t.Looks, v.affinities(c, groups[c.Spec.Name])...)
		t.Looks = append(t.Looks, v.quotas(c, quotas[c.Spec.Name])...)
		t.Looks = append(t.Looks, v.visibility(c)...)
		v.targets = append(v.targets, t)
	}
}

// serverGroup is the running members of a server group by host.
type serverGroup struct {
	hosts   map[string]int
	members int // of which the host is seen
	hidden  int
}

// groups gathers the server groups by cloud and name.
func (v *survey) groups() map[string]map[string]*serverGroup {
	out := map[string]map[string]*serverGroup{}
	for i := range v.s.Instances.Len() {
		x := v.s.Instances.At(i)
		if x.PlacementGroup == "" || x.State == fleet.StateOff {
			continue
		}
		if out[x.Cloud] == nil {
			out[x.Cloud] = map[string]*serverGroup{}
		}
		g := out[x.Cloud][x.PlacementGroup]
		if g == nil {
			g = &serverGroup{hosts: map[string]int{}}
			out[x.Cloud][x.PlacementGroup] = g
		}
		if x.Host == "" {
			g.hidden++
			continue
		}
		g.members++
		g.hosts[x.Host]++
	}
	return out
}

// fullest is the host with the most members, the first by name among equals.
func (g *serverGroup) fullest() (host string, n int) {
	for h, k := range g.hosts {
		if k > n || k == n && h < host {
			host, n = h, k
		}
	}
	return host, n
}

// A soft policy may be broken for want of room, so it counts for itself only
// where one host carries a good part of the group.
const heavyShare = 0.20

// affinities holds the members of server groups against their policy. A group
// with more members than there are hosts cannot have one on each: it is held
// against the best that could be.
func (v *survey) affinities(c *fleet.Cloud, groups map[string]*serverGroup) (looks []fleet.Look) {
	hosts := 0
	for n := range v.s.Hosts.Len() {
		if h := v.s.Hosts.At(n); h.Cloud == c.Spec.Name && h.State == fleet.StateOK {
			hosts++
		}
	}
	known := c.Tables[fleet.TableInstances].Is == fleet.Complete && c.State == fleet.StateOK && hosts > 0
	var light []string
	for _, fact := range c.Facts {
		name, is := strings.CutPrefix(fact.Name, "group.")
		policy, most, anti := policyOf(fact.Value)
		if !is || !anti {
			continue
		}
		facet := AntiAffinity + " " + name
		g := groups[name]
		if !known || g != nil && g.hidden > 0 {
			v.blind(AntiAffinity, 1)
			looks = append(looks, fleet.Look{Facet: facet})
			continue
		}
		if g == nil {
			v.pass(AntiAffinity, 1)
			continue
		}
		soft := strings.HasPrefix(policy, "soft")
		if soft {
			most = max(most, (g.members+hosts-1)/hosts)
		}
		host, n := g.fullest()
		switch {
		case n <= most:
			v.pass(AntiAffinity, 1)
		case soft && float64(n) < heavyShare*float64(g.members):
			light = append(light, fmt.Sprintf("%s (%d on %s)", name, n, host))
		default:
			looks = append(looks, fleet.Look{Facet: facet, Known: true, Found: clumped(name, policy, host, n, g, hosts)})
		}
	}
	return append(looks, v.uneven(light, known))
}

// clumped is the finding of a group with too many members on one host.
func clumped(name, policy, host string, n int, g *serverGroup, hosts int) *fleet.Finding {
	f := finding(AntiAffinity, fmt.Sprintf("%d on %s", n, host), fmt.Sprintf("%d of the %d members of %s share host %s although the group asks for %s", n, g.members, name, host, policy))
	f.Class = fleet.ClassMoved
	if strings.HasPrefix(policy, "soft") {
		f.Severity = fleet.SeverityWarn
	}
	f.Evidence = fmt.Sprintf("server group %s, hosts of its members as the cloud tells them: %d of %d hosts are used", name, len(g.hosts), hosts)
	f.Fix = fmt.Sprintf("move %s away: with that host %d of %d are lost", fleet.Count(n-1, "member"), n, g.members)
	return f
}

// uneven is one look for all groups that are a little less spread than they
// could be.
func (v *survey) uneven(light []string, known bool) fleet.Look {
	look := fleet.Look{Facet: AntiAffinity, Known: known}
	if !known || len(light) == 0 {
		return look
	}
	slices.Sort(light)
	f := finding(AntiAffinity, fleet.Count(len(light), "group"), fleet.Count(len(light), "group")+" with a soft policy less spread than there are hosts for: "+strings.Join(light[:min(len(light), namesShown)], ", ")+more(len(light)-namesShown))
	f.Class, f.Severity, f.Confidence = fleet.ClassMoved, fleet.SeverityInfo, fleet.ConfidenceMedium // there may have been no room
	f.Fix = "spread them at the next occasion: fewer replicas are lost with a host"
	look.Found = f
	return look
}

// policyOf reads a group's policy as the cloud's probe writes it: the policy,
// and how many it allows on a host.
func policyOf(text string) (policy string, most int, anti bool) {
	policy, rule, _ := strings.Cut(text, " ")
	most = 1
	if f := strings.Fields(rule); len(f) > 1 && f[0] == "max" {
		if n, err := strconv.Atoi(f[1]); err == nil && n > 0 {
			most = n
		}
	}
	return policy, most, strings.Contains(policy, "anti-affinity")
}

// quotas speaks of quotas that do not allow the fullest zone to be made anew.
func (v *survey) quotas(c *fleet.Cloud, rows []capacity.Row) (looks []fleet.Look) {
	if len(rows) == 0 {
		v.blind(ZoneQuota, 1)
	}
	for i := range rows {
		r := &rows[i]
		if !r.Over {
			v.pass(ZoneQuota, 1)
			continue
		}
		f := finding(ZoneQuota, r.Class+" quota", r.Class+" quota of "+c.Spec.Name+" is not enough after the loss of a zone")
		f.Evidence = r.Worst
		looks = append(looks, fleet.Look{Facet: ZoneQuota + " " + r.Class, Known: true, Found: f})
	}
	return looks
}

// visibility speaks of what a cloud showed once and does not any more. While
// the cloud as a whole is silent that is said of the cloud.
func (v *survey) visibility(c *fleet.Cloud) (looks []fleet.Look) {
	silent := !c.BlindSince.IsZero() || c.State == fleet.StateUnknown
	for _, fact := range c.Facts {
		name, ok := strings.CutPrefix(fact.Name, "sees.")
		switch {
		case !ok:
		case silent:
			v.blind(Visibility, 1)
			looks = append(looks, fleet.Look{Facet: Visibility + " " + name})
		case fact.Value == "stale":
			f := finding(Visibility, "lost", strings.ReplaceAll(name, "_", " ")+" of "+c.Spec.Name+" could be seen before and cannot now: what is shown of it is old")
			f.Class = fleet.ClassUnknown
			looks = append(looks, fleet.Look{Facet: Visibility + " " + name, Known: true, Found: f})
		case fact.Value == "seen":
			v.pass(Visibility, 1)
		default:
			v.blind(Visibility, 1)
		}
	}
	return looks
}
