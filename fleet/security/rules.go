package security

import (
	"net/netip"
	"slices"

	"plumb/fleet"
)

// managementPorts must not be reachable from anywhere, each over the protocol
// that speaks there.
var managementPorts = []struct {
	protocol string
	port     int64
	name     string
}{{"tcp", 22, "SSH"}, {"tcp", 23, "telnet"}, {"udp", 161, "SNMP"}, {"udp", 623, "IPMI"}, {"tcp", 3389, "RDP"}}

// openTo lists the management ports that a group opens to anywhere.
func openTo(g *fleet.SecurityGroup) []string {
	var out []string
	for i := range g.Rules {
		for _, name := range ruleOpens(&g.Rules[i]) {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// OpenRules are the rules of a group that open management ports to anywhere.
func OpenRules(g *fleet.SecurityGroup) []fleet.SecurityRule {
	var out []fleet.SecurityRule
	for i := range g.Rules {
		if ruleOpens(&g.Rules[i]) != nil {
			out = append(out, g.Rules[i])
		}
	}
	return out
}

// ruleOpens lists the management ports that a rule opens to anywhere.
func ruleOpens(r *fleet.SecurityRule) []string {
	if r.Direction != "ingress" || !anywhere(r.Remote) {
		return nil
	}
	var out []string
	for _, m := range managementPorts {
		if (r.Protocol == "" || r.Protocol == m.protocol) && covers(r, m.port) {
			out = append(out, m.name+" ("+fleet.Int(m.port).String()+")")
		}
	}
	return out
}

// Networks wider than these are nobody's own: a rule that lets one in lets the
// world in, and two halves of the world are the world.
const widest4, widest6 = 8, 16

// inside are wide networks that are not routed to anybody (RFC 4193, RFC 4291,
// RFC 1112).
var inside = []netip.Prefix{netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("ff00::/8"),
	netip.MustParsePrefix("224.0.0.0/4"), netip.MustParsePrefix("240.0.0.0/4")}

// anywhere reports whether a rule's remote is as good as the world. The id of
// another group is no network.
func anywhere(remote string) bool {
	if remote == "" {
		return true
	}
	p, err := netip.ParsePrefix(remote)
	if err != nil {
		return false
	}
	widest := widest6
	if p.Addr().Is4() {
		widest = widest4
	}
	return p.Bits() < widest && !slices.ContainsFunc(inside, func(in netip.Prefix) bool {
		return in.Bits() <= p.Bits() && in.Contains(p.Addr())
	})
}

func covers(r *fleet.SecurityRule, port int64) bool {
	if !r.PortMin.Known && !r.PortMax.Known {
		return true
	}
	low, high := int64(0), int64(65535)
	if r.PortMin.Known {
		low = int64(r.PortMin.Float())
	}
	if r.PortMax.Known {
		high = int64(r.PortMax.Float())
	}
	return low <= port && port <= high
}
