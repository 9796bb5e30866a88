package openstack

import (
	"net/http"
	"time"
)

// identity is Keystone v3: versions, tokens, catalog.
type identity struct{ *Server }

func (identity) open(path []string) bool {
	return len(path) < 2 || path[0] == "v3" && path[1] == "auth" // auth checks its own tokens
}

func (identity) negotiate(*request) *apiError { return nil }

func (identity) headers(r *request, h http.Header) { h.Set("Vary", "X-Auth-Token") }

func (identity) fail(_ *request, e apiError) any {
	return map[string]any{"error": map[string]any{
		"code": e.status, "title": http.StatusText(e.status), "message": e.message,
	}}
}

func (s identity) serve(r *request) (reply, error) {
	if len(r.path) == 0 {
		rep := ok(map[string]any{"versions": map[string]any{"values": []any{s.version()}}})
		rep.status = http.StatusMultipleChoices
		return rep, nil
	}
	if r.path[0] != "v3" {
		return reply{}, errNotFound
	}
	switch r.Method + " " + r.call.Path {
	case "GET /v3":
		return ok(map[string]any{"version": s.version()}), nil
	case "POST /v3/auth/tokens":
		return s.login(r)
	case "GET /v3/auth/tokens", "HEAD /v3/auth/tokens", "DELETE /v3/auth/tokens":
		return s.inspect(r)
	case "GET /v3/auth/catalog", "GET /v3/auth/projects":
		g, valid := s.tokens.check(r.Header.Get("X-Auth-Token"), r.now)
		if !valid {
			return reply{}, errUnauthorized
		}
		r.grant = g
		if r.path[2] == "catalog" {
			return ok(map[string]any{"catalog": s.catalog(), "links": s.links("auth/catalog")}), nil
		}
		return ok(map[string]any{"projects": []any{s.project(g.user)}, "links": s.links("auth/projects")}), nil
	case "GET /v3/regions":
		return ok(map[string]any{"regions": s.regions(), "links": s.links("regions")}), nil
	case "GET /v3/projects":
		return ok(map[string]any{"projects": s.projects(r.grant.user), "links": s.links("projects")}), nil
	case "GET /v3/services":
		return ok(map[string]any{"services": s.services(), "links": s.links("services")}), nil
	}
	if len(r.path) == 3 && r.path[1] == "projects" && r.Method == http.MethodGet {
		return s.oneProject(r)
	}
	return reply{}, errNotFound
}

var errUnauthorized = refuse(http.StatusUnauthorized, "The request you have made requires authentication.")

func (s identity) version() any {
	return map[string]any{
		"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
		"links":       []any{map[string]any{"rel": "self", "href": s.base + "/v3/"}},
		"media-types": []any{map[string]any{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}},
	}
}

func (s identity) links(path string) any {
	return map[string]any{"self": s.base + "/v3/" + path, "previous": nil, "next": nil}
}

// inspect validates or revokes the token in X-Subject-Token.
func (s identity) inspect(r *request) (reply, error) {
	if _, valid := s.tokens.check(r.Header.Get("X-Auth-Token"), r.now); !valid {
		return reply{}, errUnauthorized
	}
	subject := r.Header.Get("X-Subject-Token")
	g, valid := s.tokens.check(subject, r.now)
	if !valid {
		return reply{}, refuse(http.StatusNotFound, "Failed to validate token")
	}
	if r.Method == http.MethodDelete {
		s.tokens.revoke(subject)
		return reply{status: http.StatusNoContent}, nil
	}
	rep := ok(map[string]any{"token": s.token(g)})
	rep.header = map[string]string{"X-Subject-Token": subject}
	if r.Method == http.MethodHead {
		rep.body = nil
	}
	return rep, nil
}

