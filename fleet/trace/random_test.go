package trace

import (
	"fmt"
	"math/rand/v2"

	"plumb/fleet"
)

// jumble is a fleet of one or two regions in which anything may be plugged into
// anything, some of it dead, with guests on machines of ours, on hosts of others
// and on nobody knows what.
func jumble(r *rand.Rand) *fleet.Snapshot {
	h := &house{}
	regions := []string{"ams", "fra"}[:1+r.IntN(2)]
	for _, region := range regions {
		h.place(region)
		h.feed(region+"1", region+"-grid", "")
		h.device(region+"-ups", fleet.KindUPS, region+"1", region+"-grid", nil, nil)
		h.feed(region+"1", region+"-A", region+"-ups")
		h.feed(region+"1", region+"-B", "")
		for k := range 2 + r.IntN(3) {
			rack := fmt.Sprintf("%s1/%s-r%d", region, region, r.IntN(2))
			h.device(fmt.Sprintf("%s-p%d", region, k), fleet.KindPDU, rack, region+[]string{"-A", "-B"}[k%2], nil, nil)
			h.device(fmt.Sprintf("%s-w%d", region, k), fleet.KindSwitch, rack, "", h.plugs(r, "w", 1), h.plugs(r, "p", 2))
		}
		for k := range 4 + r.IntN(6) {
			rack := fmt.Sprintf("%s1/%s-r%d", region, region, r.IntN(2))
			h.device(fmt.Sprintf("%s-s%d", region, k), fleet.KindServer, rack, "", h.plugs(r, "w", 3), h.plugs(r, "p", 2))
		}
	}
	h.crowd(r)
	s := h.snap(func(d *fleet.Device) { ail(r, d) })
	hosts := []fleet.HostState{}
	for k := range 3 {
		hosts = append(hosts, fleet.HostState{Host: fleet.Host{Name: fmt.Sprint("far", k)}, Cloud: "os-" + regions[k%len(regions)], Device: -1, State: fleet.StateOK})
	}
	s.Hosts = table(hosts, func(x *fleet.HostState) string { return x.Cloud + "/" + x.Name })
	return s
}

// plugs names up to n ports or outlets of devices that are there.
func (h *house) plugs(r *rand.Rand, kind string, n int) (out []string) {
	for k := range r.IntN(n + 1) {
		for range 4 {
			if d := h.devices[r.IntN(len(h.devices))].Spec; len(d.ID) > 4 && d.ID[4:5] == kind {
				if kind == "p" {
					out = append(out, fmt.Sprintf("%s/%d", d.ID, 1+r.IntN(9)))
				} else {
					out = append(out, fmt.Sprintf("%s/E%d", d.ID, 1+r.IntN(9)+10*k))
				}
				break
			}
		}
	}
	return out
}

func (h *house) crowd(r *rand.Rand) {
	states := []fleet.State{fleet.StateOK, fleet.StateOK, fleet.StateWarn, fleet.StateCrit, fleet.StateOff, fleet.StateUnknown}
	for k := range 30 {
		x := fleet.InstanceState{Instance: fleet.Instance{ID: fmt.Sprint("i", k), Cloud: h.clouds[r.IntN(len(h.clouds))].Spec.Name, State: states[r.IntN(len(states))]}, Device: -1}
		x.Service = []string{"", "match", "login", "chat"}[r.IntN(4)]
		switch n := r.IntN(len(h.devices)); r.IntN(4) {
		case 0:
			x.Host = fmt.Sprint("far", r.IntN(4))
		case 1:
		default:
			x.Device, x.Host = n, h.devices[n].Spec.ID
		}
		h.guests = append(h.guests, x)
	}
	for _, name := range []string{"match", "login", "chat"} {
		var on []string
		for range r.IntN(3) {
			on = append(on, h.devices[r.IntN(len(h.devices))].Spec.ID)
		}
		h.service(name, r.IntN(8), on...)
	}
}

// ail gives a device what ails devices.
func ail(r *rand.Rand, d *fleet.Device) {
	switch r.IntN(8) {
	case 0:
		mute(d)
		say(d, fleet.StateCrit, "power", "no power")
	case 1:
		d.Power, d.State = fleet.PowerOff, fleet.StateOff
	case 2:
		for i := range d.Sensors {
			d.Sensors[i].State = fleet.StateCrit
		}
	case 3:
		for i := range d.Outlets {
			d.Outlets[i].State = []string{"on", "off"}[r.IntN(2)]
		}
		for i := range d.Ports {
			def := *d.Ports[i].PortDef
			def.Oper = []string{"up", "down"}[r.IntN(2)]
			d.Ports[i].PortDef = &def
		}
	}
}

// everything lists all parts of a snapshot.
func everything(g *Graph, s *fleet.Snapshot) (out []Part) {
	add := func(kind Kind, n int) {
		for i := range n {
			out = append(out, Part{Kind: kind, N: i})
		}
	}
	add(Region, s.Regions.Len())
	add(Site, s.Sites.Len())
	add(Rack, s.Racks.Len())
	add(Cloud, s.Clouds.Len())
	add(Host, s.Hosts.Len())
	add(Instance, s.Instances.Len())
	add(Service, s.Services.Len())
	for i := range s.Feeds.Len() {
		out = append(out, g.feedAt(i))
	}
	for i := range s.Devices.Len() {
		d := s.Devices.At(i)
		out = append(out, g.deviceAt(s, i))
		for k := range d.Spec.Links {
			out = append(out, nicOf(d, i, &d.Spec.Links[k]))
		}
		for k := range d.Ports {
			out = append(out, Part{Port, i, d.Ports[k].Name})
		}
		for k := range d.Outlets {
			out = append(out, Part{Outlet, i, outletName(d.Outlets[k].Index)})
		}
		for _, c := range d.Spec.Power {
			out = append(out, psuOf(i, c.PSU))
		}
	}
	return out
}
