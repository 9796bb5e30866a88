package openstack

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// controllers run the services that are not on hypervisors.
var controllers = []string{"nova-conductor", "nova-scheduler"}

// getServices answers /os-services: nova-compute of every host, and the
// conductor and scheduler of the region.
func (s compute) getServices(r *request, rest []string) (reply, error) {
	if !r.grant.user.Admin {
		return reply{}, forbidden("os_compute_api:os-services:list")
	}
	if len(rest) > 0 {
		return reply{}, errNotFound
	}
	q := r.URL.Query()
	out := []any{}
	for _, binary := range controllers {
		row := Host{Name: strings.ToLower(r.region.Name) + "-ctl1", Zone: "internal", Up: true, SeenAt: r.now}
		out = appendService(r, out, q.Get("binary"), q.Get("host"), binary, &row)
	}
	for i := range r.region.Hosts {
		out = appendService(r, out, q.Get("binary"), q.Get("host"), "nova-compute", &r.region.Hosts[i])
	}
	return ok(map[string]any{"services": out}), nil
}

func appendService(r *request, out []any, wantBinary, wantHost, binary string, h *Host) []any {
	if wantBinary != "" && wantBinary != binary || wantHost != "" && wantHost != h.Name {
		return out
	}
	m := map[string]any{
		"id": serviceID(r, binary, h.Name), "binary": binary, "host": h.Name, "zone": h.Zone,
		"status": enabled(h), "state": upDown(h.Up), "updated_at": stampMicro(h.SeenAt), "disabled_reason": orNull(h.DisabledReason),
	}
	if r.minor >= 11 {
		m["forced_down"] = false
	}
	return append(out, m)
}

// serviceID is a uuid since 2.53 and a number before.
func serviceID(r *request, binary, host string) any {
	if r.minor >= 53 {
		return derivedUUID("service", r.region.Name, binary, host)
	}
	if i := slices.IndexFunc(r.region.Hosts, func(h Host) bool { return h.Name == host }); i >= 0 {
		return i + 10
	}
	return 1 + slices.Index(controllers, binary)
}

// getZones answers /os-availability-zone and, for admins, /detail with the
// hosts of each zone.
func (s compute) getZones(r *request, rest []string) (reply, error) {
	detail := len(rest) == 1 && rest[0] == "detail"
	if len(rest) > 0 && !detail {
		return reply{}, errNotFound
	}
	if detail && !r.grant.user.Admin {
		return reply{}, forbidden("os_compute_api:os-availability-zone:detail")
	}
	hosts := map[string]map[string]any{}
	usable := map[string]bool{}
	for i := range r.region.Hosts {
		h := &r.region.Hosts[i]
		if hosts[h.Zone] == nil {
			hosts[h.Zone] = map[string]any{}
		}
		hosts[h.Zone][h.Name] = map[string]any{"nova-compute": zoneService(h.Up, !h.Disabled, h.SeenAt)}
		usable[h.Zone] = usable[h.Zone] || !h.Disabled
	}
	names := make([]string, 0, len(hosts))
	for z := range hosts {
		names = append(names, z)
	}
	slices.Sort(names)
	out := []any{}
	if detail {
		ctl := map[string]any{}
		for _, b := range controllers {
			ctl[b] = zoneService(true, true, r.now)
		}
		out = append(out, map[string]any{"zoneName": "internal", "zoneState": map[string]any{"available": true},
			"hosts": map[string]any{strings.ToLower(r.region.Name) + "-ctl1": ctl}})
	}
	for _, z := range names {
		m := map[string]any{"zoneName": z, "zoneState": map[string]any{"available": usable[z]}, "hosts": nil}
		if detail {
			m["hosts"] = hosts[z]
		}
		out = append(out, m)
	}
	return ok(map[string]any{"availabilityZoneInfo": out}), nil
}

func zoneService(available, active bool, seen time.Time) any {
	return map[string]any{"available": available, "active": active, "updated_at": stampMicro(seen)}
}

// getGroups answers /os-server-groups: policies and metadata up to 2.63, one
// policy with rules since 2.64.
func (s compute) getGroups(r *request, rest []string) (reply, error) {
	admin := r.grant.user.Admin
	all := admin && truth(r.URL.Query(), "all_projects")
	own := s.projectID(r.grant.user)
	out := []any{}
	for i := range r.region.Groups {
		g := &r.region.Groups[i]
		if len(rest) == 1 {
			if g.ID == rest[0] && (admin || g.ProjectID == own) {
				return ok(map[string]any{"server_group": s.group(r, g)}), nil
			}
		} else if all || g.ProjectID == own {
			out = append(out, s.group(r, g))
		}
	}
	if len(rest) > 0 {
		return reply{}, refuse(http.StatusNotFound, "Instance group "+rest[0]+" could not be found.")
	}
	return ok(map[string]any{"server_groups": offset(r, out)}), nil
}

