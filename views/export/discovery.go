package export

import (
	"sort"
	"strings"

	"plumb/fleet"
)

// TargetGroup is a target with its labels, as Prometheus reads them from a file
// (file_sd_config) or over HTTP (http_sd_config).
type TargetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// Discover lists the management addresses of devices, of one wire or, where kind
// is empty, of all. Their labels begin with __meta_plumb_ and are gone after
// relabelling, so that what a job keeps of them is its own choice.
func Discover(s *fleet.Snapshot, kind fleet.Source) []TargetGroup {
	out := []TargetGroup{}
	for id, d := range s.Devices.All() {
		for _, e := range d.Spec.Endpoints {
			if kind != "" && e.Source != kind {
				continue
			}
			out = append(out, TargetGroup{Targets: []string{e.Address}, Labels: metaLabels(id, d.Spec, e.Source)})
		}
	}
	return out
}

func metaLabels(id string, d *fleet.DeviceSpec, kind fleet.Source) map[string]string {
	const meta = "__meta_plumb_"
	labels := map[string]string{meta + "device": id, meta + "kind": string(kind)}
	for name, value := range map[string]string{
		"device_kind": string(d.Kind), "region": d.Region, "site": d.Site, "rack": d.Rack, "model": d.Model,
		"owner": d.Owner, "tenant": d.Tenant, "env": d.Env,
	} {
		if value != "" {
			labels[meta+name] = value
		}
	}
	names := make([]string, 0, len(d.Tags))
	for name := range d.Tags {
		names = append(names, name)
	}
	sort.Strings(names) // of two that are spelled alike the first stands
	for _, name := range names {
		label := meta + "tag_" + strings.Trim(plain(name), "_")
		if _, there := labels[label]; !there {
			labels[label] = d.Tags[name]
		}
	}
	return labels
}
