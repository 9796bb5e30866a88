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
	named map[string][]wish
	like  []wish // patterns, and what policies say: in their order
	far   farEnd
}

// wish is what one line of the inventory intends, with the text of its VLAN, nil
// where it has none, and whether its alias names the far end: both are asked for
// every port.
type wish struct {
	*fleet.PortSpec
	vlan *string
	far  bool
}

func wishOf(s *fleet.PortSpec) wish {
	w := wish{PortSpec: s, far: s.Alias != nil && (strings.Contains(*s.Alias, fleet.FarDevice) || strings.Contains(*s.Alias, fleet.FarPort))}
	if s.VLAN != 0 {
		text := strconv.Itoa(s.VLAN)
		w.vlan = &text
	}
	return w
}

func intentsOf(d *fleet.DeviceSpec, p *fleet.Policies, far farEnd) *intents {
	x := &intents{far: far}
	for i := range d.Ports {
		s := &d.Ports[i]
		if strings.ContainsAny(s.Name, `*?[\`) {
			x.like = append(x.like, wishOf(s))
			continue
		}
		if x.named == nil {
			x.named = map[string][]wish{}
		}
		x.named[s.Name] = append(x.named[s.Name], wishOf(s))
	}
	if p != nil {
		for i := range p.Ports {
			if r := &p.Ports[i]; fleet.Selects(r.Select, d) {
				x.like = append(x.like, wishOf(&r.PortSpec))
			}
		}
	}
	return x
}

// of is what is intended of a port.
func (x *intents) of(port string) (in Intent) {
	for _, w := range x.named[port] {
		in.take(&w, port, x.far)
	}
	for i := range x.like {
		if w := &x.like[i]; fleet.Like(w.Name, port) {
			in.take(w, port, x.far)
		}
	}
	return in
}

// take lets one more have its say about what nobody has said yet.
func (in *Intent) take(w *wish, port string, far farEnd) {
	if in.VLAN == nil {
		in.VLAN = w.vlan
	}
	if in.Admin == nil && w.Admin != "" {
		in.Admin = &w.Admin
	}
	if in.Alias == nil {
		in.Alias = w.alias(port, far)
	}
}

// alias is the intended alias with the names of the far end in their places; nil
// where it asks for them and nothing is intended to hang there.
func (w *wish) alias(port string, far farEnd) *string {
	if !w.far {
		return w.Alias
	}
	device, part, ok := far(port)
	if !ok {
		return nil
	}
	text := strings.ReplaceAll(*w.Alias, fleet.FarDevice, device)
	text = strings.TrimSpace(strings.ReplaceAll(text, fleet.FarPort, part))
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
