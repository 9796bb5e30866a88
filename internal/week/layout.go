package week

import (
	"fmt"
	"strings"
	"time"

	"plumb/fleet"
)

// Shape of the fleet, as the script says it.
const (
	racks     = 4 // a site
	perRack   = 20
	perRole   = 5
	firstBMC  = 24 // BMC of server N is on Ethernet(24+N)
	uplinkOne = 49
	ports     = 54
	outlets   = 24
	mgmtVLAN  = 900
)

var (
	regionNames = []string{"ams", "fra", "iad"}
	roles       = []role{
		{"hv", "R7525", "7.10", "2.15.3", 10, fleet.Expectation{Exact: "7.10"}},
		{"db", "R6515", "2.90", "2.14.1", 20, fleet.Expectation{Min: "2.84"}},
		{"web", "R6515", "2.90", "2.14.1", 30, fleet.Expectation{Exact: "2.90"}},
		{"batch", "C6525", "1.45", "1.10.0", 40, fleet.Expectation{Exact: "1.45"}},
	}
	serviceNames = []string{"match", "chat", "auth", "store", "queue"}
)

type role struct {
	name, model, firmware, bios string
	vlan                        int
	expect                      fleet.Expectation
}

// Intervals of the lanes.
var Intervals = [3]time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour}

// lay makes the inventory and what stands behind it.
func (w *World) lay() {
	w.Inv = &fleet.Inventory{Intervals: Intervals, Policies: fleet.Policies{ManagementVLANs: []int{mgmtVLAN}}}
	for _, name := range regionNames {
		w.Inv.Regions = append(w.Inv.Regions, fleet.RegionSpec{Name: name})
		w.site(name)
	}
	for _, name := range serviceNames {
		w.Inv.Services = append(w.Inv.Services, fleet.ServiceSpec{Name: name, Owner: "team-" + name, Select: map[string]string{"service": name}, Floor: 40})
	}
}

func (w *World) site(region string) {
	site := region + "1"
	w.Inv.Sites = append(w.Inv.Sites, fleet.SiteSpec{Name: site, Region: region})
	for _, side := range []string{"a", "b"} {
		ups := fleet.DeviceSpec{ID: site + "-ups-" + side, Kind: fleet.KindUPS, Site: site, Region: region, Model: "93PM-100"}
		w.add(&ups, fleet.SourceSNMP)
		w.pdus = append(w.pdus, &pdu{id: ups.ID, site: site, ups: true, n: len(w.pdus)})
		w.byID[ups.ID] = w.pdus[len(w.pdus)-1]
		w.Inv.Feeds = append(w.Inv.Feeds, fleet.FeedSpec{Name: site + "-" + strings.ToUpper(side), Site: site, Parent: ups.ID, BreakerA: fleet.Int(125), Volts: 400, Phases: 3})
	}
	for k := range 2 {
		w.net(&netswitch{id: fmt.Sprintf("%s-sp%d", site, k+1), site: site, spine: k + 1, side: -1}, 0, region)
	}
	for r := range racks {
		w.rack(region, site, r)
	}
	w.clouds = append(w.clouds, newCloud(w, region, site))
	w.Inv.Clouds = append(w.Inv.Clouds, fleet.CloudSpec{Name: "stack-" + region, Region: region,
		Endpoint: fleet.Endpoint{Source: fleet.SourceOpenStack, Address: "127.0.0.1:5000"}})
}

func (w *World) rack(region, site string, r int) {
	name := fmt.Sprintf("r%02d", r+1)
	rack, head := site+"/"+name, site+"-"+name+"-"
	w.Inv.Racks = append(w.Inv.Racks, fleet.RackSpec{ID: rack, Name: name, Site: site, Region: region, Row: "A", Units: 42, Feeds: []string{site + "-A", site + "-B"}})
	for k, side := range []string{"a", "b"} {
		p := &pdu{id: head + "p" + side, site: site, rack: rack, feed: site + "-" + strings.ToUpper(side), side: k, n: len(w.pdus), hangs: map[int]string{}}
		w.pdus = append(w.pdus, p)
		w.byID[p.id] = p
		w.add(&fleet.DeviceSpec{ID: p.id, Kind: fleet.KindPDU, Rack: rack, Site: site, Region: region, Model: "AP8959EU3", Feed: p.feed, RatingA: fleet.Int(32)}, fleet.SourceSNMP)
	}
	for k, side := range []string{"a", "b"} {
		w.net(&netswitch{id: head + "sw" + side, site: site, rack: rack, row: r, side: k}, 42-k, region)
	}
	for n := 1; n <= perRack; n++ {
		w.server(region, site, rack, head, n)
	}
}

