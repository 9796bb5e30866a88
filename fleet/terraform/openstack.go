package terraform

import (
	"slices"
	"strings"

	"plumb/fleet"
)

// runStates are the provider's words for power_state of the resource.
var runStates = map[string]string{"active": "ACTIVE", "shutoff": "SHUTOFF", "shelved_offloaded": "SHELVED_OFFLOADED", "paused": "PAUSED"}

func (r *reader) instance(x *resource) error {
	d := fleet.DeclaredInstance{Resource: clean(x.Address)}
	var power string
	var tags []string
	var metadata map[string]string
	err := x.take(map[string]any{"id": &d.ID, "name": &d.Name, "flavor_name": &d.Type, "image_id": &d.Image, "availability_zone": &d.Zone,
		"power_state": &power, "security_groups": &d.Groups, "metadata": &metadata, "tags": &tags})
	if err != nil || d.ID == "" {
		return err // not made yet: nothing to compare
	}
	d.ID, d.Name, d.Type, d.Image, d.Zone = clean(d.ID), clean(d.Name), clean(d.Type), clean(d.Image), clean(d.Zone)
	d.RunState = runStates[power]
	for i, g := range d.Groups {
		d.Groups[i] = clean(g)
	}
	slices.Sort(d.Groups)
	for _, t := range tags { // as the probe reads them: see probes/cloud
		key, value, _ := strings.Cut(t, "=")
		putTag(&d, key, value)
	}
	for key, value := range metadata {
		putTag(&d, key, value)
	}
	r.out.Instances = append(r.out.Instances, d)
	return nil
}

func putTag(d *fleet.DeclaredInstance, key, value string) {
	if d.Tags == nil {
		d.Tags = map[string]string{}
	}
	d.Tags[clean(key)] = clean(value)
}

func (r *reader) group(x *resource) error {
	g := fleet.DeclaredGroup{Resource: clean(x.Address)}
	if err := x.take(map[string]any{"id": &g.ID, "name": &g.Name}); err != nil || g.ID == "" {
		return err
	}
	g.ID, g.Name = clean(g.ID), clean(g.Name)
	r.groups[g.ID] = len(r.out.Groups)
	r.out.Groups = append(r.out.Groups, g)
	return nil
}

func (r *reader) rule(x *resource) error {
	var g groupRule
	var low, high int64
	var remoteGroup string
	err := x.take(map[string]any{"id": &g.rule.ID, "direction": &g.rule.Direction, "ethertype": &g.rule.Family, "protocol": &g.rule.Protocol,
		"port_range_min": &low, "port_range_max": &high, "remote_ip_prefix": &g.rule.Remote, "remote_group_id": &remoteGroup, "security_group_id": &g.group})
	if err != nil {
		return err
	}
	if g.rule.Family = strings.ToLower(g.rule.Family); g.rule.Remote == "" {
		g.rule.Remote = remoteGroup
	}
	if low != 0 || high != 0 { // the provider writes "all ports" as two zeros
		g.rule.PortMin, g.rule.PortMax = fleet.Int(low), fleet.Int(high)
	}
	r.rules = append(r.rules, g)
	return nil
}
