package openstack

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// getHypervisors answers /os-hypervisors, /detail, /statistics and one by id.
func (s compute) getHypervisors(r *request, rest []string) (reply, error) {
	if !r.grant.user.Admin {
		return reply{}, forbidden("os_compute_api:os-hypervisors:list-detail")
	}
	switch {
	case len(rest) == 1 && rest[0] == "statistics" && r.minor < 88:
		return ok(map[string]any{"hypervisor_statistics": statistics(r.region)}), nil
	case len(rest) == 1 && rest[0] != "detail":
		h := r.region.host(func(h *Host) bool { return hypervisorID(r, h) == rest[0] })
		if h == nil {
			return reply{}, refuse(http.StatusNotFound, "Hypervisor with ID '"+rest[0]+"' could not be found.")
		}
		return ok(map[string]any{"hypervisor": s.hypervisor(r, h, true)}), nil
	case len(rest) > 1:
		return reply{}, errNotFound
	}
	rows := slices.Clone(r.region.Hosts)
	if pat := r.URL.Query().Get("hypervisor_hostname_pattern"); pat != "" && r.minor >= 53 {
		rows = slices.DeleteFunc(rows, func(h Host) bool { return !strings.Contains(h.Name, pat) })
	}
	next := ""
	if r.minor >= 33 { // paging came with 2.33
		var err error
		if rows, next, err = page(r, 1000, rows, func(h *Host) string { return hypervisorID(r, h) }); err != nil {
			return reply{}, err
		}
	}
	out := make([]any, len(rows))
	for i := range rows {
		out[i] = s.hypervisor(r, &rows[i], len(rest) == 1)
	}
	body := map[string]any{"hypervisors": out}
	if next != "" {
		path := "/os-hypervisors"
		if len(rest) == 1 {
			path += "/detail"
		}
		body["hypervisors_links"] = s.nextLink(r, path, next)
	}
	return ok(body), nil
}

// hypervisorID is the uuid since 2.53 and a row number before.
func hypervisorID(r *request, h *Host) string {
	if r.minor >= 53 {
		return h.ID
	}
	return strconv.Itoa(number(r.region, h))
}

func number(reg *Region, h *Host) int {
	return 1 + slices.IndexFunc(reg.Hosts, func(x Host) bool { return x.ID == h.ID })
}

func (s compute) hypervisor(r *request, h *Host, detail bool) map[string]any {
	m := map[string]any{
		"id": number(r.region, h), "hypervisor_hostname": h.Name,
		"state": upDown(h.Up), "status": enabled(h),
	}
	if r.minor >= 53 {
		m["id"] = h.ID
		if truth(r.URL.Query(), "with_servers") {
			if list := serversOn(r, h.Name); len(list) > 0 || r.minor >= 75 { // [] is shown since 2.75
				m["servers"] = list
			}
		}
	}
	if !detail {
		return m
	}
	m["hypervisor_type"], m["hypervisor_version"], m["host_ip"] = orQEMU(h.Type), 7002000, h.IP
	m["service"] = map[string]any{"host": h.Name, "id": serviceID(r, "nova-compute", h.Name), "disabled_reason": orNull(h.DisabledReason)}
	if r.minor >= 88 {
		m["uptime"] = uptime(r.now, h)
		return m
	}
	used := r.region.usage(h.Name)
	vcpu, mem, disk := h.total("VCPU"), h.total("MEMORY_MB"), h.total("DISK_GB")
	m["vcpus"], m["vcpus_used"] = vcpu, used["VCPU"]
	m["memory_mb"], m["memory_mb_used"], m["free_ram_mb"] = mem, used["MEMORY_MB"], mem-used["MEMORY_MB"]
	m["local_gb"], m["local_gb_used"], m["free_disk_gb"], m["disk_available_least"] = disk, used["DISK_GB"], disk-used["DISK_GB"], disk-used["DISK_GB"]
	m["running_vms"], m["current_workload"] = len(serversOn(r, h.Name)), 0
	if r.minor >= 28 { // an object since 2.28, JSON in a string before
		m["cpu_info"] = map[string]any{"arch": "x86_64", "model": "EPYC-Milan", "vendor": "AMD", "features": []string{"svm"}, "topology": map[string]any{"cells": 1, "sockets": 1, "cores": vcpu / 2, "threads": 2}}
	} else {
		m["cpu_info"] = fmt.Sprintf(`{"arch": "x86_64", "model": "EPYC-Milan", "vendor": "AMD", "features": ["svm"], "topology": {"cells": 1, "sockets": 1, "cores": %d, "threads": 2}}`, vcpu/2)
	}
	return m
}

func (h *Host) total(class string) int64 {
	for _, inv := range h.Inventory {
		if inv.Class == class {
			return inv.Total
		}
	}
	return 0
}

func statistics(reg *Region) any {
	sum := map[string]int64{"count": int64(len(reg.Hosts)), "running_vms": int64(len(reg.Servers))}
	for i := range reg.Hosts {
		h := &reg.Hosts[i]
		used := reg.usage(h.Name)
		sum["vcpus"] += h.total("VCPU")
		sum["vcpus_used"] += used["VCPU"]
		sum["memory_mb"] += h.total("MEMORY_MB")
		sum["memory_mb_used"] += used["MEMORY_MB"]
		sum["local_gb"] += h.total("DISK_GB")
		sum["local_gb_used"] += used["DISK_GB"]
	}
	return sum
}

func serversOn(r *request, host string) []any {
	out := []any{}
	for i := range r.region.Servers {
		if v := &r.region.Servers[i]; v.Host == host && v.holdsResources() {
			out = append(out, map[string]any{"uuid": v.ID, "name": v.Name})
		}
	}
	return out
}

// uptime is the hypervisor's own uptime line, null while nova-compute is down.
func uptime(now time.Time, h *Host) any {
	if !h.Up || h.BootedAt.IsZero() {
		return nil
	}
	d := now.Sub(h.BootedAt)
	return fmt.Sprintf(" %s up %d days, %2d:%02d,  0 users,  load average: 0.42, 0.40, 0.38", now.Format("15:04:05"), int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60)
}

func upDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}

func enabled(h *Host) string {
	if h.Disabled {
		return "disabled"
	}
	return "enabled"
}

func orQEMU(t string) string {
	if t == "" {
		return "QEMU"
	}
	return t
}