// offset cuts a list that has no markers: Nova's limit of 1000 holds, and
// nothing in the answer says that there is more.
func offset(r *request, rows []any) []any {
	number := func(key string, none int) int {
		if n, err := strconv.Atoi(r.URL.Query().Get(key)); err == nil && n >= 0 {
			return n
		}
		return none
	}
	rows = rows[min(number("offset", 0), len(rows)):]
	return rows[:min(number("limit", 1000), 1000, len(rows))]
}

func (s compute) group(r *request, g *Group) any {
	m := map[string]any{"id": g.ID, "name": g.Name, "members": append([]string{}, g.Members...)}
	if r.minor >= 13 {
		m["project_id"], m["user_id"] = g.ProjectID, derivedID("user", g.ProjectID)
	}
	if r.minor < 64 {
		m["policies"], m["metadata"] = []string{g.Policy}, map[string]any{}
		return m
	}
	rules := map[string]any{}
	if g.MaxPerHost > 0 {
		rules["max_server_per_host"] = g.MaxPerHost
	}
	m["policy"], m["rules"] = g.Policy, rules
	return m
}

// getFlavors answers /flavors, /flavors/detail and one by id.
func (s compute) getFlavors(r *request, rest []string) (reply, error) {
	if len(rest) > 0 && rest[0] != "detail" {
		f := r.region.flavor(rest[0])
		switch {
		case f == nil || f.ID != rest[0]:
			return reply{}, refuse(http.StatusNotFound, "Flavor "+rest[0]+" could not be found.")
		case len(rest) == 2 && rest[1] == "os-extra_specs":
			return ok(map[string]any{"extra_specs": nonNil(f.ExtraSpecs)}), nil
		case len(rest) > 1:
			return reply{}, errNotFound
		}
		return ok(map[string]any{"flavor": s.flavor(r, f, true)}), nil
	}
	rows, next, err := page(r, 1000, r.region.Flavors, func(f *Flavor) string { return f.ID })
	if err != nil {
		return reply{}, err
	}
	out := make([]any, len(rows))
	for i := range rows {
		out[i] = s.flavor(r, &rows[i], len(rest) == 1)
	}
	body := map[string]any{"flavors": out}
	if next != "" {
		body["flavors_links"] = s.nextLink(r, "/"+strings.Join(r.path[1:], "/"), next)
	}
	return ok(body), nil
}

func (s compute) flavor(r *request, f *Flavor, detail bool) any {
	m := map[string]any{"id": f.ID, "name": f.Name, "links": s.link(r, "/flavors/"+f.ID)}
	if r.minor >= 55 {
		m["description"] = nil
	}
	if !detail {
		return m
	}
	m["vcpus"], m["ram"], m["disk"] = f.VCPUs, f.MemoryMB, f.Disk
	m["OS-FLV-EXT-DATA:ephemeral"], m["OS-FLV-DISABLED:disabled"], m["os-flavor-access:is_public"], m["rxtx_factor"] = 0, false, true, 1.0
	m["swap"] = any("")
	if r.minor >= 75 {
		m["swap"] = 0
	}
	if r.minor >= 61 {
		m["extra_specs"] = nonNil(f.ExtraSpecs)
	}
	return m
}

// getLimits answers /limits for the caller's project, or for tenant_id where
// an admin asks.
func (s compute) getLimits(r *request) (reply, error) {
	project := s.projectID(r.grant.user)
	if t := r.URL.Query().Get("tenant_id"); t != "" && t != project {
		if !r.grant.user.Admin {
			return reply{}, forbidden("os_compute_api:limits:other_project")
		}
		project = t
	}
	q := r.region.Quota.withDefaults()
	var instances, cores, mem int64
	for i := range r.region.Servers {
		v := &r.region.Servers[i]
		if f := r.region.flavor(v.Flavor); v.ProjectID == project && f != nil && v.Status != "DELETED" {
			instances, cores, mem = instances+1, cores+f.VCPUs, mem+f.MemoryMB
		}
	}
	groups := 0
	for i := range r.region.Groups {
		if r.region.Groups[i].ProjectID == project {
			groups++
		}
	}
	m := map[string]any{
		"maxTotalInstances": q.Instances, "totalInstancesUsed": instances, "maxTotalCores": q.Cores, "totalCoresUsed": cores,
		"maxTotalRAMSize": q.MemoryMB, "totalRAMUsed": mem, "maxServerGroups": q.ServerGroups, "totalServerGroupsUsed": groups,
		"maxServerGroupMembers": 10, "maxServerMeta": 128, "maxTotalKeypairs": 100,
	}
	if r.minor < 36 {
		m["maxSecurityGroups"], m["totalSecurityGroupsUsed"], m["maxSecurityGroupRules"], m["maxTotalFloatingIps"], m["totalFloatingIpsUsed"] = 10, 1, 20, 10, 0
	}
	if r.minor < 39 {
		m["maxImageMeta"] = 128
	}
	if r.minor < 57 {
		m["maxPersonality"], m["maxPersonalitySize"] = 5, 10240
	}
	return ok(map[string]any{"limits": map[string]any{"rate": []any{}, "absolute": m}}), nil
}
