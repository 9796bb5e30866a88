package drift

import (
	"strconv"
	"strings"

	"plumb/fleet"
)

// Intent is what is intended of a port, as its facets say it. What nobody says
// is nil.
type Intent struct{ VLAN, Admin, Alias *string }

// farEnd names what is intended to hang on a port; false: nothing is.
type farEnd func(port string) (device, part string, ok bool)

// intents are what is intended of the ports of one device.
type intents struct {
	named map[string][]*fleet.PortSpec
	like  []*fleet.PortSpec // patterns, and what policies say: in their order
	far   farEnd
}

func intentsOf(d *fleet.DeviceSpec, p *fleet.Policies, far farEnd) *intents {
	x := &intents{far: far}
	for i := range d.Ports {
		s := &d.Ports[i]
		if strings.ContainsAny(s.Name, `*?[\`) {
			x.like = append(x.like, s)
			continue
		}
		if x.named == nil {
			x.named = map[string][]*fleet.PortSpec{}
		}
		x.named[s.Name] = append(x.named[s.Name], s)
	}
	if p != nil {
		for i := range p.Ports {
			if r := &p.Ports[i]; fleet.Selects(r.Select, d) {
				x.like = append(x.like, &r.PortSpec)
			}
		}
	}
	return x
}

// of is what is intended of a port.
func (x *intents) of(port string) (in Intent) {
	for _, s := range x.named[port] {
		in.take(s, port, x.far)
	}
	for _, s := range x.like {
		if fleet.Like(s.Name, port) {
			in.take(s, port, x.far)
		}
	}
	return in
}

// take lets one more have its say about what nobody has said yet.
func (in *Intent) take(s *fleet.PortSpec, port string, far farEnd) {
	if in.VLAN == nil && s.VLAN != 0 {
		text := strconv.Itoa(s.VLAN)
		in.VLAN = &text
	}
	if in.Admin == nil && s.Admin != "" {
		in.Admin = &s.Admin
	}
	if in.Alias == nil && s.Alias != nil {
		in.Alias = filled(s.Alias, port, far)
	}
}

// filled is an intended alias with the names of the far end in their places;
// nil where it asks for them and nothing is intended to hang there.
func filled(alias *string, port string, far farEnd) *string {
	if !strings.Contains(*alias, fleet.FarDevice) && !strings.Contains(*alias, fleet.FarPort) {
		return alias
	}
	device, part, ok := far(port)
	if !ok {
		return nil
	}
	text := strings.TrimSpace(strings.NewReplacer(fleet.FarDevice, device, fleet.FarPort, part).Replace(*alias))
	return &text
}

// IntentOf is what is intended of a port of a device.
func IntentOf(s *fleet.Snapshot, d *fleet.Device, port string) Intent {
	far := func(port string) (device, part string, ok bool) {
		if s.Topology == nil {
			return "", "", false
		}
		a, ok := s.CabledOn[d.Spec.ID][port]
		if !ok {
			return "", "", false
		}
		return s.Devices.At(a.Device).Spec.Name, a.Part, true
	}
	return intentsOf(d.Spec, s.Policies, far).of(port)
}

// Facet is what is intended of one facet of the port: vlan, admin or alias.
func (in Intent) Facet(what string) *string {
	switch what {
	case "vlan":
		return in.VLAN
	case "admin":
		return in.Admin
	case "alias":
		return in.Alias
	}
	return nil
}
