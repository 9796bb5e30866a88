package openstack

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// visible returns the servers a call may see, newest first (Nova sorts by
// created_at and id, both descending), after the filters of its query.
func (s compute) visible(r *request) ([]Instance, error) {
	q := r.URL.Query()
	all := truth(q, "all_tenants")
	admin := r.grant.user.Admin
	if all && !admin {
		return nil, forbidden("os_compute_api:servers:detail:get_all_tenants")
	}
	project := s.projectID(r.grant.user)
	host := cmp.Or(q.Get("host"), q.Get("hypervisor_hostname"))
	rows := make([]Instance, 0, len(r.region.Servers))
	for i := range r.region.Servers {
		v := &r.region.Servers[i]
		switch {
		case !all && v.ProjectID != project,
			admin && q.Get("project_id") != "" && v.ProjectID != q.Get("project_id"),
			admin && host != "" && v.Host != host,
			q.Get("status") != "" && !strings.EqualFold(q.Get("status"), v.Status),
			q.Get("name") != "" && !strings.Contains(v.Name, q.Get("name")):
			continue
		}
		rows = append(rows, *v)
	}
	slices.SortFunc(rows, func(a, b Instance) int {
		return cmp.Or(b.Created.Compare(a.Created), strings.Compare(b.ID, a.ID))
	})
	return rows, nil
}

// truth reads a boolean of a query as oslo.utils does; present and empty is true.
func truth(q url.Values, key string) bool {
	if !q.Has(key) {
		return false
	}
	switch strings.ToLower(q.Get(key)) {
	case "", "1", "true", "t", "yes", "on", "y":
		return true
	}
	return false
}

func (s compute) getServers(r *request, rest []string) (reply, error) {
	detail := len(rest) == 1 && rest[0] == "detail"
	if len(rest) == 1 && !detail {
		v := s.mayTouch(r, rest[0])
		if v == nil {
			return reply{}, noInstance(rest[0])
		}
		return ok(map[string]any{"server": s.server(r, v, true)}), nil
	}
	if len(rest) > 1 && len(rest) <= 3 && rest[1] == "os-instance-actions" {
		return s.getDeeds(r, rest[0], rest[2:])
	}
	if len(rest) > 1 {
		return reply{}, errNotFound
	}
	rows, err := s.visible(r)
	if err != nil {
		return reply{}, err
	}
	rows, next, err := page(r, s.cfg.PageSize, rows, func(v *Instance) string { return v.ID })
	if err != nil {
		return reply{}, err
	}
	out := make([]any, len(rows))
	for i := range rows {
		if detail {
			out[i] = s.server(r, &rows[i], false)
		} else {
			out[i] = map[string]any{"id": rows[i].ID, "name": rows[i].Name, "links": s.link(r, "/servers/"+rows[i].ID)}
		}
	}
	body := map[string]any{"servers": out}
	if next != "" {
		path := "/servers"
		if detail {
			path += "/detail"
		}
		body["servers_links"] = s.nextLink(r, path, next)
	}
	return ok(body), nil
}

func noInstance(id string) *apiError {
	return refuse(http.StatusNotFound, "Instance "+id+" could not be found.")
}

// mayTouch returns a server if the caller may see it.
func (s compute) mayTouch(r *request, id string) *Instance {
	v := r.region.server(id)
	if v == nil || !r.grant.user.Admin && v.ProjectID != s.projectID(r.grant.user) {
		return nil
	}
	return v
}

// vmStates and powerStates are what Nova shows beside a status
// (nova/compute/vm_states.py, power_state.py).
var vmStates = map[string]string{"ACTIVE": "active", "SHUTOFF": "stopped", "BUILD": "building", "ERROR": "error", "PAUSED": "paused", "SUSPENDED": "suspended",
	"RESCUE": "rescued", "SHELVED": "shelved", "SHELVED_OFFLOADED": "shelved_offloaded", "DELETED": "deleted", "SOFT_DELETED": "soft-delete", "VERIFY_RESIZE": "resized"}

var powerStates = map[string]int{"SHUTOFF": 4, "SHELVED": 4, "SHELVED_OFFLOADED": 4, "DELETED": 4, "BUILD": 0, "ERROR": 0, "PAUSED": 3, "SUSPENDED": 4}

