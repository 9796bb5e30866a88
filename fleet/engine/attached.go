package engine

import (
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/drift"
	"plumb/fleet/security"
)

// Where a device hangs is told by others: by the switches at the other ends of
// its cables. It is looked up when the device is judged, in what they said last,
// and kept with the device, so that a judgement is one of values. What was
// counted of it for a whole site is corrected by the difference.

// attach notes where a device hangs.
func (s *step) attach(i int, d *fleet.Device) {
	was := d.Attached
	next, rests := s.attached(i, d)
	d.AttachedAt = rests
	switch {
	case next == nil:
		d.Attached = nil
	case !sameAttached(was, next):
		s.countAttached(d, was, next)
		d.Attached = next
	}
}

// attached is where a device hangs, as the switches near it say now, and how old
// the oldest of what that rests on is; nil where nobody asks.
func (s *step) attached(i int, d *fleet.Device) (next *fleet.Attached, rests time.Time) {
	bmc := spokenTo(d, fleet.SourceIPMI)
	segments := s.policies().Segments
	ports := len(segments) > 0 && len(d.Spec.Links) > 0 && !switching(d)
	if !bmc && !ports {
		return nil, zero
	}
	next = &fleet.Attached{}
	if bmc {
		next.BMC = s.sightBMC(i, d, &rests)
	}
	if ports {
		next.Ports = s.memberships(d, &rests)
	}
	return next, rests
}

func sameAttached(a, b *fleet.Attached) bool {
	return a != nil && b != nil && a.BMC == b.BMC && slices.EqualFunc(a.Ports, b.Ports, sameMembership)
}

func sameMembership(a, b fleet.Membership) bool {
	return a.NIC == b.NIC && a.Management == b.Management && a.Switch == b.Switch && a.Port == b.Port && a.Known == b.Known && slices.Equal(a.VLANs, b.VLANs)
}

func spokenTo(d *fleet.Device, source fleet.Source) bool {
	return slices.ContainsFunc(d.Spec.Endpoints, func(e fleet.Endpoint) bool { return e.Source == source })
}

func switching(d *fleet.Device) bool {
	return d.Spec.Kind == fleet.KindSwitch || d.Spec.Kind == fleet.KindRouter
}

// older keeps the oldest of what is rested on.
func older(rests *time.Time, at time.Time) {
	if rests.IsZero() || at.Before(*rests) {
		*rests = at
	}
}

// sightBMC finds the address of a BMC among those that the switches near it
// have learned: where it is meant to be, else at a port that leads to no other
// switch, else anywhere. The VLAN is the same wherever it is seen.
func (s *step) sightBMC(i int, d *fleet.Device, rests *time.Time) fleet.Sighting {
	mac, meant := strings.ToLower(d.Facts.Get("bmc.mac")), ""
	for k := range d.Spec.Links {
		if c := &d.Spec.Links[k]; c.Management() {
			meant = c.To
			if mac == "" {
				mac = strings.ToLower(c.MAC)
			}
		}
	}
	if mac == "" || i >= len(s.next.Near) {
		return fleet.Sighting{}
	}
	var best fleet.Sighting
	rank := 0
	for _, j := range s.next.Near[i] {
		sw := s.devices.Peek(j)
		if !switching(sw) || !s.readable(sw, fleet.TableFDB) {
			continue
		}
		older(rests, sw.DeepAt)
		for k := range sw.FDB {
			e := &sw.FDB[k]
			if e.MAC != mac {
				continue
			}
			if r := s.rank(sw, e.Port, meant); r > rank {
				rank, best = r, fleet.Sighting{Switch: sw.Spec.ID, Port: e.Port, VLAN: vlanOf(sw, e)}
			}
		}
	}
	return best
}

// rank says how well a port tells where an address is.
func (s *step) rank(sw *fleet.Device, port, meant string) int {
	at := sw.Spec.ID + "/" + port
	far, cabled := s.next.Cabled[at]
	switch {
	case at == meant:
		return 3
	case !cabled || !switching(s.devices.Peek(far.Device)):
		return 2
	}
	return 1
}

// vlanOf is the VLAN an address was learned in; a bridge that does not say has
// it in that of the port.
func vlanOf(sw *fleet.Device, e *fleet.FDBEntry) int {
	if e.VLAN != 0 {
		return e.VLAN
	}
	if p := sw.Port(e.Port); p != nil {
		return p.VLAN
	}
	return 0
}

