package trace

import (
	"slices"
	"strings"

	"plumb/fleet"
)

// symptom is one thing that is not as it should be, and who may be behind it. A
// device has as many as it has reasons, because two faults may meet in it; one
// without power has one for each cord, because each needs an explanation.
type symptom struct {
	part    Part
	about   string
	weight  int
	silence bool   // nothing was seen: neither well nor broken
	moved   bool   // it carries what others carried before
	own     []Part // what it is where nothing above explains it, the lowest first
	above   []Part
}

// tells reports whether the symptom is a part's own word: it says of itself, or
// the machine of its power supply, that it is not well.
func (x *symptom) tells(p Part) bool {
	return !x.silence && (x.part == p || p.Kind == PSU && p.N == x.part.N)
}

// weightOf is how much a state asks for an explanation.
func weightOf(st fleet.State) int {
	switch st {
	case fleet.StateCrit:
		return 3
	case fleet.StateWarn:
		return 2
	case fleet.StateUnknown:
		return 1
	}
	return 0
}

// symptoms lists what is wrong now.
func (q *inquiry) symptoms() (out []symptom) {
	for n := range q.s.Devices.Len() {
		out = q.ofDevice(out, n)
	}
	for n := range q.s.Feeds.Len() {
		if q.s.Feeds.At(n).State == fleet.StateCrit {
			list := q.feedOf(n)
			out = append(out, symptom{part: list[0], about: "feed", weight: 3, own: list[:1], above: list[1:]})
		}
	}
	for n := range q.s.Sites.Len() {
		if !q.s.Sites.At(n).SilentSince.IsZero() {
			p := Part{Kind: Site, N: n}
			out = append(out, symptom{part: p, about: "path", weight: 3, silence: true, own: []Part{p}})
		}
	}
	return q.ofGuests(out)
}

func (q *inquiry) ofDevice(out []symptom, n int) []symptom {
	d := q.s.Devices.At(n)
	w := weightOf(d.State)
	if w == 0 || d.SeenAt.IsZero() && d.Err == nil {
		return out // well, off, or nobody asked it yet
	}
	for _, about := range d.About {
		if !strings.HasPrefix(about, "note ") {
			out = q.ofReason(out, n, symptom{part: q.g.deviceAt(q.s, n), about: about, weight: w})
		}
	}
	return out
}

// ofReason finds who may be behind one reason of a device.
func (q *inquiry) ofReason(out []symptom, n int, x symptom) []symptom {
	d := q.s.Devices.At(n)
	x.own = []Part{x.part}
	what, name, _ := strings.Cut(x.about, " ")
	switch what {
	case "sight", "blind":
		x.silence = true
		x.own = q.silentSelf(n)
		x.above = q.sightOf(n)
		if site := q.s.Sites.Number(d.Spec.Site); site >= 0 && !q.s.Sites.At(site).SilentSince.IsZero() {
			x.own, x.above = []Part{{Kind: Site, N: site}}, nil
		}
	case "table": // a part of it is no longer read: neither well nor broken
		x.silence = true
	case "power":
		if len(q.g.devices[n].cords) > 0 && name == "" && unseen(d) {
			for k := range q.g.devices[n].cords {
				each := x
				each.above = q.cordOf(n, k)
				out = append(out, each)
			}
			return out
		}
		x.above = q.powerOf(n)
	case "light", "host":
		if what == "host" && q.drained(n) {
			return out
		}
		x.above = q.powerOf(n)
	case "PSU":
		no := supplyNo(x.about)
		x.own = []Part{psuOf(n, no)}
		if q.crossed(n, no) > 0 {
			break // what is above the outlet it should be in explains nothing
		}
		for k, c := range q.g.devices[n].cords {
			if c.psu == no {
				x.above = q.cordOf(n, k)
			}
		}
	case "outlet":
		x.own = []Part{{Outlet, n, name}}
	case "port", "errors", "cable":
		x.own = []Part{{Port, n, name}}
		switch what {
		case "port":
			x.above = q.farEnd(n, name)
		case "cable":
			x.own[0] = q.exchange(x.own[0])
		}
	case "sensor":
		if r := q.warmRack(d, name); r.Kind == Rack {
			x.own = []Part{r}
		}
		if list := q.failed(n); len(list) > 0 && tellsRedundancy(d.Sensor(name), name) {
			x.own = list
		}
		if measuresLoad(d.Sensor(name)) {
			x.above = q.movers(n)
			x.moved = len(x.above) > 0
		}
	}
	return append(out, x)
}

