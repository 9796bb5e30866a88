package openstack

import (
	"net/http"
	"slices"
)

// putService answers PUT /os-services/{id}, since 2.53: what of a compute
// service an operator sets. Forcing one down is not for hands that mend.
func (s compute) putService(r *request, id string) (reply, error) {
	if !r.grant.user.Admin {
		return reply{}, forbidden("os_compute_api:os-services:update")
	}
	if r.minor < 53 {
		return reply{}, errNotFound
	}
	var body struct {
		Status string  `json:"status"`
		Reason *string `json:"disabled_reason"`
		Forced *bool   `json:"forced_down"`
	}
	if e := decode(r, &body); e != nil {
		return reply{}, e
	}
	n := slices.IndexFunc(r.region.Hosts, func(h Host) bool { return serviceID(r, "nova-compute", h.Name) == id })
	switch {
	case n < 0:
		return reply{}, refuse(http.StatusNotFound, "Service "+id+" could not be found.")
	case body.Forced != nil:
		return reply{}, refuse(http.StatusNotImplemented, "forced_down is not simulated.")
	case body.Status != "enabled" && body.Status != "disabled":
		return reply{}, refuse(http.StatusBadRequest, "Invalid input for field/attribute status. Value: "+body.Status+". '"+body.Status+"' is not one of ['enabled', 'disabled']")
	case body.Reason != nil && body.Status != "disabled":
		return reply{}, refuse(http.StatusBadRequest, "Specifying disabled_reason requires that status is set to disabled.")
	case body.Reason != nil && (len(*body.Reason) < 1 || len(*body.Reason) > 255):
		return reply{}, refuse(http.StatusBadRequest, "Invalid input for field/attribute disabled_reason.")
	}
	h := r.region.Hosts[n]
	h.Disabled, h.DisabledReason = body.Status == "disabled", ""
	if body.Reason != nil {
		h.DisabledReason = *body.Reason
	}
	if err := s.cfg.SetService(r.region.Name, h.Name, h.Disabled, h.DisabledReason); err != nil {
		return reply{}, refuse(http.StatusInternalServerError, "Unexpected API Error.")
	}
	return ok(map[string]any{"service": appendService(r, nil, "", "", "nova-compute", &h)[0]}), nil
}
