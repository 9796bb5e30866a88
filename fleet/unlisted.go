package fleet

import "strings"

// Unlisted is the hypervisor of that name, or CLOUD/NAME, that a cloud tells of
// and the inventory does not know; nil: there is none.
func (s *Snapshot) Unlisted(name string) *HostState {
	return s.unlisted(func(h *HostState, id string) bool { return h.Name == name || id == name })
}

// Alike is such a hypervisor whose name begins with a device's id and a dot: a
// cloud often calls by its full name what the inventory calls by the first part
// of it. It is a guess, and for words alone: two sites may have a host of one
// short name.
func (s *Snapshot) Alike(device string) *HostState {
	return s.unlisted(func(h *HostState, _ string) bool { return strings.HasPrefix(h.Name, device+".") })
}

func (s *Snapshot) unlisted(is func(h *HostState, id string) bool) *HostState {
	for id, h := range s.Hosts.All() {
		if h.Device < 0 && is(h, id) {
			return h
		}
	}
	return nil
}

// ListIt says how a hypervisor comes into the inventory.
func (h *HostState) ListIt() string {
	return "add it to the inventory as a server with the id " + Clean(h.Name, 80) + "; it needs no BMC"
}
