package trace

import "plumb/fleet"

// above lists what a part needs or stands in.
func (t *tracer) above(p Part) []step {
	t.steps = t.steps[:0]
	up, away := t.back, t.on
	switch p.Kind {
	case Service:
		t.carriers(p, up)
	case Instance:
		t.hostOf(p, up)
	case PSU:
		for _, c := range t.g.devices[p.N].cords {
			if c.pdu >= 0 && psuOf(p.N, c.psu) == p {
				up(Part{Outlet, c.pdu, outletName(c.outlet)}, "power", inventory)
			}
		}
	case Outlet:
		up(t.g.deviceAt(t.s, p.N), "power", t.plugged(p.N))
	case NIC, BMC, Port:
		t.farEnd(p, away)
	case Feed, Utility:
		if f := &t.g.feeds[p.N]; f.feed >= 0 {
			up(t.g.feedAt(f.feed), "power", inventory)
		} else if f.ups >= 0 {
			up(t.g.deviceAt(t.s, f.ups), "power", inventory)
		}
	case Rack:
		if n := t.s.Regions.Number(t.s.Racks.At(p.N).Spec.Region); n >= 0 {
			up(Part{Kind: Region, N: n}, "mount", inventory)
		}
	case Host:
		if c := t.s.Clouds.Number(t.s.Hosts.At(p.N).Cloud); c >= 0 {
			up(Part{Kind: Cloud, N: c}, "host", witness{observed: true, evidence: "cloud", at: t.s.Clouds.At(c).Tables[fleet.TableHosts].At})
		}
	default:
		if p.device() {
			t.aboveDevice(p, up, away)
		}
	}
	return t.steps
}

type add func(far Part, kind string, w witness)

// on and back add an edge that leads to a neighbour, or from it.
func (t *tracer) on(far Part, kind string, w witness) {
	t.steps = append(t.steps, step{far, false, kind, w})
}

func (t *tracer) back(far Part, kind string, w witness) {
	t.steps = append(t.steps, step{far, true, kind, w})
}

func (t *tracer) aboveDevice(p Part, up, out add) {
	d := &t.g.devices[p.N]
	spec := t.s.Devices.At(p.N).Spec
	for _, c := range d.cords {
		up(psuOf(p.N, c.psu), "power", inventory)
	}
	if d.feed >= 0 {
		up(t.g.feedAt(d.feed), "power", inventory)
	}
	for k := range d.cables {
		nic := nicOf(t.s.Devices.At(p.N), p.N, &spec.Links[k])
		kind := "data"
		if nic.Kind == BMC {
			kind = "management"
		}
		out(nic, kind, inventory)
	}
	if n := t.s.Regions.Number(spec.Region); d.edge && n >= 0 {
		out(Part{Kind: Region, N: n}, "data", inventory)
	}
	if n := t.s.Racks.Number(spec.Rack); n >= 0 {
		up(Part{Kind: Rack, N: n}, "mount", inventory)
	}
}

// farEnd goes from the near end of a cable to its port, and from a port that
// starts no cable to its switch.
func (t *tracer) farEnd(p Part, out add) {
	k := t.uplink(p)
	if k < 0 {
		out(t.g.deviceAt(t.s, p.N), "data", inventory)
		return
	}
	if to := t.g.devices[p.N].cables[k].to; to >= 0 {
		kind := "data"
		if p.Kind == BMC {
			kind = "management"
		}
		out(Part{Port, to, t.g.portOf(end{p.N, k})}, kind, t.cabled(p.N, k))
	}
}

// carriers are the instances and machines that carry a service.
func (t *tracer) carriers(p Part, up add) {
	v := t.s.Services.At(p.N)
	for _, n := range v.Instances {
		up(Part{Kind: Instance, N: n}, "serves", witness{intended: true, observed: true, evidence: "tags+cloud", at: t.cloudSays(t.s.Instances.At(n)).at})
	}
	for _, n := range v.Devices {
		up(t.g.deviceAt(t.s, n), "serves", witness{intended: true, evidence: "tags"})
	}
}

func (t *tracer) hostOf(p Part, up add) {
	x := t.s.Instances.At(p.N)
	if x.Device >= 0 {
		up(t.g.deviceAt(t.s, x.Device), "host", t.cloudSays(x))
		return
	}
	if n := t.s.Hosts.Number(x.Cloud + "/" + x.Host); x.Host != "" && n >= 0 {
		up(Part{Kind: Host, N: n}, "host", t.cloudSays(x))
		return
	}
	if n := t.s.Clouds.Number(x.Cloud); n >= 0 {
		up(Part{Kind: Cloud, N: n}, "host", t.cloudSays(x))
	}
}

