package openstack

import (
	"slices"
	"sync"
)

// Held is one region that is held in memory and changes as its API is told:
// [Config.State], Act, SetService and RemoveRule of a small cloud with no world
// around it.
type Held struct {
	mu  sync.Mutex
	reg Region // guarded by mu
}

// Hold returns a region that begins as it is given.
func Hold(r Region) *Held { return &Held{reg: r} }

// Change lets f write the region.
func (h *Held) Change(f func(*Region)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(&h.reg)
}

// State returns the region as it is now; there is nothing in any other.
func (h *Held) State(name string) *Region {
	h.mu.Lock()
	defer h.mu.Unlock()
	if name != h.reg.Name {
		return &Region{Name: name}
	}
	r := h.reg
	r.Servers, r.Hosts, r.Rules = slices.Clone(r.Servers), slices.Clone(r.Hosts), slices.Clone(r.Rules)
	return &r
}

// Act carries out an action. What moves goes to the first host that is up and
// enabled; where there is none, what was to be built again is in ERROR, and what
// was to move stays where it is.
func (h *Held) Act(_, id, action string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.reg.server(id)
	if v == nil {
		return nil // deleted meanwhile
	}
	switch action {
	case "os-start", "reboot":
		v.Status = "ACTIVE"
	case "os-stop":
		v.Status = "SHUTOFF"
	case "evacuate", "os-migrateLive":
		to := h.reg.host(func(x *Host) bool { return x.Up && !x.Disabled && x.Name != v.Host })
		switch {
		case to != nil:
			v.Host = to.Name
		case action == "evacuate":
			v.Status = "ERROR"
			return ErrNoHost
		default:
			return ErrNoHost
		}
		if v.Status == "ERROR" {
			v.Status = "ACTIVE"
		}
	}
	return nil
}

// SetService lets the scheduler use a host, or not and why.
func (h *Held) SetService(_, host string, disabled bool, reason string) error {
	h.Change(func(r *Region) {
		if x := r.hostNamed(host); x != nil {
			x.Disabled, x.DisabledReason = disabled, reason
		}
	})
	return nil
}

// RemoveRule takes a rule out of its group.
func (h *Held) RemoveRule(_, id string) error {
	h.Change(func(r *Region) {
		r.Rules = slices.Clone(r.Rules)
		for i := range r.Rules {
			r.Rules[i].Rules = slices.DeleteFunc(slices.Clone(r.Rules[i].Rules), func(x Rule) bool { return x.ID == id })
		}
	})
	return nil
}