func (w *World) server(region, site, rack, head string, n int) {
	s := &server{id: fmt.Sprintf("%ss%02d", head, n), site: site, rack: rack, head: head, slot: n, role: roles[(n-1)/perRole], n: len(w.servers)}
	s.own(w)
	w.servers = append(w.servers, s)
	w.byID[s.id] = s
	spec := fleet.DeviceSpec{ID: s.id, Kind: fleet.KindServer, Rack: rack, Site: site, Region: region, Unit: fleet.HalfU(2 * n), Height: 2, Face: "front", Depth: "full",
		Model: s.role.model, Serial: s.serial(false), Tags: map[string]string{"role": s.role.name}, Expect: map[string]fleet.Expectation{fleet.FactFirmware: s.role.expect},
		Power: []fleet.PowerCord{{PSU: 1, Outlet: fmt.Sprintf("%spa/%d", head, n)}, {PSU: 2, Outlet: fmt.Sprintf("%spb/%d", head, n)}},
		Links: []fleet.Cable{
			{NIC: "eth0", MAC: s.mac(0), To: fmt.Sprintf("%sswa/Ethernet%d", head, n)},
			{NIC: "eth1", MAC: s.mac(1), To: fmt.Sprintf("%sswb/Ethernet%d", head, n)},
			{NIC: "bmc", MAC: s.mac(2), To: fmt.Sprintf("%sswa/Ethernet%d", head, firstBMC+n)},
		}}
	w.add(&spec, fleet.SourceIPMI)
	for k, side := range []string{"a", "b"} {
		w.byID[head+"p"+side].(*pdu).hangs[n] = fmt.Sprintf("%s %d", s.id, k+1)
	}
}

// net adds a switch. A ToR has its two cords on outlets 21 and 22, A on the odd
// PDU, and goes up to both spines.
func (w *World) net(x *netswitch, unit int, region string) {
	x.n = len(w.nets)
	w.nets = append(w.nets, x)
	w.byID[x.id] = x
	spec := fleet.DeviceSpec{ID: x.id, Kind: fleet.KindSwitch, Rack: x.rack, Site: x.site, Region: region, Unit: fleet.HalfU(2 * unit), Height: 2, Face: "front", Depth: "full",
		Model: x.model(), Serial: x.serial(), Tags: map[string]string{"role": x.role()}}
	if x.spine == 0 {
		head := strings.TrimSuffix(strings.TrimSuffix(x.id, "swa"), "swb")
		no := perRack + 1 + x.side
		for k, side := range []string{"a", "b"} {
			spec.Power = append(spec.Power, fleet.PowerCord{PSU: k + 1, Outlet: fmt.Sprintf("%sp%s/%d", head, side, no)})
			w.byID[head+"p"+side].(*pdu).hangs[no] = fmt.Sprintf("%s %d", x.id, k+1)
		}
		for k := range 2 {
			spec.Links = append(spec.Links, fleet.Cable{NIC: fmt.Sprintf("Ethernet%d", uplinkOne+k), To: fmt.Sprintf("%s-sp%d/%s", x.site, k+1, x.spinePort())})
		}
	}
	w.add(&spec, fleet.SourceSNMP)
}

func (w *World) add(d *fleet.DeviceSpec, src fleet.Source) {
	d.Name, d.Owner, d.Tenant, d.Env = d.ID, "team-fleet", "arena", "prod"
	d.Endpoints = []fleet.Endpoint{{Source: src, Address: "127.0.0.1:1"}}
	w.Inv.Devices = append(w.Inv.Devices, *d)
}

// Inventory is what is intended at a moment: panels come with the script.
// changed says that it is another one than the minute before.
func (w *World) Inventory(m Moment) (inv *fleet.Inventory, changed bool) {
	next := *w.Inv
	next.Devices = append([]fleet.DeviceSpec(nil), w.Inv.Devices...)
	if w.Clean {
		return &next, false
	}
	for i := range w.Plant {
		for k := range w.Plant[i].Each {
			e := &w.Plant[i].Each[k]
			if len(e.Panels) == 0 || m < e.At {
				continue
			}
			changed = changed || m-e.At < Moment(time.Minute)
			site, rack, _ := strings.Cut(e.Rack, "/")
			for _, unit := range e.Panels {
				id := fmt.Sprintf("%s-%s-panel%d", site, rack, unit)
				next.Devices = append(next.Devices, fleet.DeviceSpec{ID: id, Name: id, Kind: fleet.KindOther, Rack: e.Rack, Site: site, Region: strings.TrimSuffix(site, "1"),
					Unit: fleet.HalfU(2 * unit), Height: 2, Face: "front", Depth: "full", Owner: "team-fleet", Tenant: "arena", Env: "prod"})
			}
		}
	}
	return &next, changed
}