// tellsRedundancy reports whether a sensor says how many power supplies are
// left, as BMCs call it: "PS Redundancy", "Power Redundancy".
func tellsRedundancy(x *fleet.Sensor, key string) bool {
	name := strings.ToLower(key)
	if x != nil && x.SensorDef != nil {
		name = strings.ToLower(x.Name)
	}
	return strings.Contains(name, "redundan") && (strings.Contains(name, "ps") || strings.Contains(name, "power"))
}

// failed are the power supplies that a machine says are not well: what it says
// of its redundancy is their doing.
func (q *inquiry) failed(n int) (list []Part) {
	for _, about := range q.s.Devices.At(n).About {
		if no := supplyNo(about); no > 0 && q.crossed(n, no) == 0 {
			list = append(list, psuOf(n, no))
		}
	}
	return list
}

// drained reports whether all that is said of a hypervisor is that people took
// it out of use: that is work, and nothing is broken.
func (q *inquiry) drained(n int) bool {
	host, ok := q.s.HostOf[n]
	return ok && q.s.Hosts.At(host).State == fleet.StateWarn
}

// silentSelf is what a silent device may be by itself: what nobody hears is its
// BMC before it is the machine.
func (q *inquiry) silentSelf(n int) []Part {
	d := q.s.Devices.At(n)
	self := q.g.deviceAt(q.s, n)
	for k := range q.g.devices[n].cables {
		if q.g.devices[n].cables[k].management {
			return []Part{nicOf(d, n, &d.Spec.Links[k]), self}
		}
	}
	return []Part{self}
}

// farEnd lists what takes the light from a port: what leaves the machine on its
// cable dead. One that answers is not.
func (q *inquiry) farEnd(n int, port string) []Part {
	p := q.s.Devices.At(n).Port(port)
	if p != nil && p.Admin == "down" {
		return nil // a person shut it
	}
	far, ok := q.s.Cabled[q.s.Devices.ID(n)+"/"+port]
	if ok && far.Device == n {
		ok = false
	}
	if !ok {
		if k := slices.IndexFunc(q.s.Devices.At(n).Spec.Links, func(c fleet.Cable) bool { return c.NIC == port }); k >= 0 && q.g.devices[n].cables[k].to >= 0 {
			far, ok = fleet.Attachment{Device: q.g.devices[n].cables[k].to}, true
		}
	}
	if !ok {
		return nil
	}
	if d := q.s.Devices.At(far.Device); q.witness(d) && !Dead(d) && !q.contradicted(far.Device) {
		return nil
	}
	return q.powerOf(far.Device)
}

// contradicted reports whether a machine that says it runs draws nothing and
// lights none of its cables. That it is dead is said when it had the time to
// boot; that it is behind its dark ports is the likeliest before.
func (q *inquiry) contradicted(n int) bool {
	if !slices.Contains(q.s.Devices.At(n).About, "power") {
		return false
	}
	for k := range q.g.devices[n].cables {
		c := &q.g.devices[n].cables[k]
		if c.management || c.to < 0 {
			continue
		}
		_, name, _ := strings.Cut(q.s.Devices.At(n).Spec.Links[k].To, "/")
		if p := q.s.Devices.At(c.to).Port(name); p != nil && p.Up() {
			return false
		}
	}
	return true
}

// warmRack is the rack of a server whose inlet is too warm, where the engine
// says so of the rack as a whole. What is warm inside of such a server is warm
// by the same air.
func (q *inquiry) warmRack(d *fleet.Device, key string) Part {
	n := q.s.Racks.Number(d.Spec.Rack)
	x := d.Sensor(key)
	if n < 0 || x == nil || !x.Inlet() && !(x.SensorDef != nil && x.Class == fleet.ClassTemperature && warmInlet(d)) {
		return Part{}
	}
	said := len(q.s.Racks.At(n).Reasons)
	if site := q.s.Sites.Get(d.Spec.Site); site != nil && !site.SilentSince.IsZero() {
		said-- // that one is of the path
	}
	if said < 1 {
		return Part{}
	}
	return Part{Kind: Rack, N: n}
}

