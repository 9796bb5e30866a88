package cloud

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"

	"plumb/fleet"
)

// Bounds of what one instance carries: a port has few of either.
const (
	maxAddresses    = 64
	maxServerGroups = 64
)

// address is an address of a server as Nova shows it.
type address struct {
	Addr string `json:"addr"`
	Type string `json:"OS-EXT-IPS:type"` // fixed or floating
}

// imageID is the image of a server: an object, or an empty string for one that
// boots from a volume.
type imageID string

// UnmarshalJSON reads either.
func (i *imageID) UnmarshalJSON(b []byte) error {
	var image struct {
		ID string `json:"id"`
	}
	if bytes.HasPrefix(b, []byte("{")) {
		if err := json.Unmarshal(b, &image); err != nil {
			return err
		}
	}
	*i = imageID(fleet.Clean(image.ID, maxID))
	return nil
}

// addressesOf sorts a server's addresses, those reachable from outside first,
// and returns these again as public: floating ones, and fixed ones of global
// scope.
func addressesOf(s *server) (all, public []string) {
	var inside []string
	for _, network := range s.Addresses {
		for _, a := range network {
			ip, err := netip.ParseAddr(a.Addr)
			if err != nil {
				continue
			}
			if ip = ip.Unmap().WithZone(""); a.Type == "floating" || global(ip) {
				public = append(public, ip.String())
			} else {
				inside = append(inside, ip.String())
			}
		}
	}
	slices.Sort(public)
	slices.Sort(inside)
	public, inside = slices.Compact(public), slices.Compact(inside)
	public = public[:min(len(public), maxAddresses)]
	all = slices.Concat(public, inside)
	return all[:min(len(all), maxAddresses)], public
}

// special are prefixes that net/netip takes for global and that are not routed
// (RFC 6890 and its registries).
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001:db8::/32"),
}

// global reports whether the rest of the world could reach the address.
func global(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// groupsOf returns the names of a server's security groups, each once: Nova
// repeats a group for every port that has it. nil: the cloud does not say.
func groupsOf(s *server) []string {
	if s.SecurityGroups == nil {
		return nil
	}
	names := make([]string, 0, len(s.SecurityGroups))
	for _, g := range s.SecurityGroups {
		if name := fleet.Clean(g.Name, fleet.MaxText); name != "" && !slices.Contains(names, name) && len(names) < maxServerGroups {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