// server is one server as the negotiated microversion shows it.
func (s compute) server(r *request, v *Instance, show bool) map[string]any {
	task := s.actions.of(v.ID)
	status := v.Status
	switch task {
	case "reboot":
		status = "REBOOT"
	case "reboot-hard":
		status = "HARD_REBOOT"
	case "evacuate":
		status = "REBUILD"
	case "os-migrateLive":
		status = "MIGRATING"
	}
	power, given := powerStates[v.Status]
	if !given {
		power = 1
	}
	vm := vmStates[v.Status]
	if vm == "" {
		vm = "active"
	}
	m := map[string]any{
		"id": v.ID, "name": v.Name, "status": status, "tenant_id": v.ProjectID, "user_id": derivedID("user", v.ProjectID),
		"metadata": nonNil(v.Metadata), "hostId": hostHash(v), "created": stamp(v.Created), "updated": stamp(later(v.Updated, v.Created)),
		"image": map[string]any{"id": baseImage, "links": s.link(r, "/images/"+baseImage)[1:]},
		"links": s.link(r, "/servers/"+v.ID), "addresses": addresses(v), "accessIPv4": "", "accessIPv6": "",
		"OS-DCF:diskConfig": "MANUAL", "OS-EXT-AZ:availability_zone": v.Zone, "key_name": nil, "config_drive": "",
		"OS-EXT-STS:task_state": nil, "OS-EXT-STS:vm_state": vm, "OS-EXT-STS:power_state": power,
		"OS-SRV-USG:launched_at": stampMicro(v.Launched), "OS-SRV-USG:terminated_at": nil,
		"os-extended-volumes:volumes_attached": []any{},
		"flavor":                               s.embeddedFlavor(r, v),
	}
	if task != "" {
		m["OS-EXT-STS:task_state"] = taskStates[task]
	}
	if status == "ACTIVE" || status == "BUILD" {
		m["progress"] = 0
	}
	if len(v.Groups) > 0 {
		var sg []any
		for _, g := range v.Groups {
			sg = append(sg, map[string]any{"name": g})
		}
		m["security_groups"] = sg
	}
	if v.Status == "ERROR" {
		m["fault"] = map[string]any{"code": 500, "created": stamp(later(v.Updated, v.Created)), "message": cmp.Or(v.Fault, "No valid host was found.")}
	}
	if r.grant.user.Admin {
		s.adminOnly(r, v, m)
	}
	s.newer(r, v, m, show)
	return m
}

// adminOnly adds what the default policies show to admins alone.
func (s compute) adminOnly(r *request, v *Instance, m map[string]any) {
	m["OS-EXT-SRV-ATTR:host"], m["OS-EXT-SRV-ATTR:hypervisor_hostname"] = orNull(v.Host), orNull(v.Host)
	m["OS-EXT-SRV-ATTR:instance_name"] = "instance-" + derivedID("instance", v.ID)[:8]
	if r.minor >= 3 {
		m["OS-EXT-SRV-ATTR:reservation_id"] = "r-" + derivedID("reservation", v.ID)[:8]
		m["OS-EXT-SRV-ATTR:launch_index"] = 0
		m["OS-EXT-SRV-ATTR:ramdisk_id"], m["OS-EXT-SRV-ATTR:kernel_id"] = "", ""
		m["OS-EXT-SRV-ATTR:hostname"] = strings.ToLower(v.Name)
		m["OS-EXT-SRV-ATTR:root_device_name"] = "/dev/vda"
		m["OS-EXT-SRV-ATTR:user_data"] = nil
	}
	if r.minor >= 16 {
		m["host_status"] = hostStatus(r.region.hostNamed(v.Host))
	}
}

func hostStatus(h *Host) string {
	switch {
	case h == nil:
		return ""
	case !h.Up:
		return "DOWN"
	case h.Disabled:
		return "MAINTENANCE"
	}
	return "UP"
}

// newer adds what later microversions brought.
func (s compute) newer(r *request, v *Instance, m map[string]any, show bool) {
	if r.minor >= 9 {
		m["locked"] = false
	}
	if r.minor >= 19 {
		m["description"] = nil
	}
	if r.minor >= 26 {
		m["tags"] = append([]string{}, v.Tags...)
	}
	if r.minor >= 63 {
		m["trusted_image_certificates"] = nil
	}
	if r.minor >= 71 && show {
		m["server_groups"] = groupsOf(r.region, v.ID)
	}
	if r.minor >= 73 {
		m["locked_reason"] = nil
	}
	if r.minor >= 90 {
		m["OS-EXT-SRV-ATTR:hostname"] = strings.ToLower(v.Name)
	}
	if r.minor >= 96 {
		m["pinned_availability_zone"] = orNull(v.Zone)
	}
}

// embeddedFlavor is a link up to 2.46 and the flavor's own numbers since 2.47.
func (s compute) embeddedFlavor(r *request, v *Instance) any {
	f := r.region.flavor(v.Flavor)
	if f == nil {
		f = &Flavor{ID: v.Flavor, Name: v.Flavor}
	}
	if r.minor < 47 {
		return map[string]any{"id": f.ID, "links": s.link(r, "/flavors/"+f.ID)[1:]}
	}
	return map[string]any{"original_name": f.Name, "vcpus": f.VCPUs, "ram": f.MemoryMB, "disk": f.Disk, "ephemeral": 0, "swap": 0, "extra_specs": nonNil(f.ExtraSpecs)}
}

func addresses(v *Instance) map[string]any {
	out := map[string]any{}
	for _, a := range v.Addresses {
		list, _ := out[a.Network].([]any)
		family := 4
		if strings.Contains(a.IP, ":") {
			family = 6
		}
		kind := "fixed"
		if a.Floating {
			kind = "floating"
		}
		out[a.Network] = append(list, map[string]any{"version": family, "addr": a.IP, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": a.MAC})
	}
	return out
}

func groupsOf(reg *Region, id string) []string {
	out := []string{}
	for i := range reg.Groups {
		if slices.Contains(reg.Groups[i].Members, id) {
			out = append(out, reg.Groups[i].ID)
		}
	}
	return out
}

// hostHash is the hostId that members see: the same for servers of one
// project on one host, and nothing more.
func hostHash(v *Instance) string {
	if v.Host == "" {
		return ""
	}
	h := sha256.Sum224([]byte(v.ProjectID + v.Host))
	return hex.EncodeToString(h[:])
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func nonNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
