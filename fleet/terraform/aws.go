package terraform

import (
	"slices"

	"plumb/fleet"
)

func (r *reader) instanceAWS(x *resource) error {
	d := fleet.DeclaredInstance{Resource: clean(x.Address)}
	var tags map[string]string
	err := x.take(map[string]any{"id": &d.ID, "instance_type": &d.Type, "ami": &d.Image, "availability_zone": &d.Zone,
		"instance_state": &d.RunState, "vpc_security_group_ids": &d.Groups, "tags": &tags})
	if err != nil || d.ID == "" {
		return err
	}
	d.ID, d.Type, d.Image, d.Zone, d.RunState = clean(d.ID), clean(d.Type), clean(d.Image), clean(d.Zone), clean(d.RunState)
	for i, g := range d.Groups {
		d.Groups[i] = clean(g)
	}
	slices.Sort(d.Groups)
	for key, value := range tags {
		putTag(&d, key, value)
	}
	d.Name = d.Tags["Name"]
	r.out.Instances = append(r.out.Instances, d)
	return nil
}

// ruleAWS is one block of ingress or egress: many remotes in one.
type ruleAWS struct {
	From     int64    `json:"from_port"`
	To       int64    `json:"to_port"`
	Protocol string   `json:"protocol"` // "-1": any, and then of all ports
	V4       []string `json:"cidr_blocks"`
	V6       []string `json:"ipv6_cidr_blocks"`
	Groups   []string `json:"security_groups"`
	Self     bool     `json:"self"`
}

func (r *reader) groupAWS(x *resource) error {
	g := fleet.DeclaredGroup{Resource: clean(x.Address)}
	var in, out []ruleAWS
	if err := x.take(map[string]any{"id": &g.ID, "name": &g.Name, "ingress": &in, "egress": &out}); err != nil || g.ID == "" {
		return err
	}
	g.ID, g.Name = clean(g.ID), clean(g.Name)
	for i := range in {
		g.Rules = append(g.Rules, in[i].rules("ingress", g.ID)...)
	}
	for i := range out {
		g.Rules = append(g.Rules, out[i].rules("egress", g.ID)...)
	}
	r.out.Groups = append(r.out.Groups, g)
	return nil
}

// rules writes a block as one rule for each remote.
func (b *ruleAWS) rules(direction, own string) []fleet.SecurityRule {
	base := fleet.SecurityRule{Direction: direction, Protocol: clean(b.Protocol)}
	if b.Protocol == "-1" {
		base.Protocol = ""
	} else {
		base.PortMin, base.PortMax = fleet.Int(b.From), fleet.Int(b.To)
	}
	var list []fleet.SecurityRule
	add := func(family, remote string) {
		next := base
		next.Family, next.Remote = family, clean(remote)
		list = append(list, next)
	}
	for _, cidr := range b.V4 {
		add("ipv4", cidr)
	}
	for _, cidr := range b.V6 {
		add("ipv6", cidr)
	}
	for _, group := range b.Groups {
		add("", group)
	}
	if b.Self {
		add("", own)
	}
	return list
}
