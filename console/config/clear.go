package config

import (
	"net/netip"
	"net/url"
)

// clear notes a secret that is sent over http to another machine: whoever is on
// the way reads it. It is the user's to decide and not forbidden, but said.
func (b *builder) clear(at place, key, address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || here(u.Hostname()) {
		return
	}
	b.file.InClear = append(b.file.InClear, at.String()+": "+key+": its password or token goes to "+quote(u.Host)+" in clear: https")
}

// here reports whether a host is this machine.
func here(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
