package openstack

import "net/http"

// image is as much of Glance v2 as clients need to name the image of a server:
// the one base image that every server was made from.
type image struct{ *Server }

func (image) open(path []string) bool { return len(path) == 0 }

func (image) negotiate(*request) *apiError { return nil }

func (image) headers(*request, http.Header) {}

func (image) fail(_ *request, e apiError) any {
	return identity{}.fail(nil, e)
}

func (s image) serve(r *request) (reply, error) {
	if len(r.path) == 0 {
		rep := ok(map[string]any{"versions": []any{map[string]any{"id": "v2.15", "status": "CURRENT",
			"links": []any{map[string]any{"rel": "self", "href": s.base + "/image/" + r.call.Region + "/v2/"}}}}})
		rep.status = http.StatusMultipleChoices
		return rep, nil
	}
	if r.Method != http.MethodGet || r.path[0] != "v2" || len(r.path) < 2 || r.path[1] != "images" {
		return reply{}, errNotFound
	}
	switch {
	case len(r.path) == 2:
		return ok(map[string]any{"images": []any{s.theBase()}, "first": "/v2/images", "schema": "/v2/schemas/images"}), nil
	case r.path[2] == baseImage:
		return ok(s.theBase()), nil
	}
	return reply{}, refuse(http.StatusNotFound, "No image found with ID "+r.path[2])
}

// baseImage is the id of the image of every server.
var baseImage = derivedUUID("image", "base")

func (image) theBase() map[string]any {
	return map[string]any{"id": baseImage, "name": "base", "status": "active", "visibility": "public", "protected": true,
		"disk_format": "qcow2", "container_format": "bare", "size": 2361393152, "min_disk": 0, "min_ram": 0, "tags": []string{}, "os_hidden": false,
		"created_at": "2026-01-12T08:00:00Z", "updated_at": "2026-01-12T08:00:00Z", "self": "/v2/images/" + baseImage, "file": "/v2/images/" + baseImage + "/file", "schema": "/v2/schemas/image"}
}
