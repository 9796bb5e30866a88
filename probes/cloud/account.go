package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"plumb/fleet"
)

// Bounds of what becomes facts.
const (
	maxGroups = 500
	maxZones  = 100
)

// group is a server group, before and since compute 2.64.
type group struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Policies []string `json:"policies"`
	Policy   string   `json:"policy"`
	Rules    struct {
		Max int `json:"max_server_per_host"`
	} `json:"rules"`
	Members []string `json:"members"`
}

// readGroups keeps which instance is in which server group, and each group's
// policy as the fact group.NAME.
func (l *look) readGroups() error {
	q := url.Values{}
	if l.memory.sees[callAllProjects] == seen {
		q.Set("all_projects", "true")
	}
	got, err := l.listGroups(q)
	if err != nil {
		return err
	}
	names := map[string]int{}
	for i := range got.rows {
		names[got.rows[i].Name]++
	}
	members, policies := map[string]string{}, fleet.Facts{}
	for i := range got.rows {
		g := &got.rows[i]
		name := fleet.Clean(g.Name, fleet.MaxText)
		if names[g.Name] > 1 { // names need not be unique; ids are
			name += " " + g.ID[:min(8, len(g.ID))]
		}
		for _, id := range g.Members {
			members[id] = name
		}
		if i < maxGroups {
			policies.Set("group."+name, g.policy())
		}
	}
	l.memory.groups, l.memory.policies = members, policies
	return nil
}

// fullPage is fewer than any cloud puts on a page of server groups: its own
// limit (max_limit, 1000 as shipped) is nowhere to be read.
const fullPage = 100

// listGroups lists server groups by offset: they have neither marker nor next
// link, and what is beyond the cloud's limit is left out without a word. A list
// that might be cut is asked to go on until a page brings nothing new.
func (l *look) listGroups(q url.Values) (listing[group], error) {
	var all listing[group]
	ids := map[string]bool{}
	for page := 1; ; page++ {
		got, err := list(l.ctx, l.OpenStack, source{l.in.compute, "os-server-groups", "server_groups"}, q, parseGroup)
		if err != nil {
			return all, err
		}
		before := len(all.rows)
		for _, g := range got.rows {
			if !ids[g.ID] && len(all.rows) < l.cfg.Limits.Rows {
				ids[g.ID] = true
				all.rows = append(all.rows, g)
			}
		}
		if len(all.rows) == before || len(got.rows) < fullPage || page >= l.cfg.Limits.Pages {
			return all, nil
		}
		q.Set("offset", strconv.Itoa(len(all.rows)))
	}
}

func (g *group) policy() string {
	p := g.Policy
	if p == "" && len(g.Policies) > 0 {
		p = g.Policies[0]
	}
	if g.Rules.Max > 0 {
		p += fmt.Sprintf(" max %d per host", g.Rules.Max)
	}
	return fleet.Clean(p, fleet.MaxText)
}

func parseGroup(raw json.RawMessage) (string, group, error) {
	var g group
	if err := json.Unmarshal(raw, &g); err != nil {
		return "", g, errors.New("server group: " + jsonReason(err))
	}
	if g.ID = fleet.Clean(g.ID, maxID); g.ID == "" {
		return "", g, errors.New("server group without an id")
	}
	return g.ID, g, nil
}

// readFlavors keeps the names of flavors; up to 2.46 a server carries only
// the id of its own.
func (l *look) readFlavors() error {
	if l.in.minor >= 47 {
		return nil // the server says it itself
	}
	type flavor struct{ ID, Name string }
	got, err := list(l.ctx, l.OpenStack, source{l.in.compute, "flavors/detail", "flavors"}, url.Values{"is_public": {"None"}},
		func(raw json.RawMessage) (string, flavor, error) {
			var f flavor
			err := json.Unmarshal(raw, &f)
			return f.ID, f, err
		})
	if err != nil {
		return err
	}
	l.memory.flavors = make(map[string]string, len(got.rows))
	for _, f := range got.rows {
		l.memory.flavors[f.ID] = fleet.Clean(f.Name, fleet.MaxText)
	}
	return nil
}