// memberships are the VLANs of the ports that a device's cables lead to. A port
// that hears something else is another device's.
func (s *step) memberships(d *fleet.Device, rests *time.Time) []fleet.Membership {
	out := make([]fleet.Membership, 0, len(d.Spec.Links))
	for k := range d.Spec.Links {
		c := &d.Spec.Links[k]
		m := fleet.Membership{NIC: c.NIC, Management: c.Management()}
		m.Switch, m.Port, _ = strings.Cut(c.To, "/")
		if n := s.next.Devices.Number(m.Switch); n >= 0 {
			sw := s.devices.Peek(n)
			strange := slices.ContainsFunc(sw.Miscabled, func(x fleet.Miscable) bool { return x.Port == m.Port })
			if vlans, ok := s.vlansOf(sw, m.Port); ok && !strange {
				older(rests, sw.DeepAt)
				m.Known, m.VLANs = true, vlans
			}
		}
		out = append(out, m)
	}
	return out
}

// vlansOf lists the VLANs that a port, or the aggregate it is in, is a member of; ok is false where that
// cannot be read. A device without a table of VLANs tells the port's own.
func (s *step) vlansOf(sw *fleet.Device, port string) (vlans []int, ok bool) {
	p := sw.Port(port)
	if p == nil || !s.readable(sw, fleet.TablePorts) {
		return nil, false
	}
	switch {
	case s.readable(sw, fleet.TableVLANs):
		for i := range sw.VLANs {
			if v := &sw.VLANs[i]; slices.Contains(v.Ports, port) || p.LAG != "" && slices.Contains(v.Ports, p.LAG) {
				vlans = append(vlans, v.ID)
			}
		}
	case sw.Deep[fleet.TableVLANs] != fleet.Absent || p.VLAN == 0:
		return nil, false
	}
	if p.VLAN != 0 && !slices.Contains(vlans, p.VLAN) {
		vlans = append(vlans, p.VLAN)
	}
	slices.Sort(vlans)
	return vlans, true
}

// weighBehind judges again what hangs elsewhere than it did by the tables that a
// switch was just read for: until its own next poll nobody else would say so, and
// at the first read of a switch nobody could. What is as it was waits for its poll.
func (s *step) weighBehind(i int, was *fleet.Device) {
	if d := s.devices.Peek(i); !switching(d) || i >= len(s.next.Near) || showsAs(d, was) {
		return
	}
	for _, j := range s.next.Near[i] {
		far := s.devices.Peek(j)
		if far.Docket == nil || far.Attached == nil {
			continue
		}
		if next, _ := s.attached(j, far); !sameAttached(far.Attached, next) {
			s.weigh(j)
		}
	}
}

// showsAs reports whether a switch shows all that things hang by as it did.
func showsAs(d, was *fleet.Device) bool {
	return d.Deep == was.Deep && slices.Equal(d.FDB, was.FDB) && slices.Equal(d.Miscabled, was.Miscabled) &&
		slices.EqualFunc(d.VLANs, was.VLANs, func(a, b fleet.VLAN) bool { return sameVLAN(&a, &b) }) &&
		slices.EqualFunc(d.Ports, was.Ports, func(a, b fleet.Port) bool { return a.Name == b.Name && a.VLAN == b.VLAN && a.LAG == b.LAG })
}

// countAttached corrects what is counted of a site: on which VLAN its BMCs are,
// and on which those are that a segment keeps others apart from.
func (s *step) countAttached(d *fleet.Device, was, is *fleet.Attached) {
	before, after := security.SiteFacts(d.Spec, was, s.policies()), security.SiteFacts(d.Spec, is, s.policies())
	key := security.SiteKey(d.Spec.Site)
	for _, f := range before {
		if !slices.Contains(after, f) {
			s.cohort(key, f.Name, f.Value, "")
		}
	}
	for _, f := range after {
		if !slices.Contains(before, f) {
			s.cohort(key, f.Name, "", f.Value)
		}
	}
}

// gatherAttached counts a device anew, see gatherCohorts.
func (s *step) gatherAttached(all map[string]fleet.Tally, d *fleet.Device) {
	if d.Attached == nil {
		return
	}
	key := security.SiteKey(d.Spec.Site)
	for _, f := range security.SiteFacts(d.Spec, d.Attached, s.policies()) {
		if all[key] == nil {
			all[key] = fleet.Tally{}
		}
		drift.Cohort(all[key]).Add(f.Name, f.Value)
	}
}
