package sim

import (
	"fmt"
	"slices"
	"time"

	"plumb/probes/sim/openstack"
	"plumb/probes/sim/world"
)

// groupsOf names the security groups of a service's instances: everybody's
// default and mgmt, and one for what users reach.
func groupsOf(service string) []string {
	switch service {
	case "match", "lobby":
		return []string{"default", "game", "mgmt"}
	case "chat", "auth", "shop":
		return []string{"default", "mgmt", "web"}
	}
	return []string{"default", "mgmt"}
}

// addressesOf returns the addresses of an instance: one on the tenants' network
// and, for the game servers that players talk to, a floating one. Those are
// out of the block for benchmarks (RFC 2544), which is nobody's.
func addressesOf(n, region int, name, service string) []openstack.Address {
	network, mac := "tenant-"+name, world.InstanceMAC(n).String()
	list := []openstack.Address{{Network: network, IP: world.InstanceIP(n, region).String(), MAC: mac}}
	if service == "match" {
		list = append(list, openstack.Address{Network: network, IP: fmt.Sprintf("198.%d.%d.%d", 18+n>>16, n>>8&255, n&255), MAC: mac, Floating: true})
	}
	return list
}

// securityGroups are those of the demo's project in a region: what Neutron
// gives every project, what each kind of service opens to the world, and SSH
// from inside. opened is since when there is also what somebody opened who should
// not have; zero: there is not. removed are rules that were taken out, when.
func securityGroups(region string, opened time.Time, removed map[string]time.Time) []openstack.SecurityGroup {
	id := func(what string) string { return uuid(groupID(what + "-" + region)) }
	group := func(name string, rules ...openstack.Rule) openstack.SecurityGroup {
		for _, v6 := range []bool{false, true} {
			rules = append(rules, openstack.Rule{IPv6: v6}) // out to anywhere
		}
		for i := range rules {
			rules[i].ID = id(fmt.Sprintf("rule-%s-%d", name, i))
		}
		rules = slices.DeleteFunc(rules, func(r openstack.Rule) bool { return !removed[r.ID].IsZero() })
		return openstack.SecurityGroup{ID: id("sg-" + name), Name: name, ProjectID: openstack.ProjectID(cloudProject), Rules: rules}
	}
	ssh := []openstack.Rule{{Ingress: true, Protocol: "tcp", PortMin: 22, PortMax: 22, Remote: "10.0.0.0/8"}}
	mgmt := group("mgmt", ssh...)
	if rule := id("rule-opened"); !opened.IsZero() && removed[rule].Before(opened) { // behind the others, whose ids stay
		mgmt.Rules = append(mgmt.Rules, openstack.Rule{ID: rule, Ingress: true, Protocol: "tcp", PortMin: 22, PortMax: 22, Remote: "0.0.0.0/0"})
	}
	return []openstack.SecurityGroup{
		group("default", openstack.Rule{Ingress: true, RemoteGroup: id("sg-default")}, openstack.Rule{Ingress: true, IPv6: true, RemoteGroup: id("sg-default")}),
		group("game", openstack.Rule{Ingress: true, Protocol: "udp", PortMin: 27000, PortMax: 27099, Remote: "0.0.0.0/0"}),
		mgmt,
		group("web", openstack.Rule{Ingress: true, Protocol: "tcp", PortMin: 443, PortMax: 443, Remote: "0.0.0.0/0"}),
	}
}
