package week

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
)

// cloud is one region of an OpenStack.
type cloud struct {
	id, region, site string
	hosts            []*server
}

func newCloud(w *World, region, site string) *cloud {
	c := &cloud{id: "stack-" + region, region: region, site: site}
	for _, s := range w.servers {
		if s.site == site && s.role.name == "hv" {
			c.hosts = append(c.hosts, s)
		}
	}
	w.byID[c.id] = c
	return c
}

func zone(host int) string { return word(host < 2*perRole, "az1", "az2") }

// groupOf is the security group in front of a service.
var groupOf = map[string]string{"match": "web", "chat": "web", "auth": "db", "store": "db", "queue": "cache"}

func instanceID(region, service string, n int) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012d", len(service)*7919+int(service[0])*104729+int(region[0]), n)
}

// read fills in what every look at a cloud shows.
func (c *cloud) read(w *World, o *fleet.Observation, m Moment) {
	o.SetTable(fleet.TableInstances, fleet.Complete)
	o.SetTable(fleet.TableHosts, fleet.Complete)
	dead, drained, churn := map[string]bool{}, map[string]bool{}, 0
	w.events(c.id, m, func(e *Event) { drained[e.Drained], churn = true, churn+e.Churn })
	for i, h := range c.hosts {
		w.events(h.id, m, func(e *Event) { dead[h.id] = dead[h.id] || e.Host == h.id })
		x := fleet.Host{ID: strconv.Itoa(i + 1), Name: h.id, Zone: zone(i), State: word(dead[h.id], "down", "up"), Status: "enabled", Type: "QEMU", RunningVMs: len(serviceNames),
			Resources: []fleet.Resource{{Class: "VCPU", Total: 128, Ratio: fleet.Int(1), Used: 4 * int64(len(serviceNames))}, {Class: "MEMORY_MB", Total: 262144, Ratio: fleet.Int(1), Used: 8192 * int64(len(serviceNames))}}}
		if drained[h.id] {
			x.Status, x.Maintenance = "disabled", "new DIMMs, back at noon"
		}
		o.Hosts = append(o.Hosts, x)
	}
	for _, service := range serviceNames {
		for n := 1; n <= len(c.hosts); n++ {
			x := fleet.Instance{ID: instanceID(c.region, service, n), Name: fmt.Sprintf("%s-%s-%02d", service, c.region, n), Cloud: c.id, Region: c.region, Zone: zone(n - 1),
				Type: "m1.large", State: fleet.StateOK, RunState: "ACTIVE", Host: c.hosts[n-1].id, PlacementGroup: service + "-spread", SecurityGroups: []string{"default", groupOf[service]},
				Addresses: []string{fmt.Sprintf("10.0.%d.%d", len(service), n)}, Image: "img-2026-10", LaunchedAt: w.Start.Add(-60 * 24 * time.Hour), Tags: map[string]string{"service": service}}
			w.events(c.id, m, func(e *Event) {
				if e.Instance == x.Name {
					x.Type, x.Image = word(e.Type != "", e.Type, x.Type), word(e.Image != "", e.Image, x.Image)
				}
			})
			o.Instances = append(o.Instances, x)
		}
	}
	hour := int(time.Duration(m).Hours())
	for k := range churn { // each lives for an hour or two
		n := hour + 1000*(k+1) - hour%(k+1)
		o.Instances = append(o.Instances, fleet.Instance{ID: instanceID(c.region, "burst", n), Name: fmt.Sprintf("burst-%s-%d", c.region, n), Cloud: c.id, Region: c.region, Zone: zone(n % 20),
			Type: "m1.small", State: fleet.StateOK, RunState: "ACTIVE", Host: c.hosts[n%20].id, SecurityGroups: []string{"default"}, Addresses: []string{"10.0.9.9"}, Image: "img-2026-10",
			LaunchedAt: w.Time(m).Truncate(time.Hour), Tags: map[string]string{"batch": "render"}})
	}
	w.events(c.id, m, func(e *Event) { lack(o, e) })
}

// groups lists the security groups.
func (c *cloud) groups(w *World, m Moment) []fleet.SecurityGroup {
	rules := map[string][]string{"default": {}, "web": {"tcp 443 0.0.0.0/0"}, "db": {"tcp 5432 10.0.0.0/8"}, "cache": {"tcp 6379 10.0.0.0/8"}}
	w.events(c.id, m, func(e *Event) {
		if e.Rule != "" {
			rules[e.Group] = append(rules[e.Group], e.Rule)
		}
		if e.Drop != "" {
			rules[e.Group] = without(rules[e.Group], func(r string) bool { return r == e.Drop })
		}
	})
	var out []fleet.SecurityGroup
	for i, name := range []string{"default", "web", "db", "cache"} {
		g := fleet.SecurityGroup{ID: fmt.Sprintf("%08d-%s", i+1, c.region), Name: name, Project: "arena", Rules: []fleet.SecurityRule{{ID: name + "-out", Direction: "egress", Family: "ipv4"}}}
		for k, text := range rules[name] {
			f := strings.Fields(text)
			port, _ := strconv.ParseInt(f[1], 10, 64)
			g.Rules = append(g.Rules, fleet.SecurityRule{ID: fmt.Sprintf("%s-%d", name, k), Direction: "ingress", Family: "ipv4", Protocol: f[0], PortMin: fleet.Int(port), PortMax: fleet.Int(port), Remote: f[2]})
		}
		out = append(out, g)
	}
	return out
}

// facts are what the account may have and sees.
func (c *cloud) facts(w *World, m Moment) fleet.Facts {
	f := fleet.Facts{}
	for k, v := range map[string]string{fleet.FactName: c.region, fleet.FactVendor: "OpenStack", fleet.FactModel: "compute 2.96", "zone.az1": "available", "zone.az2": "available"} {
		f.Set(k, v)
	}
	for _, call := range []string{"instances", "hosts", "services", "groups", "flavors", "zones", "quota", "placement", "security_groups"} {
		f.Set("sees."+call, "seen")
	}
	for _, s := range serviceNames {
		f.Set("group."+s+"-spread", "anti-affinity")
	}
	max := map[string]int64{"instances": 400, "vcpus": 2000, "memory_mb": 4_000_000}
	w.events(c.id, m, func(e *Event) {
		if e.Quota != "" {
			max[e.Quota] = e.Max
		}
	})
	for k, used := range map[string]int64{"instances": 100, "vcpus": 400, "memory_mb": 819_200} {
		f.SetNum("quota."+k+".max", fleet.Int(max[k]), false)
		f.SetNum("quota."+k+".used", fleet.Int(used), false)
	}
	return f
}
