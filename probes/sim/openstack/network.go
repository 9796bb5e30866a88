package openstack

import (
	"net/http"
	"slices"
)

// network is as much of Neutron v2.0 as tells who may reach a server: security
// groups and their rules. Everything else lists as empty.
type network struct{ *Server }

func (network) open(path []string) bool { return len(path) == 0 }

func (network) negotiate(*request) *apiError { return nil }

func (network) headers(*request, http.Header) {}

func (network) fail(_ *request, e apiError) any {
	if e.status == http.StatusUnauthorized {
		return identity{}.fail(nil, e)
	}
	kind := "HTTP" + http.StatusText(e.status)
	if e.status == http.StatusNotFound {
		kind = "HTTPNotFound"
	}
	return map[string]any{"NeutronError": map[string]any{"type": kind, "message": e.message, "detail": ""}}
}

func (s network) serve(r *request) (reply, error) {
	root := s.base + "/network/" + r.call.Region + "/v2.0/"
	if len(r.path) == 0 {
		return ok(map[string]any{"versions": []any{map[string]any{"id": "v2.0", "status": "CURRENT", "links": []any{map[string]any{"rel": "self", "href": root}}}}}), nil
	}
	if r.path[0] == "v2.0" && r.Method == http.MethodDelete && len(r.path) == 3 && r.path[1] == "security-group-rules" {
		return s.removeRule(r, r.path[2])
	}
	if r.path[0] != "v2.0" || r.Method != http.MethodGet {
		return reply{}, errNotFound
	}
	if len(r.path) == 1 {
		return ok(map[string]any{"resources": []any{map[string]any{"name": "security-group", "collection": "security-groups",
			"links": []any{map[string]any{"rel": "self", "href": root + "security-groups"}}}}}), nil
	}
	switch r.path[1] {
	case "security-groups":
		return s.groups(r)
	case "security-group-rules":
		return s.rules(r)
	case "networks", "subnets", "ports", "routers", "floatingips", "extensions":
		return ok(map[string]any{r.path[1]: []any{}}), nil
	}
	return reply{}, errNotFound
}

func (s network) visible(r *request) []*SecurityGroup {
	var out []*SecurityGroup
	for i := range r.region.Rules {
		if g := &r.region.Rules[i]; r.grant.user.Admin || g.ProjectID == s.projectID(r.grant.user) {
			out = append(out, g)
		}
	}
	return out
}

// groups lists security groups, or shows one. Like Neutron it names a next page
// only where the client gave a limit.
func (s network) groups(r *request) (reply, error) {
	out := []any{}
	rows, next := s.visible(r), ""
	if r.URL.Query().Has("limit") && len(r.path) == 2 {
		var err error
		if rows, next, err = page(r, 1000, rows, func(g **SecurityGroup) string { return (*g).ID }); err != nil {
			return reply{}, err
		}
	}
	for _, g := range rows {
		m := map[string]any{"id": g.ID, "name": g.Name, "description": "", "project_id": g.ProjectID, "tenant_id": g.ProjectID,
			"stateful": true, "shared": false, "security_group_rules": ruleList(g), "tags": []string{}, "revision_number": 1}
		if len(r.path) == 3 && r.path[2] == g.ID {
			return ok(map[string]any{"security_group": m}), nil
		}
		out = append(out, m)
	}
	if len(r.path) > 2 {
		return reply{}, refuse(http.StatusNotFound, "Security group "+r.path[2]+" does not exist")
	}
	body := map[string]any{"security_groups": out}
	if next != "" {
		q := r.URL.Query()
		q.Set("marker", next)
		body["security_groups_links"] = []any{map[string]any{"rel": "next", "href": s.base + "/network/" + r.call.Region + "/v2.0/security-groups?" + q.Encode()}}
	}
	return ok(body), nil
}

// rules lists the rules of all groups, or shows one.
func (s network) rules(r *request) (reply, error) {
	out := []any{}
	for _, g := range s.visible(r) {
		list := ruleList(g)
		for i := range list {
			if len(r.path) == 3 && r.path[2] == g.Rules[i].ID {
				return ok(map[string]any{"security_group_rule": list[i]}), nil
			}
		}
		out = append(out, list...)
	}
	if len(r.path) > 2 {
		return reply{}, noRule(r.path[2])
	}
	return ok(map[string]any{"security_group_rules": out}), nil
}

func noRule(id string) *apiError {
	return refuse(http.StatusNotFound, "Security group rule "+id+" does not exist")
}

// removeRule answers 204, without a body.
func (s network) removeRule(r *request, id string) (reply, error) {
	for _, g := range s.visible(r) {
		if !slices.ContainsFunc(g.Rules, func(x Rule) bool { return x.ID == id }) {
			continue
		}
		if err := s.cfg.RemoveRule(r.call.Region, id); err != nil {
			return reply{}, err
		}
		return reply{status: http.StatusNoContent}, nil
	}
	return reply{}, noRule(id)
}

func ruleList(g *SecurityGroup) []any {
	out := []any{}
	for _, x := range g.Rules {
		m := map[string]any{"id": x.ID, "security_group_id": g.ID, "project_id": g.ProjectID, "tenant_id": g.ProjectID,
			"direction": "egress", "ethertype": "IPv4", "protocol": orNull(x.Protocol), "remote_ip_prefix": orNull(x.Remote),
			"remote_group_id": orNull(x.RemoteGroup), "port_range_min": nil, "port_range_max": nil, "description": ""}
		if x.IPv6 {
			m["ethertype"] = "IPv6"
		}
		if x.Ingress {
			m["direction"] = "ingress"
		}
		if x.PortMin != 0 || x.PortMax != 0 {
			m["port_range_min"], m["port_range_max"] = x.PortMin, x.PortMax
		}
		out = append(out, m)
	}
	return out
}