// readZones keeps whether each zone takes new servers, as zone.NAME.
func (l *look) readZones() error {
	type zone struct {
		Name  string `json:"zoneName"`
		State struct {
			Available bool `json:"available"`
		} `json:"zoneState"`
	}
	got, err := list(l.ctx, l.OpenStack, source{l.in.compute, "os-availability-zone", "availabilityZoneInfo"}, nil,
		func(raw json.RawMessage) (string, zone, error) {
			var z zone
			err := json.Unmarshal(raw, &z)
			return z.Name, z, err
		})
	if err != nil {
		return err
	}
	zones := fleet.Facts{}
	for i, z := range got.rows {
		word := "unavailable"
		if z.State.Available {
			word = "available"
		}
		if i < maxZones {
			zones.Set("zone."+fleet.Clean(z.Name, fleet.MaxText), word)
		}
	}
	l.memory.zones = zones
	return nil
}

// quotas pairs the limits of a project with what is used of them (Compute API
// reference, "Show Rate And Absolute Limits"). A limit of -1 is none.
var quotas = []struct{ fact, max, used string }{
	{"instances", "maxTotalInstances", "totalInstancesUsed"},
	{"vcpus", "maxTotalCores", "totalCoresUsed"},
	{"memory_mb", "maxTotalRAMSize", "totalRAMUsed"},
	{"server_groups", "maxServerGroups", "totalServerGroupsUsed"},
	{"floating_ips", "maxTotalFloatingIps", "totalFloatingIpsUsed"}, // up to 2.35
}

// readLimits keeps the project's quotas as quota.NAME.max and quota.NAME.used.
func (l *look) readLimits() error {
	var doc struct {
		Limits struct {
			Absolute map[string]json.Number `json:"absolute"`
		} `json:"limits"`
	}
	if err := l.get(l.ctx, l.in.compute, "limits", nil, &doc); err != nil {
		return err
	}
	quota := fleet.Facts{}
	put := func(name, key string) {
		if n, err := doc.Limits.Absolute[key].Int64(); err == nil {
			quota.SetNum(name, fleet.Int(n), false)
		}
	}
	for _, q := range quotas {
		put("quota."+q.fact+".max", q.max)
		put("quota."+q.fact+".used", q.used)
	}
	l.memory.quota = quota
	return nil
}

// fillFacts says what the region is, how well it can be seen, and what the
// slower lanes last read of it. Only a slow look that saw everything it asked
// for is complete; the others delete nothing.
func (l *look) fillFacts() {
	f := &l.obs.Facts
	f.Set(fleet.FactName, fleet.Clean(l.in.region, fleet.MaxText))
	f.Set(fleet.FactVendor, "OpenStack")
	f.Set(fleet.FactModel, fleet.Clean("compute "+l.in.newest[0], fleet.MaxText))
	f.Set("api.compute", l.in.newest[0])
	f.Set("api.compute.used", "2."+strconv.Itoa(l.in.minor))
	f.Set("api.placement", l.in.newest[1])
	f.Set("account.project", l.in.project)
	f.Set("account.user", l.in.user)
	f.SetNum("poll.requests", fleet.Int(l.cost), true)
	for what, s := range l.memory.sees {
		f.Set("sees."+string(what), string(s))
	}
	for _, s := range l.services.rows {
		if s.Binary != computeBinary {
			f.Set("service."+fleet.Clean(s.Binary+"."+s.Host, fleet.MaxText), serviceWord(&s))
		}
	}
	for _, more := range []fleet.Facts{l.memory.policies, l.memory.zones, l.memory.quota} {
		for _, x := range more {
			if x.Number {
				f.SetNum(x.Name, more.Num(x.Name), x.Volatile)
			} else {
				f.Set(x.Name, x.Value)
			}
		}
	}
	c := fleet.Partial
	if l.lane >= fleet.LaneSlow && l.obs.Err == nil {
		c = fleet.Complete
	}
	l.obs.SetTable(fleet.TableFacts, c)
}

// serviceWord is up, down or disabled.
func serviceWord(s *service) string {
	switch {
	case s.State == "down" || s.Forced:
		return "down"
	case s.Status == "disabled":
		return "disabled"
	}
	return known(s.State, "up")
}