// below lists what needs a part or stands in it.
func (t *tracer) below(p Part) []step {
	t.steps = t.steps[:0]
	down, in := t.on, t.back
	switch p.Kind {
	case Feed, Utility:
		for _, n := range t.g.feeds[p.N].feeds {
			down(t.g.feedAt(n), "power", inventory)
		}
		for _, n := range t.g.feeds[p.N].devices {
			down(t.g.deviceAt(t.s, n), "power", inventory)
		}
	case Outlet:
		no := outletNo(p.Name)
		for _, e := range t.g.devices[p.N].feeds {
			if c := t.g.devices[e.device].cords[e.k]; c.outlet == no {
				down(psuOf(e.device, c.psu), "power", inventory)
			}
		}
	case PSU:
		down(t.g.deviceAt(t.s, p.N), "power", inventory)
	case NIC:
		in(t.g.deviceAt(t.s, p.N), "data", inventory)
	case BMC:
		in(t.g.deviceAt(t.s, p.N), "management", inventory)
	case Port:
		t.nearEnds(p, in)
	case Region:
		t.inRegion(p, down, in)
	case Site:
		t.inSite(p, down)
	case Rack:
		for i := range t.g.stands {
			if int(t.g.stands[i].rack) == p.N {
				down(t.g.deviceAt(t.s, i), "mount", inventory)
			}
		}
	case Cloud:
		for n := range t.s.Hosts.Len() {
			if h := t.s.Hosts.At(n); h.Cloud == t.s.Clouds.ID(p.N) && h.Device < 0 {
				down(Part{Kind: Host, N: n}, "host", witness{observed: true, evidence: "cloud", at: t.s.Clouds.At(p.N).Tables[fleet.TableHosts].At})
			}
		}
		t.carried(t.guests.OnCloud(p.N), down)
	case Host:
		t.carried(t.guests.OnHost(p.N), down)
	case Instance:
		if n := t.s.Services.Number(t.s.Instances.At(p.N).Service); n >= 0 {
			down(Part{Kind: Service, N: n}, "serves", witness{intended: true, observed: true, evidence: "tags+cloud", at: t.cloudSays(t.s.Instances.At(p.N)).at})
		}
	default:
		if p.device() {
			t.belowDevice(p, down, in)
		}
	}
	return t.steps
}

func (t *tracer) belowDevice(p Part, down, in add) {
	d := &t.g.devices[p.N]
	for _, n := range d.lines {
		down(t.g.feedAt(n), "power", inventory)
	}
	for _, e := range d.feeds {
		down(Part{Outlet, p.N, outletName(t.g.devices[e.device].cords[e.k].outlet)}, "power", t.plugged(p.N))
	}
	for _, e := range d.ends {
		in(Part{Port, p.N, t.g.portOf(e)}, "data", inventory)
	}
	t.carried(t.guests.OnDevice(p.N), down)
	for _, n := range t.guests.Serves(p.N) {
		down(Part{Kind: Service, N: int(n)}, "serves", witness{intended: true, evidence: "tags"})
	}
}

// carried are the instances on something.
func (t *tracer) carried(guests []int32, down add) {
	for _, n := range guests {
		down(Part{Kind: Instance, N: int(n)}, "host", t.cloudSays(t.s.Instances.At(int(n))))
	}
}

// nearEnds goes from a port down to what is plugged into it, and from a port
// that starts a cable of its own to its switch.
func (t *tracer) nearEnds(p Part, in add) {
	if t.uplink(p) >= 0 {
		in(t.g.deviceAt(t.s, p.N), "data", inventory)
		return
	}
	for _, e := range t.g.devices[p.N].ends {
		if t.g.portOf(e) != p.Name {
			continue
		}
		d := t.s.Devices.At(e.device)
		nic, kind := nicOf(d, e.device, &d.Spec.Links[e.k]), "data"
		if nic.Kind == BMC {
			kind = "management"
		}
		in(nic, kind, t.cabled(e.device, e.k))
	}
	d := t.s.Devices.At(p.N)
	for i := range d.Miscabled { // what is there instead
		if m := &d.Miscabled[i]; m.Port == p.Name && m.Hears.Part != "" {
			far := t.s.Devices.At(m.Hears.Device)
			in(nicOf(far, m.Hears.Device, &fleet.Cable{NIC: m.Hears.Part}), "data", witness{observed: true, evidence: m.Source, at: d.Tables[fleet.TableNeighbors].At})
		}
	}
}

func (t *tracer) inRegion(p Part, down, in add) {
	name := t.s.Regions.ID(p.N)
	for _, n := range t.g.nets {
		if t.g.devices[n].edge && t.s.Devices.At(n).Spec.Region == name {
			in(t.g.deviceAt(t.s, n), "data", inventory)
		}
	}
	for n := range t.s.Racks.Len() {
		if t.s.Racks.At(n).Spec.Region == name {
			down(Part{Kind: Rack, N: n}, "mount", inventory)
		}
	}
}

func (t *tracer) inSite(p Part, down add) {
	name := t.s.Sites.ID(p.N)
	for n := range t.g.feeds {
		if t.s.Feeds.At(n).Spec.Site == name && t.g.feeds[n].feed < 0 && t.g.feeds[n].ups < 0 {
			down(t.g.feedAt(n), "power", inventory)
		}
	}
	for n := range t.s.Racks.Len() {
		if t.s.Racks.At(n).Spec.Site == name {
			down(Part{Kind: Rack, N: n}, "mount", inventory)
		}
	}
}
