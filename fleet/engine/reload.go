package engine

import (
	"slices"
	"strconv"
	"time"

	"plumb/fleet"
)

// DefaultIntervals are used where an inventory names none.
var DefaultIntervals = [3]time.Duration{time.Minute, time.Minute, 5 * time.Minute}

// reload builds every table anew from the inventory; what is still there keeps
// what is known of it. It must see the edits of this step, so it closes and
// reopens them.
func (s *step) reload(inv *fleet.Inventory) {
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
	n.Services = keep(inv.Services, &n.Services, func(r *fleet.ServiceSpec) string { return r.Name }, func(r *fleet.Service, sp *fleet.ServiceSpec) { r.Spec = sp })
	n.Topology = topology(n)
	for i := range n.Racks.Len() {
		r := n.Racks.At(i)
		r.FreeUnits = freeUnits(n, r.Spec)
	}
	s.open()
	for i := range n.Devices.Len() {
		s.judge(i)
		s.touched[i] = true
	}
	s.recount()
	s.guests, s.changed = true, true
}

// keep makes a table for the specs, carrying over the state of ids that were
// there before. Rows of a fresh table may be written until it is published.
func keep[S, T any](specs []S, old *fleet.Table[T], id func(*S) string, set func(*T, *S)) fleet.Table[T] {
	ids, rows := make([]string, len(specs)), make([]T, len(specs))
	for i := range specs {
		ids[i] = id(&specs[i])
		if was := old.Get(ids[i]); was != nil {
			rows[i] = *was
		}
		set(&rows[i], &specs[i])
	}
	return fleet.NewTable(ids, rows)
}

func topology(n *fleet.Snapshot) *fleet.Topology {
	t := &fleet.Topology{
		RacksOf: map[string][]int{}, DevicesOf: map[string][]int{}, Loose: map[string][]int{},
		Cabled: map[string]fleet.Attachment{}, Corded: map[string]fleet.Attachment{}, PDUsOf: map[string][]int{},
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
		for _, c := range d.Links {
			t.Cabled[c.To] = fleet.Attachment{Device: i, Part: c.NIC}
		}
		for _, c := range d.Power {
			t.Corded[c.Outlet] = fleet.Attachment{Device: i, Part: "PSU " + strconv.Itoa(c.PSU)}
		}
		if d.Feed != "" {
			t.PDUsOf[d.Feed] = append(t.PDUsOf[d.Feed], i)
		}
	}
	for _, list := range t.DevicesOf {
		slices.SortStableFunc(list, func(a, b int) int {
			return int(n.Devices.At(b).Spec.Unit) - int(n.Devices.At(a).Spec.Unit)
		})
	}
	return t
}

// freeUnits counts whole units with nothing in them on either face. Devices
// beside the rails (unit 0) take none.
func freeUnits(n *fleet.Snapshot, r *fleet.RackSpec) int {
	taken := make([]bool, r.Units+1)
	for _, i := range n.DevicesOf[r.ID] {
		d := n.Devices.At(i).Spec
		if d.Unit <= 0 {
			continue
		}
		for h := d.Unit; h < d.Unit+max(d.Height, 1); h++ {
			if u := int(h) / 2; u >= 1 && u <= r.Units {
				taken[u] = true
			}
		}
	}
	free := 0
	for _, t := range taken[1:] {
		if !t {
			free++
		}
	}
	return free
}
