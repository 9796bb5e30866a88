package config

import (
	"fmt"
	"slices"

	"plumb/fleet"
)

var (
	deviceKinds = []string{string(fleet.KindServer), string(fleet.KindSwitch), string(fleet.KindRouter), string(fleet.KindPDU), string(fleet.KindUPS), string(fleet.KindOther)}
	faces       = []string{"front", "rear"}
	depths      = []string{"full", "half"}
)

// device adds one device and returns its place in the inventory.
func (b *builder) device(y *deviceYAML, where fleet.DeviceSpec) (int, bool) {
	inv := b.file.Inventory
	if !b.isName(y.Name, y.At, "device") {
		return 0, false
	}
	id := y.Name
	if y.ID.name != "" {
		if id = y.ID; !b.isName(id, y.At, "device id") {
			return 0, false
		}
	}
	n := len(inv.Devices)
	if !b.claim(id, "device", n) {
		return 0, false
	}
	d := where
	d.ID, d.Name, d.Kind = id.name, y.Name.name, fleet.DeviceKind(y.Kind.name)
	d.Unit, d.Height, d.Face, d.Depth = y.Unit.n, y.Height.n, y.Face.name, y.Depth.name
	d.Model, d.Serial, d.Owner, d.Tenant, d.Env = y.Model, y.Serial, y.Owner, y.Tenant, y.Env
	d.Tags, d.WarrantyUntil, d.RatingA, d.Feed, d.Expect = y.Tags, y.WarrantyUntil.Time, y.RatingA.Num, y.Feed.name, y.Expect
	what := "device " + quote(d.ID)
	if d.Kind == "" {
		b.errs.add(y.At, what, "has no kind", "kind is one of server switch router pdu ups other")
	}
	b.oneOf(y.Kind, what+": kind", deviceKinds)
	b.oneOf(y.Face, what+": face", faces)
	b.oneOf(y.Depth, what+": depth", depths)
	if d.Feed != "" {
		b.feedRef(y.Feed, what)
	}
	d.Endpoints = b.endpoints(y, what)
	d.Power = b.cords(y, what)
	d.Links = b.cables(y, what)
	d.Ports = b.ports(y.Ports, what)
	inv.Devices = append(inv.Devices, d)
	return n, true
}

// endpoints are the ways to reach a device, at their protocols' ports.
func (b *builder) endpoints(y *deviceYAML, what string) []fleet.Endpoint {
	var list []fleet.Endpoint
	for _, w := range []struct {
		y      *endpointYAML
		key    string
		source fleet.Source
		port   string
	}{
		{y.BMC, "bmc", fleet.SourceIPMI, "623"}, {y.Redfish, "redfish", fleet.SourceRedfish, "443"}, {y.SNMP, "snmp", fleet.SourceSNMP, "161"},
	} {
		if w.y == nil {
			continue
		}
		what := what + ": " + w.key
		if w.y.Address.name == "" {
			b.errs.add(w.y.At, what, "has no address", "")
		}
		b.credentialRef(w.y.Credential, w.y.At, what)
		if w.y.Act.name != "" {
			b.credentialRef(w.y.Act, w.y.At, what)
		}
		list = append(list, fleet.Endpoint{
			Source: w.source, Address: b.address(w.y.Address, what, w.port),
			Credential: w.y.Credential.name, ActCredential: w.y.Act.name, Quirks: w.y.Quirks,
		})
	}
	return list
}

// cords are what feeds the device: each from an outlet of a PDU that has no
// other cord.
func (b *builder) cords(y *deviceYAML, what string) []fleet.PowerCord {
	if len(y.Power) == 0 {
		return nil
	}
	list := make([]fleet.PowerCord, 0, len(y.Power))
	for i := range y.Power {
		c := &y.Power[i]
		pdu, _, ok := outletNumber(c.Outlet.name)
		if !ok || c.PSU < 1 {
			b.errs.add(c.At, what+": power", "want {psu: 1, outlet: PDU/NUMBER}", "")
			continue
		}
		list = append(list, fleet.PowerCord{PSU: c.PSU, Outlet: c.Outlet.name})
		b.plug(c.Outlet, what+": power", "outlet")
		b.after = append(b.after, func() { b.isDevice(c.Outlet.at, pdu, what+": power", "PDU", fleet.KindPDU) })
	}
	return list
}

// cables are the network cables from the device, each to a free port.
func (b *builder) cables(y *deviceYAML, what string) []fleet.Cable {
	if len(y.Links) == 0 {
		return nil
	}
	list := make([]fleet.Cable, 0, len(y.Links))
	for i := range y.Links {
		c := &y.Links[i]
		device, _, ok := splitPort(c.To.name)
		if !ok {
			b.errs.add(c.At, what+": links", "want {nic: NAME, to: SWITCH/PORT}", "")
			continue
		}
		list = append(list, fleet.Cable{NIC: c.NIC, MAC: b.macAddress(c.MAC, what+": links"), To: c.To.name})
		b.plug(c.To, what+": links", "port")
		b.after = append(b.after, func() {
			b.isDevice(c.To.at, device, what+": links", "switch", fleet.KindSwitch, fleet.KindRouter)
		})
	}
	return list
}

// plug takes a socket for one plug.
func (b *builder) plug(r ref, what, is string) {
	if b.plugs == nil {
		b.plugs = make(map[string]place)
	}
	if first, ok := b.plugs[r.name]; ok {
		b.errs.add(r.at, what, is+" "+quote(r.name)+" is taken already, at "+first.String(), "")
		return
	}
	b.plugs[r.name] = r.at
}

// isDevice checks that a device of one of the kinds is there.
func (b *builder) isDevice(at place, id, what, wanted string, kinds ...fleet.DeviceKind) {
	devices := b.file.Inventory.Devices
	ofKind := func(yield func(string) bool) {
		for i := range devices {
			if slices.Contains(kinds, devices[i].Kind) && !yield(devices[i].ID) {
				return
			}
		}
	}
	switch x, ok := b.ids[id]; {
	case !ok || x.is != "device":
		b.errs.add(at, what, "there is no "+wanted+" "+quote(id)+b.orDid(id, ofKind), "")
	case !slices.Contains(kinds, devices[x.n].Kind):
		b.errs.add(at, what, fmt.Sprintf("%s is a %s, not a %s", quote(id), devices[x.n].Kind, wanted), "")
	}
}