// warmInlet reports whether a device says that the air it takes in is too warm.
func warmInlet(d *fleet.Device) bool {
	return slices.ContainsFunc(d.About, func(about string) bool {
		key, is := strings.CutPrefix(about, "sensor ")
		x := d.Sensor(key)
		return is && x != nil && x.Inlet()
	})
}

// ofGuests lists what clouds say is not well. A guest hangs on its host, a
// service on whichever of its replicas do not run.
func (q *inquiry) ofGuests(out []symptom) []symptom {
	add := func(p Part, st fleet.State, above []Part) {
		if w := weightOf(st); w > 0 {
			out = append(out, symptom{part: p, about: "guest", weight: w, silence: st == fleet.StateUnknown, own: []Part{p}, above: above})
		}
	}
	for n := range q.s.Clouds.Len() {
		c := q.s.Clouds.At(n)
		var above []Part
		if c.State == fleet.StateUnknown {
			above = q.lostWay(c.Spec.Region)
		}
		add(Part{Kind: Cloud, N: n}, c.State, above)
	}
	for n := range q.s.Hosts.Len() {
		if x := q.s.Hosts.At(n); x.State == fleet.StateCrit {
			add(Part{Kind: Host, N: n}, x.State, q.carrier(x.Device))
		}
	}
	for n := range q.s.Instances.Len() {
		x := q.s.Instances.At(n)
		if x.Told == fleet.StateOK && x.State == fleet.StateWarn && q.drained(x.Device) {
			continue
		}
		if weightOf(x.State) > 0 {
			add(Part{Kind: Instance, N: n}, x.State, q.underGuest(x))
		}
	}
	for n := range q.s.Services.Len() {
		v, p := q.s.Services.At(n), Part{Kind: Service, N: n}
		switch {
		case weightOf(v.State) == 0 || unasked(v):
		case ailing(v):
			out = append(out, symptom{part: p, about: "health", weight: weightOf(v.State), silence: v.State == fleet.StateUnknown, own: []Part{p}, above: q.underWorkload(v)})
		default:
			add(p, v.State, q.underService(v))
		}
	}
	return out
}

// lostWay is the lost path to a region: one of its sites, where all are lost.
// What else is asked there went silent with it.
func (q *inquiry) lostWay(region string) (list []Part) {
	for n := range q.s.Sites.Len() {
		site := q.s.Sites.At(n)
		if site.Spec.Region != region {
			continue
		}
		if site.SilentSince.IsZero() {
			return nil
		}
		list = append(list, Part{Kind: Site, N: n})
	}
	return list
}

// carrier lists what takes a machine from its guests, nothing where it is well.
func (q *inquiry) carrier(n int) []Part {
	if n < 0 {
		return nil
	}
	d := q.s.Devices.At(n)
	if q.witness(d) && Running(d.State) && !Dead(d) && !slices.Contains(d.About, "host") {
		return nil
	}
	if site := q.s.Sites.Number(d.Spec.Site); site >= 0 && !q.s.Sites.At(site).SilentSince.IsZero() {
		return []Part{{Kind: Site, N: site}}
	}
	return append(q.failed(n), q.sightOf(n)...)
}

// underGuest lists what an instance stands on that is not well.
func (q *inquiry) underGuest(x *fleet.InstanceState) []Part {
	list := q.carrier(x.Device)
	if n := q.s.Hosts.Number(x.Cloud + "/" + x.Host); x.Device < 0 && n >= 0 && q.s.Hosts.At(n).State != fleet.StateOK {
		list = append(list, Part{Kind: Host, N: n})
	}
	if n := q.s.Clouds.Number(x.Cloud); n >= 0 && q.s.Clouds.At(n).State != fleet.StateOK && x.State == fleet.StateUnknown {
		list = append(slices.Clone(list), Part{Kind: Cloud, N: n})
	}
	return list
}
