package engine

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/fleet/alert"
	"plumb/fleet/capacity"
)

// DefaultIntervals are used where an inventory names none.
var DefaultIntervals = [3]time.Duration{time.Minute, time.Minute, 5 * time.Minute}

// reload builds every table anew from the inventory and judges it all.
func (s *step) reload(inv *fleet.Inventory) {
	s.lay(inv)
	for i := range s.devices.Len() {
		s.judge(i)
	}
	s.gatherCohorts()
	for i := range s.devices.Len() {
		if s.devices.Peek(i).Docket != nil { // what is intended now is held against what is known
			s.weigh(i)
		}
	}
	for i := range s.clouds.Len() {
		if s.clouds.Peek(i).Docket != nil {
			s.doubt(i)
		}
	}
	s.recount()
}

// lay builds every table anew from the inventory; what is still there keeps
// what is known of it. It must see the edits of this step, so it closes and
// reopens them.
func (s *step) lay(inv *fleet.Inventory) {
	s.next.Devices, s.next.Clouds = s.devices.Done(), s.clouds.Done()
	n := &s.next
	n.Intervals = inv.Intervals
	for i, d := range n.Intervals {
		if d <= 0 {
			n.Intervals[i] = DefaultIntervals[i]
		}
	}
	n.Regions = keep(inv.Regions, &n.Regions, func(r *fleet.RegionSpec) string { return r.Name }, func(r *fleet.Region, sp *fleet.RegionSpec) { r.Spec = sp })
	n.Sites = keep(inv.Sites, &n.Sites, func(r *fleet.SiteSpec) string { return r.Name }, func(r *fleet.Site, sp *fleet.SiteSpec) { r.Spec = sp })
	n.Racks = keep(inv.Racks, &n.Racks, func(r *fleet.RackSpec) string { return r.ID }, func(r *fleet.Rack, sp *fleet.RackSpec) { r.Spec = sp })
	n.Feeds = keep(inv.Feeds, &n.Feeds, func(r *fleet.FeedSpec) string { return r.Name }, func(r *fleet.Feed, sp *fleet.FeedSpec) { r.Spec = sp })
	n.Devices = keep(inv.Devices, &n.Devices, func(r *fleet.DeviceSpec) string { return r.ID }, func(r *fleet.Device, sp *fleet.DeviceSpec) { r.Spec = sp })
	n.Clouds = keep(inv.Clouds, &n.Clouds, func(r *fleet.CloudSpec) string { return r.Name }, func(r *fleet.Cloud, sp *fleet.CloudSpec) { r.Spec = sp })
	n.Services = keep(inv.Services, &n.Services, func(r *fleet.ServiceSpec) string { return r.Name }, func(r *fleet.Service, sp *fleet.ServiceSpec) {
		if !sameHealth(r.Spec, sp) {
			r.Health = nil // what it said was the answer to another question
		}
		r.Spec = sp
	})
	n.Topology = topology(n)
	n.Policies, n.Remediation = inv.Policies.Standing(s.now), &inv.Remediation
	n.Rules = alert.Compile(&inv.Alerting, n)
	n.Cohorts = nil // who is like whom may have changed
	for i := range n.Racks.Len() {
		r := n.Racks.At(i)
		r.FreeUnits = capacity.FreeUnits(n, r.Spec)
	}
	s.dropGuests()
	s.indexHosts()
	s.open()
	clear(s.touched) // numbers of the inventory before
	s.viewed, s.viewedAt = nil, nil
	s.stirred = nil
	for i := range s.devices.Len() {
		if d := s.devices.Peek(i); len(d.Miscabled) > 0 || len(d.Neighbors) > 0 {
			d = s.devices.At(i)
			d.Miscabled = s.miscabled(d) // it names devices by number too
		}
	}
	for i := range s.devices.Len() {
		s.touched[i] = true
	}
	s.guests, s.changed, s.rolled = true, true, true
}

// dropGuests forgets what clouds told that left the inventory, and finds the
// others' devices anew.
func (s *step) dropGuests() {
	gone := func(cloud string) bool { return s.next.Clouds.Number(cloud) < 0 }
	var hosts []fleet.HostState
	for _, h := range s.next.Hosts.All() {
		if !gone(h.Cloud) {
			h := *h
			h.Device = s.next.Devices.Number(h.Name)
			hosts = append(hosts, h)
		}
	}
	all := func(*fleet.HostState) bool { return true }
	s.next.Hosts = replace(&s.next.Hosts, hosts, all, func(h *fleet.HostState) string { return h.Cloud + "/" + h.Name })
	for _, x := range s.next.Instances.All() {
		if gone(x.Cloud) {
			s.next.Instances = replace(&s.next.Instances, nil, func(x *fleet.InstanceState) bool { return gone(x.Cloud) }, func(x *fleet.InstanceState) string { return x.ID })
			return
		}
	}
}

