package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"plumb/fleet"
)

// maxRules bounds the rules of one security group; Neutron's own quota is 100
// for a project.
const maxRules = 1000

// groupPage asks Neutron for pages: without a limit it sends everything at once,
// and it names the next page only to those who asked for one.
const groupPage = "500"

// errNoNetwork: the catalog has none.
var errNoNetwork = &StatusError{API: "network", Text: "not in the catalog", kind: fleet.ErrUnsupported}

// securityGroup is a group with its rules (Networking API v2.0, "List security
// groups"). Clouds before Ocata say tenant_id only.
type securityGroup struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Project string         `json:"project_id"`
	Tenant  string         `json:"tenant_id"`
	Rules   []securityRule `json:"security_group_rules"`
}

type securityRule struct {
	ID          string `json:"id"`
	Direction   string `json:"direction"`
	Family      string `json:"ethertype"`
	Protocol    any    `json:"protocol"` // a word, or an IP protocol's number as text or as a number
	PortMin     *int64 `json:"port_range_min"`
	PortMax     *int64 `json:"port_range_max"`
	Prefix      string `json:"remote_ip_prefix"`
	RemoteGroup string `json:"remote_group_id"`
	AddressSet  string `json:"remote_address_group_id"`
}

// readSecurityGroups lists what Neutron shows this account: for an admin the
// groups of all projects. Nova's own os-security-groups only passed this on and
// ended with microversion 2.36, so it is not asked: where the catalog has no
// network there are no groups to see.
func (l *look) readSecurityGroups() error {
	if l.in.network == nil {
		return errNoNetwork
	}
	cut := ""
	got, err := list(l.ctx, l.OpenStack, source{l.in.network, "security-groups", "security_groups"}, url.Values{"limit": {groupPage}},
		func(raw json.RawMessage) (string, fleet.SecurityGroup, error) {
			g, whole, err := parseSecurityGroup(raw)
			if err == nil && !whole {
				cut = fmt.Sprintf("a group with more than %d rules", maxRules)
			}
			return g.ID, g, err
		})
	if got.partial == "" {
		got.partial = cut
	}
	l.groups = got
	if err == nil {
		l.memory.security = got.rows
	}
	return err
}

// parseSecurityGroup reads one group. whole is false where rules were left out.
func parseSecurityGroup(raw json.RawMessage) (g fleet.SecurityGroup, whole bool, err error) {
	var x securityGroup
	if err := json.Unmarshal(raw, &x); err != nil {
		return g, false, errors.New("security group: " + jsonReason(err))
	}
	if x.ID == "" || len(x.ID) > maxID || fleet.Clean(x.ID, maxID) != x.ID {
		return g, false, errors.New("security group without a usable id")
	}
	if x.Project == "" {
		x.Project = x.Tenant
	}
	g = fleet.SecurityGroup{ID: x.ID, Name: fleet.Clean(x.Name, fleet.MaxText), Project: fleet.Clean(x.Project, maxID)}
	for i := range x.Rules {
		if len(g.Rules) == maxRules {
			return g, false, nil
		}
		g.Rules = append(g.Rules, x.Rules[i].rule())
	}
	return g, true, nil
}

// rule says the same in the fleet's words. A rule for an address group names it
// as its remote: it is not open to anywhere, whatever the group holds.
func (r *securityRule) rule() fleet.SecurityRule {
	remote := r.Prefix
	for _, other := range []string{r.RemoteGroup, r.AddressSet} {
		if remote == "" {
			remote = other
		}
	}
	return fleet.SecurityRule{
		ID:        fleet.Clean(r.ID, maxID),
		Direction: strings.ToLower(fleet.Clean(r.Direction, 16)),
		Family:    strings.ToLower(fleet.Clean(r.Family, 16)),
		Protocol:  protocolWord(r.Protocol),
		PortMin:   numOf(r.PortMin),
		PortMax:   numOf(r.PortMax),
		Remote:    fleet.Clean(remote, maxID),
	}
}

func numOf(n *int64) fleet.Num {
	if n == nil {
		return fleet.Num{}
	}
	return fleet.Int(*n)
}

// protocolWord names a protocol. Neutron takes numbers for those that it also
// has words for (IANA protocol numbers), so 6 is tcp.
func protocolWord(v any) string {
	var s string
	switch v := v.(type) {
	case string:
		s = strings.ToLower(fleet.Clean(v, 32))
	case float64:
		s = fmt.Sprintf("%.0f", v)
	}
	if word, ok := protocols[s]; ok {
		return word
	}
	return fleet.Clean(s, 32)
}

var protocols = map[string]string{"any": "", "1": "icmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp", "icmpv6": "ipv6-icmp", "132": "sctp"}

// fillGroups notes the table. A cloud without a network in its catalog has no
// such table, and the fact sees.security_groups says so: nothing is said of it.
func (l *look) fillGroups() {
	if l.memory.sees[callSecurityGroups] == unsupported || l.lane < fleet.LaneTables && !l.asked[callSecurityGroups] {
		return
	}
	l.table(fleet.TableSecurityGroups, callSecurityGroups, len(l.groups.rows), l.groups.partial)
	l.obs.SecurityGroups = l.groups.rows
}

// networkClient returns the client for v2.0: catalogs name Neutron's root, or
// that version of it.
func networkClient(c *gophercloud.ServiceClient) *gophercloud.ServiceClient {
	if c != nil && !strings.HasSuffix(c.Endpoint, "/v2.0/") {
		c.Endpoint += "v2.0/"
	}
	return c
}
