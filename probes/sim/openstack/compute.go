package openstack

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// compute is Nova 2.1 to 2.96, what a monitor and an operator's hands need.
type compute struct{ *Server }

func (compute) open(path []string) bool { return len(path) <= 1 } // version documents

// negotiate follows the Compute API guide, "Microversions": none asked is 2.1,
// "latest" is the newest, an unknown one is 406, what is no version is 400.
func (compute) negotiate(r *request) *apiError {
	v, found := microversion(r.Header, "compute")
	if !found {
		v = r.Header.Get("X-Openstack-Nova-Api-Version")
	}
	switch v {
	case "":
		r.minor = computeMin
		return nil
	case "latest":
		r.minor = computeMax
		return nil
	}
	minor, major2, valid := minorOf(v, 2)
	if !valid {
		return refuse(http.StatusBadRequest, fmt.Sprintf("API Version String %s is of invalid format. Must be of format MajorNum.MinorNum.", v))
	}
	if !major2 || minor < computeMin || minor > computeMax {
		return refuse(http.StatusNotAcceptable, fmt.Sprintf("Version %s is not supported by the API. Minimum is 2.%d and maximum is 2.%d.", v, computeMin, computeMax))
	}
	r.minor = minor
	return nil
}

func (compute) headers(r *request, h http.Header) {
	h.Set("X-Compute-Request-Id", r.id)
	if r.minor > 0 {
		v := "2." + strconv.Itoa(r.minor)
		h.Set("Openstack-Api-Version", "compute "+v)
		h.Set("X-Openstack-Nova-Api-Version", v)
		h.Add("Vary", "OpenStack-API-Version")
		h.Add("Vary", "X-OpenStack-Nova-API-Version")
	}
}

// faultNames are Nova's words for statuses (nova/api/openstack/wsgi.py).
var faultNames = map[int]string{
	400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
	409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented", 503: "serviceUnavailable",
}

func (compute) fail(_ *request, e apiError) any {
	if e.status == http.StatusUnauthorized { // said by keystonemiddleware before Nova is reached
		return identity{}.fail(nil, e)
	}
	name := faultNames[e.status]
	if name == "" {
		name = "computeFault"
	}
	return map[string]any{name: map[string]any{"code": e.status, "message": e.message}}
}

func (s compute) serve(r *request) (reply, error) {
	if len(r.path) == 0 {
		return ok(map[string]any{"versions": []any{s.version(r)}}), nil
	}
	if r.path[0] != "v2.1" {
		return reply{}, errNotFound
	}
	if len(r.path) == 1 {
		return ok(map[string]any{"version": s.version(r)}), nil
	}
	rest := r.path[2:]
	if r.Method == http.MethodPost && r.path[1] == "servers" && len(rest) == 2 && rest[1] == "action" {
		return s.action(r, rest[0])
	}
	if r.Method == http.MethodPut && r.path[1] == "os-services" && len(rest) == 1 {
		return s.putService(r, rest[0])
	}
	if r.Method != http.MethodGet {
		return reply{}, refuse(http.StatusMethodNotAllowed, "The method specified is not allowed for this resource.")
	}
	switch r.path[1] {
	case "servers":
		return s.getServers(r, rest)
	case "flavors":
		return s.getFlavors(r, rest)
	case "os-hypervisors":
		return s.getHypervisors(r, rest)
	case "os-services":
		return s.getServices(r, rest)
	case "os-availability-zone":
		return s.getZones(r, rest)
	case "os-server-groups":
		return s.getGroups(r, rest)
	case "os-aggregates":
		return s.asAdmin(r, "os_compute_api:os-aggregates:index", map[string]any{"aggregates": []any{}})
	case "limits":
		return s.getLimits(r)
	}
	return reply{}, errNotFound
}

func (s compute) version(r *request) any {
	return map[string]any{
		"id": "v2.1", "status": "CURRENT", "version": "2." + strconv.Itoa(computeMax), "min_version": "2." + strconv.Itoa(computeMin),
		"updated":     "2013-07-23T11:33:21Z",
		"links":       []any{map[string]any{"rel": "self", "href": s.root(r) + "/"}},
		"media-types": []any{map[string]any{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}},
	}
}

func (s compute) root(r *request) string { return s.base + "/compute/" + r.call.Region + "/v2.1" }

// link makes the self and bookmark links that Nova puts on everything.
func (s compute) link(r *request, path string) []any {
	return []any{
		map[string]any{"rel": "self", "href": s.root(r) + path},
		map[string]any{"rel": "bookmark", "href": s.base + "/compute/" + r.call.Region + path},
	}
}

func forbidden(policy string) *apiError {
	return refuse(http.StatusForbidden, "Policy doesn't allow "+policy+" to be performed.")
}

func (s compute) asAdmin(r *request, policy string, body any) (reply, error) {
	if !r.grant.user.Admin {
		return reply{}, forbidden(policy)
	}
	return ok(body), nil
}

// page cuts rows to the page that limit and marker ask for, and says which
// marker the next page begins after.
func page[T any](r *request, most int, rows []T, id func(*T) string) (part []T, next string, err error) {
	q := r.URL.Query()
	limit := most
	if l := q.Get("limit"); l != "" {
		n, bad := strconv.Atoi(l)
		if bad != nil || n < 0 {
			return nil, "", refuse(http.StatusBadRequest, fmt.Sprintf("Invalid input for query parameters limit. Value: %s. '%s' does not match '^[0-9]*$'", l, l))
		}
		if n > 0 {
			limit = min(n, most)
		}
	}
	if m := q.Get("marker"); m != "" {
		i := slices.IndexFunc(rows, func(t T) bool { return id(&t) == m })
		if i < 0 {
			return nil, "", refuse(http.StatusBadRequest, "marker ["+m+"] not found")
		}
		rows = rows[i+1:]
	}
	if len(rows) > limit {
		return rows[:limit], id(&rows[limit-1]), nil
	}
	return rows, "", nil
}

// nextLink is the "next" entry of a list's links, with the client's own query
// kept and the marker moved on.
func (s compute) nextLink(r *request, path, marker string) []any {
	q := r.URL.Query()
	q.Set("marker", marker)
	return []any{map[string]any{"rel": "next", "href": s.root(r) + path + "?" + q.Encode()}}
}
