package security

import (
	"slices"
	"strconv"

	"plumb/fleet"
)

// What a whole site has in common is counted by the engine as cohorts are, and
// corrected by what changes. A VLAN's number means something within a site.

// factBMC is the VLAN of a BMC; before the name of a segment stands factApart:
// the VLANs of what it keeps others apart from.
const (
	factBMC   = "net.bmc-vlan"
	factApart = "apart "
)

// SiteKey names a site among the cohorts.
func SiteKey(site string) string { return "site\x1f" + site }

// SiteFacts are what a device is counted by in its site, each once.
func SiteFacts(d *fleet.DeviceSpec, a *fleet.Attached, p *fleet.Policies) []fleet.Fact {
	if a == nil {
		return nil
	}
	var out []fleet.Fact
	if v := a.BMC.VLAN; v != 0 {
		out = append(out, fleet.Fact{Name: factBMC, Value: strconv.Itoa(v)})
	}
	for i := range p.Segments {
		seg := &p.Segments[i]
		if len(seg.Apart) == 0 {
			continue
		}
		for k := range a.Ports {
			m := &a.Ports[k]
			if !picks(seg.Apart, d, m) {
				continue
			}
			for _, v := range m.VLANs {
				f := fleet.Fact{Name: factApart + seg.Name, Value: strconv.Itoa(v)}
				if !slices.Contains(out, f) {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

// picks reports whether a selection is about a port of a device: "part: bmc"
// picks management ports, a selection without it the others.
func picks(sel map[string]string, d *fleet.DeviceSpec, m *fleet.Membership) bool {
	part, named := sel["part"]
	if named {
		rest := make(map[string]string, len(sel))
		for k, v := range sel {
			if k != "part" {
				rest[k] = v
			}
		}
		sel = rest
	}
	return m.Management == (part == "bmc") && (!named || part == "bmc") && fleet.Selects(sel, d)
}
