package capacity

import (
	"fmt"
	"testing"

	"plumb/fleet"
)

// site is a small fleet for tests: racks with two PDUs each on the feeds A and
// B of one building, and what a test hangs on them.
type site struct {
	racks   []fleet.RackSpec
	feeds   []fleet.FeedSpec
	devices []fleet.Device
	hosts   []fleet.Host
	clouds  []fleet.Cloud
	guests  []fleet.InstanceState
}

func (b *site) feed(name, parent string, amps int64, volts, phases int) {
	b.feeds = append(b.feeds, fleet.FeedSpec{Name: name, Site: "ams1", Parent: parent, BreakerA: fleet.Int(amps), Volts: volts, Phases: phases})
}

func (b *site) rack(name string, units int) string {
	id := "ams1/" + name
	b.racks = append(b.racks, fleet.RackSpec{ID: id, Name: name, Site: "ams1", Region: "ams", Units: units})
	return id
}

func (b *site) device(s fleet.DeviceSpec, watts float64) *fleet.Device {
	s.Name, s.Site, s.Region = s.ID, "ams1", "ams"
	d := fleet.Device{Spec: &s, State: fleet.StateOK}
	if watts >= 0 {
		d.PowerW = fleet.FromFloat(watts, 1)
	}
	b.devices = append(b.devices, d)
	return &b.devices[len(b.devices)-1]
}

// pdu has so many outlets; what hangs on them is metered when servers are added.
func (b *site) pdu(id, rack, feed string, amps int64, outlets int) {
	d := b.device(fleet.DeviceSpec{ID: id, Kind: fleet.KindPDU, Rack: rack, Feed: feed, RatingA: fleet.Int(amps)}, 0)
	for n := range outlets {
		d.Outlets = append(d.Outlets, fleet.Outlet{Index: n + 1, State: "on", PowerW: fleet.Int(0)})
	}
}

// server draws watts in equal parts from outlets "pdu/n".
func (b *site) server(id, rack string, unit int, watts float64, outlets ...string) *fleet.Device {
	s := fleet.DeviceSpec{ID: id, Kind: fleet.KindServer, Rack: rack, Unit: fleet.HalfU(2 * unit), Height: 2}
	for n, o := range outlets {
		s.Power = append(s.Power, fleet.PowerCord{PSU: n + 1, Outlet: o})
		b.draw(o, watts/float64(len(outlets)))
	}
	return b.device(s, watts)
}

func (b *site) draw(outlet string, watts float64) {
	for i := range b.devices {
		d := &b.devices[i]
		for k := range d.Outlets {
			if fmt.Sprintf("%s/%d", d.Spec.ID, d.Outlets[k].Index) == outlet {
				d.Outlets[k].PowerW = fleet.FromFloat(watts, 2)
				d.PowerW = fleet.FromFloat(d.PowerW.Float()+watts, 2)
			}
		}
	}
}

func (b *site) snapshot() *fleet.Snapshot {
	t := &fleet.Topology{RacksOf: map[string][]int{}, DevicesOf: map[string][]int{}, Cabled: map[string]fleet.Attachment{}, Corded: map[string]fleet.Attachment{}, PDUsOf: map[string][]int{}}
	s := &fleet.Snapshot{Topology: t}
	s.Regions = fleet.NewTable([]string{"ams"}, []fleet.Region{{Spec: &fleet.RegionSpec{Name: "ams"}}})
	s.Sites = fleet.NewTable([]string{"ams1"}, []fleet.Site{{Spec: &fleet.SiteSpec{Name: "ams1", Region: "ams"}}})
	watts := map[string]float64{}
	ids := []string{}
	for i := range b.devices {
		d := &b.devices[i]
		ids = append(ids, d.Spec.ID)
		if d.Spec.Rack != "" {
			t.DevicesOf[d.Spec.Rack] = append(t.DevicesOf[d.Spec.Rack], i)
		}
		if d.Spec.Kind == fleet.KindPDU && d.PowerW.Known {
			watts[d.Spec.Rack] += d.PowerW.Float()
		}
		if d.Spec.Feed != "" {
			t.PDUsOf[d.Spec.Feed] = append(t.PDUsOf[d.Spec.Feed], i)
			watts[d.Spec.Feed] += d.PowerW.Float()
		}
		for _, c := range d.Spec.Power {
			t.Corded[c.Outlet] = fleet.Attachment{Device: i}
		}
		for _, c := range d.Spec.Links {
			t.Cabled[c.To] = fleet.Attachment{Device: i, Part: c.NIC}
		}
	}
	s.Devices = fleet.NewTable(ids, b.devices)
	var rackIDs []string
	var racks []fleet.Rack
	for i := range b.racks {
		r := fleet.Rack{Spec: &b.racks[i], PowerW: fleet.FromFloat(watts[b.racks[i].ID], 1)}
		rackIDs, racks = append(rackIDs, r.Spec.ID), append(racks, r)
		t.RacksOf["ams"] = append(t.RacksOf["ams"], i)
	}
	s.Racks = fleet.NewTable(rackIDs, racks)
	var feedIDs []string
	var feeds []fleet.Feed
	for i := range b.feeds {
		f := fleet.Feed{Spec: &b.feeds[i]}
		if w, ok := watts[f.Spec.Name]; ok {
			f.PowerW = fleet.FromFloat(w, 1)
		}
		feedIDs, feeds = append(feedIDs, f.Spec.Name), append(feeds, f)
	}
	s.Feeds = fleet.NewTable(feedIDs, feeds)
	b.cloudTables(s)
	return s
}

func (b *site) cloudTables(s *fleet.Snapshot) {
	var ids []string
	for i := range b.clouds {
		ids = append(ids, b.clouds[i].Spec.Name)
	}
	s.Clouds = fleet.NewTable(ids, b.clouds)
	ids = nil
	var hosts []fleet.HostState
	for _, h := range b.hosts {
		ids, hosts = append(ids, h.ID), append(hosts, fleet.HostState{Host: h, Cloud: "os"})
	}
	s.Hosts = fleet.NewTable(ids, hosts)
	ids = nil
	for i := range b.guests {
		b.guests[i].ID, b.guests[i].Cloud = fmt.Sprint("vm", i), "os"
		ids = append(ids, b.guests[i].ID)
	}
	s.Instances = fleet.NewTable(ids, b.guests)
}

// row finds one row.
func row(t *testing.T, rows []Row, scope Scope, id string, r Resource, class ...string) Row {
	t.Helper()
	for _, x := range rows {
		if x.Scope == scope && x.ID == id && x.Resource == r && (len(class) == 0 || x.Class == class[0]) {
			return x
		}
	}
	t.Fatalf("no row %s %s %s %v", scope, id, r, class)
	return Row{}
}