// token is the body that describes a token.
func (s identity) token(g grant) any {
	role := "member"
	if g.user.Admin {
		role = "admin"
	}
	return map[string]any{
		"methods":    g.methods,
		"user":       map[string]any{"id": s.userID(g.user), "name": g.user.Name, "domain": domainDefault, "password_expires_at": nil},
		"audit_ids":  []string{derivedID("audit", g.issued.String())[:22]},
		"expires_at": g.expires.Format(timeMicro),
		"issued_at":  g.issued.Format(timeMicro),
		"project":    map[string]any{"id": s.projectID(g.user), "name": g.user.Project, "domain": domainDefault},
		"is_domain":  false,
		"roles":      []any{map[string]any{"id": derivedID("role", role), "name": role}},
		"catalog":    s.catalog(),
	}
}

const timeMicro = "2006-01-02T15:04:05.000000Z"

var domainDefault = map[string]any{"id": "default", "name": "Default"}

func (s *Server) userID(u *User) string { return derivedID("user", u.Name) }

func (s *Server) projectID(u *User) string {
	if u.ProjectID != "" {
		return u.ProjectID
	}
	return ProjectID(u.Project)
}

// ProjectID returns the id of a project whose users give none: what a world
// puts into Instance.ProjectID.
func ProjectID(name string) string { return derivedID("project", name) }

// catalog lists each service's endpoints in each region, public, internal and
// admin alike.
func (s identity) catalog() []any {
	var out []any
	for _, svc := range s.catalogServices() {
		endpoints := []any{}
		for _, region := range svc.regions {
			url := s.base + svc.path(region)
			for _, iface := range []string{"public", "internal", "admin"} {
				endpoints = append(endpoints, map[string]any{
					"id": derivedID("endpoint", svc.kind, region, iface), "interface": iface,
					"region": region, "region_id": region, "url": url,
				})
			}
		}
		out = append(out, map[string]any{"id": derivedID("service", svc.kind), "type": svc.kind, "name": svc.name, "endpoints": endpoints})
	}
	return out
}

type catalogService struct {
	kind, name string
	regions    []string
	path       func(region string) string
}

func (s identity) catalogServices() []catalogService {
	at := func(prefix, suffix string) func(string) string {
		return func(region string) string { return prefix + region + suffix }
	}
	return []catalogService{
		{"identity", "keystone", s.cfg.Regions, func(string) string { return "/v3/" }},
		{"compute", "nova", s.cfg.Regions, at("/compute/", "/v2.1")},
		{"placement", "placement", s.cfg.Regions, at("/placement/", "")},
		{"network", "neutron", s.cfg.Regions, at("/network/", "")},
		{"image", "glance", s.cfg.Regions, at("/image/", "")},
	}
}

func (s identity) services() []any {
	var out []any
	for _, svc := range s.catalogServices() {
		out = append(out, map[string]any{"id": derivedID("service", svc.kind), "type": svc.kind, "name": svc.name, "enabled": true})
	}
	return out
}

func (s identity) regions() []any {
	var out []any
	for _, name := range s.cfg.Regions {
		out = append(out, map[string]any{"id": name, "description": "", "parent_region_id": nil})
	}
	return out
}

func (s identity) project(u *User) map[string]any {
	return map[string]any{"id": s.projectID(u), "name": u.Project, "domain_id": "default", "enabled": true,
		"is_domain": false, "parent_id": "default", "description": "", "tags": []string{}, "options": map[string]any{}}
}

// projects lists every project for an admin, else the own one.
func (s identity) projects(u *User) []any {
	out := []any{s.project(u)}
	seen := map[string]bool{s.projectID(u): true}
	for i := range s.cfg.Users {
		o := &s.cfg.Users[i]
		if id := s.projectID(o); u.Admin && !seen[id] {
			seen[id] = true
			out = append(out, s.project(o))
		}
	}
	return out
}

func (s identity) oneProject(r *request) (reply, error) {
	for _, p := range s.projects(r.grant.user) {
		if m := p.(map[string]any); m["id"] == r.path[2] || m["name"] == r.path[2] {
			return ok(map[string]any{"project": m}), nil
		}
	}
	return reply{}, refuse(http.StatusNotFound, "Could not find project: "+r.path[2]+".")
}

// stamp prints a time as Nova does in created and updated.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// stampMicro prints a time as Nova does in launched_at and updated_at.
func stampMicro(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000")
}