// keep makes a table for the specs, carrying over the state of ids that were
// there before. Rows of a fresh table may be written until it is published.
func keep[S, T any](specs []S, old *fleet.Table[T], id func(*S) string, set func(*T, *S)) fleet.Table[T] {
	ids := make([]string, len(specs))
	for i := range specs {
		ids[i] = id(&specs[i])
	}
	return fleet.TableOf(ids, func(i int, row *T) {
		if was := old.Get(ids[i]); was != nil {
			*row = *was
		}
		set(row, &specs[i])
	})
}

// cable notes what is meant to hang on a port.
func cable(t *fleet.Topology, at string, far fleet.Attachment) {
	t.Cabled[at] = far
	device, port, _ := strings.Cut(at, "/")
	ports := t.CabledOn[device]
	if ports == nil {
		ports = map[string]fleet.Attachment{}
		t.CabledOn[device] = ports
	}
	ports[port] = far
}

func topology(n *fleet.Snapshot) *fleet.Topology {
	links, cords := 0, 0
	for _, d := range n.Devices.All() {
		links, cords = links+len(d.Spec.Links), cords+len(d.Spec.Power)
	}
	t := &fleet.Topology{
		RacksOf: map[string][]int{}, DevicesOf: make(map[string][]int, n.Racks.Len()), Loose: map[string][]int{},
		Cabled: make(map[string]fleet.Attachment, links), CabledOn: map[string]map[string]fleet.Attachment{}, Corded: make(map[string]fleet.Attachment, cords), PDUsOf: map[string][]int{},
		NICs: make(map[string]fleet.Attachment, links), SiteOf: map[string][]int{},
	}
	for i := range n.Racks.Len() {
		r := n.Racks.At(i).Spec
		t.RacksOf[r.Region] = append(t.RacksOf[r.Region], i)
	}
	for i := range n.Devices.Len() {
		d := n.Devices.At(i).Spec
		if d.Rack != "" {
			t.DevicesOf[d.Rack] = append(t.DevicesOf[d.Rack], i)
		} else {
			t.Loose[d.Site] = append(t.Loose[d.Site], i)
		}
		if len(d.Endpoints) > 0 {
			t.SiteOf[d.Site] = append(t.SiteOf[d.Site], i)
		}
		for _, c := range d.Links {
			cable(t, c.To, fleet.Attachment{Device: i, Part: c.NIC})
			if c.MAC != "" {
				t.NICs[strings.ToLower(c.MAC)] = fleet.Attachment{Device: i, Part: c.NIC}
			}
			if sw, port, _ := strings.Cut(c.To, "/"); d.Kind == fleet.KindSwitch || d.Kind == fleet.KindRouter {
				if far := n.Devices.Number(sw); far >= 0 {
					cable(t, d.ID+"/"+c.NIC, fleet.Attachment{Device: far, Part: port})
				}
			}
		}
		for _, c := range d.Power {
			t.Corded[c.Outlet] = fleet.Attachment{Device: i, Part: "PSU " + strconv.Itoa(c.PSU)}
		}
		if d.Feed != "" {
			t.PDUsOf[d.Feed] = append(t.PDUsOf[d.Feed], i)
		}
	}
	t.Near = near(n)
	for _, list := range t.DevicesOf {
		slices.SortStableFunc(list, func(a, b int) int {
			return int(n.Devices.At(b).Spec.Unit) - int(n.Devices.At(a).Spec.Unit)
		})
	}
	return t
}

// near lists for every device those at the other ends of its cables and cords,
// each once.
func near(n *fleet.Snapshot) [][]int {
	out := make([][]int, n.Devices.Len())
	join := func(i int, far string) {
		name, _, _ := strings.Cut(far, "/")
		if j := n.Devices.Number(name); j >= 0 && j != i && !slices.Contains(out[i], j) {
			out[i], out[j] = append(out[i], j), append(out[j], i)
		}
	}
	for i := range n.Devices.Len() {
		d := n.Devices.At(i).Spec
		for _, c := range d.Links {
			join(i, c.To)
		}
		for _, c := range d.Power {
			join(i, c.Outlet)
		}
	}
	return out
}
