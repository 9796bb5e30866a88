package openstack

import (
	"fmt"
	"net/http"
	"strconv"
)

// placement is the Placement API 1.0 to 1.39: one resource provider a host.
type placement struct{ *Server }

func (placement) open(path []string) bool { return len(path) == 0 }

func (placement) negotiate(r *request) *apiError {
	v, found := microversion(r.Header, "placement")
	switch {
	case !found:
		return nil // 1.0
	case v == "latest":
		r.minor = placementMax
		return nil
	}
	minor, major1, valid := minorOf(v, 1)
	if !valid {
		return refuse(http.StatusBadRequest, "Invalid version string: "+v)
	}
	if !major1 || minor > placementMax {
		return refuse(http.StatusNotAcceptable, fmt.Sprintf("Unacceptable version header: %s", v))
	}
	r.minor = minor
	return nil
}

func (placement) headers(r *request, h http.Header) {
	h.Set("Openstack-Api-Version", "placement 1."+strconv.Itoa(r.minor))
	h.Add("Vary", "openstack-api-version")
}

func (placement) fail(r *request, e apiError) any {
	if e.status == http.StatusUnauthorized {
		return identity{}.fail(nil, e)
	}
	return map[string]any{"errors": []any{map[string]any{
		"status": e.status, "title": http.StatusText(e.status), "detail": e.message, "request_id": r.id,
	}}}
}

func (s placement) serve(r *request) (reply, error) {
	if len(r.path) == 0 {
		return ok(map[string]any{"versions": []any{map[string]any{
			"id": "v1.0", "status": "CURRENT", "min_version": "1.0", "max_version": "1." + strconv.Itoa(placementMax),
			"links": []any{map[string]any{"rel": "self", "href": ""}},
		}}}), nil
	}
	if r.Method != http.MethodGet {
		return reply{}, refuse(http.StatusMethodNotAllowed, "The method specified is not allowed for this resource.")
	}
	if !r.grant.user.Admin {
		return reply{}, refuse(http.StatusForbidden, "Policy does not allow placement:resource_providers:list to be performed.")
	}
	switch r.path[0] {
	case "resource_providers":
		return s.providers(r)
	case "traits":
		if r.minor >= 6 {
			return ok(map[string]any{"traits": hostTraits}), nil
		}
	case "resource_classes":
		return s.classes()
	}
	return reply{}, errNotFound
}

var hostTraits = []string{"COMPUTE_NODE", "COMPUTE_STATUS_DISABLED", "HW_CPU_X86_AVX2"}

func (s placement) classes() (reply, error) {
	var out []any
	for _, c := range []string{"VCPU", "MEMORY_MB", "DISK_GB"} {
		out = append(out, map[string]any{"name": c, "links": []any{map[string]any{"rel": "self", "href": "/resource_classes/" + c}}})
	}
	return ok(map[string]any{"resource_classes": out}), nil
}

func (s placement) providers(r *request) (reply, error) {
	if len(r.path) == 1 {
		q := r.URL.Query()
		out := []any{}
		for i := range r.region.Hosts {
			h := &r.region.Hosts[i]
			if n := q.Get("name"); n != "" && n != h.Name {
				continue
			}
			if u := q.Get("uuid"); u != "" && u != h.ID {
				continue
			}
			out = append(out, s.provider(r, h))
		}
		return ok(map[string]any{"resource_providers": out}), nil
	}
	h := r.region.host(func(h *Host) bool { return h.ID == r.path[1] })
	if h == nil {
		return reply{}, refuse(http.StatusNotFound, "No resource provider with uuid "+r.path[1]+" found")
	}
	if len(r.path) == 2 {
		return ok(s.provider(r, h)), nil
	}
	switch r.path[2] {
	case "inventories":
		return s.inventories(r, h)
	case "usages":
		used := r.region.usage(h.Name)
		usages := map[string]int64{}
		for _, inv := range h.Inventory {
			usages[inv.Class] = used[inv.Class]
		}
		return ok(map[string]any{"resource_provider_generation": generation(r.region, h), "usages": usages}), nil
	case "traits":
		traits := []string{"COMPUTE_NODE", "HW_CPU_X86_AVX2"}
		if h.Disabled {
			traits = append(traits, "COMPUTE_STATUS_DISABLED")
		}
		return ok(map[string]any{"resource_provider_generation": generation(r.region, h), "traits": traits}), nil
	case "aggregates":
		body := map[string]any{"aggregates": []string{derivedUUID("aggregate", r.region.Name, h.Zone)}}
		if r.minor >= 19 {
			body["resource_provider_generation"] = generation(r.region, h)
		}
		return ok(body), nil
	case "allocations":
		return s.allocations(r, h)
	}
	return reply{}, errNotFound
}

func (s placement) provider(r *request, h *Host) map[string]any {
	m := map[string]any{"uuid": h.ID, "name": h.Name, "generation": generation(r.region, h)}
	rels := []string{"", "inventories", "usages", "aggregates", "traits", "allocations"}
	var links []any
	for _, rel := range rels {
		switch {
		case rel == "aggregates" && r.minor < 1, rel == "traits" && r.minor < 6, rel == "allocations" && r.minor < 11:
			continue
		case rel == "":
			links = append(links, map[string]any{"rel": "self", "href": "/resource_providers/" + h.ID})
			continue
		}
		links = append(links, map[string]any{"rel": rel, "href": "/resource_providers/" + h.ID + "/" + rel})
	}
	m["links"] = links
	if r.minor >= 14 {
		m["parent_provider_uuid"], m["root_provider_uuid"] = nil, h.ID
	}
	return m
}

// generation grows with what a provider's inventory and allocations say; here
// it is drawn from them, so that it differs exactly when they do.
func generation(reg *Region, h *Host) int64 {
	g := int64(1)
	for _, inv := range h.Inventory {
		g = (g*31 + inv.Total + 7*inv.Reserved + int64(inv.Ratio*100)) & 0xffffff
	}
	used := reg.usage(h.Name)
	return (g*31 + used["VCPU"]*5 + used["MEMORY_MB"]*3 + used["DISK_GB"]) & 0xffffff
}

func (s placement) inventories(r *request, h *Host) (reply, error) {
	all := map[string]any{}
	for _, inv := range h.Inventory {
		all[inv.Class] = map[string]any{
			"total": inv.Total, "reserved": inv.Reserved, "allocation_ratio": inv.Ratio,
			"min_unit": 1, "max_unit": inv.Total, "step_size": 1,
		}
	}
	if len(r.path) == 4 {
		one, found := all[r.path[3]].(map[string]any)
		if !found {
			return reply{}, refuse(http.StatusNotFound, "No inventory of class "+r.path[3]+" found")
		}
		one["resource_provider_generation"] = generation(r.region, h)
		return ok(one), nil
	}
	return ok(map[string]any{"resource_provider_generation": generation(r.region, h), "inventories": all}), nil
}

func (s placement) allocations(r *request, h *Host) (reply, error) {
	all := map[string]any{}
	for i := range r.region.Servers {
		v := &r.region.Servers[i]
		if f := r.region.flavor(v.Flavor); v.Host == h.Name && f != nil && v.holdsResources() {
			all[v.ID] = map[string]any{"resources": map[string]int64{"VCPU": f.VCPUs, "MEMORY_MB": f.MemoryMB, "DISK_GB": f.Disk}}
		}
	}
	return ok(map[string]any{"resource_provider_generation": generation(r.region, h), "allocations": all}), nil
}
